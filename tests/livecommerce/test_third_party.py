"""`docs/third-party.md` is what is locked and installed."""

from __future__ import annotations

import re
import subprocess
import sys

from tests.livecommerce.command import ROOT

LISTS = {
    name: (ROOT / f"requirements/{name}.txt").read_text()
    for name in ("run", "dev", "bench", "node", "captions")
}


def pinned(text: str) -> dict[str, str]:
    """Versions by name; platforms that differ share a line's last version."""
    return dict(re.findall(r"^([a-z0-9][a-z0-9._-]*)==(\S+)", text, re.MULTILINE))


def test_the_page_is_what_is_installed() -> None:
    done = subprocess.run(
        [sys.executable, "scripts/third_party.py", "--check"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


def test_every_licence_is_stated() -> None:
    assert "not stated" not in (ROOT / "docs/third-party.md").read_text()


def test_what_is_tested_is_what_runs() -> None:
    run, dev = pinned(LISTS["run"]), pinned(LISTS["dev"])
    assert run.items() <= dev.items()
    shared = run.keys() & pinned(LISTS["captions"]).keys()
    assert {name: run[name] for name in shared} == {
        name: pinned(LISTS["captions"])[name] for name in shared
    }


def test_the_locks_have_hashes_and_name_no_place() -> None:
    for name, text in LISTS.items():
        packages = re.split(r"^(?=[a-z0-9])", text, flags=re.MULTILINE)[1:]
        assert [one.split("\n")[0] for one in packages if "--hash=sha256:" not in one] == [], name
        assert not re.search(r"://|--index-url|--find-links| @ ", text), name


def test_the_player_is_locked_by_its_hash_and_names_no_place() -> None:
    lock = (ROOT / "package-lock.json").read_text()
    assert '"integrity": "sha512-' in lock
    assert "://" not in lock
