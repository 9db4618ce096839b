"""The room's JavaScript client in a real browser: on a wire that breaks, and to the letter."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import pytest
import pytest_asyncio
from django.conf import settings
from playwright.async_api import BrowserContext, Page, expect
from websockets.asyncio.server import ServerConnection, serve

import streams
from core.realtime.db import run_in_db
from core.realtime.models import LogEntry
from orders.models import Order
from tests.network import Wire, wire
from tests.phones import ONE_LOOP, site_on_one_loop
from tests.realtime import until, until_in_db
from tests.streams.test_room import apples, room, session_cookie
from tests.world import World

pytestmark = [pytest.mark.browser, ONE_LOOP]
site = site_on_one_loop

CLIENT = Path(streams.__file__).parent / "static/streams/room-client.js"
ENTER = """async ([source, address, options]) => {
  const { RoomClient, pauseMs } = await import(source);
  window.pauseMs = pauseMs;
  window.seen = { hellos: [], events: [], states: [] };
  window.room = new RoomClient(address, {
    onHello: (hello) => seen.hellos.push(hello),
    onEvents: (events) => seen.events.push(...events),
    onNow: () => {},
    onState: (state, code) => seen.states.push([state, code]),
  }, options);
  room.start();
}"""
ENTER_FROM_TEXT = f"""async ([text, ...rest]) => {{
  const source = URL.createObjectURL(new Blob([text], {{ type: "text/javascript" }}));
  return ({ENTER})([source, ...rest]);
}}"""
SEND = """([command, data]) => {
  window.answer = room.send(command, data, { keep: true }).catch((error) => ({ code: error.code }));
}"""


@pytest_asyncio.fixture(loop_scope="module")
async def cable(site: str) -> AsyncIterator[Wire]:
    async with wire(site) as cable:
        yield cable


@pytest_asyncio.fixture(loop_scope="module")
async def page(phone: BrowserContext, cable: Wire, world: World) -> Page:
    """Li's phone, signed in, on a page of the site at the end of a wire."""
    cookie = await run_in_db(session_cookie, world.li)
    name, _, value = cookie.partition("=")
    assert name == settings.SESSION_COOKIE_NAME
    await phone.add_cookies([{"name": name, "value": value, "url": f"http://{cable.address}"}])
    return await phone.new_page()


async def enter(page: Page, cable: Wire, world: World) -> None:
    """Join the room by the client alone, without the room's page around it."""
    await page.goto(f"http://{cable.address}/healthz")
    address = f"/ws/shows/{world.show.public_id}/"
    await page.evaluate(ENTER, ["/static/streams/room-client.js", address, {}])
    await page.wait_for_function("seen.hellos.length === 1")


async def send(page: Page, command: str, data: dict[str, Any]) -> None:
    await page.evaluate(SEND, [command, data])


async def answer(page: Page) -> dict[str, Any]:
    found: dict[str, Any] = await page.evaluate("window.answer")
    return found


async def seen(page: Page) -> dict[str, Any]:
    found: dict[str, Any] = await page.evaluate("window.seen")
    return found


# One order, whatever the wire does


async def test_an_order_whose_answer_is_lost_is_one_order(
    page: Page, cable: Wire, world: World
) -> None:
    await enter(page, cable, world)
    cable.cut_at, cable.cuts = b'"ok":{"order"', 1
    await send(page, "order.place", apples(world))
    placed = (await answer(page))["order"]
    assert cable.cuts == 0
    order = await run_in_db(Order.objects.get)
    assert placed["id"] == str(order.public_id)
    assert [hello["recovered"] for hello in (await seen(page))["hellos"]] == [False, True]


async def test_an_order_that_never_arrived_is_sent_again(
    page: Page, cable: Wire, world: World
) -> None:
    await enter(page, cable, world)
    cable.is_mute = True
    await send(page, "order.place", apples(world))
    await page.wait_for_function("room.state === 'open'")
    cable.cut()
    await page.wait_for_function("room.state === 'lost'")
    assert not await run_in_db(Order.objects.exists)
    cable.is_mute = False
    placed = (await answer(page))["order"]
    assert placed["id"] == str((await run_in_db(Order.objects.get)).public_id)


