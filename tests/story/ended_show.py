"""Zhang's show of this morning, as it stands in an instance before the training story begins.

Eight minutes were filmed; three of the goods were explained and sold, each in a minute of its own,
among the few orders that come at any time. Run in a process with the instance's settings.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
from datetime import datetime, timedelta
from typing import Any

import msgspec

from core.accounts.models import User
from core.clock import now
from core.ids import new_id
from core.realtime.models import LogEntry
from media_pipeline import ffmpeg
from media_pipeline.ingest.chunks import Chunk
from media_pipeline.ingest.desk import Desk
from media_pipeline.models import Take
from media_pipeline.services import takes
from orders.models import Offer, Order
from orders.selectors import offer_view, with_goods
from orders.services.place import place_order
from sellers.models import Member, MemberRole, Seller, Variant
from streams.models import Show, ShowState
from tests.server import ROOT, Server
from tests.world import person, show_of, variant

TITLE = "Fruit of this morning"
FILMED_S = 480
PIECE = 256 * 1024
TALKS = ((60, "Huaniu apples"), (200, "Snow pears"), (340, "Ruoqiang dates"))
"""When each of the goods is shown, in seconds of the show."""
QUESTIONS = ("How heavy is a box?", "Are they sweet?", "Can I keep them for a week?")
ASKED_EACH_S, BOUGHT_EACH_S = 5, 5
BUYERS = 9


def build_in(server: Server) -> None:
    """Make it in a prepared instance that nobody serves yet."""
    script = "import django; django.setup(); from tests.story import ended_show as it; it.make()"
    subprocess.run([sys.executable, "-c", script], env=server.environment, cwd=ROOT, check=True)


def make() -> None:
    farm = Seller.objects.get(name="Zhang's orchard")
    zhang = User.objects.get(username="zhang")
    variant(farm, "Ruoqiang dates", "500 g bag", price_minor=2990, on_hand=30)
    show = show_of(farm, zhang, TITLE)
    began = now() - timedelta(hours=2)
    offers = [_offer(show, name) for _at_s, name in TALKS]
    film_of(show, began)
    buyers = [person(f"buyer{number}", f"Buyer {number}") for number in range(BUYERS)]
    _what_was_said(show, began, offers, buyers[0])
    for at_s in range(20, FILMED_S, 60):
        _buy(show, buyers[0], offers[0], began + timedelta(seconds=at_s))
    for (at_s, _name), offer in zip(TALKS, offers, strict=True):
        for number, buyer in enumerate(buyers):
            at = began + timedelta(seconds=at_s + 15 + BOUGHT_EACH_S * number)
            _buy(show, buyer, offer, at)
    Show.objects.filter(pk=show.pk).update(
        state=ShowState.ENDED, started_at=began, ended_at=began + timedelta(seconds=FILMED_S)
    )
    takes.seal_recording(show.public_id, is_public=True)
    wangs_shop()


def wangs_shop() -> None:
    """New, so that its shows wait for an operator's yes."""
    wang = User.objects.get(username="wang")
    shop = Seller.objects.create(name="Wang's bees", place="Tianshui")
    for role in (MemberRole.OWNER, MemberRole.HOST):
        Member.objects.create(seller=shop, user=wang, role=role)
    variant(shop, "Locust honey", "500 g jar", price_minor=4800, on_hand=20)


def film_of(show: Show, began: datetime) -> None:
    """Through the desk, as a phone sends it; a clock in the picture, and a voice-like tone."""
    arguments = (
        *("-f", "lavfi", "-i", f"testsrc=size=180x320:rate=10:duration={FILMED_S}"),
        *("-f", "lavfi", "-i", f"sine=frequency=220:duration={FILMED_S}"),
        *("-c:v", "libx264", "-preset", "ultrafast", "-g", "20", "-pix_fmt", "yuv420p"),
        *("-c:a", "aac", "-b:a", "32k", "-f", "matroska", "pipe:1"),
    )
    done = subprocess.run(
        ffmpeg.command(arguments, formats="lavfi"), check=True, capture_output=True, timeout=120
    )
    asyncio.run(_send(show, done.stdout))
    # It came faster than it was filmed, which was taken for a camera whose clock runs fast.
    Take.objects.filter(recording__show_id=show.public_id).update(started_at=began, drift=[])


async def _send(show: Show, film: bytes) -> None:
    connection = await Desk().connect(
        show.public_id, is_public=True, take_id=new_id(), mime="video/x-matroska"
    )
    for number, start in enumerate(range(0, len(film), PIECE)):
        await connection.append([Chunk(number, 0, film[start : start + PIECE])])
    await connection.seal()
    await connection.lost()


def _offer(show: Show, name: str) -> Offer:
    goods = Variant.objects.get(product__title=name)
    return Offer.objects.create(
        show_id=show.public_id, variant=goods, price_minor=goods.price_minor, position=goods.pk
    )


def _what_was_said(show: Show, began: datetime, offers: list[Offer], who: User) -> None:
    said = {"name": who.shown_name, "user_id": str(who.public_id), "role": "viewer"}
    happened: list[tuple[float, str, dict[str, Any]]] = []
    for (at_s, _name), offer in zip(TALKS, offers, strict=True):
        view = offer_view(with_goods(Offer.objects.filter(pk=offer.pk)).get())
        happened.append((at_s, "product.pinned", {"offer": msgspec.to_builtins(view)}))
        happened += [
            (at_s + 3 + ASKED_EACH_S * number, "chat.message", {**said, "text": text})
            for number, text in enumerate(QUESTIONS * 3)
        ]
    LogEntry.objects.bulk_create(
        LogEntry(
            topic=show.topic,
            epoch="e",
            seq=seq,
            at=began + timedelta(seconds=at_s),
            type=kind,
            data=data | ({"question": True} if kind == "chat.message" else {}),
            fact_id=new_id(),
        )
        for seq, (at_s, kind, data) in enumerate(sorted(happened, key=lambda one: one[0]), start=1)
    )


def _buy(show: Show, buyer: User, offer: Offer, at: datetime) -> None:
    line = {"offer_id": offer.public_id, "quantity": 1, "price_minor": offer.price_minor}
    order = place_order(
        buyer=buyer,
        key=str(new_id()),
        show_id=show.public_id,
        lines=[line],
        delivery={
            "kind": "courier",
            "name": buyer.shown_name,
            "phone": "13800138000",
            "address": "8 River Street",
        },
    )
    Order.objects.filter(pk=order.pk).update(placed_at=at)
