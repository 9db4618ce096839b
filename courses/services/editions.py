"""Editions: the draft in which a course is changed, its publication, and moving on to it."""

from __future__ import annotations

from functools import partial
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from core.clock import now
from core.errors import Conflict
from courses.models import (
    Course,
    CourseState,
    Edition,
    EditionLesson,
    EditionState,
    Enrolment,
    Lesson,
)
from media_pipeline.models import AssetState
from media_pipeline.services import consents
from media_pipeline.storage import storage


def published_edition(course: Course) -> Edition | None:
    """The newest edition that everybody may begin."""
    published = course.editions.filter(state=EditionState.PUBLISHED)
    return published.order_by("-number").first()


def draft_if_any(course: Course) -> Edition | None:
    return course.editions.filter(state=EditionState.DRAFT).first()


def edition_to_begin(course: Course) -> Edition:
    """The newest published edition; `Conflict` on a course that has none."""
    newest = published_edition(course)
    if newest is None:
        raise Conflict(_("This course is not published yet."))
    return newest


def draft_of(course: Course) -> Edition:
    """The draft of the course's next edition; made, with what the last one has, when first asked.

    Call it in a transaction that has locked the course.
    """
    draft = draft_if_any(course)
    if draft is not None:
        return draft
    last = course.editions.order_by("-number").first()
    draft = Edition.objects.create(course=course, number=last.number + 1 if last else 1)
    for entry in last.entries.all() if last else ():
        _copied(entry, draft)
    return draft


def _copied(entry: EditionLesson, edition: Edition) -> None:
    copy = EditionLesson.objects.create(
        edition=edition,
        lesson_id=entry.lesson_id,
        position=entry.position,
        title=entry.title,
        notes=entry.notes,
    )
    copy.attachments.set(entry.attachments.all())


def is_published(lesson: Lesson) -> bool:
    return lesson.entries.filter(edition__state=EditionState.PUBLISHED).exists()


def publish(course: Course) -> None:
    """Publish the draft; whoever has watched nothing yet gets it, others when they move on.

    Without a draft nothing happens. `Conflict` while nothing in it can be watched yet,
    `ConsentMissing` while a seller has not agreed to a lesson of it.
    """
    with transaction.atomic():
        Course.objects.select_for_update().get(pk=course.pk)
        draft = draft_if_any(course)
        if draft is None and published_edition(course) is not None:
            return
        draft = draft or draft_of(course)
        _check_publishable(draft)
        _publish(course, draft)
    course.refresh_from_db()


def publish_soon(course: Course) -> bool:
    """Publish the draft now, or by itself once the last of its clips is made; whether it is.

    Raises as `publish`, but for a draft of which nothing is ready yet.
    """
    with transaction.atomic():
        Course.objects.select_for_update().get(pk=course.pk)
        draft = draft_if_any(course)
        if draft is not None and _waits(draft):
            _require_consents(draft)
            Edition.objects.filter(pk=draft.pk).update(publish_when_ready=True)
            return False
    publish(course)
    return True


def do_not_publish(course: Course) -> None:
    """The draft waits for its authors again."""
    course.editions.filter(state=EditionState.DRAFT).update(publish_when_ready=False)


def publish_if_ready(course: Course) -> bool:
    """Publish a draft that was to be published when ready, if it is; whether that was done.

    What cannot be published, because a clip came to nothing or was taken back meanwhile, waits
    for its authors.
    """
    with transaction.atomic():
        Course.objects.select_for_update().get(pk=course.pk)
        wanted = course.editions.filter(state=EditionState.DRAFT, publish_when_ready=True).first()
        if wanted is None or _waits(wanted) or _has_failed(wanted):
            return False
        try:
            _check_publishable(wanted)
        except Conflict:
            do_not_publish(course)
            return False
        _publish(course, wanted)
    return True


def clip_is_ready(asset_id: UUID) -> None:
    """Publish what waited for this clip alone."""
    waiting = Edition.objects.filter(
        state=EditionState.DRAFT,
        publish_when_ready=True,
        entries__lesson__asset__public_id=asset_id,
    )
    for edition in waiting.select_related("course").order_by("course"):
        publish_if_ready(edition.course)


def _waits(draft: Edition) -> bool:
    return draft.entries.filter(lesson__asset__state=AssetState.WAITING).exists()


def _has_failed(draft: Edition) -> bool:
    gone = (AssetState.FAILED, AssetState.WITHDRAWN)
    return draft.entries.filter(lesson__asset__state__in=gone).exists()


def _check_publishable(draft: Edition) -> None:
    _require_consents(draft)
    lessons = Lesson.objects.filter(entries__edition=draft)
    ready = lessons.filter(asset__state=AssetState.READY, asset__consented_at__isnull=False)
    if not ready.exists():
        raise Conflict(_("Add at least one lesson that is ready to watch."))


def _require_consents(draft: Edition) -> None:
    lessons = Lesson.objects.filter(entries__edition=draft)
    for lesson in lessons.select_related("asset"):
        if lesson.is_waiting_for_consent:
            consents.require(lesson.asset)


def _publish(course: Course, draft: Edition) -> None:
    at = now()
    Edition.objects.filter(pk=draft.pk).update(
        state=EditionState.PUBLISHED, published_at=at, publish_when_ready=False
    )
    Course.objects.filter(pk=course.pk, state=CourseState.DRAFT).update(
        state=CourseState.PUBLISHED, published_at=at
    )
    for entry in draft.entries.all():
        Lesson.objects.filter(pk=entry.lesson_id).update(title=entry.title)
    unbegun = Enrolment.objects.filter(course=course, completed_at=None, progress=None)
    unbegun.update(edition=draft)


def discard_draft(course: Course) -> None:
    """Drop what was changed since the last publication. `Conflict` where there was none."""
    with transaction.atomic():
        Course.objects.select_for_update().get(pk=course.pk)
        if published_edition(course) is None:
            raise Conflict(_("This course was never published: there is nothing to go back to."))
        course.editions.filter(state=EditionState.DRAFT).delete()
        drop_unused_files(course)
        drop_lessons_of_no_edition(course)


def drop_lessons_of_no_edition(course: Course) -> None:
    """Lessons that only a draft had: nobody can have begun them."""
    course.lessons.filter(entries=None).delete()


def drop_unused_files(course: Course) -> None:
    """Files that no edition has any more."""
    for gone in course.attachments.filter(entries=None):
        gone.delete()
        transaction.on_commit(partial(storage().delete, gone.key))


def move_on(enrolment: Enrolment) -> Edition:
    """Put a trainee into the newest edition; what they have done of its lessons counts there."""
    newest = edition_to_begin(enrolment.course)
    Enrolment.objects.filter(pk=enrolment.pk).update(edition=newest)
    enrolment.edition = newest
    return newest
