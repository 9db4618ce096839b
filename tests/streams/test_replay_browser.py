"""The replay on a phone: jump to a product, read the chat of that second, buy at today's price."""

from __future__ import annotations

import pytest
from django.db.models import F
from playwright.async_api import BrowserContext, Page, expect

from core.realtime.db import run_in_db
from media_pipeline.models import Recording
from media_pipeline.services import clips
from media_pipeline.services.recordings import enqueue_processing
from media_pipeline.tasks import TASKS
from media_pipeline.worker import run_waiting
from orders.models import Offer
from streams.models import Show
from tests.livecommerce.test_pages_browser import orders_of, sign_in
from tests.phones import ONE_LOOP, site_on_one_loop
from tests.story.browser import WIDE
from tests.streams.replayed import replayed
from tests.world import World

pytestmark = [pytest.mark.browser, pytest.mark.ffmpeg, ONE_LOOP]
site = site_on_one_loop

WHERE = "document.querySelector('video').currentTime"
FITS = "document.documentElement.scrollWidth <= innerWidth"
CUES = """() => [...document.querySelector('video').textTracks[0].cues ?? []]
  .map((cue) => [cue.startTime, cue.text])"""


async def replay_of(phone: BrowserContext, site: str, world: World) -> Page:
    page = await phone.new_page()
    await page.goto(f"http://{site}/shows/{world.show.public_id}/")
    await expect(page.locator(".moment")).to_have_count(3)
    await expect(page.locator("video")).to_have_js_property("readyState", 4)
    return page


async def jump(page: Page, second: float) -> None:
    """As a finger on the player's own line does it; paused, so that a second stays a second."""
    await page.locator("video").evaluate("(v, to) => { v.pause(); v.currentTime = to; }", second)


async def test_a_replay_is_a_shop(phone: BrowserContext, site: str, world: World) -> None:
    await run_in_db(lambda: replayed(world))
    await sign_in(phone, site, world.li)
    page = await replay_of(phone, site, world)
    assert await page.evaluate(FITS)
    assert await page.evaluate(CUES) == [
        [2, "Huaniu apples, 5 kg box"],
        [5, "Snow pears, 3 kg box"],
        [9, "Huaniu apples, 5 kg box"],
    ]

    # The chat is that of the second, forth and back, without what was removed.
    lines = page.locator("#chat .chat__line")
    await jump(page, 5.5)
    await expect(lines).to_have_text(["Li hello", "Li? How heavy is a box?"])
    await jump(page, 11)
    await expect(lines).to_have_count(3)
    await expect(page.locator(".chat__question--answered")).to_have_count(1)
    await jump(page, 3.5)
    await expect(lines).to_have_count(2)
    await expect(page.locator(".chat__question--answered")).to_have_count(0)

    # The line: keys, products, and what was sold when, without the buyer's name.
    line = page.get_by_role("slider", name="Place in the replay")
    await line.press("PageDown")
    await expect(page.locator(".moment[aria-current]")).to_contain_text("Snow pears")
    await line.press("Home")
    assert await page.evaluate(WHERE) == 0
    await expect(page.locator("[data-sold='2']")).to_have_attribute("title", "0:07 to 0:07: 2 sold")
    times = page.locator("#shelf li").filter(has_text="Huaniu").locator(".offer__times button")
    await expect(times).to_have_text(["0:02", "0:09"])
    await times.nth(1).click()
    await expect(page.locator(".moment[aria-current]")).to_contain_text("0:09")
    assert await page.evaluate(WHERE) >= 9
    await jump(page, 9.5)
    await expect(page.locator("#share-moment")).to_have_text("Share from 0:09")

    # The price that holds now, and that it was another one.
    await expect(page.locator("#moment-note")).to_contain_text("Now ¥29.90, in the show ¥35.90")
    await page.locator("#pinned [data-buy]").click()
    await expect(page.locator("#saved-list")).to_contain_text("8 River")  # from before
    await page.locator("#order-submit").click()
    await expect(page.locator("#order-done")).to_be_visible()
    assert 2990 in {order.total_minor for order in await orders_of(world.li)}


