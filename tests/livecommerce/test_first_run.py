"""The first minutes of an instance: a page for who has the address, once."""

from __future__ import annotations

import json
import re
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Barrier, Thread
from typing import Any

import httpx
import pytest
from django.db import IntegrityError, connection, connections
from django.db.models import Model
from django.test import Client

from core.accounts.models import Role, RoleGrant, User
from livecommerce import config
from livecommerce.first_run import door, kept
from livecommerce.first_run.forms import FirstRunForm
from livecommerce.operators import make_operator
from sellers.models import Member, Seller
from sellers.regions import REGIONS
from streams.studio import checklist
from tests.livecommerce.command import Running, command, environment
from tests.server import free_port_everywhere

FILLED: dict[str, Any] = {
    "name": "Lixian Apples 理县",
    "language": "zh-hans",
    "currency": "EUR",
    "time_zone": "Europe/Berlin",
    "username": "zhao",
    "password": "under-the-old-tree",
    "seller_name": "Zhang's Orchard",
    "seller_place": "Lixian",
    "regions": ["51", "50"],
    "fee": "4.50",
}


@pytest.fixture
def secret(db: None, settings: Any, tmp_path: Path) -> str:
    settings.DATA_ROOT = tmp_path
    found = door.open_if_new()
    assert found is not None
    return found


def test_it_makes_the_instance_somebodys_own_and_is_gone(
    client: Client, secret: str, tmp_path: Path
) -> None:
    page = f"/first-run/{secret}/"
    assert client.get(page).status_code == 200
    assert client.post(page, FILLED).status_code == 200
    assert kept.read(tmp_path) == {name: FILLED[name] for name in kept.NAMES}
    seller = Seller.objects.get()
    assert (seller.name, seller.currency) == ("Zhang's Orchard", "EUR")
    assert [one.user.username for one in seller.members.all()] == ["zhao"]
    zones = seller.zones.values_list("regions", "is_served", "base_fee_minor")
    assert [(sorted(where), *rest) for where, *rest in zones] == [
        (["50", "51"], True, 450),
        ([], False, 0),
    ]
    assert client.get("/operator/shows/").status_code == 200, "who made it is signed in"
    assert client.get(page).status_code == 404
    assert door.open_if_new() is None
    assert client.post(page, FILLED).status_code == 404, "from the next start on nobody knows it"
    assert User.objects.count() == 1


@pytest.mark.parametrize(
    ("header", "spoken"),
    [("zh-CN,zh;q=0.9", "zh-hans"), ("zh-TW", "zh-hans"), ("en-GB", "en"), ("fr", "en")],
)
def test_it_speaks_and_offers_the_language_of_the_browser(
    header: str, spoken: str, client: Client, secret: str
) -> None:
    page = client.get(f"/first-run/{secret}/", headers={"accept-language": header})
    assert f'<html lang="{spoken}">' in page.content.decode()
    assert f'<option value="{spoken}" selected>' in page.content.decode()


def test_it_offers_money_that_is_paid_with_and_places_that_are(settings: Any) -> None:
    settings.CURRENCY, settings.TIME_ZONE = "CLF", "PRC"
    form = FirstRunForm()
    money = {code for code, _ in form.fields["currency"].choices}  # type: ignore[attr-defined]
    assert {"CNY", "EUR", "JPY", "CLF"} <= money
    assert not money & {"DEM", "SUR", "ZWD", "HRK"}
    zones = {zone for zone, _ in form.fields["time_zone"].choices}  # type: ignore[attr-defined]
    assert {"Asia/Shanghai", "Asia/Urumqi", "Europe/Berlin", "UTC", "PRC"} <= zones
    assert not zones & {"W-SU", "localtime", "Factory", "Asia/Chongqing", "US/Eastern"}


def test_everywhere_for_nothing_is_an_answer_too(client: Client, secret: str) -> None:
    everywhere = {"regions": [code for code, _ in REGIONS], "fee": "0"}
    client.post(f"/first-run/{secret}/", FILLED | everywhere)
    zone = Seller.objects.get().zones.get()
    assert (zone.regions, zone.is_served, zone.base_fee_minor) == ([], True, 0)
    found = checklist.first_show(User.objects.get())
    assert found is not None
    assert {step.name: step.is_done for step in found.steps}["delivery"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"password": "short"},
        {"username": "no name"},
        {"name": "x" * 1_000_000},
        {"seller_name": "  "},
        {"language": "tlh"},
        {"currency": "XXX"},
        {"time_zone": "../../etc/passwd"},
        {"regions": []},
        {"regions": ["99"]},
        {"fee": "-1"},
        {"fee": "NaN"},
    ],
    ids=lambda wrong: f"{next(iter(wrong))}",
)
def test_what_cannot_be_is_said_and_nothing_is_made(
    wrong: dict[str, Any], client: Client, secret: str, tmp_path: Path
) -> None:
    answer = client.post(f"/first-run/{secret}/", FILLED | wrong)
    assert answer.status_code == 200
    assert "errorlist" in answer.content.decode()
    assert not User.objects.exists()
    assert not Seller.objects.exists()
    assert kept.read(tmp_path) == {}
    assert client.get(f"/first-run/{secret}/").status_code == 200, "it can be corrected"


@pytest.mark.parametrize("guess", ["x", "ä", "None", "%00"])
def test_without_the_address_there_is_no_page(guess: str, client: Client, secret: str) -> None:
    assert client.get(f"/first-run/{guess}/").status_code == 404
    assert client.post(f"/first-run/{guess}/", FILLED).status_code == 404
    assert not User.objects.exists()


