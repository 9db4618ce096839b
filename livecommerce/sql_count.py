"""How many SQL statements this process has run, by the kind of thread that ran them.

The counter is what shows that a returning viewer costs the database nothing: sockets ask it from
the threads named `db`, the outbox's relay and the log's writer from their own. What was asked from
`db` is told apart by the function that asked: a few look something up for a whole room.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created
from prometheus_client import Counter

from core.realtime.db import asked_by

KINDS = ("db", "outbox-relay", "log-writer", "log-keeper")
OTHER = "other"

_queries = Counter(
    "livecommerce_sql_queries",
    "SQL statements run, by kind of thread and by what asked",
    ["thread", "by"],
)


def connect() -> None:
    """Count on every connection that is opened from now on."""
    connection_created.connect(_count_on, dispatch_uid="livecommerce.sql_count")


def _count_on(sender: object, connection: BaseDatabaseWrapper, **_: object) -> None:
    # The wrappers outlive a reconnect of the same object.
    if _count not in connection.execute_wrappers:
        connection.execute_wrappers.append(_count)


def _count(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
    _queries.labels(kind_of(threading.current_thread().name), asked_by.get()).inc()
    return execute(sql, params, many, context)


def kind_of(thread: str) -> str:
    """The kind of a thread with this name: `db_3` is one of the `db`."""
    return next((kind for kind in KINDS if thread.startswith(kind)), OTHER)
