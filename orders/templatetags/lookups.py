"""Looking things up in templates."""

from __future__ import annotations

from collections.abc import Mapping

from django import template

from orders import payments, photos, reasons

register = template.Library()


@register.filter
def told_reason(reason: str) -> str:
    """`{{ move.reason|told_reason }}`: what the product gave as a reason, in the reader's words."""
    return reasons.told(reason)


@register.filter
def of(known: Mapping[str, str], key: str) -> str:
    """`{{ taken|of:code }}`: what `known` has for the key, or nothing."""
    return known.get(str(key), "")


@register.filter
def provider_label(name: str) -> str:
    """`{{ payment.provider|provider_label }}`: what people call the payment service."""
    return payments.label(name)


@register.filter
def photo_address(key: str) -> str:
    """`{{ photo.key|photo_address }}`: from where a browser can read it, for some hours."""
    return photos.address(key)
