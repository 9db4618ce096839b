"""The feed on a phone: its captions and speed come after the first picture, and stay chosen."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.async_api import BrowserContext, Locator, Page, expect

from core.realtime.db import run_in_db
from courses.models import Course, Enrolment
from media_pipeline.captions import tracks
from media_pipeline.captions.cues import cue
from media_pipeline.models import Asset, Recording
from media_pipeline.storage import storage
from tests.livecommerce.test_pages_browser import sign_in
from tests.orders.test_axe_browser import faults
from tests.phones import ONE_LOOP, site_on_one_loop
from tests.world import World

pytestmark = [pytest.mark.browser, pytest.mark.ffmpeg, ONE_LOOP]
site = site_on_one_loop

FITS = "document.documentElement.scrollWidth <= innerWidth"
# What was asked for before the first picture, and what since.
FIRST_PICTURE = """
const known = new WeakSet();
const ask = () => document.querySelectorAll("video").forEach((video) => {
  if (known.has(video)) return;
  known.add(video);
  video.requestVideoFrameCallback(() => { globalThis.firstPictureAt ??= performance.now(); });
});
new MutationObserver(ask).observe(document, { childList: true, subtree: true });
"""
TOO_EARLY = """() => performance.getEntriesByType("resource")
  .filter((one) => /captions|feed-extras|rates/.test(one.name))
  .filter((one) => one.startTime < globalThis.firstPictureAt)
  .map((one) => one.name)"""
LATE = """() => performance.getEntriesByType("resource")
  .filter((one) => /captions|feed-extras/.test(one.name)).length"""
TOO_SMALL = """() => [...document.querySelectorAll(".feed__extras :is(button, select)")]
  .map((one) => one.getBoundingClientRect())
  .filter((box) => box.width < 44 || box.height < 44 || box.right > innerWidth || box.top < 0)
  .length"""
RATE = "(video) => [video.playbackRate, video.defaultPlaybackRate]"


def with_films(film: Path) -> None:
    """Both lessons can be played, and read in two languages."""
    for asset in Asset.objects.all():
        storage().write(asset.download_key, film.read_bytes())
    Asset.objects.update(wish={"parts": [[0, 20]]})
    Recording.objects.update(duration_s=20)
    recording = Asset.objects.get(title="Picking").recording
    for language, text in (("en", "Cut the <b>stalk</b>."), ("zh", "剪断果梗。")):
        rows = tracks.rows([cue(0, 20_000, text)])
        recording.caption_tracks.create(language=language, cues=rows)


def lesson(page: Page, number: int) -> Locator:
    return page.locator("[data-lesson]").nth(number)


async def opened(phone: BrowserContext, site: str) -> Page:
    page = await phone.new_page()
    await page.add_init_script(FIRST_PICTURE)
    await page.goto(f"http://{site}/learn/")
    await page.wait_for_function("() => globalThis.firstPictureAt")
    return page


async def test_captions_and_speed_come_after_the_first_picture_and_stay_chosen(
    phone: BrowserContext, site: str, world: World, enrolment: Enrolment, film: Path
) -> None:
    await run_in_db(lambda: with_films(film))
    await sign_in(phone, site, world.wang)
    page = await opened(phone, site)
    first, second = lesson(page, 0), lesson(page, 1)
    menu = first.get_by_role("combobox", name="Captions")
    await expect(menu.locator("option")).to_have_text(
        ["No captions", "English", "中文", "English + 中文"]
    )
    assert await page.evaluate(TOO_EARLY) == []
    assert await page.evaluate(LATE) >= 2  # so that the line above looks for the right names
    await expect(first.locator(".feed__captions p")).to_have_count(0)
    await menu.select_option("en+zh")
    lines = first.locator(".feed__captions p")
    await expect(lines).to_have_text(["Cut the <b>stalk</b>.", "剪断果梗。"])
    assert await lines.nth(1).get_attribute("lang") == "zh"
    assert await page.evaluate(FITS)
    assert await page.evaluate(TOO_SMALL) == 0

    speed = first.get_by_role("button", name="Speed: 1×")
    await speed.focus()
    await page.keyboard.press("Enter")
    await page.keyboard.press("s")
    await expect(first.get_by_role("button", name="Speed: 1.5×")).to_be_focused()
    await expect(first.locator(".feed__extras [role=status]")).to_have_text("Speed: 1.5×")
    assert await first.locator("video").evaluate(RATE) == [1.5, 1.5]
    assert await faults(page) == []

    # The next lesson goes on as fast and is read as this one; what is changed holds for both.
    await page.keyboard.press("j")
    await expect(second.locator(".feed__captions p")).to_have_count(2)
    assert await second.locator("video").evaluate(RATE) == [1.5, 1.5]
    await second.get_by_role("combobox", name="Captions").select_option("zh")
    await expect(second.locator(".feed__captions p")).to_have_text(["剪断果梗。"])
    await page.keyboard.press("Escape")
    await second.get_by_role("button", name="Speed: 1.5×").focus()
    await page.keyboard.press("k")
    await expect(first.locator(".feed__captions p")).to_have_text(["剪断果梗。"])
    await expect(menu).to_have_value("zh")
    await page.reload()
    await expect(menu).to_have_value("zh")
    await expect(first.locator(".feed__captions p")).to_have_text(["剪断果梗。"])


async def test_what_is_played_fast_is_told_as_fast(
    phone: BrowserContext, site: str, world: World, enrolment: Enrolment, film: Path
) -> None:
    await run_in_db(lambda: with_films(film))
    await sign_in(phone, site, world.wang)
    page = await opened(phone, site)
    speed = lesson(page, 0).locator("[data-rate]")
    for _step in range(3):
        await speed.click()
    await expect(speed).to_have_text("2×")
    await page.wait_for_function("() => document.querySelector('video').currentTime > 2")
    async with page.expect_request(lambda one: one.url.endswith("/watched")) as told:
        await lesson(page, 0).locator("[data-toggle]").click(position={"x": 180, "y": 200})
    told_rates = [one["rate"] for one in (await told.value).post_data_json["stretches"]]
    assert 2 in told_rates


async def test_a_taste_has_captions_and_a_visitor_has_speed(
    phone: BrowserContext, site: str, world: World, course: Course, film: Path
) -> None:
    await run_in_db(lambda: with_films(film))
    page = await opened(phone, site)
    await expect(lesson(page, 0).get_by_role("button", name="Speed: 1×")).to_be_visible()
    await sign_in(phone, site, world.wang)
    page = await opened(phone, site)
    menu = lesson(page, 0).get_by_role("combobox", name="Captions")
    await menu.select_option("zh")
    await expect(lesson(page, 0).locator(".feed__captions p")).to_have_text(["剪断果梗。"])
