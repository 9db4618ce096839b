"""The stored log has the order of its places: after a Redis that was lost, rows of an earlier epoch
may come in later than those of the next."""

from __future__ import annotations

import uuid
from typing import Any

from core.clock import now
from core.realtime.log import Position
from core.realtime.models import LogEntry
from streams.services import messages
from streams.services.messages import Newest
from streams.studio import selectors
from tests.world import World

PLACES = [("1", 1), ("1", 2), ("2", 1), ("2", 2)]


def store_in_another_order(topic: str, kind: str, data: dict[str, Any]) -> None:
    for epoch, seq in (PLACES[2], PLACES[3], PLACES[1], PLACES[0]):
        LogEntry.objects.create(
            topic=topic,
            epoch=epoch,
            seq=seq,
            at=now(),
            type=kind,
            data={**data, "text": f"{epoch} {seq}"},
            fact_id=uuid.uuid4(),
        )


def test_all_that_somebody_said_is_found_in_order(world: World) -> None:
    said = {"name": "Li", "user_id": str(world.li.public_id), "role": "viewer", "question": False}
    store_in_another_order(world.show.topic, "chat.message", said)
    found = messages.all_of(world.show, Newest(Position("2", 0), [], {}), world.li.public_id)
    assert [(message.epoch, message.seq) for message in found] == PLACES


def test_what_was_done_to_keep_order_is_shown_newest_first(world: World) -> None:
    topic = f"studio:{world.show.public_id}"
    store_in_another_order(topic, "moderation.done", {"action": "mute"})
    shown = selectors._moderation(world.show.public_id, Position("2", 2), [])
    assert [event.data["text"] for event in shown] == ["2 2", "2 1", "1 2", "1 1"]
