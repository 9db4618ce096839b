"""Reading a list of people, from a file of whatever program or typed into a field."""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from django.utils.translation import gettext as _

from core.accounts.phones import phone_in
from core.errors import InvalidInput
from core.text import clean_line
from orders.sheets import plain
from orders.tracking_file import FIELD, BadRow, cells_of, delimiter_of, text_of

MOST_PEOPLE = 500
NAME_LENGTH = 60
COLUMNS = {
    "name": {"name", "full name", "trainee", "姓名", "名字", "学员", "学员姓名"},
    "phone": {"phone", "phone number", "mobile", "mobile number", "telephone", "手机", "手机号",
              "手机号码", "电话", "电话号码", "联系电话"},
    "login": {"user name", "username", "login", "account", "用户名", "账号", "帐号"},
}  # fmt: skip
# A number with its "+" is a phone number; everything else that begins so runs in a spreadsheet.
_FORMULA = re.compile(r"\s*[=@＝＠]|\s*[+\-＋－](?![\d\s(])")
_ROUNDED = re.compile(r"[0-9]+(\.[0-9]+)?[eE]\+?[0-9]+")
_NAME_THEN_NUMBER = re.compile(r"(.*[^\d\s+(-])\s+(\+?[\d\s()\-]{7,25})")


@dataclass(frozen=True, slots=True)
class Person:
    """A line that can be used. `phone` is E.164; one of phone and login may be empty, or both."""

    line: int
    name: str
    phone: str
    login: str

    @property
    def shown(self) -> str:
        return " · ".join(part for part in (self.name, self.phone, self.login) if part)


@dataclass(frozen=True, slots=True)
class Columns:
    """Which cell is what, and the headings that nothing is read from."""

    places: dict[str, int]
    width: int
    unknown: tuple[str, ...] = ()


def text_of_file(data: bytes) -> str:
    """The file's text; raises `InvalidInput` for the field "file"."""
    text = text_of(data)
    heading = columns_of(text)
    if heading is not None and not heading.places.keys() & {"name", "phone", "login"}:
        raise _no_columns()
    return text


def text_of_typed(typed: str) -> str:
    """What was typed or pasted, one person a line: "Wang 13912345678" or "Wang，139…"."""
    if len(typed) > 200 * MOST_PEOPLE:
        raise _too_many()
    lines = typed.replace("，", ",").replace("；", ";").splitlines()
    return "\n".join(_parted(line) for line in lines)


def _parted(line: str) -> str:
    if any(sign in line for sign in ",;\t"):
        return line
    found = _NAME_THEN_NUMBER.fullmatch(line.strip())
    return f"{found[1]},{found[2]}" if found else line


def people_of(text: str) -> Iterator[Person | BadRow]:
    """The lines with somebody in them. Raises `InvalidInput` for more than `MOST_PEOPLE`."""
    if not text.strip():
        return
    table = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter_of(text))
    columns: Columns | None = None
    count = 0
    for cells in cells_of(table):
        if columns is None:
            heading = _heading(cells)
            columns = heading or _usual(cells)
            if heading:
                continue
        count += 1
        if count > MOST_PEOPLE:
            raise _too_many()
        yield _person(table.line_num, cells, columns)


def columns_of(text: str) -> Columns | None:
    """The heading, where there is one."""
    if not text.strip():
        return None
    table = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter_of(text))
    return next((_heading(cells) for cells in cells_of(table)), None)


def _heading(cells: list[str]) -> Columns | None:
    here = {"name": _("Name"), "phone": _("Phone number"), "login": _("User name")}
    found: dict[str, int] = {}
    unknown: list[str] = []
    for place, cell in enumerate(cells):
        text = unicodedata.normalize("NFKC", cell).strip().strip(".:*").casefold()
        kind = next(
            (
                one
                for one, known in COLUMNS.items()
                if text in known or text == here[one].casefold()
            ),
            None,
        )
        if kind and kind not in found:
            found[kind] = place
        elif text:
            unknown.append(cell.strip()[:40])
    return Columns(found, len(cells), tuple(unknown)) if found else None


def _usual(cells: list[str]) -> Columns:
    """Without a heading: a name, then a phone number; either may come alone."""
    if len(cells) > 2:
        raise _no_columns()
    if len(cells) == 1 and phone_in(plain(cells[0])):
        return Columns({"phone": 0}, 1)
    return Columns({"name": 0, "phone": 1}, 2)


def _person(line: int, cells: list[str], columns: Columns) -> Person | BadRow:
    shown = " · ".join(cell.strip()[:40] for cell in cells if cell.strip())[:120]
    if len(cells) > columns.width and any(cell.strip() for cell in cells[columns.width :]):
        return BadRow(line, shown, _("This line has more columns than the first one."))
    name, phone, login = (_cell(cells, columns, one) for one in ("name", "phone", "login"))
    try:
        return Person(line, _name(name), _phone(phone), _login(login, name or phone))
    except InvalidInput as error:
        return BadRow(line, shown, error.message)


def _cell(cells: list[str], columns: Columns, name: str) -> str:
    place = columns.places.get(name, len(cells))
    return plain(cells[place]) if place < len(cells) else ""


def _name(typed: str) -> str:
    if _FORMULA.match(typed):
        raise InvalidInput(_("This looks like a formula, not like a name."))
    return clean_line(typed, "name", longest=NAME_LENGTH, shortest=0)


def _phone(typed: str) -> str:
    if not typed:
        return ""
    if _ROUNDED.fullmatch(typed) and "e" in typed.casefold():
        raise InvalidInput(
            _("The spreadsheet rounded this phone number. Format its column as text.")
        )
    found = phone_in(typed)
    if found is None:
        raise InvalidInput(_("This is no whole mobile phone number."))
    return found


def _login(typed: str, beside: str) -> str:
    if _FORMULA.match(typed):
        raise InvalidInput(_("This looks like a formula, not like a user name."))
    if not typed and not beside:
        raise InvalidInput(_("There is no name in this line."))
    return clean_line(typed, "login", longest=150, shortest=0)


def _no_columns() -> InvalidInput:
    return InvalidInput(
        _("Say in the first line which column is what: “Name” and “Phone number”."), field=FIELD
    )


def _too_many() -> InvalidInput:
    return InvalidInput(
        _("These are more than %(most)d people. Please split the list.") % {"most": MOST_PEOPLE},
        field=FIELD,
    )
