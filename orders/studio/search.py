"""Which of a seller's orders a page is about: a tab, filters, and what somebody searched for."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from urllib.parse import urlencode

from django import forms
from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.http import QueryDict
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from orders.days import between
from orders.models import (
    ClaimState,
    Delivery,
    Order,
    OrderLine,
    OrderState,
    PaymentMethod,
    Refund,
    RefundClaim,
    RefundState,
)
from orders.shows import names_of
from sellers.models import PickupPoint, Product, Seller

MOST_CHOSEN = 200
NO_SHOW = "none"
POINT = "point:"
TO_PACK = "to-pack"
CLAIMS = "claims"
NOT_PAID_BACK = "not-paid-back"
EVERY = "all"
_BETWEEN = re.compile(r"[\s+().\-‐-―]+")


@dataclass(frozen=True, slots=True)
class Kind:
    """A tab: the orders in these states, or `None` for all. `always` is shown also when empty."""

    slug: str
    label: str | Promise
    states: tuple[OrderState, ...] | None
    always: bool = False


KINDS = (
    Kind(TO_PACK, gettext_lazy("to pack"), (OrderState.PLACED, OrderState.PAID), always=True),
    Kind(CLAIMS, gettext_lazy("money asked back"), None),
    Kind(NOT_PAID_BACK, gettext_lazy("could not be paid back"), None),
    Kind("packed", gettext_lazy("packed"), (OrderState.PACKED,), always=True),
    Kind("sent", gettext_lazy("sent"), (OrderState.SENT,), always=True),
    Kind("held", gettext_lazy("waiting for payment"), (OrderState.HELD,)),
    Kind("delivered", gettext_lazy("delivered"), (OrderState.DELIVERED,)),
    Kind("gone", gettext_lazy("cancelled"), (OrderState.CANCELLED, OrderState.EXPIRED)),
    Kind("refunded", gettext_lazy("paid back"), (OrderState.REFUNDED,)),
    Kind(EVERY, gettext_lazy("all"), None, always=True),
)
BY_SLUG = {kind.slug: kind for kind in KINDS}


@dataclass(frozen=True, slots=True)
class Tab:
    """A tab as the page shows it; `query` leads to it with the filters kept."""

    slug: str
    label: str
    count: int
    is_current: bool
    query: str


class OrderFilter(forms.Form):
    """What to look for. Nothing of it is required; what makes no sense is said and left out."""

    q = forms.CharField(
        label=gettext_lazy("Search"),
        required=False,
        max_length=80,
        widget=forms.TextInput(
            attrs={
                "type": "search",
                "placeholder": gettext_lazy("Number, name, phone or code"),
                "autocomplete": "off",
                "enterkeyhint": "search",
            }
        ),
    )
    show = forms.ChoiceField(label=gettext_lazy("Show"), required=False)
    product = forms.ChoiceField(label=gettext_lazy("Product"), required=False)
    delivery = forms.ChoiceField(label=gettext_lazy("Delivery"), required=False)
    payment = forms.ChoiceField(label=gettext_lazy("Payment"), required=False)
    since = forms.DateField(
        label=gettext_lazy("From"), required=False, widget=forms.DateInput({"type": "date"})
    )
    until = forms.DateField(
        label=gettext_lazy("To"), required=False, widget=forms.DateInput({"type": "date"})
    )

    def __init__(self, sellers: Sequence[Seller], data: QueryDict) -> None:
        super().__init__(data)
        self.sellers = sellers
        choices = {
            "show": _show_choices(sellers),
            "product": _product_choices(sellers),
            "delivery": _delivery_choices(sellers),
            "payment": [(one.value, str(one.label)) for one in PaymentMethod],
        }
        for name, known in choices.items():
            field = self.fields[name]
            assert isinstance(field, forms.ChoiceField)  # noqa: S101 - for the type checker
            field.choices = [("", _("Any")), *known]

    @property
    def in_use(self) -> int:
        """How many filters are set, without the search."""
        return sum(bool(self._typed(name)) for name in self.fields if name != "q")

    @property
    def is_open(self) -> bool:
        """Whether the filters are to be shown at once."""
        return self.in_use > 0 or bool(self.errors)

    def orders(self) -> QuerySet[Order]:
        """The sellers' orders that are looked for, in whatever state."""
        found = Order.objects.filter(seller__in=self.sellers)
        for condition in self._conditions():
            found = found.filter(condition)
        return found

    def _conditions(self) -> Iterable[Q | Exists]:
        if text := self._typed("q"):
            yield matching(text)
        if show := self._typed("show"):
            yield Q(show_id=None) if show == NO_SHOW else Q(show_id=show)
        if product := self._typed("product"):
            lines = OrderLine.objects.filter(order=OuterRef("pk"))
            yield Exists(lines.filter(variant__product__public_id=product))
        if delivery := self._typed("delivery"):
            yield _delivered(delivery)
        if payment := self._typed("payment"):
            yield Q(payment_method=payment)
        yield between(self._day("since"), self._day("until"))

    def _typed(self, name: str) -> str:
        self.is_valid()
        return str(self.cleaned_data.get(name) or "")

    def _day(self, name: str) -> date | None:
        day: date | None = self.cleaned_data.get(name)
        return day


