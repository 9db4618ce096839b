"""What a file really holds, as ffprobe tells it."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from django.utils.translation import gettext as _

from media_pipeline import ffmpeg
from media_pipeline.colour import Colour
from media_pipeline.ffmpeg import MediaFailed, MediaTimeout, SourceUnreadable

# For files that we made ourselves: playlists and pictures, which strangers may not send.
OUR_FORMATS = f"{ffmpeg.FORMATS},hls,image2,jpeg_pipe"
MODEST_AUDIO = 200_000
UNSAID = Colour()
# H.264 profile names as ffprobe spells them -> profile and constraint bytes of RFC 6381 "avc1".
AVC_PROFILES = {"Constrained Baseline": "42C0", "Baseline": "4200", "Main": "4D40", "High": "6400"}


@dataclass(frozen=True, slots=True)
class Video:
    """A picture stream; width and height are as shown, after rotation and with square pixels.

    `is_plain` says that no turn, pixel shape or interlacing is written beside the numbers.
    """

    codec: str
    width: int
    height: int
    fps: float
    pixel_format: str
    profile: str
    level: int
    start_s: float
    index: int = 0
    colour: Colour = UNSAID
    is_full_range: bool = False
    is_plain: bool = True
    is_interlaced: bool = False
    dolby_profile: int = 0

    @property
    def short_side(self) -> int:
        return min(self.width, self.height)

    @property
    def codec_string(self) -> str:
        """For `CODECS` in a playlist (RFC 6381), e.g. "avc1.4D401E"; H.264 only."""
        return f"avc1.{AVC_PROFILES.get(self.profile, '6400')}{self.level:02X}"


@dataclass(frozen=True, slots=True)
class Audio:
    codec: str
    sample_rate: int
    channels: int
    index: int = 1
    is_simple: bool = False
    """Whether it is AAC-LC in mono or stereo, and modest: what every player takes as it is."""


@dataclass(frozen=True, slots=True)
class Probe:
    """A file's first video and audio stream; `start_s` is the earliest timestamp in it."""

    format: str
    duration_s: float
    start_s: float
    bits_per_second: int
    video: Video | None
    audio: Audio | None

    @property
    def picture(self) -> Video:
        """The video stream; raises `SourceUnreadable` if there is none."""
        if self.video is None:
            raise SourceUnreadable(_("There is no picture in this video."))
        return self.video

    @property
    def has_mono_sound(self) -> bool:
        return self.audio is not None and self.audio.channels == 1


def probe(path: Path, *, formats: str = ffmpeg.FORMATS, timeout_s: float = 30) -> Probe:
    """Ask ffprobe about a file; raises `SourceUnreadable`, `MediaTimeout` or `MediaFailed`."""
    line = [ffmpeg.ffprobe_path(), "-hide_banner", "-loglevel", "error"]
    line += ["-protocol_whitelist", ffmpeg.PROTOCOLS, "-format_whitelist", formats]
    line += ["-max_streams", str(ffmpeg.MAX_STREAMS)]
    line += ["-show_format", "-show_streams", "-print_format", "json", str(path)]
    process = ffmpeg.spawn(line)
    try:
        told, said = process.communicate(timeout=timeout_s)
    except subprocess.TimeoutExpired as error:
        raise MediaTimeout(_("It took longer than %d seconds.") % timeout_s) from error
    finally:
        ffmpeg.kill(process)
    if process.returncode == ffmpeg.KILLED:  # which says nothing about the file
        raise MediaFailed(_("The video program stopped with an error."))
    if process.returncode != 0:
        detail = said.decode(errors="replace")[-1000:]
        raise SourceUnreadable(_("This video cannot be read. It may be damaged."), detail)
    return parse(json.loads(told))


def parse(told: dict[str, Any]) -> Probe:
    """A `Probe` out of ffprobe's JSON."""
    streams = told.get("streams", [])
    video = next((s for s in streams if _is(s, "video") and not _is_cover(s)), None)
    audio = next((s for s in streams if _is(s, "audio")), None)
    container = told.get("format", {})
    return Probe(
        format=container.get("format_name", ""),
        duration_s=_number(container.get("duration")) or _longest(streams),
        start_s=_number(container.get("start_time")),
        bits_per_second=int(_number(container.get("bit_rate"))),
        video=_video(video) if video else None,
        audio=_audio(audio) if audio else None,
    )


def _is(stream: dict[str, Any], kind: str) -> bool:
    """Whether it is one that has a decoder; phones add tracks that only their maker can play."""
    return stream.get("codec_type") == kind and stream.get("codec_name", "unknown") != "unknown"


def _is_cover(stream: dict[str, Any]) -> bool:
    return bool(stream.get("disposition", {}).get("attached_pic"))


def _video(stream: dict[str, Any]) -> Video:
    width, height = int(stream.get("width", 0)), int(stream.get("height", 0))
    shape = _rate(stream.get("sample_aspect_ratio", "").replace(":", "/")) or 1.0
    shown_width = round(width * shape)
    turn = _turn(stream)
    is_interlaced = stream.get("field_order", "unknown") not in {"unknown", "progressive"}
    return Video(
        codec=stream.get("codec_name", ""),
        width=height if turn % 180 else shown_width,
        height=shown_width if turn % 180 else height,
        fps=_rate(stream.get("avg_frame_rate", "")),
        pixel_format=stream.get("pix_fmt", ""),
        profile=str(stream.get("profile", "")),
        level=int(stream.get("level", 0)),
        start_s=_number(stream.get("start_time")),
        index=int(stream.get("index", 0)),
        colour=Colour(
            matrix=stream.get("color_space", ""),
            transfer=stream.get("color_transfer", ""),
            primaries=stream.get("color_primaries", ""),
        ),
        is_full_range=stream.get("color_range") == "pc",
        is_plain=turn == 0 and shown_width == width and not is_interlaced,
        is_interlaced=is_interlaced,
        dolby_profile=int(_beside(stream, "dv_profile")),
    )


def _audio(stream: dict[str, Any]) -> Audio:
    return Audio(
        codec=stream.get("codec_name", ""),
        sample_rate=int(_number(stream.get("sample_rate"))),
        channels=int(stream.get("channels", 0)),
        index=int(stream.get("index", 1)),
        is_simple=(
            stream.get("codec_name") == "aac"
            and stream.get("profile") == "LC"
            and int(stream.get("channels", 0)) <= 2
            and 0 < _number(stream.get("bit_rate")) <= MODEST_AUDIO
        ),
    )


def _turn(stream: dict[str, Any]) -> int:
    """Degrees by which a phone held another way wants its lying picture turned."""
    return round(_beside(stream, "rotation")) % 360


def _beside(stream: dict[str, Any], name: str) -> float:
    """A value of the stream's side data, 0 if there is none of this name."""
    values = (_number(side.get(name)) for side in stream.get("side_data_list", []))
    return next((value for value in values if value), 0.0)


def _longest(streams: list[dict[str, Any]]) -> float:
    return max((_number(stream.get("duration")) for stream in streams), default=0.0)


def _number(text: object) -> float:
    """ffprobe writes numbers as text, and "N/A" or nothing for what it does not know."""
    try:
        return float(str(text))
    except ValueError:
        return 0.0


def _rate(text: str) -> float:
    try:
        return float(Fraction(text))
    except (ValueError, ZeroDivisionError):
        return 0.0
