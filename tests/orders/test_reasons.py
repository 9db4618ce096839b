"""Why something happened by itself is kept in no language, and told in the reader's."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import translation

from core.clock import now
from orders import reasons
from orders.models import Order
from orders.services.holds import expire_holds
from tests.orders.shop import li_orders
from tests.world import World


def test_a_reason_of_ours_is_kept_once_and_told_in_the_readers_language(
    world: World, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = li_orders(world, payment_method="online")
    Order.objects.filter(pk=order.pk).update(held_until=now() - timedelta(minutes=1))
    with translation.override("zh-hans"):
        expire_holds()

    assert order.moves.get(state="expired").reason == reasons.NOT_PAID_IN_TIME
    # Compiled translations are not there in a clean checkout: these stand for them.
    monkeypatch.setattr(reasons, "gettext", lambda text: f"{translation.get_language()} {text}")
    client.force_login(world.li)
    with translation.override("en"):  # which the request changes for whoever comes after it
        told = client.get(f"/orders/{order.public_id}/", HTTP_ACCEPT_LANGUAGE="zh-hans")
    assert f"zh-hans {reasons.NOT_PAID_IN_TIME}" in told.content.decode()


def test_what_a_person_wrote_stays_so() -> None:
    with translation.override("zh-hans"):
        assert reasons.told("We could not reach you.") == "We could not reach you."
