"""Writing a course into one file: what may go along is decided first, then its files are streamed.

Nothing of a film is in memory but the block that is on its way, and no file of the whole is made:
each film is read from the storage when it is its turn.
"""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import IO, TYPE_CHECKING, cast

import msgspec
from django.conf import settings
from django.utils.text import slugify
from django.utils.translation import gettext as _

from core.accounts.models import User
from core.clock import now
from core.errors import Conflict
from courses.exchange import lesson_words, manifest
from courses.exchange.manifest import File
from courses.models import Course, EditionLesson
from courses.services import cloning, editions
from media_pipeline.models import Asset, AssetState
from media_pipeline.services import consents
from media_pipeline.storage import NoSuchFile, storage

if TYPE_CHECKING:
    from typing_extensions import Buffer

BLOCK = 1024**2


@dataclass(frozen=True, slots=True)
class Source:
    """A file to be written: `key` of the storage, or `data`."""

    name: str
    size: int
    key: str = ""
    data: bytes = b""


@dataclass(frozen=True, slots=True)
class PlannedLesson:
    """`words` has everything but the files, whose hashes are known once they were read."""

    entry: EditionLesson
    words: lesson_words.Words
    film: Source
    poster: Source | None
    captions: list[tuple[str, bool, Source]]
    attachments: list[tuple[str, Source]]

    @property
    def sources(self) -> list[Source]:
        poster = [self.poster] if self.poster else []
        captions = [source for _tag, _is_automatic, source in self.captions]
        return [self.film, *poster, *captions, *(source for _name, source in self.attachments)]


@dataclass(frozen=True, slots=True)
class Plan:
    """What goes into the file, and in words what does not: (title of the lesson, why)."""

    course: Course
    at: datetime
    lessons: list[PlannedLesson]
    left_out: list[tuple[str, str]]
    sellers: list[str] = field(default_factory=list)

    @property
    def size(self) -> int:
        """Bytes of its films and other files."""
        return sum(one.size for lesson in self.lessons for one in lesson.sources)

    @property
    def file_name(self) -> str:
        stem = slugify(self.course.title, allow_unicode=True)[:60] or "course"
        return f"{stem}{manifest.SUFFIX}"


def planned(course: Course, *, by: User | None) -> Plan:
    """What `by` may take along of the newest edition; `None`: who runs the instance, all of it.

    Raises `Conflict` where nothing of it may go.
    """
    edition = editions.published_edition(course) or editions.draft_if_any(course)
    entries = (
        list(edition.entries.select_related("lesson__asset__recording", "lesson__asset__source"))
        if edition
        else []
    )
    lessons: list[PlannedLesson] = []
    left_out: list[tuple[str, str]] = []
    for entry in entries:
        if why := _refused(entry.lesson.asset, by):
            left_out.append((entry.title, why))
        else:
            lessons.append(_lesson(entry, f"lessons/{len(lessons) + 1:03d}"))
    if not lessons:
        raise Conflict(_nothing(left_out))
    named = (one.words.source.seller_name for one in lessons if one.words.source)
    return Plan(course, now(), lessons, left_out, list(dict.fromkeys(filter(None, named))))


def _nothing(left_out: list[tuple[str, str]]) -> str:
    if not left_out:
        return _("This course has no lessons yet: there is nothing to export.")
    lines = "; ".join(f"“{title}”: {why}" for title, why in left_out[:10])
    return _("Nothing of this course can be exported. %(why)s") % {"why": lines}


def _refused(clip: Asset, by: User | None) -> str:
    """Why the clip stays here; empty if it may go."""
    if clip.state == AssetState.WITHDRAWN:
        return _("its seller has taken it back.")
    if clip.state != AssetState.READY:
        return _("its film is not ready.")
    if clip.consented_at is None or consents.in_force(clip) is None:
        return _("no consent of its seller is on record.")
    if by is not None and not cloning.may_show(by, clip):
        return _("it was filmed for invited guests.")
    size = storage().size(clip.download_key) if clip.download_key else None
    if size is None:
        return _("its film is missing.")
    if size > manifest.LARGEST_FILM:
        return _("its film is too large.")
    return ""


