"""Cards in the picture of a clip that is taken away: its title, and the product that is shown.

Drawn by Pillow as transparent pictures. The font is Noto Sans SC out of a package: it has Chinese
and Latin letters, and what it does not have (emoji, other scripts) is left out rather than drawn as
empty boxes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from importlib.resources import as_file, files
from pathlib import Path
from typing import Literal

import msgspec
from PIL import Image, ImageDraw, ImageFont

from media_pipeline.recipes import Size

FONT_PACKAGE, FONT_FILE = "pylopdf_fonts_zh_cn", "NotoSansSC-Regular.otf"
# Of the clip's shorter side.
TEXT_SIZE, MARGIN, PADDING = 0.058, 0.045, 0.03
MOST_LINES = {"title": 3, "product": 2}
# What is longer is never shown whole, and need not be measured.
LONGEST_TEXT = 300
DARK, WHITE = (20, 16, 12, 190), (255, 255, 255, 255)
PAPER, INK, PRICE = (255, 255, 255, 232), (28, 24, 20, 255), (176, 42, 24, 255)
ELLIPSIS = "…"
# Chinese breaks anywhere, other scripts between words.
_WIDE = r"\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef"
_TOKEN = re.compile(rf"[{_WIDE}]|[^\s{_WIDE}]+|\s+")


class CardText(msgspec.Struct, frozen=True):
    """A card over the clip from `start_s` to `end_s` of its own time; `detail` is e.g. a price."""

    kind: Literal["title", "product"]
    start_s: float
    end_s: float
    text: str
    detail: str = ""


def draw(card: CardText, size: Size, path: Path) -> bool:
    """Write the card's pixels (RGBA), as large as the clip; `False` if nothing can be drawn."""
    short = min(size.width, size.height)
    font = font_of(max(8, round(short * TEXT_SIZE)))
    margin, padding = round(short * MARGIN), round(short * PADDING)
    room = size.width - 2 * (margin + padding)
    lines = wrapped(drawable(card.text), font, room, MOST_LINES[card.kind])
    detail = wrapped(drawable(card.detail), font, room, 1)
    if not lines:
        return False
    image = Image.new("RGBA", (size.width, size.height), (0, 0, 0, 0))
    pen = ImageDraw.Draw(image)
    step = round(font.size * 1.35)
    width = max(font.getlength(line) for line in lines + detail) + 2 * padding
    height = step * len(lines + detail) + 2 * padding
    top = margin if card.kind == "title" else size.height - margin - height
    is_title = card.kind == "title"
    box = (margin, top, min(size.width - margin, round(margin + width)), top + height)
    pen.rounded_rectangle(box, radius=padding, fill=DARK if is_title else PAPER)
    for number, line in enumerate(lines + detail):
        colour = WHITE if is_title else PRICE if number >= len(lines) else INK
        pen.text((margin + padding, top + padding + number * step), line, font=font, fill=colour)
    path.write_bytes(image.tobytes())
    return True


@lru_cache(maxsize=8)
def font_of(size: int) -> ImageFont.FreeTypeFont:
    with as_file(files(FONT_PACKAGE) / FONT_FILE) as path:
        return ImageFont.truetype(str(path), size)


def drawable(text: str) -> str:
    """What the font has of the text, on one line."""
    kept = "".join(char for char in text[:LONGEST_TEXT] if char.isspace() or _has(char))
    return " ".join(kept.split())


@lru_cache(maxsize=4096)
def _has(char: str) -> bool:
    return _drawn(char) != _drawn("\U0010fffe")


def _drawn(char: str) -> tuple[tuple[int, int], bytes]:
    """Without shaping, which would put a dotted circle under a mark that is alone."""
    mask = _plain_font().getmask(char)
    return mask.size, bytes(mask)


@lru_cache(maxsize=1)
def _plain_font() -> ImageFont.FreeTypeFont:
    return font_of(24).font_variant(layout_engine=ImageFont.Layout.BASIC)


def wrapped(text: str, font: ImageFont.FreeTypeFont, room: float, most: int) -> list[str]:
    """At most so many lines that fit into `room` pixels; the last says if there is more."""
    lines = list(_lines(text, font, room))
    if len(lines) <= most:
        return lines
    last = lines[most - 1].rstrip()
    while last and font.getlength(last + ELLIPSIS) > room:
        last = last[:-1]
    return [*lines[: most - 1], last.rstrip() + ELLIPSIS]


def _lines(text: str, font: ImageFont.FreeTypeFont, room: float) -> Iterator[str]:
    line = ""
    for token in _tokens(text, font, room):
        if line and font.getlength((line + token).rstrip()) > room:
            yield line.rstrip()
            line = ""
        line = (line + token).lstrip()
    if line.strip():
        yield line.rstrip()


def _tokens(text: str, font: ImageFont.FreeTypeFont, room: float) -> Iterator[str]:
    """Words and Chinese characters; a word that is longer than a line, letter by letter."""
    for token in _TOKEN.findall(text):
        if font.getlength(token) > room:
            yield from token
        else:
            yield token