def test_the_secret_is_its_owners_and_goes_when_somebody_runs_it(
    secret: str, tmp_path: Path
) -> None:
    assert (tmp_path / door.FILE).stat().st_mode & 0o777 == 0o600
    assert door.open_if_new() == secret, "a second start shows the same"
    make_operator("zhao", "under-the-old-tree")
    assert door.open_if_new() is None
    with pytest.raises(door.Closed):
        door.check(secret)


@pytest.mark.django_db(transaction=True)
def test_sent_twice_the_second_is_led_to_the_sign_in(secret: str) -> None:
    """The browser throws the first answer away, and with it the session."""
    both, answers = Barrier(2), []

    def send() -> None:
        client = Client()
        both.wait()
        answers.append((client.post(f"/first-run/{secret}/", FILLED), client))
        connections.close_all()

    threads = [Thread(target=send) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (made, _), (late, client) = sorted(answers, key=lambda one: one[0].status_code)
    assert (made.status_code, late.status_code) == (200, 302)
    assert "set up already" in client.get(late["Location"]).content.decode()
    assert "_auth_user_id" not in client.session
    assert User.objects.count() == Seller.objects.count() == 1
    assert client.get(f"/first-run/{secret}/").status_code == 404
    assert client.post("/first-run/another/", FILLED).status_code == 404


def test_what_a_killed_process_left_is_gone_on_with(
    client: Client, secret: str, tmp_path: Path
) -> None:
    """Killed with the file written and nothing committed, in this version or the one before."""
    kept.write(tmp_path, {name: FILLED[name] for name in kept.NAMES})
    assert door.open_if_new() == secret
    (tmp_path / door.FILE).rename(tmp_path / "first-run.used")
    again = door.open_if_new()
    assert again not in {None, secret}
    assert not (tmp_path / "first-run.used").exists()
    assert client.post(f"/first-run/{again}/", FILLED).status_code == 200
    assert User.objects.get().username == "zhao"


def test_committed_and_then_killed_the_page_is_closed(
    client: Client, secret: str, tmp_path: Path
) -> None:
    make_operator("zhao", "under-the-old-tree")
    assert client.get(f"/first-run/{secret}/").status_code == 404
    assert client.post(f"/first-run/{secret}/", FILLED).status_code == 302
    assert not Seller.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_commit_that_fails_leaves_the_page_open(
    client: Client, secret: str, tmp_path: Path
) -> None:
    page = f"/first-run/{secret}/"
    with pytest.raises(IntegrityError), commit_fails("INSERT", Member):
        client.post(page, FILLED)
    assert not User.objects.exists()
    assert door.open_if_new() == secret
    assert client.post(page, FILLED).status_code == 200
    assert door.open_if_new() is None


@contextmanager
def commit_fails(kind: str, model: type[Model]) -> Iterator[None]:
    """What writes to this table also names a person who is not there: known at the commit."""

    def name_nobody(execute: Any, sql: str, *rest: Any) -> Any:
        if sql.startswith(kind) and model._meta.db_table in sql:
            RoleGrant.objects.create(user_id=10**9, role=Role.MENTOR)
        return execute(sql, *rest)

    with connection.execute_wrapper(name_nobody):
        yield


@pytest.mark.parametrize("left", ["", "half"])
def test_an_address_that_was_cut_short_is_made_anew(
    left: str, client: Client, secret: str, tmp_path: Path
) -> None:
    (tmp_path / door.FILE).write_text(left)
    assert client.get(f"/first-run/{left or secret}/").status_code == 404
    again = door.open_if_new()
    assert again not in {None, left, secret}
    assert client.get(f"/first-run/{again}/").status_code == 200


@pytest.mark.parametrize("text", ["{", "[]", '{"name": 5}'])
def test_a_damaged_file_is_said(text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / kept.FILE).write_text(text)
    monkeypatch.setenv("LIVECOMMERCE_DATA", str(tmp_path))
    with pytest.raises(config.SettingsError, match=r"instance.json cannot be read .*: correct it"):
        config.read()


@pytest.mark.process
def test_from_an_empty_folder_to_the_first_shop(tmp_path: Path) -> None:
    """As a person does it: read the terminal, open the address, fill it in, go on."""
    port = str(free_port_everywhere())
    with Running(command("up", "--port", port), environment(tmp_path)) as instance:
        instance.wait_for("ready: ", within_s=120)
        line = instance.wait_for("/first-run/")
        (page,) = re.findall(r"http://\S+", line)
        with httpx.Client(timeout=30, follow_redirects=True) as person:
            token = re.search(r'csrfmiddlewaretoken" value="(\w+)"', person.get(page).text)
            assert token is not None
            done = person.post(page, data={**FILLED, "csrfmiddlewaretoken": token[1]})
            assert "go-on" in done.text
            instance.wait_for("all start again")
            for part in ("web", "worker"):
                instance.wait_for(part, within_s=60)
            instance.wait_for("web is served by", within_s=60)
            home = person.get(f"http://localhost:{port}/", headers={"Accept-Language": "xx"})
            assert 'lang="zh-hans"' in home.text
            assert FILLED["name"] in home.text
            assert person.get(f"http://localhost:{port}/operator/shows/").status_code == 200
            assert person.get(page).status_code == 404
        instance.process.send_signal(signal.SIGINT)
        assert instance.process.wait(20) == 0
        assert not has_started_with_pause(instance.lines)
    assert json.loads((tmp_path / kept.FILE).read_text())["currency"] == "EUR"


def has_started_with_pause(lines: list[str]) -> bool:
    """Whether a process was started again as after a fault."""
    return any("starts again in" in line for line in lines)
