from __future__ import annotations

import asyncio
import itertools
import json
import random
import time
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from typing import Any

import msgspec
import pytest
import pytest_asyncio

from core.clock import now
from core.realtime import rooms as rooms_module
from core.realtime.backoff import COMEBACKS_PER_S, retry_within_s
from core.realtime.frames import Prepared, stretch_frame
from core.realtime.hub import Hub
from core.realtime.log import Entry, Follower, NewEntry, Position, Stretch
from core.realtime.rooms import Cohort, Room
from core.realtime.runtime import Runtime
from core.realtime.thinning import Thinning
from tests.realtime import until

TOPIC = "show:apples"


class Listener:
    """A socket that keeps what it is told, or that is full after `room_for` frames."""

    def __init__(self, viewer_key: str | None = None, room_for: int = 10_000) -> None:
        self.viewer_key = viewer_key
        self.person = viewer_key
        self.hears_all = False
        self.room_for = room_for
        self.texts: list[str] = []
        self.closed: int | None = None
        self.reason = ""

    def offer(self, frame: Prepared) -> bool:
        if len(self.texts) >= self.room_for:
            return False
        self.texts += frame.texts
        return True

    def close(self, code: int, reason: str = "") -> None:
        self.closed, self.reason = code, reason

    @property
    def frames(self) -> list[dict[str, Any]]:
        return [json.loads(text) for text in self.texts]

    @property
    def batches(self) -> list[dict[str, Any]]:
        return [frame for frame in self.frames if "events" in frame]

    @property
    def heard(self) -> list[int]:
        return [event["seq"] for frame in self.batches for event in frame["events"]]

    @property
    def likes(self) -> list[int]:
        return [frame["now"].get("likes", 0) for frame in self.frames if "now" in frame]


def said(text: str) -> NewEntry:
    return NewEntry(type="chat.message", data={"text": text}, at=now())


def open_room(lines_per_s: int = 0, *listeners: Listener) -> tuple[Room, Cohort]:
    """A room at the beginning of its log, with somebody there."""
    room = Room(TOPIC, asyncio.get_running_loop().create_future(), lines_per_s=lines_per_s)
    room.open_at(Position("e", 0))
    for listener in listeners or (Listener(),):
        room.enter(listener)
    return room, room.cohorts[0]


async def test_a_tick_is_one_frame_that_says_what_it_covers(runtime: Runtime) -> None:
    listener = Listener()
    await runtime.hub.join(TOPIC, listener)
    await asyncio.gather(*(runtime.log.append(TOPIC, [said(str(n))]) for n in range(100)))
    await until(lambda: len(listener.heard) == 100)
    assert listener.heard == list(range(1, 101))
    assert len(listener.batches) <= 5
    covered = [(frame["from"], frame["to"]) for frame in listener.batches]
    assert all(after[0] == before[1] + 1 for before, after in itertools.pairwise(covered))


async def test_all_sockets_get_the_same_text_encoded_once(
    runtime: Runtime, monkeypatch: Any
) -> None:
    encoded: list[int] = []
    real = stretch_frame

    def counting(first: int, last: int, *rest: Any) -> str:
        encoded.append(last)
        return real(first, last, *rest)

    monkeypatch.setattr(rooms_module, "stretch_frame", counting)
    listeners = [Listener() for _ in range(50)]
    for listener in listeners:
        await runtime.hub.join(TOPIC, listener)
    await runtime.log.append(TOPIC, [said("hello")])
    await until(lambda: all(listener.heard == [1] for listener in listeners))
    assert encoded == [1]
    assert len({id(listener.texts[-1]) for listener in listeners if listener.batches}) == 1


async def test_a_socket_hears_what_comes_after_its_position_and_nothing_before(
    runtime: Runtime,
) -> None:
    await runtime.log.append(TOPIC, [said("a"), said("b")])
    listener = Listener()
    position = await runtime.hub.join(TOPIC, listener)
    await runtime.log.append(TOPIC, [said("c")])
    await until(lambda: listener.heard)
    assert (position.seq, listener.heard) == (2, [3])


