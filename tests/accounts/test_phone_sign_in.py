"""Signing in by a code to the phone: sent over real HTTP, guessed at, replayed, asked for often."""

from __future__ import annotations

import json
import logging
import re
import time
from collections.abc import Iterator
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs

import pytest
import time_machine
from django.conf import LazySettings
from django.test import Client
from django.urls import reverse
from django.utils.translation import gettext, override

from core.accounts import limits, sms
from core.accounts.models import Allowance, PhoneCode, User
from core.accounts.phones import phone_in
from core.clock import now
from core.errors import TooMany
from tests.accounts.sms_gateway import Got, gateway
from tests.world import PASSWORD, World

MOBILE = "+8613912345678"
ASK, CODE, NAME = "/accounts/phone/", "/accounts/phone/code/", "/accounts/phone/name/"


@pytest.fixture
def got(settings: LazySettings) -> Iterator[Got]:
    with gateway() as found:
        settings.SMS_URL, settings.SMS_AUTHORIZATION = found.url, "Bearer of-the-gateway"
        yield found


@pytest.fixture
def li(world: World) -> User:
    User.objects.filter(pk=world.li.pk).update(phone=MOBILE)
    world.li.refresh_from_db()
    return world.li


def soon(found: Got, count: int = 1) -> list[dict[str, str]]:
    """The messages, as soon as so many have come."""
    give_up_at = time.monotonic() + 10
    while len(found.requests) < count:
        assert time.monotonic() < give_up_at, "no message came"
        time.sleep(0.005)
    return [json.loads(body) for _headers, body in found.requests]


def ask(client: Client, phone: str = "139 1234 5678", **more: str) -> Any:
    return client.post(ASK, {"phone": phone, **more})


def code_sent(found: Got, nth: int = 1) -> str:
    match = re.search(r"[0-9]{6}", soon(found, nth)[nth - 1]["text"])
    assert match
    return match[0]


def who(client: Client) -> str | None:
    return client.session.get("_auth_user_id")


def later(**by: float) -> Any:
    return time_machine.travel(now() + timedelta(**by), tick=True)


NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)

# Numbers


WAYS = ("13912345678", "139-1234-5678", " 86 139 1234 5678", "+86 13912345678", "0086139 12345678")
NONE = ("", "139", "01012345678", "+8612345678901", "me", "1" * 2_000_000, "139\u202e12345678")


@pytest.mark.parametrize("typed", [*WAYS, "１３９１２３４５６７８"])
def test_a_number_is_one_number_however_it_is_written(typed: str) -> None:
    assert phone_in(typed) == MOBILE


@pytest.mark.parametrize("typed", NONE)
def test_what_is_no_mobile_number_is_none(typed: str) -> None:
    assert phone_in(typed) is None


def test_elsewhere_a_zero_at_home_goes(settings: LazySettings) -> None:
    settings.CALLING_CODE = "49"
    assert phone_in("0151 23456789") == "+4915123456789"
    assert phone_in("139 1234 5678 90") == "+491391234567890"


# In by code


def test_somebody_signs_in_with_the_code_and_goes_on_where_they_were(
    client: Client, li: User, got: Got
) -> None:
    assert ask(client, next="/orders/")["Location"] == CODE
    answer = client.post(CODE, {"code": code_sent(got)})

    assert (answer.status_code, answer["Location"]) == (302, "/orders/")
    assert who(client) == str(li.pk)
    headers, _body = got.requests[0]
    assert headers["Authorization"] == "Bearer of-the-gateway"
    assert soon(got)[0]["to"] == MOBILE


def test_a_new_person_says_their_name(client: Client, db: None, got: Got) -> None:
    ask(client)
    assert client.post(CODE, {"code": code_sent(got)})["Location"] == NAME
    assert client.post(NAME, {"name": "\u202e"}).status_code == 422
    client.post(NAME, {"name": "Mei"})

    mei = User.objects.get(phone=MOBILE)
    assert (mei.shown_name, who(client)) == ("Mei", str(mei.pk))
    assert not mei.has_usable_password()
    assert "139" not in mei.username


def test_nobody_is_sent_to_another_site(client: Client, li: User, got: Got) -> None:
    ask(client, next="https://elsewhere.example/")
    assert client.post(CODE, {"code": code_sent(got)})["Location"] == "/"


def test_the_message_is_in_the_language_of_who_gets_it(client: Client, li: User, got: Got) -> None:
    User.objects.filter(pk=li.pk).update(language="zh-hans")
    client.cookies["django_language"] = "en"
    ask(client)
    with_zh = soon(got)[0]["text"]
    with override("zh-hans"):
        wanted = gettext(
            "%(code)s is your code to sign in. It is good for 5 minutes. Tell it to nobody."
        )
    assert with_zh == wanted % {"code": code_sent(got)}


