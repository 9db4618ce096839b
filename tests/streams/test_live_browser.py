"""The live picture as a phone shows it: over its socket, and by HLS while that is blocked."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import BrowserContext, Page, WebSocketRoute, expect

from media_pipeline.live.feed import Feed, feeds
from media_pipeline.live.parts import Part
from streams.models import ShowState
from tests.media_pipeline.live_parts import filming
from tests.phones import ONE_LOOP, site_on_one_loop
from tests.realtime import until
from tests.streams.camera import camera
from tests.streams.test_room import change
from tests.world import World

pytestmark = [pytest.mark.browser, ONE_LOOP]
site = site_on_one_loop
Handler = Callable[[WebSocketRoute], Awaitable[None]]

LATE_AT_MOST_MS = 2_000
"""On a machine that does much else; `make bench-live` measures how late it is on a quiet one."""
PARTS_KEPT = 60
"""Six seconds: a picture that stands for five while parts come is the player's fault."""
IS_LIVE = f"""() => {{
  const {{ delivery, delayMs }} = document.querySelector("#stage").dataset;
  const video = document.querySelector("video");
  return delivery === "mse" && video.currentTime > 0.5 && delayMs < {LATE_AT_MOST_MS};
}}"""
MOVES_ON = """async () => {
  const video = document.querySelector("video"), before = video.currentTime;
  while (video.currentTime <= before) await new Promise((done) => setTimeout(done, 50));
}"""


@pytest_asyncio.fixture(loop_scope="module")
async def live(world: World) -> AsyncIterator[Feed]:
    await change(world.show, state=ShowState.LIVE)
    feed = feeds.feed(world.show.public_id)
    async with filming(feed):
        yield feed


async def watch(site: str, world: World, phone: BrowserContext) -> Page:
    page = await phone.new_page()
    await page.goto(f"http://{site}/shows/{world.show.public_id}/")
    return page


async def test_the_picture_is_live_and_goes_on_with_the_next_take(
    site: str, world: World, phone: BrowserContext, live: Feed
) -> None:
    fetched: list[str] = []
    phone.on("request", lambda request: fetched.append(request.url))
    page = await watch(site, world, phone)
    await page.wait_for_function(IS_LIVE)
    await expect(page.locator("#delay")).to_contain_text("s behind")
    first = await page.evaluate("document.querySelector('video').src")
    live.drifted(5_000)  # its camera's clock is so slow: what is shown is newer than its place says
    await page.wait_for_function("() => document.querySelector('#stage').dataset.delayMs < -2000")
    await page.wait_for_function(MOVES_ON)
    live.end()
    async with filming(live):
        await page.wait_for_function(MOVES_ON)
        await page.wait_for_function(IS_LIVE)
    assert await page.evaluate("document.querySelector('video').src") == first
    assert not [url for url in fetched if "hls" in url]


