"""Plain orders over HTTP, which are answered before Django is asked, and all others, by Django."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import pytest_asyncio
from django.contrib.sessions.models import Session
from django.db import OperationalError

import orders.asgi
from core.realtime.db import run_in_db
from orders.api import OrderIn
from orders.models import Order
from orders.services import commit, group
from tests.orders.test_api import body
from tests.streams.test_room import session_cookie
from tests.world import World

ORDERS = "/api/v1/orders"
TOKEN = "c" * 32
OF_DJANGO = "Content-Security-Policy"
"""Django's middleware puts this header on everything that it answers."""


@pytest_asyncio.fixture
async def li(site: str, world: World) -> AsyncIterator[httpx.AsyncClient]:
    cookie = await run_in_db(session_cookie, world.li)
    headers = {"Cookie": f"{cookie}; csrftoken={TOKEN}", "X-CSRFToken": TOKEN}
    async with httpx.AsyncClient(base_url=f"http://{site}", headers=headers) as client:
        yield client


async def ask(client: httpx.AsyncClient, payload: Any, key: str = "k1", **more: str) -> Any:
    return await client.post(ORDERS, json=payload, headers={"Idempotency-Key": key, **more})


async def test_a_plain_order_is_answered_as_django_would(
    li: httpx.AsyncClient, world: World
) -> None:
    first = await ask(li, body(world))
    again = await ask(li, body(world))

    assert (first.status_code, again.status_code) == (201, 201)
    assert OF_DJANGO not in first.headers
    assert OF_DJANGO in again.headers  # it is read from the database
    assert first.json() == again.json()
    assert first.headers["Content-Type"].startswith("application/json")
    assert first.headers["X-Content-Type-Options"] == "nosniff"
    assert await run_in_db(Order.objects.count) == 1


async def test_many_at_once_get_what_there_is(li: httpx.AsyncClient, world: World) -> None:
    def asked(number: int) -> Any:
        return ask(li, body(world, quantity=7), key=f"k{number}")

    answers = await asyncio.gather(*(asked(number) for number in range(8)))

    assert sorted(answer.status_code for answer in answers) == [201] * 5 + [409] * 3
    refused = next(answer for answer in answers if answer.status_code == 409)
    assert refused.json()["code"] == "sold_out"
    assert refused.headers["Content-Type"].startswith("application/problem+json")


async def test_a_refusal_is_in_the_buyers_language(li: httpx.AsyncClient, world: World) -> None:
    for language, words in (("en", "price"), ("zh-hans", "价")):
        wrong = body(world, price_minor=1)
        answer = await ask(li, wrong, **{"Accept-Language": language})
        assert answer.status_code == 409
        assert words in answer.json()["detail"]


@pytest.mark.parametrize(
    ("headers", "payload", "status"),
    [
        ({"X-CSRFToken": "d" * 32}, None, 403),
        ({"Cookie": f"csrftoken={TOKEN}"}, None, 401),
        ({"Cookie": f"sessionid={'x' * 32}; csrftoken={TOKEN}"}, None, 401),
        ({"Origin": "http://elsewhere.example"}, None, 403),
        ({"Host": "elsewhere.example"}, None, 400),
        ({"Authorization": "Bearer nobody"}, None, 401),
        ({}, {"lines": "two"}, 422),
        ({}, ["x" * 70_000], 422),
    ],
)
async def test_what_is_not_plain_is_django_s(
    li: httpx.AsyncClient, world: World, headers: dict[str, str], payload: Any, status: int
) -> None:
    answer = await ask(li, body(world) if payload is None else payload, **headers)

    assert answer.status_code == status
    assert OF_DJANGO in answer.headers
    assert await run_in_db(Order.objects.count) == (status == 201)


async def test_who_signed_out_meanwhile_orders_nothing(li: httpx.AsyncClient, world: World) -> None:
    assert (await ask(li, body(world))).status_code == 201
    await run_in_db(Session.objects.all().delete)

    for _time in range(2):
        assert (await ask(li, body(world), key="k2")).status_code == 401
    assert await run_in_db(Order.objects.count) == 1


async def test_a_database_that_fails_once_costs_no_order(
    li: httpx.AsyncClient, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Django asks again, under the same key."""
    faults = iter([OperationalError("away"), OperationalError("away")])
    place = group.place_group

    def place_group(asked: Any) -> Any:
        if (fault := next(faults, None)) is not None:
            raise fault
        return place(asked)

    monkeypatch.setattr(commit, "place_group", place_group)
    answer = await ask(li, body(world))

    assert answer.status_code in {201, 503}
    assert (await ask(li, body(world))).status_code == 201
    assert await run_in_db(Order.objects.count) == 1


async def test_no_more_sessions_are_known_than_may_be(
    li: httpx.AsyncClient, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    orders.asgi._known.clear()
    monkeypatch.setattr(orders.asgi, "SESSIONS_KNOWN", 1)
    for number, person in enumerate((world.li, world.zhang, world.li)):
        cookie = await run_in_db(session_cookie, person)
        told = {"Cookie": f"{cookie}; csrftoken={TOKEN}"}
        assert (await ask(li, body(world), key=f"k{number}", **told)).status_code == 201
        assert len(orders.asgi._known) == 1


ID = "0190b1f2-a1b2-7c3d-8e4f-0123456789ab"
LINE = f'{{"offer_id": "{ID}", "quantity": 2, "price_minor": 3590}}'
TO = '{"kind": "courier", "name": "Li", "phone": "13800138000", "address": "8 River Street"}'


def typed(lines: str = f"[{LINE}]", delivery: str = TO, more: str = "") -> bytes:
    return f'{{"lines": {lines}, "delivery": {delivery}{more}}}'.encode(errors="surrogatepass")


@pytest.mark.parametrize(
    "text",
    [
        typed(),
        typed(more=f', "show_id": "{ID}", "note": "海", "payment_method": "online"'),
        typed(delivery=f'{{"kind": "pickup", "name": "Li", "phone": "1", "point_id": "{ID}"}}'),
        typed(
            lines=f'[{{"variant_id": "{ID.replace("-", "")}", "quantity": 1, "price_minor": 1}}]'
        ),
        typed(lines="[]"),
        typed(more=', "total_minor": null'),
        typed(more=', "total_minor": 1.0'),
        typed(more=', "total_minor": true'),
        typed(more=', "total_minor": 1e400'),
        typed(more=f', "total_minor": {10**30}'),
        typed(more=', "note": null'),
        typed(more=', "note": "a", "note": "b"'),
        typed(more=', "note": "\\ud800"'),
        typed(more=', "note": "\ud800"'),
        typed(more=', "coupon": "free"'),
        typed(more=', "payment_method": "gift"'),
        typed(more=f', "show_id": "urn:uuid:{ID}"'),
        typed(lines=LINE),
        typed(lines=f"[{LINE.replace('2', '2.0')}]"),
        typed(lines=f"[{LINE.replace('2', chr(34) + '2' + chr(34))}]"),
        typed(delivery='{"kind": "drone", "name": "Li", "phone": "1"}'),
        typed() + b"x",
        b"\xef\xbb\xbf" + typed(),
        b"[" * 5000,
        b"",
    ],
)
def test_what_is_read_quickly_is_what_the_api_reads(text: bytes) -> None:
    """What it does not read is left to the API, which says what is wrong with it."""
    try:
        quickly = orders.asgi.typed_of(text)
    except orders.asgi.NotPlain:
        return
    assert quickly == OrderIn.model_validate_json(text).model_dump()
