"""Rehearsals: the real thing, for its host alone."""

from __future__ import annotations

import uuid
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.test import Client
from prometheus_client import REGISTRY, generate_latest

from core.accounts.models import User
from core.clock import now
from core.errors import Conflict, NotAllowed, NotFound
from core.realtime import tickets
from core.realtime.db import run_in_db
from core.realtime.models import LogEntry
from livecommerce.views import listed_shows
from media_pipeline import jobs
from media_pipeline.models import Job, Recording, Take
from media_pipeline.storage import storage
from orders.models import Offer, Order
from orders.services.place import place_order
from sellers.models import Member, MemberRole
from streams.client import RoomClient, RoomClosed
from streams.models import Approval, Readiness, Show, ShowState
from streams.operator import selectors as operator_selectors
from streams.services import (
    approvals,
    encoders,
    readiness,
    rehearsals,
    shows,
    stopping,
    stream_keys,
)
from streams.services.replays import set_audience
from streams.studio import checklist
from tests import world as world_module
from tests.orders.shop import TO_LI
from tests.realtime import until_in_db
from tests.streams.camera import camera, refusal
from tests.streams.test_live import player
from tests.world import World


@pytest.fixture
def rehearsal(world: World) -> Show:
    return rehearsals.open_rehearsal(world.farm, world.zhang)


@pytest.fixture
def helper(world: World) -> User:
    """Keeps Zhang's shop with him, as another host."""
    Member.objects.create(seller=world.farm, user=world.wang, role=MemberRole.HOST)
    return world.wang


def as_user(user: User | None) -> Client:
    client = Client()
    if user is not None:
        client.force_login(user)
    return client


def pages(show_id: uuid.UUID) -> list[str]:
    return [
        f"/shows/{show_id}/",
        f"/shows/{show_id}/playback/",
        f"/api/v1/shows/{show_id}/replay",
        f"/api/v1/shows/{show_id}/chapters.vtt",
        f"/api/v1/checkout?show_id={show_id}",
    ]


def studio_pages(show_id: uuid.UUID) -> list[str]:
    api = f"/api/v1/shows/{show_id}"
    return [
        f"/studio/shows/{show_id}/",
        f"/studio/shows/{show_id}/offers/",
        *(f"{api}/{name}" for name in ("studio", "figures", "clips", "blocked-words")),
    ]


def orders(world: World, rehearsal: Show, buyer: User) -> Order:
    offer = Offer.objects.get(show_id=rehearsal.public_id, variant=world.apples)
    line = {"offer_id": offer.public_id, "quantity": 1, "price_minor": offer.price_minor}
    return place_order(
        buyer=buyer, key="a", show_id=rehearsal.public_id, lines=[line], delivery=TO_LI
    )


def test_zhang_rehearses_with_what_his_next_show_sells(world: World, rehearsal: Show) -> None:
    offers = Offer.objects.filter(show_id=rehearsal.public_id)
    assert [(one.variant, one.price_minor) for one in offers] == [
        (world.apples, 3590),
        (world.pears, 2590),
    ]
    assert rehearsals.open_rehearsal(world.farm, world.zhang) == rehearsal, "one at a time"
    with pytest.raises(NotFound):
        rehearsals.open_rehearsal(world.farm, world.gao)


@pytest.mark.parametrize("state", ShowState.values)
@pytest.mark.parametrize("who", [None, "li", "gao", "wang", "zhao"])
def test_for_everybody_else_there_is_no_rehearsal(
    world: World, rehearsal: Show, helper: User, who: str | None, state: str
) -> None:
    """Whether strangers, those who sell with him, or operators: as for a show that never was."""
    Show.objects.filter(pk=rehearsal.pk).update(state=state, started_at=now(), ended_at=now())
    user = getattr(world, who) if who else None
    client = as_user(user)
    never = uuid.uuid4()
    paths = pages(rehearsal.public_id) + (studio_pages(rehearsal.public_id) if user else [])
    for path in paths:
        asked, unknown = (
            client.get(path),
            client.get(path.replace(str(rehearsal.public_id), str(never))),
        )
        assert (asked.status_code, path) == (404, path)
        assert unknown.status_code == 404
    for action in ("ready", "delete"):
        if user:
            path = f"/studio/rehearsals/{rehearsal.public_id}/{action}/"
            assert client.post(path).status_code == 404
    assert Show.objects.filter(pk=rehearsal.pk, state=state).exists()


