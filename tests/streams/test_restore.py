"""What was taken away can be brought back: seen at its place again, by everybody alike."""

from __future__ import annotations

import json
from functools import partial
from typing import Any

import msgspec
import pytest

from core.clock import now
from core.ids import new_id
from core.realtime import runtime as running
from core.realtime import tickets
from core.realtime.db import run_in_db
from core.realtime.log import Entry, Position
from core.realtime.models import LogEntry
from streams import selectors
from streams.client import RoomClient
from streams.models import Show
from tests.streams.test_moderation import message_of_earlier_epoch, refusal, room, studio_log
from tests.world import World


async def seen_by_all_readers(world: World) -> list[str]:
    """The chat, which a newcomer, the page and the replay must show alike."""
    log, topic = running.current().log, world.show.topic
    here = await log.tail(topic)
    replay = await run_in_db(selectors.replay_entries, world.show)
    texts = [str(one.data["text"]) for one in replay if one.type == "chat.message"]
    for length in range(here.seq + 1):
        recent = (await log.read(topic, Position(here.epoch, here.seq - length), 100)).entries
        newcomer = partial(selectors.snapshot, world.show, upto=here, recent=recent)
        newcomers = await run_in_db(newcomer)
        assert [event.data["text"] for event in newcomers.chat] == texts
        assert {event.type for event in newcomers.chat} <= {"chat.message"}
    page = await run_in_db(selectors.snapshot, world.show)
    assert [event.data["text"] for event in page.chat] == texts
    return texts


async def test_what_is_brought_back_is_seen_at_its_place_until_it_is_taken_away_again(
    site: str, world: World
) -> None:
    async with room(site, world, world.li) as li, room(site, world, world.zhang) as host:
        said = [await li.command("chat.send", text=text) for text in ("one", "two?", "three")]
        await host.command("chat.answer", id=said[1]["id"])
        line = await host.event("chat.message", after=said[0]["seq"])
        await host.command("chat.remove", id=said[1]["id"])
        assert await seen_by_all_readers(world) == ["one", "three"]
        for named in ({"id": said[1]["id"]}, {"seq": said[1]["seq"]}):
            back = await host.command("chat.restore", **named)
            told = await li.event("chat.restored", after=back["seq"] - 1)
            assert told["data"] == {**said[1], "at": line["at"], **line["data"], "answered": True}
            assert await host.command("chat.restore", **named) == back
            assert await seen_by_all_readers(world) == ["one", "two?", "three"]
            gone = await host.command("chat.remove", **named)
            assert await host.command("chat.remove", **named) == gone
            told = await li.event("chat.removed", after=gone["seq"] - 1)
            assert told["data"] == said[1]
            assert await seen_by_all_readers(world) == ["one", "three"]
        kinds = [event["type"] for event in li.events]
        assert (kinds.count("chat.restored"), kinds.count("chat.removed")) == (2, 3)
    done = [(one["action"], one["details"].get("message_id")) for one in await studio_log(world)]
    assert done[1:] == [("remove", said[1]["id"]), ("restore", said[1]["id"])] * 2 + [
        ("remove", said[1]["id"])
    ]


async def test_what_was_taken_away_and_brought_back_meanwhile_is_there_for_who_comes_back(
    site: str, world: World
) -> None:
    async with room(site, world, world.li) as li, room(site, world, world.zhang) as host:
        said = await li.command("chat.send", text="how heavy is a box?")
        await li.event("chat.message")
        await li.close()
        await host.command("chat.remove", id=said["id"])
        await host.command("chat.restore", id=said["id"])
        await li.resume(tickets.issue(world.li.public_id))
        restored = await li.event("chat.restored")
        assert (restored["data"]["id"], restored["data"]["text"]) == (
            said["id"],
            "how heavy is a box?",
        )
        unanswered = await run_in_db(selectors.unanswered_questions, world.show)
        assert [str(row.fact_id) for row in unanswered] == [said["id"]]
        await host.command("chat.pin", id=said["id"])
        gone = await host.command(
            "viewer.ban", user_id=str(world.li.public_id), remove_messages=True
        )
        assert gone == {"removed": 1}
        assert await seen_by_all_readers(world) == []
        assert await run_in_db(selectors.unanswered_questions, world.show) == []
    texts = await run_in_db(lambda: json.dumps(jsonable_replay(world)))
    assert "how heavy" not in texts


