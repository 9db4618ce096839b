"""Drawings for the demo: fruit, an orchard, a farmer. All of it is drawn by us, none is a file.

Everything is painted three times too large and scaled down, which is what makes edges smooth.
Coordinates are pixels of the finished drawing.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache

from PIL import Image, ImageColor, ImageDraw, ImageFilter, ImageFont, ImageOps

Point = tuple[float, float]
Colour = str | tuple[int, int, int] | tuple[int, int, int, int]
# Light, middle and dark of a round thing.
Ramp = tuple[str, str, str]

FINE = 3
RED_APPLE: Ramp = ("#ff8f6a", "#c81e2b", "#4f0812")
PINK_APPLE: Ramp = ("#ffc08a", "#dd4038", "#6d1018")
GOLD_PEAR: Ramp = ("#fdf6c4", "#dfcf6c", "#8c7a25")
HONEY: Ramp = ("#ffdc7a", "#e8961a", "#8a4306")
WALNUT: Ramp = ("#e2b988", "#a9733f", "#4a2a12")


class Pen:
    """Draws on a fine canvas in the coordinates of the finished drawing."""

    def __init__(self, image: Image.Image, fine: int = FINE) -> None:
        self._draw = ImageDraw.Draw(image)
        self._fine = fine

    def ellipse(self, x: float, y: float, rx: float, ry: float, fill: Colour) -> None:
        box = (
            (x - rx) * self._fine,
            (y - ry) * self._fine,
            (x + rx) * self._fine,
            (y + ry) * self._fine,
        )
        self._draw.ellipse(box, fill=fill)

    def polygon(self, points: Iterable[Point], fill: Colour) -> None:
        self._draw.polygon([(x * self._fine, y * self._fine) for x, y in points], fill=fill)

    def line(self, points: Sequence[Point], fill: Colour, width: float) -> None:
        """A line with round joints and ends."""
        fine = [(x * self._fine, y * self._fine) for x, y in points]
        self._draw.line(fine, fill=fill, width=max(1, round(width * self._fine)), joint="curve")
        for x, y in (points[0], points[-1]):
            self.ellipse(x, y, width / 2, width / 2, fill)

    def arc(
        self, box: tuple[float, float, float, float], turn: Point, fill: Colour, width: float
    ) -> None:
        fine = tuple(side * self._fine for side in box)
        self._draw.arc(fine, turn[0], turn[1], fill=fill, width=round(width * self._fine))

    def rounded(self, box: tuple[float, float, float, float], radius: float, fill: Colour) -> None:
        fine = tuple(side * self._fine for side in box)
        self._draw.rounded_rectangle(fine, radius * self._fine, fill=fill)


def painted(width: int, height: int, paint: Callable[[Pen], None]) -> Image.Image:
    """A drawing with a clear ground."""
    fine = Image.new("RGBA", (width * FINE, height * FINE))
    paint(Pen(fine))
    return fine.resize((width, height), Image.Resampling.LANCZOS)


def mixed(colour: str, other: str, part: float) -> Colour:
    """`colour` with a part of another in it. (A `Pen` replaces what is there, clear ink too.)"""
    pairs = zip(ImageColor.getrgb(colour)[:3], ImageColor.getrgb(other)[:3], strict=True)
    red, green, blue = (round(one + (two - one) * part) for one, two in pairs)
    return red, green, blue


def gradient(width: int, height: int, stops: Sequence[str]) -> Image.Image:
    """Colours from top to bottom, softly."""
    column = Image.new("RGB", (1, len(stops)))
    for row, stop in enumerate(stops):
        column.paste(stop, (0, row, 1, row + 1))
    # Twice, since a single step would leave visible bands at the stops.
    soft = column.resize((1, 64), Image.Resampling.BICUBIC)
    return soft.resize((width, height), Image.Resampling.BICUBIC)


def round_light(size: tuple[int, int], ramp: Ramp, focus: Point = (0.36, 0.3)) -> Image.Image:
    """Light falling on something round; `focus` is where it is brightest, in parts of the size."""
    width, height = size
    reach = 1.36
    glow = Image.radial_gradient("L").resize((round(width * reach), round(height * reach)))
    left, top = round(width * (reach / 2 - focus[0])), round(height * (reach / 2 - focus[1]))
    shade = glow.crop((left, top, left + width, top + height))
    light, middle, dark = ramp
    return ImageOps.colorize(shade, light, dark, middle, midpoint=110)


def lit(mask: Image.Image, ramp: Ramp, focus: Point = (0.36, 0.3)) -> Image.Image:
    """The shape of `mask` as a round thing in the light."""
    image = round_light(mask.size, ramp, focus).convert("RGBA")
    image.putalpha(mask)
    return image


def shape(size: tuple[int, int], outline: Sequence[Point]) -> Image.Image:
    mask = Image.new("L", size)
    ImageDraw.Draw(mask).polygon(list(outline), fill=255)
    return mask


def inside(image: Image.Image, layer: Image.Image) -> None:
    """Put a layer on a drawing without leaving its shape."""
    alpha = image.getchannel("A")
    image.alpha_composite(layer)
    image.putalpha(alpha)


def gleam(image: Image.Image, at: Point, radius: Point, strength: int = 150) -> None:
    """A soft white reflection; places and sizes in parts of the image."""
    width, height = image.size
    layer = Image.new("L", image.size)
    (x, y), (rx, ry) = at, radius
    box = ((x - rx) * width, (y - ry) * height, (x + rx) * width, (y + ry) * height)
    ImageDraw.Draw(layer).ellipse(box, fill=strength)
    soft = layer.filter(ImageFilter.GaussianBlur(width * 0.035))
    white = Image.new("RGBA", image.size, "white")
    white.putalpha(soft)
    inside(image, white)


def apple_outline(size: float) -> list[Point]:
    """A Huaniu apple: shoulders, a waist that narrows, and a dimple at both ends."""
    points: list[Point] = []
    for step in range(120):
        angle = (step / 120 * 2 - 1) * math.pi
        top = 0.24 * math.exp(-((angle / 0.42) ** 2))
        foot = 0.09 * math.exp(-(((math.pi - abs(angle)) / 0.3) ** 2))
        reach = 0.46 * (1 - top - foot)
        x, y = reach * math.sin(angle), -reach * math.cos(angle)
        x *= 1.02 - 0.3 * max(0.0, y)
        points.append((size * (0.5 + x), size * (0.54 + y)))
    return points


@lru_cache(maxsize=64)
def apple(size: int, ramp: Ramp = RED_APPLE, seed: int = 1, leaf: bool = True) -> Image.Image:
    """An apple, `size` pixels wide."""
    fine = size * FINE
    chance = random.Random(seed)  # noqa: S311 - a drawing
    image = lit(shape((fine, fine), apple_outline(fine)), ramp)
    inside(image, _streaks(fine, chance))
    inside(image, _specks(fine, chance, 70, (255, 226, 170, 130)))
    _dimple(image, fine)
    gleam(image, (0.33, 0.36), (0.09, 0.13))
    gleam(image, (0.7, 0.74), (0.08, 0.05), 45)
    _stem(image, fine, leaf)
    return image.resize((size, size), Image.Resampling.LANCZOS)


def _streaks(fine: int, chance: random.Random) -> Image.Image:
    """The paler stripes that run from the stem down."""
    layer = Image.new("RGBA", (fine, fine))
    draw = ImageDraw.Draw(layer)
    for _ in range(26):
        lean, length = chance.uniform(-1, 1), chance.uniform(0.25, 0.6)
        start = (fine * (0.5 + lean * 0.12), fine * 0.2)
        bend = (fine * (0.5 + lean * 0.36), fine * (0.2 + length * 0.5))
        end = (fine * (0.5 + lean * 0.4), fine * (0.2 + length))
        colour = (255, 190, 120, chance.randint(18, 50))
        draw.line([start, bend, end], fill=colour, width=max(1, round(fine * 0.012)), joint="curve")
    return layer.filter(ImageFilter.GaussianBlur(fine * 0.006))


def _specks(
    fine: int, chance: random.Random, number: int, colour: tuple[int, int, int, int]
) -> Image.Image:
    layer = Image.new("RGBA", (fine, fine))
    draw = ImageDraw.Draw(layer)
    for _ in range(number):
        x, y, r = (
            chance.uniform(0, fine),
            chance.uniform(0, fine),
            fine * chance.uniform(0.002, 0.006),
        )
        draw.ellipse((x - r, y - r, x + r, y + r), fill=colour)
    return layer


def _dimple(image: Image.Image, fine: int) -> None:
    layer = Image.new("RGBA", image.size)
    box = (fine * 0.36, fine * 0.13, fine * 0.64, fine * 0.26)
    ImageDraw.Draw(layer).ellipse(box, fill=(60, 20, 5, 150))
    inside(image, layer.filter(ImageFilter.GaussianBlur(fine * 0.03)))


def _stem(image: Image.Image, fine: int, leaf: bool) -> None:
    draw = ImageDraw.Draw(image)
    stem = [(fine * 0.5, fine * 0.24), (fine * 0.505, fine * 0.14), (fine * 0.55, fine * 0.05)]
    draw.line(stem, fill="#5b3a1c", width=max(2, round(fine * 0.028)), joint="curve")
    if leaf:
        _leaf(draw, fine * 0.52, fine * 0.13, fine * 0.24)


def _leaf(draw: ImageDraw.ImageDraw, x: float, y: float, length: float) -> None:
    upper = [
        (x + length * s, y - length * (0.28 * math.sin(math.pi * s) + 0.22 * s)) for s in _parts(12)
    ]
    lower = [
        (x + length * s, y + length * (0.2 * math.sin(math.pi * s) - 0.22 * s)) for s in _parts(12)
    ]
    draw.polygon(upper + lower[::-1], fill="#4f8f3a")
    vein = [(x + length * s, y - length * 0.24 * s) for s in _parts(4)]
    draw.line(vein, fill="#88bf62", width=max(1, round(length * 0.04)))


def _parts(number: int) -> list[float]:
    return [step / number for step in range(number + 1)]


@lru_cache(maxsize=16)
def pear(size: int, ramp: Ramp = GOLD_PEAR, seed: int = 1) -> Image.Image:
    """A snow pear: pale skin with fine brown dots."""
    fine = size * FINE
    chance = random.Random(seed)  # noqa: S311 - a drawing
    image = lit(shape((fine, fine), _pear_outline(fine)), ramp, (0.38, 0.5))
    inside(image, _specks(fine, chance, 240, (120, 92, 30, 120)))
    gleam(image, (0.38, 0.56), (0.07, 0.13), 140)
    draw = ImageDraw.Draw(image)
    stem = [(fine * 0.5, fine * 0.12), (fine * 0.52, fine * 0.07), (fine * 0.56, fine * 0.01)]
    draw.line(stem, fill="#5b3a1c", width=max(2, round(fine * 0.026)), joint="curve")
    return image.resize((size, size), Image.Resampling.LANCZOS)


def _pear_outline(fine: float) -> list[Point]:
    side: list[Point] = []
    for part in _parts(60):
        neck = 0.19 * math.sin(math.pi * min(1.0, part / 0.62)) ** 0.7 if part < 0.62 else 0.0
        belly = (
            0.37 * math.sin(math.pi * max(0.0, (part - 0.14) / 0.86)) ** 0.45
            if part > 0.14
            else 0.0
        )
        side.append((max(neck, belly), 0.1 + 0.86 * part))
    left = [(fine * (0.5 - half), fine * y) for half, y in side]
    return left + [(fine * (0.5 + half), fine * y) for half, y in reversed(side)]


@lru_cache(maxsize=16)
def walnut(size: int, seed: int = 1) -> Image.Image:
    """A walnut in its shell."""
    fine = size * FINE
    mask = Image.new("L", (fine, fine))
    ImageDraw.Draw(mask).ellipse((fine * 0.1, fine * 0.06, fine * 0.9, fine * 0.94), fill=255)
    image = lit(mask, WALNUT)
    inside(image, _wrinkles(fine, random.Random(seed)))  # noqa: S311 - a drawing
    gleam(image, (0.34, 0.3), (0.1, 0.07), 70)
    return image.resize((size, size), Image.Resampling.LANCZOS)


def _wrinkles(fine: int, chance: random.Random) -> Image.Image:
    layer = Image.new("RGBA", (fine, fine))
    draw = ImageDraw.Draw(layer)
    thin = max(1, round(fine * 0.014))
    for lean in (-0.34, -0.24, -0.13, 0.13, 0.24, 0.34):
        points = [
            (
                fine
                * (0.5 + lean * math.sin(math.pi * part) * 1.15 + chance.uniform(-0.018, 0.018)),
                fine * (0.08 + 0.84 * part),
            )
            for part in _parts(11)
        ]
        draw.line(points, fill=(74, 40, 16, 150), width=thin, joint="curve")
        paler = [(x + thin * 1.6, y) for x, y in points]
        draw.line(paler, fill=(250, 214, 160, 80), width=thin, joint="curve")
    seam = [
        (fine * (0.5 + chance.uniform(-0.012, 0.012)), fine * (0.05 + 0.9 * p)) for p in _parts(10)
    ]
    draw.line(seam, fill=(60, 30, 10, 220), width=thin * 2, joint="curve")
    return layer.filter(ImageFilter.GaussianBlur(fine * 0.004))


def shadow(size: tuple[int, int], strength: int = 110) -> Image.Image:
    """A soft dark spot to stand on."""
    width, height = size
    mask = Image.new("L", size)
    ImageDraw.Draw(mask).ellipse(
        (width * 0.1, height * 0.2, width * 0.9, height * 0.8), fill=strength
    )
    spot = Image.new("RGBA", size, (40, 20, 5))
    spot.putalpha(mask.filter(ImageFilter.GaussianBlur(height * 0.12)))
    return spot


@lru_cache(maxsize=8)
def planks(width: int, height: int, colour: str = "#a8723f", board: int = 64) -> Image.Image:
    """A wooden table top."""
    chance = random.Random(width + height)  # noqa: S311 - a drawing
    wood = Image.new("RGB", (width, height), colour)
    draw = ImageDraw.Draw(wood, "RGBA")
    for y in range(0, height, board):
        draw.rectangle((0, y, width, y + board), fill=(60, 30, 8, chance.randint(0, 46)))
        for _ in range(9):
            at, sway = y + chance.uniform(4, board - 4), chance.uniform(-5, 5)
            grain = [(x, at + sway * math.sin(x / width * 3)) for x in range(0, width + 20, 20)]
            draw.line(grain, fill=(70, 38, 12, chance.randint(20, 60)), width=1)
        draw.line([(0, y), (width, y)], fill=(50, 25, 8, 200), width=3)
        draw.line([(0, y + 3), (width, y + 3)], fill=(255, 220, 170, 50), width=1)
    return wood


def text(words: str, size: float, fill: Colour, bold: float = 0) -> Image.Image:
    """A line of words, drawn with the one typeface that is everywhere Pillow is."""
    font = ImageFont.load_default(size)
    stroke = round(bold)
    left, top, right, bottom = font.getbbox(words, stroke_width=stroke)
    image = Image.new("RGBA", (round(right - left) + 4, round(bottom - top) + 4))
    ImageDraw.Draw(image).text(
        (2 - left, 2 - top), words, font=font, fill=fill, stroke_width=stroke, stroke_fill=fill
    )
    return image
