"""What an attempt came to: what was sold, which questions were answered, when the host was silent.

Read from what happened; kept with the attempt once it is handed in, so that it outlives the film.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TypedDict

import msgspec

from core.realtime.models import LogEntry
from courses.practice.buyers import QUESTIONS, SILENT_S
from courses.practice.models import Act, Attempt
from courses.practice.words import NAMES
from streams.models import HostVoice
from streams.protocol import ChatAnsweredEvent, ChatMessageEvent, ProductPinnedEvent

STEP_S = 10
"""One bar of the timeline."""


class Moment(msgspec.Struct, frozen=True):
    """Something on the timeline; `kind` is an act's, or pin, answer or wrote: of the host."""

    at_s: float
    kind: str
    who: str = ""
    text: str = ""
    quantity: int = 0
    is_answered: bool = False


class Result(msgspec.Struct, frozen=True):
    """`silences` are stretches of `SILENT_S` and more in which the host did nothing at all.

    `voice` is how much of each `STEP_S` the host was heard, from 0 to 1; empty where the page
    could not measure it.
    """

    duration_s: float = 0.0
    orders: int = 0
    pieces: int = 0
    sold_minor: int = 0
    currency: str = "CNY"
    lost: int = 0
    questions: int = 0
    answered: int = 0
    silences: list[tuple[float, float]] = []
    voice: list[float] = []
    moments: list[Moment] = []

    @property
    def unanswered(self) -> int:
        return self.questions - self.answered

    @property
    def silent_s(self) -> float:
        return sum(until - since for since, until in self.silences)


class Sums(TypedDict):
    orders: int
    pieces: int
    sold_minor: int
    lost: int


def result_of(attempt: Attempt, currency: str) -> Result:
    """As it was handed in, or as it is now."""
    if attempt.result:
        return msgspec.convert(attempt.result, Result)
    return measure(attempt, currency)


def measure(attempt: Attempt, currency: str) -> Result:
    """Read it anew; empty for what never began."""
    if attempt.began_at is None or attempt.ended_at is None:
        return Result(currency=currency)
    began = attempt.began_at
    duration_s = max(0.0, (attempt.ended_at - began).total_seconds())
    acts = list(attempt.acts.exclude(done_at=None))
    log = LogEntry.objects.filter(topic=f"show:{attempt.show_id}").order_by("at")
    answered, host = _of_host(log, began)
    heard = _heard(attempt, began)
    asked = [act for act in acts if act.kind in QUESTIONS and not act.refusal]
    times = sorted([*(one.at_s for one in host), *(at_s for at_s, is_heard in heard if is_heard)])
    moments = [*host, *(_moment(attempt, act, answered) for act in acts)]
    return Result(
        duration_s=round(duration_s, 1),
        currency=currency,
        questions=len(asked),
        answered=sum(1 for act in asked if str(act.message_id) in answered),
        silences=silences(times, duration_s),
        voice=_bars(heard, duration_s),
        moments=sorted(moments, key=lambda one: one.at_s),
        **_sums(acts),
    )


def silences(active: Sequence[float], duration_s: float) -> list[tuple[float, float]]:
    """The stretches of `SILENT_S` or more between these moments, in seconds."""
    found, last = [], 0.0
    for at_s in [*active, duration_s]:
        if at_s - last >= SILENT_S:
            found.append((round(last, 1), round(at_s, 1)))
        last = max(last, at_s)
    return found


def _sums(acts: Iterable[Act]) -> Sums:
    orders = [act for act in acts if act.kind == "order"]
    sold = [act for act in orders if not act.refusal]
    return {
        "orders": len(sold),
        "pieces": sum(act.detail["quantity"] for act in sold),
        "sold_minor": sum(act.detail["quantity"] * act.detail["price_minor"] for act in sold),
        "lost": sum(1 for act in acts if act.kind == "leave") + len(orders) - len(sold),
    }


def _of_host(log: Iterable[LogEntry], began: datetime) -> tuple[set[str], list[Moment]]:
    """Which messages were answered, and what the host did besides speaking."""
    answered: set[str] = set()
    moments: list[Moment] = []
    for entry in log:
        at_s = max(0.0, (entry.at - began).total_seconds())
        if entry.type == ChatAnsweredEvent.type:
            answered.add(str(entry.data.get("id")))
            moments.append(Moment(at_s, "answer"))
        elif entry.type == ProductPinnedEvent.type:
            moments.append(Moment(at_s, "pin", text=str(entry.data["offer"]["title"])))
        elif entry.type == ChatMessageEvent.type and entry.data.get("role") == "host":
            moments.append(Moment(at_s, "wrote", text=str(entry.data.get("text", ""))))
    return answered, moments


def _heard(attempt: Attempt, began: datetime) -> list[tuple[float, bool]]:
    rows = HostVoice.objects.filter(show__public_id=attempt.show_id).order_by("second")
    return [
        (max(0.0, (second - began).total_seconds()), is_heard)
        for second, is_heard in rows.values_list("second", "is_heard")
    ]


def _bars(heard: Sequence[tuple[float, bool]], duration_s: float) -> list[float]:
    if not heard:
        return []
    bars = [0] * (int(duration_s // STEP_S) + 1)
    for at_s, is_heard in heard:
        if is_heard and at_s < len(bars) * STEP_S:
            bars[int(at_s // STEP_S)] += 1
    return [min(1.0, count / STEP_S) for count in bars]


def _moment(attempt: Attempt, act: Act, answered: set[str]) -> Moment:
    return Moment(
        at_s=act.at_s,
        kind=act.kind if not act.refusal else "refused",
        who=NAMES[act.persona][attempt.language],
        text=str(act.detail.get("text", "")),
        quantity=int(act.detail.get("quantity", 0)),
        is_answered=str(act.message_id) in answered,
    )
