"""The picture of a certificate, with the badge baked into it; in any language that the font has.

What is printed on it is what its holder shows, so that the picture says no more than the badge.
"""

from __future__ import annotations

import io
from collections.abc import Sequence

import segno
from django.conf import settings
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from openbadgeslib import baking
from PIL import Image, ImageDraw

from courses.badges.models import Badge
from courses.badges.terms import Shown, shown_of, terms_of
from courses.models import Course
from media_pipeline.clip_cards import drawable, font_of, wrapped

WIDTH, HEIGHT, EDGE = 1000, 1250, 36
PAPER, INK, GOLD, GREEN, PALE = "#fffdf6", "#2a2018", "#b8923f", "#24552e", "#65574a"


def baked(badge: Badge) -> bytes:
    """A PNG that is the badge: whoever has the file can have it checked anywhere."""
    picture = certificate_picture(badge, shown_of(terms_of(badge.certificate)))
    found: bytes = baking.bake_png(picture, badge.token, keyword=baking.ITXT_KEYWORD_OB3)
    return found


def certificate_picture(badge: Badge, shown: Shown) -> bytes:
    """PNG of 1000 × 1250."""
    certificate = badge.certificate
    link = badge.site + reverse("verify", args=[certificate.public_id])
    image = _sheet()
    pen = ImageDraw.Draw(image)
    top = _lines(pen, 210, [settings.SITE_NAME], 30, PALE)
    top = _lines(pen, top + 8, [_("Certificate")], 46, GOLD)
    if shown.name:
        top = _lines(pen, top + 36, [certificate.holder_name], 84, GREEN)
        top = _lines(pen, top + 16, [_("has completed the course")], 30, INK)
    else:
        top = _lines(pen, top + 60, [_("For completing the course")], 32, INK)
    _lines(pen, top + 12, [certificate.course_title], 52, INK, most=3)
    day = date_format(certificate.issued_at, "DATE_FORMAT")
    said = [f"{_('Issued on')} {day}", f"{_('Number')} {certificate.number}"]
    if badge.expires_at:
        said.append(f"{_('Valid until')} {date_format(badge.expires_at, 'DATE_FORMAT')}")
    _foot(image, pen, said, link)
    return _png(image)


def course_picture(course: Course) -> bytes:
    """What the badge of a course looks like, without anybody's name: 600 × 600."""
    image = _sheet().crop((0, 0, WIDTH, WIDTH))
    pen = ImageDraw.Draw(image)
    pen.rectangle((EDGE, WIDTH - EDGE - 3, WIDTH - EDGE, WIDTH - EDGE), fill=GOLD)
    top = _lines(pen, 230, [settings.SITE_NAME], 34, PALE)
    top = _lines(pen, top + 12, [_("Certificate")], 54, GOLD)
    _lines(pen, top + 60, [course.title], 76, GREEN, most=4)
    return _png(image.resize((600, 600), Image.Resampling.LANCZOS))


def _sheet() -> Image.Image:
    image = Image.new("RGB", (WIDTH, HEIGHT), PAPER)
    pen = ImageDraw.Draw(image)
    pen.rectangle((EDGE, EDGE, WIDTH - EDGE, HEIGHT - EDGE), outline=GOLD, width=4)
    pen.rectangle((EDGE + 12, EDGE + 12, WIDTH - EDGE - 12, HEIGHT - EDGE - 12), outline="#e4d7c1")
    _seal(pen, WIDTH // 2, 130)
    return image


def _seal(pen: ImageDraw.ImageDraw, x: int, y: int) -> None:
    for side in (-1, 1):
        ribbon = [(x + side * 12, y + 30), (x + side * 46, y + 78), (x + side * 14, y + 70)]
        pen.polygon(ribbon, fill="#86c68b")
    pen.ellipse((x - 52, y - 52, x + 52, y + 52), fill=GREEN, outline=GOLD, width=5)
    pen.line([(x - 22, y + 2), (x - 6, y + 18), (x + 24, y - 16)], fill=PAPER, width=9)


def _lines(
    pen: ImageDraw.ImageDraw,
    top: float,
    said: Sequence[str],
    size: int,
    colour: str,
    *,
    most: int = 2,
) -> float:
    """Write in the middle, from `top` down; where the next may begin."""
    room = WIDTH - 2 * (EDGE + 50)
    for text in said:
        for line in wrapped(drawable(text), font_of(size), room, most):
            pen.text((WIDTH / 2, top), line, font=font_of(size), fill=colour, anchor="ma")
            top += size * 1.4
    return top


def _foot(image: Image.Image, pen: ImageDraw.ImageDraw, said: Sequence[str], link: str) -> None:
    code = io.BytesIO()
    segno.make(link, micro=False).save(code, kind="png", scale=6, border=2)
    square = Image.open(code).convert("RGB")
    left, top = WIDTH - EDGE - 50 - square.width, HEIGHT - EDGE - 60 - square.height
    image.paste(square, (left, top))
    small = font_of(22)
    middle = left + square.width / 2
    pen.text((middle, top + square.height), _("Scan to verify"), font=small, fill=PALE, anchor="ma")
    for number, text in enumerate(reversed(said)):
        y = HEIGHT - EDGE - 90 - number * 46
        pen.text((EDGE + 50, y), drawable(text), font=font_of(30), fill=INK, anchor="ls")


def _png(image: Image.Image) -> bytes:
    written = io.BytesIO()
    image.save(written, "PNG", optimize=True)
    return written.getvalue()
