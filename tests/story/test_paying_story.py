"""A real instance and a Stripe of ours beside it: paid on its page, told by webhook, paid back."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.realtime import until
from tests.server import Server, running_instance
from tests.story.people import Person, links
from tests.stripe_server import KEY, StripeServer, stripe_server
from tests.stripe_wire import WEBHOOK_SECRET

pytestmark = pytest.mark.process

HOME = {"kind": "courier", "name": "Li", "phone": "13800001111", "address": "18 Binhe Road"}
PATIENCE_S = 40


@pytest.fixture(scope="module")
def stripe() -> Iterator[StripeServer]:
    with stripe_server() as running:
        yield running


@pytest.fixture(scope="module")
def server(stripe: StripeServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STRIPE_SECRET_KEY", KEY)
        patch.setenv("STRIPE_WEBHOOK_SECRET", WEBHOOK_SECRET)
        patch.setenv("STRIPE_API_BASE", stripe.url)
        with running_instance(tmp_path_factory.mktemp("paying")) as running:
            stripe.webhook_url = f"{running.url}/api/v1/payments/stripe/webhook"
            yield running


async def test_paid_at_stripe_and_paid_back_when_it_is_cancelled(
    server: Server, stripe: StripeServer
) -> None:
    """The web process is told, the worker pays back; neither ever sees or writes a card or key."""
    li = Person(server.url, "li")
    order = await ordered(li)
    assert (order["state"], order["payment_method"]) == ("held", "online")

    back = pays_at_stripe(li, order)
    assert back == f"{server.url}/orders/{order['id']}/paid/"
    await until(lambda: state(li, order) == "paid", PATIENCE_S)

    assert li.get(back).headers["Location"] == order["url"]
    li.do("POST", f"orders/{order['id']}/moves", to="cancelled")
    await until(lambda: refunds(li, order) == ["done"], PATIENCE_S)
    (intent,) = stripe.books.intents
    assert stripe.refunded(intent) == order["total_minor"]
    await asyncio.to_thread(stripe.wait_until_told)
    assert {status for _event, status in stripe.books.sent} == {204}
    log = server.log.read_text()
    assert not [one for one in (KEY, WEBHOOK_SECRET, HOME["phone"]) if one in log]


async def ordered(li: Person) -> dict[str, Any]:
    """One box of apples from Zhang's show, to be paid online."""
    show_id = links(li.get("/").text, r"/shows/[0-9a-f-]{36}/")[0].split("/")[2]
    async with li.room(show_id) as room:
        apples = room.snapshot["offers"][0]
    line = {"offer_id": apples["id"], "quantity": 1, "price_minor": apples["price_minor"]}
    wish = {"show_id": show_id, "lines": [line], "delivery": HOME, "payment_method": "online"}
    li.headers["Idempotency-Key"] = str(uuid.uuid4())
    placed: dict[str, Any] = await asyncio.to_thread(li.do, "POST", "orders", **wish)
    return placed


def pays_at_stripe(li: Person, order: dict[str, Any]) -> str:
    """Where the button sends the buyer back to."""
    page = li.get(f"/orders/{order['id']}/pay/").headers["Location"]
    assert "Huaniu apples" in httpx.get(page).text
    return httpx.post(page, data={"do": "pay"}).headers["Location"]


def state(li: Person, order: dict[str, Any]) -> str:
    return str(li.do("GET", f"orders/{order['id']}")["state"])


def refunds(li: Person, order: dict[str, Any]) -> list[str]:
    return [one["state"] for one in li.do("GET", f"orders/{order['id']}/payments")["refunds"]]
