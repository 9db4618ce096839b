from __future__ import annotations

import pytest

from media_pipeline import worker
from tests.media_pipeline.stores import s3, store

__all__ = ["s3", "store"]


@pytest.fixture(autouse=True)
def nobody_waits_for_the_tests_own_lock(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A test in one transaction holds SQLite's lock all the time: a heartbeat would wait for it."""
    marker = request.node.get_closest_marker("django_db")
    commits = bool(marker and marker.kwargs.get("transaction"))
    if not commits and not {"transactional_db", "site"} & set(request.fixturenames):
        monkeypatch.setattr(worker, "HEARTBEAT_S", 3600.0)
