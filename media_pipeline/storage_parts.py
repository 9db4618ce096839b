"""Uploads that arrive part by part on this machine's disk, as an S3 bucket takes them.

A part's address is signed, says how many bytes it has, and expires; whoever has it may put that
part, several times if the network makes them. Parts are files until all of them are one.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from django.utils.crypto import constant_time_compare, get_random_string, salted_hmac

from core.clock import now
from media_pipeline.storage_keys import URL_PREFIX, NoSuchFile, Part, checked

UPLOAD_ID = re.compile(r"[A-Za-z0-9]{32}")
_TICKET = re.compile(r"([0-9]{1,12})\.([0-9a-f]{40})/([A-Za-z0-9]{32})/([0-9]{1,5})/([0-9]{1,12})")


@dataclass(frozen=True, slots=True)
class Ticket:
    """The right to put one part of `size` bytes."""

    upload_id: str
    number: int
    size: int


def ticket_of(path: str) -> Ticket | None:
    """What an address (behind `/media/u/`) lets its holder do now; `None`: nothing."""
    found = _TICKET.fullmatch(path)
    if found is None or int(found[1]) < now().timestamp():
        return None
    ticket = Ticket(found[3], int(found[4]), int(found[5]))
    return ticket if constant_time_compare(found[2], _sign(ticket, int(found[1]))) else None


def _sign(ticket: Ticket, expires_at: int) -> str:
    text = f"{ticket.upload_id}:{ticket.number}:{ticket.size}:{expires_at}"
    return salted_hmac("media_pipeline.parts", text, algorithm="sha256").hexdigest()[:40]


class LocalUploads:
    """The parts below one folder; the same calls as `S3Storage` has."""

    root: Path

    def begin(self, key: str) -> str:
        """The id of a new upload of `key`."""
        checked(key)
        upload_id = get_random_string(32)
        self._parts_folder(upload_id).mkdir(parents=True)
        return upload_id

    def part_url(self, key: str, upload_id: str, number: int, size: int, expires_s: float) -> str:
        """Where a browser may put part `number`, of just `size` bytes."""
        ticket, expires_at = Ticket(upload_id, number, size), int(now().timestamp() + expires_s)
        return (
            f"{URL_PREFIX}/u/{expires_at}.{_sign(ticket, expires_at)}/{upload_id}/{number}/{size}"
        )

    def incoming(self, ticket: Ticket) -> Path:
        """An unused file for a part that is arriving; raises `NoSuchFile` for an upload that is
        over. Two that bring the same part do not meet."""
        folder = self._parts_folder(ticket.upload_id)
        if not folder.is_dir():
            raise NoSuchFile(ticket.upload_id)
        return folder / f".{ticket.number}-{get_random_string(8)}"

    def arrived(self, ticket: Ticket, incoming: Path) -> None:
        """A part is on the disk whole; raises `NoSuchFile` where its upload is over meanwhile."""
        try:
            incoming.replace(self._parts_folder(ticket.upload_id) / str(ticket.number))
        except FileNotFoundError as error:
            raise NoSuchFile(ticket.upload_id) from error

    def parts(self, key: str, upload_id: str) -> list[Part]:
        """What has arrived of an upload; raises `NoSuchFile` if there is no such upload."""
        try:
            names = os.listdir(self._parts_folder(upload_id))
        except FileNotFoundError as error:
            raise NoSuchFile(key) from error
        numbers = sorted(int(name) for name in names if name.isdigit())
        return [self._part(upload_id, number) for number in numbers]

    def _part(self, upload_id: str, number: int) -> Part:
        about = (self._parts_folder(upload_id) / str(number)).stat()
        return Part(number, about.st_size, f"{about.st_mtime_ns:x}-{about.st_size:x}")

    def finish(self, key: str, upload_id: str, parts: Sequence[Part]) -> None:
        """Show the file that these parts are, in their order."""
        folder, target = self._parts_folder(upload_id), self.root / checked(key)
        whole = folder / f".whole-{get_random_string(8)}"
        try:
            with whole.open("wb") as file:
                for part in parts:
                    with (folder / str(part.number)).open("rb") as arrived:
                        shutil.copyfileobj(arrived, file, 1024**2)
                file.flush()
                os.fsync(file.fileno())
        except FileNotFoundError as error:
            if target.is_file() and target.stat().st_size == sum(part.size for part in parts):
                return  # an earlier try whose end nobody heard of
            raise NoSuchFile(key) from error
        target.parent.mkdir(parents=True, exist_ok=True)
        whole.replace(target)
        self.abort(key, upload_id)

    def abort(self, key: str, upload_id: str) -> None:
        """Take away an unfinished upload; one that is away already is no error."""
        with suppress(FileNotFoundError):
            shutil.rmtree(self._parts_folder(upload_id))

    def abort_older(self, moment: datetime, *, but: Sequence[str] = ()) -> int:
        """Abort what was begun before `moment` and not completed, but these ids; how many."""
        folder = self.root / ".uploads"
        ids = os.listdir(folder) if folder.is_dir() else []
        old = [
            one
            for one in ids
            if one not in but and (folder / one).stat().st_mtime < moment.timestamp()
        ]
        for one in old:
            self.abort("", one)
        return len(old)

    def _parts_folder(self, upload_id: str) -> Path:
        if not UPLOAD_ID.fullmatch(upload_id):
            raise NoSuchFile(upload_id)
        return self.root / ".uploads" / upload_id
