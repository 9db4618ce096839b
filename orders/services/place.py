"""Placing an order: from what a buyer typed to rows, reserved stock and facts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypedDict, Unpack
from uuid import UUID

from django.conf import settings
from django.utils.translation import get_language

from core.accounts.models import User
from core.accounts.proof import Proof
from core.realtime.db import run_in_db
from orders.models import Order, PaymentMethod
from orders.requests import clean_key, clean_request
from orders.services import commit
from orders.services.group import Asked


class Wish(TypedDict, total=False):
    """What `place_order` is told. Everything but the buyer and the key is cleaned there."""

    lines: Sequence[Mapping[str, object]]
    show_id: UUID | str | None
    delivery: Mapping[str, object]
    total_minor: int | None
    payment_method: str
    note: str


def place_order(*, buyer: User, key: str, **wish: Unpack[Wish]) -> Order:
    """Order 1 to 20 lines of one seller; all of it happens or nothing.

    A line is `{offer_id | variant_id, quantity, price_minor}`: an offer of the show `show_id` at
    the show's price, or a variant at its own. `total_minor` is what the buyer saw, with the fee;
    None where the fee is 0. Paid in cash the order is `placed`, online it is `held` until
    `held_until`. It is committed when this returns, with others that were waiting.

    The same buyer, key and request always get the same order back, also when they come at the same
    time; another request under a used key raises `KeyReused`. Raises `InvalidInput` naming the
    field, `NotFound`, `PriceChanged`, `SoldOut`, `OfferSoldOut`, `OfferNotOpen`, `OfferClosed`,
    `LimitReached`, `NotDelivered`, `BelowMinimum`, `PaymentNotOffered`, what a guard raises for who
    may not order through the show, and `TryAgain`.
    """
    return commit.place(_asked(buyer, key, None, wish))


async def place_order_soon(
    *, buyer: User, key: str, proof: Proof | None = None, **wish: Unpack[Wish]
) -> Order:
    """`place_order` for the event loop: no thread waits. With a `proof` the buyer is asked for
    again, and `SignInRequired` raised if it proves nobody any more.
    """
    asked = _asked(buyer, key, proof, wish)
    if not settings.GROUP_COMMIT:
        return await run_in_db(commit.place_alone, asked)
    return await commit.committer.ask_soon(asked)


def _asked(buyer: User, key: str, proof: Proof | None, wish: Wish) -> Asked:
    request = clean_request(
        lines=wish.get("lines"),
        show_id=wish.get("show_id"),
        delivery=wish.get("delivery"),
        total_minor=wish.get("total_minor"),
        payment_method=wish.get("payment_method", PaymentMethod.CASH_ON_DELIVERY.value),
        note=wish.get("note", ""),
    )
    language = get_language() or "en"
    return Asked(buyer, clean_key(key), request, request.digest(), language, proof)
