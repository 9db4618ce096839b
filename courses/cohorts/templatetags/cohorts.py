"""What waits for somebody in their classes, for pages of learning: `{% cohort_news %}`."""

from __future__ import annotations

from typing import Any

from django import template
from django.template import Context

from core.accounts.access import is_signed_in
from courses.cohorts import access, messages

register = template.Library()


@register.inclusion_tag("cohorts/unread.html", takes_context=True)
def cohort_news(context: Context) -> dict[str, Any]:
    """The newest unread messages, and the way to one's classes; nothing for who has neither."""
    user = context["request"].user
    if not is_signed_in(user):
        return {}
    in_classes = access.places_of(user).exists() or user.cohorts_led.exists()
    return {"fresh": messages.unread(user)[:3] if in_classes else [], "in_classes": in_classes}
