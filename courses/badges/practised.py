"""The practice that a certificate rests on: shows that a mentor accepted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from courses.models import Certificate
from courses.practice.models import Attempt, AttemptState
from media_pipeline.models import Asset, AssetKind, AssetState
from media_pipeline.storage import storage


@dataclass(frozen=True, slots=True)
class PracticeView:
    """An accepted attempt as it is shown, without who decided it: that is another person's name.

    `film_url` is empty where the recording is not shown, or is no more.
    """

    lesson: str
    number: int
    began_at: datetime | None
    decided_at: datetime | None
    film_url: str


def accepted(certificate: Certificate) -> list[Attempt]:
    """What was accepted, in the order in which it was."""
    attempts = Attempt.objects.filter(
        enrolment=certificate.enrolment_id, state=AttemptState.ACCEPTED
    )
    return list(attempts.select_related("task__lesson").order_by("decided_at", "pk"))


def view_of(attempt: Attempt, *, with_film: bool) -> PracticeView:
    return PracticeView(
        lesson=attempt.task.lesson.title,
        number=attempt.number,
        began_at=attempt.began_at,
        decided_at=attempt.decided_at,
        film_url=_film_url(attempt) if with_film else "",
    )


def _film_url(attempt: Attempt) -> str:
    """A signed address for some hours: who loses the right to see it loses the film."""
    if attempt.film_deleted_at:
        return ""
    films = Asset.objects.filter(
        recording__show_id=attempt.show_id, kind=AssetKind.RECORDING, state=AssetState.READY
    )
    film = films.exclude(download_key="").order_by("-pk").first()
    return storage().url(film.download_key) if film else ""
