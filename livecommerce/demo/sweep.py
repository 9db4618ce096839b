"""The demo tidies up after itself, so that it can run for days."""

from __future__ import annotations

from datetime import timedelta

from django.db.models import QuerySet

from core.accounts.models import User
from core.clock import now
from core.models import OutboxFact
from core.realtime.models import LogEntry, Topic
from livecommerce.demo.people import VIEWERS
from media_pipeline.models import Asset, AssetKind
from media_pipeline.services.removal import remove_recording
from orders.models import Offer, Order, OrderState
from orders.services.fulfil import move_order
from sellers.models import Seller
from streams.models import Show, ShowState

KEEP_FACTS = timedelta(hours=1)
SCRIPTED = [username for username, _name in VIEWERS]


def sweep_shows(farm: Seller, *, title: str) -> int:
    """Remove the ended shows called `title` but the newest, whose replay people watch now.

    Returns how many were removed. What a visitor bought or cut is kept.
    """
    OutboxFact.objects.filter(sent_at__lt=now() - KEEP_FACTS).delete()
    ended = Show.objects.filter(seller=farm, title=title, state=ShowState.ENDED)
    return sum(remove_show(show) for show in ended.order_by("-ended_at")[1:])


def remove_show(show: Show) -> bool:
    """Remove a show, its video and the scripted orders in it, unless a visitor needs them."""
    orders = Order.objects.filter(show_id=show.public_id)
    cut = Asset.objects.filter(recording__show_id=show.public_id, kind=AssetKind.CLIP)
    if orders.exclude(buyer__username__in=SCRIPTED).exists() or cut.exclude(lessons=None).exists():
        return False
    remove_recording(show.public_id)
    send_all(orders, show.host)
    orders.delete()
    Offer.objects.filter(show_id=show.public_id).delete()
    LogEntry.objects.filter(topic=show.topic).delete()
    Topic.objects.filter(name=show.topic).delete()
    show.delete()
    return True


def send_all(orders: QuerySet[Order], packer: User) -> None:
    """Pack and send what waits, so that nothing stays reserved for an order that goes away."""
    for order in orders.filter(state=OrderState.PLACED):
        move_order(order.public_id, OrderState.PACKED, packer)
    for order in orders.filter(state=OrderState.PACKED):
        move_order(order.public_id, OrderState.SENT, packer)
