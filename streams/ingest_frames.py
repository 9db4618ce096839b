"""What cameras say, in the frames of `streams.ingest_consumer`: parsed, or refused."""

from __future__ import annotations

import struct
from typing import Annotated, TypeVar
from uuid import UUID

import msgspec
from django.utils.translation import gettext as _

from media_pipeline.ingest.chunks import Chunk
from media_pipeline.ingest.errors import BadProtocol, ChunkTooBig

T = TypeVar("T")

MAX_CHUNK_BYTES = 900_000
CHUNK_HEAD = struct.Struct(">Id")
LONGEST_OFFSET_MS = 7 * 24 * 3600 * 1000.0
MOST_KEPT = 50


class Kept(msgspec.Struct, forbid_unknown_fields=True):
    """A take of which a phone still has something."""

    take: UUID
    mime: str = ""


class Hello(msgspec.Struct, forbid_unknown_fields=True):
    """Who wants to broadcast, and which take."""

    take: UUID
    mime: str = ""
    key: str | None = None
    take_over: bool = False
    age_ms: Annotated[float, msgspec.Meta(ge=0, le=LONGEST_OFFSET_MS)] = 0.0
    keeps: Annotated[list[Kept], msgspec.Meta(max_length=MOST_KEPT)] = []

    @property
    def is_kept(self) -> bool:
        """Whether this take itself is one that the phone sends for the recording alone."""
        return any(one.take == self.take for one in self.keeps)


class Probe(msgspec.Struct, forbid_unknown_fields=True):
    """Who wants to know how fast the way to here is."""

    key: str | None = None


class FirstFrame(msgspec.Struct, forbid_unknown_fields=True):
    """One of the two."""

    hello: Hello | None = None
    probe: Probe | None = None


class Command(msgspec.Struct, forbid_unknown_fields=True):
    do: str


def parse_chunk(frame: str | bytes) -> Chunk:
    """Raises `BadProtocol` or `ChunkTooBig`."""
    if isinstance(frame, str) or len(frame) <= CHUNK_HEAD.size:
        raise BadProtocol(_("A piece of the video is empty."))
    if len(frame) > CHUNK_HEAD.size + MAX_CHUNK_BYTES:
        raise ChunkTooBig
    number, offset_ms = CHUNK_HEAD.unpack_from(frame)
    if not 0 <= offset_ms <= LONGEST_OFFSET_MS:  # also refuses what is not a number
        raise BadProtocol(_("The capture offset makes no sense."))
    return Chunk(number, offset_ms, frame[CHUNK_HEAD.size :])


def parsed(message: str | bytes, kind: type[T]) -> T:
    if isinstance(message, bytes):
        raise BadProtocol(_("The first message must say hello."))
    try:
        return msgspec.json.decode(message, type=kind)
    except msgspec.DecodeError as error:
        raise BadProtocol(str(error)) from error