# Codes that do not fit


def test_a_code_is_good_once(client: Client, li: User, got: Got) -> None:
    ask(client)
    state = dict(client.session["phone_asked"])
    code = code_sent(got)
    client.post(CODE, {"code": code})
    thief = Client()
    session = thief.session
    session["phone_asked"] = state
    session.save()

    answer = thief.post(CODE, {"code": code})

    assert (answer.status_code, who(thief)) == (409, None)


def test_a_code_is_good_for_five_minutes(client: Client, li: User, got: Got) -> None:
    ask(client)
    code = code_sent(got)
    with later(minutes=5, seconds=1):
        assert client.post(CODE, {"code": code}).status_code == 409
    assert who(client) is None


def test_after_five_guesses_the_right_one_is_too_late(client: Client, li: User, got: Got) -> None:
    ask(client)
    code = code_sent(got)
    wrong = f"{(int(code) + 1) % 1_000_000:06d}"
    guesses = [client.post(CODE, {"code": guess}).status_code for guess in [wrong] * 5]

    assert guesses == [422] * 5
    assert client.post(CODE, {"code": code}).status_code == 409
    assert who(client) is None


@pytest.mark.parametrize("typed", ["", "12345", "１２３４５", "x" * 1_000_000, "\0"])
def test_nonsense_is_no_code(client: Client, li: User, got: Got, typed: str) -> None:
    ask(client)
    assert client.post(CODE, {"code": typed}).status_code == 422


def test_a_code_opens_only_what_it_was_asked_for(li: User, got: Got) -> None:
    """Who has asked for a code to somebody's phone cannot use the one that somebody asked for."""
    theirs, thief = Client(), Client()
    ask(theirs)
    code = code_sent(got)
    with later(seconds=31):
        ask(thief)
        assert code_sent(got, 2) != code  # once in a million runs it is
        assert thief.post(CODE, {"code": code}).status_code == 422
    assert who(thief) is None


def test_digits_of_a_chinese_keyboard_are_digits(client: Client, li: User, got: Got) -> None:
    ask(client)
    wide = code_sent(got).translate({ord("0") + digit: 0xFF10 + digit for digit in range(10)})
    client.post(CODE, {"code": f" {wide[:3]} {wide[3:]}"})
    assert who(client) == str(li.pk)


# Unknown numbers, and too often


def test_an_unknown_number_is_answered_like_a_known_one(
    li: User, got: Got, settings: LazySettings
) -> None:
    settings.SIGN_UP = False
    known, unknown = Client(), Client()
    answers = [
        (one.status_code, one["Location"]) for one in (ask(known), ask(unknown, "138 1234 5678"))
    ]
    pages = [client.get(CODE).content.decode() for client in (known, unknown)]
    cleaned = [re.sub(r"value=\"\w{64}\"|content=\"\w{64}\"|\+86….{4}", "", page) for page in pages]

    assert answers[0] == answers[1] == (302, CODE)
    assert cleaned[0] == cleaned[1]
    assert {message["to"] for message in soon(got)} == {MOBILE}
    guessed = [unknown.post(CODE, {"code": f"{guess:06d}"}).status_code for guess in range(6)]
    assert guessed == [422] * 5 + [409]


def test_nobody_waits_for_the_gateway(client: Client, li: User, got: Got) -> None:
    """So the time of the answer does not tell whether a message is sent."""
    got.answer_now.clear()
    began = time.monotonic()
    assert ask(client).status_code == 302
    assert time.monotonic() - began < 5  # the gateway takes ten
    got.answer_now.set()
    soon(got)


def test_a_number_gets_five_codes_an_hour_known_or_not(li: User, got: Got) -> None:
    for phone in ("13912345678", "13812345678"):
        found = []
        for minute in range(-3, 4):  # also over a full hour
            with time_machine.travel(NOON + timedelta(minutes=minute), tick=False):
                found.append(ask(Client(), phone).status_code)
        assert found == [302] * 5 + [429] * 2


def test_twice_within_half_a_minute_is_too_often_and_says_when(li: User, got: Got) -> None:
    with time_machine.travel("2026-11-22T10:00:00Z", tick=False):
        ask(Client())
        answer = ask(Client())
    assert (answer.status_code, answer["Retry-After"]) == (429, "30")


def test_one_address_cannot_ask_for_a_thousand_numbers(db: None, got: Got) -> None:
    with time_machine.travel("2026-11-22T10:00:00Z", tick=False):
        found = [ask(Client(), f"139{number:08d}").status_code for number in range(12)]
    assert found == [302] * 10 + [429] * 2


