"""How pages write how long somebody waited, and what is new for whom."""

from __future__ import annotations

from typing import Any

from django import template
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from core.accounts.access import is_signed_in
from courses.reviews import access, selectors

register = template.Library()

MINUTE_S, HOUR_S, DAY_S = 60, 3600, 86_400


@register.filter
def waited(seconds: float | None) -> str:
    """`4000` as "1 h 6 min", `200000` as "2 days 7 h"; "" for None."""
    if seconds is None:
        return ""
    whole = max(0, int(seconds))
    if whole < MINUTE_S:
        return _("less than a minute")
    if whole < HOUR_S:
        return _("%(minutes)d min") % {"minutes": whole // MINUTE_S}
    hours, minutes = whole // HOUR_S, whole % HOUR_S // MINUTE_S
    if whole < DAY_S:
        return _("%(hours)d h %(minutes)d min") % {"hours": hours, "minutes": minutes}
    days, rest = whole // DAY_S, whole % DAY_S // HOUR_S
    said = ngettext("%(days)d day", "%(days)d days", days) % {"days": days}
    return said if not rest else _("%(days)s %(hours)d h") % {"days": said, "hours": rest}


@register.inclusion_tag("reviews/news.html", takes_context=True)
def review_news(context: dict[str, Any]) -> dict[str, Any]:
    """What waits for the reader: reviews of theirs to read, practices of others to look at."""
    user = context["request"].user
    if not is_signed_in(user):
        return {"is_signed_in": False}
    may_review = access.may_review_some(user)
    return {
        "is_signed_in": True,
        "unread": list(selectors.unread_by_trainee(user)[:3]),
        "waiting": selectors.waiting_count(user) if may_review else None,
        "answered": selectors.unread_by_mentor(user).count(),
        "listens": may_review or user.enrolments.exists(),
    }


@register.inclusion_tag("reviews/bar.html", takes_context=True)
def review_link(context: dict[str, Any]) -> dict[str, Any]:
    """For where there is little room."""
    user = context["request"].user
    if not is_signed_in(user):
        return {}
    may_review = access.may_review_some(user)
    return {
        "unread": selectors.unread_by_trainee(user).first(),
        "waiting": selectors.waiting_count(user) if may_review else 0,
    }
