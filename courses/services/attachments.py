"""Files beside a lesson: few, small, of kinds that open on a phone, and never run in a page."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from io import BytesIO
from urllib.parse import quote

from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.db.models import Sum
from django.utils.translation import gettext as _

from core.accounts.models import User
from core.errors import Conflict, InvalidInput, NotFound
from core.text import clean_line
from courses.models import Attachment, Course, Edition, Lesson
from courses.services import editions
from media_pipeline.storage import storage

MEGABYTE = 1_000_000
LARGEST = 10 * MEGABYTE
MOST_PER_LESSON = 5
QUOTA = 100 * MEGABYTE
NAME_LENGTH = 120


def _office(part: str) -> Callable[[bytes], bool]:
    def is_it(data: bytes) -> bool:
        try:
            with zipfile.ZipFile(BytesIO(data)) as found:
                return any(name.startswith(part) for name in found.namelist())
        except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError):
            return False  # the second: of a version of ZIP that is not known here

    return is_it


def _begins(*starts: bytes) -> Callable[[bytes], bool]:
    return lambda data: data.startswith(starts)


def _is_text(data: bytes) -> bool:
    try:
        return "\x00" not in data.decode()
    except UnicodeDecodeError:
        return False


# What a name promises must be what the bytes are: people open these on their own phones.
KINDS: dict[str, Callable[[bytes], bool]] = {
    "pdf": _begins(b"%PDF-"),
    "jpg": _begins(b"\xff\xd8\xff"),
    "jpeg": _begins(b"\xff\xd8\xff"),
    "png": _begins(b"\x89PNG\r\n\x1a\n"),
    "webp": lambda data: data[:4] == b"RIFF" and data[8:12] == b"WEBP",
    "mp3": _begins(b"ID3", b"\xff\xfb", b"\xff\xf3", b"\xff\xf2"),
    "docx": _office("word/"),
    "xlsx": _office("xl/"),
    "pptx": _office("ppt/"),
    "txt": _is_text,
    "csv": _is_text,
}


def attach(lesson: Lesson, file: UploadedFile[bytes], *, actor: User) -> Attachment:
    """Put a file beside the lesson in the draft.

    `InvalidInput` names `file` where it is empty, too large or not what its name says; `Conflict`
    where the lesson or the course has as much as it may.
    """
    name, kind, data = checked(file)
    with transaction.atomic():
        draft = _locked_draft(lesson)
        entry = draft.entries.filter(lesson=lesson).first()
        if entry is None:
            raise NotFound(_("There is no such lesson."))
        if entry.attachments.count() >= MOST_PER_LESSON:
            raise Conflict(_("A lesson has at most %(count)d files.") % {"count": MOST_PER_LESSON})
        _check_quota(lesson.course, len(data))
        made = Attachment(course=lesson.course, name=name, size=len(data), created_by=actor)
        made.key = f"private/attachments/{made.public_id}/file.{kind}"
        made.save()
        entry.attachments.add(made)
        # Last: what is refused above leaves no file, and a row without one is rolled back.
        storage().write(made.key, data)
    return made


def detach(lesson: Lesson, attachment: Attachment) -> None:
    """Take a file away in the draft. It is deleted once no edition has it."""
    with transaction.atomic():
        draft = _locked_draft(lesson)
        for entry in draft.entries.filter(lesson=lesson):
            entry.attachments.remove(attachment)
        editions.drop_unused_files(lesson.course)


def taken(course: Course) -> int:
    """Bytes of the course's files."""
    return course.attachments.aggregate(all=Sum("size"))["all"] or 0


def address(attachment: Attachment) -> str:
    """Where it is saved from, for some hours."""
    return f"{storage().url(attachment.key)}?download={quote(attachment.name)}"


def checked(file: UploadedFile[bytes]) -> tuple[str, str, bytes]:
    """(name, kind, bytes) of what may be beside a lesson; raises as `attach`."""
    name = clean_line(file.name or "", "file", longest=NAME_LENGTH)
    kind = name.rpartition(".")[2].lower()
    if kind not in KINDS:
        raise InvalidInput(
            _("Files of this kind cannot be attached. These can: %(kinds)s.")
            % {"kinds": ", ".join(KINDS)},
            field="file",
        )
    if (file.size or 0) > LARGEST:
        raise InvalidInput(
            _("A file has at most %(size)d MB. Make it smaller, or split it.")
            % {"size": LARGEST // MEGABYTE},
            field="file",
        )
    data = file.read()
    if not data:
        raise InvalidInput(_("This file is empty."), field="file")
    if not KINDS[kind](data):
        raise InvalidInput(
            _("This file is not what its name says. Save it again as %(kind)s.") % {"kind": kind},
            field="file",
        )
    return name, kind, data


def _check_quota(course: Course, more: int) -> None:
    if taken(course) + more > QUOTA:
        raise Conflict(
            _("The files of a course have at most %(size)d MB together. Take some out first.")
            % {"size": QUOTA // MEGABYTE}
        )


def _locked_draft(lesson: Lesson) -> Edition:
    return editions.draft_of(Course.objects.select_for_update().get(pk=lesson.course_id))