def jsonable_replay(world: World) -> Any:
    """Without what was on top, which the log keeps."""
    entries = msgspec.to_builtins(selectors.replay_entries(world.show))
    return [entry for entry in entries if entry["type"] != "chat.pinned"]


async def test_a_message_of_an_earlier_epoch_is_brought_back_and_taken_away_by_its_id(
    site: str, world: World
) -> None:
    old = await run_in_db(message_of_earlier_epoch, world)
    async with room(site, world, world.li) as li, room(site, world, world.zhang) as host:
        await li.command("chat.send", text="new")
        for _ in range(2):
            await host.command("chat.remove", id=str(old.fact_id))
            assert await seen_by_all_readers(world) == ["new"]
            back = await host.command("chat.restore", id=str(old.fact_id))
            restored = (await li.event("chat.restored", after=back["seq"] - 1))["data"]
            assert (restored["seq"], restored["text"]) == (None, "from before")
            assert await seen_by_all_readers(world) == ["from before", "new"]


async def test_what_cannot_be_brought_back_is_refused(site: str, world: World) -> None:
    async with room(site, world, world.li) as li, room(site, world, world.zhang) as host:
        said = await li.command("chat.send", text="hello")
        assert (await refusal(host, "chat.restore", id=said["id"])).code == "conflict"
        await host.command("chat.remove", id=said["id"])
        assert (await refusal(li, "chat.restore", id=said["id"])).code == "not_allowed"
        other = await run_in_db(
            lambda: Show.objects.create(
                seller=world.farm, host=world.zhang, title="Pears", scheduled_at=now()
            )
        )
        ticket = tickets.issue(world.zhang.public_id)
        async with RoomClient(f"ws://{site}", other.public_id, ticket=ticket) as elsewhere:
            assert (await refusal(elsewhere, "chat.restore", id=said["id"])).code == "not_found"
        assert await seen_by_all_readers(world) == []


SAID: dict[str, Any] = {"name": "Li", "role": "viewer", "text": "how heavy?", "question": True}


def done_to(message: LogEntry, *steps: str) -> list[Entry]:
    """What the end of the log says was done, one step after the other, and the database not yet."""
    data = {"id": str(message.fact_id), "seq": message.seq, "at": "2026-11-21T09:30:01.204Z"}
    said = {**SAID, "user_id": message.data["user_id"]}
    return [
        Entry(seq=seq, type=kind, at=now(), fact_id=new_id(), data={**data, **said})
        for seq, kind in enumerate(steps, start=message.seq + 1)
    ]


@pytest.mark.parametrize(
    ("steps", "texts"),
    [
        (["chat.removed"], []),
        (["chat.removed", "chat.restored"], ["how heavy?"]),
        (["chat.removed", "chat.restored", "chat.removed"], []),
        (["chat.removed", "tombstone", "chat.removed"], []),
        (["chat.removed", "tombstone", "chat.removed", "chat.restored"], ["how heavy?"]),
    ],
)
@pytest.mark.parametrize("has_database_message", [True, False])
def test_the_end_of_the_log_knows_better_than_a_database_that_is_behind(
    world: World, steps: list[str], texts: list[str], has_database_message: bool
) -> None:
    message = LogEntry(
        topic=world.show.topic,
        epoch="a" * 32,
        seq=1,
        at=now(),
        type="chat.message",
        data={**SAID, "user_id": str(world.li.public_id)},
        fact_id=new_id(),
    )
    recent = done_to(message, *steps)
    if has_database_message:
        message.save()
    else:
        recent.insert(0, Entry(seq=1, type="tombstone", at=now(), data={}))
    upto = Position("a" * 32, recent[-1].seq)
    chat = selectors.snapshot(world.show, upto=upto, recent=recent).chat
    assert [event.data["text"] for event in chat] == texts
    assert all((event.seq, event.id) == (1, str(message.fact_id)) for event in chat)


def test_of_many_that_were_taken_away_those_that_are_left_are_shown(world: World) -> None:
    said = {"name": "Li", "user_id": str(world.li.public_id), "role": "viewer"}
    LogEntry.objects.bulk_create(
        LogEntry(
            topic=world.show.topic,
            epoch="a" * 32,
            seq=seq,
            at=now(),
            type="chat.message",
            data={"text": f"{seq}", **said},
            fact_id=new_id(),
            removed_at=now() if seq > 3 else None,
        )
        for seq in range(1, 4 * selectors.RECENT_CHAT)
    )
    chat = selectors.snapshot(world.show).chat
    assert [event.data["text"] for event in chat] == ["1", "2", "3"]
