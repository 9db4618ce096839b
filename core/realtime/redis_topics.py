"""What this process knows of each topic on Redis, and how the topic's epochs begin.

An epoch's data is on one server, under one reign, and begins there once. The database decides which
epoch comes next: only the process whose conditional update has won begins it on Redis, and Redis
takes it only if it is later than what it holds. So a position can never name two entries.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from core.realtime import log_store
from core.realtime.log import Entry, Follower, LogUnavailable, NewEntry, Position
from core.realtime.log_db import LogDatabase
from core.realtime.log_json import decoded
from core.realtime.log_store import Placed
from core.realtime.newest import REMEMBERED_ENTRIES, Head
from core.realtime.redis_link import Command, Link, Refused
from core.realtime.redis_scripts import BEGIN, LEASE, RELEASE, Keys

BEGUN_WITHIN_S = 3.0
BEGINNING_MS = 3_000
AGAIN_AFTER_S = 0.02
PIECE = 1_000
UNSTORED_AT_MOST = 20_000
FORGOTTEN_AFTER_S = 60.0  # longer than anything takes that holds on to a topic


class Mark(msgspec.Struct, frozen=True):
    """A topic's head on Redis."""

    epoch: str
    reign: str
    seq: int
    stored: int

    @staticmethod
    def question(topic: str) -> Command:
        return ("HMGET", Keys.of(topic, "").head, "epoch", "reign", "seq", "stored")

    @classmethod
    def of(cls, answer: Sequence[bytes | None] | Refused) -> Mark | None:
        """What Redis holds, if it is a topic. Raises a `Refused` that is not about its keys."""
        if isinstance(answer, Refused):
            if answer.is_of_key:
                return None
            raise answer
        epoch, reign, seq, stored = answer
        if epoch is None or reign is None or seq is None or stored is None:
            return None
        return cls(epoch.decode(), reign.decode(), int(seq), int(stored))


