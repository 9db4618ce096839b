"""Reading a table of tracking numbers, from whatever program and in whatever encoding it came."""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from django.utils.translation import gettext as _

from core.errors import InvalidInput
from core.text import clean_line
from orders.sheets import plain

MOST_BYTES = 5 * 1024 * 1024
MOST_ROWS = 100_000
FIELD = "file"
_NUMBER = re.compile(r"[1-9][0-9]{7}")
_TRACKING = re.compile(r"[A-Za-z0-9-]{4,60}")
_TOO_SHORT = re.compile(r"[A-Za-z0-9-]{1,3}")
_ROUNDED = re.compile(r"[0-9]+(\.[0-9]+)?[eE]\+?[0-9]+")
COLUMNS = {
    "number": {"number", "order", "order number", "order no", "订单", "订单号", "订单编号", "编号"},
    "carrier": {"carrier", "courier", "快递", "快递公司", "物流公司", "承运商", "承运人"},
    "tracking": {
        "tracking", "tracking number", "tracking no", "waybill", "parcel",
        "快递单号", "运单号", "运单编号", "物流单号", "追踪号码",
    },
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Row:
    """One parcel, by the file's line (from 1); `number` as orders have it."""

    line: int
    number: str
    carrier: str
    tracking: str


@dataclass(frozen=True, slots=True)
class BadRow:
    """A line that cannot be used, and why, in words."""

    line: int
    text: str
    why: str


def text_of(data: bytes) -> str:
    """The file's text. Raises `InvalidInput` for what is too big or no text at all."""
    if len(data) > MOST_BYTES:
        raise too_big()
    if data[:2] == b"PK" or data[:4] == b"\xd0\xcf\x11\xe0":
        raise InvalidInput(_("This is an Excel file. Save it as CSV first."), field=FIELD)
    text = _decoded(data)
    if "\x00" in text:
        raise _no_text()
    if max(text.count("\n"), text.count("\r")) > MOST_ROWS + 1:
        raise _too_many()
    if not text.strip():
        raise InvalidInput(_("There is nothing in this file."), field=FIELD)
    return text


def too_big() -> InvalidInput:
    most = MOST_BYTES // (1024 * 1024)
    return InvalidInput(
        _("The file is bigger than %(most)d MB. Please split it.") % {"most": most}, field=FIELD
    )


def _decoded(data: bytes) -> str:
    """As UTF-8, as Excel's "Unicode text", or as Chinese Windows writes it."""
    encodings = ["utf-16"] if data[:2] in {b"\xff\xfe", b"\xfe\xff"} else ["utf-8-sig", "gb18030"]
    for encoding in encodings:
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise _no_text()


def rows_of(text: str) -> Iterator[Row | BadRow]:
    """The table's rows, without its heading and without rows that have no tracking number.

    Raises `InvalidInput` for a table without the columns, or with too many rows.
    """
    table = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter_of(text))
    columns: dict[str, int] | None = None
    for place, cells in enumerate(cells_of(table)):
        if place > MOST_ROWS:
            raise _too_many()
        if columns is None:
            columns, is_heading = _columns(cells)
            if is_heading:
                continue
        row = _row(table.line_num, cells, columns)
        if row is not None:
            yield row


def cells_of(table: Iterator[list[str]]) -> Iterator[list[str]]:
    """The table's rows that have something in them."""
    try:
        for cells in table:
            if any(cell.strip() for cell in cells):
                yield cells
    except csv.Error as error:
        raise _no_text() from error


def delimiter_of(text: str) -> str:
    first = next(line for line in text.splitlines() if line.strip())
    return max(",;\t", key=first.count)


def _columns(cells: list[str]) -> tuple[dict[str, int], bool]:
    """Which cell is what, and whether this row was a heading that says so."""
    named = _named(cells)
    if named:
        if not {"number", "tracking"} <= named.keys():
            raise InvalidInput(
                _("The heading needs the columns “Order number” and “Tracking number”."),
                field=FIELD,
            )
        return named, True
    order = ("number", "tracking") if len(cells) == 2 else ("number", "carrier", "tracking")
    return {name: place for place, name in enumerate(order)}, False


def _named(cells: list[str]) -> dict[str, int]:
    here = {"number": _("Order number"), "carrier": _("Carrier"), "tracking": _("Tracking number")}
    named: dict[str, int] = {}
    for place, cell in enumerate(cells):
        heading = unicodedata.normalize("NFKC", cell).strip().strip(".:").casefold()
        for name, known in COLUMNS.items():
            if heading in known or heading == here[name].casefold():
                named.setdefault(name, place)
    return named


def _row(line: int, cells: list[str], columns: dict[str, int]) -> Row | BadRow | None:
    number, carrier, tracking = (
        plain(_cell(cells, columns, name)) for name in ("number", "carrier", "tracking")
    )
    if not tracking and len(cells) > 1:
        return None  # not sent yet: the seller's own list with some numbers filled in
    shown = " · ".join(part[:40] for part in (number, carrier, tracking) if part)
    try:
        return Row(line, _number(number), _carrier(carrier), _tracking(tracking))
    except InvalidInput as error:
        return BadRow(line, shown, error.message)


def _cell(cells: list[str], columns: dict[str, int], name: str) -> str:
    place = columns.get(name, len(cells))
    return cells[place] if place < len(cells) else ""


def _number(typed: str) -> str:
    digits = re.sub(r"[\s‐-―-]+", "", unicodedata.normalize("NFKC", typed))
    if not _NUMBER.fullmatch(digits):
        raise InvalidInput(_("This is no order number: eight digits are."))
    return f"{digits[:4]}-{digits[4:]}"


def _carrier(typed: str) -> str:
    return clean_line(typed, "carrier", longest=40, shortest=0)


def _tracking(typed: str) -> str:
    number = re.sub(r"\s+", "", unicodedata.normalize("NFKC", typed))
    if _ROUNDED.fullmatch(number) and "e" in number.lower() and ("+" in number or "." in number):
        raise InvalidInput(
            _("The spreadsheet rounded this tracking number. Format its column as text.")
        )
    if _TOO_SHORT.fullmatch(number):
        raise InvalidInput(_("This tracking number is too short."))
    if not _TRACKING.fullmatch(number):
        raise InvalidInput(_("This is no tracking number: letters and digits are."))
    return number


def _no_text() -> InvalidInput:
    return InvalidInput(
        _("This cannot be read as a table. Save it as “CSV UTF-8”, and try again."), field=FIELD
    )


def _too_many() -> InvalidInput:
    return InvalidInput(
        _("These are more than %(most)s rows. Please split the file.") % {"most": f"{MOST_ROWS:,}"},
        field=FIELD,
    )
