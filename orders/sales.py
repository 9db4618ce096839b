"""What a seller sold: sums, by day, by show and by product."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from django.db.models import Count, F, QuerySet, Sum
from django.db.models.functions import TruncDate
from django.utils import timezone
from django.utils.translation import gettext as _

from core.money import Money
from orders.days import between
from orders.models import GONE, Order, OrderLine, OrderState
from orders.shows import ShowName, names_of
from sellers.models import Seller, Variant

UNSOLD = [*GONE, OrderState.HELD]
"""Orders that nobody has bought: given up, or not paid yet."""
MOST_DAYS = 62
WEEK = 7


@dataclass(frozen=True, slots=True)
class Period:
    """Days of the site's calendar, both included."""

    since: date
    until: date

    @property
    def days(self) -> int:
        return (self.until - self.since).days + 1


@dataclass(frozen=True, slots=True)
class Sums:
    """What all of it comes to. `paid_back` is part of `sold`."""

    orders: int
    pieces: int
    sold: Money
    delivery: Money
    paid_back: Money

    @property
    def average(self) -> Money | None:
        """The mean order, rounded to the minor unit."""
        if not self.orders:
            return None
        return Money(round(self.sold.amount_minor / self.orders), self.sold.currency)

    @property
    def kept(self) -> Money:
        return Money(self.sold.amount_minor - self.paid_back.amount_minor, self.sold.currency)


@dataclass(frozen=True, slots=True)
class Bar:
    """One row of a chart: `share` of the highest, from 0 to 1."""

    label: str
    at: date | None
    orders: int
    pieces: int
    sold: Money
    share: float

    @property
    def height(self) -> str:
        """Of a hundred, as SVG writes numbers in every language."""
        return f"{self.share * 100:.2f}"

    width = height

    @property
    def top(self) -> str:
        return f"{100 - self.share * 100:.2f}"


@dataclass(frozen=True, slots=True)
class _Sum:
    label: str
    at: date | None
    orders: int
    pieces: int
    sold_minor: int


def sold_in(seller: Seller, period: Period) -> QuerySet[Order]:
    """The orders of the period that count."""
    found = Order.objects.filter(between(period.since, period.until), seller=seller)
    return found.exclude(state__in=UNSOLD).order_by()


def sums(seller: Seller, orders: QuerySet[Order]) -> Sums:
    found = orders.aggregate(
        orders=Count("pk"),
        sold=Sum("total_minor", default=0),
        delivery=Sum("delivery_fee_minor", default=0),
        back=Sum("refunded_minor", default=0),
    )
    pieces = _lines(orders).aggregate(pieces=Sum("quantity", default=0))["pieces"]
    money = (Money(found[name], seller.currency) for name in ("sold", "delivery", "back"))
    return Sums(found["orders"], pieces, *money)


def by_day(seller: Seller, orders: QuerySet[Order], period: Period) -> list[Bar]:
    """Every day of the period, also those without an order; weeks where these are many days."""
    zone = timezone.get_current_timezone()
    days_of_orders = orders.annotate(day=TruncDate("placed_at", tzinfo=zone)).values("day")
    rows = days_of_orders.annotate(orders=Count("pk"), sold=Sum("total_minor"))
    found = {row["day"]: row for row in rows}
    pieces = dict(
        _lines(orders)
        .annotate(day=TruncDate("order__placed_at", tzinfo=zone))
        .values_list("day")
        .annotate(Sum("quantity"))
    )
    step = 1 if period.days <= MOST_DAYS else WEEK
    return _bars(
        seller,
        (
            _Sum(
                "",
                first,
                sum(found[day]["orders"] for day in days if day in found),
                sum(pieces.get(day, 0) for day in days),
                sum(found[day]["sold"] for day in days if day in found),
            )
            for first, days in _spans(period, step)
        ),
    )


def _spans(period: Period, step: int) -> Iterator[tuple[date, list[date]]]:
    for start in range(0, period.days, step):
        count = min(step, period.days - start)
        days = [period.since + timedelta(days=start + number) for number in range(count)]
        yield days[0], days


def by_show(seller: Seller, orders: QuerySet[Order]) -> list[Bar]:
    """The shows that sold, the most first; what was bought outside of one is a row, too."""
    rows = orders.values("show_id").annotate(orders=Count("pk"), sold=Sum("total_minor"))
    pieces = dict(_lines(orders).values_list("order__show_id").annotate(Sum("quantity")))
    names = names_of([row["show_id"] for row in rows if row["show_id"]])
    found = (
        _Sum(
            _show_title(row["show_id"], names),
            None,
            row["orders"],
            pieces.get(row["show_id"], 0),
            row["sold"],
        )
        for row in rows
    )
    return _bars(seller, _most_first(found))


def by_product(seller: Seller, orders: QuerySet[Order]) -> list[Bar]:
    """What was sold, the most money first; without delivery."""
    rows = (
        _lines(orders)
        .values("variant_id")
        .annotate(
            orders=Count("order_id", distinct=True),
            pieces=Sum("quantity"),
            sold=Sum(F("quantity") * F("price_minor")),
        )
    )
    variants = Variant.objects.select_related("product").in_bulk(
        [row["variant_id"] for row in rows]
    )
    found = (
        _Sum(str(variants[row["variant_id"]]), None, row["orders"], row["pieces"], row["sold"])
        for row in rows
    )
    return _bars(seller, _most_first(found))


def _lines(orders: QuerySet[Order]) -> QuerySet[OrderLine]:
    return OrderLine.objects.filter(order__in=orders.values("pk")).order_by()


def _show_title(show_id: UUID | None, names: dict[UUID, ShowName]) -> str:
    if show_id is None:
        return _("outside of shows")
    return str(names.get(show_id, _("a show that is gone")))


def _most_first(found: Iterable[_Sum]) -> list[_Sum]:
    return sorted(found, key=lambda row: (-row.sold_minor, row.label))


def _bars(seller: Seller, found: Iterable[_Sum]) -> list[Bar]:
    rows = list(found)
    highest = max((row.sold_minor for row in rows), default=0) or 1
    return [
        Bar(
            row.label,
            row.at,
            row.orders,
            row.pieces,
            Money(row.sold_minor, seller.currency),
            row.sold_minor / highest,
        )
        for row in rows
    ]
