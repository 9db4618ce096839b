"""The name of the log topic that a show's own people hear."""

from __future__ import annotations

from uuid import UUID

PREFIX = "studio"


def studio_topic(show_id: UUID) -> str:
    return f"{PREFIX}:{show_id}"
