"""`livecommerce badges-key`, as an operator types it."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from courses.badges import keys
from livecommerce.cli import main
from tests.world import World


@pytest.fixture(autouse=True)
def database_is_up_to_date(
    monkeypatch: pytest.MonkeyPatch, settings: object, tmp_path: Path
) -> None:
    monkeypatch.setattr("livecommerce.cli.need_database", lambda: None)
    monkeypatch.setattr(keys, "BITS", 2048)
    settings.BADGE_KEYS = tmp_path / "badge-keys"  # type: ignore[attr-defined]


def said(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["badges-key", *arguments])


def test_keys_are_made_changed_and_withdrawn(world: World) -> None:
    assert "no key yet" in said().output
    first = said("--new").output.split()[0]
    newer = said("--new").output.splitlines()
    assert newer[0].endswith("signs")
    assert newer[1].startswith(first)
    assert newer[1].endswith("believed")
    assert "withdrawn on" in said("--withdraw", first).output
    wrong = said("--withdraw", "nothing")
    assert (wrong.exit_code, "no such key" in wrong.output) == (1, True)


def test_it_says_which_key_is_not_here(world: World, tmp_path: Path) -> None:
    said("--new")
    for file in (tmp_path / "badge-keys").iterdir():
        file.unlink()
    assert "not on this machine" in said().output


def test_a_folder_that_cannot_be_written_is_said(
    world: World, settings: object, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    settings.BADGE_KEYS = tmp_path / "file" / "keys"  # type: ignore[attr-defined]
    found = said("--new")
    assert (found.exit_code, "cannot be signed" in found.output) == (1, True)