def test_an_allowance_is_so_many(db: None) -> None:
    with time_machine.travel("2026-11-22T10:00:00Z", tick=False):
        for _turn in range(3):
            limits.take("x", "y", most=3, per_s=60)
        with pytest.raises(TooMany) as refused:
            limits.take("x", "y", most=3, per_s=60)
        assert refused.value.retry_after == 60


def test_a_place_is_free_again_when_its_time_is_over(db: None) -> None:
    for second, is_free in ((0, True), (50, True), (59, False), (61, True), (62, False)):
        at = time_machine.travel(NOON + timedelta(seconds=second), tick=False)
        with at, nullcontext() if is_free else pytest.raises(TooMany):
            limits.take("x", "y", most=2, per_s=60)
    assert Allowance.objects.count() == 2


@pytest.mark.parametrize("is_new", [True, False])
def test_a_place_taken_meanwhile_is_not_taken_twice(db: None, is_new: bool) -> None:
    key, until = limits._key("x", "y", 60, 0), now() + timedelta(minutes=1)
    if not is_new:
        Allowance.objects.create(key=key, ends_at=now() - timedelta(seconds=1))
    assert [limits._took(key, until, is_new=is_new) for _turn in range(2)] == [True, False]


# The gateway


def test_a_body_is_filled_in_as_json_or_as_a_form_whatever_is_in_it(got: Got) -> None:
    text = sms.Text("+86139", 'say "hi" & {code}', "123456")
    json_body = sms.Gateway(got.url, '{"a": "{phone}", "b": ["{text}"], "c": {}}', "", 5).body(text)
    form = sms.Gateway(got.url, "a={phone}&b={text}&c={code}", "", 5).body(text)

    assert json.loads(json_body) == {"a": "+86139", "b": ['say "hi" & {code}'], "c": {}}
    assert parse_qs(form) == {"a": ["+86139"], "b": ['say "hi" & {code}'], "c": ["123456"]}


@pytest.mark.parametrize("fault", ["refuses", "is away", "hangs"])
def test_a_message_that_fails_is_logged_without_its_code(
    got: Got, fault: str, caplog: pytest.LogCaptureFixture
) -> None:
    got.status = 500
    if fault == "hangs":
        got.answer_now.clear()
    url = "http://127.0.0.1:9/" if fault == "is away" else got.url
    by = sms.Gateway(url, '{"to": "{phone}", "text": "{text}"}', "Bearer secret", 0.2)
    sms._sending.acquire()
    with caplog.at_level(logging.DEBUG):
        sms._send(by, sms.Text(MOBILE, "123456 is your code", "123456"))
    assert "was not sent" in caplog.text
    assert not re.search("123456|secret|13912345678", caplog.text)


def test_a_demo_prints_it_and_an_instance_never_does(
    settings: LazySettings, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.SMS_URL = ""
    sms.Console().send(sms.Text(MOBILE, "123456 is your code", "123456"))
    assert "123456" in capsys.readouterr().out
    settings.SMS_CONSOLE = False
    assert sms.sender() is None


def test_where_nothing_can_be_sent_nobody_is_asked(
    client: Client, db: None, settings: LazySettings
) -> None:
    settings.SMS_CONSOLE = False
    assert client.get(ASK).status_code == 404
    assert ASK not in client.get("/accounts/login/").content.decode()


# Sign-up closed, numbers of an account, passwords


def test_closed_to_newcomers_is_closed_both_ways(
    client: Client, db: None, settings: LazySettings
) -> None:
    settings.SIGN_UP = False
    typed = {"username": "mei", "password1": "pear-tree-by-the-well", "display_name": "Mei"}
    client.post("/accounts/signup/", typed)
    assert not User.objects.exists()


def test_a_proven_number_signs_in_with_the_password_too(world: World, got: Got) -> None:
    client = Client()
    client.force_login(world.li)
    ask(client)
    client.post(CODE, {"code": code_sent(got)})
    assert User.objects.get(pk=world.li.pk).phone == MOBILE

    other = Client()
    other.post(reverse("account_login"), {"login": "139 1234 5678", "password": PASSWORD})
    assert who(other) == str(world.li.pk)


def test_a_number_is_one_persons(world: World, li: User, got: Got) -> None:
    client = Client()
    client.force_login(world.wang)
    ask(client)
    page = client.post(CODE, {"code": code_sent(got)}, follow=True)
    assert "belongs to another account" in page.content.decode()
    assert User.objects.get(phone=MOBILE) == li


def test_somebody_inactive_gets_nothing(li: User, got: Got, settings: LazySettings) -> None:
    settings.SIGN_UP = False
    User.objects.filter(pk=li.pk).update(is_active=False)
    client = Client()
    ask(client)
    assert PhoneCode.objects.get().digest == ""
