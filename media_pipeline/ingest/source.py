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
class Source:
    """A stream that can be turned into segments."""

    container: str
    video: str

    @property
    def can_be_copied(self) -> bool:
        """Whether every browser plays its video as it is."""
        return self.video == "h264"


def recognise(head: bytes) -> Source | None:
    """The stream that begins with `head`; `None` while its header is not complete.

    Raises `Unreadable` for what is no Matroska, WebM or MP4, `NoVideo` for one without a picture.
    """
    if len(head) < 12:
        return None
    if head.startswith(EBML):
        return _described("matroska", _matroska_header(head), MATROSKA_VIDEO, b"V_")
    if head[4:8] == b"ftyp":
        return _described("mp4", _mp4_header(head), MP4_VIDEO, b"vide")
    raise Unreadable


def _described(
    container: str, header: bytes | None, codecs: dict[bytes, str], any_video: bytes
) -> Source | None:
    if header is None:
        return None
    for mark, video in codecs.items():
        if mark in header:
            return Source(container, video)
    if any_video in header:
        return Source(container, "other")
    raise NoVideo


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
