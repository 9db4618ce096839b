"""How often somebody may do something."""

from __future__ import annotations

import time
from collections import OrderedDict

REMEMBERED = 10_000


class RateLimit:
    """A token bucket per key: `burst` at once, then one every `every_s` seconds.

    Kept in this process, for the newest `REMEMBERED` keys.
    """

    def __init__(self, *, burst: int, every_s: float) -> None:
        self._burst = burst
        self._every_s = every_s
        self._full_at: OrderedDict[str, float] = OrderedDict()

    def take(self, key: str, at_s: float | None = None) -> float:
        """Seconds to wait before this is allowed; 0 if it is allowed now, which uses one up."""
        moment = time.monotonic() if at_s is None else at_s
        full_at = max(self._full_at.get(key, 0.0), moment)
        wait_s = full_at + self._every_s - moment - self._burst * self._every_s
        if wait_s > 1e-9:
            return wait_s
        self._full_at[key] = full_at + self._every_s
        self._full_at.move_to_end(key)
        if len(self._full_at) > REMEMBERED:
            self._full_at.popitem(last=False)
        return 0.0
