"""What a host is shown: proposals with their reasons, and the course of the show."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

import msgspec

from media_pipeline.pauses import ask_for_pauses, pauses_of
from streams.highlights.evidence import viewers_at
from streams.highlights.explained import Explained, explanations
from streams.highlights.find import highlights
from streams.highlights.reading import Filmed, filmed
from streams.highlights.signals import Highlight, Stretch
from streams.highlights.words import explained, reasons
from streams.models import Show

SHOWN = 12
BARS = 90


class Proposal(msgspec.Struct, frozen=True):
    """Seconds of the recording that may be a lesson; `kind` is "sold" or "explains"."""

    kind: str
    start_s: float
    end_s: float
    product: str
    reasons: list[str]
    score: float | None = None


class Course(msgspec.Struct, frozen=True):
    """The show in pieces of `step_s` seconds of the recording; `viewers` is 0 where uncounted."""

    step_s: float
    orders: list[int]
    messages: list[int]
    viewers: list[int]


class Desk(msgspec.Struct, frozen=True):
    """`edition` is the recording's; `delay_s` how long buyers took, `None` if unknown.

    Edges are where nobody speaks once the recording was `listened` to.
    """

    recording_id: UUID | None
    edition: int
    delay_s: float | None
    proposals: list[Proposal]
    course: Course | None
    listened: bool = False


def desk(show: Show) -> Desk:
    """The highlights of a show, the best first; none while it has no replay.

    The first time, this also has the recording listened to.
    """
    found = filmed(show)
    if found is None:
        return Desk(None, 0, None, [], None)
    listened = pauses_of(found.playback.recording_id) is not None
    if not listened:
        ask_for_pauses(found.playback.recording_id)
    best = highlights(found.signals)
    taken = [Stretch(one.start_s, one.end_s) for one in best]
    own = explanations(found.signals, [one.product for one in best], taken)
    return Desk(
        recording_id=found.playback.recording_id,
        edition=found.playback.edition,
        delay_s=best[0].delay_s if best else None,
        proposals=[
            *(_sold(one, found) for one in best[:SHOWN]),
            *(_explains(one, found) for one in own[:SHOWN]),
        ],
        course=_course(found),
        listened=listened,
    )


def _sold(one: Highlight, found: Filmed) -> Proposal:
    return Proposal(
        kind="sold",
        start_s=_tenth(found.media_s(one.start_s)),
        end_s=_tenth(found.media_s(one.end_s)),
        product=found.titles.get(one.product, ""),
        reasons=reasons(one.evidence),
        score=round(one.score, 2),
    )


def _explains(one: Explained, found: Filmed) -> Proposal:
    title = found.titles.get(one.product, "")
    return Proposal(
        kind="explains",
        start_s=_tenth(found.media_s(one.start_s)),
        end_s=_tenth(found.media_s(one.end_s)),
        product=title,
        reasons=[explained(one.orders, title)],
    )


def _course(found: Filmed) -> Course:
    signals, whole_s = found.signals, found.clock.duration_s
    step_s = max(1.0, whole_s / BARS)
    steps = max(1, min(BARS, round(whole_s / step_s)))
    walls = (found.clock.wall(min(whole_s, (n + 0.5) * step_s)) for n in range(steps))
    moments = [(wall - found.began).total_seconds() for wall in walls if wall]
    return Course(
        step_s=step_s,
        orders=_per_step(found, (order.at_s for order in signals.orders), step_s, steps),
        messages=_per_step(found, signals.chat, step_s, steps),
        viewers=[viewers_at(signals.viewers, at_s) for at_s in moments],
    )


def _per_step(found: Filmed, moments: Iterable[float], step_s: float, steps: int) -> list[int]:
    counts = [0] * steps
    for at_s in moments:
        counts[min(steps - 1, int(found.media_s(at_s) / step_s))] += 1
    return counts


def _tenth(seconds: float) -> float:
    return round(seconds, 1)
