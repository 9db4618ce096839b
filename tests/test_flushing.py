"""What a test that commits leaves to the next one: what Django's own flush would leave."""

from __future__ import annotations

from django.core.management import call_command
from django.db import DEFAULT_DB_ALIAS, connection

from tests import flushing
from tests import world as world_module


def rows() -> dict[str, int]:
    """How many, by table; without those that have none."""
    counted = {}
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT COUNT(*) FROM {connection.ops.quote_name(table)}")
            (counted[table],) = cursor.fetchone()
    return {table: count for table, count in counted.items() if count}


def test_it_leaves_what_djangos_flush_leaves(transactional_db: None) -> None:
    world_module.build()
    flushing.empty(DEFAULT_DB_ALIAS)
    left = rows()
    call_command("flush", interactive=False, verbosity=0, reset_sequences=False)

    assert left == rows()
    assert left.keys() >= flushing.KEPT
