"""Tables for spreadsheets: written so that Excel opens them and runs nothing that is in them."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

from django.utils import timezone

from core.clock import now
from core.money import to_major

BOM = "\ufeff"
TYPE = "text/csv; charset=utf-8"
# What a cell may begin with to be read as a formula; full-width signs count where they are typed.
_STARTS = tuple("=+-@\t\r\n＝＋－＠")


def harmless(cell: object) -> str:
    """The cell's text; one that a spreadsheet would run as a formula is marked as text."""
    text = str(cell)
    return f"'{text}" if text.startswith(_STARTS) else text


def plain(cell: str) -> str:
    """A cell as it was before `harmless`, without the space around it."""
    cell = cell.strip()
    return cell[1:] if cell[:1] == "'" and cell[1:2] in _STARTS else cell


def write(rows: Iterable[Sequence[object]]) -> str:
    """The rows as CSV text, without a byte order mark."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerows([harmless(cell) for cell in row] for row in rows)
    return text.getvalue()


def amount(amount_minor: int, currency: str) -> str:
    """Whole units with a point, e.g. "71.80": spreadsheets count with it."""
    return str(to_major(amount_minor, currency))


def file_name(kind: str) -> str:
    """With the day, e.g. "orders-2026-11-22.csv"."""
    return f"{kind}-{timezone.localtime(now()):%Y-%m-%d}.csv"
