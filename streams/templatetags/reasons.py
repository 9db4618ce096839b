"""Why something came to nothing, in templates."""

from __future__ import annotations

from django import template

from media_pipeline import reasons

register = template.Library()
register.filter("read_now", reasons.read_now)
