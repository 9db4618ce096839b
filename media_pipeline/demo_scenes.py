"""The demo show: a minute in Zhang's orchard, in six scenes of ten seconds."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from PIL import Image

from media_pipeline.demo_art import (
    PINK_APPLE,
    RED_APPLE,
    Pen,
    apple,
    mixed,
    painted,
    pear,
    planks,
    shadow,
    text,
)
from media_pipeline.demo_farmer import WAVE_STEPS, Held, Pose, farmer
from media_pipeline.demo_orchard import (
    EVENING,
    HEIGHT,
    MORNING,
    NOON,
    WIDTH,
    Light,
    blurred_orchard,
    falling_leaves,
    orchard,
    over,
)

SCENE_S = 10.0
ROUND_S = 60.0
TABLE_Y = 800


@dataclass(frozen=True, slots=True)
class Scene:
    title: str
    line: str
    light: Light
    draw: Callable[[Image.Image, float, Light], None]


def frame(at_s: float) -> Image.Image:
    """The picture at a time of the show, 540x960, with a running clock in it."""
    scene, inner_s = SCENES[int(at_s % ROUND_S // SCENE_S)], at_s % SCENE_S
    picture = Image.new("RGB", (WIDTH, HEIGHT))
    scene.draw(picture, inner_s, scene.light)
    _caption(picture, scene, inner_s)
    _clock(picture, at_s)
    return picture


def _talk(held: Held, fruit: str, waves: bool) -> Callable[[Image.Image, float, Light], None]:
    """A scene in which the farmer stands behind his crate and talks to the camera."""

    def draw(picture: Image.Image, at_s: float, light: Light) -> None:
        orchard(picture, at_s, light)
        bob = round(3 * math.sin(at_s * 2.1))
        over(picture, farmer(_pose(at_s, held, waves)), 20, 246 + bob)
        _table(picture)
        over(picture, crate(fruit), 74, 640)
        falling_leaves(picture, at_s)

    return draw


def _pose(at_s: float, held: Held, waves: bool) -> Pose:
    waving = waves and at_s % 5 < 3.6
    talking = at_s % 3.4 < 2.7
    return Pose(
        wave=round(at_s * WAVE_STEPS * 1.2) % WAVE_STEPS if waving else -1,
        mouth=(0, 1, 2, 1)[int(at_s * 7.5) % 4] if talking else 0,
        blinks=at_s % 2.9 < 0.14,
        held=held,
        lift=round(3.5 * math.sin(at_s * 1.7)) * 4 + 14 if held else 0,
    )


def _close_apple(picture: Image.Image, at_s: float, light: Light) -> None:
    """One apple fills the picture; it sways on its branch."""
    picture.paste(blurred_orchard(light), (0, 0))
    sway = math.sin(at_s * 1.3)
    over(picture, _branch(), -20, 206 + round(2 * sway))
    over(picture, _turned_apple(round(14 * sway)), 55 + round(8 * sway), 318)
    falling_leaves(picture, at_s)


@lru_cache(maxsize=32)
def _turned_apple(quarters: int) -> Image.Image:
    return _with_drops(430).rotate(quarters / 4, Image.Resampling.BICUBIC, center=(215, 0))


def _packing(picture: Image.Image, at_s: float, light: Light) -> None:
    """Apples drop into a box, one each second."""
    picture.paste(_packing_place(light), (0, 0))
    for number, (x, y) in enumerate(SPOTS[: int(at_s) + 1]):
        fallen = min(1.0, (at_s - number) * 2.6)
        drop = round((1 - fallen**2) * 360 - 14 * math.sin(math.pi * fallen))
        over(picture, _packed_apple(number), x, y - drop)
    over(picture, _box_front(), 30, 690)


@lru_cache
def _packing_place(light: Light) -> Image.Image:
    place = blurred_orchard(light).copy()
    place.paste(planks(WIDTH, 420, "#a8713f", 70), (0, 540))
    over(place, shadow((560, 190), 130), -10, 760)
    over(place, _box(), 30, 540)
    return place


def _packed_apple(number: int) -> Image.Image:
    ramp = PINK_APPLE if number % 3 == 1 else RED_APPLE
    return apple(128, ramp, number, number % 2 == 0)


SPOTS = (
    (76, 590),
    (188, 582),
    (312, 588),
    (140, 608),
    (256, 604),
    (362, 610),
    (86, 634),
    (204, 640),
    (318, 638),
    (256, 566),
)

SCENES: Sequence[Scene] = (
    Scene(
        "Good morning from Lixian", "Live from Zhang's orchard", MORNING, _talk("", "apple", True)
    ),
    Scene("Huaniu apples", "Picked this morning", MORNING, _talk("apple", "apple", False)),
    Scene("Crisp and fragrant", "Ripened slowly in the mountain sun", NOON, _close_apple),
    Scene("5 kg box", "Packed by hand, sent today", NOON, _packing),
    Scene("Snow pears", "Thin skin, full of juice", EVENING, _talk("pear", "pear", False)),
    Scene(
        "Thank you for watching", "Order right here in the room", EVENING, _talk("", "apple", True)
    ),
)


@lru_cache
def _branch() -> Image.Image:
    def paint(pen: Pen) -> None:
        pen.line([(0, 60), (170, 96), (330, 84), (580, 20)], "#5f4025", 30)
        pen.line([(0, 54), (170, 90), (330, 78), (580, 14)], "#80583a", 12)
        pen.line([(306, 84), (311, 146)], "#5b3a1c", 12)
        for x, y, lean, length in (
            (96, 84, -0.75, 120),
            (120, 88, 0.1, 130),
            (196, 92, -0.35, 116),
            (392, 72, 0.25, 124),
            (410, 70, 0.95, 140),
            (500, 44, 0.1, 110),
        ):
            _big_leaf(pen, x, y, lean, length)

    return painted(580, 260, paint)


def _big_leaf(pen: Pen, x: float, y: float, lean: float, length: float) -> None:
    def side(width: float) -> list[tuple[float, float]]:
        parts = [step / 14 for step in range(15)]
        return [
            (
                x + length * p * math.sin(lean) + width * math.sin(math.pi * p) * math.cos(lean),
                y
                + length * p * math.cos(lean) * 0.8
                - width * math.sin(math.pi * p) * math.sin(lean),
            )
            for p in parts
        ]

    pen.polygon(side(length * 0.19) + side(-length * 0.19)[::-1], "#3f7f35")
    pen.polygon(side(length * 0.19) + side(0)[::-1], "#5a9c45")
    pen.line(side(0), "#a5cf82", 2.5)


@lru_cache
def _with_drops(size: int) -> Image.Image:
    """A large apple with the morning's dew on it."""
    image = apple(size, RED_APPLE, 12, leaf=False).copy()
    chance = random.Random(4)  # noqa: S311 - a drawing

    def paint(pen: Pen) -> None:
        for _ in range(30):
            angle, reach = chance.uniform(0, 6.3), chance.uniform(0.05, 0.36)
            x, y = size * (0.5 + reach * math.cos(angle)), size * (0.56 + reach * math.sin(angle))
            r = chance.uniform(2.5, 8)
            pen.ellipse(x, y + r * 0.2, r, r * 1.15, (90, 0, 10, 90))
            pen.ellipse(x, y, r * 0.9, r, (255, 200, 190, 70))
            pen.ellipse(x - r * 0.3, y - r * 0.35, r * 0.28, r * 0.28, (255, 255, 255, 230))

    image.alpha_composite(painted(size, size, paint))
    return image


