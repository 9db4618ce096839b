"""Identifiers. Everything that appears in a URL is a UUIDv7 (RFC 9562, section 5.7)."""

from __future__ import annotations

import uuid

from uuid_utils.compat import uuid7


def new_id() -> uuid.UUID:
    """A new UUIDv7: unguessable, and sorted by the millisecond in which it was made."""
    return uuid7()


def parse_id(text: str) -> uuid.UUID | None:
    """The UUID that `text` spells, or `None`: a malformed id is simply an id of nothing."""
    try:
        return uuid.UUID(text)
    except (ValueError, AttributeError, TypeError):
        return None
