"""Which certificates end soon or ended lately, for pages of learning: `{% badge_news %}`."""

from __future__ import annotations

from typing import Any

from django import template
from django.template import Context

from core.accounts.access import is_signed_in
from courses.badges.terms import ending_of

register = template.Library()


@register.inclusion_tag("badges/news.html", takes_context=True)
def badge_news(context: Context) -> dict[str, Any]:
    """The reader's certificates that end within 30 days or ended in the last 30."""
    user = context["request"].user
    return {"ending": ending_of(user)} if is_signed_in(user) else {}
