"""The evidence of a proposal in words, for whoever decides whether to make a lesson of it."""

from __future__ import annotations

from collections.abc import Iterator

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from streams.highlights.signals import Evidence
from streams.highlights.topics import NAMES

TIMES_AT_LEAST = 1.3
TIMES_AT_MOST = 20.0
FEWEST_QUESTIONS = 3
FEWEST_MESSAGES = 10
VIEWERS_ROSE = 1.15
FEWEST_VIEWERS = 5


def reasons(found: Evidence) -> list[str]:
    """The strongest first: orders, then what else came together there."""
    return list(_reasons(found))


def _reasons(found: Evidence) -> Iterator[str]:
    yield _orders(found)
    if found.questions >= max(FEWEST_QUESTIONS, TIMES_AT_LEAST * found.usual_questions):
        yield _questions(found)
    if found.messages >= max(FEWEST_MESSAGES, TIMES_AT_LEAST * found.usual_messages):
        yield _with_times(
            ngettext("%(count)d message", "%(count)d messages", found.messages)
            % {"count": found.messages},
            found.messages,
            found.usual_messages,
        )
    if FEWEST_VIEWERS <= found.viewers_before * VIEWERS_ROSE < found.viewers_after:
        yield _("viewers rose from %(before)d to %(after)d") % {
            "before": found.viewers_before,
            "after": found.viewers_after,
        }
    if found.flash:
        yield _("a flash offer at its end")


def _orders(found: Evidence) -> str:
    text = ngettext(
        "%(count)d order in %(seconds)d s", "%(count)d orders in %(seconds)d s", found.orders
    ) % {"count": found.orders, "seconds": round(found.orders_in_s)}
    return _with_times(text, found.orders, found.usual_orders)


def _questions(found: Evidence) -> str:
    if 2 * found.topic_questions >= found.questions and found.topic in NAMES:
        return ngettext(
            "%(count)d question, mostly about %(topic)s",
            "%(count)d questions, mostly about %(topic)s",
            found.questions,
        ) % {"count": found.questions, "topic": NAMES[found.topic]}
    text = ngettext("%(count)d question", "%(count)d questions", found.questions)
    return _with_times(text % {"count": found.questions}, found.questions, found.usual_questions)


def _with_times(text: str, count: int, usual: float) -> str:
    """`text` with how many times the show's usual that is, where it is worth saying."""
    times = count / max(usual, 0.05)
    if times < TIMES_AT_LEAST:
        return text
    if times > TIMES_AT_MOST:
        return _("%(what)s, where this show usually has next to none") % {"what": text}
    return _("%(what)s, %(times)s × this show's usual") % {"what": text, "times": _times(times)}


def _times(times: float) -> str:
    return f"{times:.1f}" if times < 3 else f"{times:.0f}"


def explained(orders: int, title: str) -> str:
    """Why a product's own moment is proposed."""
    text = ngettext(
        "%(count)d order of it while it was shown: its best moment in this show",
        "%(count)d orders of it while it was shown: its best moment in this show",
        orders,
    )
    return text % {"count": orders, "title": title}
