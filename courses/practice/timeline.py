"""An attempt's result as a chart: when the host spoke, when it was silent, what buyers did."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from core.money import format_money
from courses.practice.buyers import QUESTIONS
from courses.practice.results import STEP_S, Moment, Result

WIDTH, VOICE_HEIGHT = 320, 40
"""As wide as a phone, so that dots and numbers are as large there as they are drawn."""


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle in the chart's units, as SVG writes numbers in every language."""

    x: str
    width: str
    y: str
    height: str


@dataclass(frozen=True, slots=True)
class Dot:
    """Something that happened, at its place; `kind` is its class."""

    x: str
    kind: str
    title: str


@dataclass(frozen=True, slots=True)
class Line:
    """The same in words, for the list below the chart."""

    at_s: float
    kind: str
    who: str
    text: str


@dataclass(frozen=True, slots=True)
class Chart:
    voice: list[Box]
    silences: list[Box]
    dots: list[Dot]
    lines: list[Line]
    ticks: list[Dot]


def chart_of(result: Result) -> Chart:
    scale = WIDTH / max(result.duration_s, 1)
    voice = [
        _box(x, min(STEP_S * scale - 1, WIDTH - x), VOICE_HEIGHT * (1 - share), share)
        for place, share in enumerate(result.voice)
        if share and (x := place * STEP_S * scale) < WIDTH
    ]
    silent = [_whole(since * scale, (until - since) * scale) for since, until in result.silences]
    shown = [one for one in result.moments if kind_of(one)]
    dots = [Dot(f"{one.at_s * scale:.1f}", kind_of(one), words_of(one)) for one in shown]
    lines = [Line(one.at_s, kind_of(one), one.who, words_of(one)) for one in shown]
    minutes = range(1, int(result.duration_s // 60) + 1)
    ticks = [Dot(f"{minute * 60 * scale:.1f}", "tick", str(minute)) for minute in minutes]
    return Chart(voice, silent, dots, lines, ticks)


def _box(x: float, width: float, y: float, share: float) -> Box:
    return Box(f"{x:.1f}", f"{max(1.0, width):.1f}", f"{y:.1f}", f"{VOICE_HEIGHT * share:.1f}")


def _whole(x: float, width: float) -> Box:
    return Box(f"{x:.1f}", f"{max(2.0, width):.1f}", "0", "100")


def kind_of(one: Moment) -> str:
    """How it is drawn: sold, asked, open (never answered), lost, host; empty: not at all."""
    if one.kind == "order":
        return "sold"
    if one.kind in QUESTIONS:
        return "asked" if one.is_answered else "open"
    if one.kind in {"leave", "refused", "dear"}:
        return "lost"
    return "host" if one.kind in {"pin", "answer", "wrote"} else ""


def words_of(one: Moment) -> str:
    match one.kind:
        case "order":
            text = ngettext("bought %(pieces)s piece", "bought %(pieces)s pieces", one.quantity)
            return text % {"pieces": one.quantity}
        case "pin":
            return _("You pinned %(title)s") % {"title": one.text}
        case "answer":
            return _("You marked a question as answered")
        case "wrote":
            return _("You wrote: %(text)s") % {"text": one.text}
        case "refused":
            return _("wanted to, but could not")
    return one.text


def advice(result: Result) -> list[str]:
    """What to do better, the most telling first; empty for a good one."""
    tips = []
    if result.silent_s > 0.15 * max(result.duration_s, 1):
        tips.append(
            _("Keep talking: in silence nobody asks or buys. Say what you see, smell and do.")
        )
    if result.unanswered:
        text = ngettext(
            "%(count)s question was not answered. Say the answer, then tap “Answered”.",
            "%(count)s questions were not answered. Say each answer, then tap “Answered”.",
            result.unanswered,
        )
        tips.append(text % {"count": result.unanswered})
    if not _did(result.moments, "pin"):
        tips.append(_("Pin what you talk about: buyers buy what they see."))
    if _did(result.moments, "dear"):
        tips.append(_("Somebody found it dear. Say why it is worth that, or lower the price."))
    if not result.orders and not tips:
        tips.append(_("Talk about one thing at a time, and say clearly how to order it."))
    return tips


def _did(moments: Sequence[Moment], kind: str) -> bool:
    return any(one.kind == kind for one in moments)


def sold_text(result: Result) -> str:
    return format_money(result.sold_minor, result.currency)
