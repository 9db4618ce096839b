"""What the benchmarks stand on is locked, and asks for no place."""

from __future__ import annotations

from bench.report import ROOT


def test_the_node_peer_is_locked_by_its_hash_and_names_no_place() -> None:
    lock = (ROOT / "bench/package-lock.json").read_text()
    assert '"integrity": "sha512-' in lock
    assert "://" not in lock
