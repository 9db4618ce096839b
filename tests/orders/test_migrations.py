"""Orders of before, brought to today's tables."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from orders.models import OrderMove, OrderState
from orders.services.fulfil import move_order
from tests.orders.shop import li_orders
from tests.world import World

BEFORE = [("orders", "0002_holds_money_offers")]
AFTER = [("orders", "0003_count_what_offers_sold")]


@pytest.mark.django_db(transaction=True)
def test_lines_find_their_offer_and_offers_count_what_holds() -> None:
    executor = MigrationExecutor(connection)
    newest = executor.loader.graph.leaf_nodes()
    executor.migrate(BEFORE)
    try:
        # Tables of other apps are as they are now.
        others = [node for node in newest if node[0] in {"accounts", "sellers"}]
        offers = orders_of_before(executor.loader.project_state([*BEFORE, *others]).apps)
        executor = MigrationExecutor(connection)
        executor.migrate(AFTER)

        apps = executor.loader.project_state(AFTER).apps
        offer_model, line_model = (
            apps.get_model("orders", name) for name in ("Offer", "OrderLine")
        )
        sold = {name: offer_model.objects.get(pk=pk).sold for name, pk in offers.items()}
        assert sold == {"apples": 5, "apples elsewhere": 0, "pears": 0}
        found = line_model.objects.order_by("pk").values_list("offer_id", flat=True)
        assert list(found) == [offers["apples"], offers["apples"], offers["apples"], None, None]
    finally:
        executor = MigrationExecutor(connection)
        executor.migrate(newest)


def orders_of_before(apps: Any) -> dict[str, int]:
    """Two and three boxes that hold, four that were cancelled, one outside of a show, and one of
    what the show has never offered.
    """
    user = apps.get_model("accounts", "User").objects.create(username="li", public_id=uuid4())
    seller = apps.get_model("sellers", "Seller").objects.create(name="Farm")
    product = apps.get_model("sellers", "Product").objects.create(seller=seller, title="Fruit")
    apples, pears, plums = (
        apps.get_model("sellers", "Variant").objects.create(
            product=product, title=title, price_minor=100
        )
        for title in ("apples", "pears", "plums")
    )
    show, elsewhere = uuid4(), uuid4()
    offer = apps.get_model("orders", "Offer").objects
    offers = {
        "apples": offer.create(show_id=show, variant=apples, price_minor=90).pk,
        "apples elsewhere": offer.create(show_id=elsewhere, variant=apples, price_minor=95).pk,
        "pears": offer.create(show_id=show, variant=pears, price_minor=90).pk,
    }
    for number, (show_id, state, variant, quantity) in enumerate(
        [
            (show, "placed", apples, 2),
            (show, "delivered", apples, 3),
            (show, "cancelled", apples, 4),
            (None, "placed", apples, 1),
            (show, "placed", plums, 1),
        ]
    ):
        order = apps.get_model("orders", "Order").objects.create(
            number=f"1000-000{number}",
            buyer=user,
            seller=seller,
            show_id=show_id,
            state=state,
            delivery="courier",
            payment_method="cash_on_delivery",
            total_minor=100,
            currency="CNY",
            idempotency_key=str(number),
            request_hash="",
            placed_at="2026-01-01T00:00:00Z",
        )
        order.lines.create(variant=variant, title="fruit", quantity=quantity, price_minor=100)
    return offers


@pytest.mark.django_db(transaction=True)
def test_that_an_order_was_placed_is_told_by_the_order_alone(world: World) -> None:
    paid, held = li_orders(world), li_orders(world, key="second", payment_method="online")
    move_order(paid.public_id, OrderState.PACKED, world.zhang)
    executor = MigrationExecutor(connection)
    newest = executor.loader.graph.leaf_nodes()
    try:
        executor.migrate([("orders", "0008_fewer_indexes")])

        kept = OrderMove.objects.values_list("order", "state", "actor")
        assert set(kept) == {
            (paid.pk, "placed", world.li.pk),
            (paid.pk, "packed", world.zhang.pk),
            (held.pk, "held", world.li.pk),
        }
    finally:
        executor = MigrationExecutor(connection)
        executor.migrate(newest)
    assert [move.state for move in OrderMove.objects.all()] == ["packed"]
    assert [move.state for move in held.way] == ["held"]
