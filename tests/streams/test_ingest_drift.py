"""What is measured of a camera's clock gets from its socket into the replay."""

from __future__ import annotations

import re
import uuid
from datetime import datetime
from pathlib import Path

import pytest

from core.realtime.db import run_in_db
from media_pipeline.ingest import drift
from media_pipeline.ingest.layout import recording_folder, recording_key
from media_pipeline.models import Recording, RecordingState, Take
from media_pipeline.playlists import parse_segments
from media_pipeline.selectors import media_clock
from streams.services import shows
from tests.realtime import until_in_db
from tests.streams.camera import camera
from tests.world import World

pytestmark = [pytest.mark.ffmpeg, pytest.mark.django_db(transaction=True)]


async def test_a_takes_drift_is_kept_and_clock_and_playlist_say_the_same(
    site: str, world: World, recorder_film: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Film that comes three times as fast as life, which a clock so wrong would explain."""
    monkeypatch.setattr(drift, "WINDOW_S", 1.0)
    monkeypatch.setattr(drift, "FASTEST", 1.0)
    show = world.show
    async with camera(site, show.public_id) as phone:
        await phone.hello(show, uuid.uuid4())
        await phone.film(recorder_film)
        await phone.seal()
    await run_in_db(shows.end_show, show.public_id, world.zhang)

    def recording() -> Recording:
        return Recording.objects.get(show_id=show.public_id)

    await until_in_db(lambda: recording().state == RecordingState.READY)
    assert len((await run_in_db(Take.objects.get)).drift) > 1
    clock = await run_in_db(lambda: media_clock(recording()))
    key = recording_key((await run_in_db(recording)).public_id, is_public=True)
    text = (recording_folder(key) / "replay.m3u8").read_text()
    at_s = 0.0
    for segment, said in zip(parse_segments(text), re.findall("TIME:(.*)", text), strict=True):
        wall = clock.wall(at_s)
        assert wall is not None
        assert abs(wall - datetime.fromisoformat(said)).total_seconds() < 0.003
        at_s += segment.duration_s
