"""What is in a course's file: `course.json`, and the names and sizes that files beside it may have.

The file comes from strangers. Everything has a type and a limit here; what is not named is refused.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from django.utils.translation import gettext as _
from msgspec import Meta

from core.errors import InvalidInput
from courses.notes import NOTES_LENGTH
from courses.quizzes.editing import MOST_QUESTIONS
from courses.quizzes.wording import MOST_OPTIONS, OPTION_LENGTH, TEXT_LENGTH, UNIT_LENGTH
from courses.services import attachments, authoring, prerequisites
from media_pipeline.captions.tracks import MOST_TRACKS

FORMAT: Literal["livecommerce-course"] = "livecommerce-course"
VERSION: Literal[1] = 1
LIST = "course.json"
SUFFIX = ".livecourse.zip"
MEGABYTE = 1_000_000
LARGEST_LIST = 10 * MEGABYTE
LARGEST_FILM = 200 * MEGABYTE
LARGEST_POSTER = 8 * MEGABYTE
LARGEST_CAPTIONS = 2 * MEGABYTE
MOST_CHAPTERS = 100
LONGEST_WORDING = 4000
NAME = re.compile(
    r"lessons/\d{3}/(film\.mp4|poster\.jpg|captions-[A-Za-z0-9-]{2,20}\.vtt|file-\d\.[a-z0-9]{2,5})"
)

Line = Annotated[str, Meta(max_length=120, min_length=1)]
Second = Annotated[float, Meta(ge=0, le=3600)]
Count = Annotated[int, Meta(ge=0, le=10**9)]
Amount = Annotated[float, Meta(ge=0, le=1e9)]
Number = Annotated[float, Meta(ge=-1e12, le=1e12)]
TAG = "[a-z]{2,3}(-[A-Za-z0-9]{2,8}){0,2}"
Tag = Annotated[str, Meta(pattern=f"^{TAG}$", max_length=20)]
# One pattern: of `Tag | Literal[""]` msgspec takes only the first.
TagOrNone = Annotated[str, Meta(pattern=f"^({TAG})?$", max_length=20)]


class File(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A file of the archive. `size` in bytes, `sha256` as hexadecimal digits."""

    name: Annotated[str, Meta(max_length=60)]
    size: Annotated[int, Meta(ge=1, le=LARGEST_FILM)]
    sha256: Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]


