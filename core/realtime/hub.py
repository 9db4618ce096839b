"""The hub: from one log to every socket of this process.

It collects what a topic's log gained during a tick, encodes it once, and offers the same frames to
its sockets (`rooms`). A socket that cannot keep up is closed; it comes back through recovery.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection, Iterable, Sequence
from contextlib import suppress

from core.realtime.backoff import Slots
from core.realtime.beat import TICK_S, Beat
from core.realtime.log import Entry, Position, TopicLog
from core.realtime.rooms import NOW_EVERY_S, Cohort, Listening, Room

__all__ = ["NOW_EVERY_S", "TICK_S", "Hub"]

log = logging.getLogger(__name__)

TOO_SLOW = 4408
RESTARTING = 4503


class Hub:
    """All rooms of this process. Everything here runs on one event loop.

    `lines_per_s` is how much chat of viewers a room is shown (`rooms.Thinning`); 0 shows all.
    """

    def __init__(
        self, topic_log: TopicLog, tick_s: float = TICK_S, *, lines_per_s: int = 0
    ) -> None:
        self._log = topic_log
        self._tick_s = tick_s
        self._lines_per_s = lines_per_s
        self._rooms: dict[str, Room] = {}
        self._slots = Slots()
        topic_log.follow(self._heard)

    def start(self) -> None:
        """Nothing to start: a room is told by a task of its own while somebody is there."""

    async def stop(self) -> None:
        """Close every socket with `RESTARTING`, so that clients come back to the next process."""
        for room in list(self._rooms.values()):
            self._close_all(room)

    async def join(self, topic: str, socket: Listening) -> Position:
        """Let the socket hear everything after the returned position, and nothing before it.

        Raises what reading the log raises.
        """
        while not self._is_open(room := await self._opened(topic)):
            self._close_all(room)  # history was lost while the room opened
        return room.enter(socket)

    def leave(self, topic: str, socket: Listening) -> None:
        """Forget the socket; once is enough, twice does no harm."""
        room = self._rooms.get(topic)
        if room is None or socket not in room.sockets:
            return
        room.leave(socket)
        self._drop_if_empty(room)

    def set_now(self, topic: str, **values: int) -> None:
        """Tell the room these latest values, soon. Nobody there: nobody is told."""
        if (room := self._rooms.get(topic)) is not None:
            room.set_now(**values)

    def now(self, topic: str) -> dict[str, int]:
        """The latest values of the room."""
        room = self._rooms.get(topic)
        return dict(room.now) if room else {"viewers": 0}

    def topics(self) -> list[str]:
        """The topics that somebody listens to here."""
        return list(self._rooms)

    def viewer_keys(self, topic: str) -> Collection[str]:
        """Who is counted in this room, each person once."""
        room = self._rooms.get(topic)
        return room.viewers.keys() if room else ()

    def sockets_of(self, topic: str, viewer_key: str) -> list[Listening]:
        """The sockets of one person in this room, counted or not."""
        room = self._rooms.get(topic)
        sockets: Iterable[Listening] = room.sockets if room else ()
        return [one for one in sockets if viewer_key in {one.viewer_key, one.person}]

    def sockets(self, topic: str) -> int:
        """How many sockets this process has in the room."""
        room = self._rooms.get(topic)
        return len(room.sockets) if room else 0

    async def _opened(self, topic: str) -> Room:
        """The room of the topic, once its place in the log is known."""
        room = self._rooms.get(topic) or self._open(topic)
        room.joining += 1
        try:
            room.open_at(await asyncio.shield(room.opened))
        except BaseException:
            room.joining -= 1
            self._drop_if_empty(room)
            raise
        room.joining -= 1
        return room

    def _open(self, topic: str) -> Room:
        watching = asyncio.ensure_future(self._log.watch(topic))
        room = Room(topic, watching, lines_per_s=self._lines_per_s)
        self._rooms[topic] = room
        room.telling = asyncio.create_task(self._tell_forever(room), name=f"hub {topic}")
        room.telling.add_done_callback(lambda task: self._stopped_telling(room, task))
        return room

    def _is_open(self, room: Room) -> bool:
        return room.position is not None and self._rooms.get(room.topic) is room

    def _drop_if_empty(self, room: Room) -> None:
        if room.empty:
            self._drop(room)

    def _drop(self, room: Room) -> None:
        if self._rooms.get(room.topic) is room:
            del self._rooms[room.topic]
            self._log.unwatch(room.topic)
        if room.telling is not None:
            room.telling.cancel()

    def _heard(self, topic: str, epoch: str, entries: Sequence[Entry]) -> None:
        room = self._rooms.get(topic)
        if room is not None and not room.hear(epoch, entries):
            self._close_all(room)

    async def _tell_forever(self, room: Room) -> None:
        loop = asyncio.get_running_loop()
        room.tick_s = self._tick_s
        beat = Beat(loop.time(), self._tick_s)
        while True:
            cohort = await _next_cohort(room)
            began_s = loop.time()
            self._give_up(room, room.tell(cohort, began_s))
            await asyncio.sleep(0)  # the event loop writes, and others get their turn
            cohorts, is_rushed = len(room.cohorts), room.is_rushed()
            room.tick_s = beat.told(began_s, loop.time(), cohorts, is_rushed=is_rushed)

    def _give_up(self, room: Room, slow: list[Listening]) -> None:
        for socket in slow:
            log.info("a socket of %s is too slow", room.topic)
            self.leave(room.topic, socket)
            self._close(socket, TOO_SLOW)

    def _close_all(self, room: Room) -> None:
        self._drop(room)
        for socket in list(room.sockets):
            self._close(socket, RESTARTING)

    def _close(self, socket: Listening, code: int) -> None:
        socket.close(code, self._slots.take(asyncio.get_running_loop().time()))

    def _stopped_telling(self, room: Room, task: asyncio.Task[None]) -> None:
        """A fault must not leave people in a room that has fallen silent."""
        if not task.cancelled() and (fault := task.exception()) is not None:
            log.error("%s could not be told", room.topic, exc_info=fault)
            self._close_all(room)


async def _next_cohort(room: Room) -> Cohort:
    """Whom to tell something, once it is time."""
    loop = asyncio.get_running_loop()
    while True:
        due_at, cohort = room.next_due()
        if cohort is not None and due_at <= loop.time():
            return cohort
        if cohort is not None and room.has_news():
            await asyncio.sleep(due_at - loop.time())  # not woken by each further entry
            continue
        room.work.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout_at(None if cohort is None else due_at):
                await room.work.wait()