@pytest.mark.parametrize("state", ShowState.values)
def test_nobody_finds_or_counts_it(
    world: World, rehearsal: Show, helper: User, state: str, admin_user: User
) -> None:
    Show.objects.filter(pk=rehearsal.pk).update(state=state, started_at=now(), ended_at=now())
    assert rehearsal not in listed_shows()
    jobs.enqueue("archive_recording", uuid.uuid4(), show_id=rehearsal.public_id)
    assert [one.show for one in operator_selectors.on_air()] == []
    Approval.objects.all().delete()
    assert [one.show for one in operator_selectors.waiting()] == [world.show]
    counted = generate_latest(REGISTRY).decode()
    assert 'livecommerce_shows{state="scheduled"} 1.0' in counted
    assert 'shows{state="live"}' not in counted
    for someone, path in (
        (world.li, "/"),
        (helper, "/studio/"),
        (world.zhao, "/studio/"),
        (world.zhao, "/operator/shows/"),
        (admin_user, "/admin/streams/show/"),
        (admin_user, "/admin/orders/offer/"),
        (world.zhao, "/operator/jobs/"),
    ):
        assert str(rehearsal.public_id) not in as_user(someone).get(path).content.decode(), path
    assert str(rehearsal.public_id) in as_user(world.zhang).get("/studio/").content.decode()


def test_operators_can_neither_stop_nor_judge_it(world: World, rehearsal: Show) -> None:
    Approval.objects.all().delete()
    for act in (
        lambda: stopping.stop_show(rehearsal.public_id, world.zhao, kind="technical"),
        lambda: stopping.release(rehearsal.public_id, world.zhao),
        lambda: approvals.approve(rehearsal.public_id, world.zhao),
        lambda: approvals.refuse(rehearsal.public_id, world.zhao, "No"),
    ):
        with pytest.raises(NotFound):
            act()
    assert not Approval.objects.exists()
    assert approvals.review_of(rehearsal).standing == "free", "it needs no operator's yes"


def test_nothing_is_sold_in_it(world: World, rehearsal: Show) -> None:
    with pytest.raises(NotAllowed, match="This is a rehearsal"):
        orders(world, rehearsal, world.zhang)
    with pytest.raises(NotFound, match="There is no such show"):
        orders(world, rehearsal, world.li)
    world.apples.stock.refresh_from_db()
    assert (world.apples.stock.available, world.apples.movements.count()) == (40, 1)
    assert not Order.objects.exists()


def test_it_never_becomes_anything_else(world: World, rehearsal: Show) -> None:
    shows.end(rehearsal.public_id)
    rehearsal.refresh_from_db()
    with pytest.raises(Conflict):
        set_audience(show=rehearsal, actor=world.zhang, audience="public")
    recording = Recording.objects.create(
        show_id=rehearsal.public_id, is_public=False, state="ready", duration_s=30
    )
    clip = {"edition": 0, "start_s": 1, "end_s": 9, "title": "Weighing"}
    path = f"/api/v1/recordings/{recording.public_id}/clips"
    answer = as_user(world.zhang).post(path, clip, content_type="application/json")
    assert answer.status_code == 409
    assert as_user(world.zhao).post(path, clip, content_type="application/json").status_code == 404
    of_show = f"/api/v1/shows/{rehearsal.public_id}"
    passage = {"id": str(uuid.uuid4()), "edition": 0, "start_s": 1, "end_s": 9, "whole": False}
    assert as_user(world.zhang).get(f"{of_show}/download").status_code == 409
    removing = f"{of_show}/removed-passages"
    answer = as_user(world.zhang).post(removing, passage, content_type="application/json")
    assert (answer.status_code, answer.json()["code"]) == (409, "conflict")
    assert not Job.objects.exists()


def test_it_says_everywhere_what_it_is(world: World, rehearsal: Show) -> None:
    zhang = as_user(world.zhang)
    room = zhang.get(f"/shows/{rehearsal.public_id}/").content.decode()
    console = zhang.get(f"/studio/shows/{rehearsal.public_id}/").content.decode()
    assert "Rehearsal: only you can see this page. Nothing is sold here." in room
    assert "LIVE" not in room
    assert "Rehearsal: only you can see this. Nothing is sold." in console
    assert "Start the rehearsal" in console
    assert "Go live" not in console
    shows.end(rehearsal.public_id)
    assert (
        "The rehearsal is over"
        in zhang.get(f"/studio/shows/{rehearsal.public_id}/").content.decode()
    )


@pytest.mark.parametrize("began", [True, False])
def test_it_ends_by_itself(world: World, rehearsal: Show, began: bool) -> None:
    long_ago = now() - shows.LONGEST_REHEARSAL
    values: dict[str, Any] = {"state": ShowState.LIVE, "started_at": long_ago} if began else {}
    Show.objects.filter(pk=rehearsal.pk).update(created_at=long_ago, **values)
    assert rehearsals.look_after() == 1
    rehearsal.refresh_from_db()
    assert rehearsal.state == ShowState.ENDED
    assert shows.lasted_longest(rehearsal) == began
    assert "30 minutes" in shows.why_too_long(rehearsal)
    world.show.refresh_from_db()
    assert world.show.state == ShowState.SCHEDULED, "real shows have another limit"


