"""The packer's list of orders: tabs, filters, search, one tap, and many at once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from core.clock import now
from core.models import OutboxFact
from orders.models import Delivery, Order, OrderState, PaymentMethod, RefundClaim
from orders.services.fulfil import move_order
from sellers.models import Member, MemberRole
from tests.books import faults_in_books
from tests.orders.shelf_of_orders import an_order
from tests.world import World

LIST = "/studio/orders/"


@pytest.fixture
def zhang(world: World, client: Client) -> Client:
    client.force_login(world.zhang)
    return client


@pytest.fixture
def packer(world: World, client: Client) -> Client:
    Member.objects.create(seller=world.farm, user=world.wang, role=MemberRole.PACKER)
    client.force_login(world.wang)
    return client


def numbers(client: Client, **query: str) -> set[str]:
    answer = client.get(LIST, query)
    assert answer.status_code == 200
    return {card.order.number for card in answer.context["cards"]}


def move(client: Client, order: Order, to: str, **typed: str) -> Any:
    return client.post(f"{LIST}{order.public_id}/move/", {"to": to, **typed}, follow=True)


def state_of(order: Order) -> str:
    return Order.objects.get(pk=order.pk).state


def test_the_seller_sees_what_to_pack_and_for_whom(zhang: Client, world: World) -> None:
    order = an_order(world)
    an_order(world, (world.apples, 3), state=OrderState.PAID, note="ring twice")

    answer = zhang.get(LIST)

    page = answer.content.decode()
    for words in (order.number, "8 River Street, Sichuan", 'href="tel:13800138000"', "ring twice"):
        assert words in page
    assert [(one.title, one.quantity) for one in answer.context["to_pack"]] == [
        ("Huaniu apples, 5 kg box", 5)
    ]


def test_tabs_are_those_that_matter_with_their_counts(zhang: Client, world: World) -> None:
    for state in (*OrderState, OrderState.PLACED):
        an_order(world, (world.apples, 1), state=state)
    RefundClaim.objects.create(
        order=Order.objects.get(state="delivered"), text="Bad", amount_minor=1, asked_at=now()
    )

    tabs = zhang.get(LIST).context["tabs"]

    assert {tab.slug: tab.count for tab in tabs} == {
        "to-pack": 3,
        "packed": 1,
        "sent": 1,
        "claims": 1,
        "held": 1,
        "delivered": 1,
        "gone": 2,
        "refunded": 1,
        "all": 10,
    }
    Order.objects.exclude(state="placed").delete()
    assert {tab.slug for tab in zhang.get(LIST).context["tabs"]} == {
        "to-pack",
        "packed",
        "sent",
        "all",
    }


@pytest.mark.parametrize(
    ("typed", "finds"),
    [
        ("{number}", True),
        ("{digits}", True),
        ("{last4}", True),
        ("wang xiao", True),
        ("138-7777 0042", True),
        ("0042", True),
        ("604511", True),
        ("sf99001122", True),
        ("9999-9999", False),
        ("604512", False),
        ("%", False),
        ("0' OR 1=1 --", False),
        ("📦" * 30, False),
    ],
)
def test_an_order_is_found_by_what_people_say(
    zhang: Client, world: World, typed: str, finds: bool
) -> None:
    order = an_order(
        world,
        recipient="Wang Xiaoming",
        phone="13877770042",
        pickup_code="604511",
        tracking_number="SF99001122",
        state=OrderState.DELIVERED,
    )
    an_order(world)
    said = {"number": order.number, "digits": order.number.replace("-", "")}

    found = numbers(zhang, q=typed.format(**said, last4=order.number[-4:]))

    assert found == ({order.number} if finds else set())


def test_filters_narrow_the_list_and_its_counts(zhang: Client, world: World) -> None:
    usual = an_order(world)
    pears = an_order(world, (world.pears, 1), show_id=None, payment_method=PaymentMethod.ONLINE)
    fetched = an_order(
        world, delivery=Delivery.PICKUP, pickup_point=world.pickup, pickup_code="111111"
    )
    old = an_order(world, placed_at=now() - timedelta(days=40))
    since = f"{now() - timedelta(days=7):%Y-%m-%d}"
    until = f"{now() - timedelta(days=20):%Y-%m-%d}"
    product = str(world.pears.product.public_id)
    point = f"point:{world.pickup.public_id}"

    assert numbers(zhang, product=product) == {pears.number}
    assert numbers(zhang, show="none") == {pears.number}
    assert pears.number not in numbers(zhang, show=str(world.show.public_id))
    assert numbers(zhang, delivery="pickup") == numbers(zhang, delivery=point) == {fetched.number}
    assert numbers(zhang, payment="online") == {pears.number}
    assert numbers(zhang, since=since) == {usual.number, pears.number, fetched.number}
    assert numbers(zhang, until=until) == {old.number}
    tabs = zhang.get(LIST, {"product": product}).context["tabs"]
    assert {tab.slug: tab.count for tab in tabs}["all"] == 1
    assert all(f"product={product}" in tab.query for tab in tabs)


@pytest.mark.parametrize(
    "query",
    [
        {"since": "yesterday"},
        {"until": "9999-12-31"},
        {"since": "0001-01-01"},
        {"show": "00000000-0000-0000-0000-000000000000"},
        {"product": "' --"},
        {"delivery": "point:"},
        {"state": "flown", "before": "x"},
        {"q": "q" * 5000},
        {"q": "\x00"},
    ],
)
def test_filters_that_make_no_sense_do_no_harm(
    zhang: Client, world: World, query: dict[str, str]
) -> None:
    an_order(world)

    assert zhang.get(LIST, query).status_code == 200


def test_one_tap_moves_an_order_and_comes_back_to_the_list(zhang: Client, world: World) -> None:
    order = an_order(world)

    answer = move(zhang, order, "packed", back="state=to-pack&q=Li&before=x")

    assert state_of(order) == OrderState.PACKED
    assert answer.redirect_chain == [("/studio/orders/?state=to-pack&q=Li", 302)]
    assert f"Order {order.number}: packed." in answer.content.decode()


def test_what_is_sent_says_who_carries_it(zhang: Client, world: World) -> None:
    order = an_order(world, state=OrderState.PACKED)

    answer = move(zhang, order, "sent", back="order", carrier="SF Express", tracking_number="SF77")

    order.refresh_from_db()
    assert (order.state, order.carrier, order.tracking_number) == ("sent", "SF Express", "SF77")
    assert answer.redirect_chain == [(f"/studio/orders/{order.public_id}/", 302)]
    other = an_order(world, state=OrderState.PACKED)
    assert 'value="SF Express"' in zhang.get(f"{LIST}{other.public_id}/").content.decode()


@pytest.mark.parametrize("field", ["carrier", "tracking_number", "reason"])
def test_a_text_that_is_too_long_moves_nothing(zhang: Client, world: World, field: str) -> None:
    order = an_order(world, state=OrderState.PACKED)

    answer = zhang.post(f"{LIST}{order.public_id}/move/", {"to": "sent", field: "x" * 10_000})

    assert answer.status_code == 302
    assert state_of(order) == OrderState.PACKED


def test_two_packers_tapping_do_no_harm(zhang: Client, world: World) -> None:
    order = an_order(world)
    for to in ("packed", "sent"):
        move(zhang, order, to)

    assert "This order is already sent." in move(zhang, order, "packed").content.decode()
    assert faults_in_books() == []


def test_a_cancelled_order_says_why_on_its_page(zhang: Client, world: World) -> None:
    order = an_order(world)

    page = move(zhang, order, "cancelled", back="order", reason="Frost took the apples.")

    assert state_of(order) == OrderState.CANCELLED
    assert "Frost took the apples." in page.content.decode()


@pytest.mark.parametrize("to", ["", "flown", "held"])
def test_an_order_cannot_become_just_anything(zhang: Client, world: World, to: str) -> None:
    order = an_order(world)

    answer = zhang.post(f"{LIST}{order.public_id}/move/", {"to": to})

    assert answer.status_code in {403, 404}
    assert state_of(order) == OrderState.PLACED


def test_many_are_moved_and_each_that_cannot_be_is_named(zhang: Client, world: World) -> None:
    good = [an_order(world, (world.apples, 1)) for _number in range(3)]
    gone = an_order(world, state=OrderState.CANCELLED)
    packed = an_order(world, (world.apples, 1), state=OrderState.PACKED)
    ticked = [*(order.number for order in good), gone.number, packed.number, "7777-7777"]

    answer = zhang.post(f"{LIST}move/", {"order": ticked, "to": "packed"}, follow=True)

    assert {state_of(order) for order in good} == {"packed"}
    assert state_of(gone) == OrderState.CANCELLED
    said = [str(message) for message in answer.context["messages"]]
    assert said == [
        "3 orders: packed.",
        "1 order was packed already.",
        f"{gone.number}: This order is already cancelled.",
        "7777-7777: There is no such order, or it is not yours.",
    ]
    assert faults_in_books() == []


def test_nothing_ticked_is_said(zhang: Client, world: World) -> None:
    an_order(world)

    answer = zhang.post(f"{LIST}move/", {"to": "packed"}, follow=True)

    assert "Select orders first." in answer.content.decode()


def test_many_are_never_cancelled_at_once(zhang: Client, world: World) -> None:
    order = an_order(world)

    answer = zhang.post(f"{LIST}move/", {"order": order.number, "to": "cancelled"})

    assert answer.status_code == 404
    assert state_of(order) == OrderState.PLACED


def test_the_page_of_an_order_tells_all_that_is_known(zhang: Client, world: World) -> None:
    order = an_order(world, note="after six")
    move_order(order.public_id, OrderState.PACKED, world.zhang)

    page = zhang.get(f"{LIST}{order.public_id}/").content.decode()

    for words in (
        "8 River Street, Sichuan",
        'href="tel:13800138000"',
        "after six",
        "¥79.80",
        "Cash to collect",
        "Apples straight from the tree",
        "Mark as sent",
        "Zhang",
    ):
        assert words in page


PAGES = (
    LIST,
    f"{LIST}{{order}}/",
    f"{LIST}slips/",
    f"{LIST}pick-list/",
    f"{LIST}orders.csv",
    f"{LIST}tracking/",
)
MONEY_PAGES = ("/studio/sales/", "/studio/sales/sales.csv", "/studio/delivery/")


def test_visitors_are_asked_to_sign_in(client: Client, world: World) -> None:
    order = an_order(world)
    for page in (*PAGES, *MONEY_PAGES):
        address = page.format(order=order.public_id)
        assert client.get(address)["Location"] == f"/accounts/login/?next={address}"


@pytest.mark.parametrize("who", ["li", "chen"])
def test_who_sells_nothing_finds_nothing(client: Client, world: World, who: str) -> None:
    order = an_order(world)  # Li's own, whose place is another page
    client.force_login(getattr(world, who))
    for page in (*PAGES, *MONEY_PAGES):
        assert client.get(page.format(order=order.public_id)).status_code == 404


def test_another_farm_sees_and_moves_nothing(client: Client, world: World) -> None:
    order, facts = an_order(world), OutboxFact.objects.count()
    client.force_login(world.gao)

    assert numbers(client) == set()
    assert numbers(client, q=order.number) == set()
    assert client.get(f"{LIST}{order.public_id}/").status_code == 404
    assert client.get(f"{LIST}{uuid4()}/").status_code == 404
    assert move(client, order, "packed").status_code == 404
    for address in ("slips/", "pick-list/", "orders.csv"):
        answer = b"".join(client.get(f"{LIST}{address}", {"order": order.number})).decode()
        # The switch of the language leads back to the address, which is Gao's own.
        assert order.number not in answer.replace(f"?order={order.number}", "")
    client.post(f"{LIST}move/", {"order": order.number, "to": "packed"})

    assert state_of(order) == OrderState.PLACED
    assert OutboxFact.objects.count() == facts


def test_a_packer_packs_and_does_not_see_the_shops_money(packer: Client, world: World) -> None:
    order = an_order(world)

    for page in PAGES:
        assert packer.get(page.format(order=order.public_id)).status_code == 200
    for page in MONEY_PAGES:
        assert packer.get(page).status_code == 404
    assert "/studio/sales/" not in packer.get(LIST).content.decode()
    move(packer, order, "packed")
    assert state_of(order) == OrderState.PACKED


def test_the_county_centre_sees_every_sellers_orders(client: Client, world: World) -> None:
    order = an_order(world)
    client.force_login(world.zhao)

    assert numbers(client) == {order.number}
    assert "Zhang&#x27;s orchard" in client.get(LIST).content.decode()


def test_every_page_of_the_studio_says_how_many_orders_wait(zhang: Client, world: World) -> None:
    for _number in range(3):
        an_order(world, (world.apples, 1))

    pages = ("", "orders/", "orders/?q=x", "products/", "sales/", "delivery/", "shows/new/")
    for page in pages:
        content = zhang.get(f"/studio/{page}").content.decode()
        assert '<span class="badge badge--warn">3</span>' in content, page


def test_the_list_asks_the_database_no_more_for_more_orders(
    zhang: Client, world: World, django_assert_max_num_queries: Any
) -> None:
    for _number in range(12):
        an_order(world, (world.apples, 1))

    zhang.get(LIST)  # the first page of a session writes down on which device it is
    with django_assert_max_num_queries(22):
        zhang.get(LIST)
