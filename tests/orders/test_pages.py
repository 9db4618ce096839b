from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from core.models import OutboxFact
from orders.models import Order, OrderState
from orders.services.fulfil import move_order
from tests.orders.shop import at_pickup, li_orders
from tests.world import World


def seen(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    return answer.content.decode()


def move_on_page(client: Client, order: Order, to: str) -> Any:
    address = f"/studio/orders/{order.public_id}/move/"
    return client.post(address, {"to": to, "state": "placed"}, follow=True)


def test_visitors_are_asked_to_sign_in_and_come_back(client: Client, world: World) -> None:
    order = li_orders(world)

    for address in ("/orders/", f"/orders/{order.public_id}/", "/studio/orders/"):
        answer = client.get(address)
        assert (answer.status_code, answer["Location"]) == (302, f"/accounts/login/?next={address}")


def test_who_has_ordered_nothing_is_led_to_what_is_on(client: Client, world: World) -> None:
    client.force_login(world.li)

    assert "Nothing ordered yet" in seen(client, "/orders/")


def test_the_list_shows_the_buyers_orders_and_no_others(client: Client, world: World) -> None:
    mine, other = li_orders(world), li_orders(world, buyer=world.wang)
    client.force_login(world.li)

    page = seen(client, "/orders/")

    assert mine.number in page
    assert other.number not in page
    assert "¥71.80" in page


def test_a_long_list_is_cut_into_pages(client: Client, world: World) -> None:
    orders = [li_orders(world, key=f"click-{n}", quantity=1) for n in range(21)]
    client.force_login(world.li)

    first = client.get("/orders/")
    older = client.get(f"/orders/?before={first.context['before']}")

    assert [card.order for card in first.context["cards"]] == orders[:0:-1]
    assert [card.order for card in older.context["cards"]] == orders[:1]
    assert older.context["before"] == ""


def test_the_order_page_tells_all_about_it(client: Client, world: World) -> None:
    order = li_orders(world, note="after six")
    client.force_login(world.li)

    page = seen(client, f"/orders/{order.public_id}/")

    for words in ("8 River Street", "13800138000", "¥71.80", "after six", "Cancel this order"):
        assert words in page


def test_a_pickup_page_shows_code_and_hours(client: Client, world: World) -> None:
    order = li_orders(world, delivery=at_pickup(world))
    client.force_login(world.li)

    page = seen(client, f"/orders/{order.public_id}/")

    for words in (order.pickup_code, "Village shop", "1 Main Road, Lixian", "8:00-18:00"):
        assert words in page


def test_the_page_follows_the_order(client: Client, world: World) -> None:
    order = li_orders(world)
    move_order(order.public_id, OrderState.PACKED, world.zhang)
    client.force_login(world.li)

    answer = client.get(f"/orders/{order.public_id}/")

    steps = answer.context["steps"]
    assert [step.is_done for step in steps] == [True, False, False, False]
    assert [step.is_current for step in steps] == [False, True, False, False]
    assert steps[1].at is not None
    assert "Cancel this order" not in answer.content.decode()


def test_the_buyer_cancels_on_the_page(client: Client, world: World) -> None:
    order = li_orders(world)
    client.force_login(world.li)

    answer = client.post(f"/orders/{order.public_id}/cancel/", follow=True)

    order.refresh_from_db()
    assert order.state == OrderState.CANCELLED
    assert "There is nothing to pay" in answer.content.decode()


def test_cancelling_too_late_says_so(client: Client, world: World) -> None:
    order = li_orders(world)
    move_order(order.public_id, OrderState.PACKED, world.zhang)
    client.force_login(world.li)

    answer = client.post(f"/orders/{order.public_id}/cancel/", follow=True)

    assert "This order is already packed." in answer.content.decode()


def test_a_page_is_not_changed_by_looking(client: Client, world: World) -> None:
    order = li_orders(world)
    client.force_login(world.li)

    assert client.get(f"/orders/{order.public_id}/cancel/").status_code == 405

    order.refresh_from_db()
    assert order.state == OrderState.PLACED


@pytest.mark.parametrize("who", ["gao", "wang", "chen"])
def test_strangers_find_nothing_and_change_nothing(client: Client, world: World, who: str) -> None:
    order, facts = li_orders(world), OutboxFact.objects.count()
    client.force_login(getattr(world, who))

    assert client.get(f"/orders/{order.public_id}/").status_code == 404
    assert client.post(f"/orders/{order.public_id}/cancel/").status_code == 404
    assert move_on_page(client, order, "packed").status_code == 404

    order.refresh_from_db()
    assert order.state == OrderState.PLACED
    assert OutboxFact.objects.count() == facts


def test_an_order_of_nobody_is_not_found(client: Client, world: World) -> None:
    client.force_login(world.li)

    assert client.get(f"/orders/{uuid4()}/").status_code == 404


def test_operators_read_orders_in_the_admin_and_change_none(client: Client, world: World) -> None:
    order = li_orders(world)
    world.zhao.is_staff = world.zhao.is_superuser = True
    world.zhao.save()
    client.force_login(world.zhao)

    assert order.number in seen(client, "/admin/orders/order/")
    assert order.number in seen(client, f"/admin/orders/order/{order.pk}/change/")
    changed = client.post(f"/admin/orders/order/{order.pk}/change/", {"state": "sent"})

    assert changed.status_code == 403
    order.refresh_from_db()
    assert order.state == OrderState.PLACED
