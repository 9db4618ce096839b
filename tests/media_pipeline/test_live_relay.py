"""Live parts from the process with the camera to one with viewers, over a real Redis."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest
from redis import Redis

from media_pipeline.live import relay
from media_pipeline.live.audience import Viewer, leave
from media_pipeline.live.feed import Feeds
from media_pipeline.live.relay import RedisRelay, channel_of
from tests.media_pipeline.test_live_feed import Wire, begin, film, numbers, push
from tests.realtime import until
from tests.redis_server import RedisServer, redis_server


@pytest.fixture(scope="module")
def redis() -> Iterator[RedisServer]:
    with redis_server() as server:
        yield server


@asynccontextmanager
async def process(redis: RedisServer) -> AsyncIterator[Feeds]:
    """What one web process has of live media."""
    feeds = Feeds()
    its_relay = RedisRelay(feeds, redis.url)
    its_relay.start()
    try:
        yield feeds
    finally:
        await its_relay.stop()


async def test_a_viewer_elsewhere_begins_at_the_last_key_frame_and_goes_on_live(
    redis: RedisServer,
) -> None:
    show_id, wire = uuid.uuid4(), Wire()
    async with process(redis) as camera, process(redis) as elsewhere:
        source = camera.feed(show_id)
        begin(source)
        push(source, film(1.5))
        viewer = Viewer(wire.socket)
        elsewhere.feed(show_id).join(viewer)
        await until(lambda: len(numbers(wire)) == 5)
        push(source, film(0.5, first=15))
        await until(lambda: len(numbers(wire)) == 10)
        assert numbers(wire) == list(range(10, 20))
        assert wire.parts[0] == b"init"
        assert "renditions" in wire.said

        source.drifted(41.5)
        await until(lambda: wire.drifts == [0.0, 41.5])

        another = Wire()  # a second process, which the first one's viewers do not notice
        async with process(redis) as third:
            third.feed(show_id).join(Viewer(another.socket))
            await until(lambda: numbers(another) == list(range(10, 20)))
            assert another.drifts == [41.5]
        push(source, film(0.1, first=20))
        await until(lambda: numbers(wire)[-1] == 20)
        assert numbers(wire) == list(range(10, 21))

        source.end()
        await until(lambda: wire.said.count("off") == 2)
        leave(viewer)


async def test_nothing_is_published_that_nobody_elsewhere_watches(redis: RedisServer) -> None:
    show_id, wire = uuid.uuid4(), Wire()
    with Redis.from_url(redis.url) as spy:
        async with process(redis) as camera, process(redis) as elsewhere:
            source = camera.feed(show_id)
            published = spy.pubsub(ignore_subscribe_messages=True)
            published.subscribe(channel_of(source))
            assert published.get_message(timeout=5) is None  # subscribed from here on
            begin(source)
            push(source, film(1))
            viewer = Viewer(wire.socket)
            far = elsewhere.feed(show_id)
            far.join(viewer)
            await until(lambda: len(numbers(wire)) == 10)
            leave(viewer)
            await until(lambda: not far.is_on)  # forgotten where nobody watches
            told = []
            while (message := published.get_message(timeout=0.2)) is not None:
                told.append(message)
            # Of the camera's own accord only that it began; the rest because it was asked: that
            # again, ten parts, and what can be watched.
            assert len(told) == 13


async def test_a_picture_outlives_the_redis_that_brought_it(
    redis: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay, "ASK_EVERY_S", 0.3)
    show_id, wire = uuid.uuid4(), Wire()
    async with process(redis) as camera, process(redis) as elsewhere:
        source = camera.feed(show_id)
        begin(source)
        elsewhere.feed(show_id).join(Viewer(wire.socket))
        push(source, film(1))
        await until(lambda: len(numbers(wire)) == 10)
        redis.kill()
        await until(lambda: "elsewhere" in wire.said)
        redis.start()
        push(source, film(1, first=10))
        await until(lambda: numbers(wire)[-1:] == [19], deadline_s=20)
        assert sorted(set(numbers(wire))) == numbers(wire)


async def test_a_camera_whose_process_was_killed_is_off_after_a_while(
    redis: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay, "ASK_EVERY_S", 0.3)
    monkeypatch.setattr(relay, "SILENT_S", 1.0)
    show_id, wire = uuid.uuid4(), Wire()
    async with process(redis) as elsewhere:
        async with process(redis) as camera:
            begin(camera.feed(show_id))
            elsewhere.feed(show_id).join(Viewer(wire.socket))
            await until(lambda: "take" in wire.said)
        assert wire.said.count("off") == 1  # as it was before it was found
        await until(lambda: wire.said.count("off") == 2, deadline_s=15)


async def test_who_watches_elsewhere_is_offered_what_the_camera_s_process_has(
    redis: RedisServer,
) -> None:
    show_id = uuid.uuid4()
    async with process(redis) as camera, process(redis) as elsewhere:
        source, low = camera.feed(show_id), camera.feed(show_id, "low")
        begin(source)
        begin(low)
        viewer = Viewer(Wire().socket)
        elsewhere.feed(show_id).join(viewer)
        await until(lambda: elsewhere.renditions(show_id) == ["source", "low"])
        camera.set_poster(show_id, "/media/still.jpg")
        await until(lambda: elsewhere.poster(show_id) == camera.poster(show_id) is not None)
        low.end()
        await until(lambda: elsewhere.renditions(show_id) == ["source"])
        source.end()
        await until(lambda: elsewhere.renditions(show_id) == [])
        assert elsewhere.poster(show_id) is None
        leave(viewer)
