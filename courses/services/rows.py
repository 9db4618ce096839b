"""A row again, as the part of something else."""

from __future__ import annotations

from typing import Any, TypeVar

from django.db.models import Model

from core.ids import new_id

M = TypeVar("M", bound=Model)


def copied(row: M, **changes: Any) -> M:
    """The same values in a new row, with an id of its own and `changes`."""
    values = {
        field.attname: getattr(row, field.attname)
        for field in row._meta.concrete_fields
        if not field.primary_key and field.name not in changes
    }
    if "public_id" in values:
        values["public_id"] = new_id()
    made = type(row)(**values, **changes)
    made.save(force_insert=True)
    return made
