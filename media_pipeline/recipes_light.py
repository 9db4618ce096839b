"""How a clip is made small, for phones on the edge of a village's network.

The picture begins after as few bytes as possible: an index in front, no B-frames (each would cost
8 bytes of it), sound and picture in chunks of half a second (or the index names every frame).
"""

from __future__ import annotations

from pathlib import Path

import ffmpeg as graph

from media_pipeline.recipes import Size, arguments, cap, fitted, h264

MOST_BITS_PER_SECOND = 250_000
PICTURE_BITS_PER_SECOND, SOUND_BITS_PER_SECOND = 170_000, 36_000
LINES, THUMB_LINES = 288, 160
MOST_FPS = 15
GOP_S = 4
CHUNK_US = 500_000


def light_size(source: Size) -> Size:
    return fitted(source, LINES)


def light_fps(source_fps: float) -> float:
    """The source's rate divided by the least number that makes it small enough: evenly."""
    factor = next(n for n in range(1, 100) if source_fps / n <= MOST_FPS * 1.02)
    return source_fps / factor


def light(source: Path, size: Size, fps: float, output: Path) -> list[str]:
    clip = graph.input(str(source))
    picture = clip.video.filter("fps", fps=f"{fps:g}").filter("scale", size.width, size.height)
    options = h264(fps, GOP_S, crf=28) | cap(PICTURE_BITS_PER_SECOND)
    options |= {"preset": "medium", "bf": 0, "pix_fmt": "yuv420p", "chunk_duration": CHUNK_US}
    # Speech, at a rate that is also a short index: 23 packets a second.
    options |= {"c:a": "aac", "b:a": SOUND_BITS_PER_SECOND, "ar": 24000, "ac": 1}
    options |= {"movflags": "+faststart"}
    return arguments(graph.output(picture, clip.audio, str(output), **options))


def thumb(light_file: Path, size: Size, output: Path) -> list[str]:
    """Some 5 KB of how it begins, to be seen while the film is fetched."""
    small = graph.input(str(light_file)).video.filter("scale", size.width, size.height)
    return arguments(graph.output(small, str(output), **{"frames:v": 1, "q:v": 7, "update": 1}))


def sound(light_file: Path, output: Path) -> list[str]:
    """The same sound alone: who changes over in the middle hears no difference."""
    options = {"c:a": "copy", "movflags": "+faststart", "map_metadata": -1, "f": "ipod"}
    return arguments(graph.output(graph.input(str(light_file)).audio, str(output), **options))
