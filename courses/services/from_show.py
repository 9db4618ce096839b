"""A course, or more lessons of one, straight from a show: cut, agreed to, in order, published."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from core.accounts.models import User
from core.errors import InvalidInput
from courses.models import Course
from courses.services import authoring, editions
from courses.services.sources import ShowSales, checked_lot
from media_pipeline.clip_wishes import single
from media_pipeline.models import Asset, Recording
from media_pipeline.services import consents
from media_pipeline.services.clips import join_clip
from streams.models import Show

MOST_AT_ONCE = 20


@dataclass(frozen=True, slots=True)
class Pick:
    """One lesson to make: seconds of the recording. `row` is its row on the page."""

    row: int
    title: str
    start_s: float
    end_s: float
    lot: str = ""


@dataclass(frozen=True, slots=True)
class Agreement:
    """The wording of the consent that was shown to `actor`, who agrees for the seller."""

    actor: User
    version: str
    language: str


def add_from_show(
    course: Course,
    show: Show,
    picks: Sequence[Pick],
    *,
    edition: int,
    agreement: Agreement,
) -> list[Asset]:
    """Cut the picks (seconds of `edition` of the recording) and add them, in their order.

    All or nothing; whoever calls decides who may. What is in the draft already stays as it is.
    `InvalidInput` names the row's field (`start_s.3`), `RecordingChanged` an edition that is over.
    """
    _check_count(picks)
    recording = Recording.objects.get(show_id=show.public_id)
    sales = ShowSales(show)
    with transaction.atomic():
        return [_add(course, recording.public_id, one, edition, agreement, sales) for one in picks]


def _add(
    course: Course,
    recording_id: UUID,
    pick: Pick,
    edition: int,
    agreement: Agreement,
    sales: ShowSales,
) -> Asset:
    with _of_row(pick.row):
        lot = checked_lot(pick.lot)
        clip = join_clip(
            recording_id=recording_id,
            edition=edition,
            wish=single(pick.start_s, pick.end_s),
            title=pick.title,
            actor=agreement.actor,
        )
    consents.give(
        clip,
        actor=agreement.actor,
        version=agreement.version,
        language=agreement.language,
    )
    sales.keep(clip, lot=lot)
    clip.refresh_from_db()
    if not authoring.has_clip(course, clip):
        authoring.add_lesson(course, clip, pick.title)
    return clip


@contextmanager
def _of_row(row: int) -> Iterator[None]:
    """Say on which row of the page something is wrong."""
    try:
        yield
    except InvalidInput as error:
        raise InvalidInput(error.message, field=f"{error.field}.{row}") from error


def _check_count(picks: Sequence[Pick]) -> None:
    if not picks:
        raise InvalidInput(_("Tick at least one part."), field="picks")
    if len(picks) > MOST_AT_ONCE:
        raise InvalidInput(
            _("At most %(count)d lessons can be cut at once.") % {"count": MOST_AT_ONCE},
            field="picks",
        )


def course_of_show(
    show: Show,
    picks: Sequence[Pick],
    *,
    title: str,
    edition: int,
    agreement: Agreement,
    language: str = "",
    is_published: bool = True,
    public_id: UUID | None = None,
) -> Course:
    """A new course of these parts; `is_published` by itself once they are cut."""
    with transaction.atomic():
        course = authoring.create_course(
            author=agreement.actor, title=title, language=language, public_id=public_id
        )
        add_from_show(course, show, picks, edition=edition, agreement=agreement)
        if is_published:
            editions.publish_soon(course)
    return course
