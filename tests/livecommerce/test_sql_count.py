"""The count of SQL statements by kind of thread."""

from __future__ import annotations

import pytest
from django.contrib.auth import get_user_model
from prometheus_client import REGISTRY

from core.realtime.db import run_in_db
from livecommerce.sql_count import kind_of


def counted(kind: str, by: str) -> float:
    labels = {"thread": kind, "by": by}
    return REGISTRY.get_sample_value("livecommerce_sql_queries_total", labels) or 0.0


def counts() -> tuple[float, float]:
    """In a thread: of the figures that are collected besides, some ask the database."""
    return counted("db", "how_many"), counted("outbox-relay", "")


def how_many() -> int:
    return get_user_model().objects.count()


@pytest.mark.django_db(transaction=True)
async def test_a_query_of_a_socket_is_counted_as_one_of_the_pool_by_what_asks() -> None:
    before, others = await run_in_db(counts)
    await run_in_db(how_many)
    await run_in_db(how_many)
    await run_in_db(get_user_model().objects.exists)  # something else asks
    assert await run_in_db(counts) == (before + 2, others)


@pytest.mark.parametrize(
    ("thread", "kind"), [("db_7", "db"), ("outbox-relay", "outbox-relay"), ("MainThread", "other")]
)
def test_a_thread_is_told_by_its_name(thread: str, kind: str) -> None:
    assert kind_of(thread) == kind
