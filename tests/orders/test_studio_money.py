"""Money in the studio: claims answered, money paid back, and what was sold."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from core.clock import now
from orders import sales
from orders.models import Order, OrderState, Refund, RefundClaim, RefundState
from sellers.models import Member, MemberRole, Stock
from tests.books import faults_in_books
from tests.orders.shelf_of_orders import an_order
from tests.world import World

SALES = "/studio/sales/"


@pytest.fixture
def zhang(world: World, client: Client) -> Client:
    client.force_login(world.zhang)
    return client


def delivered(world: World) -> Order:
    """Two boxes for ¥79.80, paid in cash at the door."""
    order = an_order(world, state=OrderState.DELIVERED)
    order.payments.create(
        provider="cash",
        reference=str(order.pk),
        state="paid",
        amount_minor=order.total_minor,
        currency="CNY",
        started_at=now(),
        settled_at=now(),
    )
    return order


def claim_on(order: Order) -> RefundClaim:
    return RefundClaim.objects.create(
        order=order, text="Two apples were bruised.", amount_minor=500, asked_at=now()
    )


def page_of(order: Order) -> str:
    return f"/studio/orders/{order.public_id}/"


def answer(client: Client, claim: RefundClaim, **typed: str) -> Any:
    address = f"{page_of(claim.order)}claims/{claim.public_id}/"
    return client.post(address, {"accept": "yes", "amount": "5.00", "answer": ""} | typed)


def pay_back(client: Client, order: Order, **typed: str) -> Any:
    usual = {"amount": "3.00", "reason": "one box was late"}
    return client.post(f"{page_of(order)}pay-back/", usual | typed)


def test_a_claim_is_shown_and_paid_back(zhang: Client, world: World) -> None:
    order = delivered(world)
    claim, line = claim_on(order), order.lines.get()
    before = Stock.objects.get(variant=world.apples).on_hand
    assert "Two apples were bruised." in zhang.get(page_of(order)).content.decode()

    answer(zhang, claim, **{f"back-{line.pk}": "1"})

    claim.refresh_from_db()
    assert (claim.state, claim.answered_by) == ("accepted", world.zhang)
    assert Refund.objects.get().amount_minor == 500
    assert Stock.objects.get(variant=world.apples).on_hand == before + 1
    assert faults_in_books() == []


def test_who_gave_a_part_back_sees_how_much(zhang: Client, world: World) -> None:
    order = delivered(world)
    answer(zhang, claim_on(order), amount="2.00")

    assert "Asked for ¥5.00, given ¥2.00" in zhang.get(page_of(order)).content.decode()
    zhang.force_login(order.buyer)
    page = zhang.get(f"/orders/{order.public_id}/").content.decode()
    assert "You asked for ¥5.00, the seller gave ¥2.00" in page


def test_what_waits_for_the_seller_is_seen_at_once(zhang: Client, world: World) -> None:
    order = delivered(world)
    claim = claim_on(order)
    assert "1 refund claim waits for your answer" in zhang.get("/studio/").content.decode()
    listed = zhang.get("/studio/orders/?state=all").context
    assert [tab.slug for tab in listed["tabs"]][:2] == ["to-pack", "claims"]
    assert [one.order.asks_back for one in listed["cards"]] == [True]

    answer(zhang, claim)
    Refund.objects.update(state=RefundState.FAILED)

    home = zhang.get("/studio/").content.decode()
    assert "1 refund could not be paid back: look" in home
    assert "waits for your answer" not in home
    page = zhang.get("/studio/orders/?state=not-paid-back")
    assert [one.order for one in page.context["cards"]] == [order]
    assert "could not be paid back</span>" in page.content.decode()


def test_a_claim_is_declined_with_a_reason(zhang: Client, world: World) -> None:
    claim = claim_on(delivered(world))

    silent = answer(zhang, claim, accept="no")
    answer(zhang, claim, accept="no", answer="They were whole when they left.")

    assert list(silent.context["claim_form"].errors) == ["answer"]
    claim.refresh_from_db()
    assert (claim.state, claim.answer) == ("declined", "They were whole when they left.")
    assert not Refund.objects.exists()


def test_money_paid_back_twice_by_one_form_is_paid_back_once(zhang: Client, world: World) -> None:
    order, key = delivered(world), "01a20000-0000-7000-8000-000000000002"
    for _tap in range(2):
        assert pay_back(zhang, order, form_key=key).status_code == 302

    order.refresh_from_db()
    assert (Refund.objects.count(), order.refunded_minor) == (1, 300)


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"amount": "79.81"}, "amount"),
        ({"amount": "0"}, "amount"),
        ({"amount": "-1"}, "amount"),
        ({"amount": "NaN"}, "amount"),
        ({"amount": "1e9"}, "amount"),
        ({"reason": ""}, "reason"),
        ({"reason": "r" * 10_000}, "reason"),
        ({"back": "3"}, "back"),
        ({"back": "-1"}, "back"),
    ],
)
def test_what_cannot_be_paid_back_is_said_beside_it(
    zhang: Client, world: World, typed: dict[str, str], field: str
) -> None:
    order = delivered(world)
    names = {"back": f"back-{order.lines.get().pk}"}

    refused = pay_back(zhang, order, **{names.get(name, name): typed[name] for name in typed})

    assert refused.status_code == 422
    assert list(refused.context["pay_back_form"].errors) == [names.get(field, field)]
    assert not Refund.objects.exists()


@pytest.mark.parametrize(("who", "status"), [("wang", 403), ("gao", 404), ("li", 404)])
def test_packers_and_strangers_give_no_money_back(
    client: Client, world: World, who: str, status: int
) -> None:
    Member.objects.create(seller=world.farm, user=world.wang, role=MemberRole.PACKER)
    claim = claim_on(delivered(world))
    client.force_login(getattr(world, who))

    assert answer(client, claim).status_code == status
    assert pay_back(client, claim.order).status_code == status

    claim.refresh_from_db()
    assert (claim.state, Refund.objects.count()) == ("open", 0)


def test_a_claim_is_answered_on_its_own_order_alone(zhang: Client, world: World) -> None:
    claim, other = claim_on(delivered(world)), delivered(world)

    address = f"{page_of(other)}claims/{claim.public_id}/"

    assert zhang.post(address, {"accept": "yes", "amount": "5"}).status_code == 404


def test_sales_are_summed_by_day_show_and_product(zhang: Client, world: World) -> None:
    today = timezone.localtime().replace(hour=12)
    an_order(world, (world.apples, 2), (world.pears, 1), placed_at=today, refunded_minor=90)
    an_order(world, (world.apples, 1), show_id=None, placed_at=today - timedelta(days=1))
    for state in (OrderState.CANCELLED, OrderState.EXPIRED, OrderState.HELD):
        an_order(world, state=state, placed_at=today)
    an_order(world, seller=world.other_farm, placed_at=today)
    an_order(world, placed_at=today - timedelta(days=90))

    seen = zhang.get(SALES).context

    sums = seen["sums"]
    assert (sums.orders, sums.pieces) == (2, 4)
    assert (sums.sold.amount_minor, sums.kept.amount_minor) == (14560, 14470)
    assert sums.average.amount_minor == 7280
    assert [(bar.orders, bar.sold.amount_minor) for bar in seen["days"][-3:]] == [
        (0, 0),
        (1, 3990),
        (1, 10570),
    ]
    assert len(seen["days"]) == 30
    assert [(bar.label, bar.pieces) for bar in seen["products"]] == [
        ("Huaniu apples, 5 kg box", 3),
        ("Snow pears, 3 kg box", 1),
    ]
    assert [bar.sold.amount_minor for bar in seen["shows"]] == [10570, 3990]
    assert "outside of shows" in [bar.label for bar in seen["shows"]]


def test_an_order_belongs_to_the_day_where_the_site_is(zhang: Client, world: World) -> None:
    late = timezone.localtime().replace(hour=0, minute=30) - timedelta(days=3)
    an_order(world, placed_at=late)

    seen = zhang.get(SALES, {"since": f"{late:%Y-%m-%d}", "until": f"{late:%Y-%m-%d}"}).context

    assert [(bar.at, bar.orders) for bar in seen["days"]] == [(late.date(), 1)]


def test_many_days_are_shown_as_weeks(world: World) -> None:
    period = sales.Period(date(2026, 1, 1), date(2026, 12, 31))

    bars = sales.by_day(world.farm, sales.sold_in(world.farm, period), period)

    assert len(bars) == 53
    assert (bars[0].at, bars[-1].at) == (date(2026, 1, 1), date(2026, 12, 31))


@pytest.mark.parametrize(
    "query",
    [
        {"since": "2026-02-02", "until": "2026-02-01"},
        {"since": "2000-01-01", "until": "2026-01-01"},
        {"since": "x"},
        {"until": "9999-12-31", "since": "9999-12-01"},
        {"until": "0001-01-02", "since": "0001-01-01"},
        {"seller": "x"},
    ],
)
def test_days_that_make_no_sense_do_no_harm(
    zhang: Client, world: World, query: dict[str, str]
) -> None:
    assert zhang.get(SALES, query).status_code == 200
    assert zhang.get(f"{SALES}sales.csv", query).status_code == 200


def test_sales_are_a_table_as_well(zhang: Client, world: World) -> None:
    an_order(world)
    for by in ("day", "show", "product"):
        text = zhang.get(f"{SALES}sales.csv", {"by": by}).content.decode()
        assert text.startswith("\ufeff")
        assert "79.80" in text
    assert zhang.get(f"{SALES}sales.csv", {"by": "moon"}).status_code == 404
