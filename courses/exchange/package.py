"""Reading a course's file that a stranger wrote: nothing is believed, and everything has a limit.

No name in it ever becomes a path here: who reads says where a file goes.
"""

from __future__ import annotations

import hashlib
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from django.utils.translation import gettext as _

from core.errors import InvalidInput
from courses.exchange import manifest
from courses.exchange.manifest import Course, File

MOST_BYTES = 20 * 1000**3
MOST_ENTRIES = 2000
# What lists the entries is read at once: 2,000 of them need a fifth of this.
LARGEST_DIRECTORY = 1024**2
# Films and words do not become so much smaller; what bursts when it is opened does.
MOST_RATIO, RATIO_FROM = 200, 1024**2
BLOCK = 1024**2
END, END_SIZE = b"PK\x05\x06", 22
END64, LOCATOR64, LOCATOR64_SIZE, END64_SIZE = b"PK\x06\x06", b"PK\x06\x07", 20, 56
BROKEN = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    NotImplementedError,
    RuntimeError,
    ValueError,
    OverflowError,
)


@dataclass(frozen=True, slots=True)
class Package:
    """A course's file of which the list and the names, sizes and kinds of all entries are right."""

    archive: zipfile.ZipFile
    course: Course
    digest: str

    def read(self, file: File) -> bytes:
        """A small file of it; `InvalidInput` where it is not what the list says."""
        return b"".join(_blocks(self.archive, file))

    def copy(self, file: File, target: Path) -> None:
        """Raises as `read`."""
        with target.open("wb") as written:
            for block in _blocks(self.archive, file):
                written.write(block)


@contextmanager
def opened(path: Path) -> Iterator[Package]:
    """The file to read from; `InvalidInput` says what is wrong with it."""
    if path.stat().st_size > MOST_BYTES:
        raise refused(_("This file is too large: a course has at most %(size)d GB.")
                      % {"size": MOST_BYTES // 1000**3})  # fmt: skip
    with path.open("rb") as file:
        _check_end(file)
        try:
            archive = zipfile.ZipFile(file)
        except BROKEN as error:
            raise _not_whole() from error
        with archive:
            entries = _checked(archive.infolist())
            listed = _list(archive, entries)
            course = manifest.read(listed)
            _check_files(course, entries)
            yield Package(archive, course, hashlib.sha256(listed).hexdigest())


def refused(text: str) -> InvalidInput:
    return InvalidInput(text, field="file")


def _not_whole() -> InvalidInput:
    return refused(
        _("This file did not arrive whole, or was changed. Copy it again from where it was made.")
    )


def _check_end(file: IO[bytes]) -> None:
    """Before the list of entries is read: is it one, and how long?"""
    file.seek(0)
    if file.read(4) != b"PK\x03\x04":
        raise refused(_("This is not a course's file. Its name ends in .livecourse.zip."))
    size = file.seek(0, 2)
    tail_at = max(0, size - END_SIZE - LOCATOR64_SIZE - END64_SIZE)
    file.seek(tail_at)
    tail = file.read()
    end = tail[-END_SIZE:]
    if len(end) < END_SIZE or end[:4] != END or end[-2:] != b"\0\0":
        raise _not_whole()
    lengths = [struct.unpack("<L", end[12:16])[0]]
    locator = tail[-END_SIZE - LOCATOR64_SIZE : -END_SIZE]
    if locator[:4] == LOCATOR64:
        end64 = tail[:END64_SIZE]
        if end64[:4] != END64:
            raise _not_whole()
        lengths = [struct.unpack("<Q", end64[40:48])[0]]
    if max(lengths) > LARGEST_DIRECTORY:
        raise _too_many()


def _too_many() -> InvalidInput:
    return refused(_("There are too many files in it: %(most)d at most.") % {"most": MOST_ENTRIES})


def _checked(infos: list[zipfile.ZipInfo]) -> dict[str, zipfile.ZipInfo]:
    if len(infos) > MOST_ENTRIES:
        raise _too_many()
    entries: dict[str, zipfile.ZipInfo] = {}
    for info in infos:
        _check_entry(info)
        if info.filename in entries:
            raise refused(_("“%(name)s” is in it twice.") % {"name": info.filename})
        entries[info.filename] = info
    if sum(info.file_size for info in infos) > MOST_BYTES:
        raise refused(_("Unpacked, this file would be too large."))
    return entries


def _check_entry(info: zipfile.ZipInfo) -> None:
    name = info.filename
    if name != info.orig_filename or not (name == manifest.LIST or manifest.NAME.fullmatch(name)):
        raise refused(_("“%(name)s” has no place in a course's file.")
                      % {"name": ascii(info.orig_filename)[1:-1][:80]})  # fmt: skip
    if stat.S_IFMT(info.external_attr >> 16) not in (0, stat.S_IFREG):
        raise refused(_("“%(name)s” is no plain file.") % {"name": name})
    if info.flag_bits & 0x1:
        raise refused(_("“%(name)s” is locked with a password.") % {"name": name})
    most = manifest.LARGEST_LIST if name == manifest.LIST else manifest.LARGEST_FILM
    if info.file_size > most:
        raise refused(_("“%(name)s” is too large.") % {"name": name})
    if info.file_size > RATIO_FROM and info.file_size > MOST_RATIO * info.compress_size:
        raise refused(_("Unpacked, this file would be too large."))


def _list(archive: zipfile.ZipFile, entries: dict[str, zipfile.ZipInfo]) -> bytes:
    info = entries.get(manifest.LIST)
    if info is None:
        raise refused(_("This is not a course's file: it has no list of contents (course.json)."))
    try:
        with archive.open(info) as part:
            return part.read(manifest.LARGEST_LIST + 1)
    except BROKEN as error:
        raise _not_whole() from error


def _check_files(course: Course, entries: dict[str, zipfile.ZipInfo]) -> None:
    """What is listed and what is there are the same, and as large."""
    listed = course.files()
    names = [file.name for file in listed]
    if len(set(names)) != len(names):
        raise refused(_("The list of contents names a file twice."))
    for file in listed:
        if file.name not in entries:
            raise refused(_("“%(name)s” is missing in it.") % {"name": file.name})
        if entries[file.name].file_size != file.size:
            raise _other(file)
    if extra := set(entries) - set(names) - {manifest.LIST}:
        raise refused(_("“%(name)s” has no place in a course's file.") % {"name": min(extra)})
    for lesson in course.lessons:
        _check_sizes(lesson)


def _check_sizes(lesson: manifest.Lesson) -> None:
    small = [(one.file, manifest.LARGEST_CAPTIONS) for one in lesson.captions]
    small += [(lesson.poster, manifest.LARGEST_POSTER)] if lesson.poster else []
    for file, most in small:
        if file.size > most:
            raise refused(_("“%(name)s” is too large.") % {"name": file.name})


def _other(file: File) -> InvalidInput:
    return refused(
        _("“%(name)s” is not the file that the list of contents names.") % {"name": file.name}
    )


def _blocks(archive: zipfile.ZipFile, file: File) -> Iterator[bytes]:
    digest, size = hashlib.sha256(), 0
    try:
        with archive.open(file.name) as part:
            while block := part.read(BLOCK):
                digest.update(block)
                size += len(block)
                if size > file.size:
                    raise _other(file)
                yield block
    except BROKEN as error:
        raise _not_whole() from error
    if size != file.size or digest.hexdigest() != file.sha256:
        raise _other(file)