async def test_rooms_do_not_hear_each_other(runtime: Runtime) -> None:
    here, there = Listener(), Listener()
    await runtime.hub.join(TOPIC, here)
    await runtime.hub.join("show:pears", there)
    await runtime.log.append(TOPIC, [said("a")])
    await until(lambda: here.heard)
    assert there.heard == []


async def test_a_socket_that_cannot_keep_up_is_closed_and_the_others_are_not(
    runtime: Runtime,
) -> None:
    slow, fine = Listener(room_for=0), Listener()
    await runtime.hub.join(TOPIC, slow)
    await runtime.hub.join(TOPIC, fine)
    await runtime.log.append(TOPIC, [said("a")])
    await until(lambda: fine.heard == [1])
    assert slow.closed == 4408
    assert fine.closed is None
    await runtime.log.append(TOPIC, [said("b")])
    await until(lambda: fine.heard == [1, 2])


async def test_a_person_with_three_tabs_is_one_viewer(runtime: Runtime) -> None:
    tabs = [Listener("user:li") for _ in range(3)]
    watcher, host = Listener("browser:1"), Listener(None)
    host.person = "user:zhang"
    for socket in (*tabs, watcher, host):
        await runtime.hub.join(TOPIC, socket)
    assert set(runtime.hub.viewer_keys(TOPIC)) == {"user:li", "browser:1"}
    for tab in tabs[:2]:
        runtime.hub.leave(TOPIC, tab)
    assert set(runtime.hub.viewer_keys(TOPIC)) == {"user:li", "browser:1"}
    runtime.hub.leave(TOPIC, tabs[2])
    runtime.hub.leave(TOPIC, tabs[2])
    assert set(runtime.hub.viewer_keys(TOPIC)) == {"browser:1"}
    assert runtime.hub.viewer_keys("show:nobody is there") == ()


async def test_the_sockets_of_a_person_are_found_counted_or_not(runtime: Runtime) -> None:
    tabs = [Listener("user:li") for _ in range(2)]
    host = Listener(None)
    host.person = "user:zhang"
    for socket in (*tabs, host):
        await runtime.hub.join(TOPIC, socket)
    assert runtime.hub.sockets_of(TOPIC, "user:li") == tabs
    assert runtime.hub.sockets_of(TOPIC, "user:zhang") == [host]
    assert runtime.hub.sockets_of("show:pears", "user:li") == []
    assert runtime.hub.topics() == [TOPIC]


async def test_the_latest_values_come_at_most_once_a_second(
    slow_log: SlowTailLog, hub: Hub
) -> None:
    slow_log.answer.set_result(Position("e", 0))
    listener = Listener("li")
    await hub.join(TOPIC, listener)
    hub.set_now(TOPIC, likes=1)
    await until(lambda: listener.likes)
    began = time.monotonic()
    for number in range(50):
        hub.set_now(TOPIC, likes=number)
    await until(lambda: listener.likes[-1] == 49)
    assert time.monotonic() - began > rooms_module.NOW_EVERY_S / 2
    assert len(listener.likes) <= 3


async def test_values_that_stay_the_same_are_not_told_again() -> None:
    room, cohort = open_room()
    room.set_now(likes=3)
    assert room.next_due()[0] == float("-inf")
    room.tell(cohort, 10.0)
    room.set_now(likes=3)
    assert room.next_due()[0] == 10.0 + rooms_module.HEARTBEAT_S
    room.set_now(likes=4)
    assert room.next_due()[0] == 10.0 + rooms_module.NOW_EVERY_S


async def test_an_empty_room_is_forgotten(runtime: Runtime) -> None:
    listener = Listener("li")
    await runtime.hub.join(TOPIC, listener)
    runtime.hub.leave(TOPIC, listener)
    assert runtime.hub._rooms == {}


