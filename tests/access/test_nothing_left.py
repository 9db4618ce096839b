"""Who deletes the account is looked for in every table: no text anywhere says who it was."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from django.apps import apps
from django.db import models
from msgspec import to_builtins

from core.accounts import tokens
from core.accounts.models import Invitation, PhoneCode, User
from core.accounts.services import keep_phone
from core.clock import now
from core.ids import new_id
from core.realtime.models import LogEntry
from livecommerce.people import invitations, leaving
from media_pipeline.storage import storage
from orders.models import ClaimPhoto, Order, OrderState, RefundClaim
from orders.services import claims
from orders.services.fulfil import move_order
from streams.models import Mute, Show
from streams.studio.protocol import OrderPlacedInFull
from streams.studio.selectors import studio_orders
from streams.studio.topics import studio_topic
from tests.orders.shop import li_orders, photo
from tests.world import PASSWORD, World

NAME, PHONE, STREET, NOTE = "Xiaomei Ouyang", "+8613912345678", "8 Magpie Lane", "ring at Wu's"
MARKS = (NAME, "mei.ouyang", "13912345678", STREET, NOTE, "plums from Mei", "a bruise, says Mei")


def a_life(world: World) -> User:
    """All that somebody may leave here, in every table that takes it."""
    batch = invitations.invite([NAME], role="trainee", seller=None, days=1, made_by=world.zhao)
    [invitation] = Invitation.objects.filter(batch=batch)
    typed = invitations.Newcomer(NAME, "mei.ouyang", PASSWORD)
    mei = invitations.accept_as_newcomer(invitations.token_of(invitation), typed)
    keep_phone(mei, PHONE)
    PhoneCode.objects.create(phone=PHONE, ends_at=now() + timedelta(minutes=5))
    tokens.make_token(mei, name="plums from Mei", scopes=["read:orders"])
    to_mei = {"kind": "courier", "name": NAME, "phone": "13912345678", "address": STREET}
    order = li_orders(world, buyer=mei, delivery=to_mei, note=NOTE)
    for to in (OrderState.PACKED, OrderState.SENT, OrderState.DELIVERED):
        move_order(order.public_id, to, world.zhang)
    claims.ask_refund(order.public_id, mei, "a bruise, says Mei", 100, [photo().read()])
    said = {"user_id": str(mei.public_id), "name": NAME, "text": "plums from Mei", "role": "viewer"}
    place = {"topic": f"show:{world.show.public_id}", "epoch": "e", "at": now()}
    message_id = new_id()
    LogEntry.objects.create(**place, seq=1, type="chat.message", data=said, fact_id=message_id)
    pinned = {"id": str(message_id), "seq": 1, "name": NAME, "text": "plums from Mei", "role": ""}
    LogEntry.objects.create(**place, seq=2, type="chat.pinned", data=pinned)
    in_full = OrderPlacedInFull(studio_orders(public_id=order.public_id)[0])
    studio = place | {"topic": studio_topic(world.show.public_id)}
    LogEntry.objects.create(**studio, seq=1, type="order.placed", data=to_builtins(in_full))
    Show.objects.filter(pk=world.show.pk).update(pinned_message=pinned)
    Mute.objects.create(show=world.show, user=mei, muted_by=world.zhang, reason="plums from Mei")
    return mei


def texts() -> Iterator[tuple[str, str]]:
    """Every text of every row of every table, by table and column."""
    for model in apps.get_models():
        kinds = (models.CharField, models.TextField, models.JSONField)
        names = [one.attname for one in model._meta.concrete_fields if isinstance(one, kinds)]
        for row in model._default_manager.values(*names) if names else ():
            yield from ((f"{model._meta.label}.{name}", str(row[name])) for name in names)


def places() -> set[str]:
    return {place for place, text in texts() if any(mark in text for mark in MARKS)}


def test_nothing_says_who_left(world: World, django_capture_on_commit_callbacks: Any) -> None:
    mei = a_life(world)
    before = places()
    assert {"accounts.User.phone", "realtime.LogEntry.data", "orders.RefundClaim.text"} <= before
    [bruise] = ClaimPhoto.objects.all()
    assert storage().path(bruise.key).exists()
    Order.objects.filter(buyer=mei).update(state=OrderState.REFUNDED)
    with django_capture_on_commit_callbacks(execute=True):
        leaving.leave(mei, PASSWORD, sure=True)
    assert places() == set()
    assert not storage().path(bruise.key).exists()
    assert RefundClaim.objects.get().amount_minor == 100
