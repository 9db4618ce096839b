"""Keeping order in a room: it holds at once, for everybody, and can be taken back."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from core.accounts.models import User
from core.clock import now
from core.errors import NotAllowed, NotFound
from core.models import OutboxFact
from core.realtime import runtime as running
from core.realtime import tickets
from core.realtime.db import run_in_db
from core.realtime.log import LogUnavailable
from core.realtime.models import LogEntry, Topic
from orders.models import Order
from sellers.models import Member, MemberRole
from streams import selectors, watch
from streams.client import Refused, RoomClient, RoomClosed
from streams.doors import Doors
from streams.events import RoomModerated
from streams.models import Ban, Mute, Show
from streams.services import moderation
from tests.realtime import until, until_in_db
from tests.streams.test_room import apples
from tests.world import World


def room(site: str, world: World, user: User | None = None) -> RoomClient:
    ticket = tickets.issue(user.public_id) if user else None
    return RoomClient(f"ws://{site}", world.show.public_id, ticket=ticket)


async def packer(world: World) -> User:
    """Wang packs for the farm, and so keeps order in its rooms."""
    await run_in_db(
        lambda: Member.objects.create(seller=world.farm, user=world.wang, role=MemberRole.PACKER)
    )
    return world.wang


async def studio_log(world: World) -> list[dict[str, Any]]:
    rows = LogEntry.objects.filter(topic=f"studio:{world.show.public_id}", type="moderation.done")
    return await run_in_db(lambda: [row.data for row in rows.order_by("id")])


async def refusal(client: RoomClient, do: str, **data: Any) -> Refused:
    with pytest.raises(Refused) as refused:
        await client.command(do, **data)
    return refused.value


# Mute


async def test_a_mute_holds_at_once_and_only_the_team_hears_why(site: str, world: World) -> None:
    async with room(site, world, world.li) as li, room(site, world, world.zhang) as host:
        await li.command("chat.send", text="buy at mine!")
        await host.command("viewer.mute", user_id=str(world.li.public_id), reason="adverts")
        refused = await refusal(li, "chat.send", text="again")
        assert (refused.code, refused.error["details"]) == ("muted", {"until": None})
        assert "adverts" not in str(refused.error)
        told = await li.event("viewer.muted")
        assert told["data"] == {"user_id": str(world.li.public_id), "until": None}
        await until_in_db(lambda: LogEntry.objects.filter(type="moderation.done").exists())
        [done] = await studio_log(world)
        assert (done["action"], done["actor"], done["viewer"]) == ("mute", "Zhang", "Li")
        assert (done["reason"], done["user_id"]) == ("adverts", str(world.li.public_id))


async def test_an_unmuted_viewer_speaks_again(site: str, world: World) -> None:
    async with room(site, world, world.li) as li, room(site, world, world.zhang) as host:
        await host.command("viewer.mute", user_id=str(world.li.public_id))
        await refusal(li, "chat.send", text="hello?")
        await host.command("viewer.unmute", user_id=str(world.li.public_id))
        await li.command("chat.send", text="thank you")
        await li.event("viewer.unmuted")
        await host.command("viewer.unmute", user_id=str(world.li.public_id))
        async with room(site, world, world.li) as again:
            assert again.hello["you"]["muted"] is False
    assert [done["action"] for done in await studio_log(world)] == ["mute", "unmute"]


async def test_a_mute_for_a_while_ends_by_itself(site: str, world: World) -> None:
    async with room(site, world, world.li) as li, room(site, world, world.zhang) as host:
        await host.command("viewer.mute", user_id=str(world.li.public_id), for_s=60)
        told = await li.event("viewer.muted")
        assert told["data"]["until"] is not None
        assert await run_in_db(moderation.lift_expired) == 0
        over = now() - timedelta(seconds=1)
        await run_in_db(lambda: Mute.objects.update(until=over))
        assert await run_in_db(moderation.lift_expired) == 1
        await li.event("viewer.unmuted")
        await li.command("chat.send", text="thank you")


@pytest.mark.parametrize("name", ["zhang", "zhao", "wang"])
@pytest.mark.parametrize("do", ["viewer.mute", "viewer.ban"])
async def test_who_keeps_order_cannot_be_muted_or_banned(
    site: str, world: World, name: str, do: str
) -> None:
    await packer(world)
    async with room(site, world, world.zhang) as host:
        refused = await refusal(host, do, user_id=str(getattr(world, name).public_id))
        assert (refused.code, refused.error["field"]) == ("not_allowed", "user_id")
    assert not await run_in_db(lambda: Mute.objects.exists() or Ban.objects.exists())


@pytest.mark.parametrize(
    ("do", "data"),
    [
        ("viewer.mute", {"user_id": True}),
        ("viewer.unmute", {"user_id": True}),
        ("viewer.ban", {"user_id": True, "remove_messages": True}),
        ("viewer.unban", {"user_id": True}),
        ("room.slow_mode", {"every_s": 10}),
        ("chat.pin", {"seq": 1}),
        ("chat.unpin", {}),
        ("chat.answer", {"seq": 1}),
        ("chat.remove", {"seq": 1}),
        ("chat.restore", {"seq": 1}),
    ],
)
async def test_a_viewer_keeps_no_order(
    site: str, world: World, do: str, data: dict[str, Any]
) -> None:
    data = {
        name: str(world.li.public_id) if name == "user_id" else value
        for name, value in data.items()
    }
    async with room(site, world, world.li) as li, room(site, world, world.gao) as gao:
        await li.command("chat.send", text="hello?")
        assert (await refusal(gao, do, **data)).code == "not_allowed"
    async with room(site, world) as stranger:
        assert (await refusal(stranger, do, **data)).code == "sign_in_required"
        assert len(stranger.snapshot["chat"]) == 1
        assert stranger.snapshot["slow_mode_s"] == 0
    assert not await run_in_db(lambda: Mute.objects.exists() or Ban.objects.exists())


async def test_the_sellers_people_keep_order(site: str, world: World) -> None:
    async with room(site, world, await packer(world)) as moderator, room(site, world) as viewer:
        assert moderator.hello["you"]["role"] == "moderator"
        said = await moderator.command("chat.send", text="parcels leave at five, see shop.com")
        assert (await viewer.event("chat.message"))["data"]["role"] == "moderator"
        await moderator.command("chat.pin", id=said["id"])
        await moderator.command("viewer.mute", user_id=str(world.li.public_id))
        refused = await refusal(moderator, "product.unpin")
        assert refused.code == "not_allowed"


# Ban


async def test_a_banned_viewer_is_out_within_two_seconds_and_stays_out(
    site: str, world: World
) -> None:
    async with room(site, world, world.zhang) as host:
        phone, tablet = room(site, world, world.li), room(site, world, world.li)
        await phone.open()
        await tablet.open()
        async with room(site, world, world.gao) as other:
            await host.command("viewer.ban", user_id=str(world.li.public_id), reason="threats")
            await until(lambda: phone.close_code and tablet.close_code, deadline_s=2)
            assert (phone.close_code, tablet.close_code) == (4403, 4403)
            await other.command("chat.send", text="thank you")
        with pytest.raises(RoomClosed) as refused:
            await room(site, world, world.li).open()
        assert refused.value.code == 4403
        with pytest.raises(RoomClosed) as refused:
            await phone.resume(tickets.issue(world.li.public_id))
        assert refused.value.code == 4403


async def test_a_ban_holds_here_before_the_log_tells_of_it(
    site: str, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As while Redis is away: the fact waits in the outbox."""

    def away(*told: Any) -> None:
        raise LogUnavailable("Redis is away")

    monkeypatch.setattr(running.current().log, "append_blocking", away)
    async with room(site, world, world.zhang) as host, room(site, world, world.li) as li:
        await host.command("viewer.ban", user_id=str(world.li.public_id))
        await li.until(lambda: li.close_code is not None)
        assert li.close_code == 4403
        with pytest.raises(RoomClosed) as refused:
            await li.resume()
        assert refused.value.code == 4403
        assert not await run_in_db(
            LogEntry.objects.filter(topic=world.show.topic, type="viewer.banned").exists
        )


