"""What somebody leaves in texts of others' rows: logs of rooms, what a show has on top, claims.

Tables that belong to a person go with the person; in these, only what names them goes.
"""

from __future__ import annotations

from collections.abc import Collection
from functools import partial

from django.db import transaction

from core.accounts.models import PhoneCode, User
from core.clock import now
from core.realtime.models import LogEntry
from livecommerce.people.export import said_by
from orders import photos
from orders.models import ClaimPhoto, Order, RefundClaim
from streams.models import Ban, Mute, Show

PINNED = "chat.pinned"
ORDERS_IN_FULL = ("order.placed", "order.moved")
"""Of a studio's topic; those of rooms have masked names and no `order`."""


def remove(user: User) -> None:
    """Take all of it away; in the transaction that forgets the person."""
    _forget_words(user)
    _forget_orders(user)
    for held in (Mute, Ban):
        held.objects.filter(user=user).delete()
    if user.phone:
        PhoneCode.objects.filter(phone=user.phone).delete()


def _forget_words(user: User) -> None:
    said = list(said_by(user))
    for entry in said:
        _blank(entry, name="", text="")
    ids = [str(entry.fact_id) for entry in said if entry.fact_id]
    for entry in LogEntry.objects.filter(type=PINNED, data__id__in=ids):
        _blank(entry, name="", text="")
    Show.objects.filter(pinned_message__id__in=ids).update(pinned_message=None)


def _blank(entry: LogEntry, **empty: str) -> None:
    entry.data = {**entry.data, **empty}
    entry.removed_at = entry.removed_at or now()
    entry.save(update_fields=["data", "removed_at"])


def _forget_orders(user: User) -> None:
    orders = Order.objects.filter(buyer=user)
    _forget_in_studios([str(one) for one in orders.values_list("public_id", flat=True)])
    claims = RefundClaim.objects.filter(order__in=orders)
    ids = list(claims.values_list("public_id", flat=True))
    ClaimPhoto.objects.filter(claim__in=claims).delete()
    claims.update(text="")
    for claim_id in ids:
        transaction.on_commit(partial(photos.forget, claim_id))
    orders.update(recipient="", phone="", region="", address="", note="", pickup_code="")


def _forget_in_studios(order_ids: Collection[str]) -> None:
    told = LogEntry.objects.filter(type__in=ORDERS_IN_FULL, data__order__id__in=order_ids)
    for entry in told:
        order = {**entry.data["order"], "buyer": "", "note": "", "place": ""}
        entry.data = {**entry.data, "order": order} | ({"by": ""} if "by" in entry.data else {})
        entry.save(update_fields=["data"])
