"""The host's pages: who gets which, and what scheduling makes of a form."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from django.test import Client
from django.urls import reverse

from core.clock import now
from orders.models import Offer, Order, OrderState
from sellers.models import Member, MemberRole, Seller
from streams.models import Audience, Show, ShowState
from streams.services import ingest_keys
from tests import world as world_module
from tests.orders.shop import li_orders
from tests.world import World

SCHEDULE = "/studio/shows/new/"


def signed_in(user: object) -> Client:
    client = Client()
    client.force_login(user)  # type: ignore[arg-type]
    return client


def form(world: World, **changes: object) -> dict[str, object]:
    """What the page sends when both of Zhang's products are sold at their own price."""
    start = datetime.now(ZoneInfo("Asia/Shanghai")) + timedelta(hours=2)
    return {
        "title": "Harvest day",
        "starts_at": start.strftime("%Y-%m-%dT%H:%M"),
        "time_zone": "Asia/Shanghai",
        "audience": Audience.PUBLIC,
        f"offer-{world.apples.public_id}": "on",
        f"price-{world.apples.public_id}": "35.50",
        f"price-{world.pears.public_id}": "25.90",
        **changes,
    }


def ended(show: Show) -> Show:
    Show.objects.filter(pk=show.pk).update(state=ShowState.ENDED, started_at=now(), ended_at=now())
    show.refresh_from_db()
    return show


@pytest.mark.parametrize("path", ["/studio/", SCHEDULE])
def test_a_visitor_is_asked_to_sign_in_and_comes_back(db: None, path: str) -> None:
    response = Client().get(path)

    assert response.status_code == 302
    assert response["Location"] == f"{reverse('account_login')}?next={path}"


def test_somebody_who_sells_nothing_learns_how_to_become_a_host(world: World) -> None:
    page = signed_in(world.li).get("/studio/").content.decode()

    assert "Sell live from your own farm" in page
    assert SCHEDULE not in page


def test_zhang_sees_live_shows_first_then_coming_then_ended(world: World) -> None:
    over = ended(world_module.show_of(world.farm, world.zhang, "Yesterday's pears"))
    live = world_module.show_of(world.farm, world.zhang, "Picking now")
    Show.objects.filter(pk=live.pk).update(state=ShowState.LIVE, started_at=now())

    page = signed_in(world.zhang).get("/studio/").content.decode()

    places = [page.index(one.title.replace("'", "&#x27;")) for one in (live, world.show, over)]
    assert places == sorted(places)


def test_zhang_sees_only_his_own_farms_shows_and_zhao_sees_all(world: World) -> None:
    world_module.show_of(world.other_farm, world.gao, "Potatoes of Minxian")

    assert "Potatoes of Minxian" not in signed_in(world.zhang).get("/studio/").content.decode()
    assert "Potatoes of Minxian" in signed_in(world.zhao).get("/studio/").content.decode()


def test_a_packer_sees_the_orders_but_schedules_nothing(world: World) -> None:
    Member.objects.create(seller=world.farm, user=world.wang, role=MemberRole.PACKER)
    client = signed_in(world.wang)

    assert SCHEDULE not in client.get("/studio/").content.decode()
    assert client.get(SCHEDULE).status_code == 403
    assert client.post(SCHEDULE, form(world)).status_code == 403
    assert Show.objects.count() == 1


def test_a_show_is_scheduled_with_its_offers_and_prices(world: World) -> None:
    response = signed_in(world.zhang).post(SCHEDULE, form(world))

    show = Show.objects.get(title="Harvest day")
    assert response["Location"] == f"/studio/shows/{show.public_id}/?scheduled"
    assert (show.seller, show.host, show.state) == (world.farm, world.zhang, ShowState.SCHEDULED)
    offers = Offer.objects.filter(show_id=show.public_id)
    assert [(offer.variant, offer.price_minor) for offer in offers] == [(world.apples, 3550)]


def test_after_scheduling_comes_the_link_and_not_yet_the_camera(world: World) -> None:
    zhang = signed_in(world.zhang)
    path = f"/studio/shows/{world.show.public_id}/"
    page = zhang.get(f"{path}?scheduled").content.decode()
    assert f"http://testserver/shows/{world.show.public_id}/</code>" in page
    assert 'id="to-camera"' in page
    assert 'id="go-live"' not in page
    assert 'id="go-live"' in zhang.get(path).content.decode()
    Show.objects.filter(pk=world.show.pk).update(state=ShowState.LIVE)
    assert 'id="go-live"' in zhang.get(f"{path}?scheduled").content.decode()