async def test_without_the_watcher_a_banned_viewer_stays(
    site: str, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What shows that the test before this one proves something."""
    monkeypatch.setattr(watch.Chats, "_heard", lambda *heard: None)
    monkeypatch.setattr(Doors, "ban", lambda *banned: None)  # as where somebody else banned them
    async with room(site, world, world.zhang) as host, room(site, world, world.li) as li:
        await host.command("viewer.ban", user_id=str(world.li.public_id))
        await host.event("viewer.banned")
        with pytest.raises(AssertionError):
            await until(lambda: li.close_code, deadline_s=2)


async def test_a_banned_viewer_gets_no_page_no_replay_and_no_order(
    site: str, world: World, caplog: pytest.LogCaptureFixture
) -> None:
    """Nor do they hear why, and neither does who reads the server's log."""
    li = await run_in_db(signed_in_client, world.li)
    address = f"/shows/{world.show.public_id}/"
    assert (await run_in_db(li.get, address)).status_code == 200
    await run_in_db(
        lambda: moderation.ban(
            show=world.show, actor=world.zhang, user_id=world.li.public_id, reason="threats"
        )
    )
    page = await run_in_db(li.get, address)
    assert page.status_code == 403
    assert "The host has sent you away from this show." in page.content.decode()
    replay = await run_in_db(li.get, f"/api/v1/shows/{world.show.public_id}/replay")
    assert (replay.status_code, replay.json()["code"]) == (403, "banned")
    picture = await run_in_db(li.get, f"{address}playback/")
    assert (picture.status_code, picture.json()["code"]) == (403, "banned")
    body = {**apples(world), "show_id": str(world.show.public_id)}
    key = body.pop("key")
    ordered = await run_in_db(
        lambda: li.post(
            "/api/v1/orders",
            body,
            content_type="application/json",
            headers={"Idempotency-Key": key},
        )
    )
    assert (ordered.status_code, ordered.json()["code"]) == (403, "banned")
    assert not await run_in_db(Order.objects.exists)
    told = [answer.content.decode() for answer in (page, replay, picture, ordered)]
    assert not any("threats" in text for text in told)
    assert caplog.records == []


def signed_in_client(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


async def test_an_unbanned_viewer_comes_in_again(site: str, world: World) -> None:
    async with room(site, world, world.zhang) as host:
        await host.command("viewer.ban", user_id=str(world.li.public_id))
        await host.command("viewer.unban", user_id=str(world.li.public_id))
        await host.event("viewer.unbanned")
        async with room(site, world, world.li) as li:
            await li.command("chat.send", text="sorry")
            await li.command("order.place", **apples(world))


async def test_a_ban_for_a_while_ends_by_itself(site: str, world: World) -> None:
    async with room(site, world, world.zhang) as host:
        await host.command("viewer.ban", user_id=str(world.li.public_id), for_s=60)
        await host.event("viewer.banned")
        over = now() - timedelta(seconds=1)
        await run_in_db(lambda: Ban.objects.update(until=over))
        await run_in_db(moderation.lift_expired)
        await host.event("viewer.unbanned")
        async with room(site, world, world.li) as li:
            await li.command("chat.send", text="sorry")


async def test_with_a_viewer_go_all_their_messages_if_that_is_wanted(
    site: str, world: World
) -> None:
    async with room(site, world, world.li) as li, room(site, world, world.zhang) as host:
        for number in range(3):
            said = await li.command("chat.send", text=f"buy at mine {number}")
        kept = await host.command("chat.send", text="please stop")
        await host.command("chat.pin", id=said["id"])
        await host.event("chat.pinned")
        gone = await host.command(
            "viewer.ban", user_id=str(world.li.public_id), remove_messages=True
        )
        assert gone == {"removed": 3}
        await host.event("chat.unpinned")
        async with room(site, world) as viewer:
            assert [line["id"] for line in viewer.snapshot["chat"]] == [kept["id"]]
            assert viewer.snapshot["pinned_message"] is None
    replay = await run_in_db(selectors.replay_entries, world.show)
    assert [entry.data["text"] for entry in replay if entry.type == "chat.message"] == [
        "please stop"
    ]


# Removal


async def test_a_message_of_an_earlier_epoch_is_removed_by_its_id(site: str, world: World) -> None:
    old = await run_in_db(message_of_earlier_epoch, world)
    async with room(site, world, world.li) as li, room(site, world, world.zhang) as host:
        new = await li.command("chat.send", text="how heavy is a box?")
        assert new["seq"] == old.seq
        await host.command("chat.remove", id=str(old.fact_id))
        gone = (await li.event("chat.removed"))["data"]
        assert gone == {"seq": None, "id": str(old.fact_id)}
        async with room(site, world) as viewer:
            assert [line["id"] for line in viewer.snapshot["chat"]] == [new["id"]]
    replay = await run_in_db(selectors.replay_entries, world.show)
    assert [entry.data["text"] for entry in replay if entry.type == "chat.message"] == [
        "how heavy is a box?"
    ]


def message_of_earlier_epoch(world: World) -> LogEntry:
    Topic.objects.create(name=world.show.topic, epoch="b" * 32)
    return LogEntry.objects.create(
        topic=world.show.topic,
        epoch="a" * 32,
        seq=1,
        at=now(),
        type="chat.message",
        data={
            "text": "from before",
            "name": "Gao",
            "user_id": str(world.gao.public_id),
            "role": "viewer",
        },
        fact_id=world.gao.public_id,
    )


async def test_two_who_remove_at_once_remove_once(site: str, world: World) -> None:
    async with (
        room(site, world, world.li) as li,
        room(site, world, world.zhang) as host,
        room(site, world, world.zhao) as operator,
    ):
        said = await li.command("chat.send", text="buy at mine")
        answers = await asyncio.gather(
            host.command("chat.remove", id=said["id"]),
            operator.command("chat.remove", seq=said["seq"]),
        )
        assert answers[0] == answers[1]
        assert await host.command("chat.remove", id=said["id"]) == answers[0]
        await li.event("chat.removed")
        assert len([event for event in li.events if event["type"] == "chat.removed"]) == 1


@pytest.mark.parametrize("do", ["chat.remove", "chat.restore", "chat.pin", "chat.answer"])
async def test_a_message_that_is_none_is_not_found(site: str, world: World, do: str) -> None:
    async with room(site, world, world.zhang) as host:
        for named in ({}, {"seq": 99}, {"id": str(world.li.public_id)}):
            assert (await refusal(host, do, **named)).code == "not_found"


# Pinned messages, questions, slow mode


async def test_a_pinned_message_is_on_top_for_all_and_for_newcomers(
    site: str, world: World
) -> None:
    async with room(site, world, world.zhang) as host, room(site, world) as viewer:
        said = await host.command("chat.send", text="parcels leave at five")
        await host.command("chat.pin", seq=said["seq"])
        await host.command("chat.pin", id=said["id"])
        pinned = {**said, "text": "parcels leave at five", "name": "Zhang", "role": "host"}
        assert (await viewer.event("chat.pinned"))["data"] == pinned
        async with room(site, world) as newcomer:
            assert newcomer.snapshot["pinned_message"] == pinned
        await host.command("chat.unpin")
        await viewer.event("chat.unpinned")
        assert [e["type"] for e in viewer.events].count("chat.pinned") == 1
        async with room(site, world) as newcomer:
            assert newcomer.snapshot["pinned_message"] is None


async def test_what_was_removed_is_unpinned_and_cannot_be_pinned(site: str, world: World) -> None:
    async with room(site, world, world.zhang) as host:
        said = await host.command("chat.send", text="wrong price, sorry")
        await host.command("chat.pin", id=said["id"])
        await host.command("chat.remove", id=said["id"])
        await host.event("chat.unpinned")
        assert (await refusal(host, "chat.pin", id=said["id"])).code == "not_found"
        async with room(site, world) as newcomer:
            assert newcomer.snapshot["pinned_message"] is None


async def test_questions_are_kept_until_they_are_answered(site: str, world: World) -> None:
    async with room(site, world, world.li) as li, room(site, world, world.zhang) as host:
        heavy = await li.command("chat.send", text="一箱多重")
        sweet = await li.command("chat.send", text="are they sweet?")
        await li.command("chat.send", text="nice")
        open_questions = await run_in_db(selectors.unanswered_questions, world.show)
        assert [str(row.fact_id) for row in open_questions] == [heavy["id"], sweet["id"]]
        first, again = await asyncio.gather(
            host.command("chat.answer", id=heavy["id"]),
            host.command("chat.answer", seq=heavy["seq"]),
        )
        assert first == again
        assert (await li.event("chat.answered"))["data"] == heavy
        async with room(site, world) as newcomer:
            assert newcomer.snapshot["answered"] == [heavy["id"]]
        await host.command("chat.remove", id=sweet["id"])
    assert await run_in_db(selectors.unanswered_questions, world.show) == []


async def test_an_answer_can_be_taken_back_and_given_again(site: str, world: World) -> None:
    async with room(site, world, world.li) as li, room(site, world, world.zhang) as host:
        heavy = await li.command("chat.send", text="一箱多重")
        assert (await refusal(host, "chat.unanswer", id=heavy["id"])).code == "conflict"
        assert (await refusal(li, "chat.unanswer", id=heavy["id"])).code == "not_allowed"
        for do in ("chat.answer", "chat.unanswer", "chat.answer", "chat.unanswer"):
            first, again = await asyncio.gather(
                host.command(do, id=heavy["id"]), host.command(do, seq=heavy["seq"])
            )
            assert first == again
            assert (await li.event(f"{do}ed"))["data"] == heavy
        async with room(site, world) as newcomer:
            assert newcomer.snapshot["answered"] == []
    await until_in_db(lambda: len(selectors.unanswered_questions(world.show)) == 1)


async def test_slow_mode_lets_everybody_write_once_a_while(site: str, world: World) -> None:
    async with room(site, world, world.li) as li, room(site, world, world.zhang) as host:
        await host.command("room.slow_mode", every_s=30)
        await li.command("chat.send", text="first", key="first")
        refused = await refusal(li, "chat.send", text="second")
        assert refused.code == "slow_mode"
        assert 29 < refused.error["retry_after"] <= 30
        await li.command("chat.send", text="first", key="first")
        for number in range(3):
            await host.command("chat.send", text=f"hosts are not slowed {number}")
        assert (await li.event("room.slow_mode"))["data"] == {"every_s": 30}
        notice = (await li.event("notice"))["data"]
        assert (notice["code"], notice["params"]) == ("slow_mode_on", {"every_s": 30})
        assert "30" in notice["text"]
        async with room(site, world) as newcomer:
            assert newcomer.snapshot["slow_mode_s"] == 30
        await host.command("room.slow_mode", every_s=0)
        await li.command("chat.send", text="as fast as before")


@pytest.mark.parametrize("every_s", [-1, 601, 1.5, "1"])
async def test_slow_mode_has_limits(site: str, world: World, every_s: object) -> None:
    async with room(site, world, world.zhang) as host:
        refused = await refusal(host, "room.slow_mode", every_s=every_s)
        assert refused.error["field"] == "every_s"


# Two at once


async def test_two_moderators_who_disagree_leave_one_result_everywhere(
    site: str, world: World
) -> None:
    async with (
        room(site, world, world.zhang) as host,
        room(site, world, world.zhao) as operator,
        room(site, world, world.li) as li,
    ):
        him = str(world.li.public_id)
        for _round in range(10):
            await asyncio.gather(
                host.command("viewer.mute", user_id=him, reason="host"),
                operator.command("viewer.unmute", user_id=him),
                operator.command("viewer.mute", user_id=him, reason="operator"),
                host.command("viewer.unmute", user_id=him),
            )
        await until_in_db(all_facts_are_told)
        is_muted = await run_in_db(Mute.objects.exists)
        told = await run_in_db(last_told, world.show)
        assert told == ("viewer.muted" if is_muted else "viewer.unmuted")
        await li.until(lambda: any(event["type"] == told for event in li.events))
        if is_muted:
            assert (await refusal(li, "chat.send", text="and now?")).code == "muted"
        else:
            await li.command("chat.send", text="and now?")


def all_facts_are_told() -> bool:
    return not OutboxFact.objects.filter(sent_at=None, type=RoomModerated.name).exists()


def last_told(show: Show) -> str:
    told = LogEntry.objects.filter(topic=show.topic, type__startswith="viewer.")
    return told.order_by("-id").values_list("type", flat=True)[0]


@pytest.mark.django_db(transaction=True)
async def test_who_leaves_the_team_while_muted_is_muted_again(site: str, world: World) -> None:
    wang = await packer(world)
    await run_in_db(lambda: Mute.objects.create(show=world.show, user=wang))
    async with room(site, world, wang) as client:
        await client.command("chat.send", text="I help here")
        await run_in_db(Member.objects.filter(user=wang).delete)
        await client.until(lambda: client.close_code is not None)
        running_chat(world).changed()
        await client.resume()
        assert (await refusal(client, "chat.send", text="not any more")).code == "muted"


def running_chat(world: World) -> watch.Chat:
    return watch.chats_of(running.current()).at(world.show.topic, world.show.public_id)


@pytest.mark.django_db
def test_nobody_to_mute_is_said(world: World) -> None:
    with pytest.raises(NotFound):
        moderation.mute(show=world.show, actor=world.zhang, user_id=world.show.public_id)
    with pytest.raises(NotAllowed):
        moderation.mute(show=world.show, actor=world.gao, user_id=world.li.public_id)