def test_what_was_filmed_goes_after_a_day_or_when_zhang_says_so(
    world: World, rehearsal: Show
) -> None:
    zhang = as_user(world.zhang)
    delete = f"/studio/rehearsals/{rehearsal.public_id}/delete/"
    zhang.post(delete)
    assert Show.objects.filter(pk=rehearsal.pk).exists(), "first it has to end"
    shows.end(rehearsal.public_id)
    recording = Recording.objects.create(show_id=rehearsal.public_id, is_public=False)
    zhang.post(delete)
    assert Show.objects.filter(pk=rehearsal.pk).exists(), "its files are still being written"
    Recording.objects.filter(pk=recording.pk).update(state="ready")
    assert rehearsals.look_after() == 0
    Show.objects.filter(pk=rehearsal.pk).update(ended_at=now() - timedelta(hours=25))
    assert rehearsals.look_after() == 1
    assert not Show.objects.filter(pk=rehearsal.pk).exists()
    assert not Recording.objects.exists()
    assert not Offer.objects.filter(show_id=rehearsal.public_id).exists()
    assert zhang.get("/studio/").status_code == 200


def test_a_real_show_cannot_be_deleted_as_one(world: World) -> None:
    shows.end(world.show.public_id)
    answer = as_user(world.zhang).post(f"/studio/rehearsals/{world.show.public_id}/delete/")
    assert answer.status_code == 404
    assert Show.objects.filter(pk=world.show.pk).exists()


def test_one_tap_leads_to_the_real_show(world: World, rehearsal: Show) -> None:
    zhang = as_user(world.zhang)
    ready = f"/studio/rehearsals/{rehearsal.public_id}/ready/"
    assert zhang.post(ready)["Location"] == f"/studio/shows/{world.show.public_id}/"
    rehearsal.refresh_from_db()
    assert rehearsal.state == ShowState.ENDED
    world.show.delete()
    page = f"/studio/shows/new/?seller={world.farm.public_id}"
    assert zhang.post(ready)["Location"] == page
    assert zhang.get(page).status_code == 200


def test_an_encoder_films_the_open_rehearsal_rather_than_the_show_to_come(
    world: World, rehearsal: Show
) -> None:
    key = stream_keys.make_key(world.farm, world.zhang, "OBS")
    assert encoders.check(key)[1] == rehearsal
    shows.end(rehearsal.public_id)
    assert encoders.check(key)[1] == world.show


async def test_gao_rehearses_before_any_yes_and_it_is_gone_without_a_trace(
    site: str, world: World, recorder_film: Path
) -> None:
    """The real path: a camera, its picture, the room; nobody else is let in anywhere."""
    await run_in_db(lambda: Approval.objects.all().delete())
    show = await run_in_db(rehearsals.open_rehearsal, world.other_farm, world.gao)
    async with camera(site, show.public_id) as phone, room(site, show, world.gao) as chat:
        assert "ready" in await phone.hello(show, uuid.uuid4())
        await phone.film(recorder_film)
        await until_in_db(lambda: is_live(show))
        assert chat.hello["you"]["role"] == "host"
        for stranger in (None, world.li, world.zhao):
            with pytest.raises(RoomClosed) as refused:
                await room(site, show, stranger).open()
            assert refused.value.code == 4404
            async with player(site, show.public_id, stranger) as watcher:
                assert await watcher.close_code() == 4404
        async with camera(site, show.public_id) as other:
            answer = await other.hello(show, uuid.uuid4(), key="made-up")
            assert (await refusal(other, answer))[0] != "ready"
        await phone.seal()
    await run_in_db(shows.end_show, show.public_id, world.gao)
    await until_in_db(lambda: is_sealed(show))
    recording = await run_in_db(Recording.objects.get)
    folder = storage().root / "private/recordings" / str(recording.public_id)
    assert folder.is_dir()
    segment = next(one for one in folder.rglob("*") if one.is_file())
    address = f"http://{site}/media/{segment.relative_to(storage().root)}"
    async with httpx.AsyncClient() as anybody:
        assert (await anybody.get(address)).status_code in {403, 404}
    await until_in_db(Readiness.objects.exclude(rehearsed_at=None).exists)
    assert not await run_in_db(Job.objects.exists), "nothing more is made of it"
    show = await run_in_db(Show.objects.get, pk=show.pk)
    await run_in_db(rehearsals.delete, show, world.gao)
    assert not folder.exists()
    left = await run_in_db(
        lambda: (Show.objects.filter(pk=show.pk).count(), Take.objects.count(), topics(show))
    )
    assert left == (0, 0, 0)


