"""What the web processes of an instance know together: who is here, how often, how many.

Nothing in it is needed to be right for good: it may be gone at any moment, and what each process
says again within a second makes it whole. `LocalShared` is for one web process, `RedisShared` (in
`redis_shared`) for several; while Redis is away each goes on with what it knows itself.
"""

from __future__ import annotations

import logging
import time
from collections import OrderedDict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Protocol, TypeVar

from core.realtime.limits import RateLimit

log = logging.getLogger(__name__)

T = TypeVar("T")

LIMITS_REMEMBERED = 1000
REFUSED_REMEMBERED = 10_000


class SharedAway(Exception):
    """Nobody can be asked now; what was to be told has to be told again."""


@dataclass(frozen=True, slots=True)
class Count:
    """A change of a number that only grows: it was at least `seen`, and `more` came here."""

    seen: int
    more: int


class Shared(Protocol):
    """State over all web processes. Call it on the event loop."""

    async def stop(self) -> None:
        """This process goes: nobody is here any more."""

    async def take(self, name: str, key: str, *, burst: int, every_s: float) -> float:
        """Seconds to wait before `key` may do `name` again; 0 if it may now, which uses one up.

        `burst` at once, then one every `every_s` seconds, however many processes it asks. Another
        measure is another limit: who waits for one is not held to it once there is another.
        """

    async def present(self, here: Mapping[str, Collection[str]]) -> dict[str, int]:
        """How many are in each topic, one for each key, over all processes; call it every second.

        `here` is everybody whom this process sees in all of its topics.
        """

    async def count(self, counts: Mapping[str, Count]) -> dict[str, int]:
        """Add to numbers that only grow, and say how high they are. Raises `SharedAway`."""


class Limits:
    """Token buckets of this process, by name and measure."""

    def __init__(self) -> None:
        self._limits: OrderedDict[tuple[str, int, float], RateLimit] = OrderedDict()

    def take(self, name: str, key: str, *, burst: int, every_s: float) -> float:
        measure = (name, burst, every_s)
        limit = self._limits.get(measure)
        if limit is None:
            limit = self._limits[measure] = RateLimit(burst=burst, every_s=every_s)
            if len(self._limits) > LIMITS_REMEMBERED:
                self._limits.popitem(last=False)
        return limit.take(key)


class Refused:
    """Until when somebody was told to wait: who asks again before is refused without a question."""

    def __init__(self) -> None:
        self._until: OrderedDict[str, float] = OrderedDict()

    def wait_s(self, key: str) -> float:
        return max(0.0, self._until.get(key, 0.0) - time.monotonic())

    def note(self, key: str, wait_s: float) -> float:
        if wait_s > 0:
            self._until[key] = time.monotonic() + wait_s
            self._until.move_to_end(key)
            if len(self._until) > REFUSED_REMEMBERED:
                self._until.popitem(last=False)
        return wait_s


class LocalShared:
    """`Shared` of a process that is alone."""

    def __init__(self) -> None:
        self._limits = Limits()
        self._counts: dict[str, int] = {}

    async def stop(self) -> None:
        pass

    async def take(self, name: str, key: str, *, burst: int, every_s: float) -> float:
        return self._limits.take(name, key, burst=burst, every_s=every_s)

    async def present(self, here: Mapping[str, Collection[str]]) -> dict[str, int]:
        return {topic: len(set(keys)) for topic, keys in here.items()}

    async def count(self, counts: Mapping[str, Count]) -> dict[str, int]:
        for name, count in counts.items():
            self._counts[name] = max(self._counts.get(name, 0), count.seen) + count.more
        return {name: self._counts[name] for name in counts}