class Captions(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """WebVTT in the clip's own time."""

    language: Tag
    is_automatic: bool
    file: File


class Beside(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A file beside a lesson; `name` is what people see."""

    name: Line
    file: File


class Chapter(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A product that was shown, in seconds of the clip; `price` in words, as it was said."""

    start_s: Second
    end_s: Second
    text: Annotated[str, Meta(max_length=220)]
    price: Annotated[str, Meta(max_length=40)] = ""


class Choice(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    text: Annotated[str, Meta(max_length=OPTION_LENGTH)]
    is_right: bool = False


Kind = Literal["choice", "order", "number", "moment"]


class Asked(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A question as its teacher wrote it (`quizzes.wording.Written`)."""

    kind: Kind
    text: Annotated[str, Meta(max_length=TEXT_LENGTH)]
    explained_s: Second
    options: Annotated[tuple[Choice, ...], Meta(max_length=MOST_OPTIONS)] = ()
    value: Number | None = None
    tolerance: Number | None = None
    unit: Annotated[str, Meta(max_length=UNIT_LENGTH)] = ""
    start_s: Second | None = None
    end_s: Second | None = None


class Quiz(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`is_open`: whether trainees are asked."""

    pass_percent: Annotated[int, Meta(ge=1, le=100)]
    is_open: bool
    questions: Annotated[tuple[Asked, ...], Meta(max_length=MOST_QUESTIONS)]


class Evidence(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Counts as in `streams.highlights.signals.Evidence`."""

    orders: Count
    orders_in_s: Amount
    usual_orders: Amount
    attributed: Amount
    questions: Count
    usual_questions: Amount
    topic: Annotated[str, Meta(max_length=40)]
    topic_questions: Count
    messages: Count
    usual_messages: Amount
    viewers_before: Count
    viewers_after: Count
    pinned: bool
    flash: bool


class Source(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where the clip came from, as the lesson's page tells everybody; no sums of money."""

    show_title: Line
    held_at: datetime | None
    seller_name: Annotated[str, Meta(max_length=80)]
    place: Annotated[str, Meta(max_length=120)] = ""
    product: Annotated[str, Meta(max_length=220)] = ""
    lot: Annotated[str, Meta(max_length=80)] = ""
    orders: Count = 0
    evidence: Evidence | None = None


class Consent(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What the seller agreed to, word for word; not who of the seller's people it was."""

    wording: Annotated[str, Meta(min_length=1, max_length=LONGEST_WORDING)]
    version: Annotated[str, Meta(min_length=1, max_length=20)]
    language: Annotated[str, Meta(min_length=2, max_length=20)]
    given_at: Annotated[datetime, Meta(tz=True)]


class Lesson(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    title: Line
    notes: Annotated[str, Meta(max_length=NOTES_LENGTH)] = ""
    required_share: Annotated[float, Meta(ge=0, le=0.95)]
    is_public: bool
    film: File
    poster: File | None = None
    captions: Annotated[tuple[Captions, ...], Meta(max_length=MOST_TRACKS)] = ()
    attachments: Annotated[tuple[Beside, ...], Meta(max_length=attachments.MOST_PER_LESSON)] = ()
    chapters: Annotated[tuple[Chapter, ...], Meta(max_length=MOST_CHAPTERS)] = ()
    quiz: Quiz | None = None
    source: Source | None = None
    consent: Consent

    def files(self) -> list[File]:
        """All of them, the film first."""
        poster = [self.poster] if self.poster else []
        captions = [one.file for one in self.captions]
        return [self.film, *poster, *captions, *(one.file for one in self.attachments)]


class Course(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`id` is the course's in the instance that wrote the file, and `site` that instance's name."""

    format: Literal["livecommerce-course"] = FORMAT
    version: Literal[1] = VERSION
    exported_at: Annotated[datetime, Meta(tz=True)]
    site: Line
    id: UUID
    title: Line
    summary: Annotated[str, Meta(max_length=authoring.SUMMARY_LENGTH)] = ""
    language: TagOrNone = ""
    prerequisites: Annotated[tuple[Line, ...], Meta(max_length=prerequisites.MOST)] = ()
    counts_background: bool = False
    lessons: Annotated[tuple[Lesson, ...], Meta(min_length=1, max_length=authoring.MAX_LESSONS)]

    def files(self) -> list[File]:
        return [file for lesson in self.lessons for file in lesson.files()]


class _Head(msgspec.Struct, frozen=True):
    format: str
    version: int


def read(data: bytes) -> Course:
    """The list of a course's file; `InvalidInput` says what is wrong with it."""
    try:
        head = msgspec.json.decode(data, type=_Head)
        _check_head(head)
        return msgspec.json.decode(data, type=Course)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError, ValueError) as error:
        told = _("The list of contents in this file (course.json) is not as it should be: %(why)s")
        raise InvalidInput(told % {"why": str(error)[:200]}, field="file") from error


def _check_head(head: _Head) -> None:
    if head.format != FORMAT:
        raise InvalidInput(_("This is not a course's file."), field="file")
    if head.version != VERSION:
        raise InvalidInput(
            _("This course's file has version %(version)d, and only %(known)d is known here. "
              "Update this site, or ask for the file in that version.")
            % {"version": head.version, "known": VERSION},
            field="file",
        )  # fmt: skip


def written(course: Course) -> bytes:
    """`course.json`, to be read by people, too."""
    return msgspec.json.format(msgspec.json.encode(course), indent=1)
