"""Editions of a recording: in each, other moments may be at the same seconds."""

from __future__ import annotations

from core.errors import Conflict


class RecordingChanged(Conflict):
    """The seconds are those of an earlier edition, where they were other moments."""

    code = "recording_changed"
