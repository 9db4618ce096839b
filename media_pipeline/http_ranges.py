"""The parts of HTTP that a file server needs (RFC 9110): ranges and preconditions, without I/O."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime

_RANGE = re.compile(r"(\d*)-(\d*)")


@dataclass(frozen=True, slots=True)
class Version:
    """Which bytes a file has just now; two versions with one tag are the same bytes."""

    size: int
    modified_ns: int

    @property
    def etag(self) -> str:
        return f'"{self.modified_ns:x}-{self.size:x}"'

    @property
    def modified(self) -> datetime:
        """To the second, which is all that HTTP dates can say."""
        return datetime.fromtimestamp(self.modified_ns // 1_000_000_000, UTC)

    @property
    def last_modified(self) -> str:
        return format_datetime(self.modified, usegmt=True)


class NotSatisfiable(Exception):
    """No byte of what was asked for exists."""


def is_unchanged(headers: Mapping[str, str], version: Version) -> bool:
    """Whether the client already has this version (answer 304)."""
    if (tags := headers.get("if-none-match")) is not None:
        known = {tag.strip().removeprefix("W/") for tag in tags.split(",")}
        return "*" in known or version.etag in known
    since = _date(headers.get("if-modified-since", ""))
    return since is not None and version.modified <= since


def wanted_range(headers: Mapping[str, str], version: Version) -> tuple[int, int] | None:
    """The first and last byte to send, or `None` for the whole; raises `NotSatisfiable`.

    Of several ranges the first that exists is sent: a 206 describes itself, and section 15.3.7
    lets a server send fewer ranges than it was asked for.
    """
    unit, equals, specs = headers.get("range", "").partition("=")
    if unit.strip().lower() != "bytes" or not equals or not _still_applies(headers, version):
        return None
    parsed = [_RANGE.fullmatch(spec.strip()) for spec in specs.split(",")]
    if not all(match and match[0] != "-" for match in parsed):
        return None  # a malformed range is no range
    for match in parsed:
        if match and (found := _within(match[1], match[2], version.size)):
            return found
    raise NotSatisfiable


def _within(first: str, last: str, size: int) -> tuple[int, int] | None:
    if not first:
        return (max(0, size - int(last)), size - 1) if int(last) and size else None
    start, end = int(first), min(int(last or size), size - 1)
    return (start, end) if start <= end else None


def _still_applies(headers: Mapping[str, str], version: Version) -> bool:
    """`If-Range`: a part is only wanted of the version that the client has the rest of."""
    condition = headers.get("if-range")
    if condition is None:
        return True
    return condition == version.etag or _date(condition) == version.modified


def _date(text: str) -> datetime | None:
    try:
        return parsedate_to_datetime(text)
    except (ValueError, TypeError):
        return None
