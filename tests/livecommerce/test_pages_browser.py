"""The room in a real browser: what survives signing in, lost connections and double taps."""

from __future__ import annotations

import asyncio
import re

import pytest
from django.conf import settings
from django.test import Client
from playwright.async_api import BrowserContext, Page, WebSocketRoute, expect

from core.accounts.models import User
from core.clock import now
from core.realtime.db import run_in_db
from orders.models import Order
from sellers.models import Stock
from streams.models import Audience, Show, ShowState
from streams.services import moderation
from tests.phones import ONE_LOOP, site_on_one_loop
from tests.realtime import DEADLINE_S
from tests.world import PASSWORD, World

pytestmark = [pytest.mark.browser, ONE_LOOP]
site = site_on_one_loop


async def begin(world: World) -> None:
    """The show is on, with the apples pinned."""
    changes = {"state": ShowState.LIVE, "started_at": now(), "pinned_offer": world.apple_offer}
    shows = Show.objects.filter(pk=world.show.pk)
    await run_in_db(lambda: shows.update(**changes))


async def sign_in(phone: BrowserContext, site: str, user: User) -> None:
    client = Client()
    await run_in_db(lambda: client.force_login(user))
    session = client.cookies[settings.SESSION_COOKIE_NAME].value
    await phone.add_cookies(
        [{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": f"http://{site}"}]
    )


async def room(phone: BrowserContext, site: str, world: World) -> Page:
    """The room, connected: it says how many are watching."""
    page = await phone.new_page()
    await page.goto(f"http://{site}/shows/{world.show.public_id}/")
    await expect(page.locator("#viewers")).to_contain_text("watching")
    return page


async def fill_in(page: Page) -> None:
    await page.locator("#pinned [data-buy]").click()
    await page.fill("#order-name", "Li")
    await page.fill("#order-phone", "138 0013 8000")
    await page.fill("#order-address", "8 River Street, Lanzhou")


async def orders_of(user: User) -> list[Order]:
    return await run_in_db(lambda: list(Order.objects.filter(buyer=user)))


async def test_a_draft_survives_signing_in(phone: BrowserContext, site: str, world: World) -> None:
    await begin(world)
    page = await room(phone, site, world)
    await page.fill("#say", "How heavy is a box?")
    await page.press("#say", "Enter")
    await page.locator("#say-error a").click()
    await page.fill("[name=login]", "li")
    await page.fill("[name=password]", PASSWORD)
    await page.press("[name=password]", "Enter")
    await expect(page.locator("#say")).to_have_value("How heavy is a box?")
    await page.press("#say", "Enter")
    await expect(page.locator("#chat [data-seq]")).to_contain_text("How heavy is a box?")
    await expect(page.locator("#say")).to_have_value("")


async def test_a_basket_survives_signing_in(phone: BrowserContext, site: str, world: World) -> None:
    await begin(world)
    page = await room(phone, site, world)
    await page.locator("#pinned [data-buy]").click()
    await page.locator("#more").click()
    await page.locator("#order-sign-in").click()
    await page.fill("[name=login]", "li")
    await page.fill("[name=password]", PASSWORD)
    await page.press("[name=password]", "Enter")
    await expect(page.locator("#order-sheet")).to_be_visible()
    await expect(page.locator("#order-quantity")).to_have_value("2")
    await expect(page.locator("#order-submit")).to_be_visible()


async def test_a_double_tap_is_one_order_and_everybody_sees_the_stock_fall(
    phone: BrowserContext, site: str, world: World
) -> None:
    await begin(world)
    stranger = await room(phone, site, world)
    await sign_in(phone, site, world.li)
    page = await room(phone, site, world)
    await fill_in(page)
    await page.locator("#order-submit").dblclick()
    [order] = await placed(page, world)
    await expect(page.locator("#order-summary")).to_contain_text(order.number)
    await expect(stranger.locator("#pinned .offer__stock")).to_have_text("39 boxes left")
    await expect(stranger.locator("#ticker")).to_contain_text("L** ordered 1")


async def placed(page: Page, world: World) -> list[Order]:
    await expect(page.locator("#order-done")).to_be_visible()
    return await orders_of(world.li)


async def test_what_is_missing_is_said_beside_its_field(
    phone: BrowserContext, site: str, world: World
) -> None:
    await begin(world)
    await sign_in(phone, site, world.li)
    page = await room(phone, site, world)
    await fill_in(page)
    await page.fill("#order-phone", "call me")
    await page.locator("#order-submit").click()
    error = page.locator('[data-field="phone"] .field__error')
    await expect(error).to_have_text("Please write a phone number, digits only.")
    await page.fill("#order-address", "")
    await page.locator("#order-submit").click()
    await expect(page.locator("#order-address")).to_be_focused()
    assert await orders_of(world.li) == []


async def test_an_order_whose_answer_was_lost_is_sent_again_and_placed_once(
    phone: BrowserContext, site: str, world: World
) -> None:
    await begin(world)
    await sign_in(phone, site, world.li)
    lost = await lose_first_answer(phone, '"ok":{"order"')
    page = await room(phone, site, world)
    await fill_in(page)
    await page.locator("#order-submit").click()
    [order] = await placed(page, world)
    assert len(lost) == 1
    assert order.number in lost[0]
    stock = await run_in_db(lambda: Stock.objects.get(variant=world.apples))
    assert stock.available == 39


async def test_a_message_whose_answer_was_lost_is_sent_again_and_said_once(
    phone: BrowserContext, site: str, world: World
) -> None:
    await begin(world)
    await sign_in(phone, site, world.li)
    lost = await lose_first_answer(phone, '"ok":{"seq"')
    page = await room(phone, site, world)
    await say(page, "one")
    await expect(page.locator("#chat [data-seq]")).to_have_text(["Li one"])
    await say(page, "two")
    await expect(page.locator("#chat [data-seq]")).to_have_text(["Li one", "Li two"])
    assert len(lost) == 1


async def lose_first_answer(phone: BrowserContext, beginning: str) -> list[str]:
    """Break the connection in place of the first frame that holds `beginning`; what was lost."""
    lost: list[str] = []

    def pass_on(socket: WebSocketRoute) -> None:
        server = socket.connect_to_server()

        async def cut(message: str | bytes) -> None:
            if beginning in str(message) and not lost:
                lost.append(str(message))
                await socket.close(code=4408)
            else:
                socket.send(message)

        server.on_message(cut)

    await phone.route_web_socket("**/ws/shows/**", pass_on)
    return lost


async def test_a_lost_connection_is_told_and_taken_up_again(
    phone: BrowserContext, site: str, world: World
) -> None:
    await begin(world)
    sockets: list[WebSocketRoute] = []
    is_down = False

    async def connect(socket: WebSocketRoute) -> None:
        if is_down:
            await socket.close(code=4503)
        else:
            socket.connect_to_server()
            sockets.append(socket)

    await phone.route_web_socket("**/ws/shows/**", connect)
    page = await room(phone, site, world)
    is_down = True
    await sockets[0].close(code=4503)
    await expect(page.locator("#connection")).to_contain_text("Connection lost")
    is_down = False
    await expect(page.locator("#connection")).to_be_hidden()
    assert "seq=" in sockets[-1].url


async def test_sold_out_is_told_before_and_while_ordering(
    phone: BrowserContext, site: str, world: World
) -> None:
    await begin(world)
    await run_in_db(lambda: Stock.objects.filter(variant=world.apples).update(on_hand=1))
    await sign_in(phone, site, world.li)
    page, other = await room(phone, site, world), await room(phone, site, world)
    await page.locator("#pinned [data-buy]").click()
    await expect(page.locator("#more")).to_be_disabled()
    await fill_in(other)
    await other.locator("#order-submit").click()
    await expect(other.locator("#order-done")).to_be_visible()
    await expect(page.locator("#order-problem")).to_contain_text("Sold out")
    await expect(page.locator("#order-submit")).to_be_disabled()
    await expect(page.locator("#pinned [data-buy]")).to_be_disabled()


async def test_a_hole_in_the_log_is_asked_for_again(
    phone: BrowserContext, site: str, world: World
) -> None:
    await begin(world)
    await sign_in(phone, site, world.li)
    asked: list[str] = []
    lost = asyncio.Event()

    def lose_one_frame(socket: WebSocketRoute) -> None:
        is_first = not asked
        asked.append(socket.url)
        server = socket.connect_to_server()

        def pass_on(message: str | bytes) -> None:
            if is_first and '"text":"one"' in str(message):
                lost.set()
            else:
                socket.send(message)

        server.on_message(pass_on)

    await phone.route_web_socket("**/ws/shows/**", lose_one_frame)
    page = await room(phone, site, world)
    await say(page, "one")
    await asyncio.wait_for(lost.wait(), DEADLINE_S)
    await say(page, "two")
    await expect(page.locator("#chat [data-seq]")).to_have_text(["Li one", "Li two"])
    assert len(asked) == 2
    assert "seq=" in asked[1]


async def say(page: Page, text: str) -> None:
    await page.fill("#say", text)
    await page.press("#say", "Enter")


TRACK = """async () => {
  const { ReplayTrack } = await import("/static/streams/replay-track.js");
  const entry = (seq, media_s, type, data) => ({ seq, at: "", type, media_s, data });
  const track = new ReplayTrack([
    entry(1, null, "product.pinned", { offer: { id: "apples" } }),
    entry(2, 3, "chat.message", { text: "hello" }),
    { ...entry(3, 4, "chat.message", { text: "rude" }), id: "rude" },
    entry(5, 8, "product.pinned", { offer: { id: "pears" } }),
    entry(6, 9, "order.placed", { buyer: "L**" }),
    entry(7, null, "chat.message", { text: "after the end" }),
  ]);
  track.remove({ id: "rude" });
  const steps = [0, 8.5, 10, 3.5].map((second) => {
    const step = track.moveTo(second);
    const said = step.chat.map((line) => line.data.text);
    return [track.pinnedId, said, step.orders.length, step.restart];
  });
  return steps;
}"""


async def test_the_replay_shows_each_moment_as_it_was(
    phone: BrowserContext, site: str, world: World
) -> None:
    page = await room(phone, site, world)
    assert await page.evaluate(TRACK) == [
        ["apples", [], 0, False],
        ["pears", ["hello"], 0, False],
        ["pears", [], 1, False],
        ["apples", ["hello"], 0, True],
    ]


STALE_STOCK = """async () => {
  const { RoomState } = await import("/static/streams/room-state.js");
  const offer = { id: "o", variant_id: "v", available: 9, stock_version: 5 };
  const state = new RoomState({ show: {}, offers: [offer], pinned: null });
  const hear = (available, version) =>
    state.apply({ type: "stock.changed", data: { variant_id: "v", available, version } });
  hear(7, 7);
  hear(8, 6);
  state.pin({ ...offer });
  return state.pinned.available;
}"""


async def test_of_two_counts_of_stock_the_newer_holds(
    phone: BrowserContext, site: str, world: World
) -> None:
    page = await room(phone, site, world)
    assert await page.evaluate(STALE_STOCK) == 7


async def test_a_form_on_its_way_cannot_be_tapped_again(
    phone: BrowserContext, site: str, world: World
) -> None:
    await sign_in(phone, site, world.zhang)
    page = await phone.new_page()
    await page.goto(f"http://{site}/learn/new/")
    await page.fill("#title", "Pears")
    # No answer that leads elsewhere: the page stays, and can be looked at.
    await page.route("**/learn/new/", lambda route: route.fulfill(status=204))
    button = page.locator("main form button")
    await button.click()
    await expect(button).to_be_disabled()


async def muted(world: World, for_s: int | None = None) -> None:
    keep = {"show": world.show, "actor": world.zhang, "user_id": world.li.public_id}
    await run_in_db(lambda: moderation.mute(**keep, reason="adverts", for_s=for_s))


async def test_a_muted_viewer_is_told_and_keeps_the_draft(
    phone: BrowserContext, site: str, world: World
) -> None:
    await begin(world)
    await sign_in(phone, site, world.li)
    page = await room(phone, site, world)
    await page.fill("#say", "How heavy is")
    await muted(world, for_s=600)
    line, box = page.locator("#say-muted"), page.locator("#say")
    await expect(line).to_have_text(re.compile(r"^You cannot write until \d\d:\d\d\.$"))
    await expect(box).to_be_disabled()
    await expect(box).to_have_value("How heavy is")
    await page.reload()
    await expect(line).to_have_text(re.compile(r"^You cannot write until \d\d:\d\d\.$"))
    await expect(box).to_have_value("How heavy is")
    await muted(world)
    await expect(line).to_have_text("You cannot write in this show.")
    assert "adverts" not in await page.content()


async def test_a_mute_that_is_over_opens_the_box_again(
    phone: BrowserContext, site: str, world: World
) -> None:
    await begin(world)
    await sign_in(phone, site, world.li)
    await muted(world, for_s=600)
    page = await phone.new_page()
    await page.clock.install()
    await page.goto(f"http://{site}/shows/{world.show.public_id}/")
    await expect(page.locator("#say-muted")).to_be_visible()
    await expect(page.locator("#say")).to_be_disabled()
    await page.clock.fast_forward(601_000)
    await expect(page.locator("#say-muted")).to_be_hidden()
    await expect(page.locator("#say")).to_be_enabled()


async def test_who_is_sent_away_sees_why_and_nothing_else(
    phone: BrowserContext, site: str, world: World
) -> None:
    await begin(world)
    await sign_in(phone, site, world.li)
    page = await room(phone, site, world)
    await page.locator("#pinned [data-buy]").click()
    await expect(page.locator("#order-sheet")).to_be_visible()
    keep = {"show": world.show, "actor": world.zhang, "user_id": world.li.public_id}
    await run_in_db(lambda: moderation.ban(**keep, reason="threats"))
    panel = page.locator("#away")
    await expect(panel).to_contain_text("The host has sent you away from this show")
    await expect(page.locator("#order-sheet")).to_be_hidden()
    await expect(
        page.locator("[data-buy]:visible, #composer:visible, #stage:visible")
    ).to_have_count(0)
    assert "threats" not in await page.content()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    await panel.get_by_role("button", name="Try again").click()
    await expect(page.locator("h1")).to_have_text("This is not open to you")
    assert not [url for url in asked if "/playback/" in url or "/media/" in url]
    await run_in_db(lambda: moderation.unban(**keep))
    await page.get_by_role("link", name="Try again").click()
    await expect(page.locator("#viewers")).to_contain_text("watching")


async def test_who_loses_an_invitation_is_told_so(
    phone: BrowserContext, site: str, world: World
) -> None:
    await begin(world)
    await sign_in(phone, site, world.li)
    sockets: list[WebSocketRoute] = []

    def connect(socket: WebSocketRoute) -> None:
        socket.connect_to_server()
        sockets.append(socket)

    await phone.route_web_socket("**/ws/shows/**", connect)
    page = await room(phone, site, world)
    shows = Show.objects.filter(pk=world.show.pk)
    await run_in_db(lambda: shows.update(audience=Audience.INVITED))
    await sockets[0].close(code=4403)
    await expect(page.locator("#away")).to_contain_text("This show is private")
    await expect(page.locator("#away").get_by_role("link", name="See other shows")).to_be_visible()