async def test_an_order_whose_answer_is_lost_twice_may_be_asked_for_again(
    page: Page, cable: Wire, world: World
) -> None:
    """The client sends once more, not for ever: then a person taps again, under the same key."""
    await enter(page, cable, world)
    cable.cut_at, cable.cuts = b'"ok":{"order"', 2
    await send(page, "order.place", apples(world))
    assert await answer(page) == {"code": "connection_lost"}
    await send(page, "order.place", apples(world))
    placed = (await answer(page))["order"]
    assert placed["id"] == str((await run_in_db(Order.objects.get)).public_id)


async def test_a_message_whose_answer_is_lost_is_said_once(
    page: Page, cable: Wire, world: World
) -> None:
    await enter(page, cable, world)
    async with room(cable_server(cable), world) as other:
        cable.cut_at, cable.cuts = b'"ok":{"seq"', 1
        await send(page, "chat.send", {"text": "how heavy?", "key": str(uuid4())})
        assert (await answer(page))["seq"] == 1
        assert cable.cuts == 0
        await send(page, "chat.send", {"text": "and how sweet?", "key": str(uuid4())})
        await other.event("chat.message", after=1)
        await page.wait_for_function("seen.events.length >= 2")
        texts = [event["data"]["text"] for event in (await seen(page))["events"]]
        assert texts == ["how heavy?", "and how sweet?"]
        assert [event["seq"] for event in other.events] == [1, 2]


def cable_server(cable: Wire) -> str:
    return f"{cable._host}:{cable._port}"


async def test_a_tap_on_order_while_the_wire_breaks_gives_one_order(
    page: Page, cable: Wire, world: World
) -> None:
    """The room's own page: the sheet, the button, the socket and the way by HTTP beside it."""
    await fill_order(page, cable, world)
    cable.cut_at, cable.cuts = b'"ok":{"order"', 1
    await page.click("#order-submit")
    await expect(page.locator("#order-done")).to_be_visible()
    order = await run_in_db(Order.objects.get)
    await expect(page.locator("#order-summary")).to_contain_text(order.number)
    assert cable.cuts == 0


async def test_a_page_reloaded_in_the_middle_of_an_order_gives_one_order(
    page: Page, cable: Wire, world: World
) -> None:
    await fill_order(page, cable, world)
    await expect(page.locator("#viewers")).to_contain_text("watching")
    cable.is_deaf = True
    await page.click("#order-submit")
    await until_in_db(Order.objects.exists)
    await load_anew(page, cable)
    await page.click("#order-submit")
    await expect(page.locator("#order-done")).to_be_visible()
    assert await run_in_db(Order.objects.count) == 1


async def test_a_page_reloaded_in_the_middle_of_a_message_says_it_once(
    page: Page, cable: Wire, world: World
) -> None:
    await page.goto(f"http://{cable.address}/shows/{world.show.public_id}/")
    await page.fill("#say", "how heavy?")
    await expect(page.locator("#viewers")).to_contain_text("watching")
    cable.is_deaf = True
    await page.press("#say", "Enter")
    await until_in_db(LogEntry.objects.filter(type="chat.message").exists)
    await load_anew(page, cable)
    await expect(page.locator("#say")).to_have_value("how heavy?")
    await page.press("#say", "Enter")
    await expect(page.locator(".chat__line--sending")).to_have_count(0)
    await expect(page.locator("#say")).to_have_value("")
    assert await run_in_db(LogEntry.objects.filter(type="chat.message").count) == 1


async def load_anew(page: Page, cable: Wire) -> None:
    """The page is gone before its client can learn what became of what it sent."""
    address = page.url
    await page.goto("about:blank")
    cable.is_deaf = False
    cable.cut()
    await page.goto(address)


