"""When to come back: a herd of reconnects is told to come one after the other."""

from __future__ import annotations

COMEBACKS_PER_S = 1_000  # what one core lets in while it goes on telling the others
SOONEST_S = 0.25
LEAST_SPREAD_S = 1.0


def retry_within_s(sockets: int) -> float:
    """Over how many seconds so many sockets spread, when no one can tell them a slot each."""
    return round(max(LEAST_SPREAD_S, sockets / COMEBACKS_PER_S), 1)


class Slots:
    """Gives each socket that is closed its own moment to come back."""

    def __init__(self) -> None:
        self._next_at = 0.0

    def take(self, at_s: float) -> str:
        """The reason of a close at this moment of a steady clock: `retry_after=<seconds>`."""
        self._next_at = max(self._next_at + 1 / COMEBACKS_PER_S, at_s + SOONEST_S)
        return f"retry_after={self._next_at - at_s:.3f}"