def test_the_sample_is_in_no_sum_beside_a_real_shop(world: World) -> None:
    sample = Seller.objects.create(name="Sample shop", currency="CNY", is_sample=True)
    Member.objects.create(seller=sample, user=world.zhang, role=MemberRole.OWNER)
    world_module.variant(sample, "Sample honey", "1 jar", price_minor=900, on_hand=1)
    home = signed_in(world.zhang).get("/studio/")
    assert "Sample honey" not in home.content.decode()
    assert home.context["stock"].variants == 2
    Member.objects.filter(user=world.zhang).exclude(seller=sample).delete()
    assert "Sample honey" in signed_in(world.zhang).get("/studio/").content.decode()


def test_after_the_show_the_first_thing_is_what_there_is_to_pack(world: World) -> None:
    zhang = signed_in(world.zhang)
    path = f"/studio/shows/{world.show.public_id}/"
    for key in ("first-click", "second-click"):
        li_orders(world, key=key)
    ended(world.show)
    assert "2 orders to pack" in zhang.get(path).content.decode()
    Order.objects.update(state=OrderState.PACKED)
    assert 'id="to-pack"' not in zhang.get(path).content.decode()


def test_a_show_that_is_sent_twice_is_scheduled_once(world: World) -> None:
    client = signed_in(world.zhang)
    assert 'name="form_key"' in client.get(SCHEDULE).content.decode()
    typed = form(world, form_key=str(uuid4()))

    places = {client.post(SCHEDULE, typed)["Location"] for _tap in range(4)}

    show = Show.objects.get(title="Harvest day")
    assert places == {f"/studio/shows/{show.public_id}/?scheduled"}
    assert Offer.objects.filter(show_id=show.public_id).count() == 1


def test_the_start_is_meant_in_the_hosts_own_time(world: World) -> None:
    start = (datetime.now(ZoneInfo("Europe/Berlin")) + timedelta(hours=3)).replace(
        second=0, microsecond=0, tzinfo=None
    )
    typed = form(world, time_zone="Europe/Berlin", starts_at=start.strftime("%Y-%m-%dT%H:%M"))

    signed_in(world.zhang).post(SCHEDULE, typed)

    meant = start.replace(tzinfo=ZoneInfo("Europe/Berlin")).astimezone(UTC)
    assert Show.objects.get(title="Harvest day").scheduled_at == meant


def test_without_a_time_zone_the_instances_own_is_meant(world: World) -> None:
    typed = form(world, time_zone="")

    signed_in(world.zhang).post(SCHEDULE, typed)

    start = datetime.fromisoformat(str(typed["starts_at"]))
    meant = start.replace(tzinfo=ZoneInfo("Asia/Shanghai"))
    assert Show.objects.get(title="Harvest day").scheduled_at == meant


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"title": "  "}, "This field is required."),
        ({"title": "x" * 121}, "at most 120 characters"),
        ({"starts_at": "2020-01-01T10:00"}, "This time is over."),
        ({"starts_at": "2999-01-01T10:00"}, "more than a year away"),
        ({"starts_at": "tomorrow"}, "Enter a valid date/time."),
        ({"audience": "nobody"}, "Select a valid choice."),
        ({"time_zone": "Mars/Olympus"}, "This time zone is not known here."),
        ({"time_zone": "../../etc/passwd"}, "This time zone is not known here."),
        ({"time_zone": "Europe"}, "This time zone is not known here."),
    ],
)
def test_what_is_wrong_is_said_beside_its_field(
    world: World, changes: dict[str, object], said: str
) -> None:
    response = signed_in(world.zhang).post(SCHEDULE, form(world, **changes))

    assert response.status_code == 422
    assert said in response.content.decode()
    assert Show.objects.count() == 1


@pytest.mark.parametrize("price", ["", "0", "-3", "0.001", "free", "99999999999"])
def test_a_price_that_nobody_can_pay_is_refused(world: World, price: str) -> None:
    typed = form(world, **{f"price-{world.apples.public_id}": price})

    response = signed_in(world.zhang).post(SCHEDULE, typed)

    assert response.status_code == 422
    assert "field__error" in response.content.decode()
    assert Show.objects.count() == 1


def test_what_is_sold_can_be_few_for_each_and_at_a_time(world: World) -> None:
    apples, pears = world.apples.public_id, world.pears.public_id
    closes = datetime.now(ZoneInfo("Asia/Shanghai")) + timedelta(hours=3)
    typed = form(
        world,
        **{
            f"quantity-{apples}": "20",
            f"per_buyer-{apples}": "2",
            f"when-{apples}": "tap",
            f"lasts_s-{apples}": "60",
            f"offer-{pears}": "on",
            f"when-{pears}": "window",
            f"closes_at-{pears}": closes.strftime("%Y-%m-%dT%H:%M"),
        },
    )

    assert signed_in(world.zhang).post(SCHEDULE, typed).status_code == 302

    show = Show.objects.get(title="Harvest day")
    drop = Offer.objects.get(show_id=show.public_id, variant=world.apples)
    assert (drop.price_minor, drop.quantity, drop.per_buyer) == (3550, 20, 2)
    assert (drop.on_tap, drop.lasts_s) == (True, 60)
    window = Offer.objects.get(show_id=show.public_id, variant=world.pears)
    assert window.closes_at == closes.replace(second=0, microsecond=0)
    assert (window.quantity, window.per_buyer, window.opens_at) == (None, None, None)


