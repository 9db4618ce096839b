"""Questions that buyers asked in the show and nobody answered: what a quiz may be made of.

They are only proposed. A teacher takes one, writes it as they like and sets its answer.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from core.realtime.models import LogEntry
from courses.models import Lesson
from courses.quizzes.models import Quiz
from media_pipeline.clip_wishes import Wish, wish_of
from media_pipeline.clock import MediaClock
from media_pipeline.selectors import playback
from streams.clips.access import show_of
from streams.clips.cues import Names
from streams.models import Audience, Show
from streams.protocol import ChatAnsweredEvent, ChatMessageEvent, ChatUnansweredEvent
from streams.restored import without_removed
from streams.selectors import log_of

MOST = 12
MOST_READ = 2000
# Phone and card numbers that buyers leave in the chat teach nobody anything.
_LONG_NUMBER = re.compile(r"\d[\d\s-]{5,}\d")
_NO_LETTERS = re.compile(r"[\W_]+")


@dataclass(frozen=True, slots=True)
class Proposal:
    """A question without names. `at_s` is its second in the lesson, if it falls into it.

    `times` says how many people asked the same.
    """

    id: UUID
    text: str
    at_s: float | None
    times: int = 1


def proposals(lesson: Lesson, quiz: Quiz | None) -> list[Proposal]:
    """Those asked in the lesson's own minutes first, then the rest of the show's by how often.

    Of a show for guests only the lesson's own minutes are read: the rest nobody agreed to show.
    """
    show, found = show_of(lesson.asset), playback(lesson.asset.recording.show_id)
    if show is None or show.is_practice or found is None:
        return []
    wish = wish_of(lesson.asset)
    open_ones = _unanswered(show, _used(quiz))
    names = Names(show, open_ones, wish, found.clock)
    asked = [
        _proposal(row.fact_id, row, names, wish, found.clock) for row in open_ones if row.fact_id
    ]
    if show.audience != Audience.PUBLIC:
        asked = [one for one in asked if one.at_s is not None]
    return sorted(_united(asked), key=_rank)[:MOST]


def proposal(lesson: Lesson, quiz: Quiz | None, proposal_id: UUID) -> Proposal | None:
    return next((one for one in proposals(lesson, quiz) if one.id == proposal_id), None)


def _used(quiz: Quiz | None) -> set[str]:
    if quiz is None:
        return set()
    taken = quiz.questions.exclude(source_id=None).values_list("source_id", flat=True)
    return {*(str(one) for one in taken), *quiz.set_aside}


def _unanswered(show: Show, used: set[str]) -> list[LogEntry]:
    log = log_of(show)
    chat = log.filter(type=ChatMessageEvent.type, data__question=True, data__role="viewer")
    rows = without_removed(show, chat[:MOST_READ])
    answered = _answered(log.filter(type__in=(ChatAnsweredEvent.type, ChatUnansweredEvent.type)))
    return [row for row in rows if row.fact_id and str(row.fact_id) not in {*answered, *used}]


def _answered(marks: Iterable[LogEntry]) -> set[str]:
    """What was answered at last: an answer can be taken back."""
    said: dict[str, bool] = {}
    for row in marks:
        said[str(row.data.get("id"))] = row.type == ChatAnsweredEvent.type
    return {one for one, is_answered in said.items() if is_answered}


def _proposal(
    fact_id: UUID, row: LogEntry, names: Names, wish: Wish, clock: MediaClock
) -> Proposal:
    text = _LONG_NUMBER.sub("…", names.without_names(str(row.data.get("text", ""))))
    media_s = clock.media_s(row.at)
    at_s = None if media_s is None else wish.place(media_s)
    return Proposal(fact_id, text, None if at_s is None else round(at_s, 1))


def _united(asked: Sequence[Proposal]) -> list[Proposal]:
    """One of those that ask the same: the one inside the lesson, if any is."""
    found: dict[str, Proposal] = {}
    for one in sorted(asked, key=lambda one: one.at_s is None):
        key = _NO_LETTERS.sub("", one.text).casefold()
        before = found.get(key)
        found[key] = replace(before, times=before.times + 1) if before else one
    return list(found.values())


def _rank(one: Proposal) -> tuple[bool, int, float]:
    return (one.at_s is None, -one.times, one.at_s or 0.0)
