"""A county's operator adds a second farm, and goes on to invite its owner."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from core.accounts.models import Invitation, User
from core.ids import new_id
from livecommerce.people.invitations import token_of
from sellers.models import Member, MemberRole, Seller
from sellers.services.people import add_member
from sellers.services.zones import ZoneTerms, add_zone
from tests.world import World

HUA = {"shop_name": "Hua's tea garden", "shop_place": "Pingwu"}


@pytest.fixture
def operator(world: World) -> Client:
    client = Client()
    client.force_login(world.zhao)
    return client


def chosen(page: str) -> list[str]:
    return re.findall(r'<option value="(\w+:\w+)" selected', page)


def choices(page: str) -> list[str]:
    return re.findall(r'<option value="(?:\w+:)\w+"[^>]*>([^<]*)<', page)


def test_an_operator_adds_a_farm_whose_owner_joins_from_a_sheet(
    operator: Client, world: World
) -> None:
    page = operator.post("/operator/people/shops/", HUA, follow=True)
    shop = Seller.objects.get(name="Hua's tea garden")
    owner = f"owner:{shop.public_id.hex}"
    assert (shop.place, shop.currency) == ("Pingwu", "CNY")
    assert owner in chosen(page.content.decode())
    assert "Invite its owner" in page.content.decode()

    operator.post("/operator/people/invite/", {"names": "Hua", "as": owner, "days": "14"})
    token = token_of(Invitation.objects.get())
    typed = {"name": "Hua", "login": "hua", "password": "tea-in-the-morning-fog"}
    Client().post(f"/join/{token}/", typed)
    hua = Member.objects.filter(seller=shop, user=User.objects.get(username="hua"))
    assert set(hua.values_list("role", flat=True)) == {"owner", "host"}


def test_it_delivers_as_the_first_shop_does(operator: Client, world: World) -> None:
    terms = ZoneTerms("Gansu", regions=("62",), base_fee_minor=600, step_fee_minor=200)
    add_zone(world.farm, world.zhang, terms, public_id=new_id())
    operator.post("/operator/people/shops/", HUA)
    zone = Seller.objects.get(name="Hua's tea garden").zones.get()
    assert (zone.regions, zone.base_fee_minor, zone.step_fee_minor) == (["62"], 600, 200)
    assert world.farm.zones.count() == 1


def test_sent_twice_it_is_one_shop(operator: Client, world: World) -> None:
    form = HUA | {"form_key": str(new_id())}
    for _time in range(2):
        assert operator.post("/operator/people/shops/", form).status_code == 302
    assert Seller.objects.filter(name="Hua's tea garden").count() == 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"shop_name": ""},
        {"shop_name": " "},
        {"shop_name": "x" * 81},
        {"shop_name": "ZHANG'S ORCHARD"},
        {"shop_place": "x" * 121},
    ],
)
def test_what_is_wrong_is_said_and_kept(
    operator: Client, world: World, wrong: dict[str, str]
) -> None:
    before = Seller.objects.count()
    answer = operator.post("/operator/people/shops/", HUA | wrong)
    assert (answer.status_code, answer.context["problem"].field) == (422, next(iter(wrong)))
    assert Seller.objects.count() == before


def test_real_shops_come_first_and_the_sample_is_none(operator: Client, world: World) -> None:
    sample = Seller.objects.create(name="A sample", is_sample=True)
    Seller.objects.filter(pk=world.other_farm.pk).update(name="AA practice", is_sandbox=True)
    found = choices(operator.get("/operator/people/").content.decode())
    assert found[0] == "Zhang&#x27;s orchard: host"
    assert found[-1].startswith("AA practice")
    assert not any("A sample" in one for one in found)

    add_member(sample, world.li, MemberRole.HOST)  # who was invited to it by mistake can go again
    page = operator.get("/operator/people/").content.decode()
    assert f"/operator/people/{sample.public_id}/{world.li.public_id}/" in page
    assert not any("A sample" in one for one in choices(page))
