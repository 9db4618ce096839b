"""A course for another county: a draft of its own, with the same clips, to be changed at will."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from django.db import transaction

from core.accounts.models import User
from core.ids import new_id
from courses import access
from courses.models import Attachment, Course, Edition, EditionLesson, Lesson
from courses.services import authoring, editions
from media_pipeline.models import Asset
from media_pipeline.storage import NoSuchFile, storage

# What else belongs to a lesson: (the lesson, its copy). `livecommerce.wiring` names them.
copiers: list[Callable[[Lesson, Lesson], None]] = []


@dataclass(frozen=True, slots=True)
class Copied:
    """The copy, and the titles of lessons whose clip its owner may not use."""

    course: Course
    left_out: list[str]


def clone(course: Course, *, owner: User, title: str = "", language: str = "") -> Copied:
    """A draft of the course's newest edition for `owner`, who can change it without the others.

    Progress, trainees and certificates stay where they are. Clips are shared: consent that is
    taken back takes them down in the copy, too. `InvalidInput` for a bad title or language.
    """
    made = authoring.create_course(
        author=owner,
        title=title or course.title,
        summary=course.summary,
        language=language or course.language,
    )
    last = editions.published_edition(course) or editions.draft_if_any(course)
    with transaction.atomic():
        Course.objects.filter(pk=made.pk).update(copied_from=course)
        made.prerequisites.set(course.prerequisites.all())
        draft = editions.draft_of(Course.objects.select_for_update().get(pk=made.pk))
        left_out = [one.title for one in _entries(last) if not _copy(one, draft, owner)]
    made.refresh_from_db()
    return Copied(made, left_out)


def _entries(edition: Edition | None) -> list[EditionLesson]:
    if edition is None:
        return []
    return list(edition.entries.select_related("lesson__asset").order_by("position"))


def _copy(entry: EditionLesson, draft: Edition, owner: User) -> bool:
    """Whether the lesson was copied."""
    if not may_show(owner, entry.lesson.asset):
        return False
    lesson = Lesson.objects.create(
        course=draft.course,
        asset=entry.lesson.asset,
        title=entry.title,
        required_share=entry.lesson.required_share,
    )
    copy = EditionLesson.objects.create(
        edition=draft,
        lesson=lesson,
        position=draft.entries.count(),
        title=entry.title,
        notes=entry.notes,
    )
    for file in entry.attachments.all():
        if (one := _copied_file(file, draft.course)) is not None:
            copy.attachments.add(one)
    for copier in copiers:
        copier(entry.lesson, lesson)
    return True


def may_show(owner: User, clip: Asset) -> bool:
    """What everybody may see and its seller agreed to, and what is the owner's own."""
    is_open = clip.is_public and clip.consented_at is not None
    return is_open or access.usable_clips(owner).filter(pk=clip.pk).exists()


def _copied_file(file: Attachment, course: Course) -> Attachment | None:
    """A file of its own: the original may go."""
    try:
        data = storage().read(file.key)
    except NoSuchFile:
        return None
    made_id = new_id()
    key = f"private/attachments/{made_id}/{file.key.rpartition('/')[2]}"
    storage().write(key, data)
    return Attachment.objects.create(
        public_id=made_id,
        course=course,
        name=file.name,
        key=key,
        size=file.size,
        created_by=course.created_by,
    )
