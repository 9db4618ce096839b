"""Delivery and papers: zones, points, terms, packing slips and pick lists."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client, override_settings

from core.errors import InvalidInput
from core.ids import new_id
from orders.models import Delivery, OrderState
from sellers.models import DeliveryZone, Member, MemberRole, PickupPoint, Seller
from sellers.regions import REGIONS
from sellers.services import zones
from tests.orders.shelf_of_orders import an_order
from tests.world import World

PAGE = "/studio/delivery/"
KEY = "01a20000-0000-7000-8000-000000000003"
NEAR: dict[str, Any] = {
    "name": "near",
    "is_served": "yes",
    "regions": ["51", "62"],
    "base_fee": "8",
    "base_weight": "3",
    "step_fee": "1.5",
    "step_weight": "1",
    "free_from": "99",
}
TERMS = {
    "min_order": "20",
    "takes_cash": "on",
    "takes_online": "on",
    "hold_minutes": "30",
    "cancel_until": "sent",
    "refund_days": "14",
}
POINT = {"name": "School", "address": "3 Hill Road", "hours": "8-9"}


@pytest.fixture
def zhang(world: World, client: Client) -> Client:
    client.force_login(world.zhang)
    return client


def add_zone(client: Client, **changes: object) -> Any:
    return client.post(f"{PAGE}zones/new/", NEAR | changes)


def fee(client: Client, kg: str, region: str, goods: str = "") -> str:
    return str(client.get(PAGE, {"kg": kg, "region": region, "goods": goods}).context["fee"])


def test_there_are_all_34_regions() -> None:
    assert len(dict(REGIONS)) == 34


def test_fees_go_by_region_and_weight(zhang: Client, world: World) -> None:
    add_zone(zhang)
    add_zone(zhang, name="far", regions=["65"], is_served="no")

    assert fee(zhang, "3", "51") == "3 kg to Sichuan cost ¥8.00."
    assert fee(zhang, "50", "51") == "50 kg to Sichuan cost ¥78.50."
    assert fee(zhang, "5.001", "62") == "5.001 kg to Gansu cost ¥12.50."
    assert fee(zhang, "5", "51", "99") == "5 kg to Sichuan cost nothing."
    assert fee(zhang, "5", "65") == "You do not deliver to Xinjiang."
    assert fee(zhang, "5", "11") == "You do not deliver to Beijing."
    assert fee(zhang, "-5", "11") == fee(zhang, "x", "99") == ""
    assert len(zhang.get(PAGE).context["unnamed"]) == 31


def test_a_zone_is_added_once_and_changed(zhang: Client, world: World) -> None:
    for _tap in range(2):
        assert add_zone(zhang, form_key=KEY)["Location"].startswith(PAGE)
    zone = DeliveryZone.objects.get()
    address = f"{PAGE}zones/{zone.public_id}/"
    assert 'value="8.00"' in zhang.get(address).content.decode()

    zhang.post(address, NEAR | {"base_fee": "9", "regions": ["51"]})

    zone.refresh_from_db()
    assert (zone.base_fee_minor, zone.regions, zone.free_from_minor) == (900, ["51"], 9900)
    zhang.post(f"{address}remove/")
    assert not DeliveryZone.objects.exists()


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "n" * 10_000}, "name"),
        ({"regions": ["51"]}, "regions"),  # is in another zone
        ({"regions": ["99"]}, "regions"),
        ({"base_fee": "-1"}, "base_fee"),
        ({"base_fee": ""}, "base_fee"),
        ({"base_fee": "NaN"}, "base_fee"),
        ({"step_weight": "0"}, "step_weight"),
        ({"base_weight": "1e9"}, "base_weight"),
        ({"free_from": "1.999"}, "free_from"),
        ({"is_served": "perhaps"}, "is_served"),
    ],
)
def test_a_zone_that_cannot_be_is_said_so(
    zhang: Client, world: World, changes: dict[str, Any], field: str
) -> None:
    add_zone(zhang)

    answer = add_zone(zhang, **{"regions": ["11"]} | changes)

    assert answer.status_code == 422
    assert list(answer.context["form"].errors) == [field]
    assert DeliveryZone.objects.count() == 1


def test_one_zone_is_for_everywhere_else(world: World) -> None:
    rest = zones.ZoneTerms("everywhere")
    zones.add_zone(world.farm, world.zhang, rest, public_id=new_id())

    with pytest.raises(InvalidInput):
        zones.add_zone(world.farm, world.zhang, rest, public_id=new_id())


def test_terms_are_changed(zhang: Client, world: World) -> None:
    zhang.post(f"{PAGE}terms/", TERMS)

    farm = Seller.objects.get(pk=world.farm.pk)
    assert (farm.min_order_minor, farm.hold_minutes, farm.cancel_until) == (2000, 30, "sent")
    assert farm.refund_days == 14


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"min_order": "-1"}, "min_order"),
        ({"hold_minutes": "1"}, "hold_minutes"),
        ({"hold_minutes": "1441"}, "hold_minutes"),
        ({"cancel_until": "eaten"}, "cancel_until"),
        ({"refund_days": "366"}, "refund_days"),
        ({"takes_cash": "", "takes_online": ""}, "takes_cash"),
    ],
)
def test_terms_that_cannot_be_change_nothing(
    zhang: Client, world: World, changes: dict[str, str], field: str
) -> None:
    typed = {name: value for name, value in (TERMS | changes).items() if value}

    answer = zhang.post(f"{PAGE}terms/", typed)

    assert answer.status_code == 422
    assert list(answer.context["terms_form"].errors) == [field]
    assert Seller.objects.get(pk=world.farm.pk).hold_minutes == 15


@override_settings(STRIPE_SECRET_KEY="")
def test_where_nobody_can_pay_online_the_terms_say_so(zhang: Client, world: World) -> None:
    only_online = {name: typed for name, typed in TERMS.items() if name != "takes_cash"}

    assert b"Payment online is not set up on this site yet" in zhang.get(PAGE).content
    answer = zhang.post(f"{PAGE}terms/", only_online)

    assert answer.status_code == 422
    assert list(answer.context["terms_form"].errors) == ["takes_cash"]
    assert Seller.objects.get(pk=world.farm.pk).takes_cash


def test_a_point_opens_closes_and_stays_while_orders_wait(zhang: Client, world: World) -> None:
    for _tap in range(2):
        zhang.post(f"{PAGE}points/new/", POINT | {"form_key": KEY})
    school = PickupPoint.objects.get(name="School")
    an_order(world, delivery=Delivery.PICKUP, pickup_point=world.pickup)
    waiting = {point.name: point.waiting for point in zhang.get(PAGE).context["points"]}
    assert waiting == {"School": 0, "Village shop": 1}

    for point in (school, world.pickup):
        zhang.post(f"{PAGE}points/{point.public_id}/open/", {"open": "no"})
        zhang.post(f"{PAGE}points/{point.public_id}/remove/")

    assert list(PickupPoint.objects.values_list("name", "is_active")) == [("Village shop", False)]


@pytest.mark.parametrize("who", ["gao", "li", "wang"])
def test_nobody_else_changes_how_a_shop_delivers(client: Client, world: World, who: str) -> None:
    Member.objects.create(seller=world.farm, user=world.wang, role=MemberRole.PACKER)
    zone = DeliveryZone.objects.create(seller=world.farm, name="all")
    client.force_login(getattr(world, who))
    mine = {"seller": str(world.farm.public_id)}
    for path, typed in (
        ("terms/", TERMS),
        ("zones/new/", NEAR),
        (f"zones/{zone.public_id}/", NEAR),
        (f"zones/{zone.public_id}/remove/", {}),
        ("points/new/", POINT),
        (f"points/{world.pickup.public_id}/", POINT),
        (f"points/{world.pickup.public_id}/open/", {"open": "no"}),
        (f"points/{world.pickup.public_id}/remove/", {}),
    ):
        assert client.post(PAGE + path, typed | mine).status_code == 404

    zone.refresh_from_db()
    assert (zone.name, DeliveryZone.objects.count(), PickupPoint.objects.count()) == ("all", 1, 1)
    assert Seller.objects.get(pk=world.farm.pk).hold_minutes == 15


def test_a_slip_has_what_the_packer_needs_and_no_more(zhang: Client, world: World) -> None:
    sent = an_order(world, note="ring twice")
    fetched = an_order(
        world,
        delivery=Delivery.PICKUP,
        pickup_point=world.pickup,
        pickup_code="604511",
        phone="13977776666",
    )
    an_order(world, state=OrderState.CANCELLED, recipient="Nobody")

    page = zhang.get("/studio/orders/slips/").content.decode()

    for words in (sent.number, "8 River Street, Sichuan", "13800138000", "ring twice", "604511"):
        assert words in page
    assert "13977776666" not in page  # who fetches is known by code and the phone's end
    assert "…6666" in page
    assert "Nobody" not in page
    assert page.count("data:image/svg+xml") == 2
    only = zhang.get("/studio/orders/slips/", {"order": fetched.number}).context["slips"]
    assert [slip.order for slip in only] == [fetched]


def test_a_pick_list_adds_up_by_variant_and_show(zhang: Client, world: World) -> None:
    an_order(world, (world.apples, 2), (world.pears, 1))
    an_order(world, (world.apples, 3), show_id=None)

    seen = zhang.get("/studio/orders/pick-list/").context

    total = [(pick.title, pick.quantity, pick.orders) for pick in seen["total"].rows]
    assert total == [("Huaniu apples, 5 kg box", 5, 2), ("Snow pears, 3 kg box", 1, 1)]
    assert seen["total"].weight_g == 30_000
    assert sorted(part.quantity for part in seen["parts"]) == [3, 3]