def _lesson(entry: EditionLesson, folder: str) -> PlannedLesson:
    clip = entry.lesson.asset
    captions = [
        (language, is_automatic, Source(f"{folder}/captions-{language}.vtt", len(data), data=data))
        for language, is_automatic, data in lesson_words.captions(clip)
    ]
    files = enumerate(entry.attachments.order_by("pk"), start=1)
    attachments = [
        (file.name, found)
        for number, file in files
        if (found := _stored(f"{folder}/file-{number}.{file.key.rpartition('.')[2]}", file.key))
    ]
    film = _stored(f"{folder}/film.mp4", clip.download_key)
    if film is None:
        raise Conflict(_("A film went away meanwhile. Please try again."))
    poster = _stored(f"{folder}/poster.jpg", clip.poster_key) if clip.poster_key else None
    return PlannedLesson(entry, lesson_words.of(entry), film, poster, captions, attachments)


def _stored(name: str, key: str) -> Source | None:
    size = storage().size(key)
    return Source(name, size, key=key) if size else None


def stream(plan: Plan) -> Iterator[bytes]:
    """The file, block by block; the list with all hashes is its last part.

    What is taken back meanwhile breaks it off (`ConsentMissing`): half a file is no course.
    """
    sink = _Sink()
    with zipfile.ZipFile(cast(IO[bytes], sink), "w") as archive:
        lessons: list[manifest.Lesson] = []
        for lesson in plan.lessons:
            consents.require(Asset.objects.get(pk=lesson.entry.lesson.asset_id))
            files: dict[str, File] = {}
            for source in lesson.sources:
                yield from _written(archive, sink, source, plan, files)
            lessons.append(_listed(lesson, files))
        listed = Source(manifest.LIST, 0, data=manifest.written(_course(plan, lessons)))
        yield from _written(archive, sink, listed, plan, {})
    yield sink.taken()


def _written(
    archive: zipfile.ZipFile,
    sink: _Sink,
    source: Source,
    plan: Plan,
    files: dict[str, File],
) -> Iterator[bytes]:
    """Films do not get smaller: all is stored as it is."""
    about = zipfile.ZipInfo(source.name, date_time=plan.at.timetuple()[:6])
    about.external_attr = 0o644 << 16
    digest, size = hashlib.sha256(), 0
    with _opened(source) as data, archive.open(about, "w") as part:
        while block := data.read(BLOCK):
            part.write(block)
            digest.update(block)
            size += len(block)
            yield sink.taken()
    files[source.name] = File(name=source.name, size=size, sha256=digest.hexdigest())


@contextmanager
def _opened(source: Source) -> Iterator[IO[bytes]]:
    """Raises `Conflict` for what was there when the export began."""
    if not source.key:
        yield io.BytesIO(source.data)
        return
    try:
        with storage().local_path(source.key) as path, path.open("rb") as file:
            yield file
    except NoSuchFile as error:
        raise Conflict(_("A film went away meanwhile. Please try again.")) from error


class _Sink(io.RawIOBase):
    """Where the archive writes; it cannot go back, so what was written can be sent at once."""

    def __init__(self) -> None:
        super().__init__()
        self._parts: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: Buffer, /) -> int:
        self._parts.append(bytes(data))
        return len(self._parts[-1])

    def taken(self) -> bytes:
        found = b"".join(self._parts)
        self._parts.clear()
        return found


def _listed(lesson: PlannedLesson, files: dict[str, File]) -> manifest.Lesson:
    words, entry = lesson.words, lesson.entry
    return manifest.Lesson(
        title=entry.title,
        notes=entry.notes,
        required_share=entry.lesson.required_share,
        is_public=entry.lesson.asset.is_public,
        film=files[lesson.film.name],
        poster=files[lesson.poster.name] if lesson.poster else None,
        captions=tuple(
            manifest.Captions(language=tag, is_automatic=is_automatic, file=files[one.name])
            for tag, is_automatic, one in lesson.captions
        ),
        attachments=tuple(
            manifest.Beside(name=name, file=files[one.name]) for name, one in lesson.attachments
        ),
        chapters=words.chapters,
        quiz=words.quiz,
        source=words.source,
        consent=words.consent,
    )


def _course(plan: Plan, lessons: list[manifest.Lesson]) -> manifest.Course:
    course = plan.course
    before = course.prerequisites.order_by("title").values_list("title", flat=True)
    made = manifest.Course(
        exported_at=plan.at,
        site=settings.SITE_NAME[:120],
        id=course.public_id,
        title=course.title,
        summary=course.summary,
        language=course.language,
        prerequisites=tuple(before),
        counts_background=course.counts_background,
        lessons=tuple(lessons),
    )
    # Types are not checked when a structure is made: what cannot be read again is not written.
    return msgspec.convert(msgspec.to_builtins(made), manifest.Course)
