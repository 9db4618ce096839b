"""Everything that is kept about one person, as they may take it with them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.db.models import QuerySet

from core.accounts.models import User
from core.clock import iso_ms, now
from core.realtime.models import LogEntry
from courses.export import learnt_by
from courses.models import Enrolment
from orders.models import Order
from streams.models import Show

SAID = "chat.message"


def everything_of(user: User) -> dict[str, object]:
    """Of JSON types; amounts in the currency's smallest unit, times in UTC."""
    return {
        "made_at": iso_ms(now()),
        "person": _person(user),
        "addresses": list(user.addresses.values("name", "phone", "region", "address")),
        "orders": [_order(order) for order in _orders(user)],
        "shops": list(
            user.memberships.filter(seller__is_sandbox=False).values("seller__name", "role")
        ),
        "shows": list(
            Show.objects.filter(host=user).values("title", "state", "started_at", "is_practice")
        ),
        "courses": [_course(one) for one in user.enrolments.select_related("course")],
        "learning": learnt_by(user),
        "messages": [_message(entry) for entry in said_by(user)],
        "devices": [
            {"agent": one.agent, "signed_in_at": _at(one.signed_in_at), "seen_at": _at(one.seen_at)}
            for one in user.devices.order_by("pk")
        ],
        "api_tokens": [
            {"name": one.name, "scopes": one.scopes, "made_at": _at(one.made_at)}
            for one in user.api_tokens.order_by("pk")
        ],
        "passkeys": [
            {
                "name": one.name,
                "opens": one.rp_id,
                "made_at": _at(one.made_at),
                "used_at": _at(one.used_at),
            }
            for one in user.passkeys.order_by("pk")
        ],
    }


def said_by(user: User) -> QuerySet[LogEntry]:
    """What somebody wrote in rooms."""
    return LogEntry.objects.filter(type=SAID, data__user_id=str(user.public_id))


def _person(user: User) -> dict[str, object]:
    return {
        "id": str(user.public_id),
        "user_name": user.username,
        "name": user.display_name,
        "phone": user.phone,
        "language": user.language,
        "joined_at": _at(user.date_joined),
        "roles": list(user.role_grants.values_list("role", flat=True)),
    }


def _orders(user: User) -> Iterable[Order]:
    orders = Order.objects.filter(buyer=user).select_related("seller")
    return orders.prefetch_related("lines", "payments__refunds", "claims").order_by("pk")


def _order(order: Order) -> dict[str, object]:
    return {
        "number": order.number,
        "seller": order.seller.name,
        "state": order.state,
        "placed_at": _at(order.placed_at),
        "recipient": order.recipient,
        "phone": order.phone,
        "region": order.region,
        "address": order.address,
        "note": order.note,
        "total_minor": order.total_minor,
        "currency": order.currency,
        "lines": [
            {"title": line.title, "quantity": line.quantity, "price_minor": line.price_minor}
            for line in order.lines.all()
        ],
        "payments": [
            {"provider": one.provider, "state": one.state, "amount_minor": one.amount_minor}
            for one in order.payments.all()
        ],
        "claims": [{"text": one.text, "answer": one.answer} for one in order.claims.all()],
    }


def _course(enrolment: Enrolment) -> dict[str, object]:
    return {
        "title": enrolment.course.title,
        "started_at": _at(enrolment.started_at),
        "completed_at": _at(enrolment.completed_at),
        "watched": [
            {"lesson": one.lesson.title, "seconds": one.intervals}
            for one in enrolment.progress.select_related("lesson")
        ],
    }


def _message(entry: LogEntry) -> dict[str, object]:
    return {"room": entry.topic, "at": _at(entry.at), "text": entry.data.get("text", "")}


def _at(moment: datetime | None) -> str | None:
    return iso_ms(moment) if moment else None