class TopicState:
    """One topic, as far as this process has seen it."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.epoch = ""
        self.reign = ""
        self.seen = 0
        self.stored = 0
        """Everything up to here is in the database."""
        self.marked = 0
        """Everything up to here is known on Redis to be in the database."""
        self.spoilt = ""
        """The last epoch whose keys on Redis are broken: it does not go on."""
        self.looks_first = False
        """Whether Redis does not know all facts of the topic: the database is asked as well."""
        self.head: Head | None = None
        """The newest entries, while the topic is watched."""
        self.unstored: dict[int, NewEntry] = {}
        self.left_over: dict[str, list[Placed]] = {}
        """What was seen in earlier epochs and is perhaps not stored."""
        self.lock = asyncio.Lock()
        self.storing: asyncio.Task[None] | None = None
        self.used_at = time.monotonic()

    @property
    def keys(self) -> Keys:
        return Keys.of(self.name, self.epoch)

    @property
    def is_idle(self) -> bool:
        return self.head is None and not self.left_over and self.marked >= self.seen

    def fits(self, mark: Mark | None, reign: str) -> bool:
        """Whether what Redis holds is the topic, with everything this process has seen of it."""
        if mark is None or mark.reign != reign or mark.epoch < self.epoch:
            return False
        if mark.epoch <= self.spoilt:
            return False
        return mark.epoch != self.epoch or mark.seq >= self.seen

    def saw(self, placed: Sequence[Placed]) -> None:
        """Remember these entries of the present epoch until they are known to be stored."""
        for seq, entry in placed:
            if seq > self.stored and len(self.unstored) < UNSTORED_AT_MOST:
                self.unstored[seq] = entry
        self.seen = max([self.seen, *(seq for seq, _ in placed)])

    def saw_in(self, epoch: str, placed: Sequence[Placed]) -> None:
        """`saw`, for an answer that may have come after its epoch had ended."""
        if epoch == self.epoch:
            self.saw(placed)
        elif placed:
            self.left_over.setdefault(epoch, []).extend(placed)

    def was_marked(self, mark: int, last: int) -> None:
        """Redis says how far the topic is stored, and how far it goes."""
        self.marked = max(self.marked, mark)
        self.seen = max(self.seen, last)
        self.was_stored(mark)

    def was_stored(self, upto: int) -> None:
        if upto <= self.stored:
            return
        self.stored = upto
        for seq in [seq for seq in self.unstored if seq <= upto]:
            del self.unstored[seq]

    def adopt(self, mark: Mark) -> bool:
        """Go on with what Redis holds, which fits; whether that is another epoch than before."""
        self.reign = mark.reign
        had = self.epoch
        if had != mark.epoch:
            self.leave_epoch()
            self.epoch = mark.epoch
        self.was_marked(mark.stored, mark.seq)
        return bool(had) and had != mark.epoch

    def was_saved(self, placed: Sequence[Placed]) -> None:
        """These are in the database, whatever is still missing before them."""
        for seq, _ in placed:
            self.unstored.pop(seq, None)
            if seq == self.stored + 1:
                self.stored = seq

    def leave_epoch(self) -> None:
        if self.unstored:
            self.left_over.setdefault(self.epoch, []).extend(sorted(self.unstored.items()))
        self.unstored = {}
        self.stored = self.marked = self.seen = 0


class Topics:
    """All topics this process has to do with, and the followers that hear of them."""

    def __init__(self, database: LogDatabase) -> None:
        self._states: dict[str, TopicState] = {}
        self._database = database
        self._me = uuid.uuid4().hex
        self.followers: list[Follower] = []

    def __iter__(self) -> Iterator[TopicState]:
        return iter(list(self._states.values()))

    def get(self, name: str) -> TopicState:
        state = self._states.get(name)
        if state is None:
            state = self._states[name] = TopicState(name)
        state.used_at = time.monotonic()
        return state

    def forget_idle(self) -> None:
        """Forget topics that nobody watches, of which everything is stored, and which nobody has
        in hand."""
        long_ago = time.monotonic() - FORGOTTEN_AFTER_S
        for state in self:
            if state.is_idle and state.used_at < long_ago:
                del self._states[state.name]

    def tell(self, state: TopicState, entries: Sequence[Entry]) -> None:
        for follower in self.followers:
            follower(state.name, state.epoch, entries)

    def skip(self, state: TopicState, end: Position) -> None:
        """Tell followers that what lies before `end` is lost to this process, though in no other.

        An empty name of an epoch is none: whoever follows must begin again.
        """
        state.head = Head(end)
        for follower in self.followers:
            follower(state.name, "", [])

    def spoil(self, state: TopicState, epoch: str) -> None:
        """The epoch's keys on Redis are broken: let the topic go on in another."""
        state.spoilt = max(state.spoilt, epoch)
        if epoch >= state.epoch:
            state.reign = ""

    async def settle(self, state: TopicState, link: Link) -> None:
        """Let the topic go on under the link's reign, in a new epoch where that cannot be helped.

        Raises `LogUnavailable` or `DatabaseError`.
        """
        if state.reign != link.reign:
            async with state.lock:
                await self._settle(state, link)

    async def check(self, state: TopicState, mark: Mark | None, link: Link) -> None:
        """Compare with a fresh mark, and settle again if it does not fit."""
        if state.fits(mark, link.reign) and mark is not None and mark.epoch == state.epoch:
            state.was_marked(mark.stored, mark.seq)
            return
        async with state.lock:
            state.reign = ""
            await self._settle(state, link)

    async def _settle(self, state: TopicState, link: Link) -> None:
        try:
            async with asyncio.timeout(BEGUN_WITHIN_S):
                while not await self._is_settled(state, link):  # noqa: ASYNC110 - others end it
                    await asyncio.sleep(AGAIN_AFTER_S)
        except TimeoutError as error:
            raise LogUnavailable(f"{state.name}: no epoch could be begun in time") from error

    async def _is_settled(self, state: TopicState, link: Link) -> bool:
        if state.reign and state.reign == link.reign:
            return True
        reign = await link.read_reign()
        [answer] = await link.ask(Mark.question(state.name))
        mark = Mark.of(answer)
        if mark is not None and state.fits(mark, reign):
            self._adopt(state, mark)
            return True
        # One process begins while the others wait: correct without, but they would outbid each
        # other, and every bid sends all viewers through recovery again.
        lease = state.keys.beginning
        [is_mine] = await link.call(("EVALSHA", LEASE.sha, 1, lease, self._me, BEGINNING_MS))
        if is_mine:
            await self._begin(state, mark, reign, link)
            await link.call(("EVALSHA", RELEASE.sha, 1, lease, self._me))
        return False

    def _adopt(self, state: TopicState, mark: Mark) -> None:
        if not state.adopt(mark):
            return
        state.looks_first = True
        if state.head is not None:
            # A young epoch is heard from its beginning, one that was long missed from here on.
            start = 0 if mark.seq <= REMEMBERED_ENTRIES else mark.seq
            state.head = Head(Position(mark.epoch, start))
            self.tell(state, [])

    async def _begin(self, state: TopicState, mark: Mark | None, reign: str, link: Link) -> None:
        await self._save_what_was_seen(state, mark, link)
        old, is_new = await self._database.run(log_store.tail_and_age, state.name)
        epoch: str | None = old.epoch
        if not is_new:
            beyond = max(old.epoch, state.epoch, mark.epoch if mark else "")
            epoch = await self._database.run(log_store.begin_epoch, state.name, old.epoch, beyond)
        if epoch is not None:
            keys = Keys.of(state.name, epoch)
            begin: Command = ("EVALSHA", BEGIN.sha, 1, keys.head, epoch, reign, int(is_new))
            await link.call(begin)

    async def _save_what_was_seen(self, state: TopicState, mark: Mark | None, link: Link) -> None:
        """Before an epoch ends, store what somebody may have seen of it and nobody has stored."""
        seen = sorted(state.unstored.items())
        await self._database.run(log_store.keep, state.name, state.epoch, seen)
        while mark is not None and mark.stored < mark.seq:
            try:
                placed = await entries_of(link, state.name, mark.epoch, mark.stored)
            except Refused:
                return  # what it was, nobody can know any more
            if not placed:
                return
            await self._database.run(log_store.keep, state.name, mark.epoch, placed)
            mark = msgspec.structs.replace(mark, stored=placed[-1][0])


async def entries_of(link: Link, topic: str, epoch: str, after: int) -> list[Placed]:
    """What Redis has after `after`, at most `PIECE`."""
    log = Keys.of(topic, epoch).log
    [rows] = await link.call(("XRANGE", log, f"{after + 1}-0", "+", "COUNT", PIECE))
    return placed_of(rows)


def placed_of(rows: Sequence[Any]) -> list[Placed]:
    """The entries in an answer of XRANGE or XREAD: `[[b"7-0", [b"e", JSON]], …]`."""
    return [(int(name.partition(b"-")[0]), decoded(fields[1])) for name, fields in rows]


def shown(placed: Sequence[Placed], gone: Sequence[bytes]) -> list[Entry]:
    """The entries as readers see them: tombstones for those that are gone."""
    removed = {int(seq) for seq in gone}
    return [
        entry.at_place(seq).tombstone() if seq in removed else entry.at_place(seq)
        for seq, entry in placed
    ]
