"""What the small Stripe of the tests knows, and what goes wrong with it."""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.stripe_wire import Json


@dataclass
class Faults:
    """What goes wrong from now on."""

    fail_next: int = 0  # so many requests are answered by 500
    lose_answers: int = 0  # so many are carried out, and the line is cut before the answer
    delay_s: float = 0.0
    refuse_refunds: bool = False
    refunds_pend: bool = False
    webhooks: bool = True
    copies: int = 1  # of every webhook


@dataclass
class Books:
    """All that this Stripe knows."""

    sessions: dict[str, Json] = field(default_factory=dict)
    intents: dict[str, Json] = field(default_factory=dict)
    refunds: dict[str, Json] = field(default_factory=dict)
    answers: dict[str, tuple[str, int, Json]] = field(default_factory=dict)
    requests: list[tuple[str, str]] = field(default_factory=list)
    sent: list[tuple[Json, int]] = field(
        default_factory=list
    )  # webhooks and how they were answered