def topics(show: Show) -> int:
    return LogEntry.objects.filter(topic__endswith=str(show.public_id)).count()


def is_live(show: Show) -> bool:
    return Show.objects.filter(pk=show.pk, state=ShowState.LIVE).exists()


def is_sealed(show: Show) -> bool:
    return Recording.objects.filter(show_id=show.public_id, state="ready").exists()


def room(site: str, show: Show, user: User | None) -> RoomClient:
    ticket = tickets.issue(user.public_id) if user else None
    return RoomClient(f"ws://{site}", show.public_id, ticket=ticket)


# The list for the first show


def steps(user: User) -> dict[str, bool]:
    found = checklist.first_show(user)
    assert found is not None
    return {step.name: step.is_done for step in found.steps}


def test_the_list_ticks_itself_from_what_there_is(world: World) -> None:
    gao, farm = world.gao, world.other_farm
    assert not any(steps(gao).values())
    assert set(steps(gao)) == {
        "products",
        "stock",
        "delivery",
        "rehearsal",
        "show",
        "helper",
    }
    potatoes = world_module.variant(farm, "Potatoes", "5 kg", price_minor=900, on_hand=0)
    assert [name for name, done in steps(gao).items() if done] == ["products"]
    potatoes.stock.on_hand = 3
    potatoes.stock.save()
    for _tap in range(2):
        as_user(gao).post(f"/studio/first-show/{farm.public_id}/delivery/")
    zone = farm.zones.get()
    assert (zone.regions, zone.is_served, zone.base_fee_minor, zone.step_fee_minor) == (
        [],
        True,
        0,
        0,
    )
    assert [name for name, done in steps(gao).items() if done] == ["products", "stock", "delivery"]
    show = world_module.show_of(farm, gao, "Potatoes of Minxian")
    path = f"/studio/shows/{show.public_id}/tried/"

    def tell(person: User, body: object) -> int:
        return as_user(person).post(path, body, content_type="application/json").status_code

    assert tell(gao, {"passed": ["camera", "clock"]}) == 204
    assert "Camera and network work" not in as_user(gao).get("/studio/").content.decode()
    assert tell(gao, {"passed": ["network"]}) == 204
    assert "Camera and network work" in as_user(gao).get("/studio/").content.decode()
    assert not steps(gao)["rehearsal"], "it is done when something was filmed"
    for wrong in ("[]", "{", '{"passed": 5}', '{"passed": null}'):
        assert tell(gao, wrong) == 400
    assert tell(world.zhang, {"passed": ["camera"]}) == 403
    readiness.note_rehearsed(rehearsals.open_rehearsal(farm, gao), now())
    Member.objects.create(seller=farm, user=world.zhao, role=MemberRole.OWNER)
    assert not steps(gao)["helper"], "whoever has invited Gao is nobody whom he has invited"
    Member.objects.create(seller=farm, user=world.li, role=MemberRole.PACKER)
    assert all(steps(gao).values())


def test_the_list_goes_when_the_first_show_was_held_and_comes_back_when_asked(
    world: World,
) -> None:
    Member.objects.filter(seller=world.farm, user=world.zhang, role=MemberRole.HOST).delete()
    zhang = as_user(world.zhang)
    path = f"/studio/first-show/{world.farm.public_id}/"
    assert 'id="first-show"' in zhang.get("/studio/").content.decode()
    zhang.post(path, {"wanted": "no"})
    page = zhang.get("/studio/").content.decode()
    assert 'id="first-show"' not in page
    assert "What is left to do before the first show" in page
    zhang.post(path, {"wanted": "yes"})
    assert 'id="first-show"' in zhang.get("/studio/").content.decode()
    Readiness.objects.all().delete()
    rehearsal = rehearsals.open_rehearsal(world.farm, world.zhang)
    Show.objects.filter(pk=rehearsal.pk).update(state=ShowState.ENDED, started_at=now())
    assert checklist.first_show(world.zhang) is not None, "a rehearsal is no show"
    Show.objects.filter(pk=world.show.pk).update(state=ShowState.ENDED, started_at=now())
    assert checklist.first_show(world.zhang) is None
    assert as_user(world.gao).post(path, {"wanted": "yes"}).status_code == 404


def test_each_line_leads_to_where_it_is_done(world: World) -> None:
    found = checklist.first_show(world.gao)
    assert found is not None
    gao = as_user(world.gao)
    for step in found.steps:
        assert not step.url or gao.get(step.url).status_code == 200, step.name
    assert checklist.first_show(world.li) is None
