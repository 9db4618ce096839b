"""What a show sells and on which terms, as its host sets them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.test import Client

from core.clock import now
from orders.models import Offer
from sellers.models import Member, MemberRole, Seller
from streams.models import Show, ShowState
from tests.world import World

TERMS = {"price": "30.00", "quantity": "20", "per_buyer": "2", "when": "always"}


def page_of(world: World) -> str:
    return f"/studio/shows/{world.show.public_id}/offers/{world.apples.public_id}/"


def save(client: Client, world: World, **changes: str) -> Any:
    return client.post(page_of(world), TERMS | changes)


@pytest.fixture
def zhang(world: World, client: Client) -> Client:
    client.force_login(world.zhang)
    return client


def offer(world: World) -> Offer:
    return Offer.objects.get(pk=world.apple_offer.pk)


def test_the_host_says_how_much_and_how_many(zhang: Client, world: World) -> None:
    assert save(zhang, world).status_code == 302

    now_ = offer(world)
    assert (now_.price_minor, now_.quantity, now_.per_buyer, now_.on_tap) == (3000, 20, 2, False)
    page = zhang.get(f"/studio/shows/{world.show.public_id}/offers/").content.decode()
    assert "0 of 20 sold" in page


def test_what_nobody_can_order_alone_is_marked(zhang: Client, world: World) -> None:
    Seller.objects.filter(pk=world.farm.pk).update(min_order_minor=6000)

    save(zhang, world, price="20.00", per_buyer="2")
    alone = zhang.get(page_of(world)).content.decode()
    listed = zhang.get(f"/studio/shows/{world.show.public_id}/offers/").content.decode()
    assert "Your smallest order is ¥60.00: nobody can order this without something else." in alone
    assert "below your smallest order of ¥60.00" in listed

    save(zhang, world, price="20.00", per_buyer="3")
    assert "Your smallest order" not in zhang.get(page_of(world)).content.decode()


def test_a_drop_waits_for_the_tap(zhang: Client, world: World) -> None:
    save(zhang, world, when="tap", lasts_s="30", opens_at="2026-01-01T00:00")

    now_ = offer(world)
    assert (now_.on_tap, now_.lasts_s, now_.opens_at, now_.closes_at) == (True, 30, None, None)


def test_a_window_is_typed_in_the_hosts_own_time(zhang: Client, world: World) -> None:
    opens = (now() + timedelta(hours=2)).replace(second=0, microsecond=0)
    there = opens.astimezone(ZoneInfo("America/New_York"))

    save(
        zhang,
        world,
        when="window",
        opens_at=f"{there:%Y-%m-%dT%H:%M}",
        time_zone="America/New_York",
    )

    assert offer(world).opens_at == opens


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"price": "0"}, "price"),
        ({"price": "NaN"}, "price"),
        ({"price": "1000000.01"}, "price"),
        ({"quantity": "0"}, "quantity"),
        ({"quantity": "1.5"}, "quantity"),
        ({"quantity": "4"}, "quantity"),  # five are sold
        ({"per_buyer": "-1"}, "per_buyer"),
        ({"when": "later"}, "when"),
        ({"when": "tap", "lasts_s": "7"}, "lasts_s"),
        ({"when": "window"}, "opens_at"),
        ({"when": "window", "closes_at": "2020-01-01T10:00"}, "closes_at"),
        ({"when": "window", "closes_at": "9999-12-31T23:59"}, "closes_at"),
        ({"when": "window", "opens_at": "soon"}, "opens_at"),
        ({"when": "window", "opens_at": "2026-11-22T10:00", "time_zone": "../etc"}, "opens_at"),
    ],
)
def test_terms_that_cannot_be_are_said_beside_them(
    zhang: Client, world: World, typed: dict[str, str], field: str
) -> None:
    Offer.objects.filter(pk=world.apple_offer.pk).update(sold=5)

    answer = save(zhang, world, **typed)

    assert answer.status_code == 422
    assert list(answer.context["form"].errors) == [field]
    assert offer(world).price_minor == 3590


def test_the_console_asks_for_the_form_alone(zhang: Client, world: World) -> None:
    part = zhang.get(page_of(world) + "?part=1").content.decode()

    assert "<html" not in part
    assert "?part=1" in part
    assert zhang.post(page_of(world) + "?part=1", TERMS).status_code == 204


@pytest.mark.parametrize("who", ["gao", "li", "wang"])
def test_nobody_else_changes_an_offer(client: Client, world: World, who: str) -> None:
    Member.objects.create(seller=world.farm, user=world.wang, role=MemberRole.PACKER)
    client.force_login(getattr(world, who))

    assert client.get(page_of(world)).status_code in {403, 404}
    assert save(client, world).status_code in {403, 404}
    assert offer(world).price_minor == 3590


def test_another_farms_goods_are_not_put_into_a_show(zhang: Client, world: World) -> None:
    world.apples.product.seller = world.other_farm
    world.apples.product.save()

    assert save(zhang, world).status_code == 404


def test_what_a_show_sold_stays_as_it_was_when_it_is_over(zhang: Client, world: World) -> None:
    Show.objects.update(state=ShowState.ENDED)

    assert save(zhang, world).status_code == 404
    assert offer(world).price_minor == 3590


def test_what_was_taken_out_is_put_back_as_it_was(zhang: Client, world: World) -> None:
    save(zhang, world, when="tap", lasts_s="30")
    shown = f"/studio/shows/{world.show.public_id}/offers/"
    assert b"Take it out" in zhang.get(page_of(world)).content

    assert zhang.post(page_of(world) + "remove/").status_code == 302
    assert not Offer.objects.filter(pk=world.apple_offer.pk).exists()
    assert b"Put it back" in zhang.get(shown).content
    zhang.post(page_of(world) + "back/")

    back = Offer.objects.get(show_id=world.show.public_id, variant=world.apples)
    assert (back.price_minor, back.quantity, back.on_tap, back.lasts_s) == (3000, 20, True, 30)
    assert b"Put it back" not in zhang.get(shown).content


def test_nobody_else_takes_an_offer_out(world: World, client: Client) -> None:
    client.force_login(world.li)
    for word in ("remove", "back"):
        assert client.post(f"{page_of(world)}{word}/").status_code == 403
    assert offer(world) == world.apple_offer