def matching(text: str) -> Q:
    """Orders whose number, name, end of the phone, pick-up code or parcel number this may be."""
    text = unicodedata.normalize("NFKC", text).strip()
    wanted = (
        Q(recipient__icontains=text)
        | Q(buyer__display_name__icontains=text)
        | Q(tracking_number__iexact=text)
    )
    digits = _BETWEEN.sub("", text)
    if not re.fullmatch(r"[0-9]{2,18}", digits):
        return wanted
    if len(digits) <= 8:
        wanted |= Q(number__startswith=_grouped(digits))
        wanted |= Q(number__endswith=_grouped_from_end(digits))
    if len(digits) >= 3:
        wanted |= Q(phone__endswith=digits)
    return wanted | Q(pickup_code=digits)


def _grouped(digits: str) -> str:
    return f"{digits[:4]}-{digits[4:]}" if len(digits) > 4 else digits


def _grouped_from_end(digits: str) -> str:
    return f"{digits[:-4]}-{digits[-4:]}" if len(digits) > 4 else digits


def _delivered(choice: str) -> Q:
    if choice.startswith(POINT):
        return Q(pickup_point__public_id=choice.removeprefix(POINT))
    return Q(delivery=choice)


def of_kind(orders: QuerySet[Order], slug: str) -> QuerySet[Order]:
    """Those of the orders that belong under a tab."""
    kind = BY_SLUG[slug]
    if slug == CLAIMS:
        return orders.filter(_has_open_claim())
    if slug == NOT_PAID_BACK:
        return orders.filter(_has_failed_refund())
    return orders if kind.states is None else orders.filter(state__in=kind.states)


def _has_open_claim() -> Exists:
    return Exists(RefundClaim.objects.filter(order=OuterRef("pk"), state=ClaimState.OPEN))


def _has_failed_refund() -> Exists:
    return Exists(Refund.objects.filter(payment__order=OuterRef("pk"), state=RefundState.FAILED))


def with_troubles(orders: QuerySet[Order]) -> QuerySet[Order]:
    """The orders, each with what its seller must not overlook: `asks_back`, `not_paid_back`."""
    return orders.annotate(asks_back=_has_open_claim(), not_paid_back=_has_failed_refund())


def tabs(orders: QuerySet[Order], current: str, query: QueryDict) -> list[Tab]:
    """The tabs that matter, each with how many of the orders are under it."""
    by_state = dict(orders.order_by().values_list("state").annotate(Count("pk")))
    counts = {kind.slug: _count(kind, by_state) for kind in KINDS}
    for slug in (CLAIMS, NOT_PAID_BACK):
        counts[slug] = of_kind(orders, slug).count()
    return [
        Tab(
            kind.slug,
            str(kind.label),
            counts[kind.slug],
            kind.slug == current,
            with_(query, state=kind.slug),
        )
        for kind in KINDS
        if kind.always or counts[kind.slug] or kind.slug == current
    ]


def _count(kind: Kind, by_state: dict[str, int]) -> int:
    states: Collection[str] = by_state if kind.states is None else [s.value for s in kind.states]
    return sum(by_state.get(state, 0) for state in states)


def kind_of(state: str, *, searching: bool) -> str:
    """The tab that is asked for, by its own name or by a state under it.

    Who searches without choosing looks everywhere; everybody else begins with what is to pack.
    """
    if state in BY_SLUG:
        return state
    for kind in KINDS:
        if kind.states and state in kind.states:
            return kind.slug
    return EVERY if searching else TO_PACK


def with_(query: QueryDict, **changes: str) -> str:
    """The query with some values changed, without those that lead elsewhere in the list."""
    kept = {name: value for name, value in query.items() if value and name not in UNKEPT}
    return urlencode(kept | changes)


UNKEPT = {"before", "order", "csrfmiddlewaretoken", "to", "back"}


def chosen(sellers: Sequence[Seller], query: QueryDict) -> QuerySet[Order]:
    """The orders that were ticked, by number; if none was, all that the filters find."""
    numbers = query.getlist("order")
    if numbers:
        return Order.objects.filter(seller__in=sellers, number__in=numbers[:MOST_CHOSEN])
    form = OrderFilter(sellers, query)
    found = form.orders()
    slug = kind_of(query.get("state", ""), searching=bool(query.get("q")))
    return of_kind(found, slug)


def _show_choices(sellers: Sequence[Seller]) -> list[tuple[str, str]]:
    ids = (
        Order.objects.filter(seller__in=sellers)
        .exclude(show_id=None)
        .order_by()
        .values_list("show_id", flat=True)
        .distinct()
    )
    known = [show_id for show_id in ids if show_id]
    names = sorted(names_of(known).items(), key=lambda named: named[1].at, reverse=True)
    return [(str(show_id), str(name)) for show_id, name in names] + [
        (NO_SHOW, _("outside of shows"))
    ]


def _product_choices(sellers: Sequence[Seller]) -> list[tuple[str, str]]:
    products = Product.objects.filter(seller__in=sellers).order_by("title", "pk")
    return [(str(one.public_id), one.title) for one in products]


def _delivery_choices(sellers: Sequence[Seller]) -> list[tuple[str, str]]:
    points = PickupPoint.objects.filter(seller__in=sellers).order_by("name", "pk")
    return [
        (Delivery.COURIER.value, _("by courier")),
        (Delivery.PICKUP.value, _("picked up, anywhere")),
        *((f"{POINT}{one.public_id}", one.name) for one in points),
    ]
