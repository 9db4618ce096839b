"""Who signs out, gets a new password or loses their part loses their sockets at once.

In this process as soon as it is committed; other processes hear of it within a second
(`core.accounts.changes`).
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

from django.contrib.auth.signals import user_logged_out
from django.db import transaction
from django.db.models.signals import post_delete, post_save

from core.accounts import changes
from core.accounts.models import RoleGrant, User
from core.accounts.proof import Proof, password_digest
from sellers.models import Member
from streams.doors import Doors, at_the_doors
from streams.services import encoders

_ENDING = frozenset({"password", "is_active", "is_superuser", "sessions_round"})


def connect() -> None:
    user_logged_out.connect(_signed_out, dispatch_uid="sockets end with their session")
    post_save.connect(_changed, sender=User, dispatch_uid="sockets end with their password")
    for part in (Member, RoleGrant):  # signals: the admin pages change them, too
        post_save.connect(_part_changed, sender=part, dispatch_uid=f"{part.__name__} given")
        post_delete.connect(_part_changed, sender=part, dispatch_uid=f"{part.__name__} taken")
    changes.listeners[:] = [_look_again]


def _signed_out(request: Any, user: User | None, **_: Any) -> None:
    session_key = request.session.session_key
    if user is None or session_key is None:
        return
    pk = user.pk
    changes.note([pk])

    def is_over(proof: Proof) -> bool:
        return proof.user_pk == pk and proof.session_key == session_key

    _end(is_over)


def _changed(instance: User, created: bool, update_fields: frozenset[str] | None, **_: Any) -> None:
    if created or (update_fields is not None and not update_fields & _ENDING):
        return  # as with each sign-in
    changes.note([instance.pk])
    if not instance.is_active:
        encoders.end_without_host(instance.pk)
    pk, password, is_active = instance.pk, password_digest(instance), instance.is_active

    def is_over(proof: Proof) -> bool:
        return proof.user_pk == pk and not (is_active and proof.password == password)

    _end(is_over)


def _end(is_over: Callable[[Proof], bool]) -> None:
    def end(doors: Doors) -> None:
        doors.end(is_over)

    transaction.on_commit(lambda: at_the_doors(end))


def _part_changed(instance: Member | RoleGrant, **_: Any) -> None:
    changes.note([instance.user_id])
    encoders.end_without_host(instance.user_id)


def _look_again(people: Collection[int]) -> None:
    def look(doors: Doors) -> None:
        doors.look_again_at(people)

    at_the_doors(look)
