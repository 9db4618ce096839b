"""The stop button: an operator ends a show, and everybody hears of it what is theirs to know."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from django.db import connection
from django.test import Client
from pytest_django.fixtures import Settings

from core.accounts.models import User
from core.clock import now
from core.errors import Conflict, InvalidInput, NotAllowed
from core.models import OutboxFact
from core.realtime.db import run_in_db
from media_pipeline.ingest.errors import ShowIsOver
from media_pipeline.models import Recording, RecordingState
from media_pipeline.selectors import playback
from media_pipeline.services import takes
from orders.models import Order
from orders.services.place import place_order
from streams.client import RoomClient
from streams.models import EncoderStream, Show, ShowState, Stop, StopReason
from streams.services import encoders, shows, stopping, stream_keys
from tests.realtime import until_in_db
from tests.streams.camera import camera, refusal
from tests.world import World

WITHIN_S = 4.0
"""Half of it on a machine that does little else."""
TO_LI = {"kind": "courier", "name": "Li", "phone": "13800138000", "address": "8 River Street"}
WHY = "Call the county centre first."


def on_air(world: World) -> Show:
    shows.camera_on(world.show.public_id, now())
    world.show.refresh_from_db()
    return world.show


def post(user: User, path: str, **form: str) -> int:
    client = Client()
    client.force_login(user)
    return client.post(path, form).status_code


def seen(user: User | None, show: Show) -> tuple[bool, str | None]:
    """Whether the show's page tells of the stop, and the replay that it plays."""
    client = Client()
    if user is not None:
        client.force_login(user)
    page = client.get(f"/shows/{show.public_id}/")
    assert WHY not in page.content.decode(), "why is between the operator and the seller"
    words = "ended by the operator" in page.content.decode()
    return words, client.get(f"/shows/{show.public_id}/playback/").json()["replay_url"]


def order(world: World, key: str) -> Order:
    return place_order(
        buyer=world.li,
        key=key,
        show_id=world.show.public_id,
        lines=[
            {
                "offer_id": world.apple_offer.public_id,
                "quantity": 1,
                "price_minor": world.apple_offer.price_minor,
            }
        ],
        delivery=TO_LI,
    )


def is_sealed(show: Show) -> bool:
    ready = Recording.objects.filter(show_id=show.public_id, state=RecordingState.READY)
    return ready.exists() and not OutboxFact.objects.filter(sent_at=None).exists()


@pytest.mark.ffmpeg
@pytest.mark.django_db(transaction=True)
async def test_zhao_stops_a_show_and_camera_room_and_replay_follow(
    site: str, world: World, recorder_film: Path
) -> None:
    show, path = world.show, f"/operator/shows/{world.show.public_id}"
    async with camera(site, show.public_id) as phone:
        await phone.hello(show, uuid.uuid4(), mime="video/x-matroska")
        await phone.film(recorder_film)
        await until_in_db(lambda: Show.objects.get().state == ShowState.LIVE)
        async with RoomClient(f"ws://{site}", str(show.public_id)) as viewer:
            begun = time.monotonic()
            form = {"kind": StopReason.GOODS.value, "words": WHY, "withhold": "on"}
            assert await run_in_db(lambda: post(world.zhao, f"{path}/stop/", **form)) == 302
            answer = await phone.answer()
            assert await refusal(phone, answer) == ("stopped", 4410)
            assert time.monotonic() - begun < WITHIN_S
            assert WHY in answer["error"]["message"]
            assert (await viewer.event("show.ended"))["data"] == {"stopped": True}
            assert time.monotonic() - begun < WITHIN_S
    async with camera(site, show.public_id) as again:
        answer = await again.hello(show, uuid.uuid4())
        assert await refusal(again, answer) == ("stopped", 4410)

    await until_in_db(lambda: is_sealed(show))
    public = f"http://{site}/media/public/recordings/{await run_in_db(recording_of, show)}/"
    async with httpx.AsyncClient() as anybody:
        assert (await anybody.get(f"{public}replay.m3u8")).status_code == 404
        assert await run_in_db(seen, None, show) == (True, None)
        _words, private = await run_in_db(seen, world.zhang, show)
        assert (await anybody.get(f"http://{site}{private}")).status_code == 200
        assert await run_in_db(lambda: post(world.zhao, f"{path}/release/")) == 302
        assert (await anybody.get(f"{public}replay.m3u8")).status_code == 200
    assert (await run_in_db(seen, None, show))[1] is not None


def recording_of(show: Show) -> uuid.UUID:
    found = playback(show.public_id)
    assert found is not None
    return found.recording_id


def test_the_seller_reads_why_and_by_whom_and_nothing_is_sold_until_it_is_released(
    world: World,
) -> None:
    show = on_air(world)
    before = order(world, "before")
    stop = {"kind": StopReason.OTHER.value, "words": WHY, "withhold": "on"}
    assert post(world.zhao, f"/operator/shows/{show.public_id}/stop/", **stop) == 302

    client = Client()
    client.force_login(world.zhang)
    page = client.get(f"/studio/shows/{show.public_id}/").content.decode()
    assert WHY in page
    assert "Zhao" in page
    with pytest.raises(NotAllowed):
        order(world, "after")
    assert list(Order.objects.values_list("pk", flat=True)) == [before.pk]
    stopping.release(show.public_id, world.zhao)
    order(world, "released")
    show.refresh_from_db()
    assert show.state == ShowState.ENDED, "only the hiding is undone"


