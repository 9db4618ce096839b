"""Moments in templates: shown in the reader's zone, or in the site's, which is named then."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo

from babel import Locale
from babel.dates import get_timezone_name
from django import template
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language, to_locale

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
        written = f"{written} ({zone_name(timezone.get_current_timezone())})"
    instant = at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return format_html('<time datetime="{}" data-local="{}">{}</time>', instant, shown, written)


@register.filter
def zone_name(zone: tzinfo | str) -> str:
    """`{{ zone|zone_name }}`: "China Time", "中国时间", as `zoneName` of `format.js` writes it."""
    if str(zone) == "UTC":
        return "UTC"  # Unicode has no words for it that are not of a place
    locale = Locale.parse(to_locale(get_language() or "en"))
    return get_timezone_name(zone, locale=locale)