@pytest.mark.parametrize(
    ("terms", "said"),
    [
        ({"quantity": "0"}, "greater than or equal to 1"),
        ({"per_buyer": "many"}, "Enter a whole number."),
        ({"when": "window"}, "Please write from or until when."),
        ({"when": "window", "closes_at": "2020-01-01T10:00"}, "more than a year away"),
    ],
)
def test_terms_that_cannot_be_are_said_beside_them(
    world: World, terms: dict[str, str], said: str
) -> None:
    of_apples = {f"{name}-{world.apples.public_id}": value for name, value in terms.items()}
    response = signed_in(world.zhang).post(SCHEDULE, form(world, **of_apples))

    assert response.status_code == 422
    assert said in response.content.decode()
    assert "offer-choice__terms" in response.content.decode()
    assert Show.objects.count() == 1

    of_pears = {f"{name}-{world.pears.public_id}": value for name, value in terms.items()}
    assert signed_in(world.zhang).post(SCHEDULE, form(world, **of_pears)).status_code == 302


def test_a_show_sells_something(world: World) -> None:
    typed = form(world)
    del typed[f"offer-{world.apples.public_id}"]

    response = signed_in(world.zhang).post(SCHEDULE, typed)

    assert "Choose at least one thing to sell." in response.content.decode()
    assert Show.objects.count() == 1


def test_gao_cannot_schedule_for_zhangs_farm(world: World) -> None:
    typed = form(world, seller=world.farm.public_id)

    assert signed_in(world.gao).post(SCHEDULE, typed).status_code == 404
    assert Show.objects.count() == 1


def test_the_console_has_a_key_for_this_show_alone(world: World) -> None:
    page = signed_in(world.zhang).get(f"/studio/shows/{world.show.public_id}/")

    key = page.context["command"].split("--key ")[1].split()[0]
    assert ingest_keys.show_of(key) == world.show.public_id
    assert "Go live" in page.content.decode()


@pytest.mark.parametrize("person", ["li", "gao", "chen"])
def test_the_console_opens_for_its_host_and_the_operator_alone(world: World, person: str) -> None:
    address = f"/studio/shows/{world.show.public_id}/"

    denied = signed_in(getattr(world, person)).get(address)

    assert denied.status_code in (403, 404)
    assert "--key" not in denied.content.decode()
    assert signed_in(world.zhao).get(address).status_code == 200


def test_a_helper_keeps_order_and_packs_but_has_no_camera_and_no_key(world: World) -> None:
    Member.objects.create(seller=world.farm, user=world.wang, role=MemberRole.PACKER)

    page = signed_in(world.wang).get(f"/studio/shows/{world.show.public_id}/").content.decode()

    assert 'id="panel-orders"' in page
    assert "Go live" not in page
    assert "--key" not in page
    assert 'id="words-open"' not in page


def test_a_helper_does_not_cut_the_replay(world: World) -> None:
    Member.objects.create(seller=world.farm, user=world.wang, role=MemberRole.PACKER)
    ended(world.show)

    assert signed_in(world.wang).get(f"/studio/shows/{world.show.public_id}/").status_code == 403


def test_a_show_that_is_not_there_is_not_found(world: World) -> None:
    assert signed_in(world.zhang).get(f"/studio/shows/{uuid4()}/").status_code == 404


def test_an_ended_show_without_a_camera_says_that_nothing_was_recorded(world: World) -> None:
    ended(world.show)

    page = signed_in(world.zhang).get(f"/studio/shows/{world.show.public_id}/").content.decode()

    assert "Nothing was recorded" in page


@pytest.mark.parametrize("path", ["/studio/", SCHEDULE, "console"])
def test_no_page_has_a_script_or_style_inside(world: World, path: str) -> None:
    address = f"/studio/shows/{world.show.public_id}/" if path == "console" else path

    page = signed_in(world.zhang).get(address).content.decode()

    assert " style=" not in page
    assert "<style" not in page
    assert " onclick=" not in page


def test_a_stranger_is_turned_away_without_a_traceback(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    response = signed_in(world.li).get(f"/studio/shows/{world.show.public_id}/")

    assert response.status_code == 403
    assert "This is not open to you" in response.content.decode()
    assert not [record for record in caplog.records if record.exc_info]