async def test_the_studio_follows_the_files_when_others_may_watch(
    phone: BrowserContext, site: str, world: World
) -> None:
    """The public addresses die: the open player goes on at the new ones, at the same second. The
    clips that were cut stay where they are, which nobody finds without being given the address."""
    await run_in_db(lambda: lesson_of(world, replayed(world).recording))
    await sign_in(phone, site, world.zhang)
    page = await phone.new_page()
    await page.goto(f"http://{site}/studio/shows/{world.show.public_id}/")
    video = page.locator("#replay")
    await expect(video).to_have_js_property("readyState", 4)
    await jump(page, 6)
    await expect(video).to_have_js_property("seeking", False)
    picture = page.locator("#clips img")
    address = await picture.get_attribute("src")
    assert address
    assert "/private/" in address
    async with page.expect_response(lambda found: "/media/s/" in found.url) as fetched:
        await page.locator("#audience input[value=invited]").check()
    assert (await fetched.value).ok
    await expect(video).to_have_js_property("readyState", 4)
    await expect(video).to_have_js_property("currentTime", 6)
    await expect(page.locator("#replay-problem")).to_be_hidden()
    await expect(picture).not_to_have_js_property("naturalWidth", 0)
    watch = page.get_by_role("link", name="Watch")
    film = await page.request.get(f"http://{site}{await watch.get_attribute('href')}")
    assert film.ok

    # Cut by a page that is not up to date: it is loaded anew, and keeps what was typed.
    await run_in_db(lambda: Recording.objects.update(edition=F("edition") + 1))
    await page.fill("#clip-title", "Pruning")
    await page.click("#make")
    await expect(page.locator("#cut-error")).to_contain_text("The recording has changed")
    await expect(page.locator("#clip-title")).to_have_value("Pruning")
    await page.click("#make")
    await expect(page.locator("#clips li")).to_have_count(2)


def lesson_of(world: World, recording: Recording) -> None:
    clips.make_clip(
        recording_id=recording.public_id,
        edition=recording.edition,
        start_s=1,
        end_s=2,
        title="Grafting",
        actor=world.zhang,
    )
    run_waiting({clips.MAKE_CLIP: TASKS[clips.MAKE_CLIP]})


async def test_where_all_there_is_to_buy_is_pinned_no_list_says_that_there_is_nothing(
    phone: BrowserContext, site: str, world: World
) -> None:
    await run_in_db(lambda: Offer.objects.exclude(pk=world.apple_offer.pk).delete())
    shows = Show.objects.filter(pk=world.show.pk)
    await run_in_db(lambda: shows.update(pinned_offer=world.apple_offer))
    page = await phone.new_page()
    await page.set_viewport_size(WIDE)  # a phone has no list beside the picture
    await page.goto(f"http://{site}/shows/{world.show.public_id}/")
    await expect(page.locator("#viewers")).to_contain_text("watching")
    await expect(page.locator("#pinned")).to_contain_text("Huaniu apples")
    await expect(page.locator(".shelf")).to_be_hidden()


async def test_pointing_at_the_line_shows_what_there_is_to_see(
    phone: BrowserContext, site: str, world: World
) -> None:
    await run_in_db(lambda: with_renditions(replayed(world).recording))
    page = await replay_of(phone, site, world)
    box = await page.locator("#moments-bar").bounding_box()
    assert box
    small = page.locator(".storyboard")
    async with (
        page.expect_response("**/storyboard.vtt") as fetched,
        page.expect_response("**/sheet-001.jpg") as picture,
    ):
        await page.mouse.move(box["x"] + box["width"] * 0.61, box["y"] + 4)  # once is enough
    assert (await fetched.value).ok
    assert (await picture.value).ok
    await expect(small).to_be_visible()
    await expect(small).to_have_text("0:07")
    # The fourth picture, of seconds six to eight, beside three of 160 pixels.
    place = page.locator(".storyboard__picture")
    await expect(place).to_have_css("background-position", "-480px 0px")
    await page.mouse.move(4, 4)
    await expect(small).to_be_hidden()


def with_renditions(recording: Recording) -> None:
    enqueue_processing(recording.public_id)
    run_waiting()
