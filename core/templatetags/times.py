"""Moments in templates: shown in the reader's zone, or in the site's, which is named then."""

from __future__ import annotations

from datetime import UTC, datetime

from django import template
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString

register = template.Library()

# `local-times.js` knows how to write each of these names as well.
FORMATS = {
    "moment": "DATETIME_FORMAT",
    "date": "DATE_FORMAT",
    "day": "j",
    "month": "M",
}


@register.filter
def local_time(at: datetime | None, shown: str = "moment") -> SafeString | str:
    """`{{ order.placed_at|local_time }}`, `{{ show.started_at|local_time:"date" }}`; "" for None.

    A `<time>` in the site's zone, which is named where there is an hour to be mistaken.
    """
    if at is None:
        return ""
    written = date_format(timezone.localtime(at), FORMATS[shown])
    if shown == "moment":
        written = f"{written} ({timezone.get_current_timezone_name().replace('_', ' ')})"
    instant = at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return format_html('<time datetime="{}" data-local="{}">{}</time>', instant, shown, written)
