"""Amounts in templates."""

from __future__ import annotations

from django import template

from core.money import format_money

register = template.Library()


@register.simple_tag
def money(amount_minor: int, currency: str) -> str:
    """`{% money offer.price_minor offer.currency %}` in the reader's language."""
    return format_money(amount_minor, currency)
