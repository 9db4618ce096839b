"""Every page of ours as a visitor gets it, before any script runs."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.conf import settings
from django.core.cache import cache
from django.test import Client
from pytest_django.fixtures import Settings

from core.accounts.models import User
from core.clock import now
from media_pipeline.models import Recording, RecordingState
from streams.models import Audience, ShowState
from streams.services.pins import pin
from tests.server import ROOT
from tests.world import PASSWORD, World


@pytest.fixture
def visitor(db: None) -> Client:
    return Client()


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def text_of(client: Client, path: str, status: int = 200) -> str:
    response = client.get(path)
    assert response.status_code == status
    return response.content.decode()


def show_path(world: World) -> str:
    return f"/shows/{world.show.public_id}/"


def become(world: World, state: ShowState, **values: object) -> None:
    for name, value in {"state": state, **values}.items():
        setattr(world.show, name, value)
    world.show.save()


def room_data(page: str) -> dict[str, object]:
    found = re.search(r'<script id="room-data" type="application/json">(.*?)</script>', page)
    assert found
    data: dict[str, object] = json.loads(found[1])
    return data


# The front door


def test_an_empty_instance_says_what_it_is_for(visitor: Client) -> None:
    page = text_of(visitor, "/")
    assert "Nobody is live right now" in page
    assert "Farmers show here what they grow" in page


@pytest.mark.parametrize("demo", [True, False])
def test_only_the_demo_looks_again_by_itself_while_nobody_is_live(
    visitor: Client, db: None, settings: Settings, demo: bool
) -> None:
    settings.DEMO = demo
    assert ('http-equiv="refresh"' in text_of(visitor, "/")) is demo


def test_the_front_page_shows_what_is_live_with_its_goods(visitor: Client, world: World) -> None:
    become(world, ShowState.LIVE, started_at=now())
    page = text_of(visitor, "/")
    assert "badge--live" in page
    assert world.show.title in page
    assert "Huaniu apples, 5 kg box" in page
    assert show_path(world) in page


def test_a_show_to_come_is_announced(visitor: Client, world: World) -> None:
    page = text_of(visitor, "/")
    assert "Coming up" in page
    assert world.show.title in page


def test_a_show_that_never_began_is_forgotten(visitor: Client, world: World) -> None:
    become(world, ShowState.SCHEDULED, scheduled_at=now() - timedelta(days=1))
    assert world.show.title not in text_of(visitor, "/")


@pytest.mark.parametrize("audience", [Audience.UNLISTED, Audience.INVITED])
def test_what_is_not_public_is_not_listed(
    visitor: Client, world: World, audience: Audience
) -> None:
    become(world, ShowState.LIVE, audience=audience)
    assert world.show.title not in text_of(visitor, "/")


def test_the_practice_of_a_sandbox_seller_is_not_listed(visitor: Client, world: World) -> None:
    world.farm.is_sandbox = True
    world.farm.save()
    become(world, ShowState.LIVE)
    assert world.show.title not in text_of(visitor, "/")


def test_only_an_ended_show_with_a_recording_can_be_watched_again(
    visitor: Client, world: World
) -> None:
    become(world, ShowState.ENDED, started_at=now(), ended_at=now())
    assert world.show.title not in text_of(visitor, "/")
    Recording.objects.create(
        show_id=world.show.public_id, is_public=True, state=RecordingState.READY, duration_s=60
    )
    page = text_of(visitor, "/")
    assert "Watch again" in page
    assert world.show.title in page


# Every page


def test_the_studio_is_offered_to_those_who_sell(world: World) -> None:
    assert "/studio/" in text_of(signed_in(world.zhang), "/")
    assert "/studio/" in text_of(signed_in(world.zhao), "/")
    assert "/studio/" not in text_of(signed_in(world.li), "/")


def test_one_button_turns_the_page_into_chinese(visitor: Client) -> None:
    visitor.post("/i18n/setlang/", {"language": "zh-hans", "next": "/accounts/login/"})
    page = text_of(visitor, "/accounts/login/")
    assert '<html lang="zh-hans">' in page
    assert 'value="en"' in page


@pytest.mark.parametrize("path", ["/", "/accounts/login/", "/accounts/signup/", "/nothing/"])
def test_no_page_has_code_or_style_inside(visitor: Client, path: str) -> None:
    page = visitor.get(path).content.decode()
    assert not re.search(r"<style|\sstyle=|\son[a-z]+=|<script(?![^>]*(src=|json))", page)


def test_a_real_instance_shows_no_people_of_the_demo(visitor: Client) -> None:
    assert "demo-ribbon" not in text_of(visitor, "/")


def test_the_demo_offers_its_people_to_who_sits_at_it(
    visitor: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "DEMO", True)
    at_home = visitor.get("/", headers={"host": "localhost"})
    from_afar = visitor.get("/", headers={"host": "localhost"}, REMOTE_ADDR="203.0.113.9")
    assert "/demo/sign-in/zhang/" in at_home.content.decode()
    assert "demo-ribbon" not in from_afar.content.decode()


@pytest.mark.parametrize(("path", "status", "words"), [("/nothing/", 404, "There is nothing here")])
def test_what_is_not_there_is_said_kindly(
    visitor: Client, path: str, status: int, words: str
) -> None:
    assert words in text_of(visitor, path, status)


@pytest.mark.parametrize("demo", [False, True])
def test_a_request_for_another_host_is_a_bad_one_and_no_fault_of_ours(
    visitor: Client,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    demo: bool,
) -> None:
    monkeypatch.setattr(settings, "DEMO", demo)
    page = visitor.get("/", headers={"host": "elsewhere.example"})
    assert page.status_code == 400
    assert "That request could not be read" in page.content.decode()
    assert not [record for record in caplog.records if record.exc_info]


# Accounts


@pytest.mark.parametrize("path", ["password/reset/", "email/", "confirm-email/", "login/code/"])
def test_nobody_is_sent_an_email(world: World, path: str) -> None:
    for client in (Client(), signed_in(world.li)):
        text_of(client, f"/accounts/{path}", 404)
        assert client.post(f"/accounts/{path}", {"email": "li@example.org"}).status_code == 404


def test_who_was_shut_out_is_told(visitor: Client, world: World) -> None:
    world.li.is_active = False
    world.li.save()
    typed = {"login": "li", "password": PASSWORD}
    assert visitor.post("/accounts/login/", typed, follow=True).status_code == 200
    assert "_auth_user_id" not in visitor.session


@pytest.fixture
def no_failures_yet() -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()


@pytest.mark.usefixtures("no_failures_yet")
def test_nobody_is_kept_out_by_a_stranger_who_guesses(world: World) -> None:
    for _guess in range(12):
        guessed = Client(REMOTE_ADDR="203.0.113.9").post(
            "/accounts/login/", {"login": "zhang", "password": "guessed"}
        )
    assert "Too many failed login attempts" in guessed.content.decode()
    zhang = Client(REMOTE_ADDR="198.51.100.7")
    zhang.post("/accounts/login/", {"login": "zhang", "password": PASSWORD})
    assert "_auth_user_id" in zhang.session


def test_signing_in_goes_on_where_one_was(visitor: Client, world: World) -> None:
    page = text_of(visitor, f"/accounts/login/?next={show_path(world)}")
    assert f'value="{show_path(world)}"' in page
    response = visitor.post(
        "/accounts/login/", {"login": "li", "password": PASSWORD, "next": show_path(world)}
    )
    assert response["Location"] == show_path(world)


def test_a_wrong_password_is_told_in_the_form(visitor: Client, world: World) -> None:
    response = visitor.post("/accounts/login/", {"login": "li", "password": "wrong"})
    assert 'role="alert"' in response.content.decode()


def test_signing_up_keeps_the_way_back(visitor: Client, world: World) -> None:
    page = text_of(visitor, f"/accounts/signup/?next={show_path(world)}")
    assert show_path(world) in page


def test_signing_out_asks_first(world: World) -> None:
    client = signed_in(world.li)
    assert "Sign out?" in text_of(client, "/accounts/logout/")
    client.post("/accounts/logout/")
    assert "_auth_user_id" not in client.session


def test_a_password_can_be_changed(world: World) -> None:
    assert "Change password" in text_of(signed_in(world.li), "/accounts/password/change/")


# The show's page


def test_a_show_can_be_read_before_any_script(visitor: Client, world: World) -> None:
    become(world, ShowState.LIVE, started_at=now())
    pin(show=world.show, actor=world.zhang, offer_id=world.apple_offer.public_id)
    page = text_of(visitor, show_path(world))
    for words in (
        world.show.title,
        "Zhang&#x27;s orchard",
        "Huaniu apples, 5 kg box",
        "40 boxes left",
    ):
        assert words in page
    assert f'data-buy="{world.apple_offer.public_id}"' in page


def test_before_it_starts_the_page_says_when(visitor: Client, world: World) -> None:
    assert "Zhang starts" in text_of(visitor, show_path(world))


def test_an_interrupted_show_says_that_the_picture_will_be_back(
    visitor: Client, world: World
) -> None:
    become(world, ShowState.LIVE, started_at=now(), interrupted_at=now())
    assert "The picture will be back" in text_of(visitor, show_path(world))


def test_a_show_that_nobody_filmed_has_no_replay_and_says_so(visitor: Client, world: World) -> None:
    become(world, ShowState.ENDED, started_at=now(), ended_at=now())
    page = text_of(visitor, show_path(world))
    assert "Nothing was recorded" in page
    assert room_data(page)["nothing_recorded"] is True


def test_a_recording_that_is_being_closed_is_a_replay_to_come(
    visitor: Client, world: World
) -> None:
    become(world, ShowState.ENDED, started_at=now(), ended_at=now())
    Recording.objects.create(show_id=world.show.public_id, is_public=True)
    assert "The replay is being prepared" in text_of(visitor, show_path(world))


def test_a_sealed_recording_is_the_replay(visitor: Client, world: World) -> None:
    become(world, ShowState.ENDED, started_at=now(), ended_at=now())
    Recording.objects.create(
        show_id=world.show.public_id, is_public=True, state=RecordingState.READY, duration_s=60
    )
    page = text_of(visitor, show_path(world))
    assert "room--replay" in page
    assert "streams/replay.js" in page


def test_a_show_by_invitation_asks_strangers_to_sign_in_and_turns_others_away(
    visitor: Client, world: World
) -> None:
    become(world, ShowState.LIVE, audience=Audience.INVITED)
    response = visitor.get(show_path(world))
    assert response.status_code == 302
    assert "/accounts/login/?next=" in response["Location"]
    assert "This is not open to you" in text_of(signed_in(world.li), show_path(world), 403)
    assert world.show.title in text_of(signed_in(world.zhang), show_path(world))


def test_where_the_video_is_stays_with_those_who_may_watch(visitor: Client, world: World) -> None:
    Recording.objects.create(show_id=world.show.public_id, is_public=True)
    path = f"{show_path(world)}playback/"
    assert visitor.get(path).json()["state"] == "live"
    become(world, ShowState.LIVE, audience=Audience.INVITED)
    assert visitor.get(path).status_code == 404


def test_only_the_host_is_led_to_the_studio(world: World) -> None:
    path = f"/studio/shows/{world.show.public_id}/"
    assert path in text_of(signed_in(world.zhang), show_path(world))
    assert path not in text_of(signed_in(world.li), show_path(world))


def test_a_browser_that_asks_for_an_icon_gets_one(visitor: Client) -> None:
    icon = visitor.get("/favicon.ico", follow=True)
    assert icon.status_code == 200
    assert icon["Content-Type"] == "image/svg+xml"


def test_no_template_styles_inline() -> None:
    """The content security policy lets no browser follow it; a script may place what it must."""
    folders = ("courses", "livecommerce", "media_pipeline", "orders", "sellers", "streams")
    pages = [path for folder in folders for path in (ROOT / folder).rglob("templates/**/*.html")]
    assert len(pages) > 100
    assert [path for path in pages if re.search(r"<[^>]*\sstyle=", path.read_text())] == []
