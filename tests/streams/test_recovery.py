"""Coming back: one person after a tunnel, a whole room after its server."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import pytest
from django.db.backends.signals import connection_created

from core.clock import now
from core.realtime import db
from core.realtime import runtime as running
from core.realtime.db import run_in_db
from core.realtime.log import LogUnavailable, NewEntry, Position, Stretch
from core.realtime.models import LogEntry
from core.realtime.runtime import Runtime
from streams import door as door_module
from streams import doors as doors_module
from streams import resume, stretches
from streams.client import RoomClient, RoomClosed, pause_s
from streams.consumers import QUIET_S
from streams.door import Door
from streams.doors import doors_of
from streams.models import Audience
from streams.resume import Known, TokenRefused
from tests.network import wire
from tests.realtime import until
from tests.streams.test_room import change, room, session_cookie
from tests.world import World

BESIDE = ("viewerssample", "outbox", '"public_id", "streams_show"."likes" AS')
"""Tables of work that goes on whoever comes and goes."""


@pytest.fixture
def sql(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Every statement that sockets send to the database, from whichever thread of its pool."""
    # Threads of its own: those of the common pool have opened their connections already.
    pool = ThreadPoolExecutor(4, thread_name_prefix="db")
    monkeypatch.setattr(db, "_pool", pool)
    # What a room costs every few seconds, whoever comes and goes, is not counted.
    monkeypatch.setattr(Door, "recheck_s", 3600.0)
    monkeypatch.setattr(door_module, "KNOWN_FOR_S", 3600.0)
    monkeypatch.setattr(doors_module, "CHANGES_EVERY_S", 3600.0)
    said: list[str] = []

    def note(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        in_pool = threading.current_thread().name.startswith("db")
        # Every few seconds, whoever comes and goes.
        sweeps = db.asked_by.get() in {"seal_leftovers", "live_attempts"}
        if in_pool and not sweeps and not any(table in sql for table in BESIDE):
            said.append(sql)
        return execute(sql, params, many, context)

    def watch(connection: Any, **_: Any) -> None:
        if note not in connection.execute_wrappers:
            connection.execute_wrappers.append(note)
            watched.append(connection)

    watched: list[Any] = []
    connection_created.connect(watch)
    yield said
    connection_created.disconnect(watch)
    for connection in watched:
        connection.execute_wrappers.remove(note)
    pool.shutdown()


def known(world: World, **other: Any) -> Known:
    usual: dict[str, Any] = {
        "show_id": world.show.public_id,
        "user_id": world.li.public_id,
        "user_pk": world.li.pk,
        "name": "Li",
        "role": "viewer",
        "viewer_key": f"user:{world.li.public_id}",
        "session": "",
        "password": "",
        "proven_at": int(time.time()),
    }
    return Known(**usual | other)


# Without a query


async def test_coming_back_costs_no_query(site: str, world: World, sql: list[str]) -> None:
    people = [None, world.li, world.wang, world.chen, world.gao]
    async with room(site, world, world.zhang) as host:
        viewers = [room(site, world, person) for person in people * 10]
        await asyncio.gather(*(viewer.open() for viewer in viewers))
        await asyncio.gather(*(viewer.close() for viewer in viewers))
        for number in range(3):
            await host.command("chat.send", text=f"missed {number}")
        sql.clear()
        await asyncio.gather(*(viewer.resume() for viewer in viewers))
        assert [viewer.hello["recovered"] for viewer in viewers] == [True] * 50
        for viewer in viewers:
            await viewer.event("chat.message", after=2)
            assert [event["seq"] for event in viewer.events] == [1, 2, 3]
        assert sql == []
        names = [viewer.hello["you"]["name"] for viewer in viewers[:5]]
        assert names == [None, "Li", "Wang", "Chen", "Gao"]
        await asyncio.gather(*(viewer.close() for viewer in viewers))


async def test_coming_back_without_a_token_is_looked_up(
    site: str, world: World, sql: list[str]
) -> None:
    """The control: what the test above counts would be seen."""
    cookie = await run_in_db(session_cookie, world.li)
    async with room(site, world, cookie=cookie, origin=f"http://{site}") as li:
        li._first = {}
        sql.clear()
        await li.resume()
        assert li.hello["recovered"]
        assert sql


async def test_a_whole_room_comes_back_to_an_empty_process(
    site: str, world: World, sql: list[str]
) -> None:
    """As after a restart: one of them looks, the others know."""
    viewers = [room(site, world, world.li) for _ in range(20)]
    await asyncio.gather(*(viewer.open() for viewer in viewers))
    await asyncio.gather(*(viewer.close() for viewer in viewers))
    doors_module._doors = None
    sql.clear()
    await asyncio.gather(*(viewer.resume() for viewer in viewers))
    assert all(viewer.hello["recovered"] for viewer in viewers)
    assert len(sql) <= 4  # the show, the muted, the banned
    await asyncio.gather(*(viewer.close() for viewer in viewers))


async def test_who_returns_to_an_empty_room_costs_no_query(
    site: str, world: World, sql: list[str]
) -> None:
    li = room(site, world, world.li)
    await li.open()
    await li.close()
    sql.clear()
    await li.resume()
    assert li.hello["recovered"]
    assert sql == []
    await li.close()


async def test_who_came_back_with_a_token_may_speak(site: str, world: World) -> None:
    async with room(site, world, world.li) as li:
        await li.resume()
        assert (await li.command("chat.send", text="back again"))["seq"] == 1


async def test_a_closed_account_may_come_back_but_not_speak(site: str, world: World) -> None:
    async with room(site, world, world.li) as li:
        await change(world.li, is_active=False)
        await li.resume()
        with pytest.raises(Exception, match="sign_in_required"):
            await li.command("chat.send", text="still here")


# Who may not


async def test_a_token_does_not_let_in_who_was_banned(site: str, world: World) -> None:
    li, stays = room(site, world, world.li), room(site, world)
    await li.open()
    await li.close()
    async with stays, room(site, world, world.zhang) as host:
        await host.command("viewer.ban", user_id=str(world.li.public_id))
        await stays.event("viewer.banned")
        with pytest.raises(RoomClosed) as refused:
            await li.resume()
        assert refused.value.code == 4403
        await host.command("viewer.unban", user_id=str(world.li.public_id))
        await stays.event("viewer.unbanned")
        await li.resume()
        assert li.hello["recovered"]
        await li.close()


async def test_who_was_banned_while_the_room_was_empty_is_not_let_in(
    site: str, world: World
) -> None:
    li = room(site, world, world.li)
    await li.open()
    await li.close()
    async with room(site, world, world.zhang) as host:
        await host.command("viewer.ban", user_id=str(world.li.public_id))
        await host.event("viewer.banned")
    with pytest.raises(RoomClosed) as refused:
        await li.resume()
    assert refused.value.code == 4403


async def test_who_was_muted_meanwhile_learns_it(site: str, world: World) -> None:
    async with room(site, world, world.zhang) as host:
        li = room(site, world, world.li)
        await li.open()
        await li.close()
        await host.command("viewer.mute", user_id=str(world.li.public_id))
        await host.event("viewer.muted")
        await li.resume()
        assert li.hello["you"]["muted"] is True
        await host.command("viewer.unmute", user_id=str(world.li.public_id))
        await li.event("viewer.unmuted")
        await li.resume()
        assert li.hello["you"]["muted"] is False
        await li.close()


async def test_a_browser_that_signed_out_is_a_stranger_again(site: str, world: World) -> None:
    cookie = await run_in_db(session_cookie, world.li)
    async with room(site, world, cookie=cookie, origin=f"http://{site}") as li:
        assert li.hello["you"]["name"] == "Li"
        li._headers = {}
        await li.resume()
        assert li.hello["you"]["signed_in"] is False


async def test_a_page_of_another_site_cannot_use_a_token(site: str, world: World) -> None:
    async with room(site, world) as viewer:
        viewer._origin = "https://evil.example"
        with pytest.raises(RoomClosed) as refused:
            await viewer.resume()
        assert refused.value.code == 4403


@pytest.mark.parametrize("token", ["", "made-up", "a:b:c", "é", "x" * 9000])
async def test_a_token_that_is_none_falls_back_to_the_ticket(
    site: str, world: World, token: str
) -> None:
    async with room(site, world) as viewer:
        viewer._first = {"resume": token, "ticket": None}
        await viewer.resume()
        assert viewer.hello["recovered"]
        viewer._first = {"resume": token}
        with pytest.raises(RoomClosed) as refused:
            await viewer.resume()
        assert refused.value.code == 4401


def test_a_token_says_who_it_was_made_for(world: World) -> None:
    li = known(world)
    assert resume.read(li.token(), show_id=li.show_id, session="") == li


@pytest.mark.parametrize(
    "change_it",
    [
        {"show_id": uuid4()},
        {"session": resume.digest("another session")},
        {"proven_at": int(time.time()) - resume.PROVEN_FOR_S - 1},
    ],
)
def test_a_token_for_another_room_session_or_day_is_refused(
    world: World, change_it: dict[str, Any]
) -> None:
    token = known(world, **change_it).token()
    with pytest.raises(TokenRefused):
        resume.read(token, show_id=world.show.public_id, session="")


def test_a_token_ends(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    li = known(world)
    token = li.token()
    monkeypatch.setattr(resume, "LIFETIME_S", -1)
    with pytest.raises(TokenRefused):
        resume.read(token, show_id=li.show_id, session="")


@pytest.mark.parametrize("part", [0, 1, 2])
def test_a_token_that_was_changed_is_refused(world: World, part: int) -> None:
    parts = known(world).token().split(":")
    parts[part] = parts[part][:-2] + ("AA" if parts[part][-2:] != "AA" else "BB")
    with pytest.raises(TokenRefused):
        resume.read(":".join(parts), show_id=world.show.public_id, session="")


# Newcomers in a crowd


async def test_a_crowd_of_strangers_costs_a_handful_of_snapshots(
    site: str, world: World, sql: list[str]
) -> None:
    async with room(site, world) as first:
        await first.command("ping")
        sql.clear()
        crowd = [room(site, world) for _ in range(60)]
        await asyncio.gather(*(viewer.open() for viewer in crowd))
        painted = [said for said in sql if "orders_offer" in said and "SELECT" in said]
        assert 1 <= len(painted) <= 2 * (door_module.CROWD + 1)
        assert len(sql) < 60
        assert all(viewer.snapshot == crowd[-1].snapshot for viewer in crowd[-10:])
        await asyncio.gather(*(viewer.close() for viewer in crowd))


async def test_a_shared_snapshot_is_followed_by_what_came_since(
    site: str, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody in the crowd misses a message or sees one twice, while the host goes on talking."""
    monkeypatch.setattr(door_module, "CROWD", 1)
    monkeypatch.setattr(door_module, "SNAPSHOT_FOR_S", 60.0)
    texts = [f"line {number}" for number in range(30)]
    seen: list[list[str]] = []

    async def come(after: int) -> None:
        await host.until(lambda: host.seq >= after)
        async with room(site, world) as viewer:
            await viewer.until(lambda: viewer.seq >= len(texts))
            told = [*viewer.snapshot["chat"], *viewer.events]
            seen.append([event["data"]["text"] for event in told])

    async with room(site, world, world.zhang) as host:
        talk = [host.command("chat.send", text=text) for text in texts]
        coming = [come(after) for after in range(0, 30, 2)]

        async def talking() -> None:
            for said in talk:
                await said

        await asyncio.gather(talking(), *coming)
    assert seen == [texts] * len(coming)


async def test_a_stranger_is_not_let_in_long_after_the_show_was_closed_to_strangers(
    site: str, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(door_module, "KNOWN_FOR_S", 0.0)
    async with room(site, world):
        await change(world.show, audience=Audience.INVITED)
        with pytest.raises(RoomClosed) as refused:
            await room(site, world).open()
        assert refused.value.code == 4401


async def test_the_snapshot_has_what_the_database_has_not_yet(site: str, world: World) -> None:
    """With Redis the log is ahead of its rows in the database."""
    async with room(site, world, world.zhang) as host:
        for number in range(3):
            await host.command("chat.send", text=f"line {number}")
        await host.until(lambda: host.seq == 3)
        await run_in_db(LogEntry.objects.filter(seq__gt=1).delete)
        async with room(site, world) as viewer:
            texts = [event["data"]["text"] for event in viewer.snapshot["chat"]]
            assert texts == ["line 0", "line 1", "line 2"]


# All or nothing


async def test_a_long_absence_brings_every_fact_and_the_newest_chat(
    site: str, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stretches, "CAUGHT_UP_CHAT", 5)
    away = room(site, world)
    await away.open()
    await away.close()
    topic, log = world.show.topic, running.current().log
    chatter = {"text": "hm", "name": "Li", "user_id": str(world.li.public_id), "role": "viewer"}
    line = NewEntry(type="chat.message", data=chatter, at=now())
    fact = NewEntry(type="notice", data={"text": "sold"}, at=now())
    await log.append(topic, [line, fact] * 20)
    await away.resume()
    await away.until(lambda: away.seq == 40)
    told = [event["type"] for event in away.events]
    assert (told.count("notice"), told.count("chat.message")) == (20, 5)
    assert away.thinned == 15
    await away.close()


async def test_who_comes_later_from_the_same_place_is_told_the_same_and_what_came_since(
    site: str, world: World
) -> None:
    people = [room(site, world, person) for person in (None, world.li, world.wang)]
    await asyncio.gather(*(person.open() for person in people))
    await asyncio.gather(*(person.close() for person in people))
    async with room(site, world, world.zhang) as host:
        for round_, person in enumerate(people, start=1):
            for number in range(3):
                await host.command("chat.send", text=f"{round_}.{number}")
            await person.resume()
            last = 3 * round_
            await person.until(lambda person=person, last=last: person.seq >= last)
            assert person.hello["recovered"]
            assert [event["seq"] for event in person.events] == list(range(1, last + 1))
    assert next(iter(doors_of(running.current())._doors.values()))._stretches._told
    await asyncio.gather(*(person.close() for person in people))


async def test_who_missed_too_much_begins_anew(
    site: str, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    away = room(site, world)
    await away.open()
    await away.close()
    fact = NewEntry(type="notice", data={"text": "sold"}, at=now())
    await running.current().log.append(world.show.topic, [fact] * 20)
    monkeypatch.setattr(stretches, "RECOVERED_AT_MOST", 19)
    await away.resume()
    assert away.hello["recovered"] is False
    assert away.seq == 20
    await away.close()


class AwayLog:
    """The log of the running process, whose store is away for reading."""

    def __init__(self, log: Any) -> None:
        self._log = log

    def __getattr__(self, name: str) -> Any:
        return getattr(self._log, name)

    async def read(self, topic: str, after: Position | None, limit: int) -> Stretch:
        raise LogUnavailable("Redis is away")

    async def append(self, topic: str, entries: Any) -> Any:
        raise LogUnavailable("Redis is away")


async def test_while_the_log_is_away_one_is_asked_to_try_again(
    site: str, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with room(site, world, world.zhang) as host:
        away = AwayLog(running.current().log)
        monkeypatch.setattr(running.current(), "log", away)
        with pytest.raises(Exception, match="try_again") as refused:
            await host.command("chat.send", text="hello?")
        assert refused.value.error["retry_after"] > 0  # type: ignore[attr-defined]
        assert "at_ms" in await host.command("ping")
        viewer = room(site, world)
        viewer.epoch, viewer.seq = host.epoch, 7
        with pytest.raises(RoomClosed) as closed:
            await viewer.open()
        assert closed.value.code == 4503
        assert viewer.close_reason.startswith("retry_after=")
        monkeypatch.undo()
        await host.command("chat.send", text="and on")


# The herd


async def test_hello_says_how_to_come_back(site: str, world: World) -> None:
    async with room(site, world) as viewer:
        assert viewer.hello["quiet_s"] == QUIET_S
        assert viewer.hello["retry_within_s"] >= 1


def test_the_server_names_the_moment_to_come_back() -> None:
    assert pause_s({"retry_within_s": 9}, "retry_after=2.5", 0) == 2.5
    assert max(pause_s({"retry_within_s": 4}, "", 0) for _ in range(200)) > 3
    assert max(pause_s({"retry_within_s": 4}, "", 0) for _ in range(200)) <= 4
    assert 2 < max(pause_s({}, "retry_after=2.5", 12) for _ in range(200)) <= 3
    assert 5 < max(pause_s({}, "", 13) for _ in range(200)) <= 8
    # A room so large that its comebacks take longer knocks no faster than it may come in.
    assert 10 < max(pause_s({"retry_within_s": 15}, "", 13) for _ in range(200)) <= 15


async def test_a_client_comes_back_by_itself(site: str, world: World) -> None:
    async with wire(site) as cable, room(site, world, world.zhang) as host:
        viewer = RoomClient(f"ws://{cable.address}", world.show.public_id, comes_back=True)
        async with viewer:
            cable.cut()
            await viewer.until(lambda: viewer.close_code is not None)
            await host.command("chat.send", text="missed")
            await viewer.event("chat.message", patience_s=30)
            assert viewer.hello["recovered"]
            assert viewer.hellos == 2


async def test_a_line_that_fell_silent_is_given_up(site: str, world: World) -> None:
    async with wire(site) as cable, room(site, world, world.zhang) as host:
        viewer = RoomClient(f"ws://{cable.address}", world.show.public_id, comes_back=True)
        async with viewer:
            viewer.hello["quiet_s"] = 0.3
            cable.is_deaf = True
            await viewer.until(lambda: viewer.close_code is not None)
            cable.is_deaf = False
            await host.command("chat.send", text="missed")
            await viewer.event("chat.message", patience_s=30)


async def test_a_healthy_line_is_never_quiet_for_long(site: str, world: World) -> None:
    """The room repeats its latest values, so that silence means something."""
    async with room(site, world) as viewer:
        frames = viewer.frames
        await viewer.until(lambda: viewer.frames >= frames + 2, patience_s=QUIET_S)
        assert viewer.close_code is None


def test_each_id_is_shown_once_whatever_the_epoch() -> None:
    client = RoomClient("ws://nowhere", "show")
    fact = {"seq": 1, "id": "sale-1", "type": "order.placed", "data": {}}
    client._take({"hello": hello("one")})
    client._take({"from": 1, "to": 2, "events": [fact, fact | {"seq": 2, "id": "sale-2"}]})
    assert [event["id"] for event in client.events] == ["sale-1", "sale-2"]
    client._take({"hello": hello("two", snapshot={"recent_orders": [fact]})})
    client._take({"from": 1, "to": 3, "events": [fact, fact | {"seq": 3, "id": "sale-3"}]})
    assert [event["id"] for event in client.events] == ["sale-3"]
    assert client.seq == 3


def test_a_repeated_stretch_is_passed_over() -> None:
    client = RoomClient("ws://nowhere", "show")
    events = [{"seq": seq, "type": "notice", "data": {}} for seq in range(1, 6)]
    client._take({"hello": hello("one")})
    client._take({"from": 1, "to": 3, "events": events[:3]})
    client._take({"from": 2, "to": 5, "events": events[1:]})
    client._take({"from": 1, "to": 2, "events": events[:2]})
    assert [event["seq"] for event in client.events] == [1, 2, 3, 4, 5]
    assert client.seq == 5


def hello(epoch: str, snapshot: dict[str, Any] | None = None) -> dict[str, Any]:
    return {"epoch": epoch, "seq": 0, "recovered": False, "snapshot": snapshot or {}}


async def test_the_doors_of_empty_rooms_are_forgotten_in_time(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doors_module, "IDLE_DOORS_KEPT", 2)
    doors = doors_of(runtime)
    kept = [doors.keep(doors.at(Door, uuid4())) for _ in range(5)]
    kept[4].inside += 1
    kept += [doors.keep(doors.at(Door, uuid4())) for _ in range(5)]
    found = [doors.at(Door, one.show_id) is one for one in kept]
    assert found == [False] * 4 + [True] + [False] * 4 + [True]


async def test_one_stretch_is_read_once_for_all_who_ask_at_the_same_time(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    topic = f"show:{uuid4()}"
    line = NewEntry(type="notice", data={}, at=now())
    await runtime.log.append(topic, [line] * 20)
    here = await runtime.log.tail(topic)
    log = CountedLog(runtime.log)
    monkeypatch.setattr(runtime, "log", log)
    kept = stretches.Stretches(runtime, topic)
    start = Position(here.epoch, 0)
    told = await asyncio.gather(*(kept.missed(start, here) for _ in range(50)))
    assert log.reads == 1
    assert all(frames == told[0] for frames in told)


async def test_few_long_stretches_are_read_at_once_and_none_is_kept_for_long(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever names a new position with every socket."""
    monkeypatch.setattr(stretches, "SHORT", 0)
    monkeypatch.setattr(stretches, "KEPT_S", 0.01)
    topic = f"show:{uuid4()}"
    line = NewEntry(type="notice", data={}, at=now())
    await runtime.log.append(topic, [line] * 200)
    here = await runtime.log.tail(topic)
    log = CountedLog(runtime.log)
    monkeypatch.setattr(runtime, "log", log)
    kept = stretches.Stretches(runtime, topic)
    await asyncio.gather(*(kept.missed(Position(here.epoch, seq), here) for seq in range(150)))
    assert log.reads == 150
    assert log.most_at_once <= stretches.LONG_AT_ONCE
    await until(lambda: not (kept._read or kept._told or kept._reading))


class CountedLog:
    """A log that counts who reads, and how many do at the same time."""

    def __init__(self, log: Any) -> None:
        self._log = log
        self.reads = self.at_once = self.most_at_once = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._log, name)

    async def read(self, topic: str, after: Position | None, limit: int) -> Stretch:
        self.reads += 1
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        await asyncio.sleep(0)
        self.at_once -= 1
        found: Stretch = await self._log.read(topic, after, limit)
        return found
