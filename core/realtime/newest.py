"""The end of a topic and its newest entries, in memory."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from itertools import islice

from core.realtime.log import Entry, Position

# Half a minute of a hot room: whoever is away for less comes back without the database.
REMEMBERED_ENTRIES = 3000


class Head:
    """Where a topic ends, and the entries before that as far as memory reaches."""

    def __init__(self, position: Position, newest: Iterable[Entry] = ()) -> None:
        self.position = position
        self._newest: deque[Entry] = deque(newest, maxlen=REMEMBERED_ENTRIES)

    def add(self, entries: Sequence[Entry], removed: Iterable[int]) -> None:
        self._newest.extend(entries)
        if entries:
            self.position = Position(self.position.epoch, entries[-1].seq)
        for seq in removed:
            self._remove(seq)

    def after(self, seq: int) -> list[Entry] | None:
        """The entries after `seq`; `None` if memory does not reach back that far."""
        missing = self.position.seq - seq
        if missing > len(self._newest):
            return None
        # From the end: who comes back was away for a moment as a rule, and many come at once.
        return list(islice(reversed(self._newest), max(0, missing)))[::-1]

    def _remove(self, seq: int) -> None:
        index = seq - self.position.seq + len(self._newest) - 1
        if 0 <= index < len(self._newest):
            self._newest[index] = self._newest[index].tombstone()
