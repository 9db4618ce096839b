"""Why a job came to nothing, in the language of who reads it.

A worker keeps the reason as a fixed text in the site's language; the text of a site in English is
what the catalogue of every other language knows it by.
"""

from __future__ import annotations

from django.utils.translation import gettext


def read_now(reason: str) -> str:
    """The kept `reason` for the reader of the moment; as it is where no catalogue knows it."""
    return gettext(reason) if reason else ""
