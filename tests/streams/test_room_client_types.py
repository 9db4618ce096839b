"""The room's JavaScript client is typed in its comments, and the types agree."""

from __future__ import annotations

import subprocess

import pytest

from tests.server import ROOT

pytestmark = pytest.mark.process

CLIENT = "streams/static/streams/room-client.js"


def test_the_types_of_the_room_client_hold() -> None:
    compiler = ROOT / "node_modules/.bin/tsc"
    assert compiler.exists(), "run: make setup"
    options = ["--noEmit", "--allowJs", "--checkJs", "--strict", "--noUncheckedIndexedAccess"]
    options += ["--target", "es2022", "--module", "es2022", "--lib", "es2022,dom"]
    options += ["--typeRoots", "none"]  # not those of other tools
    checked = subprocess.run(
        [compiler, *options, CLIENT],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout
