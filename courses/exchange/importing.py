"""Making a draft of a course's file: all of it, or nothing.

Everything is looked at in a folder of its own first. Then films go to the storage, under ids that
nobody knows yet, and last all rows at once; where that fails, the files are taken away again.
"""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from django.core.exceptions import SuspiciousFileOperation
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from core.accounts.models import User
from core.errors import Conflict, InvalidInput
from core.ids import new_id
from core.pictures import made_anew
from courses.exchange import manifest, package, rows
from courses.exchange.manifest import Lesson
from courses.exchange.models import BroughtCourse
from courses.exchange.package import Package
from courses.models import Course
from courses.services import attachments, authoring
from media_pipeline.captions import formats
from media_pipeline.captions.cues import Cue
from media_pipeline.ffmpeg import MediaTimeout, SourceUnreadable
from media_pipeline.renditions import CLIP, POSTER
from media_pipeline.services import brought
from media_pipeline.storage import storage, work_folder

SPARE = 1000**3
"""Bytes of the disk that stay free: shows are being recorded to it."""


class BroughtBefore(Conflict):
    """This course was imported here already; it can be, again, by choice."""

    code = "imported_before"


@dataclass(frozen=True, slots=True)
class Ready:
    """A lesson whose files were looked at, and where they wait."""

    lesson: Lesson
    clip_id: uuid.UUID
    folder: Path
    film: brought.Film
    captions: list[tuple[manifest.Captions, list[Cue]]]
    attachments: list[rows.Kept] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Imported:
    """The draft, and the titles of courses to be finished first that are not here."""

    course: Course
    not_here: list[str]


def bring(path: Path, *, owner: User, again: bool = False) -> Imported:
    """A draft of the course in the file, of `owner`'s; whoever calls decides who may.

    Raises `InvalidInput` (`file`) for a file that is not as it should be, `BroughtBefore` for a
    course that was brought already unless `again`, and `Conflict` where the disk is too full.
    """
    with package.opened(path) as found, _work() as folder:
        _check_course(found.course)
        if not again:
            _check_first(found)
        _check_room(found, folder)
        ready = [
            _looked_at(found, lesson, folder / str(number), number)
            for number, lesson in enumerate(found.course.lessons, start=1)
        ]
        return _kept(found, ready, owner, again)


@contextmanager
def _work() -> Iterator[Path]:
    with TemporaryDirectory(prefix="course-", dir=work_folder()) as name:
        yield Path(name)


def _check_first(found: Package) -> None:
    known = BroughtCourse.objects.filter(origin_id=found.course.id).select_related("course")
    first = known.order_by("pk").first()
    if first is None:
        return
    words = {"title": first.course.title, "day": f"{first.brought_at:%Y-%m-%d}"}
    if known.filter(digest=found.digest).exists():
        told = _("This very file was imported already, on %(day)s: “%(title)s”.")
    else:
        told = _("Another file of this course was imported already, on %(day)s: “%(title)s”.")
    raise BroughtBefore(f"{told % words} {_('Importing it again makes a second draft.')}")


def _check_room(found: Package, folder: Path) -> None:
    needed = sum(file.size for file in found.course.files()) + SPARE
    if shutil.disk_usage(folder).free < needed:
        raise Conflict(_("There is not enough room on this machine's disk for these films."))


def _check_course(course: manifest.Course) -> None:
    try:
        authoring.checked_title(course.title)
        authoring.checked_summary(course.summary)
    except InvalidInput as error:
        raise package.refused(error.message) from error
    sizes = (one.file.size for lesson in course.lessons for one in lesson.attachments)
    if sum(sizes) > attachments.QUOTA:
        raise package.refused(
            _("The files of a course have at most %(size)d MB together. Take some out first.")
            % {"size": attachments.QUOTA // attachments.MEGABYTE}
        )


def _looked_at(found: Package, lesson: Lesson, folder: Path, number: int) -> Ready:
    """Its files in `folder`, as they will be stored; `InvalidInput` names the lesson."""
    try:
        folder.mkdir()
        rows.check_words(lesson)
        found.copy(lesson.film, folder / CLIP)
        film = brought.film_of(folder / CLIP)
        rows.check_times(lesson, film.duration_s)
        if lesson.poster:
            poster = made_anew(found.read(lesson.poster), field="file")
            (folder / POSTER).write_bytes(poster)
        captions = [(one, _cues(found.read(one.file), film)) for one in lesson.captions]
        beside = [_beside(one, found.read(one.file)) for one in lesson.attachments]
    except (SourceUnreadable, MediaTimeout) as error:
        raise _of_lesson(number, lesson, str(error)) from error
    except InvalidInput as error:
        raise _of_lesson(number, lesson, error.message) from error
    return Ready(lesson, new_id(), folder, film, captions, beside)


def _of_lesson(number: int, lesson: Lesson, why: str) -> InvalidInput:
    words = {"number": number, "title": lesson.title, "why": why}
    return package.refused(_("Lesson %(number)d, “%(title)s”: %(why)s") % words)


def _cues(data: bytes, film: brought.Film) -> list[Cue]:
    read = formats.read(data)
    if read.problems:
        first = read.problems[0]
        words = {"line": first.line, "text": first.text}
        raise package.refused(_("Line %(line)d: %(text)s") % words)
    return rows.checked_cues(read.cues, film.duration_s)


def _beside(one: manifest.Beside, data: bytes) -> rows.Kept:
    try:
        file = SimpleUploadedFile(one.name, data)
    except SuspiciousFileOperation as error:  # "..", or nothing behind the last slash
        raise package.refused(
            _("“%(name)s” has no place in a course's file.") % {"name": ascii(one.name)[1:-1][:80]}
        ) from error
    name, kind, data = attachments.checked(file)
    made_id = new_id()
    return rows.Kept(made_id, name, f"private/attachments/{made_id}/file.{kind}", data)


def _kept(found: Package, ready: Sequence[Ready], owner: User, again: bool) -> Imported:
    try:
        _store(ready)
        with transaction.atomic():
            course, not_here = rows.course_of(found.course, owner)
            BroughtCourse.objects.create(
                course=course,
                origin_id=found.course.id,
                origin_site=found.course.site,
                digest=found.digest,
                is_again=again,
                brought_by=owner,
            )
            for one in ready:
                clip = rows.clip_of(one.lesson, one.clip_id, one.film, owner)
                for captions, cues in one.captions:
                    rows.add_captions(clip, captions, cues, owner)
                rows.add_lesson(course, one.lesson, clip, one.attachments, owner)
    except BaseException as error:
        _take_away(ready)
        if isinstance(error, IntegrityError) and not again:
            _check_first(found)  # somebody brought it at the same moment
        raise
    course.refresh_from_db()
    return Imported(course, not_here)


def _store(ready: Sequence[Ready]) -> None:
    for one in ready:
        storage().write_folder(brought.folder_of(one.clip_id), one.folder)
        for file in one.attachments:
            storage().write(file.key, file.data)


def _take_away(ready: Sequence[Ready]) -> None:
    for one in ready:
        storage().delete_folder(f"private/clips/{one.clip_id}")
        for file in one.attachments:
            storage().delete_folder(file.key.rpartition("/")[0])
