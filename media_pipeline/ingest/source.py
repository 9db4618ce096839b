"""What a stream is, told from its own first bytes: a recorder's MIME type is only a promise."""

from __future__ import annotations

from dataclasses import dataclass

from media_pipeline.ingest.errors import NoVideo, Unreadable

HEAD_LIMIT = 512 * 1024
"""A stream that has not described itself by then is not one that can be played live."""

EBML = b"\x1a\x45\xdf\xa3"
CLUSTER = b"\x1f\x43\xb6\x75"
# Codec names as they stand in the header: Matroska's codec ids and MP4's sample entries.
MATROSKA_VIDEO = {b"V_MPEG4/ISO/AVC": "h264", b"V_VP8": "vp8", b"V_VP9": "vp9", b"V_AV1": "av1"}
MP4_VIDEO = {b"avc1": "h264", b"avc3": "h264", b"hvc1": "hevc", b"hev1": "hevc"}
MP4_VIDEO |= {b"vp08": "vp8", b"vp09": "vp9", b"av01": "av1"}


@dataclass(frozen=True, slots=True)
class Marks:
    """What tells the kinds of tracks in a container's header."""

    codecs: dict[bytes, str]
    video: bytes
    sound: bytes


MARKS = {
    "matroska": Marks(MATROSKA_VIDEO, b"V_", b"A_"),
    "mp4": Marks(MP4_VIDEO, b"vide", b"soun"),
}


@dataclass(frozen=True, slots=True)
class Source:
    """A stream that can be turned into segments."""

    container: str
    video: str
    """The picture's codec; empty for sound alone."""
    may_have_sound: bool = True

    @property
    def can_be_copied(self) -> bool:
        """Whether every browser plays its video as it is."""
        return self.video == "h264"


def recognise(head: bytes, *, sound_will_do: bool = False) -> Source | None:
    """The stream that begins with `head`; `None` while its header is not complete.

    Raises `Unreadable` for what is no Matroska, WebM or MP4, `NoVideo` for one without a picture
    unless `sound_will_do`: a camera says beforehand that it sends sound alone.
    """
    if len(head) < 12:
        return None
    if head.startswith(EBML):
        container, header = "matroska", _matroska_header(head)
    elif head[4:8] == b"ftyp":
        container, header = "mp4", _mp4_header(head)
    else:
        raise Unreadable
    if header is None:
        return None
    video, has_sound = _codec(container, header), MARKS[container].sound in header
    if not video and not (sound_will_do and has_sound):
        raise NoVideo
    return Source(container, video, may_have_sound=has_sound)


def _codec(container: str, header: bytes) -> str:
    marks = MARKS[container]
    named = (video for mark, video in marks.codecs.items() if mark in header)
    return next(named, "other" if marks.video in header else "")


def _matroska_header(head: bytes) -> bytes | None:
    """Everything before the first cluster, where media begins."""
    end = head.find(CLUSTER)
    if end >= 0:
        return head[:end]
    _refuse_endless(head)
    return None


def _mp4_header(head: bytes) -> bytes | None:
    """The `moov` box, which has to come before the media."""
    at = 0
    while at + 8 <= len(head):
        size, kind = int.from_bytes(head[at : at + 4], "big"), head[at + 4 : at + 8]
        if kind == b"mdat" or size < 8:
            raise Unreadable
        if kind == b"moov" and at + size <= len(head):
            return head[at : at + size]
        at += size
    _refuse_endless(head)
    return None


def _refuse_endless(head: bytes) -> None:
    if len(head) > HEAD_LIMIT:
        raise Unreadable
