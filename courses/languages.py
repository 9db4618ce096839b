"""The languages in which people teach, by their own names, and what is said where none is named."""

from __future__ import annotations

from collections.abc import Iterable

from django.conf import settings
from django.utils.translation import get_language

from media_pipeline.captions.tracks import language_name

# What is spoken where shows are made, beside the languages of the pages.
SPOKEN = ("zh", "en", "bo", "ug", "mn", "za", "ii", "kk", "ko", "yue", "vi", "th", "es", "fr", "sw")


def choices() -> list[tuple[str, str]]:
    """(tag, name) of what a course may be in: the pages' own languages first."""
    own = [tag.split("-")[0] for tag, _name in settings.LANGUAGES]
    tags = dict.fromkeys([*own, *SPOKEN])
    return [(tag, language_name(tag)) for tag in tags]


def taught(tags: Iterable[str]) -> list[tuple[str, str]]:
    """(tag, name) of those that are said, by their names: what a list can be narrowed to."""
    return sorted(((tag, language_name(tag)) for tag in set(tags) if tag), key=lambda one: one[1])


def of_page() -> str:
    """What somebody probably speaks who reads this page."""
    return (get_language() or "").split("-")[0]


def name_of(tag: str) -> str:
    return language_name(tag) if tag else ""
