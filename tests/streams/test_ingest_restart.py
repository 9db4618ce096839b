"""A server that is killed while a show is filmed: the camera's take goes on in the next one."""

from __future__ import annotations

import asyncio
import sqlite3
import subprocess
import uuid
from pathlib import Path
from typing import Any

import pytest

from media_pipeline import ffmpeg
from media_pipeline.probe import OUR_FORMATS
from tests.films import AAC, H264, draw
from tests.realtime import until
from tests.server import Served, serving

pytestmark = [pytest.mark.process, pytest.mark.ffmpeg]
FILM_S = 9


def frame_times(playlist: Path) -> list[float]:
    """When each picture of a recording is shown, in seconds, in their order."""
    line = [ffmpeg.ffprobe_path(), "-v", "error", "-select_streams", "v:0", "-of", "csv=p=0"]
    line += ["-protocol_whitelist", "file,pipe", "-format_whitelist", OUR_FORMATS]
    line += ["-show_entries", "packet=pts_time", str(playlist)]
    told = subprocess.run(line, capture_output=True, check=True, timeout=30).stdout
    return [float(one.strip(b",")) for one in told.split()]


def asked(served: Served, query: str) -> list[tuple[Any, ...]]:
    with sqlite3.connect(served.instance.data / "livecommerce.sqlite3") as database:
        return database.execute(query).fetchall()


def live_lists(served: Served) -> list[Path]:
    return list(served.instance.data.glob("media/public/recordings/*/live.m3u8"))


async def test_a_killed_server_loses_nothing_that_it_acknowledged(tmp_path: Path) -> None:
    film = draw(tmp_path / "film.mp4", *H264, *AAC, duration_s=FILM_S)
    with serving(tmp_path / "data") as served:
        show = uuid.UUID(asked(served, "select public_id from streams_show")[0][0])
        line = served.instance.command("broadcast", str(film), "--show", str(show))
        sender = await asyncio.create_subprocess_exec(
            *line, "--url", served.url, env=served.instance.environment, stdout=subprocess.PIPE
        )
        await until(lambda: live_lists(served), 20)
        cached = {path.name: path.read_bytes() for path in segments(live_lists(served)[0])}
        served.kill()
        served.start()
        said, _nothing = await asyncio.wait_for(sender.communicate(), 60)
        assert sender.returncode == 0, said
        [(takes, state)] = asked(served, "select count(*), max(state) from media_pipeline_take")
        assert (takes, state) == (1, "sealed")
        live = live_lists(served)[0]
    assert cached
    assert cached.items() <= {path.name: path.read_bytes() for path in segments(live)}.items()
    times = frame_times(next(live.parent.glob("*/take.m3u8")))
    assert times == pytest.approx([n / 30 for n in range(FILM_S * 30)], abs=0.002)


def segments(live: Path) -> list[Path]:
    return sorted(live.parent.glob("*/*.m4s"))
