"""Who signs out or gets a new password loses their sockets of this process at once.

Those of other processes are refused with the next thing they ask for, or found by the guard.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib.auth.signals import user_logged_out
from django.db import transaction
from django.db.models.signals import post_save

from core.accounts.models import User
from core.accounts.proof import Proof, password_digest
from streams.door import Doors, at_the_doors


def connect() -> None:
    user_logged_out.connect(_signed_out, dispatch_uid="sockets end with their session")
    post_save.connect(_changed, sender=User, dispatch_uid="sockets end with their password")


def _signed_out(request: Any, user: User | None, **_: Any) -> None:
    session_key = request.session.session_key
    if user is None or session_key is None:
        return
    pk = user.pk

    def is_over(proof: Proof) -> bool:
        return proof.user_pk == pk and proof.session_key == session_key

    _end(is_over)


def _changed(instance: User, update_fields: frozenset[str] | None, **_: Any) -> None:
    if update_fields is not None and not update_fields & {"password", "is_active"}:
        return  # as with each sign-in
    pk, password, is_active = instance.pk, password_digest(instance), instance.is_active

    def is_over(proof: Proof) -> bool:
        return proof.user_pk == pk and not (is_active and proof.password == password)

    _end(is_over)


def _end(is_over: Callable[[Proof], bool]) -> None:
    def end(doors: Doors) -> None:
        doors.end(is_over)

    transaction.on_commit(lambda: at_the_doors(end))
