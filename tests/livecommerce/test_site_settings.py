"""Changing later what the first-run page has set."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.db import IntegrityError
from django.test import Client

from livecommerce import config
from livecommerce.first_run import kept, site
from sellers.models import Seller, Variant
from tests.livecommerce.test_first_run import commit_fails
from tests.orders.shop import li_orders
from tests.world import World

PAGE = "/operator/site/"
WANTED = {
    "name": "Lixian Fruit 礼县水果",
    "language": "zh-hans",
    "currency": "CNY",
    "time_zone": "Europe/Berlin",
}


@pytest.fixture
def data(world: World, settings: Any, tmp_path: Path) -> Path:
    settings.DATA_ROOT = tmp_path
    return tmp_path


@pytest.fixture
def zhao(world: World) -> Client:
    client = Client()
    client.force_login(world.zhao)
    return client


def held(data: Path, monkeypatch: pytest.MonkeyPatch) -> config.Config:
    """What a process that starts now reads."""
    monkeypatch.setenv("LIVECOMMERCE_DATA", str(data))
    return config.read()


def nothing_for_sale(world: World) -> None:
    world.show.delete()
    world.apple_offer.delete()
    world.pear_offer.delete()
    Variant.objects.all().delete()


def test_zhao_changes_what_the_site_is_called_and_the_next_start_knows(
    zhao: Client, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stamp = kept.stamp(data)
    answer = zhao.post(PAGE, WANTED)
    assert "Start every web process and every worker anew" in answer.content.decode()
    assert kept.stamp(data) != stamp, "a supervisor starts its processes again"
    found = held(data, monkeypatch)
    assert {name: getattr(found, name) for name in kept.NAMES} == WANTED
    stamp = kept.stamp(data)
    assert zhao.post(PAGE, WANTED).status_code == 302
    assert kept.stamp(data) == stamp, "for the same nothing starts again"


@pytest.mark.parametrize(
    "wrong", [{"name": " "}, {"name": "x" * 61}, {"language": "tlh"}, {"time_zone": "../etc"}]
)
def test_what_cannot_be_is_said_and_nothing_is_written(
    wrong: dict[str, str], zhao: Client, data: Path
) -> None:
    assert zhao.post(PAGE, WANTED | wrong).status_code == 422
    assert kept.read(data) == {}


def test_a_currency_in_use_stays(
    zhao: Client, data: Path, world: World, django_capture_on_commit_callbacks: Any
) -> None:
    euro = WANTED | {"currency": "EUR"}
    assert "There are prices or fees in this currency" in zhao.get(PAGE).content.decode()
    zhao.post(PAGE, euro)
    assert kept.read(data)["currency"] == "CNY"
    li_orders(world)
    assert "There are orders in this currency" in zhao.get(PAGE).content.decode()
    assert {one.currency for one in Seller.objects.all()} == {"CNY"}


def test_a_currency_that_nobody_used_changes_everywhere(
    zhao: Client, data: Path, world: World
) -> None:
    nothing_for_sale(world)
    zhao.post(PAGE, WANTED | {"currency": "EUR"})
    assert kept.read(data)["currency"] == "EUR"
    assert {one.currency for one in Seller.objects.all()} == {"EUR"}


@pytest.mark.django_db(transaction=True)
def test_a_currency_whose_commit_fails_is_not_written_either(
    zhao: Client, data: Path, world: World
) -> None:
    nothing_for_sale(world)
    before = site.values()["currency"]
    with pytest.raises(IntegrityError), commit_fails("UPDATE", Seller):
        zhao.post(PAGE, WANTED | {"currency": "EUR"})
    assert site.values()["currency"] == before
    assert {one.currency for one in Seller.objects.all()} == {before}


def test_killed_before_it_is_written_the_same_can_be_sent_again(
    zhao: Client, data: Path, world: World
) -> None:
    nothing_for_sale(world)
    Seller.objects.update(currency="EUR")
    zhao.post(PAGE, WANTED | {"currency": "EUR"})
    assert kept.read(data)["currency"] == "EUR"
    assert {one.currency for one in Seller.objects.all()} == {"EUR"}


def test_what_the_environment_sets_stays(
    zhao: Client, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept.write(data, {"name": "Before"})
    monkeypatch.setenv("LIVECOMMERCE_NAME", "From outside")
    assert "LIVECOMMERCE_NAME" in zhao.get(PAGE).content.decode()
    zhao.post(PAGE, WANTED)
    assert kept.read(data) == WANTED | {"name": "Before"}
    assert held(data, monkeypatch).name == "From outside"
    assert "name" not in {name for name in kept.NAMES if name not in site.fixed()}


@pytest.mark.parametrize("who", ["zhang", "li", None])
def test_only_operators_may(who: str | None, world: World, data: Path) -> None:
    client = Client()
    if who:
        client.force_login(getattr(world, who))
    for answer in (client.get(PAGE), client.post(PAGE, WANTED)):
        assert answer.status_code == (403 if who else 302)
    assert kept.read(data) == {}
