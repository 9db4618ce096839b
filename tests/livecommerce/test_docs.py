"""The documentation names what is there: settings, commands, targets, files."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from livecommerce.cli import main
from tests.livecommerce.command import ROOT
from tests.livecommerce.test_config import names_read

PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))


def settings_listed() -> list[str]:
    page = (ROOT / "docs/operations.md").read_text()
    table = page.split("## Settings")[1].split("\n## ")[0]
    return re.findall(r"^\| `([A-Z0-9_]+)` \|", table, re.MULTILINE)


def test_operations_lists_exactly_the_settings_that_are_read(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("LIVECOMMERCE_DATA", str(tmp_path))
    listed = settings_listed()
    assert sorted(listed) == sorted(names_read(monkeypatch))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    text = page.read_text()
    links = re.findall(r"\]\(([^)#]+)[^)]*\)", text) + re.findall(r'<img src="([^"]+)"', text)
    own = [link for link in links if not link.startswith(("http://", "https://"))]
    assert [link for link in own if not (page.parent / link).exists()] == []


def test_every_picture_is_shown_somewhere() -> None:
    text = " ".join(page.read_text() for page in PAGES)
    pictures = [path.name for path in (ROOT / "docs/images").iterdir()]
    assert [name for name in pictures if name not in text] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_commands_exist(page: Path) -> None:
    code = " ".join(re.findall(r"`[^`]+`|```.*?```", page.read_text(), re.DOTALL))
    assert set(re.findall(r"\bmake ([a-z][a-z-]*)", code)) <= TARGETS
    assert set(re.findall(r"\blivecommerce ([a-z][a-z-]*)\b(?![./])", code)) <= set(main.commands)


def test_make_lists_every_target_with_what_it_does() -> None:
    makefile = (ROOT / "Makefile").read_text()
    described = set(re.findall(r"^([a-z-]+):.*## ", makefile, re.MULTILINE))
    assert TARGETS - described == {"setup", "setup-dev"}


@pytest.mark.parametrize("record", sorted(ROOT.glob("docs/adr/0*.md")), ids=lambda path: path.stem)
def test_decisions_say_what_was_turned_down_and_are_listed(record: Path) -> None:
    text = record.read_text()
    assert text.startswith(f"# {record.name[:4]} ")
    assert "**Decided.**" in text
    assert "**Turned down.**" in text
    assert f"({record.name})" in (record.parent / "README.md").read_text()
