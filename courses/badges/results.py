"""What somebody did for a certificate, in figures of a whole course: nothing of it is a list."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from courses.badges import practised
from courses.models import Certificate
from courses.quizzes.models import Try


@dataclass(frozen=True, slots=True)
class Outcome:
    """One line: `kind` is its name in the badge, the rest are words."""

    kind: str
    name: str
    value: str


def outcomes(certificate: Certificate) -> list[Outcome]:
    found = (watched(certificate), quizzes(certificate), practice(certificate))
    return [one for one in found if one is not None]


def watched(certificate: Certificate) -> Outcome:
    minutes = max(1, round(certificate.watched_s / 60))
    lessons = ngettext("%(count)d lesson", "%(count)d lessons", certificate.lesson_count)
    spent = ngettext("%(count)d minute", "%(count)d minutes", minutes)
    value = f"{lessons % {'count': certificate.lesson_count}}, {spent % {'count': minutes}}"
    return Outcome("watched", _("Lessons watched"), value)


def quizzes(certificate: Certificate) -> Outcome | None:
    """The mean over the quizzes of the best that was handed in until the certificate was issued."""
    tries = Try.objects.filter(
        enrolment=certificate.enrolment_id,
        is_late=False,
        asked__gt=0,
        handed_in_at__lte=certificate.issued_at,
    )
    best: dict[int, float] = {}
    for quiz, right, asked in tries.values_list("paper__quiz", "right", "asked"):
        best[quiz] = max(best.get(quiz, 0.0), right / asked)
    if not best:
        return None
    percent = round(100 * sum(best.values()) / len(best))
    return Outcome("quizzes", _("Right answers in quizzes"), f"{percent} %")


def practice(certificate: Certificate) -> Outcome | None:
    count = len(practised.accepted(certificate))
    if not count:
        return None
    shows = ngettext("%(count)d show", "%(count)d shows", count) % {"count": count}
    return Outcome("practice", _("Practice accepted by a mentor"), shows)
