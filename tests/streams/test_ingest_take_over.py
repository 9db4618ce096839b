"""One broadcaster at a time: another phone takes over; and a phone that tries its uplink."""

from __future__ import annotations

import json
import uuid
from pathlib import Path
from typing import Any

import pytest

from core.clock import now
from core.realtime.db import run_in_db
from media_pipeline.ingest import broadcast
from media_pipeline.models import Take
from streams import ingest_probe
from streams.models import Show
from streams.services import ingest_keys
from tests.streams.camera import Camera, camera, refusal
from tests.world import World

pytestmark = [pytest.mark.ffmpeg, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def show(world: World) -> Show:
    return world.show


async def take_over(phone: Camera, show: Show, take: uuid.UUID) -> None:
    frame = {"take": str(take), "key": ingest_keys.issue(show), "take_over": True}
    await phone.socket.send(json.dumps({"hello": frame}))


async def try_uplink(phone: Camera, key: str | None) -> dict[str, Any]:
    await phone.socket.send(json.dumps({"probe": {"key": key}}))
    return await phone.answer()


def seconds_of(take: uuid.UUID) -> float:
    return Take.objects.get(public_id=take).duration_s


async def test_the_phone_that_is_taken_over_sends_the_rest_of_its_take_first(
    site: str, show: Show, recorder_film: Path
) -> None:
    first, second = uuid.uuid4(), uuid.uuid4()
    async with camera(site, show.public_id) as old, camera(site, show.public_id) as new:
        await old.hello(show, first)
        half = await old.film(recorder_film, last=20)
        await take_over(new, show, second)
        assert (await old.answer())["leave"]["code"] == "taken_over"
        await old.film(recorder_film, first=half)
        assert await old.seal() == pytest.approx(6, abs=0.2)
        assert (await new.answer())["ready"]["take"] == str(second)
        await new.film(recorder_film)
        await new.seal()
    assert await run_in_db(seconds_of, first) == pytest.approx(6, abs=0.2)
    assert await run_in_db(seconds_of, second) == pytest.approx(6, abs=0.2)


async def test_a_phone_that_does_not_leave_is_let_go(
    site: str, show: Show, recorder_film: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(broadcast, "LEAVE_WITHIN_S", 0.3)
    async with camera(site, show.public_id) as old, camera(site, show.public_id) as new:
        await old.hello(show, uuid.uuid4())
        await old.film(recorder_film)
        await take_over(new, show, uuid.uuid4())
        assert "leave" in await old.answer()
        assert await refusal(old, await old.answer()) == ("taken_over", 4409)
        assert "ready" in await new.answer()


async def test_without_asking_nobody_is_taken_over(
    site: str, show: Show, recorder_film: Path
) -> None:
    async with camera(site, show.public_id) as old, camera(site, show.public_id) as new:
        await old.hello(show, uuid.uuid4())
        answer = await new.hello(show, uuid.uuid4())
        assert await refusal(new, answer) == ("already_broadcasting", 4409)
        await old.film(recorder_film)


async def test_a_phone_tries_its_uplink_and_learns_the_time(site: str, show: Show) -> None:
    async with camera(site, show.public_id) as phone:
        told = (await try_uplink(phone, ingest_keys.issue(show)))["probe"]
        assert told["server_ms"] == pytest.approx(now().timestamp() * 1000, abs=5000)
        for sent in range(16_000, ingest_probe.MAX_BYTES + 16_000, 16_000):
            await phone.socket.send(bytes(16_000))
            assert (await phone.answer())["got"]["bytes"] == sent
        assert await phone.close_code() == 1000


async def test_only_who_may_broadcast_may_try_the_uplink(site: str, show: Show) -> None:
    async with camera(site, show.public_id) as phone:
        assert await refusal(phone, await try_uplink(phone, None)) == ("sign_in_required", 4401)
