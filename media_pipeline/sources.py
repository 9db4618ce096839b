"""A file that somebody sent, looked at before anything is made of it: may it be used, and copied?

Headers of strangers' files may lie, and a browser's recording has no duration in its own. So the
packets are counted, which decodes nothing.
"""

from __future__ import annotations

import heapq
import math
import subprocess
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Timer

from django.utils.translation import gettext as _

from media_pipeline import ffmpeg, recipes
from media_pipeline.colour import scaler_matrix
from media_pipeline.ffmpeg import MediaTimeout, SourceUnreadable
from media_pipeline.probe import AVC_PROFILES, OUR_FORMATS, Probe, Video, probe
from media_pipeline.recipes import Look, Part, Size

LONGEST_S = 12 * 3600.0
SHORTEST_S = 0.1
SMALLEST = 16
# Players fetch whole groups of pictures: longer ones make seeking and switching slow.
LONGEST_GOP_S = 4.0
COPIED_FPS = 31.0
# What a copied picture may take, of what ours would at most.
COPY_RATE = 1.25
# Sound may begin this long before the picture without anybody noticing.
COPY_LEAD_S = 0.1
SCAN_BASE_S, SCAN_FACTOR = 60.0, 0.1
# Rates that cameras film in. One that varies by light or heat gets the next of them.
RATES = (10.0, 12.0, 15.0, 20.0, 24.0, 25.0, 30.0)


class SourceRefused(SourceUnreadable):
    """The file can be read, but is not one that we make anything of; the message says why."""


@dataclass(frozen=True, slots=True)
class Packets:
    """The picture's packets: seconds from the first to the end of the last, and of the keys."""

    count: int
    duration_s: float
    keys: tuple[float, ...]
    bytes: int
    longest_gap_s: float

    @property
    def fps(self) -> float:
        return self.count / self.duration_s if self.duration_s else 0.0

    @property
    def bits_per_second(self) -> float:
        return self.bytes * 8 / self.duration_s if self.duration_s else 0.0

    @property
    def longest_gop_s(self) -> float:
        ends = (*self.keys[1:], self.duration_s)
        return max((end - key for key, end in zip(self.keys, ends, strict=True)), default=0.0)


@dataclass(frozen=True, slots=True)
class Source:
    """A file that may be used, and what is in it."""

    path: Path
    found: Probe
    packets: Packets

    @property
    def size(self) -> Size:
        return Size(self.found.picture.width, self.found.picture.height)

    @property
    def lead_s(self) -> float:
        """How long the sound is alone before the picture begins."""
        return max(0.0, self.found.picture.start_s - self.found.start_s)

    @property
    def duration_s(self) -> float:
        return self.packets.duration_s

    @property
    def fps(self) -> float:
        """Of what is made from it: its own where that is steady, else the next usual rate."""
        told, counted = self.found.picture.fps, self.packets.fps
        if counted and abs(told - counted) <= 0.01 * counted and not self.is_unsteady:
            return recipes.usual_fps(told)
        wanted = recipes.usual_fps(counted)
        return next((rate for rate in RATES if rate >= wanted * 0.98), recipes.MAX_FPS)

    @property
    def is_unsteady(self) -> bool:
        """Whether frames come at uneven times, as phones in the dark and browsers have them."""
        return self.packets.longest_gap_s * self.packets.fps > 1.6

    @property
    def look(self) -> Look:
        picture = self.found.picture
        return Look(
            matrix=scaler_matrix(picture.colour, picture.codec, picture.short_side),
            hdr=picture.colour.transfer if picture.colour.is_hdr else "",
            is_interlaced=picture.is_interlaced,
        )

    def part(self, *, start_s: float | None = None) -> Part:
        """The whole of it, from where its picture begins unless said otherwise."""
        found = self.found
        return Part(
            path=self.path,
            start_s=self.lead_s if start_s is None else start_s,
            duration_s=self.duration_s,
            has_audio=found.audio is not None,
            video=str(found.picture.index),
            audio=str(found.audio.index) if found.audio else "a",
            is_mono=found.has_mono_sound,
        )

    @property
    def may_be_copied(self) -> bool:
        """Whether every player that we know plays its picture as it is, in our playlists."""
        picture = self.found.picture
        return (
            _is_simple(picture)
            and max(picture.width, picture.height) <= 1920
            and self.packets.fps <= COPIED_FPS
            and self.lead_s <= COPY_LEAD_S
            and self.packets.longest_gop_s <= LONGEST_GOP_S
            and self.packets.bits_per_second
            <= COPY_RATE * recipes.capped_rate(self.size, recipes.usual_fps(self.packets.fps))
        )


def _is_simple(picture: Video) -> bool:
    return (
        picture.codec == "h264"
        and picture.profile in AVC_PROFILES
        and picture.pixel_format == "yuv420p"
        and picture.is_plain
        and not picture.is_full_range
        and not picture.colour.is_hdr
        and picture.width % 2 == picture.height % 2 == 0
    )


