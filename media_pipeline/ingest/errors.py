"""Why a broadcaster is turned away or let go: a code and words for people, and the closing code.

The closing codes are part of the ingest protocol; a client that does not know one may treat it as
"stop and tell the host".
"""

from __future__ import annotations

import errno
import sqlite3
from typing import ClassVar

from django.db import DatabaseError
from django.utils.translation import gettext as _


class IngestRefused(Exception):
    """The connection ends. `close` is the WebSocket closing code."""

    code: ClassVar[str]
    close: ClassVar[int]

    def __init__(self, message: str = "") -> None:
        super().__init__(message or self.text())

    @classmethod
    def text(cls) -> str:
        """What a person is told where there is nothing more particular to say."""
        raise NotImplementedError

    @property
    def message(self) -> str:
        return str(self)

    def frame(self) -> dict[str, object]:
        """What the client is told before the socket closes."""
        return {"code": self.code, "message": self.message}


class BadProtocol(IngestRefused):
    """The client does not speak the protocol: its fault, and trying again will not help."""

    code = "bad_protocol"
    close = 4400

    @classmethod
    def text(cls) -> str:
        return _("This message is not understood.")


class KeyNeeded(IngestRefused):
    code = "sign_in_required"
    close = 4401

    @classmethod
    def text(cls) -> str:
        return _("Sign in as the host, or give the show's broadcast key.")


class NotTheHost(IngestRefused):
    code = "not_allowed"
    close = 4403

    @classmethod
    def text(cls) -> str:
        return _("Only the host may broadcast this show.")


class NoSuchShow(IngestRefused):
    code = "not_found"
    close = 4404

    @classmethod
    def text(cls) -> str:
        return _("There is no such show.")


class SomebodyBroadcasts(IngestRefused):
    code = "already_broadcasting"
    close = 4409

    @classmethod
    def text(cls) -> str:
        return _("Another camera is broadcasting this show already.")


class TakenOver(IngestRefused):
    """Another device of the show's hosts films now, because a person said so there."""

    code = "taken_over"
    close = 4409

    @classmethod
    def text(cls) -> str:
        return _("The show goes on from another phone.")


class ShowIsOver(IngestRefused):
    code = "show_ended"
    close = 4410

    @classmethod
    def text(cls) -> str:
        return _("The show has ended.")


class Stopped(ShowIsOver):
    """Somebody who runs the instance ended the show, and says why."""

    code = "stopped"


class NotApproved(IngestRefused):
    """The show may not go live yet. Everything but that can be tried."""

    code = "not_approved"
    close = 4403

    @classmethod
    def text(cls) -> str:
        return _("This show may not go live yet.")


class TakeIsOver(IngestRefused):
    """The take cannot be continued; the same camera may begin a new one at once.

    `duration_s` is what the recording has of it, where that is known.
    """

    code = "take_sealed"
    close = 4412

    def __init__(self, message: str = "", *, duration_s: float | None = None) -> None:
        super().__init__(message)
        self.duration_s = duration_s

    def frame(self) -> dict[str, object]:
        known = {} if self.duration_s is None else {"duration_s": self.duration_s}
        return {**super().frame(), **known}

    @classmethod
    def text(cls) -> str:
        return _("The recording was interrupted. Start the camera again to go on.")


class ChunkTooBig(IngestRefused):
    code = "too_big"
    close = 4413

    @classmethod
    def text(cls) -> str:
        return _("A piece of the video is too big to be received.")


class NoVideo(IngestRefused):
    code = "no_video"
    close = 4415

    @classmethod
    def text(cls) -> str:
        return _("There is no video in what was sent.")


class Unreadable(IngestRefused):
    code = "unreadable"
    close = 4415

    @classmethod
    def text(cls) -> str:
        return _("What was sent cannot be read as video.")


class PictureTooBig(IngestRefused):
    code = "picture_too_big"
    close = 4415

    @classmethod
    def text(cls) -> str:
        return _("The picture is too big. Choose 4K or less on the camera.")


class DiskFull(IngestRefused):
    """Nothing can be kept at the moment; what was acknowledged is safe. The camera may retry."""

    code = "disk_full"
    close = 4507

    @classmethod
    def text(cls) -> str:
        return _("The server's disk is full. What was filmed so far is kept.")


class ServerStops(IngestRefused):
    code = "restarting"
    close = 4503

    @classmethod
    def text(cls) -> str:
        return _("The server is restarting. Come back in a moment.")


POSTGRES_DISK_FULL = "53100"


def refusal_for(error: DatabaseError | OSError) -> IngestRefused:
    """What a camera is told when the database or the disk does not do its part; it may retry."""
    if is_of_full_disk(error):
        return DiskFull()
    return ServerStops(_("The server cannot do this at the moment. Come back soon."))


def is_of_full_disk(error: DatabaseError | OSError) -> bool:
    if isinstance(error, OSError):
        return error.errno in {errno.ENOSPC, errno.EDQUOT}
    cause = error.__cause__
    return (
        getattr(cause, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL
        or getattr(cause, "sqlstate", None) == POSTGRES_DISK_FULL
    )
