from __future__ import annotations

from uuid import uuid4

import pytest
from django.db import IntegrityError, transaction

from core.errors import Conflict, InvalidInput, NotFound
from core.ids import new_id
from core.models import OutboxFact
from sellers.errors import SoldOut
from sellers.models import Stock, StockMovement
from sellers.services import stock
from tests.world import World

ORDER = new_id()


def books(world: World) -> tuple[int, int, int]:
    row = Stock.objects.get(variant=world.apples)
    return row.on_hand, row.reserved, row.version


def movements(world: World) -> list[tuple[str, int, int]]:
    rows = world.apples.movements.exclude(reason="first count").order_by("pk")
    return [(row.kind, row.on_hand_change, row.reserved_change) for row in rows]


def test_goods_are_set_aside_and_sent(world: World) -> None:
    apples = world.apples.public_id

    stock.reserve(apples, 3, order_id=ORDER, actor=world.li)
    stock.ship(apples, 3, order_id=ORDER, actor=world.zhang)

    assert books(world) == (37, 0, 2)
    assert movements(world) == [("reserve", 0, 3), ("ship", -3, -3)]
    assert set(StockMovement.objects.filter(order_id=ORDER)) == set(
        world.apples.movements.exclude(kind="adjust")
    )


def test_goods_are_set_aside_and_given_back(world: World) -> None:
    apples = world.apples.public_id

    stock.reserve(apples, 40, order_id=ORDER, actor=world.li)
    stock.release(apples, 40, order_id=ORDER, actor=world.li)

    assert books(world) == (40, 0, 2)
    assert movements(world) == [("reserve", 0, 40), ("release", 0, -40)]


def test_every_change_is_told_with_its_version(world: World) -> None:
    apples = world.apples.public_id
    stock.reserve(apples, 3, order_id=ORDER, actor=world.li)
    stock.adjust(apples, on_hand=50, reason="new harvest", actor=world.zhang)

    facts = OutboxFact.objects.order_by("id")
    assert [(fact.data["available"], fact.data["version"]) for fact in facts] == [(37, 1), (47, 2)]
    assert {fact.topic for fact in facts} == {f"variant:{apples}"}


def test_what_is_not_there_is_not_set_aside(world: World) -> None:
    with pytest.raises(SoldOut) as refusal:
        stock.reserve(world.apples.public_id, 41, order_id=ORDER, actor=world.li)

    assert refusal.value.details["available"] == 40
    assert (books(world), movements(world)) == ((40, 0, 0), [])
    assert not OutboxFact.objects.exists()


@pytest.mark.parametrize("undo", [stock.release, stock.ship])
def test_what_was_not_set_aside_is_not_undone(world: World, undo: object) -> None:
    with pytest.raises(Conflict):
        undo(world.apples.public_id, 1, order_id=ORDER, actor=world.li)  # type: ignore[operator]

    assert (books(world), movements(world)) == ((40, 0, 0), [])


def test_a_product_of_nobody_is_not_found(world: World) -> None:
    with pytest.raises(NotFound):
        stock.reserve(uuid4(), 1, order_id=ORDER, actor=world.li)


def test_a_count_replaces_what_the_books_said(world: World) -> None:
    stock.adjust(
        world.apples.public_id, on_hand=35, reason=" five  were spoilt ", actor=world.zhang
    )

    assert books(world) == (35, 0, 1)
    row = world.apples.movements.latest("pk")
    assert (row.on_hand_change, row.reason, row.actor) == (-5, "five were spoilt", world.zhang)


def test_a_count_below_what_is_promised_is_refused(world: World) -> None:
    stock.reserve(world.apples.public_id, 10, order_id=ORDER, actor=world.li)

    with pytest.raises(InvalidInput) as refusal:
        stock.adjust(world.apples.public_id, on_hand=9, reason="stolen", actor=world.zhang)

    assert refusal.value.field == "on_hand"
    assert books(world) == (40, 10, 1)


@pytest.mark.parametrize("on_hand", [-1, True, 1.5, "7", stock.MOST_ON_HAND + 1])
def test_an_impossible_count_is_refused(world: World, on_hand: int) -> None:
    with pytest.raises(InvalidInput):
        stock.adjust(world.apples.public_id, on_hand=on_hand, reason="?", actor=world.zhang)

    assert books(world) == (40, 0, 0)


def test_a_count_needs_a_reason(world: World) -> None:
    with pytest.raises(InvalidInput) as refusal:
        stock.adjust(world.apples.public_id, on_hand=1, reason=" ", actor=world.zhang)

    assert refusal.value.field == "reason"


def test_a_count_that_was_overtaken_is_out_of_date(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Goods leave between the reading and the writing: the count would bring them back."""
    read = stock._stock

    def read_then_overtaken(variant_id: object) -> Stock:
        row = read(world.apples.public_id)
        Stock.objects.filter(pk=row.pk).update(on_hand=30)
        return row

    monkeypatch.setattr(stock, "_stock", read_then_overtaken)
    with pytest.raises(Conflict):
        stock.adjust(world.apples.public_id, on_hand=41, reason="one more", actor=world.zhang)

    assert movements(world) == []


@pytest.mark.parametrize("change", [{"reserved": 41}, {"on_hand": -1}])
def test_the_database_itself_refuses_impossible_stock(world: World, change: dict[str, int]) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Stock.objects.filter(variant=world.apples).update(**change)
