"""Sample data: added to look around, and removed again without a trace, or a loss."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from django.apps import apps
from django.test import Client

from core.accounts.models import User
from core.errors import Conflict, NotAllowed
from core.models import OutboxFact
from courses.models import Course, Lesson
from livecommerce import cli
from livecommerce.first_run import door, sample
from media_pipeline.models import Asset, AssetKind, Recording
from media_pipeline.storage import storage
from orders.models import Order, OrderState
from orders.services.fulfil import move_order
from orders.services.place import place_order
from sellers.models import Product, Seller
from streams.models import Show, ShowState
from streams.services import rehearsals
from streams.studio import checklist
from tests.livecommerce.test_first_run import FILLED
from tests.orders.shop import li_orders
from tests.world import World

PAGE = "/operator/site/sample/"


def rows() -> dict[str, int]:
    """How many there are of everything."""
    return {
        model._meta.label: model._default_manager.count()
        for model in apps.get_models()
        if model is not OutboxFact and not model._meta.label.startswith("sessions.")
    }


@pytest.fixture
def shop(world: World) -> Seller:
    return sample.add(world.zhao)


def order(shop: Seller, buyer: User) -> Order:
    variant = Product.objects.filter(seller=shop).earliest("pk").variants.get()
    line = {"variant_id": variant.public_id, "quantity": 1, "price_minor": variant.price_minor}
    point_id = str(shop.pickup_points.get().public_id)
    fetched = {"kind": "pickup", "point_id": point_id, "name": "Li", "phone": "13800138000"}
    return place_order(buyer=buyer, key="one", lines=[line], delivery=fetched)


def test_it_comes_and_goes_without_a_trace(world: World) -> None:
    li_orders(world)
    before = rows()
    shop = sample.add(world.zhao)
    assert sample.add(world.zhao) == shop, "once"
    pictures = list(Product.objects.filter(seller=shop).values_list("image_key", flat=True))
    assert all(storage().size(key) for key in pictures)
    rehearsals.open_rehearsal(shop, world.zhao)
    order(shop, world.zhao)
    assert sample.remove(world.zhao)
    assert rows() == before
    assert not any(storage().size(key) for key in pictures)
    assert not sample.remove(world.zhao)


def test_all_of_it_says_what_it_is(world: World, shop: Seller) -> None:
    show = Show.objects.get(seller=shop)
    for path in (f"/shows/{show.public_id}/", f"/shop/{shop.public_id}/"):
        page = Client().get(path).content.decode()
        titles = [one.title for one in Product.objects.filter(seller=shop)]
        assert len(titles) == 3
        assert all(title.startswith("Sample: ") and title in page for title in titles)
        assert "Sample shop" in page
    assert show.title in Client().get("/").content.decode()
    assert show.title.startswith("Sample: ")
    assert checklist.first_show(world.zhao) is None, "nobody's first show is prepared in it"


def test_what_a_buyer_ordered_is_not_lost(world: World, shop: Seller) -> None:
    zhao = Client()
    zhao.force_login(world.zhao)
    bought = order(shop, world.li)
    before = rows()
    with pytest.raises(Conflict, match="1 order of a buyer hangs on it"):
        sample.remove(world.zhao)
    assert rows() == before
    assert "1 order of a buyer hangs on it" in zhao.get("/operator/site/").content.decode()
    zhao.post(PAGE, {"do": "remove"})
    assert Order.objects.filter(pk=bought.pk).exists()
    assert sample.sample() == shop
    move_order(bought.public_id, OrderState.CANCELLED, world.zhao)
    zhao.post(PAGE, {"do": "remove"})
    assert sample.sample() is None


def test_what_is_on_the_air_stays(world: World, shop: Seller) -> None:
    Show.objects.filter(seller=shop).update(state=ShowState.LIVE)
    with pytest.raises(Conflict, match="is live"):
        sample.remove(world.zhao)


def test_what_became_a_lesson_stays(world: World, shop: Seller) -> None:
    show = Show.objects.get(seller=shop)
    recording = Recording.objects.create(show_id=show.public_id, is_public=True, state="ready")
    clip = Asset.objects.create(kind=AssetKind.CLIP, recording=recording, is_public=True)
    course = Course.objects.create(title="Weighing", created_by=world.chen)
    Lesson.objects.create(course=course, title="Weighing", asset=clip)
    before = rows()
    with pytest.raises(Conflict, match="A lesson was made"):
        sample.remove(world.zhao)
    assert rows() == before


def test_of_two_who_add_it_at_once_both_get_the_one(
    world: World, shop: Seller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sample, "sample", lambda: None)  # looked before the other was done
    assert sample.add(world.zhao) == shop
    assert Seller.objects.filter(is_sample=True).count() == 1


def test_only_operators_add_and_remove(world: World) -> None:
    client = Client()
    client.force_login(world.zhang)
    assert client.post(PAGE, {"do": "add"}).status_code == 403
    with pytest.raises(NotAllowed):
        sample.add(world.zhang)
    assert sample.sample() is None
    zhao = Client()
    zhao.force_login(world.zhao)
    zhao.post(PAGE, {"do": "add"})
    assert sample.sample() is not None
    assert client.post(PAGE, {"do": "remove"}).status_code == 403
    assert sample.sample() is not None


def test_a_command_line_acts_for_the_first_operator(world: World) -> None:
    assert sample.first_operator() == world.zhao
    world.zhao.role_grants.all().delete()
    with pytest.raises(NotAllowed, match="make an operator first"):
        sample.first_operator()


def test_it_is_added_and_removed_in_a_terminal(world: World) -> None:
    def run(action: str) -> str:
        result = CliRunner().invoke(cli.sample, [action])
        assert result.exit_code == 0, result.output
        return result.output

    assert "Remove it with: livecommerce sample remove" in run("add")
    shop = sample.sample()
    assert shop is not None
    order(shop, world.li)
    refused = CliRunner().invoke(cli.sample, ["remove"])
    assert (refused.exit_code, "1 order of a buyer" in refused.output) == (1, True)
    Order.objects.update(state=OrderState.CANCELLED)
    assert "gone" in run("remove")
    assert "There is no sample shop" in run("remove")


def test_the_first_run_page_adds_it_if_asked(
    client: Client, db: None, settings: Any, tmp_path: Path
) -> None:
    settings.DATA_ROOT = tmp_path
    secret = door.open_if_new()
    client.post(f"/first-run/{secret}/", FILLED | {"with_sample": "on", "currency": "JPY"})
    shop = sample.sample()
    assert shop is not None
    assert shop.currency == "JPY"
    assert Product.objects.get(title="Sample: apples").variants.get().price_minor == 40
