"""OBS and its like: streams that come through nginx's RTMP module, published by ffmpeg."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import pytest_asyncio
from pytest_django.fixtures import Settings

from core.realtime.db import run_in_db
from media_pipeline import ffmpeg
from media_pipeline.ingest.desk import desk
from media_pipeline.models import Recording, Take, TakeState
from streams.models import EncoderStream, Show, ShowState, StreamKey
from streams.services import shows, stream_keys
from tests.nginx import rtmp
from tests.realtime import until, until_in_db
from tests.world import World

pytestmark = [pytest.mark.ffmpeg, pytest.mark.process, pytest.mark.django_db(transaction=True)]

GONE_WITHIN_S = 2.0


@pytest_asyncio.fixture
async def server(site: str, settings: Settings, tmp_path: Path) -> AsyncIterator[str]:
    """What is typed into OBS as the server, with the web process behind it."""
    settings.SELF_URL = f"http://{site}"
    with rtmp(tmp_path, site) as address:
        settings.ENCODERS_READ = address
        yield address


@pytest_asyncio.fixture
async def key(world: World) -> str:
    return await run_in_db(stream_keys.make_key, world.farm, world.zhang, "Studio PC")


@contextmanager
def obs(film: Path, server: str, key: str) -> Iterator[subprocess.Popen[bytes]]:
    """An encoder that streams the film at its own pace until it is cut off, or over."""
    line = [ffmpeg.ffmpeg_path(), "-nostdin", "-loglevel", "fatal", "-re", "-i", str(film)]
    process = subprocess.Popen([*line, "-c", "copy", "-f", "flv", f"{server}/{key}"])
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def takes(world: World) -> list[Take]:
    found = Take.objects.filter(recording__show_id=world.show.public_id)
    return list(found.order_by("position"))


def states(world: World) -> list[str]:
    return [take.state for take in takes(world)]


def state(world: World) -> str:
    return Show.objects.get(pk=world.show.pk).state


def has_filmed(world: World, position: int = 0) -> bool:
    """Whether two seconds of the take at this position can be watched."""
    found = takes(world)
    return len(found) > position and found[position].duration_s >= 2


async def test_what_obs_sends_is_a_take_of_the_hosts_show(
    server: str, key: str, world: World, film: Path
) -> None:
    with obs(film, server, key) as encoder:
        await until_in_db(lambda: state(world) == ShowState.LIVE)
        await until_in_db(lambda: has_filmed(world))
        encoder.terminate()
        await until(lambda: encoder.poll() is not None)
        ended = time.time()
        await until_in_db(lambda: states(world) == [TakeState.SEALED])
    [take] = await run_in_db(takes, world)
    # Nothing of it was lost at the beginning nor at the end.
    stream = await run_in_db(EncoderStream.objects.get)
    assert take.duration_s == pytest.approx(ended - stream.started_at.timestamp(), abs=1.0)
    assert take.error == ""
    used = await run_in_db(StreamKey.objects.get)
    assert used.last_used_at is not None
    assert key not in str(vars(used))
    assert stream.reason == "gone"
    assert await run_in_db(state, world) == ShowState.LIVE, "OBS does not end a show"


async def test_a_revoked_key_stops_its_stream_within_two_seconds(
    server: str, key: str, world: World, film: Path
) -> None:
    with obs(film, server, key) as encoder:
        await until_in_db(lambda: has_filmed(world))
        await run_in_db(stream_keys.revoke, await run_in_db(StreamKey.objects.get))
        at = time.monotonic()
        await until_in_db(lambda: states(world) == [TakeState.SEALED], GONE_WITHIN_S)
        await until(lambda: encoder.poll() is not None, at + GONE_WITHIN_S - time.monotonic())
    with obs(film, server, key) as again:
        await until(lambda: again.poll() is not None)
    assert (await run_in_db(StreamKey.objects.get)).refusal == "revoked"
    assert len(await run_in_db(takes, world)) == 1


async def test_who_comes_back_before_the_old_connection_is_missed_films_the_next_take(
    server: str, key: str, world: World, film: Path
) -> None:
    """Its network was gone: nothing closed the connection that it had."""
    with obs(film, server, key) as lost:
        await until_in_db(lambda: has_filmed(world))
        lost.send_signal(signal.SIGSTOP)
        with obs(film, server, key):
            await until_in_db(lambda: has_filmed(world, 1), 15)
            lost.send_signal(signal.SIGCONT)
            await until(lambda: lost.poll() is not None)
            await until_in_db(lambda: states(world) == [TakeState.SEALED, TakeState.OPEN])
    assert await run_in_db(Recording.objects.count) == 1
    first, second = await run_in_db(takes, world)
    assert second.started_at > first.started_at


async def test_an_ended_show_lets_the_encoder_go(
    server: str, key: str, world: World, film: Path
) -> None:
    with obs(film, server, key) as encoder:
        await until_in_db(lambda: has_filmed(world))
        await run_in_db(shows.end_show, world.show.public_id, world.zhang)
        await until(lambda: encoder.poll() is not None, GONE_WITHIN_S)
        await until(lambda: desk.broadcast_of(world.show.public_id) is None)
    assert (await run_in_db(StreamKey.objects.get)).refusal == "show_ended"


async def test_a_key_that_nobody_gave_is_refused(
    server: str, key: str, world: World, film: Path
) -> None:
    with obs(film, server, key[::-1]) as encoder:
        await until(lambda: encoder.poll() is not None)
        assert encoder.returncode != 0
    assert await run_in_db(takes, world) == []
