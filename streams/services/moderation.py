"""Keeping order in a room: who may not speak or be there, how fast it goes, what is on top.

Each change and the fact that tells of it (`RoomModerated`) are one transaction, and the changes of
one show happen one after the other: two moderators who act at once leave the log, the database and
every process with the same result. What only concerns a message is an entry for the room's log,
whose id makes it one, however many do it at once.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

import msgspec
from django.db import transaction
from django.utils.translation import gettext as _

from core import outbox
from core.accounts.models import User
from core.clock import iso_ms, now
from core.errors import Conflict, NotAllowed, NotFound
from core.realtime.log import NewEntry
from core.realtime.models import LogEntry
from core.text import clean_line
from streams import access
from streams.doors import at_the_doors
from streams.events import RoomModerated
from streams.models import Ban, Mute, Show
from streams.protocol import (
    ChatAnsweredEvent,
    ChatRemovedEvent,
    ChatRestoredEvent,
    ChatUnansweredEvent,
    PinnedMessage,
)
from streams.restored import copy_after
from streams.services.messages import Message

LONGEST_REASON = 200
CHANGES_OF_MIND = 20
"""So often the answer to one question can be taken back: each time has an id of its own."""


# Viewers


def mute(
    *, show: Show, actor: User, user_id: UUID, reason: str = "", for_s: float | None = None
) -> None:
    """Keep a viewer quiet in this show, for good or for a while.

    Raises `NotAllowed` (also for somebody who keeps order here), `NotFound` or `InvalidInput`.
    """
    viewer = _viewer(show, actor, user_id)
    values = _terms(reason, for_s)
    with transaction.atomic():
        _alone(show)
        Mute.objects.update_or_create(
            show=show, user=viewer, defaults={**values, "muted_by": actor}
        )
        _tell(show, "mute", actor, viewer, **values)


def unmute(*, show: Show, actor: User, user_id: UUID) -> None:
    """Let a viewer speak again; who is not muted stays as they are. Raises as `mute`."""
    viewer = _viewer(show, actor, user_id)
    with transaction.atomic():
        _alone(show)
        if Mute.objects.filter(show=show, user=viewer).delete()[0]:
            _tell(show, "unmute", actor, viewer)


def ban(
    *, show: Show, actor: User, user_id: UUID, reason: str = "", for_s: float | None = None
) -> None:
    """Send a viewer away from this show: no room, no page, no order through it. As `mute`."""
    viewer = _viewer(show, actor, user_id)
    values = _terms(reason, for_s)
    with transaction.atomic():
        _alone(show)
        Ban.objects.update_or_create(
            show=show, user=viewer, defaults={**values, "banned_by": actor}
        )
        _tell(show, "ban", actor, viewer, **values)
        transaction.on_commit(partial(_send_away, show.public_id, user_id, values["until"]))


def unban(*, show: Show, actor: User, user_id: UUID) -> None:
    """Let a viewer in again; who is not banned stays as they are. Raises as `mute`."""
    viewer = _viewer(show, actor, user_id)
    with transaction.atomic():
        _alone(show)
        if Ban.objects.filter(show=show, user=viewer).delete()[0]:
            _tell(show, "unban", actor, viewer)


def lift_expired() -> int:
    """Undo what was for a while, once that is over, and tell the rooms; how many."""
    lifted = 0
    for model, action in ((Mute, "unmute"), (Ban, "unban")):
        over = model.objects.filter(until__lte=now()).select_related("show", "user")
        for row in over:
            with transaction.atomic():
                _alone(row.show)
                # Somebody may have made it longer meanwhile.
                if model.objects.filter(pk=row.pk, until__lte=now()).delete()[0]:
                    _tell(row.show, action, None, row.user)
                    lifted += 1
    return lifted


# The room


def slow_mode(*, show: Show, actor: User, every_s: int) -> None:
    """Let each viewer write once every `every_s` seconds; 0 switches it off. `NotAllowed`."""
    access.require_moderator(actor, show)
    with transaction.atomic():
        _alone(show)
        if Show.objects.filter(pk=show.pk).exclude(slow_mode_s=every_s).update(slow_mode_s=every_s):
            _tell(show, "slow_mode", actor, every_s=every_s)


# Messages


def pin(*, show: Show, actor: User, message: Message) -> None:
    """Show this message on top; raises `NotAllowed`, or `NotFound` if it was taken away."""
    access.require_moderator(actor, show)
    if message.is_removed:
        raise NotFound(_("There is no such message."), field="id")
    pinned = PinnedMessage(
        id=message.id,
        seq=message.shown_seq,
        text=message.said.text,
        name=message.said.name,
        role=message.said.role,
    )
    values = msgspec.to_builtins(pinned)
    with transaction.atomic():
        _alone(show)
        if Show.objects.filter(pk=show.pk, pinned_message=values).exists():
            return
        Show.objects.filter(pk=show.pk).update(pinned_message=values)
        _tell(show, "pin", actor, message=values)


def unpin(*, show: Show, actor: User) -> None:
    """Show no message on top; raises `NotAllowed`."""
    access.require_moderator(actor, show)
    with transaction.atomic():
        if _alone(show).pinned_message is not None:
            Show.objects.filter(pk=show.pk).update(pinned_message=None)
            _tell(show, "unpin", actor)


def remove(*, show: Show, actor: User, messages: Sequence[Message]) -> list[NewEntry]:
    """Take messages away, as entries for the room's log; raises `NotAllowed`.

    Call `unpin_removed` once they are in the log. Taking away what is gone changes nothing.
    """
    access.require_moderator(actor, show)
    there = [message for message in messages if not message.is_removed]
    writers = {(one.said.name, one.said.user_id) for one in there}
    with transaction.atomic():
        for name, user_id in writers:
            said = [one for one in there if one.said.user_id == user_id]
            _tell_of(show, "remove", actor, name, user_id, said[0] if len(said) == 1 else None)
    return [_removal(show, message) for message in messages]


def restore(*, show: Show, actor: User, message: Message, marks: Collection[UUID]) -> NewEntry:
    """Bring a message back to its place, as an entry for the room's log; `marks` as in `answer`.

    Bringing back what was brought back changes nothing. Raises `NotAllowed`, or `Conflict` if it
    was never taken away or is from before messages had ids.
    """
    access.require_moderator(actor, show)
    if message.id is None:
        raise Conflict(_("This message is too old to be brought back."))
    if message.is_removed:
        with transaction.atomic():
            said = message.said
            _tell_of(show, "restore", actor, said.name, said.user_id, message)
        copy_id = copy_after(message.removal(show))
    elif message.copy is not None:
        copy_id = message.copy.id
    else:
        raise Conflict(_("This message was not taken away."))
    event = ChatRestoredEvent(
        seq=message.shown_seq,
        id=message.id,
        at=iso_ms(message.at),
        answered=_answers(show, message, marks)[1],
        **msgspec.structs.asdict(message.said),
    )
    return event.entry(now(), fact_id=copy_id)


def unpin_removed(*, show: Show, actor: User, messages: Sequence[Message]) -> None:
    """Show none of these on top. After their removal is in the log, a pin no longer takes them."""
    with transaction.atomic():
        pinned = _alone(show).pinned_message
        if pinned and any(_is_pinned(message, pinned) for message in messages):
            Show.objects.filter(pk=show.pk).update(pinned_message=None)
            _tell(show, "unpin", actor)


def answer(*, show: Show, actor: User, message: Message, marks: Collection[UUID]) -> NewEntry:
    """Mark a question as answered, as an entry for the room's log; raises `NotAllowed`.

    `marks` are the ids of what was done lately: what the database may not have yet.
    """
    access.require_moderator(actor, show)
    taken_back, is_answered = _answers(show, message, marks)
    if not is_answered:
        with transaction.atomic():
            _tell_of(show, "answer", actor, message.said.name, message.said.user_id)
    event = ChatAnsweredEvent(seq=message.shown_seq, id=message.id)
    return event.entry(now(), fact_id=_answered_mark(show, message, taken_back))


def unanswer(*, show: Show, actor: User, message: Message, marks: Collection[UUID]) -> NewEntry:
    """Take that back; raises `NotAllowed`, or `Conflict` if it was never answered. As `answer`."""
    access.require_moderator(actor, show)
    taken_back, is_answered = _answers(show, message, marks)
    if not is_answered and not taken_back:
        raise Conflict(_("This question is not marked as answered."))
    if is_answered:
        with transaction.atomic():
            _tell_of(show, "unanswer", actor, message.said.name, message.said.user_id)
    event = ChatUnansweredEvent(seq=message.shown_seq, id=message.id)
    # Taken back already: the same entry again, which changes nothing.
    nth = taken_back if is_answered else taken_back - 1
    return event.entry(now(), fact_id=message.mark(show, f"unanswered:{nth}"))


def _answers(show: Show, message: Message, marks: Collection[UUID]) -> tuple[int, bool]:
    """How often an answer was taken back, and whether the question is answered now."""
    undone = [message.mark(show, f"unanswered:{nth}") for nth in range(CHANGES_OF_MIND)]
    done = [_answered_mark(show, message, nth) for nth in range(CHANGES_OF_MIND + 1)]
    stored = LogEntry.objects.filter(topic=show.topic, fact_id__in=undone + done)
    known = {*marks, *stored.values_list("fact_id", flat=True)}
    taken_back = sum(mark in known for mark in undone)
    return taken_back, done[taken_back] in known


def _answered_mark(show: Show, message: Message, nth: int) -> UUID:
    return message.mark(show, f"answered:{nth}" if nth else "answered")


def _removal(show: Show, message: Message) -> NewEntry:
    event = ChatRemovedEvent(seq=message.shown_seq, id=message.id)
    shown = message.shown_at
    entry = event.entry(now(), fact_id=message.removal(show), removes=shown.seq)
    return msgspec.structs.replace(entry, removes_epoch=shown.epoch)


def _is_pinned(message: Message, pinned: dict[str, Any]) -> bool:
    if message.id is not None:
        return bool(pinned["id"] == str(message.id))
    return pinned["id"] is None and bool(pinned["seq"] == message.seq)


def _send_away(show_id: UUID, user_id: UUID, until: datetime | None) -> None:
    """From this process now, even if the log, which tells all of them, is away."""
    at_the_doors(lambda doors: doors.ban(show_id, user_id, until))


def _viewer(show: Show, actor: User, user_id: UUID) -> User:
    access.require_moderator(actor, show)
    viewer = User.objects.filter(public_id=user_id).first()
    if viewer is None:
        raise NotFound(_("There is no such viewer."), field="user_id")
    if access.may_moderate(viewer, show):
        message = _("Who hosts a show or keeps order in it cannot be muted or sent away.")
        raise NotAllowed(message, field="user_id")
    return viewer


def _terms(reason: str, for_s: float | None) -> dict[str, Any]:
    return {
        "reason": clean_line(reason, "reason", longest=LONGEST_REASON, shortest=0),
        "until": None if for_s is None else now() + timedelta(seconds=for_s),
    }


def _alone(show: Show) -> Show:
    """Until the transaction ends nobody else changes this show's room."""
    return Show.objects.select_for_update().get(pk=show.pk)


def _tell(
    show: Show,
    action: str,
    actor: User | None,
    viewer: User | None = None,
    *,
    reason: str = "",
    until: datetime | None = None,
    **details: object,
) -> None:
    outbox.publish(
        RoomModerated(
            show_id=show.public_id,
            at=now(),
            action=action,
            actor=actor.shown_name if actor else "",
            viewer=viewer.shown_name if viewer else "",
            user_id=viewer.public_id if viewer else None,
            reason=reason,
            until=until,
            details=details,
        )
    )


def _tell_of(
    show: Show,
    action: str,
    actor: User,
    name: str,
    user_id: UUID,
    message: Message | None = None,
) -> None:
    """Of what is done to a message: its author, as named then, may have no account any more."""
    outbox.publish(
        RoomModerated(
            show_id=show.public_id,
            at=now(),
            action=action,
            actor=actor.shown_name,
            viewer=name,
            user_id=user_id,
            details={"message_id": str(message.id)} if message and message.id else {},
        )
    )
