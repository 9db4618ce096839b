"""Whether the data was written by a newer version, which this one must not touch."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

from django.apps import apps
from django.conf import settings
from django.db import Error as DatabaseError
from django.db import connection
from django.db.migrations.loader import MigrationLoader

Applied = set[tuple[str, str]]


def newer_problem() -> str:
    """What a newer version has done to the data, and the remedy; empty for our own and older."""
    unknown = sorted(applied() - _known())
    if not unknown:
        return ""
    app, name = unknown[-1]
    return (
        f"The data is of a newer livecommerce ({len(unknown)} changes to its database are not "
        f"known here, the last is {app} {name}): install that version again, or name another "
        "folder with LIVECOMMERCE_DATA. Nothing was touched."
    )


def applied() -> Applied:
    """The migrations that the database has had, of the apps that we have; reads only."""
    database = settings.DATABASES["default"]
    is_file = "sqlite3" in database["ENGINE"]
    rows = _of_file(Path(database["NAME"])) if is_file else _of_server()
    ours = {config.label for config in apps.get_app_configs()}
    return {(app, name) for app, name in rows if app in ours}


def _known() -> Applied:
    loader = MigrationLoader(None, ignore_no_migrations=True)
    replaced = {one for migration in loader.disk_migrations.values() for one in migration.replaces}
    return {*loader.disk_migrations, *replaced}


QUERY = "select app, name from django_migrations"


def _of_file(path: Path) -> Iterable[tuple[str, str]]:
    """By a connection that leaves nothing beside the file, as another one would."""
    if not path.exists() or not path.stat().st_size:
        return []
    # Where somebody has it open, what is not yet in the file itself is beside it already.
    in_use = path.with_name(f"{path.name}-wal").exists()
    address = f"{path.absolute().as_uri()}?mode=ro{'' if in_use else '&immutable=1'}"
    try:
        with closing(sqlite3.connect(address, uri=True)) as reader:
            return reader.execute(QUERY).fetchall()
    except sqlite3.Error:
        return []  # what is wrong with it is said by who uses it


def _of_server() -> Iterable[tuple[str, str]]:
    try:
        with connection.cursor() as cursor:
            cursor.execute(QUERY)
            rows: list[tuple[str, str]] = cursor.fetchall()
            return rows
    except DatabaseError:
        return []
    finally:
        connection.close()
