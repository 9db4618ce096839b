"""A rush of orders over HTTP: `POST /api/v1/orders` without a thread for each.

Django takes a request through its middleware in a thread, where an order then waits for its group.
Here it goes from the event loop into the group (`orders.services.commit`), in which the session and
the buyer are looked up together with those of its neighbours. Whatever is not a plain order of
somebody signed in is given to Django as it came, and so is what fails: the key makes the second
asking the same order.
"""

from __future__ import annotations

import io
import logging
from collections import OrderedDict
from importlib import import_module
from typing import Literal
from uuid import UUID

import msgspec
from django.conf import settings
from django.contrib.auth import get_user
from django.core.exceptions import DisallowedHost
from django.core.handlers.asgi import ASGIRequest
from django.db import DatabaseError, InterfaceError
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import CsrfViewMiddleware
from django.middleware.security import SecurityMiddleware
from django.utils import translation
from msgspec.structs import asdict

from core.accounts.access import is_signed_in
from core.accounts.models import User
from core.accounts.proof import Proof
from core.api import idempotency_key, problem_of
from core.asgi import Application, Message, Receive, Scope, Send, respond
from core.clock import epoch_ms, iso_ms
from core.errors import AppError, SignInRequired
from core.realtime.db import run_in_db
from orders.models import Order, PaymentMethod
from orders.services.place import Wish, place_order_soon

log = logging.getLogger(__name__)

PATH = "/api/v1/orders"
LONGEST = 64 * 1024
"""Bytes of an order's body, which is far more than one of twenty lines has."""
SESSIONS_KNOWN = 10_000


class Csrf(CsrfViewMiddleware):
    """Django's own check, without the page that it answers with."""

    def _reject(self, request: HttpRequest, reason: str) -> HttpResponse:
        return HttpResponse(status=403)


def _no_view(_request: HttpRequest) -> HttpResponse:
    return HttpResponse()


_csrf, _security = Csrf(_no_view), SecurityMiddleware(_no_view)
_known: OrderedDict[str, tuple[User, Proof]] = OrderedDict()


# The types of `orders.api`, whose checks and answers take a third of a busy web process.
class Line(msgspec.Struct, forbid_unknown_fields=True):
    quantity: int
    price_minor: int
    offer_id: UUID | None = None
    variant_id: UUID | None = None


class DeliveryTo(msgspec.Struct, forbid_unknown_fields=True):
    kind: Literal["courier", "pickup"]
    name: str
    phone: str
    region: str = ""
    address: str = ""
    point_id: UUID | None = None


class Typed(msgspec.Struct, forbid_unknown_fields=True):
    lines: list[Line]
    delivery: DeliveryTo
    show_id: UUID | None = None
    total_minor: int | None = None
    payment_method: PaymentMethod = PaymentMethod.CASH_ON_DELIVERY
    note: str = ""


_decode = msgspec.json.Decoder(Typed).decode


class NotPlain(Exception):
    """Django is to answer."""


def orders_first(django: Application) -> Application:
    """The application, with plain orders answered before it is asked."""

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] != PATH or scope["method"] != "POST":
            return await django(scope, receive, send)
        read: list[Message] = []
        try:
            response = await _answer(scope, await _body(receive, read))
        except NotPlain:
            return await django(scope, _again(read, receive), send)
        return await respond(send, response)

    return application


async def _body(receive: Receive, read: list[Message]) -> bytes:
    """The body, each message of which is kept in `read`; raises `NotPlain` for a long one."""
    length = 0
    while not read or read[-1].get("more_body", False):
        read.append(message := await receive())
        length += len(message.get("body", b""))
        if message["type"] != "http.request" or length > LONGEST:
            raise NotPlain
    return b"".join(message.get("body", b"") for message in read)


def _again(read: list[Message], receive: Receive) -> Receive:
    """`receive`, from the beginning of the body on."""
    waiting = iter(read)

    async def received() -> Message:
        return next(waiting, None) or await receive()

    return received


async def _answer(scope: Scope, body: bytes) -> HttpResponse:
    request = _checked(ASGIRequest(scope, io.BytesIO(body)))
    typed = typed_of(body)
    session = request.COOKIES[settings.SESSION_COOKIE_NAME]
    buyer, proof = _known.get(session) or await _who(request, session)
    with translation.override(translation.get_language_from_request(request)):
        try:
            key = idempotency_key(request)
            order = await place_order_soon(buyer=buyer, key=key, proof=proof, **typed)
        except AppError as refusal:
            if isinstance(refusal, SignInRequired):
                _known.pop(session, None)
            response: HttpResponse = problem_of(refusal)
        except (DatabaseError, InterfaceError) as error:
            log.warning("an order is asked for again by way of Django", exc_info=error)
            raise NotPlain from error
        else:
            response = _placed(order)
    return _security.process_response(request, response)


def typed_of(body: bytes) -> Wish:
    """What `orders.api` would read in it; raises `NotPlain` for what is not an `OrderIn`."""
    try:
        typed = _decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise NotPlain from None
    return {
        "show_id": typed.show_id,
        "lines": [asdict(line) for line in typed.lines],
        "delivery": asdict(typed.delivery),
        "total_minor": typed.total_minor,
        "payment_method": typed.payment_method,
        "note": typed.note,
    }


def told(order: Order) -> bytes:
    """What `orders.api` says of an order that was placed a moment ago, an `OrderOut`."""
    lines = order.placed_lines or ()
    return msgspec.json.encode(
        {
            "id": order.public_id,
            "number": order.number,
            "state": order.state,
            "total_minor": order.total_minor,
            "delivery_fee_minor": order.delivery_fee_minor,
            "refunded_minor": order.refunded_minor,
            "currency": order.currency,
            "url": order.get_absolute_url(),
            "payment_method": order.payment_method,
            "held_until_ms": epoch_ms(order.held_until) if order.held_until else None,
            "delivery": order.delivery,
            "pickup_code": order.pickup_code,
            "placed_at": iso_ms(order.placed_at),
            "lines": [
                {"title": one.title, "quantity": one.quantity, "price_minor": one.price_minor}
                for one in lines
            ],
        }
    )


def _placed(order: Order) -> HttpResponse:
    if order.placed_lines is None:  # it was there already, and its lines are in the database
        raise NotPlain
    return HttpResponse(told(order), content_type="application/json", status=201)


def _checked(request: ASGIRequest) -> ASGIRequest:
    """A request from a page of ours with a session, as Django would judge it, or `NotPlain`."""
    if settings.SESSION_COOKIE_NAME not in request.COOKIES or "Authorization" in request.headers:
        raise NotPlain
    try:
        request.get_host()
        _csrf.process_request(request)
        if _csrf.process_view(request, _no_view, (), {}) is not None:
            raise NotPlain
    except DisallowedHost:
        raise NotPlain from None
    return request


async def _who(request: HttpRequest, session: str) -> tuple[User, Proof]:
    """Whose session that is. Remembered: whether it still is, is asked with each order."""
    user = await run_in_db(_user_of, request, session)
    found = _known[session] = user, Proof.of(user, session)
    if len(_known) > SESSIONS_KNOWN:
        _known.popitem(last=False)
    return found


def _user_of(request: HttpRequest, session: str) -> User:
    request.session = import_module(settings.SESSION_ENGINE).SessionStore(session)
    user = get_user(request)
    if not is_signed_in(user):
        raise NotPlain
    return user
