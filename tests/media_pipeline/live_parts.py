"""Real parts for live media: a film as ffmpeg's 100 ms fragments, split by box."""

from __future__ import annotations

import struct
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from media_pipeline import ffmpeg
from media_pipeline.live.parts import Part

MIME = 'video/mp4; codecs="avc1.42C00D, mp4a.40.2"'


@dataclass(frozen=True, slots=True)
class Fragments:
    init: bytes
    parts: list[Part]


def fragments(path: Path, *codecs: str, part_s: float = 0.1, key_every: int = 10) -> Fragments:
    """The film's parts, each `part_s` long, of which every `key_every`th begins with a key frame."""
    line = [ffmpeg.ffmpeg_path(), "-nostdin", "-loglevel", "error", "-i", str(path)]
    movflags = "empty_moov+default_base_moof+frag_keyframe"
    out = ["-movflags", movflags, "-frag_duration", str(round(part_s * 1e6)), "-f", "mp4", "-"]
    run = subprocess.run(
        [*line, *(codecs or ("-c", "copy")), *out], check=True, capture_output=True, timeout=60
    )
    init, datas = b"", list[bytes]()
    for kind, box in boxes(run.stdout):
        if kind == b"moof":
            datas.append(box)
        elif kind == b"mdat":
            datas[-1] += box
        elif not datas:
            init += box
    parts = [
        Part(data, number * part_s, part_s, number % key_every == 0)
        for number, data in enumerate(datas)
    ]
    return Fragments(init, parts)


def boxes(stream: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 0
    while at < len(stream):
        size, kind = struct.unpack_from(">I4s", stream, at)
        yield kind, stream[at : at + size]
        at += size
