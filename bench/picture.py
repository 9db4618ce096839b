"""A curve as a picture: an SVG of a few hundred lines of text, made without a library."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT = 760, 420
LEFT, RIGHT, TOP, BOTTOM = 70, 190, 60, 60
FONT = "font-family='system-ui, sans-serif'"
INK, FAINT = "#1f2933", "#d5dbe1"


@dataclass(frozen=True, slots=True)
class Line:
    """A named series of points."""

    name: str
    colour: str
    points: Sequence[tuple[float, float]]
    dashed: bool = False


@dataclass(frozen=True, slots=True)
class Axis:
    """A logarithmic axis with its marks."""

    says: str
    marks: Sequence[float]

    def place(self, value: float) -> float:
        """Where a value lies, from 0 (the first mark) to 1 (the last)."""
        low, high = math.log(self.marks[0]), math.log(self.marks[-1])
        return (math.log(max(value, self.marks[0])) - low) / (high - low)


def draw(title: str, note: str, x: Axis, y: Axis, lines: Sequence[Line]) -> str:
    """The picture. Readable on light and on dark pages: it has its own ground."""
    parts = [
        f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {WIDTH} {HEIGHT}' "
        f"width='{WIDTH}' height='{HEIGHT}' role='img' {FONT} font-size='13' fill='{INK}'>",
        f"<title>{escape(title)}. {escape(note)}</title>",
        f"<rect width='{WIDTH}' height='{HEIGHT}' fill='#ffffff'/>",
        text(LEFT, 24, title, "font-size='16' font-weight='600'"),
        text(LEFT, 44, note, "fill='#52606d'"),
        *grid(x, y),
    ]
    for line in lines:
        parts += curve(line, x, y)
    parts += names(lines, y)
    return "\n".join([*parts, "</svg>", ""])


def grid(x: Axis, y: Axis) -> list[str]:
    bottom, right = HEIGHT - BOTTOM, WIDTH - RIGHT
    parts = []
    for mark in y.marks:
        at = down(y, mark)
        parts.append(f"<path d='M{LEFT} {at:.1f}H{right}' stroke='{FAINT}'/>")
        parts.append(text(LEFT - 8, at + 4, f"{mark:,.0f}", "text-anchor='end'"))
    for mark in x.marks:
        at = across(x, mark)
        parts.append(f"<path d='M{at:.1f} {bottom}v5' stroke='{INK}'/>")
        parts.append(text(at, bottom + 20, f"{mark:,.0f}", "text-anchor='middle'"))
    middle = (LEFT + right) / 2
    parts.append(text(middle, HEIGHT - 16, x.says, "text-anchor='middle'"))
    turned = f"text-anchor='middle' transform='rotate(-90 18 {(TOP + bottom) / 2})'"
    parts.append(text(18, (TOP + bottom) / 2, y.says, turned))
    return parts


def curve(line: Line, x: Axis, y: Axis) -> list[str]:
    if not line.points:
        return []
    places = [(across(x, at), down(y, value)) for at, value in line.points]
    path = "L".join(f"{left:.1f} {top:.1f}" for left, top in places)
    dash = " stroke-dasharray='5 4'" if line.dashed else ""
    dots = [
        f"<circle cx='{left:.1f}' cy='{top:.1f}' r='3.5' fill='{line.colour}'/>"
        for left, top in places
    ]
    stroke = f"stroke='{line.colour}' stroke-width='2'{dash}"
    return [f"<path d='M{path}' fill='none' {stroke}/>", *dots]


def names(lines: Sequence[Line], y: Axis) -> list[str]:
    """Each line's name beside its end, moved apart where they would cover each other."""
    parts, lowest = [], -math.inf
    drawn = [line for line in lines if line.points]
    for line in sorted(drawn, key=lambda line: -line.points[-1][1]):
        lowest = max(down(y, line.points[-1][1]), lowest + 18)
        style = f"fill='{line.colour}' font-weight='600'"
        parts.append(text(WIDTH - RIGHT + 10, lowest + 4, line.name, style))
    return parts


def across(x: Axis, value: float) -> float:
    return LEFT + x.place(value) * (WIDTH - LEFT - RIGHT)


def down(y: Axis, value: float) -> float:
    return HEIGHT - BOTTOM - y.place(value) * (HEIGHT - TOP - BOTTOM)


def text(left: float, top: float, words: str, style: str) -> str:
    return f"<text x='{left:.1f}' y='{top:.1f}' {style}>{escape(words)}</text>"
