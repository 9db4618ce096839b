"""The orchard of the demo show at three times of day: sky, hills, trees, falling leaves."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from functools import lru_cache

from PIL import Image, ImageDraw, ImageFilter

from media_pipeline.demo_art import Pen, gradient, mixed, painted

WIDTH, HEIGHT = 540, 960
# How far the camera sways to each side, and how wide the backdrop is for that.
SWAY = 12
WIDE = WIDTH + 2 * SWAY


@dataclass(frozen=True, slots=True)
class Light:
    """The colours of a time of day: the sky from above, hills far and near, leaves, and a veil."""

    sky: tuple[str, ...]
    far: str
    near: str
    leaf: str
    veil: tuple[int, int, int, int]
    sun: tuple[int, int]


MORNING = Light(
    ("#8cc4ea", "#c9e4f2", "#fdebc8"),
    "#a9c3b4",
    "#86ab7c",
    "#4d8a3c",
    (255, 214, 150, 26),
    (96, 250),
)
NOON = Light(
    ("#4fa3e0", "#9fd0f0", "#e6f4f4"),
    "#9cc0b2",
    "#78a870",
    "#468a36",
    (255, 255, 255, 0),
    (300, 150),
)
EVENING = Light(
    ("#6d86bd", "#f3b98a", "#ffd9a0"),
    "#b79a98",
    "#8f8f66",
    "#5a7c38",
    (255, 150, 60, 44),
    (440, 330),
)


def orchard(picture: Image.Image, at_s: float, light: Light) -> None:
    """The backdrop with a hand-held camera's sway, and clouds that go their own way."""
    sway = SWAY + round(SWAY * math.sin(at_s * 0.55))
    picture.paste(_backdrop(light).crop((sway, 0, sway + WIDTH, HEIGHT)), (0, 0))
    for number, (y, speed) in enumerate(((150, 7), (236, 4), (290, 10))):
        x = (number * 230 + at_s * speed) % (WIDTH + 220) - 200
        over(picture, _cloud(), round(x), y)


@lru_cache
def _backdrop(light: Light) -> Image.Image:
    """Sky, hills and trees, wider than the picture by the sway."""
    backdrop = _sky(light).copy()
    over(backdrop, _hills(light), 0, 380)
    over(backdrop, _trees(light), -60, 430)
    return backdrop


def over(picture: Image.Image, layer: Image.Image, x: int, y: int) -> None:
    picture.paste(layer, (x, y), layer)


@lru_cache
def _sky(light: Light) -> Image.Image:
    sky = gradient(WIDE, HEIGHT, [*light.sky, light.sky[-1]]).convert("RGBA")
    glow = Image.new("L", (WIDE, HEIGHT))
    x, y = light.sun
    draw = ImageDraw.Draw(glow)
    draw.ellipse((x - 130, y - 130, x + 130, y + 130), fill=90)
    glow = glow.filter(ImageFilter.GaussianBlur(50))
    ImageDraw.Draw(glow).ellipse((x - 38, y - 38, x + 38, y + 38), fill=235)
    sun = Image.new("RGBA", (WIDE, HEIGHT), "#fff6d8")
    sun.putalpha(glow.filter(ImageFilter.GaussianBlur(3)))
    sky.alpha_composite(sun)
    return sky.convert("RGB")


@lru_cache
def _cloud() -> Image.Image:
    def paint(pen: Pen) -> None:
        for x, y, rx, ry in (
            (60, 52, 52, 20),
            (96, 38, 40, 28),
            (134, 46, 42, 24),
            (100, 56, 88, 16),
        ):
            pen.ellipse(x, y, rx, ry, (255, 255, 255, 200))

    # Only its edge is softened: blurring colours too would draw in the black of what is clear.
    cloud = Image.new("RGBA", (200, 80), "white")
    soft = painted(200, 80, paint).getchannel("A").filter(ImageFilter.GaussianBlur(3))
    cloud.putalpha(soft)
    return cloud


