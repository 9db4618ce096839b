"""Many rows in one statement, the same on SQLite and on PostgreSQL.

The rows travel as one JSON array, which the database takes apart: for a hundred orders that is
several times faster than the ORM's `bulk_create`, which quotes each value of each row in Python.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache
from typing import Any, cast
from uuid import UUID

import msgspec
from django.db import DEFAULT_DB_ALIAS, connection, connections
from django.db.backends.utils import CursorWrapper
from django.db.models import Field, Model

Row = Sequence[object]


def insert(
    model: type[Model],
    fields: tuple[str, ...],
    rows: Iterable[Row],
    *,
    conflict: str = "",
    returning: str = "",
) -> list[tuple[Any, ...]]:
    """INSERT the rows, in their order, without asking the model's defaults; what it returns.

    `fields` are the model's columns (`order_id`, not `order`), and each row has a value for each.
    `conflict` is SQL after ON CONFLICT, `returning` after RETURNING. JSON columns take a
    `msgspec.Raw` or what it encodes. Returned values are the driver's own.
    """
    data = encode(rows)
    if data == b"[]":
        return []
    sql = _insert_sql(model, fields, connection.vendor)
    if conflict:
        sql += f" ON CONFLICT {conflict}"
    if returning:
        return execute(f"{sql} RETURNING {returning}", data)
    with _cursor() as cursor:
        cursor.execute(sql, [data.decode()])
    return []


def execute(sql: str, data: bytes) -> list[tuple[Any, ...]]:
    """The rows that SQL with one JSON argument returns."""
    with _cursor() as cursor:
        cursor.execute(sql, [data.decode()])
        rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows


def known(model: type[Model], wanted: Iterable[Row], get: str, **types: str) -> list[Any]:
    """The column `get` of the model's rows with these values, in columns that are unique together.

    Each is looked up by itself. For a join PostgreSQL plans with a hundred rows, however few there
    are, and reads the whole of a table that has grown since its statistics were taken: in the first
    minutes of a rush that is the table of orders.
    """
    on = " AND ".join(f't."{name}" = r."{name}"' for name in types)
    sql = (
        f'SELECT f.found FROM (SELECT (SELECT t."{get}" FROM "{model._meta.db_table}" t '  # noqa: S608 - of constants
        f"WHERE {on}) AS found FROM {rows(**types)}) AS f WHERE f.found IS NOT NULL"
    )
    return [found for (found,) in execute(sql, encode(wanted))]


@contextmanager
def without_waiting() -> Iterator[None]:
    """On PostgreSQL, statements in here that return nothing are sent and not waited for.

    So Python writes the next one while the server runs the last. What fails is raised by one of the
    later statements, or at the end.
    """
    if connection.vendor != "postgresql":
        yield
        return
    connection.ensure_connection()
    with connection.wrap_database_errors, connection.connection.pipeline():
        yield


def next_keys(model: type[Model], count: int) -> list[int]:
    """Primary keys for rows that this transaction inserts with them, instead of being told them."""
    table = model._meta.db_table
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":  # nobody else can be writing
            cursor.execute("SELECT seq FROM sqlite_sequence WHERE name = %s", [table])
            last = (cursor.fetchone() or (0,))[0]
            return list(range(last + 1, last + 1 + count))
        cursor.execute(
            # The name in a SELECT of its own is looked up once, and not for each key.
            "SELECT nextval((SELECT pg_get_serial_sequence(%s, %s))) FROM generate_series(1, %s)",
            [table, model._meta.pk.column, count],
        )
        return [key for (key,) in cursor.fetchall()]


def _cursor() -> CursorWrapper:
    """On PostgreSQL one that plans each statement once per connection.

    To plan one anew takes the server longer than to run it on a few rows. Between us and the server
    PgBouncer, if there is one, has to know prepared statements (1.21).
    """
    here = connections[DEFAULT_DB_ALIAS]  # `connection` looks it up for each of its attributes
    if here.vendor != "postgresql":
        return here.cursor()
    from django.db.backends.postgresql.base import ServerBindingCursor  # needs its driver

    here.ensure_connection()
    here.connection.prepare_threshold = 0
    cursor: Any = cast(Any, ServerBindingCursor)(here.connection)
    return here.make_debug_cursor(cursor) if here.queries_logged else here.make_cursor(cursor)


def read(sql: str, data: bytes, *models: type[Model]) -> list[tuple[Any, ...]]:
    """The rows of a SELECT of `columns` of these models, as instances of each.

    For what is asked with every order: the ORM takes longer to write a statement than the database
    to answer it.
    """
    made = [_reader(model, connection.vendor) for model in models]
    return [_instances(row, made) for row in execute(sql, data)]


def locks_rows() -> bool:
    """Whether rows can be locked one by one; SQLite has one writer at a time."""
    return connection.vendor != "sqlite"


@cache
def columns(model: type[Model], alias: str) -> str:
    """All columns of a model, for the list of a SELECT."""
    return ", ".join(f'{alias}."{field.column}"' for field in model._meta.concrete_fields)


Converter = Callable[[Any, Any, Any], Any]
Reader = tuple[type[Model], list[str], list[tuple[int, Converter, Any]]]


@cache
def _reader(model: type[Model], vendor: str) -> Reader:
    """The names of a model's fields, and what turns the driver's values into the model's."""
    fields = model._meta.concrete_fields
    converters = []
    for place, field in enumerate(fields):
        column = field.get_col(model._meta.db_table)
        of_backend = connection.ops.get_db_converters(column)
        converters += [
            (place, convert, column) for convert in of_backend + field.get_db_converters(connection)
        ]
    return model, [field.attname for field in fields], converters


