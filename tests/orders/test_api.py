from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from django.db import OperationalError, connection
from django.test import Client

from core.models import OutboxFact
from orders.models import Order, OrderState
from tests.orders.shop import LINE, TO_LI, at_pickup, li_orders
from tests.world import World

JSON = "application/json"


@pytest.fixture
def li(world: World, client: Client) -> Client:
    client.force_login(world.li)
    return client


def body(world: World, **changes: Any) -> dict[str, Any]:
    of_line = {name: changes.pop(name) for name in LINE & changes.keys()}
    one = {"offer_id": str(world.apple_offer.public_id), "quantity": 2, "price_minor": 3590}
    usual: dict[str, Any] = {
        "show_id": str(world.show.public_id),
        "lines": [one | of_line],
        "delivery": TO_LI,
    }
    return usual | changes


def post_order(client: Client, payload: object, key: str = "k1") -> Any:
    headers = {"Idempotency-Key": key} if key else {}
    return client.post("/api/v1/orders", payload, content_type=JSON, headers=headers)


def post_move(client: Client, order: Order, to: str) -> Any:
    address = f"/api/v1/orders/{order.public_id}/moves"
    return client.post(address, {"to": to}, content_type=JSON)


def test_an_order_is_made_and_told(li: Client, world: World) -> None:
    answer = post_order(li, body(world))

    assert answer.status_code == 201
    order = Order.objects.get()
    told = answer.json()
    assert told["id"] == str(order.public_id)
    assert told["number"] == order.number
    assert (told["state"], told["total_minor"], told["currency"]) == ("placed", 7180, "CNY")
    assert told["url"] == f"/orders/{order.public_id}/"
    assert told["lines"] == [
        {"title": "Huaniu apples, 5 kg box", "quantity": 2, "price_minor": 3590}
    ]


def test_a_pickup_order_tells_its_code(li: Client, world: World) -> None:
    answer = post_order(li, body(world, delivery=at_pickup(world)))

    assert answer.json()["pickup_code"] == Order.objects.get().pickup_code != ""


def test_the_same_key_gives_the_first_answer_again(li: Client, world: World) -> None:
    first, again = post_order(li, body(world)), post_order(li, body(world))

    assert (again.status_code, again.json()) == (first.status_code, first.json())
    assert Order.objects.count() == 1


def test_while_the_database_is_away_all_are_told_to_come_again(li: Client, world: World) -> None:
    """Also where it has not even a connection to look up who asks."""
    with connection.execute_wrapper(is_away):
        answers = [post_order(li, body(world)), li.get("/api/v1/orders")]

    assert [(one.status_code, one.json()["code"]) for one in answers] == [(503, "try_again")] * 2
    assert [one["Retry-After"] for one in answers] == ["1", "1"]


def is_away(*_asked: object) -> Any:
    raise OperationalError("no connection")


def test_the_same_key_for_something_else_is_refused(li: Client, world: World) -> None:
    post_order(li, body(world))

    answer = post_order(li, body(world, quantity=1))

    assert answer.status_code == 422
    assert answer.json()["code"] == "key_reused"


@pytest.mark.parametrize("key", ["", "k" * 65, "钥匙"])
def test_a_key_is_required(li: Client, world: World, key: str) -> None:
    answer = post_order(li, body(world), key=key)

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "Idempotency-Key"
    assert not Order.objects.exists()


def test_problems_are_problem_details(li: Client, world: World) -> None:
    answer = post_order(li, body(world, quantity=41))

    assert answer.status_code == 409
    assert answer["Content-Type"] == "application/problem+json"
    problem = answer.json()
    assert (problem["code"], problem["available"]) == ("sold_out", 40)
    assert (problem["status"], problem["title"]) == (409, "Conflict")
    assert problem["detail"] == "Only 40 are left."


def test_a_changed_price_is_told(li: Client, world: World) -> None:
    problem = post_order(li, body(world, price_minor=1)).json()

    assert (problem["code"], problem["price_minor"]) == ("price_changed", 3590)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"quantity": "2"}, "lines.0.quantity"),
        ({"quantity": True}, "lines.0.quantity"),
        ({"quantity": 0}, "lines.0.quantity"),
        ({"quantity": 10**30}, "lines.0.quantity"),
        ({"show_id": "x"}, "show_id"),
        ({"delivery": {"kind": "drone", "name": "Li", "phone": "1"}}, "delivery.kind"),
        ({"delivery": TO_LI | {"phone": "none"}}, "delivery.phone"),
        ({"delivery": TO_LI | {"drone": "yes"}}, "delivery.drone"),
        ({"coupon": "free"}, "coupon"),
    ],
)
def test_bad_input_is_named(li: Client, world: World, changes: dict[str, Any], field: str) -> None:
    answer = post_order(li, body(world, **changes))

    assert answer.status_code == 422
    assert answer.json()["code"] == "invalid_input"
    assert [error["field"] for error in answer.json()["errors"]] == [field]
    assert not Order.objects.exists()


