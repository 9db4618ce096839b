"""The feed opens without a network, and plays what is kept on the phone."""

from __future__ import annotations

import pytest
from playwright.async_api import BrowserContext, Locator, Page, expect

from core.realtime.db import run_in_db
from courses.models import Course, Lesson, Progress
from media_pipeline.captions import tracks
from media_pipeline.captions.cues import cue
from media_pipeline.models import Asset, AssetState, Recording
from tests.courses.offline.phone import IS_OFFLINE, PLAYS, kept
from tests.livecommerce.test_pages_browser import sign_in
from tests.orders.test_axe_browser import faults
from tests.phones import ONE_LOOP, site_on_one_loop
from tests.world import World

pytestmark = [pytest.mark.browser, pytest.mark.ffmpeg, ONE_LOOP]
site = site_on_one_loop

PAST = "(s) => document.querySelector('[data-lesson] video')?.currentTime > s"
FITS = "document.documentElement.scrollWidth <= innerWidth"
KEPT_FEED = """async () => {
  const kept = await (await caches.open("learn-pages")).match("/learn/offline/feed/");
  return kept ? kept.text() : "";
}"""
FEED_COMES = f"""async (isThere) => {{
  const kept = {KEPT_FEED};
  for (const until = performance.now() + 20_000; performance.now() < until; ) {{
    if (Boolean(await kept()) === isThere) return true;
    await new Promise(requestAnimationFrame);
  }}
  return false;
}}"""
FORGET_FEED = """async () => (await caches.open("learn-pages")).delete("/learn/offline/feed/")"""


def with_captions(lesson: Lesson) -> None:
    Asset.objects.update(wish={"parts": [[0, 20]]})
    Recording.objects.update(duration_s=20)
    for language, text in (("en", "Cut the stalk."), ("zh", "剪断果梗。")):
        rows = tracks.rows([cue(0, 20_000, text)])
        lesson.asset.recording.caption_tracks.create(language=language, cues=rows)


def watched_s(lesson: Lesson) -> float:
    found = Progress.objects.filter(lesson=lesson).first()
    return sum(end - start for start, end in found.intervals) if found else 0


async def only(page: Page) -> Locator:
    lesson = page.locator("[data-lesson]")
    await expect(lesson).to_have_count(1)
    return lesson


async def test_the_feed_plays_kept_lessons_without_a_network(
    phone: BrowserContext, site: str, world: World, course: Course, lesson: Lesson
) -> None:
    await run_in_db(lambda: with_captions(lesson))
    await sign_in(phone, site, world.wang)
    page = await kept(phone, site, lesson)
    await phone.set_offline(True)
    assert await page.evaluate(IS_OFFLINE)
    before = await run_in_db(lambda: watched_s(lesson))

    await page.goto(f"http://{site}/learn/")
    shown = await only(page)  # "Packing" is not kept
    await expect(shown.locator("h2")).to_have_text("Picking")
    await page.wait_for_function(PAST, arg=1)
    assert await page.evaluate(FITS)
    await shown.get_by_role("combobox", name="Captions").select_option("en+zh")
    lines = shown.locator(".feed__captions p")
    await expect(lines).to_have_text(["Cut the stalk.", "剪断果梗。"])
    await shown.get_by_role("button", name="Speed: 1×").click()
    await expect(shown.get_by_role("button", name="Speed: 1.25×")).to_be_visible()
    assert await faults(page) == []
    await page.wait_for_function(PAST, arg=4)
    await shown.locator("[data-toggle]").click(position={"x": 180, "y": 200})
    await expect(shown.locator("[data-state]")).to_contain_text("kept and sent later")
    await shown.get_by_role("link", name="Open").click()
    await expect(page.locator("h1")).to_have_text("Picking")
    assert await run_in_db(lambda: watched_s(lesson)) == before

    await phone.set_offline(False)
    await page.goto(f"http://{site}/learn/")
    await expect(page.locator("[data-lesson]")).to_have_count(2)  # as the server has it
    await page.goto(f"http://{site}/learn/offline/")
    await expect(page.locator("[data-waiting]")).to_be_hidden()
    assert 3 < await run_in_db(lambda: watched_s(lesson)) < 9


async def test_two_kept_lessons_are_swiped_through_and_then_it_says_that_this_is_all(
    phone: BrowserContext, site: str, world: World, lesson: Lesson, packing_film: Lesson
) -> None:
    await sign_in(phone, site, world.wang)
    page = await kept(phone, site, lesson)
    await page.goto(f"http://{site}{lesson.course.get_absolute_url()}")
    await page.locator("[data-keep] button").nth(1).click()
    await expect(page.locator("[data-keep]").nth(1)).to_contain_text(PLAYS, timeout=30_000)
    await page.goto(f"http://{site}/learn/")
    await phone.set_offline(True)
    await page.reload()
    lessons = page.locator("[data-lesson]")
    await expect(lessons).to_have_count(2)
    await page.wait_for_function(PAST, arg=0.5)
    await page.keyboard.press("j")
    await expect(lessons.nth(1).locator("video")).to_have_js_property("paused", False)
    await expect(lessons.nth(0).locator("video")).to_have_js_property("paused", True)
    await lessons.nth(1).locator("[data-next]").click()
    await expect(page.get_by_role("heading", name="That is all that is kept")).to_be_in_viewport()
    assert await faults(page) == []


async def test_when_nothing_is_kept_the_feed_is_not_the_phones(
    phone: BrowserContext, site: str, world: World, lesson: Lesson
) -> None:
    await sign_in(phone, site, world.wang)
    page = await kept(phone, site, lesson)
    assert "data-form" in await page.evaluate(KEPT_FEED)
    await page.goto(f"http://{site}/learn/offline/")
    await page.get_by_role("button", name="Remove “Picking”").click()
    await expect(page.locator("[data-none]")).to_be_visible()
    assert await page.evaluate(FEED_COMES, False)
    await phone.set_offline(True)
    await page.goto(f"http://{site}/learn/")
    await expect(page.locator("h1")).to_have_text("Kept on this phone")
    await phone.set_offline(False)
    await page.goto(f"http://{site}/learn/offline/feed/")  # whom a link sent there hears it, too
    await expect(page.get_by_role("heading", name="No lesson is kept here")).to_be_visible()


async def test_who_kept_lessons_before_gets_the_feed_at_the_next_contact(
    phone: BrowserContext, site: str, world: World, lesson: Lesson
) -> None:
    await sign_in(phone, site, world.wang)
    page = await kept(phone, site, lesson)
    assert await page.evaluate(FORGET_FEED)
    await page.goto(f"http://{site}/learn/offline/")
    assert await page.evaluate(FEED_COMES, True)
    await phone.set_offline(True)
    await page.goto(f"http://{site}/learn/")
    await page.wait_for_function(PAST, arg=0.5)


def take_back(lesson: Lesson) -> None:
    Asset.objects.filter(pk=lesson.asset_id).update(state=AssetState.WITHDRAWN)


async def test_what_was_taken_back_leaves_the_feed_without_a_network(
    phone: BrowserContext, site: str, world: World, lesson: Lesson
) -> None:
    await sign_in(phone, site, world.wang)
    page = await kept(phone, site, lesson)
    await run_in_db(lambda: take_back(lesson))
    await page.goto(f"http://{site}/learn/offline/")
    await expect(page.locator("[data-said]")).to_contain_text("taken back by its seller")
    await phone.set_offline(True)
    await page.goto(f"http://{site}/learn/")
    await expect(page.locator("h1")).to_have_text("Kept on this phone")