async def test_words_stand_for_the_picture_of_a_camera_that_is_away_and_then_catches_up(
    site: str, world: World, phone: BrowserContext, live: Feed, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = await watch(site, world, phone)
    await page.wait_for_function(IS_LIVE)
    kept: list[Part] = []
    with monkeypatch.context() as outage:
        outage.setattr(live, "push", kept.append)
        await expect(page.locator("#status")).to_contain_text("The picture will be back")
        await expect(page.locator("#delay")).to_be_hidden()
        await expect(page.locator("#live-badge")).to_be_hidden()
        await until(lambda: len(kept) > PARTS_KEPT)
    for part in kept[:20]:
        live.push(part)
    await expect(page.locator("#status")).to_contain_text("catching up")
    for part in kept[20:]:
        live.push(part)
    await page.wait_for_function(MOVES_ON)
    # Not by HLS: that it stood so long was not the player's fault.
    await expect(page.locator("#stage")).to_have_attribute("data-delivery", "mse")
    await expect(page.locator("#status")).to_be_empty()
    await expect(page.locator("#delay")).to_be_visible()
    await expect(page.locator("#live-badge")).to_be_visible()


# A browser that has no room for a part while more than two seconds lie behind what is shown.
LITTLE_ROOM = """() => {
  const append = SourceBuffer.prototype.appendBuffer;
  window.refused = 0;
  SourceBuffer.prototype.appendBuffer = function (bytes) {
    const at = document.querySelector("video").currentTime;
    if (!this.buffered.length || at - this.buffered.start(0) <= 2) return append.call(this, bytes);
    window.refused += 1;
    throw new DOMException("no room", "QuotaExceededError");
  };
}"""


async def test_a_browser_without_room_forgets_what_was_shown_and_plays_on(
    site: str, world: World, phone: BrowserContext, live: Feed
) -> None:
    await phone.add_init_script(f"({LITTLE_ROOM})()")
    page = await watch(site, world, phone)
    await page.wait_for_function(IS_LIVE)
    first = await page.evaluate("document.querySelector('video').src")
    await page.wait_for_function("() => window.refused > 1")
    await page.wait_for_function(IS_LIVE)
    await page.evaluate(MOVES_ON)
    behind = "(({buffered, currentTime}) => currentTime - buffered.start(0))"
    assert await page.evaluate(f"{behind}(document.querySelector('video'))") < 2.5
    await expect(page.locator("#stage")).to_have_attribute("data-delivery", "mse")
    assert await page.evaluate("document.querySelector('video').src") == first


# The player's edge with a video that says what the test wants: Chromium waits only by chance.
WAITING_VIDEO = """async ({ readyState, aheadS }) => {
  const { LiveEdge } = await import("/static/streams/player-edge.js");
  const ends = { length: 1, start: () => 0, end: () => 10 };
  const video = Object.assign(new EventTarget(), {
    readyState: 4, currentTime: 0, buffered: ends, seeking: false, muted: true, playbackRate: 1,
  });
  const edge = new LiveEdge(video);
  edge.begin();
  edge.follow();
  Object.assign(video, { readyState, currentTime: 10 - aheadS });
  edge.look();
  edge.stop();
  return 10 - video.currentTime;
}"""


async def test_a_picture_that_waits_for_no_reason_is_moved_on(
    site: str, phone: BrowserContext
) -> None:
    page = await phone.new_page()
    await page.goto(f"http://{site}/")

    async def ahead_s(of: int, before_s: float) -> float:
        asked = {"readyState": of, "aheadS": before_s}
        return float(await page.evaluate(WAITING_VIDEO, asked))

    assert await ahead_s(2, 0.5) == pytest.approx(0.16)
    assert await ahead_s(2, 0.2) == pytest.approx(0.2)
    assert await ahead_s(4, 0.5) == pytest.approx(0.5)
    assert await ahead_s(4, 1.5) == pytest.approx(0.16)


async def test_a_smaller_picture_is_chosen_from_what_there_is(
    site: str, world: World, phone: BrowserContext, live: Feed
) -> None:
    page = await watch(site, world, phone)
    await page.wait_for_function(IS_LIVE)
    await page.get_by_label("More", exact=True).click()
    await expect(page.get_by_label("Picture")).to_be_hidden()  # there is only one
    async with filming(feeds.feed(world.show.public_id, "low"), size="160x90"):
        await page.get_by_label("Picture").select_option("low")
        await page.wait_for_function("() => document.querySelector('video').videoWidth === 160")
        await page.wait_for_function(IS_LIVE)
    # It is gone: the source goes on by itself.
    await page.wait_for_function("() => document.querySelector('video').videoWidth === 320")


async def test_the_sound_alone_with_still_pictures_and_back_to_the_picture(
    site: str, world: World, phone: BrowserContext, live: Feed
) -> None:
    page = await watch(site, world, phone)
    await page.wait_for_function(IS_LIVE)
    await page.get_by_label("More", exact=True).click()
    async with filming(feeds.feed(world.show.public_id, "audio"), size=None):
        feeds.set_poster(world.show.public_id, "/static/livecommerce/logo.svg", 1.0)
        await page.get_by_label("Picture").select_option("poster")
        await page.wait_for_function(IS_LIVE.replace('"mse"', '"saver"'))
        await expect(page.locator(".stage__still")).to_be_visible()
        await page.get_by_label("Picture").select_option("audio")
        await page.wait_for_function(IS_LIVE.replace('"mse"', '"audio"'))
        await expect(page.locator(".stage__still")).to_be_hidden()
        await page.get_by_label("Picture").select_option("auto")
        await page.wait_for_function(IS_LIVE)
    feeds.set_poster(world.show.public_id, None)


async def test_hls_takes_over_while_the_socket_is_blocked_and_gives_way_again(
    site: str, world: World, phone: BrowserContext, recorder_film: Path
) -> None:
    await change(world.show, state=ShowState.LIVE)
    blocked: list[WebSocketRoute] = []
    is_open = asyncio.Event()
    async with camera(site, world.show.public_id) as farm:
        assert "ready" in await farm.hello(world.show, uuid.uuid4())
        await farm.film(recorder_film)
        await phone.route_web_socket(lambda url: "/ws/live/" in url, refuse(blocked, is_open))
        page = await watch(site, world, phone)
        await expect(page.get_by_role("button", name="All products")).to_be_enabled()
        await page.wait_for_function(
            "() => document.querySelector('#stage').dataset.delivery === 'hls'"
        )
        await page.wait_for_function(MOVES_ON)
        assert blocked
    async with filming(feeds.feed(world.show.public_id)):
        is_open.set()
        await page.wait_for_function(IS_LIVE)


def refuse(blocked: list[WebSocketRoute], is_open: asyncio.Event) -> Handler:
    """Close the socket as a proxy that knows none does, until it is open."""

    async def handle(route: WebSocketRoute) -> None:
        if is_open.is_set():
            route.connect_to_server()
        else:
            blocked.append(route)
            await route.close(code=1011)

    return handle