async def fill_order(page: Page, cable: Wire, world: World) -> None:
    await page.goto(f"http://{cable.address}/shows/{world.show.public_id}/")
    await page.click("#open-shelf")
    await page.click(f'#shelf-sheet-list [data-buy="{world.apple_offer.public_id}"]')
    for name, value in {"name": "Li", "phone": "13800138000", "address": "8 River St"}.items():
        await page.fill(f'#order-form [name="{name}"]', value)


# To the letter


class Script:
    """A server that says what it is told to, and keeps what it heard on each connection."""

    def __init__(self) -> None:
        self.connections: list[ServerConnection] = []
        self.queries: list[dict[str, list[str]]] = []
        self.heard: list[list[Any]] = []
        self.at: list[float] = []
        self.address = ""

    async def serve(self, connection: ServerConnection) -> None:
        assert connection.request is not None
        self.at.append(time.monotonic())
        self.queries.append(parse_qs(urlsplit(connection.request.path).query))
        heard: list[Any] = []
        self.heard.append(heard)
        self.connections.append(connection)
        async for text in connection:
            heard.append(json.loads(text))

    async def say(self, *frames: dict[str, Any]) -> None:
        for frame in frames:
            await self.connections[-1].send(json.dumps(frame))

    async def hello(self, epoch: str = "one", seq: int = 0, **more: Any) -> None:
        usual = {"recovered": False, "you": {}, "retry_within_s": 0.2, "quiet_s": 60}
        await self.say({"hello": {"epoch": epoch, "seq": seq} | usual | more})

    async def visits(self, count: int) -> None:
        await until(lambda: len(self.connections) >= count)


@pytest_asyncio.fixture(loop_scope="module")
async def script(phone: BrowserContext) -> AsyncIterator[Script]:
    script = Script()
    async with serve(script.serve, "127.0.0.1", 0) as server:
        script.address = f"ws://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}/room"
        yield script


@pytest_asyncio.fixture(loop_scope="module")
async def listener(phone: BrowserContext, script: Script) -> Page:
    page = await phone.new_page()
    await page.evaluate(ENTER_FROM_TEXT, [CLIENT.read_text(), script.address, {}])
    await script.visits(1)
    return page


def told(first: int, last: int, **more: Any) -> dict[str, Any]:
    events = [{"seq": seq, "at": "", "type": "x", "data": {}} for seq in range(first, last + 1)]
    return {"from": first, "to": last, "events": events} | more


async def seqs(page: Page, count: int) -> list[int]:
    await page.wait_for_function(f"seen.events.length >= {count}")
    return [event["seq"] for event in (await seen(page))["events"]]


async def test_a_gap_makes_it_come_back_with_its_place_and_token(
    listener: Page, script: Script
) -> None:
    await script.hello(resume="token-1")
    await script.say(told(1, 2), told(4, 5))
    await script.visits(2)
    assert script.queries[1] == {"epoch": ["one"], "seq": ["2"], "resume": ["1"]}
    await until(lambda: script.heard[1])
    assert script.heard[1] == [{"resume": "token-1"}]
    await script.hello(seq=2, recovered=True, resume="token-2")
    await script.say(told(3, 5))
    assert await seqs(listener, 5) == [1, 2, 3, 4, 5]


async def test_a_stretch_that_is_repeated_is_passed_over(listener: Page, script: Script) -> None:
    await script.hello()
    await script.say(told(1, 3), told(2, 5), told(1, 2), told(6, 6))
    assert await seqs(listener, 6) == [1, 2, 3, 4, 5, 6]
    assert len(script.connections) == 1


async def test_an_event_with_an_id_is_shown_once_whatever_the_epoch(
    listener: Page, script: Script
) -> None:
    def sale(seq: int, name: str) -> dict[str, Any]:
        return {"seq": seq, "at": "", "type": "order.placed", "data": {}, "id": name}

    await script.hello()
    await script.say({"from": 1, "to": 2, "events": [sale(1, "a"), sale(2, "b")]})
    await script.connections[-1].close(4503, "retry_after=0.1")
    await script.visits(2)
    await script.hello(epoch="two", snapshot={"recent_orders": [sale(1, "c")], "chat": []})
    again = [sale(1, "c"), sale(2, "b"), sale(3, "d")]
    await script.say({"from": 1, "to": 3, "events": again})
    await listener.wait_for_function("seen.events.length >= 3")
    assert [event["id"] for event in (await seen(listener))["events"]] == ["a", "b", "d"]


