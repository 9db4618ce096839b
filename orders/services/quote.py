"""What an order would cost and what stands in its way, before anybody orders. Locks nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from django.utils.translation import gettext as _
from pydantic import BaseModel

from core.accounts.access import AnyUser, is_signed_in
from core.errors import AppError, InvalidInput, NotFound
from orders import access, shelf, terms
from orders.delivery import clean_region
from orders.models import Delivery
from orders.requests import Line, clean_lines, clean_show
from orders.shelf import Pick, Shelf


class Problem(BaseModel):
    """Why it cannot be ordered like this; as an error of `place_order` would say it."""

    code: str
    field: str | None
    message: str
    details: dict[str, object]


class QuotedLine(BaseModel):
    """`available` is how many this buyer could have; `problem` the code of the line's first."""

    offer_id: UUID | None
    variant_id: UUID | None
    title: str
    quantity: int
    price_minor: int
    available: int
    problem: str | None


class Quote(BaseModel):
    """Money in minor units. `fee_minor` is None while it is not known where it goes."""

    lines: list[QuotedLine]
    goods_minor: int
    fee_minor: int | None
    total_minor: int
    currency: str
    weight_g: int
    problems: list[Problem]
    payment_methods: list[str]


def quote(
    *,
    buyer: AnyUser,
    lines: Sequence[Mapping[str, object]],
    show_id: UUID | str | None,
    delivery_kind: str,
    region: str,
) -> Quote:
    """The order as it stands. Lines as of `place_order`; their `price_minor` may be left out.

    Raises `InvalidInput` for what could not be an order at all, `NotFound` if none of it is sold.
    """
    cleaned = clean_lines([{**line, "price_minor": line.get("price_minor") or 0} for line in lines])
    show = clean_show(show_id, cleaned)
    if delivery_kind not in Delivery.values:
        raise InvalidInput(_("Please choose how you want to get it."), field="delivery.kind")
    to = clean_region(region, "delivery.region") if delivery_kind == Delivery.COURIER else None
    goods = shelf.read(cleaned, buyers={buyer.pk} if is_signed_in(buyer) else ())
    found = [_looked_up(goods, place, line, show) for place, line in enumerate(cleaned)]
    picks = [one for one in found if isinstance(one, Pick)]
    if not picks:
        raise NotFound(_("This is not on sale here."), field="lines")
    problems = [*_may_not(buyer, show), *(one for one in found if isinstance(one, AppError))]
    problems += _disagreement(goods, cleaned, show, len(picks) == len(found))
    quoted = []
    for pick in picks:
        own = list(terms.line_problems(goods, pick, buyer.pk))
        quoted.append(_quoted(goods, pick, own, buyer.pk))
        problems += own
    fee_minor, fee_problem = _fee(goods, picks, to)
    return _quote(goods, picks, quoted, [*problems, *fee_problem], fee_minor)


def _looked_up(goods: Shelf, place: int, line: Line, show: UUID | None) -> Pick | AppError:
    try:
        return terms.pick_line(goods, place, line, show)
    except NotFound as error:
        return error


def _may_not(buyer: AnyUser, show: UUID | None) -> list[AppError]:
    """What the guards have against this buyer."""
    if show is None or not is_signed_in(buyer):
        return []
    try:
        for check in access.checks_of(show, [buyer]):
            check(buyer)
    except AppError as error:
        return [error]
    return []


def _disagreement(
    goods: Shelf, lines: tuple[Line, ...], show: UUID | None, all_found: bool
) -> list[AppError]:
    """Lines that do not go together."""
    try:
        if all_found:
            terms.pick_lines(goods, lines, show)
    except InvalidInput as error:
        return [error]
    return []


def _fee(goods: Shelf, picks: list[Pick], to: str | None) -> tuple[int | None, list[AppError]]:
    try:
        return terms.fee_of(goods, picks, to), []
    except AppError as error:
        return None, [error]


def _quoted(
    goods: Shelf, pick: Pick, problems: Sequence[AppError], buyer_pk: int | None
) -> QuotedLine:
    available = [goods.available(pick)]
    if pick.offer is not None:
        if (left := goods.left(pick.offer)) is not None:
            available.append(left)
        if pick.offer.per_buyer is not None:
            available.append(max(0, pick.offer.per_buyer - goods.bought(pick.offer, buyer_pk)))
    return QuotedLine(
        offer_id=pick.line.offer_id,
        variant_id=pick.variant.public_id,
        title=str(pick.variant),
        quantity=pick.line.quantity,
        price_minor=pick.price_minor,
        available=min(available),
        problem=problems[0].code if problems else None,
    )


def _quote(
    goods: Shelf,
    picks: list[Pick],
    lines: list[QuotedLine],
    problems: list[AppError],
    fee_minor: int | None,
) -> Quote:
    seller, goods_minor = picks[0].seller, terms.goods_total(picks)
    below = terms.minimum_problem(seller, goods_minor)
    told = [*problems, below] if below else problems
    return Quote(
        lines=lines,
        goods_minor=goods_minor,
        fee_minor=fee_minor,
        total_minor=goods_minor + (fee_minor or 0),
        currency=seller.currency,
        weight_g=terms.weight_of_picks(picks),
        problems=[
            Problem(code=one.code, field=one.field, message=one.message, details=one.details)
            for one in told
        ],
        payment_methods=[method.value for method in terms.payment_methods(seller)],
    )