@lru_cache
def _hills(light: Light) -> Image.Image:
    """The terraced hills of the county."""

    def ridge(pen: Pen, colour: str, height: float, waves: float, phase: float) -> None:
        tops = [
            (x, height - 46 * math.sin(x / 640 * waves + phase) - 14 * math.sin(x / 41 + phase))
            for x in range(0, 641, 8)
        ]
        pen.polygon([(0, 330), *tops, (640, 330)], colour)
        for step in range(1, 6):
            lower = [(x, y + step * 15 + 3 * math.sin(x / 30)) for x, y in tops]
            pen.line(lower, mixed(colour, "#ffffff", 0.2), 2)

    def paint(pen: Pen) -> None:
        ridge(pen, light.far, 92, 5, 0.4)
        ridge(pen, light.near, 150, 7, 2.1)

    return painted(640, 330, paint)


@lru_cache
def _trees(light: Light) -> Image.Image:
    """Two rows of apple trees on grass."""
    layer = Image.new("RGBA", (720, 530))
    ground = gradient(720, 400, ["#a9bf63", "#7fa048", "#5d8238"]).convert("RGBA")
    layer.paste(ground, (0, 190))
    for size, y, xs in ((150, 58, range(-30, 720, 112)), (250, 60, range(-60, 720, 186))):
        for number, x in enumerate(xs):
            tree = _tree(size, light.leaf, number + size)
            layer.paste(tree, (x, y), tree)
    veil = Image.new("RGBA", layer.size, light.veil)
    alpha = layer.getchannel("A")
    layer.alpha_composite(veil)
    layer.putalpha(alpha)
    return layer


def _tree(size: int, leaf: str, seed: int) -> Image.Image:
    chance = random.Random(seed)  # noqa: S311 - a drawing

    def paint(pen: Pen) -> None:
        middle = size / 2
        pen.line([(middle, size * 1.2), (middle * 1.04, size * 0.6)], "#6b4a2c", size * 0.09)
        spots = [
            (middle + math.cos(a) * size * 0.27, size * 0.46 + math.sin(a) * size * 0.24)
            for a in (step * 0.7 for step in range(9))
        ]
        for x, y in [*spots, (middle, size * 0.44)]:
            pen.ellipse(x, y + size * 0.03, size * 0.21, size * 0.19, "#2f5f2a")
        for x, y in [*spots, (middle, size * 0.44)]:
            pen.ellipse(x, y, size * 0.19, size * 0.17, leaf)
        for x, y in spots:
            pen.ellipse(
                x - size * 0.05,
                y - size * 0.06,
                size * 0.1,
                size * 0.07,
                mixed(leaf, "#d8ec9a", 0.3),
            )
        for _ in range(15):
            angle, reach = chance.uniform(0, 6.3), chance.uniform(0.06, 0.4)
            x, y = (
                middle + math.cos(angle) * size * reach,
                size * 0.46 + math.sin(angle) * size * reach * 0.9,
            )
            pen.ellipse(x, y, size * 0.032, size * 0.032, "#c3202c")
            pen.ellipse(x - size * 0.01, y - size * 0.012, size * 0.01, size * 0.01, "#ff9a80")

    return painted(size, round(size * 1.3), paint)


@lru_cache
def blurred_orchard(light: Light) -> Image.Image:
    """The orchard out of focus, behind something near."""
    picture = Image.new("RGB", (WIDTH, HEIGHT))
    orchard(picture, 0, light)
    return picture.filter(ImageFilter.GaussianBlur(14))


def falling_leaves(picture: Image.Image, at_s: float) -> None:
    """A few leaves drift down across the picture."""
    for number in range(6):
        at = (at_s / 7 + number * 0.37) % 1
        x = (number * 113 + 70 * math.sin(at * 7 + number)) % WIDTH
        leaf = _small_leaf(int(at * 24 + number * 5) % 12)
        over(picture, leaf, round(x), round(at * 760 + 60))


@lru_cache
def _small_leaf(turn: int) -> Image.Image:
    def paint(pen: Pen) -> None:
        pen.polygon([(2, 13), (10, 6), (22, 8), (26, 13), (20, 18), (10, 19)], "#8fb04a")
        pen.line([(2, 13), (24, 13)], "#5d7f2e", 1.4)

    return painted(28, 26, paint).rotate(turn * 30, Image.Resampling.BICUBIC, expand=True)
