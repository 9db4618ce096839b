"""What is sold in practice is in no list, figure, feed, export, paper or report of anybody."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from prometheus_client import REGISTRY, generate_latest

from core.accounts.models import User
from courses.practice import sandbox, services
from courses.practice.models import Attempt
from courses.services import learning
from livecommerce.people import export
from livecommerce.people.shops import shops
from livecommerce.views import listed_shows
from media_pipeline import jobs
from media_pipeline.models import Recording, RecordingState
from orders.models import Offer, Order
from orders.services.place import place_order
from sellers import access as sellers_access
from sellers.services.people import owned_alone
from streams.models import Approval, Show
from streams.operator import selectors as operator_selectors
from streams.services import approvals
from streams.studio import access as studio_access
from tests.courses.practice.conftest import begin, finish
from tests.orders.shop import TO_LI
from tests.world import World

MARK = "Practice apples"
OWN = ("learn/practice/", "practice/")


@pytest.fixture
def sold(world: World, attempt: Attempt) -> Attempt:
    """On the air, with an order, and a job for its film."""
    begin(attempt)
    offer = Offer.objects.get(show_id=attempt.show_id, on_tap=False)
    place_order(
        buyer=sandbox.simulated_buyers(attempt.language)["careful"],
        key="a",
        show_id=attempt.show_id,
        lines=[{"offer_id": offer.public_id, "quantity": 3, "price_minor": offer.price_minor}],
        delivery=TO_LI,
    )
    Recording.objects.create(show_id=attempt.show_id, is_public=False, state=RecordingState.READY)
    jobs.enqueue("archive_recording", UUID(int=7), show_id=attempt.show_id)
    return attempt


def addresses() -> Iterator[str]:
    """Of every page, export and list that is about nothing in particular, the API's too."""
    yield from _addresses(get_resolver().url_patterns, "")


def _addresses(patterns: list[object], before: str) -> Iterator[str]:
    for one in patterns:
        path = before + str(getattr(one, "pattern", ""))
        if isinstance(one, URLResolver):
            yield from _addresses(one.url_patterns, path)
        elif isinstance(one, URLPattern) and "<" not in path and "(" not in path:
            yield "/" + path.replace("^", "").replace("$", "").replace("\\Z", "")


def of_the_world(world: World) -> list[str]:
    """Those about the real farm and show, where figures could be mixed."""
    farm, show = world.farm.public_id, world.show.public_id
    return [
        f"/shop/{farm}/",
        f"/studio/orders/?seller={farm}",
        f"/studio/sales/?seller={farm}",
        f"/shows/{show}/",
        "/studio/orders/?q=Practice",
        f"/api/v1/shows/{show}/figures",
        f"/api/v1/shows/{show}/studio",
    ]


@pytest.mark.parametrize("who", [None, "zhang", "li", "wang", "chen", "zhao"])
def test_no_page_shows_what_was_practised(world: World, sold: Attempt, who: str | None) -> None:
    number, client = Order.objects.get().number, Client(raise_request_exception=False)
    if who:
        client.force_login(getattr(world, who))
    learning.enrol(world.li, sold.enrolment.course)
    seen = 0
    for address in [*addresses(), *of_the_world(world)]:
        if address.startswith(("/accounts/logout", "/admin/jsi18n")):
            continue
        answer = client.get(address)
        body = b"" if answer.streaming else answer.content
        seen += answer.status_code == 200
        for word in (MARK, number, str(sold.show_id), "sim:", sandboxed(sold)):
            assert word.encode() not in body, (address, word)
    assert seen > (15 if who else 5)


def sandboxed(attempt: Attempt) -> str:
    return str(Show.objects.get(public_id=attempt.show_id).seller.public_id)


def test_the_admin_shows_operators_no_show_of_it(
    sold: Attempt, admin_client: Client, world: World
) -> None:
    for page in ("streams/show/", "orders/offer/", "streams/offer/"):
        answer = admin_client.get(f"/admin/{page}")
        if answer.status_code == 200:
            assert str(sold.show_id) not in answer.content.decode()


def test_figures_and_lists_go_on_as_if_there_were_none(world: World, sold: Attempt) -> None:
    Approval.objects.all().delete()
    show = Show.objects.get(public_id=sold.show_id)
    assert show not in listed_shows()
    assert operator_selectors.on_air() == []
    assert show not in approvals.waiting()
    assert approvals.review_of(show).standing == "free"
    assert b'livecommerce_shows{state="live"}' not in generate_latest(REGISTRY)
    assert show.seller not in shops()
    for person in (world.wang, world.zhao, world.zhang):
        assert show.seller not in sellers_access.sellers_of(person)
        assert show not in studio_access.shows_of(person)
        assert show.seller not in studio_access.schedulable_sellers(person)
    assert owned_alone(world.wang) == []
    assert export.everything_of(world.wang)["shops"] == []
    assert export.everything_of(world.wang)["orders"] == []


def test_who_practises_is_no_seller_and_no_author(world: World, sold: Attempt) -> None:
    client = Client()
    client.force_login(world.wang)
    assert client.get("/learn/new/").status_code == 403
    assert client.get("/studio/orders/").status_code == 404
    assert "studio/not_host" in {
        one.name.removesuffix(".html") for one in client.get("/studio/").templates if one.name
    }


def test_its_people_are_the_only_ones_with_its_pages(world: World, sold: Attempt) -> None:
    paths = [f"/shows/{sold.show_id}/", f"/api/v1/checkout?show_id={sold.show_id}"]
    for name, may in (("wang", True), ("chen", True), ("li", False), ("zhang", False)):
        client = Client()
        client.force_login(getattr(world, name))
        assert (client.get(paths[0]).status_code == 200) is may, name
    assert Client().get(paths[0]).status_code == 302


def test_nothing_of_it_stays_with_who_leaves(world: World, sold: Attempt) -> None:
    finish(sold)
    assert Recording.objects.filter(show_id=sold.show_id).exists()
    services.forget(world.wang)
    assert not Recording.objects.filter(show_id=sold.show_id).exists()
    assert User.objects.filter(pk=world.wang.pk).exists()
