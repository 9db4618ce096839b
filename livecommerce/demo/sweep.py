"""The demo tidies up after itself, so that it can run for days."""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction
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
from streams.studio.topics import studio_topic

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
    for order in orders:
        remove_order(order, show.host)
    Offer.objects.filter(show_id=show.public_id).delete()
    topics = [show.topic, studio_topic(show.public_id)]
    LogEntry.objects.filter(topic__in=topics).delete()
    Topic.objects.filter(name__in=topics).delete()
    show.delete()
    return True


@transaction.atomic
def remove_order(order: Order, packer: User) -> None:
    """Send an order, so that its goods do not stay reserved, and remove it.

    Its facts go in the same transaction: nobody is told of an order that is gone.
    """
    send_all(Order.objects.filter(pk=order.pk), packer)
    OutboxFact.objects.filter(topic=f"order:{order.public_id}").delete()
    order.delete()


def send_all(orders: QuerySet[Order], packer: User) -> None:
    """Pack and send what waits."""
    for order in orders.filter(state=OrderState.PLACED):
        move_order(order.public_id, OrderState.PACKED, packer)
    for order in orders.filter(state=OrderState.PACKED):
        move_order(order.public_id, OrderState.SENT, packer)
