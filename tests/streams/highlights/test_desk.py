"""From a show's rows to proposals in seconds of its recording, for its host alone."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest
from django.test import Client

from core.accounts.models import User
from core.clock import now
from core.ids import new_id
from core.realtime.models import LogEntry
from media_pipeline.models import Recording, RecordingState, Take, TakeState
from orders.models import Offer, Order, OrderState
from orders.selectors import offer_view, with_goods
from streams.highlights.reading import filmed
from streams.models import Show, ShowState, ViewersSample
from tests.orders.shop import li_orders
from tests.world import World

pytestmark = pytest.mark.django_db

TAKE_S, AWAY_S = 900.0, 60.0
TALK_S = 1260.0
"""Of the wall clock since the show began: a minute of the recording earlier, for the gap."""


def half_an_hour(world: World) -> datetime:
    """Two takes with a minute between; pears are explained from `TALK_S` on, and eleven sold."""
    began = now() - timedelta(hours=1)
    Show.objects.filter(pk=world.show.pk).update(
        state=ShowState.ENDED, started_at=began, ended_at=began + timedelta(seconds=1860)
    )
    world.show.refresh_from_db()
    recording = Recording.objects.create(
        show_id=world.show.public_id,
        is_public=True,
        state=RecordingState.READY,
        duration_s=2 * TAKE_S,
        edition=3,
    )
    for position, wall_s in enumerate((0.0, TAKE_S + AWAY_S)):
        Take.objects.create(
            public_id=new_id(),
            recording=recording,
            position=position,
            mime="video/mp4",
            state=TakeState.SEALED,
            started_at=began + timedelta(seconds=wall_s),
            duration_s=TAKE_S,
        )
    for at_s in range(30, 1860, 120):
        bought(world, began, at_s, world.apple_offer)
    for number in range(11):
        bought(world, began, TALK_S + 12 + 6 * number, world.pear_offer)
    said = {"name": "Li", "user_id": str(world.li.public_id), "role": "viewer", "question": True}
    happened = [(TALK_S, "product.pinned", {"offer": shown(world.pear_offer)})]
    happened += [
        (TALK_S + 3 + 6 * number, "chat.message", {**said, "text": "一箱多重?"})
        for number in range(9)
    ]
    LogEntry.objects.bulk_create(
        LogEntry(
            topic=world.show.topic,
            epoch="e",
            seq=seq,
            at=began + timedelta(seconds=at_s),
            type=kind,
            data=data,
            fact_id=new_id(),
        )
        for seq, (at_s, kind, data) in enumerate(happened, start=1)
    )
    return began


def bought(world: World, began: datetime, at_s: float, offer: Offer) -> Order:
    price = offer.price_minor
    order = li_orders(
        world, key=str(new_id()), offer_id=offer.public_id, quantity=1, price_minor=price
    )
    Order.objects.filter(pk=order.pk).update(placed_at=began + timedelta(seconds=at_s))
    return order


def shown(offer: Offer) -> dict[str, Any]:
    view = offer_view(with_goods(Offer.objects.filter(pk=offer.pk)).get())
    found: dict[str, Any] = msgspec.to_builtins(view)
    return found


def asked(world: World, user: User | None) -> Any:
    client = Client()
    if user:
        client.force_login(user)
    return client.get(f"/api/v1/shows/{world.show.public_id}/highlights")


def test_the_host_is_told_which_minutes_sold_and_why(world: World) -> None:
    half_an_hour(world)
    found = asked(world, world.zhang).json()
    [best] = found["proposals"]
    assert (best["kind"], best["product"]) == ("sold", "Snow pears, 3 kg box")
    talk_s = TALK_S - AWAY_S
    assert abs(best["start_s"] - talk_s) <= 10
    assert talk_s + 30 <= best["end_s"] <= talk_s + 90
    orders, questions = best["reasons"][:2]
    assert "orders in" in orders
    assert "× this show's usual" in orders or "next to none" in orders
    assert questions == "9 questions, mostly about weight and size"
    assert found["edition"] == 3
    course = found["course"]
    assert sum(course["orders"]) == 27
    assert course["step_s"] * len(course["orders"]) == pytest.approx(2 * TAKE_S)


def test_a_product_that_sells_evenly_is_explained_where_it_was_shown(world: World) -> None:
    began = half_an_hour(world)
    LogEntry.objects.filter(type="chat.message").delete()
    Order.objects.filter(lines__variant=world.pears).update(placed_at=began)
    LogEntry.objects.filter(type="product.pinned").update(
        data={"offer": shown(world.apple_offer)}, at=began + timedelta(seconds=300)
    )
    [only] = asked(world, world.zhang).json()["proposals"]
    assert (only["kind"], only["product"]) == ("explains", "Huaniu apples, 5 kg box")
    assert only["end_s"] - only["start_s"] <= 180


def test_orders_that_were_taken_back_count_for_nothing(world: World) -> None:
    half_an_hour(world)
    Order.objects.filter(lines__variant=world.pears).update(state=OrderState.CANCELLED)
    assert not [
        one for one in asked(world, world.zhang).json()["proposals"] if one["kind"] == "sold"
    ]


def test_cheaper_and_shorter_offers_are_flashes_and_dearer_ones_are_not(world: World) -> None:
    began = half_an_hour(world)
    usual = shown(world.apple_offer)
    terms = [
        {},
        {"price_minor": 9999},
        {"price_minor": 990},
        {"closes_at_ms": 1, "price_minor": 990},
    ]
    for number, changed in enumerate(terms):
        LogEntry.objects.create(
            topic=world.show.topic,
            epoch="e",
            seq=100 + number,
            at=began + timedelta(seconds=100 + number),
            type="offer.changed",
            data={"offer": {**usual, **changed}},
            fact_id=new_id(),
        )
    ViewersSample.objects.create(show=world.show, minute=began, viewers=40)
    found = filmed(world.show)
    assert found
    assert [one.at_s for one in found.signals.flashes] == [102, 103]
    assert [(one.start_s, one.end_s) for one in found.signals.away] == [(900, 960)]
    assert found.signals.viewers[0].viewers == 40


def test_nobody_else_is_told(world: World) -> None:
    half_an_hour(world)
    assert asked(world, None).status_code == 401
    assert asked(world, world.li).status_code == 403
    assert asked(world, world.gao).status_code == 403


def test_a_show_without_a_replay_has_no_proposals(world: World) -> None:
    found = asked(world, world.zhang).json()
    assert (found["proposals"], found["course"], found["recording_id"]) == ([], None, None)
