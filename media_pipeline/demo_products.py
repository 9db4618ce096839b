"""Product pictures of the demo's farms."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Mapping
from pathlib import Path

from PIL import Image, ImageDraw, ImageFilter

from media_pipeline.demo_art import (
    GOLD_PEAR,
    HONEY,
    PINK_APPLE,
    RED_APPLE,
    Pen,
    apple,
    gleam,
    gradient,
    inside,
    lit,
    painted,
    pear,
    planks,
    shadow,
    walnut,
)

SIDE = 600


def make_product_picture(path: Path, kind: str) -> None:
    """A 600x600 JPEG of "apples", "pears", "honey" or "walnuts"; `KeyError` for anything else."""
    picture = _table(*GROUNDS[kind])
    PAINTERS[kind](picture)
    path.parent.mkdir(parents=True, exist_ok=True)
    picture.convert("RGB").save(path, "JPEG", quality=88, optimize=True)


def _table(top: str, bottom: str, wood: str) -> Image.Image:
    """A wall in soft light, and a table seen from a little above."""
    ground = gradient(SIDE, SIDE, [top, top, bottom]).convert("RGBA")
    light = Image.new("L", (SIDE, SIDE))
    ImageDraw.Draw(light).ellipse((40, -160, 480, 300), fill=120)
    white = Image.new("RGBA", (SIDE, SIDE), "#fffaf0")
    white.putalpha(light.filter(ImageFilter.GaussianBlur(80)))
    ground.alpha_composite(white)
    ground.paste(planks(SIDE, 210, wood, 58), (0, 390))
    edge = shadow((SIDE + 200, 60), 70)
    ground.alpha_composite(edge.crop((100, 0, SIDE + 100, 60)), (0, 366))
    return ground


def _put(picture: Image.Image, thing: Image.Image, x: int, y: int, turn: float = 0) -> None:
    """Stand a thing on the table with its foot in the middle of `x`, `y`, with its shadow."""
    turned = thing.rotate(turn, Image.Resampling.BICUBIC) if turn else thing
    dark = shadow((round(thing.width * 1.2), round(thing.width * 0.34)))
    _over(picture, dark, x - dark.width // 2, y - round(dark.height * 0.62))
    _over(picture, turned, x - turned.width // 2, y - turned.height + round(thing.height * 0.05))


def _over(picture: Image.Image, layer: Image.Image, x: int, y: int) -> None:
    """Like `alpha_composite`, but the layer may stick out of the picture."""
    whole = Image.new("RGBA", picture.size)
    whole.paste(layer, (x, y))
    picture.alpha_composite(whole)


def _apples(picture: Image.Image) -> None:
    _put(picture, apple(190, PINK_APPLE, 3, leaf=False), 180, 440, 8)
    _put(picture, apple(200, RED_APPLE, 4), 420, 444, -7)
    _put(picture, apple(200, RED_APPLE, 5, leaf=False), 300, 330, 3)
    _put(picture, apple(230, RED_APPLE, 6), 300, 500, -3)
    _put(picture, _half_apple(190), 478, 548)
    _put(picture, apple(170, PINK_APPLE, 7), 116, 548, 12)


def _half_apple(size: int) -> Image.Image:
    """An apple cut open: a red rim, cream flesh, the core and its seeds."""
    image = apple(size, RED_APPLE, 9, leaf=False).copy()
    box = image.getchannel("A").getbbox() or (0, 0, size, size)
    scale = 0.93
    flesh = apple(size, ("#fffbe6", "#fdf1c9", "#f0dc9c"), 9, leaf=False).crop(box)
    mask = flesh.getchannel("A").resize(
        (round(flesh.width * scale), round(flesh.height * scale)), Image.Resampling.LANCZOS
    )
    cream = lit(mask, ("#fffdf0", "#fdf3cf", "#efd99a"))
    image.alpha_composite(
        cream,
        (box[0] + (flesh.width - mask.width) // 2, box[1] + (flesh.height - mask.height) // 2 + 2),
    )
    image.alpha_composite(painted(size, size, lambda pen: _core(pen, size)))
    return image


def _core(pen: Pen, size: int) -> None:
    middle = size / 2
    pen.ellipse(middle, size * 0.54, size * 0.15, size * 0.18, "#f3e0a4")
    pen.ellipse(middle, size * 0.54, size * 0.12, size * 0.15, "#faedc0")
    for side in (-1, 1):
        pen.ellipse(middle + side * size * 0.05, size * 0.54, size * 0.026, size * 0.055, "#5a2c12")
        pen.ellipse(
            middle + side * size * 0.056, size * 0.525, size * 0.007, size * 0.022, "#a8693a"
        )
    pen.line([(middle, size * 0.2), (middle, size * 0.36)], "#e6cf8e", size * 0.012)


def _pears(picture: Image.Image) -> None:
    _put(picture, pear(250, GOLD_PEAR, 2), 180, 456, 6)
    _put(picture, pear(260, GOLD_PEAR, 3), 410, 452, -8)
    _put(picture, pear(300, GOLD_PEAR, 4), 296, 540, 2)
    _put(picture, pear(220, GOLD_PEAR, 5), 494, 556, -14)
    _put(picture, pear(216, GOLD_PEAR, 6), 108, 560, 12)


def _honey(picture: Image.Image) -> None:
    _put(picture, _jar(300, 360), 270, 540)
    _put(picture, _dipper(), 476, 566)


def _jar(width: int, height: int) -> Image.Image:
    """A glass jar full of honey, with a cloth on its lid and a label."""
    body = painted(
        width, height, lambda pen: pen.rounded((14, 84, width - 14, height - 6), 44, "white")
    )
    jar = lit(body.getchannel("A"), HONEY, (0.4, 0.45))
    inside(jar, _glow(width, height))
    jar.alpha_composite(painted(width, height, lambda pen: _lid_and_label(pen, width, height)))
    gleam(jar, (0.14, 0.6), (0.03, 0.24), 150)
    gleam(jar, (0.86, 0.55), (0.012, 0.2), 110)
    return jar


def _glow(width: int, height: int) -> Image.Image:
    layer = Image.new("RGBA", (width, height))
    ImageDraw.Draw(layer).ellipse(
        (width * 0.15, height * 0.7, width * 0.85, height * 1.1), fill=(255, 206, 84, 170)
    )
    return layer.filter(ImageFilter.GaussianBlur(26))


def _lid_and_label(pen: Pen, width: int, height: int) -> None:
    pen.polygon([(26, 44), (width - 26, 44), (width - 4, 112), (4, 112)], "#f3e3c2")
    for at in range(8, width - 8, 22):
        pen.ellipse(at + 6, 112, 11, 9, "#f3e3c2")
    for number, at in enumerate(range(30, width - 30, 26)):
        lean = (at - width / 2) * 0.16
        pen.line([(at, 48), (at + lean, 112)], "#d98f4e" if number % 2 else "#e9c391", 5)
    pen.ellipse(width / 2, 44, width / 2 - 24, 20, "#f8ecd2")
    pen.rounded((18, 74, width - 18, 84), 5, "#9c5a26")
    pen.rounded((58, 182, width - 58, 296), 14, "#fff6e0")
    pen.rounded((66, 190, width - 66, 288), 10, "#f6e2b4")
    for row, column in ((0, -1), (0, 0), (0, 1), (1, -0.5), (1, 0.5)):
        _cell(pen, width / 2 + column * 41, 222 + row * 36, 21)


def _cell(pen: Pen, x: float, y: float, radius: float) -> None:
    for shrink, colour in ((1.0, "#b4650f"), (0.82, "#f0a62c")):
        corners = [math.radians(60 * step + 30) for step in range(6)]
        pen.polygon(
            [
                (x + radius * shrink * math.cos(a), y + radius * shrink * math.sin(a))
                for a in corners
            ],
            colour,
        )


def _dipper() -> Image.Image:
    """A wooden honey dipper, lying, with honey on it."""

    def paint(pen: Pen) -> None:
        pen.line([(92, 70), (214, 14)], "#8d5a2b", 12)
        pen.line([(92, 67), (212, 12)], "#b67c43", 5)
        pen.ellipse(66, 84, 40, 34, "#e8961a")
        for offset in (-24, -8, 8, 24):
            pen.line([(66 + offset - 9, 60), (66 + offset + 9, 108)], "#b06a1a", 7)
            pen.line([(66 + offset - 11, 62), (66 + offset + 7, 106)], "#f7bd4a", 3)
        pen.ellipse(70, 116, 56, 9, "#e8961a")
        pen.ellipse(60, 113, 30, 3, "#ffd780")

    return painted(226, 130, paint)


def _walnuts(picture: Image.Image) -> None:
    chance = random.Random(8)  # noqa: S311 - a drawing
    rows = ((420, 150, 5, 88), (474, 104, 6, 92), (540, 70, 6, 98))
    for number, (y, left, many, step) in enumerate(rows):
        for at in range(many):
            x = left + at * step * (600 - 2 * left) // (step * (many - 1))
            _put(picture, walnut(118 + 8 * number, number * 10 + at), x, y, chance.uniform(-70, 70))
    _put(picture, walnut(122, 40), 250, 372, 20)
    _put(picture, walnut(122, 41), 352, 366, -32)
    _put(picture, _open_walnut(176), 300, 570)


def _open_walnut(size: int) -> Image.Image:
    """Half a shell with the kernel in it."""
    shell = walnut(size, 77).copy()
    shell.alpha_composite(painted(size, size, lambda pen: _kernel(pen, size)))
    return shell


def _kernel(pen: Pen, size: int) -> None:
    middle = size / 2
    pen.ellipse(middle, middle, size * 0.35, size * 0.38, "#6d431f")
    pen.ellipse(middle, middle, size * 0.32, size * 0.35, "#d9b078")
    chance = random.Random(5)  # noqa: S311 - a drawing
    lobes = [
        (side, reach, step) for reach in (0.08, 0.16, 0.2) for side in (-1, 1) for step in range(11)
    ]
    for side, reach, step in lobes:
        angle = math.radians(-80 + step * 16)
        x = middle + side * size * (0.05 + reach * math.cos(angle))
        y = middle + size * (0.1 + 0.8 * reach) * math.sin(angle) * 1.15
        radius = size * chance.uniform(0.04, 0.062)
        pen.ellipse(x + 1.5, y + 2, radius, radius, "#a87338")
        pen.ellipse(x, y, radius, radius, "#efcf9c")
        pen.ellipse(x - radius * 0.3, y - radius * 0.3, radius * 0.4, radius * 0.4, "#fbe8c6")
    pen.line([(middle, size * 0.19), (middle, size * 0.81)], "#8a5a2a", size * 0.03)


PAINTERS: Mapping[str, Callable[[Image.Image], None]] = {
    "apples": _apples,
    "pears": _pears,
    "honey": _honey,
    "walnuts": _walnuts,
}
GROUNDS: Mapping[str, tuple[str, str, str]] = {
    "apples": ("#f6e7cf", "#e3c39a", "#9c6a3c"),
    "pears": ("#dfe8d2", "#bccfa6", "#8f6a42"),
    "honey": ("#fbeccb", "#f0cf8e", "#8a5a30"),
    "walnuts": ("#efe3d2", "#d3bda0", "#7c5532"),
}
