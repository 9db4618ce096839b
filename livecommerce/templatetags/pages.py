"""What pages say of their scripts."""

from __future__ import annotations

from django import template
from django.utils.translation import get_language

from livecommerce.statics import texts

register = template.Library()


@register.simple_tag
def texts_of(script: str = "") -> str:
    """The address of the texts of the page's script, or of all of them."""
    return texts.address(get_language() or "en", script)
