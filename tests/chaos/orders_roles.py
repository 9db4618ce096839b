"""What the processes of the chaos run for orders are: web processes, keepers, and short helpers."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import msgspec
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.core.management import call_command
from django.db import DatabaseError, connection
from django.db.models import Q

# What is imported when it is needed: half a second that no restart should need.
import core.realtime.redis_log
import core.realtime.redis_shared  # noqa: F401
import media_pipeline.live.relay  # noqa: F401
import orders.payments.stripe  # noqa: F401
from core.accounts.models import User
from core.clock import now
from core.realtime.db import with_fresh_connections
from livecommerce.serve import serve
from orders.errors import TryAgain
from orders.models import Offer, Order, OrderState, Payment, PaymentState, Refund, RefundState
from orders.services import open_payments, refunds
from orders.services.holds import expire_holds
from sellers.services import stock
from streams.models import Show, ShowState
from tests import world as tests_world
from tests.chaos import orders_check
from tests.chaos.orders_broken import BROKEN

log = logging.getLogger(__name__)

APPLES, PEARS, PEARS_IN_SHOW = 60, 40, 30
APPLES_EACH, PEARS_EACH = 2, 3
KEEP_EVERY_S = 0.15
HELD_FOR_S = 4.0
"""A hold that is older may be ended: so long a buyer's fifteen minutes last here."""
ENDED_AT_ONCE = 0.15
BACKEND = "django.contrib.auth.backends.ModelBackend"


class Scene(msgspec.Struct, frozen=True):
    """What the buyers must know."""

    show: str
    apples: str
    pears: str
    pears_variant: str
    people: list[str]
    sessions: list[str]
    apples_minor: int
    pears_minor: int
    pears_variant_minor: int


def world(out: str, buyers: int) -> None:
    """Fill an instance, that has its tables, with a live show, a hundred boxes and the buyers."""
    if not Show.objects.exists():
        tests_world.build()
    show = Show.objects.get(title__startswith="Apples")
    Show.objects.filter(pk=show.pk).update(state=ShowState.LIVE)
    apples, pears = Offer.objects.select_related("variant").order_by("position")
    Offer.objects.filter(pk=apples.pk).update(per_buyer=APPLES_EACH)
    Offer.objects.filter(pk=pears.pk).update(per_buyer=PEARS_EACH, quantity=PEARS_IN_SHOW)
    for offer, count in ((apples, APPLES), (pears, PEARS)):
        stock.adjust(offer.variant.public_id, on_hand=count, reason="counted", actor=show.host)
    people = User.objects.bulk_create(
        User(username=f"buyer-{number}", display_name=f"Buyer {number}", password="!")
        for number in range(buyers)
    )
    scene = Scene(
        show=str(show.public_id),
        apples=str(apples.public_id),
        pears=str(pears.public_id),
        pears_variant=str(pears.variant.public_id),
        people=[str(person.public_id) for person in people],
        sessions=[_session(person) for person in people],
        apples_minor=apples.price_minor,
        pears_minor=pears.price_minor,
        pears_variant_minor=pears.variant.price_minor,
    )
    Path(out).write_bytes(msgspec.json.encode(scene))


def _session(person: User) -> str:
    """What a browser would have as its cookie after signing in."""
    session = SessionStore()
    session[SESSION_KEY] = str(person.pk)
    session[BACKEND_SESSION_KEY] = BACKEND
    session[HASH_SESSION_KEY] = person.get_session_auth_hash()
    session.create()
    return str(session.session_key)


def migrate() -> None:
    call_command("migrate", verbosity=0)


def web(port: int) -> None:
    """The product's web process."""
    serve("uvicorn", "127.0.0.1", port)


def keeper(hurries: bool = True) -> None:
    """The periodic work of orders, in a hurry: an hour of the product's pauses in a minute.

    Two of these run at once, and neither asks the schedule whether the other does. Unless told
    otherwise it also lets the time of holds pass.
    """
    refunds.FIRST_PAUSE, refunds.LONGEST_PAUSE = timedelta(seconds=0.3), timedelta(seconds=1)
    open_payments.READ_EVERY = timedelta(seconds=3)
    while True:
        for work in (
            *((_let_time_pass,) if hurries else ()),
            expire_holds,
            open_payments.look_after_open_payments,
            refunds.carry_out_refunds,
        ):
            _do(work)
        time.sleep(KEEP_EVERY_S * random.uniform(0.5, 1.5))


def _do(work: Callable[[], object]) -> None:
    """As the product's schedule does: what fails now is tried in the next round."""
    try:
        with_fresh_connections(work)
    except (DatabaseError, TryAgain):
        log.exception("%s failed", work.__name__)


def _let_time_pass() -> None:
    """Some of the holds are over, also such that are being paid for at this moment."""
    held = Order.objects.filter(
        state=OrderState.HELD,
        placed_at__lt=now() - timedelta(seconds=HELD_FOR_S),
        held_until__gt=now(),
    )
    over = [pk for pk in held.values_list("pk", flat=True) if random.random() < ENDED_AT_ONCE]
    _end_time(Q(pk__in=over))


def end_all_holds() -> None:
    """It is much later: every hold is over."""
    _end_time(Q(held_until__gt=now()))


def _end_time(which: Q) -> None:
    earlier = now() - timedelta(seconds=1)
    Order.objects.filter(which, state=OrderState.HELD).update(held_until=earlier)


def waiting(out: str) -> None:
    """What has still to happen by itself before anything can be judged."""
    found = {
        "held": Order.objects.filter(state=OrderState.HELD).count(),
        "refunds": Refund.objects.filter(state=RefundState.DUE).count(),
        "payments": Payment.objects.filter(state=PaymentState.OPEN).count(),
    }
    Path(out).write_bytes(msgspec.json.encode(found))


def spoil(how: str) -> None:
    """Take away what the tables would do against a broken build."""
    BROKEN[how].spoils()


def check(journal: str, book: str, out: str) -> None:
    found = orders_check.check(Path(journal), Path(book))
    Path(out).write_bytes(msgspec.json.encode({"database": connection.vendor, **found}))


ROLES: dict[str, Callable[..., None]] = {
    "migrate": migrate,
    "world": world,
    "web": web,
    "keeper": keeper,
    "end_all_holds": end_all_holds,
    "waiting": waiting,
    "spoil": spoil,
    "check": check,
}
