"""A show of twelve seconds that is over: what was said, shown and sold at which second."""

from __future__ import annotations

import dataclasses
from datetime import datetime, timedelta
from typing import Any

import msgspec

from core.clock import now
from core.ids import new_id
from core.realtime.models import LogEntry
from media_pipeline.ingest import layout
from media_pipeline.models import Recording
from media_pipeline.services.takes import playable_takes
from orders.models import Offer, Order
from orders.selectors import offer_view, with_goods
from streams.models import Show, ShowState
from tests.media_pipeline.footage import Footage, folder_of, recording_of
from tests.orders.shop import li_orders
from tests.world import World


@dataclasses.dataclass(frozen=True)
class Replay:
    recording: Recording
    began: datetime


def replayed(world: World) -> Replay:
    """Apples from second 2, pears from 5, apples again from 9, and their price fell since then."""
    recording = recording_of(world.show, Footage(seconds=12))
    folder = layout.recording_folder(folder_of(recording))
    layout.write_playlists(folder, playable_takes(recording), ended=True)
    take = recording.takes.get()
    assert take.started_at
    began = take.started_at
    Show.objects.filter(pk=world.show.pk).update(
        state=ShowState.ENDED, started_at=began, ended_at=now() - timedelta(seconds=2)
    )
    world.show.refresh_from_db()
    question, rude = new_id(), new_id()
    said = {"name": "Li", "user_id": str(world.li.public_id), "role": "viewer"}
    asked = {**said, "text": "How heavy is a box?", "question": True}
    entries: list[tuple[float, str, dict[str, Any], Any]] = [
        (1, "chat.message", {**said, "text": "hello"}, new_id()),
        (2, "product.pinned", {"offer": _shown(world.apple_offer)}, new_id()),
        (3, "chat.message", asked, question),
        (4, "chat.message", {**said, "text": "rude words"}, rude),
        (5, "product.pinned", {"offer": _shown(world.pear_offer)}, new_id()),
        (6, "chat.answered", {"seq": 3, "id": str(question)}, new_id()),
        (9, "product.pinned", {"offer": _shown(world.apple_offer)}, new_id()),
        (10, "chat.message", {**said, "text": "goodbye"}, new_id()),
    ]
    for seq, (second, kind, data, fact_id) in enumerate(entries, start=1):
        LogEntry.objects.create(
            topic=world.show.topic,
            epoch="e",
            seq=seq,
            at=began + timedelta(seconds=second),
            type=kind,
            data=data,
            fact_id=fact_id,
            removed_at=now() if fact_id == rude else None,
        )
    order = li_orders(world)
    Order.objects.filter(pk=order.pk).update(placed_at=began + timedelta(seconds=7.5))
    Offer.objects.filter(pk=world.apple_offer.pk).update(price_minor=2990)
    return Replay(recording, began)


def _shown(offer: Offer) -> dict[str, Any]:
    view = offer_view(with_goods(Offer.objects.filter(pk=offer.pk)).get())
    shown: dict[str, Any] = msgspec.to_builtins(view)
    return shown