def looked_at(path: Path, *, formats: str = ffmpeg.FORMATS) -> Source:
    """What the file holds. Raises `SourceUnreadable`, or `SourceRefused` with the reason."""
    found = probe(path, formats=formats)
    if reason := _picture_refused(found.picture):
        raise SourceRefused(reason)
    packets = scan(path, found, formats=formats)
    if reason := _packets_refused(packets):
        raise SourceRefused(reason)
    return Source(path, found, packets)


def _picture_refused(picture: Video) -> str:
    """Why this picture is not taken; empty if it is."""
    width, height = picture.width, picture.height
    if width * height > ffmpeg.MAX_PIXELS:
        return _("The picture is too large: %(width)d × %(height)d pixels. Film in 4K at most.") % {
            "width": width,
            "height": height,
        }
    if min(width, height) < SMALLEST:
        return _("The picture is too small to be shown.")
    if max(width, height) > 8 * min(width, height):
        return _("The picture is a strip that no screen can show.")
    if picture.dolby_profile in {4, 5, 7}:
        return _(
            "This is Dolby Vision of a kind whose colours only some players know. Film in HDR10,"
            " HLG or without HDR, or export the video as “most compatible” first."
        )
    return ""


def _packets_refused(packets: Packets) -> str:
    if packets.count == 0:
        return _("There is no picture in this video.")
    if packets.duration_s < SHORTEST_S:
        return _("The video is too short: it has less than a tenth of a second.")
    if packets.duration_s > LONGEST_S:
        return _("The video says that it lasts longer than twelve hours.")
    return ""


def scan(path: Path, found: Probe, *, formats: str = OUR_FORMATS) -> Packets:
    """Count the packets of the picture. Raises `MediaTimeout` for a file that has no end."""
    line = [ffmpeg.ffprobe_path(), "-hide_banner", "-loglevel", "error"]
    line += ["-protocol_whitelist", ffmpeg.PROTOCOLS, "-format_whitelist", formats]
    line += ["-max_streams", str(ffmpeg.MAX_STREAMS)]
    line += ["-select_streams", str(found.picture.index)]
    line += ["-show_entries", "packet=pts_time,duration_time,size,flags"]
    line += ["-print_format", "compact=p=0:nk=1", str(path)]
    within_s = SCAN_BASE_S + SCAN_FACTOR * min(found.duration_s, LONGEST_S)
    process = ffmpeg.spawn(line, stderr=subprocess.DEVNULL)
    with _killed_after(process, within_s) as timer:
        packets = _counted(_lines(process))
        if not timer.is_alive():
            raise MediaTimeout(_("It took longer than %d seconds.") % within_s)
    return packets


@contextmanager
def _killed_after(process: subprocess.Popen[bytes], within_s: float) -> Iterator[Timer]:
    timer = Timer(within_s, process.kill)
    timer.start()
    try:
        yield timer
    finally:
        timer.cancel()
        ffmpeg.kill(process)


def _lines(process: subprocess.Popen[bytes]) -> Iterator[bytes]:
    with ffmpeg.opened(process.stdout) as told:
        yield from told


def _counted(lines: Iterable[bytes]) -> Packets:
    """From lines of "pts_time|duration_time|size|flags", in the order of decoding.

    A few packets are held at a time, so that a file of millions costs no memory.
    """
    count = size = 0
    end = -math.inf
    keys: list[float] = []
    order = _InOrder()
    for line in lines:
        shown, lasts, length, flags = line.strip().split(b"|")[:4]
        if shown == b"N/A":
            continue
        at_s = float(shown)
        order.add(at_s)
        end = max(end, at_s + (0.0 if lasts == b"N/A" else float(lasts)))
        count, size = count + 1, size + int(length)
        if b"K" in flags:
            keys.append(at_s)
    if not count:
        return Packets(0, 0.0, (), 0, 0.0)
    order.finish()
    if end <= order.last and count > 1:  # the last packet does not say how long it is shown
        end += (order.last - order.first) / (count - 1)
    begins = tuple(key - order.first for key in keys)
    return Packets(count, end - order.first, begins, size, order.longest_gap_s)


class _InOrder:
    """Times in the order of decoding, put into the order in which they are shown."""

    HELD = 20
    """H.264 and HEVC keep sixteen pictures back at most."""

    def __init__(self) -> None:
        self._held: list[float] = []
        self.first, self.last, self.longest_gap_s = math.inf, -math.inf, 0.0

    def add(self, at_s: float) -> None:
        heapq.heappush(self._held, at_s)
        if len(self._held) > self.HELD:
            self._show()

    def finish(self) -> None:
        while self._held:
            self._show()

    def _show(self) -> None:
        at_s = heapq.heappop(self._held)
        if self.first < math.inf:
            self.longest_gap_s = max(self.longest_gap_s, at_s - self.last)
        self.first, self.last = min(self.first, at_s), max(self.last, at_s)
