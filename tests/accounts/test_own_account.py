"""One's own account: name and language, devices, a copy of everything, and leaving for good."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.test import Client

from core.accounts import devices
from core.accounts.devices import device_name
from core.accounts.models import Device, Role, User
from core.accounts.services import grant
from core.clock import now
from core.ids import new_id
from core.realtime.models import LogEntry
from livecommerce.people import leaving
from livecommerce.people.export import everything_of
from orders.models import Order, OrderState
from sellers.models import Member, MemberRole
from sellers.services import people
from streams.models import Show
from tests.accounts.test_tokens import ask, token
from tests.orders.shop import hear_of_orders, li_orders
from tests.world import PASSWORD, World

PHONE = (
    "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/130.0.0.0 Mobile Safari/537.36"
)
WECHAT = PHONE + " MicroMessenger/8.0.50"
IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 "
    "(KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1"
)


def at(user: User, agent: str = PHONE) -> Client:
    """A device on which somebody has signed in and looked at a page."""
    client = Client(headers={"user-agent": agent})
    client.force_login(user)
    client.get("/me/")
    return client


def said(user: User, text: str) -> None:
    LogEntry.objects.create(
        topic="show:x",
        epoch="e",
        seq=LogEntry.objects.count() + 1,
        at=now(),
        type="chat.message",
        data={"user_id": str(user.public_id), "name": user.shown_name, "text": text},
    )


# Name and devices


def test_name_and_language_are_kept(world: World) -> None:
    client = at(world.li)
    client.post("/me/details/", {"name": " Li  Na ", "language": "zh-hans"})
    client.post("/me/details/", {"name": "Li", "language": "tlh"})
    client.post("/me/details/", {"name": "x" * 1_000_000, "language": "en"})
    world.li.refresh_from_db()
    assert (world.li.display_name, world.li.language) == ("Li", "zh-hans")


@pytest.mark.parametrize(
    ("agent", "name"),
    [
        (PHONE, "Chrome on Android"),
        (WECHAT, "WeChat on Android"),
        (IPHONE, "Safari on iPhone"),
        ("curl/8", "Unknown device"),
        ("\u202e" * 400, "Unknown device"),
    ],
)
def test_a_device_is_called_what_people_call_it(agent: str, name: str) -> None:
    assert device_name(agent) == name


def test_all_devices_are_listed_with_this_one_first(world: World) -> None:
    here, _there, _other = at(world.li), at(world.li, IPHONE), at(world.gao)
    found = here.get("/me/devices/").context["devices"]
    assert [(one.name, one.is_this) for one in found] == [
        ("Chrome on Android", True),
        ("Safari on iPhone", False),
    ]


def test_a_device_is_noted_once_in_a_while(world: World) -> None:
    client = at(world.li)
    first = Device.objects.get().seen_at
    client.get("/me/")
    client.get("/api/v1/orders")
    assert Device.objects.get().seen_at == first


def test_another_device_is_signed_out(world: World) -> None:
    here, there = at(world.li), at(world.li, IPHONE)
    device = Device.objects.get(session_key=there.session.session_key)
    here.post(f"/me/devices/{device.public_id}/")
    assert there.get("/me/").status_code == 302
    assert here.get("/me/").status_code == 200


def test_nobody_signs_anothers_device_out(world: World) -> None:
    there = at(world.li)
    assert at(world.gao).post(f"/me/devices/{Device.objects.first().public_id}/").status_code == 404  # type: ignore[union-attr]
    assert there.get("/me/").status_code == 200


def test_everywhere_else_leaves_this_one(world: World) -> None:
    here, there = at(world.li), at(world.li, IPHONE)
    here.post("/me/devices/sign-out/")
    assert (here.get("/me/").status_code, there.get("/me/").status_code) == (200, 302)


def test_devices_whose_session_is_over_are_forgotten(world: World) -> None:
    at(world.li)
    Session.objects.all().delete()
    assert devices.devices_of(world.li, None) == []
    devices.forget_old()
    assert not Device.objects.exists()


# A copy of everything


def test_everything_that_is_kept_about_somebody_is_theirs_to_take(world: World) -> None:
    order = li_orders(world)
    hear_of_orders()
    said(world.li, "Are they sweet?")
    said(world.gao, "not Li's")
    token(world.li, "read:orders")
    answer = at(world.li).get("/me/data/")
    found = answer.json()
    assert "attachment" in answer["Content-Disposition"]
    assert found["orders"][0]["number"] == order.number
    assert found["orders"][0]["lines"][0]["quantity"] == 2
    assert [one["text"] for one in found["messages"]] == ["Are they sweet?"]
    assert found["addresses"][0]["phone"] == order.phone
    assert "digest" not in answer.content.decode()
    assert len(everything_of(world.gao)["orders"]) == 0  # type: ignore[arg-type]


def test_nobody_takes_it_without_signing_in(client: Client, world: World) -> None:
    assert client.get("/me/data/").status_code == 302


# Leaving


def leave(client: Client, **typed: str) -> Any:
    return client.post("/me/leave/", {"password": PASSWORD, "sure": "on"} | typed)


def test_who_leaves_is_gone_and_the_orders_stay_without_them(world: World) -> None:
    order = li_orders(world)
    Order.objects.update(state=OrderState.DELIVERED)
    User.objects.filter(pk=world.li.pk).update(phone="+8613912345678")
    said(world.li, "Li was here")
    key = token(world.li, "read:orders")
    client, other = at(world.li), at(world.li, IPHONE)

    assert leave(client)["Location"] == "/"

    order.refresh_from_db()
    assert order.total_minor == 7180
    assert order.buyer.shown_name == "somebody who left"
    assert not {order.recipient, order.phone, order.address} - {""}
    gone = User.objects.get(pk=world.li.pk)
    assert (gone.is_active, gone.phone, gone.display_name) == (False, None, "")
    message = LogEntry.objects.get(type="chat.message")
    assert (message.data["text"], message.data["name"]) == ("", "")
    assert message.removed_at is not None
    assert other.get("/me/").status_code == 302
    assert ask("get", "/api/v1/orders", key).status_code == 401
    assert not Client().login(username="li", password=PASSWORD)


@pytest.mark.parametrize("typed", [{"password": "guessed"}, {"password": ""}, {"sure": ""}])
def test_only_who_is_sure_and_knows_the_password_leaves(
    world: World, typed: dict[str, str]
) -> None:
    sent = {"password": PASSWORD, "sure": "on"} | typed
    client = at(world.li)
    answer = client.post("/me/leave/", {name: value for name, value in sent.items() if value})
    assert answer.status_code == 422
    world.li.refresh_from_db()
    assert world.li.is_active


def test_the_last_owner_is_told_what_to_do_first(world: World) -> None:
    assert leave(at(world.zhang)).status_code == 409
    assert "only owner of Zhang's orchard" in leaving.obstacles(world.zhang)[0]
    people.add_member(world.farm, world.li, MemberRole.OWNER)
    assert leave(at(world.zhang)).status_code == 302
    assert not Member.objects.filter(user=world.zhang).exists()
    assert world.show.host.pk == world.zhang.pk


def test_so_is_the_last_operator_who_is_live_and_who_waits_for_something(world: World) -> None:
    li_orders(world)
    Show.objects.filter(pk=world.show.pk).update(state="live", host=world.gao)
    assert leave(at(world.zhao)).status_code == 409
    assert leave(at(world.li)).status_code == 409
    people.add_member(world.other_farm, world.wang, MemberRole.OWNER)
    assert leave(at(world.gao)).status_code == 409
    assert User.objects.filter(is_active=False).count() == 0
    grant(world.chen, Role.OPERATOR)
    assert leave(at(world.zhao)).status_code == 302


def test_two_who_left_do_not_collide_and_their_names_cannot_be_taken(world: World) -> None:
    for user in (world.wang, world.chen):
        leaving.leave(user, PASSWORD, sure=True)
    assert User.objects.filter(username__startswith="left:").count() == 2
    typed = {"username": f"left:{new_id().hex}", "password1": "pear-tree-by-the-well"}
    Client().post("/accounts/signup/", typed | {"display_name": "Mei"})
    assert User.objects.filter(username__startswith="left:").count() == 2