@lru_cache
def crate(fruit: str) -> Image.Image:
    """A wooden crate heaped with fruit."""
    image = Image.new("RGBA", (392, 300))
    chance = random.Random(3)  # noqa: S311 - a drawing
    for y, xs in ((8, range(70, 260, 76)), (40, range(20, 300, 66)), (78, range(8, 320, 70))):
        for number, x in enumerate(xs):
            one = pear(104, seed=number + y) if fruit == "pear" else _some_apple(100, number + y)
            turned = one.rotate(chance.uniform(-22, 22), Image.Resampling.BICUBIC)
            image.alpha_composite(turned, (x, y))
    image.alpha_composite(painted(392, 300, _crate_boards))
    name = text("SNOW PEARS" if fruit == "pear" else "HUANIU APPLES", 26, "#6b3d16", 1)
    image.alpha_composite(name, ((392 - name.width) // 2, 206))
    return image


def _some_apple(size: int, seed: int) -> Image.Image:
    return apple(size, PINK_APPLE if seed % 4 == 1 else RED_APPLE, seed, leaf=seed % 3 == 0)


def _crate_boards(pen: Pen) -> None:
    for y, colour in ((146, "#d4a264"), (196, "#c99557"), (246, "#b98549")):
        pen.rounded((4, y, 388, y + 44), 5, "#7a4f24")
        pen.rounded((6, y + 1, 386, y + 40), 5, colour)
        pen.line([(16, y + 12), (210, y + 15), (374, y + 11)], mixed(colour, "#784c22", 0.3), 1.6)
        pen.line([(16, y + 30), (160, y + 27), (374, y + 31)], mixed(colour, "#784c22", 0.3), 1.6)
    for x in (10, 350):
        pen.rounded((x, 140, x + 32, 294), 5, "#a06d38")
        for y in (168, 218, 268):
            pen.ellipse(x + 16, y, 4, 4, "#5e3d1c")


@lru_cache
def _box() -> Image.Image:
    """The inside of an open cardboard box."""

    def paint(pen: Pen) -> None:
        pen.polygon([(20, 0), (460, 0), (480, 180), (0, 180)], "#8a6238")
        pen.polygon([(20, 0), (460, 0), (452, 60), (28, 60)], "#b98a54")
        pen.polygon([(20, 0), (0, 180), (-30, 150), (-20, 10)], "#cfa06a")

    return painted(480, 190, paint)


@lru_cache
def _box_front() -> Image.Image:
    """The front of the box, before the fruit."""

    def paint(pen: Pen) -> None:
        pen.polygon([(0, 30), (480, 30), (456, 200), (24, 200)], "#d9ac74")
        pen.polygon([(0, 30), (480, 30), (478, 44), (2, 44)], "#ecc692")
        pen.polygon([(24, 200), (456, 200), (458, 186), (22, 186)], "#b98a54")

    image = painted(480, 204, paint)
    name = text("LIXIAN HUANIU", 40, "#9c2a22", 1)
    weight = text("5 kg  ·  Zhang's orchard", 24, "#6b3d16")
    image.alpha_composite(name, ((480 - name.width) // 2, 76))
    image.alpha_composite(weight, ((480 - weight.width) // 2, 130))
    return image


def _table(picture: Image.Image) -> None:
    picture.paste(planks(WIDTH, HEIGHT - TABLE_Y, "#9c6a3c", 54), (0, TABLE_Y))
    over(picture, _crate_shadow(), 20, 884)


@lru_cache
def _crate_shadow() -> Image.Image:
    return shadow((500, 90), 140)


def _caption(picture: Image.Image, scene: Scene, at_s: float) -> None:
    """The words of the scene slide in from the left."""
    sign = _sign(scene.title, scene.line)
    slide = (1 - min(1.0, at_s / 0.5)) ** 3
    over(picture, sign, round(24 - slide * (sign.width + 40)), 132)


@lru_cache
def _sign(title: str, line: str) -> Image.Image:
    large, small = text(title, 36, "#fffaf0", 1), text(line, 21, "#ffe9c9")
    width = max(large.width, small.width) + 44
    sign = painted(width, 98, lambda pen: _board(pen, width))
    sign.alpha_composite(large, (22, 14))
    sign.alpha_composite(small, (22, 60))
    return sign


def _board(pen: Pen, width: int) -> None:
    pen.rounded((0, 0, width, 96), 16, (122, 38, 24, 225))
    pen.rounded((8, 14, 13, 82), 2, "#f2b84b")


def _clock(picture: Image.Image, at_s: float) -> None:
    face = _clock_face(f"{int(at_s) // 60:02d}:{int(at_s) % 60:02d}.{int(at_s * 10) % 10}")
    over(picture, face, WIDTH - 24 - face.width, 84)


@lru_cache
def _clock_face(words: str) -> Image.Image:
    digits = text(words, 24, "white")
    face = painted(104, 36, lambda pen: pen.rounded((0, 0, 104, 36), 18, (20, 20, 20, 140)))
    face.alpha_composite(digits, (14, (36 - digits.height) // 2))
    return face
