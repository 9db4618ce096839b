"""Anything at all happens to orders, in any order; the books are right after each step.

What is judged is what `tests.chaos.orders_check` judges after a run with crashes, and whatever is
in no crash's way: that what can be sold is sold, and what cannot be is refused.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.db import transaction
from django.db.models import Sum
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from pytest_django import Settings

from core.accounts.models import User
from core.errors import AppError, Conflict
from orders.errors import KeyReused
from orders.models import (
    GONE,
    Offer,
    Order,
    OrderLine,
    OrderState,
    Payment,
    PaymentState,
    Refund,
    RefundState,
)
from orders.services import offers, open_payments, payments, refunds
from orders.services.fulfil import move_order
from orders.services.group import place_group
from orders.services.holds import expire_holds
from orders.services.place import _asked, place_order
from sellers.models import Variant
from sellers.services import stock
from tests import world as tests_world
from tests.chaos.orders_check import Bank, Books, Found, check_goods, check_money
from tests.orders.paying import BACK, faults_in_money
from tests.orders.shop import TO_LI
from tests.stripe_server import Refused, StripeServer
from tests.stripe_wire import Json, signature

NINE = datetime(2026, 5, 1, 9, tzinfo=UTC)
ON_HAND = 8
SELLERS_MOVES = (
    OrderState.PACKED,
    OrderState.SENT,
    OrderState.DELIVERED,
    OrderState.CANCELLED,
)
lines_of_wishes = st.lists(
    st.tuples(st.sampled_from(("apples", "pears", "plain pears")), st.integers(1, 3)),
    min_size=1,
    max_size=2,
    unique_by=lambda line: line[0].removeprefix("plain "),
)


class Bank_(StripeServer):  # noqa: N801 - the other bank is the judge's
    """Keeps its news, which the machine tells when it likes, as often as it likes."""

    def __init__(self) -> None:
        super().__init__()
        self.news: list[Json] = []

    def tell(self, kind: str, found: Json) -> None:
        self.news.append(self.event(kind, found))


class Orders(RuleBasedStateMachine):
    """One seller, three buyers, apples and pears on sale in a show."""

    bank: Bank_

    @initialize()
    def begin(self) -> None:
        self._transaction = transaction.atomic()
        self._transaction.__enter__()
        self._clock = time_machine.travel(NINE, tick=False)
        self.clock = self._clock.start()
        self.bank.books.__init__()  # type: ignore[misc]
        self.bank.news.clear()
        self.world = tests_world.build()
        for variant in (self.world.apples, self.world.pears):
            stock.adjust(variant.public_id, on_hand=ON_HAND, reason="few", actor=None)
        Offer.objects.filter(pk=self.world.apple_offer.pk).update(per_buyer=4)
        Offer.objects.filter(pk=self.world.pear_offer.pk).update(quantity=5)
        self.keys = 0
        self.asked: dict[tuple[int, str], tuple[Json, Order]] = {}

    def teardown(self) -> None:
        if not hasattr(self, "_transaction"):
            return
        try:
            self._come_to_rest()
        finally:
            self._clock.stop()
            transaction.set_rollback(True)
            self._transaction.__exit__(None, None, None)

    # What buyers do

    @rule(who=st.integers(0, 2), lines=lines_of_wishes, online=st.booleans())
    def place(self, who: int, lines: list[tuple[str, int]], online: bool) -> None:
        self.keys += 1
        buyer, key = self._buyer(who), f"intent-{self.keys}"
        wish = self._wish(lines, online)
        can = all(self._can_have(buyer, goods, quantity) for goods, quantity in lines)
        try:
            order = place_order(buyer=buyer, key=key, **wish)
        except Conflict:
            was_placed = False
        else:
            was_placed = True
        assert was_placed == can
        if not was_placed:
            return
        assert order.state == (OrderState.HELD if online else OrderState.PLACED)
        self.asked[buyer.pk, key] = wish, order

    @rule(who=st.lists(st.integers(0, 1), min_size=2, max_size=4), data=st.data())
    def place_together(self, who: list[int], data: st.DataObject) -> None:
        """A group is as good as one after the other: who comes first is served first."""
        wish = self._wish([data.draw(lines_of_wishes)[0]], online=False)
        pieces: list[int] = [0, 0]
        [line] = wish["lines"]
        goods = "plain pears" if "variant_id" in line else self._name_of(line["offer_id"])
        expected = []
        for one in who:
            can = self._can_have(self._buyer(one), goods, line["quantity"], tuple(pieces), one)
            pieces[one] += line["quantity"] * can
            expected.append(can)
        asked = []
        for one in who:
            self.keys += 1
            asked.append(_asked(self._buyer(one), f"intent-{self.keys}", None, wish))
        twin = data.draw(st.sampled_from(asked))
        answers = place_group([*asked, twin])
        assert [isinstance(answer, Order) for answer in answers[:-1]] == expected
        first = answers[asked.index(twin)]
        # Whoever was refused may by then be refused for another reason.
        assert isinstance(answers[-1], Order) == isinstance(first, Order)
        for one, answer in zip(asked, answers, strict=False):
            if isinstance(answer, Order):
                self.asked[one.buyer.pk, one.key] = wish, answer
        if isinstance(first, Order):
            assert answers[-1] == first

    @precondition(lambda self: self.asked)
    @rule(data=st.data(), changes=st.booleans())
    def ask_again(self, data: st.DataObject, changes: bool) -> None:
        buyer_pk, key = data.draw(st.sampled_from(sorted(self.asked)))
        wish, order = self.asked[buyer_pk, key]
        buyer = User.objects.get(pk=buyer_pk)
        if changes:
            with pytest.raises(KeyReused):
                place_order(buyer=buyer, key=key, **{**wish, "note": "quickly"})
        else:
            assert place_order(buyer=buyer, key=key, **wish) == order

    @precondition(lambda self: self._orders(OrderState.HELD))
    @rule(data=st.data(), pays=st.booleans())
    def start_to_pay(self, data: st.DataObject, pays: bool) -> None:
        order = self._draw(data, OrderState.HELD)
        try:
            payment = payments.start_payment(order.public_id, order.buyer, return_to=BACK)
        except Conflict:
            order.refresh_from_db()
            assert order.held_until is not None
            assert order.held_until <= datetime.now(UTC) + timedelta(minutes=135)
            return
        if pays:
            self._pay(payment.reference or "")

    @precondition(lambda self: self.bank.books.sessions)
    @rule(data=st.data())
    def pay_now_or_late(self, data: st.DataObject) -> None:
        self._pay(data.draw(st.sampled_from(sorted(self.bank.books.sessions))))

    @precondition(lambda self: Payment.objects.filter(state=PaymentState.OPEN).exists())
    @rule()
    def come_back_from_paying(self) -> None:
        for payment in Payment.objects.filter(state=PaymentState.OPEN, reference__isnull=False):
            payments.read_payment(payment)

    @precondition(lambda self: self._orders())
    @rule(data=st.data(), to=st.sampled_from(("cancelled", "placed", "delivered")))
    def buyer_moves(self, data: st.DataObject, to: str) -> None:
        order = self._draw(data)
        self._move(order, OrderState(to), order.buyer)

    # What the seller does

    @precondition(lambda self: self._orders())
    @rule(data=st.data(), to=st.sampled_from(SELLERS_MOVES))
    def seller_moves(self, data: st.DataObject, to: OrderState) -> None:
        self._move(self._draw(data), to, self.world.zhang)

    @precondition(lambda self: self._orders(OrderState.PLACED, OrderState.PAID))
    @rule(data=st.data(), as_far_as=st.integers(1, 3))
    def seller_hurries(self, data: st.DataObject, as_far_as: int) -> None:
        order = self._draw(data, OrderState.PLACED, OrderState.PAID)
        for to in SELLERS_MOVES[:as_far_as]:
            assert move_order(order.public_id, to, self.world.zhang).state == to

    @precondition(lambda self: self._paid())
    @rule(data=st.data(), wholly=st.booleans(), comes_back=st.booleans(), twice=st.booleans())
    def pay_back(self, data: st.DataObject, wholly: bool, comes_back: bool, twice: bool) -> None:
        order = data.draw(st.sampled_from(self._paid()))
        left = refunds.can_pay_back(order)
        amount = left if wholly else max(1, left // 3)
        line = order.lines.order_by("pk")[0]
        returned = {line.pk: 1} if comes_back else None
        before, key = order.refunded_minor, f"back-{Refund.objects.count()}"
        try:
            with transaction.atomic():
                first = refunds.pay_back(order, amount, "bruised", self.world.zhang, key, returned)
        except AppError:
            order.refresh_from_db()
            assert order.refunded_minor == before
            return
        if twice:
            again = refunds.pay_back(order, amount, "bruised", self.world.zhang, key, returned)
            assert again == first
        order.refresh_from_db()
        assert order.refunded_minor == before + amount

    @rule(goods=st.sampled_from(("apples", "pears")), on_hand=st.integers(0, 12))
    def count(self, goods: str, on_hand: int) -> None:
        variant: Variant = getattr(self.world, goods)
        variant.stock.refresh_from_db()
        try:
            stock.adjust(variant.public_id, on_hand=on_hand, reason="counted", actor=None)
        except AppError:
            assert on_hand < variant.stock.reserved

    @rule(
        goods=st.sampled_from(("apples", "pears")),
        price_minor=st.sampled_from((2590, 3590, 4190)),
        quantity=st.none() | st.integers(1, 9),
        per_buyer=st.none() | st.integers(1, 5),
    )
    def change_terms(
        self, goods: str, price_minor: int, quantity: int | None, per_buyer: int | None
    ) -> None:
        offer = self._offer(goods)
        if per_buyer is not None:  # a limit below what somebody has would look like a broken one
            per_buyer = max(per_buyer, self._most_of_one(offer))
        try:
            offers.put_on_sale(
                self.world.show.public_id,
                offer.variant,
                price_minor=price_minor,
                quantity=quantity,
                per_buyer=per_buyer,
            )
        except AppError:
            assert quantity is not None
            assert quantity < offer.sold

    # What happens by itself

    @rule(minutes=st.sampled_from((1, 14, 16, 35)))
    def time_passes(self, minutes: int) -> None:
        self.clock.shift(timedelta(minutes=minutes))

    @rule()
    def holds_end(self) -> None:
        expire_holds()
        over = Order.objects.filter(state=OrderState.HELD, held_until__lt=datetime.now(UTC))
        assert not over.exists()

    @precondition(lambda self: self.bank.news)
    @rule(data=st.data())
    def hear_news(self, data: st.DataObject) -> None:
        """Some of all there ever was: late, again, in any order."""
        self._hear(data.draw(st.sampled_from(range(len(self.bank.news)))))

    @rule()
    def look_after_payments(self) -> None:
        open_payments.look_after_open_payments()

    @precondition(lambda self: Refund.objects.filter(state=RefundState.DUE).exists())
    @rule()
    def carry_out(self) -> None:
        refunds.carry_out_refunds()

    # What must be so

    @invariant()
    def books_are_right(self) -> None:
        found = Found()
        check_goods(Books.read(), found)
        assert found.words == []
        assert faults_in_money() == []

    def _come_to_rest(self) -> None:
        """Everything that was on its way has come: then the bank's book agrees as well."""
        for number in range(len(self.bank.news)):
            self._hear(number)
        for _hour in range(4):
            self.clock.shift(timedelta(hours=1))
            open_payments.look_after_open_payments()
            expire_holds()
            refunds.carry_out_refunds()
        assert not Refund.objects.filter(state=RefundState.DUE).exists()
        assert not self._orders(OrderState.HELD)
        self.books_are_right()
        found = Found()
        book = {"intents": self.bank.books.intents, "refunds": self.bank.books.refunds}
        check_money(Books.read(), Bank(book), found)
        assert found.words == []

    def _hear(self, number: int) -> None:
        body = json.dumps(self.bank.news[number]).encode()
        payments.receive("stripe", body, {"Stripe-Signature": signature(body)})

    def _pay(self, session: str) -> None:
        status = self.bank.books.sessions[session]["payment_status"]
        try:
            self.bank.pay(session)
        except Refused:
            assert self.bank.books.sessions[session]["payment_status"] == status

    def _move(self, order: Order, to: OrderState, actor: User) -> None:
        before = order.state
        try:
            move_order(order.public_id, to, actor)
        except AppError:
            order.refresh_from_db()
            assert order.state == before

    def _wish(self, lines: list[tuple[str, int]], online: bool) -> dict[str, Any]:
        made = [self._line(goods, quantity) for goods, quantity in lines]
        return {
            "show_id": self.world.show.public_id,
            "lines": made,
            "delivery": TO_LI,
            "total_minor": sum(one["quantity"] * one["price_minor"] for one in made),
            "payment_method": "online" if online else "cash_on_delivery",
        }

    def _line(self, goods: str, quantity: int) -> dict[str, Any]:
        if goods == "plain pears":
            pears = self.world.pears
            named: dict[str, Any] = {"variant_id": pears.public_id}
            return {**named, "quantity": quantity, "price_minor": pears.price_minor}
        offer = self._offer(goods)
        named = {"offer_id": offer.public_id}
        return {**named, "quantity": quantity, "price_minor": offer.price_minor}

    def _can_have(
        self,
        buyer: User,
        goods: str,
        quantity: int,
        promised: Sequence[int] = (0, 0),
        who: int = 0,
    ) -> bool:
        """By counting lines of orders, which no service counts by.

        `promised` are pieces of the same goods that those before in its group get, by buyer.
        """
        offer = self._offer(goods.removeprefix("plain "))
        offer.variant.stock.refresh_from_db()
        kept = OrderLine.objects.exclude(order__state__in=GONE)
        here = kept.exclude(order__state__in=("sent", "delivered", "refunded"))
        free = offer.variant.stock.on_hand - _pieces(here.filter(variant=offer.variant))
        free -= sum(promised)
        if quantity > free:
            return False
        if goods == "plain pears":
            return True
        in_show = kept.filter(offer=offer)
        sold = _pieces(in_show) + sum(promised)
        if offer.quantity is not None and sold + quantity > offer.quantity:
            return False
        theirs = _pieces(in_show.filter(order__buyer=buyer)) + promised[who]
        return offer.per_buyer is None or theirs + quantity <= offer.per_buyer

    def _most_of_one(self, offer: Offer) -> int:
        kept = OrderLine.objects.filter(offer=offer).exclude(order__state__in=GONE)
        by_buyer = kept.values("order__buyer").annotate(pieces=Sum("quantity"))
        return max((one["pieces"] for one in by_buyer), default=0)

    def _name_of(self, offer_id: object) -> str:
        return "apples" if offer_id == self.world.apple_offer.public_id else "pears"

    def _offer(self, goods: str) -> Offer:
        variant = getattr(self.world, goods)
        return Offer.objects.select_related("variant__product__seller").get(variant=variant)

    def _buyer(self, who: int) -> User:
        return (self.world.li, self.world.wang, self.world.chen)[who]

    def _orders(self, *states: OrderState) -> list[Order]:
        orders = Order.objects.select_related("seller", "buyer").order_by("pk")
        return list(orders.filter(state__in=states) if states else orders)

    def _paid(self) -> list[Order]:
        return [order for order in self._orders() if refunds.can_pay_back(order) > 0]

    def _draw(self, data: st.DataObject, *states: OrderState) -> Order:
        return data.draw(st.sampled_from(self._orders(*states)), label="order")


def _pieces(lines: Any) -> int:
    return sum(lines.values_list("quantity", flat=True))


@pytest.fixture
def bank(settings: Settings) -> Iterator[Bank_]:
    """Answers in this process: the product asks it over HTTP, as it asks the real one."""
    import threading

    server = Bank_()
    thread = threading.Thread(target=server.serve, daemon=True)
    thread.start()
    settings.STRIPE_API_BASE = server.url
    yield server
    server.stop()
    thread.join()


def test_orders_survive_anything(db: None, bank: Bank_) -> None:
    Orders.bank = bank
    run_state_machine_as_test(
        Orders,
        settings=settings(
            max_examples=10,
            stateful_step_count=30,
            deadline=None,
            derandomize=True,
            phases=[Phase.generate],  # to shrink what fails takes longer than a test may
            suppress_health_check=list(HealthCheck),
        ),
    )
