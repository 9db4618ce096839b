"""The farmer of the demo show: he talks, blinks, waves, and holds up what he sells."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from PIL import Image

from media_pipeline.demo_art import Pen, Point, apple, pear

WIDTH, HEIGHT = 500, 640
SKIN, SKIN_SHADE, BLUSH = "#e7b083", "#cf9265", "#e3906d"
JACKET, JACKET_SHADE, APRON, APRON_SHADE = "#3d6187", "#2f4d6e", "#e6d3a8", "#cbb482"
STRAW, STRAW_SHADE, BAND, HAIR = "#edc978", "#cfa24f", "#a23b2a", "#2c2019"
WAVE_STEPS = 12
# Less than elsewhere: there are a hundred poses in a minute, and they move.
FINE = 2

Held = Literal["apple", "pear", ""]


@dataclass(frozen=True, slots=True)
class Pose:
    """`wave` counts steps of a wave (-1: the arm hangs); `lift` is how high the held fruit is."""

    wave: int = -1
    mouth: int = 0
    blinks: bool = False
    held: Held = ""
    lift: int = 0


@lru_cache(maxsize=512)
def farmer(pose: Pose) -> Image.Image:
    """The farmer from the hat to the table, looking at the camera."""
    fine = Image.new("RGBA", (WIDTH * FINE, HEIGHT * FINE))
    pen = Pen(fine, FINE)
    _body(pen)
    _right_arm(pen, pose)
    _head(pen, pose)
    _left_arm(pen, fine, pose)
    return fine.resize((WIDTH, HEIGHT), Image.Resampling.BOX)


def _body(pen: Pen) -> None:
    pen.rounded((130, 262, 370, 700), 84, JACKET)
    pen.polygon([(214, 252), (286, 252), (274, 300), (226, 300)], SKIN_SHADE)
    pen.polygon([(206, 262), (250, 318), (222, 344), (178, 276)], JACKET_SHADE)
    pen.polygon([(294, 262), (250, 318), (278, 344), (322, 276)], JACKET_SHADE)
    pen.polygon([(250, 312), (232, 268), (268, 268)], "#f4efe4")
    pen.rounded((176, 372, 324, 700), 22, APRON)
    pen.line([(188, 380), (204, 284)], APRON_SHADE, 13)
    pen.line([(312, 380), (296, 284)], APRON_SHADE, 13)
    pen.rounded((206, 470, 294, 556), 14, APRON_SHADE)
    pen.rounded((210, 474, 290, 552), 12, APRON)
    pen.ellipse(250, 424, 17, 16, "#c81e2b")
    pen.line([(250, 412), (256, 402)], "#5b3a1c", 4)
    pen.ellipse(263, 403, 9, 4, "#4f8f3a")


def _head(pen: Pen, pose: Pose) -> None:
    for side in (-1, 1):
        pen.ellipse(250 + side * 76, 176, 15, 22, SKIN_SHADE)
    pen.ellipse(250, 150, 79, 66, HAIR)
    pen.ellipse(250, 176, 74, 84, SKIN)
    for side in (-1, 1):
        pen.polygon([(250 + side * 76, 128), (250 + side * 58, 122), (250 + side * 68, 172)], HAIR)
        pen.ellipse(250 + side * 46, 204, 17, 12, BLUSH)
        _eye(pen, 250 + side * 31, 168, pose.blinks)
        pen.line([(250 + side * 48, 147), (250 + side * 32, 141), (250 + side * 17, 146)], HAIR, 6)
    pen.line([(250, 178), (244, 200), (254, 202)], SKIN_SHADE, 5)
    _mouth(pen, pose.mouth)
    _hat(pen)


def _eye(pen: Pen, x: float, y: float, blinks: bool) -> None:
    if blinks:
        pen.line([(x - 10, y + 2), (x, y + 5), (x + 10, y + 2)], HAIR, 4)
        return
    pen.ellipse(x, y, 11, 9, "#fffaf2")
    pen.ellipse(x + 1, y, 7, 8, HAIR)
    pen.ellipse(x + 3, y - 3, 2.4, 2.4, "white")


def _mouth(pen: Pen, opening: int) -> None:
    if opening == 0:
        pen.arc((220, 196, 280, 238), (25, 155), "#8c3a2c", 5)
        return
    depth = 9 + 6 * opening
    pen.ellipse(250, 226, 25, depth, "#7c2a24")
    pen.rounded((230, 226 - depth + 2, 270, 226 - depth + 11), 4, "#fffaf2")
    pen.ellipse(250, 226 + depth * 0.6, 14, depth * 0.3, "#d0645a")


def _hat(pen: Pen) -> None:
    pen.ellipse(250, 112, 140, 34, STRAW_SHADE)
    pen.ellipse(250, 106, 140, 32, STRAW)
    for ring in (0.84, 0.68):
        pen.arc(
            (250 - 140 * ring, 107 - 32 * ring, 250 + 140 * ring, 107 + 32 * ring),
            (5, 175),
            STRAW_SHADE,
            2,
        )
    pen.ellipse(250, 72, 80, 62, STRAW)
    pen.polygon([(170, 74), (330, 74), (334, 104), (166, 104)], STRAW)
    pen.polygon([(168, 84), (332, 84), (335, 106), (165, 106)], BAND)
    pen.arc((165, 92, 335, 118), (0, 180), BAND, 12)
    for at in range(-60, 61, 20):
        pen.line([(250 + at, 24 + abs(at) * 0.2), (250 + at * 1.2, 78)], STRAW_SHADE, 1.6)


def _right_arm(pen: Pen, pose: Pose) -> None:
    """The arm on the right of the picture: it waves, or hangs behind the crate."""
    shoulder = (342.0, 316.0)
    if pose.wave < 0:
        pen.line([shoulder, (392, 452), (372, 600)], JACKET_SHADE, 62)
        return
    swing = math.sin(pose.wave / WAVE_STEPS * 2 * math.pi)
    elbow = (398.0, 400.0)
    angle = math.radians(-85 + 12 * swing)
    wrist = (elbow[0] + 128 * math.cos(angle), elbow[1] + 128 * math.sin(angle))
    pen.line([shoulder, elbow], JACKET_SHADE, 62)
    pen.line([elbow, wrist], JACKET, 54)
    _open_hand(pen, wrist, angle + math.radians(9 * swing))


def _open_hand(pen: Pen, wrist: Point, angle: float) -> None:
    def at(forward: float, aside: float) -> Point:
        x = wrist[0] + forward * math.cos(angle) - aside * math.sin(angle)
        return x, wrist[1] + forward * math.sin(angle) + aside * math.cos(angle)

    pen.line([at(0, 0), at(26, 0)], SKIN_SHADE, 36)
    pen.line([at(44, 0), at(54, 0)], SKIN, 50)
    for aside, length in ((-19, 92), (-7, 102), (6, 100), (18, 88)):
        pen.line([at(56, aside), at(length, aside * 1.35)], SKIN, 13.5)
    pen.line([at(40, -22), at(64, -42)], SKIN, 14)
    pen.line([at(50, -8), at(58, 10)], SKIN_SHADE, 2.5)


def _left_arm(pen: Pen, fine: Image.Image, pose: Pose) -> None:
    """The arm on the left of the picture: it holds something up, or hangs behind the crate."""
    shoulder = (158.0, 318.0)
    if not pose.held:
        pen.line([shoulder, (108, 452), (132, 600)], JACKET_SHADE, 62)
        return
    elbow, hand = (92.0, 452.0), (118.0, 356.0 - pose.lift)
    pen.line([shoulder, elbow], JACKET_SHADE, 62)
    pen.line([elbow, (hand[0], hand[1] + 40)], JACKET, 54)
    pen.line([(hand[0], hand[1] + 30), hand], SKIN, 44)
    large = apple(150 * FINE) if pose.held == "apple" else pear(168 * FINE)
    corner = (round(hand[0] * FINE - large.width / 2), round((hand[1] + 16) * FINE - large.height))
    fine.alpha_composite(large, (max(0, corner[0]), max(0, corner[1])))
    for aside, length in ((-25, 16), (-8, 20), (9, 20), (25, 16)):
        pen.line(
            [(hand[0] + aside * 0.7, hand[1] + 16), (hand[0] + aside, hand[1] - length + 14)],
            SKIN,
            14,
        )
