"""What a lesson asks for before it is done, in words, and who has done it.

`watched` is the player's; quizzes and practice each say theirs by a function here. Whoever records
that one of them is met calls `settle` in the same transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from core.clock import now
from courses import intervals
from courses.models import Certificate, Enrolment, Lesson, Progress
from courses.practice import rule as practice_rule
from courses.quizzes import rule as quiz_rule
from courses.services.certificates import issue_certificate
from media_pipeline.models import AssetState

# A millisecond is the grain of what is kept; a sum of them is off by no more than this.
GRAIN_S = 0.001


@dataclass(frozen=True, slots=True)
class Requirement:
    """One thing that a lesson asks for. `url` is where to do it; empty for the player itself."""

    kind: str
    is_done: bool
    text: str
    url: str = ""


Rule = Callable[[Enrolment, Lesson], Requirement | None]


def watched(enrolment: Enrolment, lesson: Lesson) -> Requirement | None:
    """The share that has to be watched; none for a lesson that need not be."""
    if lesson.required_share <= 0:
        return None
    progress = Progress.objects.filter(enrolment=enrolment, lesson=lesson).first()
    missing_s = missing_to_watch_s(progress.intervals if progress else [], lesson)
    return Requirement("watched", missing_s <= 0, _watched_text(ceil(missing_s)))


def missing_to_watch_s(merged: Sequence[Sequence[float]], lesson: Lesson) -> float:
    """How many different seconds are still to be watched; 0 when it is enough."""
    missing_s = round(lesson.required_s, 3) - intervals.covered_s(merged)
    return missing_s if missing_s >= GRAIN_S else 0.0


def _watched_text(missing_s: int) -> str:
    if missing_s <= 0:
        return _("Watched.")
    text = ngettext("Watch %(count)d more second.", "Watch %(count)d more seconds.", missing_s)
    return text % {"count": missing_s}


def quiz(enrolment: Enrolment, lesson: Lesson) -> Requirement | None:
    if not quiz_rule.is_needed(lesson):
        return None
    missing = quiz_rule.what_is_missing(enrolment, lesson)
    url = quiz_rule.url(lesson)
    return Requirement("quiz", not missing, missing or _("Quiz passed."), url)


def practice(enrolment: Enrolment, lesson: Lesson) -> Requirement | None:
    if not practice_rule.is_needed(lesson):
        return None
    missing = practice_rule.what_is_missing(enrolment, lesson)
    url = practice_rule.url(lesson)
    return Requirement("practice", not missing, missing or _("Practice accepted."), url)


RULES: tuple[Rule, ...] = (watched, quiz, practice)


def requirements(enrolment: Enrolment, lesson: Lesson) -> list[Requirement]:
    """Everything that the lesson asks for, met or not, in the order in which it is done."""
    asked = (rule(enrolment, lesson) for rule in RULES)
    return [one for one in asked if one is not None]


def settle(enrolment: Enrolment, lesson: Lesson) -> bool:
    """Mark the lesson as done if nothing is missing, and the course after its last; whether it is.

    Calling it again changes nothing, and what was done once stays done.
    """
    with transaction.atomic():
        # One lock for all lessons of one person's course: the last two lessons, finished by two
        # devices at once, must not each find the other unfinished.
        locked = Enrolment.objects.select_for_update().get(pk=enrolment.pk)
        progress, _made = Progress.objects.get_or_create(enrolment=locked, lesson=lesson)
        if progress.completed_at is None:
            if not all(one.is_done for one in requirements(locked, lesson)):
                return False
            progress.completed_at = now()
            progress.save(update_fields=["completed_at", "updated_at"])
        complete(locked)
    return True


def complete(enrolment: Enrolment) -> Certificate | None:
    """Complete the course when no lesson is left to do; its certificate, if there is one.

    Call it in a transaction that has locked the enrolment.
    """
    if enrolment.completed_at is None:
        if _lessons_left(enrolment):
            return None
        enrolment.completed_at = now()
        enrolment.save(update_fields=["completed_at"])
    return issue_certificate(enrolment)


def _lessons_left(enrolment: Enrolment) -> bool:
    """Whether a lesson of their edition is not done. One that is being prepared counts.

    One that failed does not, nor one that was taken back: nobody can watch it any more.
    """
    done = Progress.objects.filter(enrolment=enrolment, completed_at__isnull=False)
    lessons = Lesson.objects.filter(entries__edition=enrolment.edition_id)
    left = lessons.exclude(asset__state__in=(AssetState.FAILED, AssetState.WITHDRAWN))
    return left.exclude(pk__in=done.values("lesson")).exists()