async def test_it_comes_back_when_the_server_said(listener: Page, script: Script) -> None:
    await script.hello()
    await script.connections[-1].close(4503, "retry_after=1.5")
    closed_at = time.monotonic()
    await script.visits(2)
    assert 1.3 < script.at[1] - closed_at < 4


async def test_a_line_on_which_nothing_is_heard_is_left(listener: Page, script: Script) -> None:
    await script.hello(quiet_s=0.5)
    await script.visits(2)
    assert ["lost", 4000] in (await seen(listener))["states"]


async def test_latest_values_keep_a_line_alive(listener: Page, script: Script) -> None:
    await script.hello(quiet_s=2.5)
    for _ in range(8):
        await script.say({"now": {"viewers": 1}})
        await asyncio.sleep(0.5)  # the time itself is what is tested
    assert len(script.connections) == 1


@pytest.mark.parametrize("code", [4401, 4403, 4404])
async def test_a_final_close_is_final(listener: Page, script: Script, code: int) -> None:
    await script.hello()
    await send(listener, "chat.send", {"text": "hello?"})
    await until(lambda: script.heard[0])
    await script.connections[-1].close(code)
    await listener.wait_for_function("room.state === 'closed'")
    assert await answer(listener) == {"code": "connection_lost"}
    await send(listener, "chat.send", {"text": "hello?"})
    assert await answer(listener) == {"code": "connection_lost"}


async def test_a_network_that_is_back_hurries_it(listener: Page, script: Script) -> None:
    await script.hello()
    await script.connections[-1].close(4503, "retry_after=60")
    await listener.wait_for_function("room.state === 'lost'")
    await listener.evaluate("dispatchEvent(new Event('online'))")
    await script.visits(2)


async def test_what_is_not_kept_is_told_as_lost(listener: Page, script: Script) -> None:
    await script.hello()
    await listener.wait_for_function("room.state === 'open'")  # before, it would be lost at once
    await listener.evaluate(
        "() => { window.answer = room.send('react', {}).catch((error) => ({code: error.code})); }"
    )
    await until(lambda: script.heard[0])
    await script.connections[-1].close(4503)
    assert await answer(listener) == {"code": "connection_lost"}


async def test_a_program_says_its_ticket(phone: BrowserContext, script: Script) -> None:
    page = await phone.new_page()
    await page.evaluate(ENTER_FROM_TEXT, [CLIENT.read_text(), script.address, {"ticket": "t"}])
    await script.visits(1)
    await until(lambda: script.heard[0])
    assert script.heard[0] == [{"ticket": "t"}]


@pytest.mark.parametrize(
    ("arguments", "holds"),
    [
        ("4503, 'retry_after=2.5', 0, 9000", lambda least, most: least == most == 2500),
        ("1006, '', 0, 4000", lambda least, most: least < 1000 and 3000 < most <= 4000),
        ("1006, '', 1, 1000", lambda least, most: most <= 1000),
        ("1006, 'retry_after=2.5', 12, 1000", lambda least, most: 2000 < most <= 3000),
        ("1006, '', 13, 1000", lambda least, most: 5000 < most <= 8000),
        ("1006, '', 13, 15_000", lambda least, most: 10_000 < most <= 15_000),
        ("4429, '', 0, 1000", lambda least, most: least >= 5000),
    ],
)
async def test_how_long_it_stays_away(
    listener: Page, arguments: str, holds: Callable[[float, float], bool]
) -> None:
    draw = f"Array.from({{length: 300}}, () => pauseMs({arguments}))"
    pauses: list[float] = await listener.evaluate(draw)
    assert holds(min(pauses), max(pauses)), (min(pauses), max(pauses))
