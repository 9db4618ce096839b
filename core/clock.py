"""Wall time. All of it is UTC; only pages turn it into local time."""

from __future__ import annotations

from datetime import UTC, datetime


def now() -> datetime:
    """The wall-clock time, aware, in UTC."""
    return datetime.now(UTC)


def iso_ms(moment: datetime) -> str:
    """ISO 8601 with milliseconds and `Z`, the one form in which times leave the server."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"


def epoch_ms(moment: datetime) -> int:
    """Whole milliseconds since 1970, as scripts count time."""
    return round(moment.timestamp() * 1000)


def parse_iso(text: str) -> datetime:
    """The aware time that `text` (ISO 8601 with an offset or `Z`) names; `ValueError` otherwise."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{text!r} has no time zone")
    return moment.astimezone(UTC)