class SlowTailLog:
    """A log whose `tail` is answered late: what comes in between must be neither lost nor twice."""

    def __init__(self) -> None:
        self.followers: list[Follower] = []
        self.answer: asyncio.Future[Position] = asyncio.get_running_loop().create_future()

    async def tail(self, topic: str) -> Position:
        return await self.answer

    async def stored(self, topic: str, upto: Position) -> None:
        raise NotImplementedError

    async def watch(self, topic: str) -> Position:
        return await self.answer

    def unwatch(self, topic: str) -> None:
        pass

    def follow(self, follower: Follower) -> None:
        self.followers.append(follower)

    def gain(self, *seqs: int, epoch: str = "e") -> None:
        entries = [Entry(seq=seq, type="x", data={}, at=now()) for seq in seqs]
        for follower in self.followers:
            follower(TOPIC, epoch, entries)

    async def append(self, topic: str, entries: Sequence[NewEntry]) -> list[Entry]:
        raise NotImplementedError

    def append_blocking(self, topic: str, entries: Sequence[NewEntry]) -> list[Entry]:
        raise NotImplementedError

    async def read(self, topic: str, after: Position | None, limit: int) -> Stretch:
        raise NotImplementedError


@pytest_asyncio.fixture
async def slow_log() -> SlowTailLog:
    return SlowTailLog()


@pytest_asyncio.fixture
async def hub(slow_log: SlowTailLog) -> AsyncIterator[Hub]:
    hub = Hub(slow_log, tick_s=0.01)
    hub.start()
    yield hub
    await hub.stop()


async def test_entries_that_come_while_the_room_opens_are_neither_lost_nor_doubled(
    slow_log: SlowTailLog, hub: Hub
) -> None:
    listeners = [Listener(), Listener()]
    joining = [asyncio.create_task(hub.join(TOPIC, listener)) for listener in listeners]
    await until(lambda: hub._rooms)
    slow_log.gain(4)  # stored and heard before the tail was read as 5
    slow_log.answer.set_result(Position("e", 5))
    positions = await asyncio.gather(*joining)
    slow_log.gain(5)  # stored before the tail was read, heard after it
    slow_log.gain(6, 7)
    await until(lambda: all(listener.heard for listener in listeners))
    assert {position.seq for position in positions} == {5}
    assert [listener.heard for listener in listeners] == [[6, 7], [6, 7]]


