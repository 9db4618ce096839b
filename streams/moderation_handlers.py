"""What the room and its keepers are told when somebody keeps order in it."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID, uuid5

import msgspec
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from core.clock import iso_ms
from core.realtime import runtime
from core.realtime.log import NewEntry
from streams.events import RoomModerated
from streams.protocol import (
    ChatPinnedEvent,
    ChatUnpinnedEvent,
    NoticeEvent,
    RoomEvent,
    RoomSlowModeEvent,
    ViewerBannedEvent,
    ViewerMutedEvent,
    ViewerUnbannedEvent,
    ViewerUnmutedEvent,
)

TOLD_DETAILS = ("every_s", "word", "message_id")


class ModerationDone(RoomEvent, frozen=True):
    """Somebody kept order: who, to whom and why. `actor` is empty for what ended by itself.

    `details` has `every_s` of a changed slow mode, the `word` that was blocked or allowed, and the
    `message_id` of the one message that was taken away or brought back.

    Told to the show's own people, in the topic `studio:<show id>`.
    """

    type: ClassVar[str] = "moderation.done"
    action: str
    actor: str
    viewer: str
    user_id: UUID | None
    reason: str
    until: str | None
    at: str
    details: dict[str, Any] = {}


def tell_moderated(fact: RoomModerated, fact_id: UUID) -> None:
    """Tell the room what happened, without names or reasons, and its keepers all of it."""
    log = runtime.current().log
    if entries := _for_the_room(fact, fact_id):
        log.append_blocking(fact.topic, entries)
    done = ModerationDone(
        action=fact.action,
        actor=fact.actor,
        viewer=fact.viewer,
        user_id=fact.user_id,
        reason=fact.reason,
        until=iso_ms(fact.until) if fact.until else None,
        at=iso_ms(fact.at),
        details={key: fact.details[key] for key in TOLD_DETAILS if key in fact.details},
    )
    log.append_blocking(f"studio:{fact.show_id}", [done.entry(fact.at, fact_id=fact_id)])


def _for_the_room(fact: RoomModerated, fact_id: UUID) -> list[NewEntry]:
    event = _event(fact)
    if event is None:
        return []
    entries = [event.entry(fact.at, fact_id=fact_id)]
    if isinstance(event, RoomSlowModeEvent):
        notice = _slow_mode_notice(event.every_s)
        entries.append(notice.entry(fact.at, fact_id=uuid5(fact_id, "notice")))
    return entries


def _event(fact: RoomModerated) -> RoomEvent | None:
    """What the room is told; nothing of what is in its log already."""
    match fact.action:
        case "slow_mode":
            return RoomSlowModeEvent(fact.details["every_s"])
        case "pin":
            return msgspec.convert(fact.details["message"], ChatPinnedEvent)
        case "unpin":
            return ChatUnpinnedEvent()
    return _viewer_event(fact, fact.user_id) if fact.user_id else None


def _viewer_event(fact: RoomModerated, user_id: UUID) -> RoomEvent | None:
    match fact.action:
        case "mute":
            return ViewerMutedEvent(user_id, iso_ms(fact.until) if fact.until else None)
        case "unmute":
            return ViewerUnmutedEvent(user_id)
        case "ban":
            return ViewerBannedEvent(user_id)
        case "unban":
            return ViewerUnbannedEvent(user_id)
    return None


def _slow_mode_notice(every_s: int) -> NoticeEvent:
    """In the instance's language; who has another one says it by the code."""
    if not every_s:
        return NoticeEvent(_("Slow mode is off."), "slow_mode_off")
    text = ngettext(
        "Slow mode is on: one message every %(count)d second.",
        "Slow mode is on: one message every %(count)d seconds.",
        every_s,
    ) % {"count": every_s}
    return NoticeEvent(text, "slow_mode_on", {"every_s": every_s})