def _instances(row: Row, made: Sequence[Reader]) -> tuple[Any, ...]:
    found, start = [], 0
    for model, names, converters in made:
        values = list(row[start : start + len(names)])
        for place, convert, column in converters:
            values[place] = convert(values[place], column, connection)
        found.append(model.from_db("default", names, values))
        start += len(names)
    return tuple(found)


def rows(**types: str) -> str:
    """SQL for FROM: the rows `r` with these columns, of one JSON argument (`encode`)."""
    return _source(tuple(types.items()), connection.vendor)


def encode(rows: Iterable[Row]) -> bytes:
    """The argument for a statement that reads `rows(...)`."""
    if connection.vendor == "sqlite":
        rows = [[_for_sqlite(value) for value in row] for row in rows]
    return msgspec.json.encode(rows if isinstance(rows, list) else list(rows))


@cache
def _insert_sql(model: type[Model], fields: tuple[str, ...], vendor: str) -> str:
    columns = [_column(model, name) for name in fields]
    names = ", ".join(f'"{name}"' for name, _type in columns)
    source = _source(tuple(columns), vendor)
    # SQLite takes the ON of an ON CONFLICT for a join's without a WHERE before it.
    return f'INSERT INTO "{model._meta.db_table}" ({names}) SELECT {names} FROM {source} WHERE true'  # noqa: S608


def _column(model: type[Model], name: str) -> tuple[str, str]:
    field: Field[Any, Any] = next(one for one in model._meta.concrete_fields if one.column == name)
    kind = field.db_type(connection) or "text"
    # A cast to varchar(60) would cut what is too long instead of refusing it.
    return name, "text" if kind.startswith(("varchar", "char")) else kind


@cache
def _source(columns: tuple[tuple[str, str], ...], vendor: str) -> str:
    if vendor == "sqlite":
        read = ", ".join(
            f"json_extract(value, '$[{place}]') AS \"{name}\""
            for place, (name, _type) in enumerate(columns)
        )
        return f"(SELECT {read} FROM json_each(%s)) AS r"  # noqa: S608 - of a model's columns
    read = ", ".join(
        f'value->{place} AS "{name}"'
        if kind == "jsonb"
        else f'(value->>{place})::{kind} AS "{name}"'
        for place, (name, kind) in enumerate(columns)
    )
    return f"(SELECT {read} FROM jsonb_array_elements(%s::jsonb)) AS r"  # noqa: S608 - likewise


def _for_sqlite(value: object) -> object:
    """As Django writes it there, where ids and times are text."""
    if isinstance(value, UUID):
        return value.hex
    if isinstance(value, datetime):
        return str(value.astimezone(UTC).replace(tzinfo=None))
    return value