@pytest.mark.parametrize("name", ["zhang", "gao", "li"])
def test_only_operators_have_the_button(world: World, name: str) -> None:
    show = on_air(world)
    user = getattr(world, name)
    client = Client()
    client.force_login(user)
    assert client.get("/operator/shows/").status_code == 403
    for button in ("stop", "release", "approve", "refuse"):
        path = f"/operator/shows/{show.public_id}/{button}/"
        assert post(user, path, kind="goods", reason="no") == 403
    show.refresh_from_db()
    assert (show.state, Stop.objects.count()) == (ShowState.LIVE, 0)


@pytest.mark.parametrize(
    ("kind", "words"), [("", WHY), ("because", WHY), ("other", "  "), ("goods", "x" * 301)]
)
def test_nothing_is_stopped_without_a_reason(world: World, kind: str, words: str) -> None:
    show = on_air(world)
    with pytest.raises(InvalidInput):
        stopping.stop_show(show.public_id, world.zhao, kind=kind, words=words)
    show.refresh_from_db()
    assert show.state == ShowState.LIVE


def test_a_show_that_its_host_has_just_ended_can_still_be_hidden(world: World) -> None:
    show = on_air(world)
    shows.end_show(show.public_id, world.zhang)
    with pytest.raises(Conflict):
        stopping.stop_show(show.public_id, world.zhao, kind="harm")
    assert Stop.objects.count() == 0
    stop = stopping.stop_show(show.public_id, world.zhao, kind="harm", withhold=True)
    assert (stop.was_on_air, stop.is_withheld) == (False, True)
    assert stopping.why_stopped(show) == ""


def test_a_camera_that_was_let_in_before_the_stop_begins_no_take_after_it(world: World) -> None:
    show = on_air(world)
    recording = takes.recording_of(show.public_id, is_public=True)
    running = takes.open_take(recording, take_id=uuid.uuid4(), mime="video/webm")
    stopping.stop_show(show.public_id, world.zhao, kind="harm")
    assert takes.keep(running) is takes.Kept.SHOW_IS_OVER
    takes.seal_take(running)
    with pytest.raises(ShowIsOver):
        takes.open_take(recording, take_id=uuid.uuid4(), mime="video/webm")


@pytest.mark.django_db(transaction=True)
def test_of_stops_and_ends_at_once_one_is_right_and_the_others_are_told(world: World) -> None:
    def stop() -> str:
        stopping.stop_show(world.show.public_id, world.zhao, kind="harm")
        return "stopped"

    def end() -> str:
        shows.end_show(world.show.public_id, world.zhang)
        return "asked"

    for _ in range(5):
        Stop.objects.all().delete()
        OutboxFact.objects.all().delete()
        Show.objects.update(state=ShowState.SCHEDULED)
        on_air(world)
        outcomes = at_once(stop, end, stop, end)
        ends = OutboxFact.objects.filter(type="streams.ShowEnded")
        assert [fact.data["is_stop"] for fact in ends] == [Stop.objects.exists()]
        assert outcomes.count("stopped") == Stop.objects.count()
        assert sorted(set(outcomes) - {"stopped"}) == ["Conflict", "asked"]


def at_once(*calls: Callable[[], str]) -> list[str]:
    """What becomes of calls that begin in the same moment, each on a connection of its own."""
    gate = threading.Barrier(len(calls))

    def run(call: Callable[[], str]) -> str:
        gate.wait()
        try:
            return call()
        except Conflict:
            return "Conflict"
        finally:
            connection.close()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


def test_an_encoder_does_not_begin_the_next_show_with_what_was_stopped(
    world: World, settings: Settings
) -> None:
    show = on_air(world)
    shows.schedule_show(
        seller=world.farm, host=world.zhang, title="Next", scheduled_at=now() + timedelta(hours=1)
    )
    key = stream_keys.make_key(world.farm, world.zhang, "OBS")
    encoders.admit(key, name="first", protocol="rtmp")
    stopping.stop_show(show.public_id, world.zhao, kind="rights")
    assert EncoderStream.objects.get().reason == "stopped"
    with pytest.raises(encoders.EncoderRefused, match="stopped"):
        encoders.admit(key, name="second", protocol="rtmp")
    Stop.objects.update(at=now() - encoders.STOPPED_FOR)
    assert encoders.admit(key, name="third", protocol="rtmp").show.title == "Next"


def test_a_show_ends_by_itself_after_the_longest_time(world: World, settings: Settings) -> None:
    show = on_air(world)
    Show.objects.update(started_at=now() - timedelta(hours=11, minutes=59))
    assert shows.end_too_long() == 0
    Show.objects.update(started_at=now() - timedelta(hours=12))
    settings.LONGEST_SHOW_H = 0
    assert shows.end_too_long() == 0
    settings.LONGEST_SHOW_H = 12
    assert shows.end_too_long() == 1
    show.refresh_from_db()
    assert shows.lasted_longest(show)
    assert "12 hours" in shows.why_too_long(show)
