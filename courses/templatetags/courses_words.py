"""Small things that the editor's templates ask for."""

from __future__ import annotations

from django import template
from django.utils.safestring import SafeString

from core.errors import AppError
from core.money import format_money
from courses import languages, notes
from courses.models import Attachment, ClipSource
from courses.services import attachments, sources

register = template.Library()


@register.filter
def words(text: str) -> list[str]:
    return text.split()


@register.filter
def field_of_row(error: AppError | None, row: object) -> str:
    """Which of the row's fields the error is about; nothing if it is about another row's."""
    name, _dot, of_row = (getattr(error, "field", "") or "").partition(".")
    return name if of_row == str(row) else ""


@register.filter
def markdown(text: str) -> SafeString:
    return notes.rendered(text)


@register.filter
def language(tag: str) -> str:
    return languages.name_of(tag)


@register.filter
def why(source: ClipSource) -> list[str]:
    return sources.reasons_of(source)


@register.filter
def money(minor: int, currency: str) -> str:
    return format_money(minor, currency)


@register.filter
def saved_from(attachment: Attachment) -> str:
    return attachments.address(attachment)