def test_what_is_not_json_is_a_problem_too(li: Client) -> None:
    answer = li.post("/api/v1/orders", "{", content_type=JSON, headers={"Idempotency-Key": "k1"})

    assert answer.status_code == 400
    assert answer["Content-Type"] == "application/problem+json"


def test_ordering_needs_signing_in(client: Client, world: World) -> None:
    answer = post_order(client, body(world))

    assert answer.status_code == 401
    assert answer.json()["code"] == "sign_in_required"
    assert not Order.objects.exists()


def test_ordering_needs_the_csrf_token(world: World) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(world.li)

    answer = post_order(client, body(world))

    assert answer.status_code == 403
    assert answer["Content-Type"] == "application/problem+json"
    assert not Order.objects.exists()


def test_the_seller_moves_an_order(client: Client, world: World) -> None:
    order = li_orders(world)
    client.force_login(world.zhang)

    answer = post_move(client, order, "packed")

    assert (answer.status_code, answer.json()["state"]) == (200, "packed")


@pytest.mark.parametrize(
    ("who", "to", "status"),
    [
        ("gao", "packed", 404),
        ("wang", "cancelled", 404),
        ("li", "packed", 403),
        ("li", "flown", 422),
    ],
)
def test_who_may_not_move_changes_nothing(
    client: Client, world: World, who: str, to: str, status: int
) -> None:
    order = li_orders(world)
    facts = OutboxFact.objects.count()
    client.force_login(getattr(world, who))

    assert post_move(client, order, to).status_code == status

    order.refresh_from_db()
    assert order.state == OrderState.PLACED
    assert OutboxFact.objects.count() == facts


def test_an_order_is_shown_to_its_buyer_and_not_to_strangers(client: Client, world: World) -> None:
    order = li_orders(world)
    address = f"/api/v1/orders/{order.public_id}"

    client.force_login(world.li)
    assert client.get(address).json()["number"] == order.number
    client.force_login(world.wang)
    assert client.get(address).status_code == 404
    assert client.get(f"/api/v1/orders/{uuid4()}").status_code == 404


def test_a_quote_is_for_strangers_too(client: Client, world: World) -> None:
    asked = body(world)
    answer = client.post(
        "/api/v1/orders/quote",
        {"show_id": asked["show_id"], "lines": asked["lines"], "region": "62"},
        content_type=JSON,
    )

    assert answer.status_code == 200
    told = answer.json()
    assert (told["total_minor"], told["fee_minor"], told["problems"]) == (7180, 0, [])


def test_a_buyer_pages_through_their_own_orders(li: Client, world: World) -> None:
    orders = [li_orders(world, key=f"click {n}", quantity=1) for n in range(21)]
    li_orders(world, buyer=world.wang)
    Order.objects.filter(pk=orders[0].pk).update(state=OrderState.PACKED)

    first = li.get("/api/v1/orders").json()
    rest = li.get("/api/v1/orders", {"cursor": first["cursor"]}).json()
    packed = li.get("/api/v1/orders", {"state": "packed"}).json()

    numbers = [one["number"] for one in first["orders"] + rest["orders"]]
    assert numbers == [order.number for order in reversed(orders)]
    assert rest["cursor"] == ""
    assert [one["number"] for one in packed["orders"]] == [orders[0].number]


def test_an_order_is_read_with_its_way(li: Client, world: World) -> None:
    order = li_orders(world, payment_method="online")

    told = li.get(f"/api/v1/orders/{order.public_id}").json()

    assert [move["state"] for move in told["moves"]] == ["held"]
    assert told["payments"] == []
    assert order.held_until is not None
    assert told["held_until_ms"] == round(order.held_until.timestamp() * 1000)


def test_the_api_describes_itself(client: Client) -> None:
    paths = client.get("/api/v1/openapi.json").json()["paths"]

    assert {"/api/v1/orders", "/api/v1/orders/{order_id}/moves", "/api/v1/checkout"} <= set(paths)
