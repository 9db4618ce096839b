"""Emptying the database after tests that commit.

Django empties every table and then lets all apps say again what migrations say: the names of
models, and who may do what with them. That is four hundred statements, after each of many hundred
tests, for rows that are the same as before; so those rows stay.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from unittest import mock

from django.core.management.color import no_style
from django.db import connections
from django.test import TransactionTestCase

KEPT = {"django_content_type", "auth_permission"}
"""All that receivers of `post_migrate` fill; `tests/test_flushing.py` compares."""


@contextmanager
def keeping_what_migrations_say() -> Iterator[None]:
    with mock.patch.object(TransactionTestCase, "_fixture_teardown", _empty):
        yield


def _empty(test: TransactionTestCase) -> None:
    for alias in test._databases_names(include_mirrors=False):  # type: ignore[attr-defined]
        empty(alias)


def empty(alias: str) -> None:
    operations = connections[alias].ops
    operations.execute_sql_flush(operations.sql_flush(no_style(), _tables(alias)))


@cache
def _tables(alias: str) -> list[str]:
    every = connections[alias].introspection.django_table_names(
        only_existing=True, include_views=False
    )
    return [table for table in every if table not in KEPT]
