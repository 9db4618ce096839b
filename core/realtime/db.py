"""The database from async code: a bounded pool of threads.

Channels never enters asgiref's `ThreadSensitiveContext`, so `database_sync_to_async` would send the
queries of all sockets through one single thread. Here `POOL_SIZE` of them work at once and the
rest wait, which is also the limit on database connections.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar, copy_context
from typing import ParamSpec, TypeVar

from django.db import connections, transaction

P = ParamSpec("P")
T = TypeVar("T")

POOL_SIZE = 8
asked_by: ContextVar[str] = ContextVar("asked_by", default="")
"""The name of the function that was given to `run_in_db`, for who counts what it asks."""

_pool = ThreadPoolExecutor(POOL_SIZE, thread_name_prefix="db")


async def run_in_db(fn: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Call `fn` in a thread that may use the ORM; the active language goes with it."""
    context = copy_context()
    context.run(asked_by.set, _name_of(fn))

    def call() -> T:
        return context.run(fn, *args, **kwargs)

    return await asyncio.get_running_loop().run_in_executor(_pool, with_fresh_connections, call)


def with_fresh_connections(call: Callable[[], T]) -> T:
    """Call it without inheriting a dead connection, and leave no borrowed one behind it."""
    _tidy_connections()
    try:
        return call()
    finally:
        _tidy_connections()


def give_back_connection() -> None:
    """Before a wait for somebody else: nobody else is kept waiting for one of the pool's few.

    The next query borrows one again. In a transaction nothing happens, nor where there is no pool.
    """
    connection = transaction.get_connection()
    if "pool" in connection.settings_dict.get("OPTIONS", {}) and not connection.in_atomic_block:
        connection.close()


def _tidy_connections() -> None:
    """Give connections back to PostgreSQL's pool; keep a thread's own to a file, unless it broke.

    SQLite has no pool, and opening the file anew costs more than most of what is asked of it.
    """
    for connection in connections.all(initialized_only=True):
        if connection.vendor == "sqlite":
            connection.close_at = None
        connection.close_if_unusable_or_obsolete()


def _name_of(fn: Callable[..., object]) -> str:
    """What is called, also when some of its arguments are given with it (`partial`)."""
    called = getattr(fn, "func", fn)
    return str(getattr(called, "__qualname__", type(called).__name__))