async def test_without_the_check_of_positions_entries_are_doubled(
    slow_log: SlowTailLog, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The negative control: what the test above would see."""

    def forget(room: Room, position: Position) -> None:
        room.position = Position(position.epoch, 0)

    monkeypatch.setattr(Room, "open_at", forget)
    listener = Listener()
    joining = asyncio.create_task(hub.join(TOPIC, listener))
    await until(lambda: hub._rooms)
    slow_log.answer.set_result(Position("e", 5))
    position = await joining
    slow_log.gain(5)
    slow_log.gain(6)
    await until(lambda: 6 in listener.heard)
    assert (position.seq, listener.heard) == (0, [5, 6])


async def test_who_gives_up_while_the_room_opens_leaves_nothing_behind(
    slow_log: SlowTailLog, hub: Hub
) -> None:
    joining = asyncio.create_task(hub.join(TOPIC, Listener()))
    await until(lambda: hub._rooms)
    joining.cancel()
    await asyncio.wait([joining])
    assert hub._rooms == {}
    slow_log.answer.set_result(Position("e", 0))


async def test_a_log_that_cannot_be_read_lets_nobody_in_and_may_be_asked_again(
    slow_log: SlowTailLog, hub: Hub
) -> None:
    slow_log.answer.set_exception(OSError("away"))
    [failure] = await asyncio.gather(hub.join(TOPIC, Listener()), return_exceptions=True)
    assert isinstance(failure, OSError)
    slow_log.answer = asyncio.get_running_loop().create_future()
    slow_log.answer.set_result(Position("e", 1))
    assert (await hub.join(TOPIC, Listener())).seq == 1


async def test_a_new_epoch_sends_everybody_through_recovery(
    slow_log: SlowTailLog, hub: Hub
) -> None:
    slow_log.answer.set_result(Position("e", 0))
    listener = Listener()
    await hub.join(TOPIC, listener)
    slow_log.gain(1, epoch="another")
    await until(lambda: listener.closed)
    assert (listener.closed, listener.heard) == (4503, [])


def entries(first: int, count: int, *, role: str = "viewer", every_s: float = 0.0) -> list[Entry]:
    began = now()
    return [
        Entry(
            seq=first + number,
            type="chat.message",
            data={"role": role},
            at=began + timedelta(seconds=number * every_s),
        )
        for number in range(count)
    ]


async def test_a_room_knows_when_it_rushes_in() -> None:
    room = Room(TOPIC, asyncio.get_running_loop().create_future())
    room.open_at(Position("e", 0))
    for number in range(rooms_module.RUSH):
        assert not room.is_rushed()
        room.enter(Listener(f"viewer {number}"))
    assert room.is_rushed()
    await until(lambda: not room.is_rushed(), 2 * rooms_module.RUSH_WITHIN_S)


async def test_every_line_is_shown_or_counted_and_hosts_hear_all() -> None:
    viewer, host = Listener("li"), Listener()
    host.hears_all = True
    room, cohort = open_room(20, viewer, host)
    room.hear("e", entries(1, 60))
    room.tell(cohort, 1.0)
    room.hear("e", entries(61, 60))
    room.tell(cohort, 2.0)
    assert [frame.get("thinned", 0) for frame in host.batches] == [0, 0]
    assert host.heard == list(range(1, 121))
    assert len(viewer.heard) == 20
    assert sum(frame["thinned"] for frame in viewer.batches) + len(viewer.heard) == 120
    assert [(frame["from"], frame["to"]) for frame in viewer.batches] == [(1, 60), (61, 120)]


async def test_facts_and_what_hosts_say_are_never_thinned() -> None:
    viewer = Listener("li")
    room, cohort = open_room(1, viewer)
    facts = [Entry(seq=n, type="order.placed", data={}, at=now()) for n in range(1, 51)]
    room.hear("e", facts + entries(51, 50, role="host") + entries(101, 50))
    room.tell(cohort, 1.0)
    assert viewer.heard == list(range(1, 102))
    assert viewer.batches[0]["thinned"] == 49


async def test_without_a_limit_all_is_shown() -> None:
    viewer = Listener("li")
    room, cohort = open_room(0, viewer)
    room.hear("e", entries(1, 500))
    room.tell(cohort, 1.0)
    assert (len(viewer.heard), "thinned" in viewer.batches[0]) == (500, False)


class Thinned:
    """What a process shows, by a clock of its own, of what it hears."""

    def __init__(self, lines_per_s: int) -> None:
        self.at_s = 1000.0
        self._thinning = Thinning(lines_per_s, clock=lambda: self.at_s)

    def hear(self, *lines: Entry) -> list[bool]:
        self.at_s += 0.01
        return self._thinning.choose(lines)


def test_thinned_chat_is_spread_over_the_second() -> None:
    process = Thinned(20)
    shown = [process.hear(entry)[0] for entry in entries(1, 300)]
    assert all(sum(shown[start : start + 100]) <= 20 for start in range(201))
    quarters = [sum(shown[start : start + 25]) for start in range(200, 300, 25)]
    assert all(3 <= lines <= 6 for lines in quarters)


def test_what_is_heard_at_once_is_thinned_all_over() -> None:
    shown = Thinned(20).hear(*entries(1, 300))
    assert sum(shown) == 20
    assert all(1 <= sum(shown[start : start + 30]) <= 3 for start in range(0, 300, 30))


@pytest.mark.parametrize("ahead_s", [-600, -0.5, 0, 0.5, 600])
def test_the_clocks_of_senders_silence_nobody(ahead_s: float) -> None:
    """Two processes send, one of them with a clock that is wrong; each gets its share."""
    process = Thinned(20)
    wrong, right = entries(1, 500), entries(501, 500)
    shown = [0, 0]
    for one, other in zip(wrong, right, strict=True):
        skewed = msgspec.structs.replace(one, at=one.at + timedelta(seconds=ahead_s))
        heard = process.hear(skewed, other)
        shown = [shown[0] + heard[0], shown[1] + heard[1]]
    assert sum(shown) == pytest.approx(100, abs=10)
    assert shown[0] == pytest.approx(shown[1], abs=10)


def test_who_sends_many_at_once_and_who_sends_one_have_equal_shares() -> None:
    process = Thinned(20)
    chance = random.Random(1)
    said, shown = [0, 0], [0, 0]
    for _ in range(5000):
        which = chance.randrange(2)
        heard = process.hear(*entries(1, chance.randint(5, 15) if which else 1))
        said[which] += len(heard)
        shown[which] += sum(heard)
    assert shown[0] / said[0] == pytest.approx(shown[1] / said[1], rel=0.25)


def test_a_clock_that_is_set_back_while_the_room_is_busy_silences_nobody() -> None:
    process = Thinned(20)
    later = [msgspec.structs.replace(one, at=one.at + timedelta(hours=1)) for one in entries(1, 99)]
    process.hear(*later)
    process.at_s += 1
    assert process.hear(*entries(100, 20)) == [True] * 20


async def test_a_big_room_is_told_in_cohorts_that_miss_nothing() -> None:
    listeners = [Listener() for _ in range(2 * rooms_module.COHORT + 1)]
    room, first = open_room(0, *listeners)
    assert [len(cohort.sockets) for cohort in room.cohorts] == [250, 250, 1]
    room.hear("e", entries(1, 3))
    room.tell(first, 1.0)
    room.hear("e", entries(4, 2))
    late = Listener()
    position = room.enter(late)
    for at_s in (1.1, 1.2, 1.3):
        _, cohort = room.next_due()
        assert cohort is not None
        room.tell(cohort, at_s)
    assert all(listener.heard == [1, 2, 3, 4, 5] for listener in listeners)
    assert late.heard == list(range(position.seq + 1, 6))
    assert room.lines == []


async def test_a_quiet_room_is_told_that_the_line_is_alive(
    slow_log: SlowTailLog, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rooms_module, "HEARTBEAT_S", 0.05)
    slow_log.answer.set_result(Position("e", 0))
    listener = Listener("li")
    await hub.join(TOPIC, listener)
    await until(lambda: len(listener.likes) >= 4)
    assert listener.heard == []


async def test_who_is_sent_away_is_given_a_slot_of_his_own(slow_log: SlowTailLog, hub: Hub) -> None:
    slow_log.answer.set_result(Position("e", 0))
    listeners = [Listener() for _ in range(800)]
    for listener in listeners:
        await hub.join(TOPIC, listener)
    await hub.stop()
    slots = [float(listener.reason.removeprefix("retry_after=")) for listener in listeners]
    assert len(set(slots)) > 790  # told to the millisecond
    assert max(slots) == pytest.approx(800 / COMEBACKS_PER_S, abs=0.5)
    assert retry_within_s(5 * COMEBACKS_PER_S) == 5.0


async def test_an_epoch_that_begins_while_the_room_opens_is_not_mixed_with_the_old_one(
    slow_log: SlowTailLog, hub: Hub
) -> None:
    joining = asyncio.create_task(hub.join(TOPIC, listener := Listener()))
    await until(lambda: hub._rooms)
    slow_log.gain(1, epoch="another")
    old, slow_log.answer = slow_log.answer, asyncio.get_running_loop().create_future()
    slow_log.answer.set_result(Position("another", 1))
    old.set_result(Position("e", 7))
    assert await joining == Position("another", 1)
    slow_log.gain(2, epoch="another")
    await until(lambda: listener.heard == [2])


async def test_a_room_that_cannot_be_told_sends_its_sockets_away(
    slow_log: SlowTailLog, hub: Hub
) -> None:
    class Broken(Listener):
        def offer(self, frame: Prepared) -> bool:
            raise RuntimeError("a fault of ours")

    slow_log.answer.set_result(Position("e", 0))
    broken = Broken()
    await hub.join(TOPIC, broken)
    slow_log.gain(1)
    await until(lambda: broken.closed)
    assert (broken.closed, hub.topics()) == (4503, [])
