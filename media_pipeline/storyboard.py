"""Small pictures of a video for the line that one seeks by, named by a WebVTT file.

Each cue is a stretch of time and the place of its picture on a sheet, as a media fragment
(`sheet-001.jpg#xywh=160,0,160,90`), which is how players do it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

from media_pipeline.ffmpeg import MediaFailed
from media_pipeline.recipes import Size, even
from media_pipeline.recipes_hls import COLUMNS, ROWS, small_pictures
from media_pipeline.work import Work

FILE = "storyboard.vtt"
LONG_SIDE = 160
SHORTEST_STEP_S, LONGEST_STEP_S = 2, 10
# As many as a finger can tell apart on a line, and no more to fetch.
WANTED = 300
PER_SHEET = COLUMNS * ROWS


def make_storyboard(
    media: Path, picture: Size, duration_s: float, folder: Path, work: Work, *, until: float
) -> None:
    """`storyboard.vtt` and its sheets in `folder`, out of one of our own renditions."""
    step_s, size = step_for(duration_s), small(picture)
    args = small_pictures(media, step_s, size, folder)
    work.run(args, output_s=duration_s, until=until)
    count = math.ceil(duration_s / step_s)
    sheets = len(list(folder.glob("sheet-*.jpg")))
    if not sheets:
        raise MediaFailed("no sheet of small pictures was made")
    text = vtt(duration_s, step_s, size, count=min(count, sheets * PER_SHEET))
    (folder / FILE).write_text(text)


def step_for(duration_s: float) -> int:
    """Seconds between two pictures: those of our keyframes, or more in a long video."""
    even_s = 2 * math.ceil(duration_s / WANTED / 2)
    return max(SHORTEST_STEP_S, min(LONGEST_STEP_S, even_s))


def small(picture: Size) -> Size:
    factor = min(1.0, LONG_SIDE / max(picture.width, picture.height))
    return Size(even(picture.width * factor), even(picture.height * factor))


def vtt(duration_s: float, step_s: int, size: Size, *, count: int) -> str:
    """The last cue lasts to the end."""
    return "WEBVTT\n" + "".join(_cues(duration_s, step_s, size, count))


def _cues(duration_s: float, step_s: int, size: Size, count: int) -> Iterator[str]:
    for number in range(count):
        sheet, place = divmod(number, PER_SHEET)
        row, column = divmod(place, COLUMNS)
        until_s = duration_s if number == count - 1 else (number + 1) * step_s
        yield (
            f"\n{_time(number * step_s)} --> {_time(until_s)}\n"
            f"sheet-{sheet + 1:03d}.jpg"
            f"#xywh={column * size.width},{row * size.height},{size.width},{size.height}\n"
        )


def _time(at_s: float) -> str:
    thousandths = round(at_s * 1000)
    whole_s, thousandths = divmod(thousandths, 1000)
    return f"{whole_s // 3600:02d}:{whole_s // 60 % 60:02d}:{whole_s % 60:02d}.{thousandths:03d}"
