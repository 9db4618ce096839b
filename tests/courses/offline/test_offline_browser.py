"""A lesson kept on a phone plays while the network is cut, and what is watched is counted after."""

from __future__ import annotations

import pytest
from playwright.async_api import BrowserContext, Page, expect

from core.realtime.db import run_in_db
from courses.models import Lesson, Progress
from media_pipeline.models import AssetState
from tests.courses.offline.phone import BUTTON, IS_OFFLINE, PLAYS, kept
from tests.livecommerce.test_pages_browser import sign_in
from tests.orders.test_axe_browser import faults
from tests.phones import ONE_LOOP, site_on_one_loop
from tests.world import World

pytestmark = [pytest.mark.browser, pytest.mark.ffmpeg, ONE_LOOP]
site = site_on_one_loop

KEPT_NAMES = """async () => {
  const names = (await caches.keys()).filter((one) => one.startsWith("learn-")).sort();
  const count = async (name) => (await (await caches.open(name)).keys()).length;
  const sizes = await Promise.all(names.map(count));
  return names.filter((one, place) => sizes[place] > 0);
}"""
RANGE = """async (url) => {
  const answer = await fetch(url, { headers: { Range: "bytes=262100-262199" } });
  const body = new Uint8Array(await answer.arrayBuffer());
  return [answer.status, answer.headers.get("Content-Range").split("/")[0], [...body]];
}"""

TOO_MUCH = """(path) => {
  const stretches = [{ start_s: 0, end_s: 9000 }];
  const batch = { batch: crypto.randomUUID(), stretches, lasted_s: 9000 };
  const headers = { "Content-Type": "application/json" };
  return fetch(path, { method: "POST", headers, body: JSON.stringify(batch) }).catch(() => {});
}"""

CUT_ONCE = """
const whole = globalThis.fetch;
globalThis.asked = [];
globalThis.fetch = (address, options) => {
  const range = options?.headers?.Range;
  if (range && globalThis.asked.push(range) === 2) return Promise.reject(new TypeError("cut"));
  return whole(address, options);
};
"""


def watched_s(lesson: Lesson) -> float:
    found = Progress.objects.filter(lesson=lesson).first()
    return sum(end - start for start, end in found.intervals) if found else 0


async def played(page: Page, for_s: float) -> None:
    await page.evaluate("() => { document.querySelector('video').muted = true; }")
    await page.evaluate("() => document.querySelector('video').play()")
    await page.wait_for_function(
        "(s) => document.querySelector('video').currentTime > s", arg=for_s
    )
    await page.evaluate("() => document.querySelector('video').pause()")


async def test_a_kept_lesson_plays_without_a_network_and_is_counted_after(
    phone: BrowserContext, site: str, world: World, lesson: Lesson, film: bytes
) -> None:
    await sign_in(phone, site, world.wang)
    page = await kept(phone, site, lesson)
    await phone.set_offline(True)
    assert await page.evaluate(IS_OFFLINE)
    await page.reload()
    before = await run_in_db(watched_s, lesson)
    await played(page, 4)
    media = await page.evaluate("() => document.querySelector('video').currentSrc")
    status, where, body = await page.evaluate(RANGE, media)
    assert (status, where) == (206, "bytes 262100-262199")
    assert bytes(body) == film[262100:262200]
    assert "/light.mp4" in media
    _, _, instead = await page.evaluate(RANGE, media.replace("light-1/light", "clip"))
    assert bytes(instead) == film[262100:262200]  # asked for the sharp one: what is here will do
    await page.evaluate(TOO_MUCH, f"/api/v1/lessons/{lesson.public_id}/watched")
    await page.reload()  # what was watched outlives the page
    await expect(page.locator("video")).to_be_visible()
    assert await run_in_db(watched_s, lesson) == before
    await page.goto(f"http://{site}/learn/offline/")
    await expect(page.locator("h1")).to_have_text("Kept on this phone")
    await expect(page.locator("[data-waiting]")).to_contain_text("to be sent")
    await expect(page.locator("[data-kept] li")).to_contain_text("Picking")
    await expect(page.locator("[data-instead]")).to_be_hidden()
    await page.goto(f"http://{site}/learn/certificates/")
    await expect(page.locator("[data-instead]")).to_contain_text("is not kept on this phone")
    await page.goto(f"http://{site}{lesson.course.get_absolute_url()}")
    await expect(page.locator("h1")).to_have_text("Apples on camera")
    await phone.set_offline(False)
    await page.goto(f"http://{site}/learn/offline/")
    await expect(page.locator("[data-waiting]")).to_be_hidden()
    refused = page.locator("[data-refused] li")
    await expect(refused).to_contain_text("ends where the lesson ends")
    assert await faults(page) == []
    await refused.get_by_role("button").click()
    await expect(refused).to_have_count(0)
    heard = await run_in_db(watched_s, lesson)
    assert 3 < heard < 8
    await page.goto(f"http://{site}{lesson.get_absolute_url()}")  # tells its own leftovers again
    await expect(page.locator("[data-status]")).not_to_be_empty()
    assert await run_in_db(watched_s, lesson) < 8
    await page.goto(f"http://{site}/learn/offline/")
    assert await faults(page) == []


async def test_nothing_is_left_for_the_next_person(
    phone: BrowserContext, site: str, world: World, lesson: Lesson
) -> None:
    await sign_in(phone, site, world.wang)
    page = await kept(phone, site, lesson)
    names: list[str] = await page.evaluate(KEPT_NAMES)
    assert "learn-films" in names
    await sign_in(phone, site, world.li)
    await page.goto(f"http://{site}/")
    await page.wait_for_function("() => !localStorage.getItem('learn.owner')")
    assert await page.evaluate(KEPT_NAMES) == []


def take_back(lesson: Lesson) -> None:
    lesson.asset.state = AssetState.WITHDRAWN
    lesson.asset.save()


async def test_a_lesson_that_was_taken_back_goes_from_the_phone(
    phone: BrowserContext, site: str, world: World, lesson: Lesson
) -> None:
    await sign_in(phone, site, world.wang)
    page = await kept(phone, site, lesson)
    await run_in_db(take_back, lesson)
    await page.goto(f"http://{site}/learn/offline/")
    await expect(page.locator("[data-said]")).to_contain_text("taken back by its seller")
    await expect(page.locator("[data-none]")).to_be_visible()
    assert "learn-films" not in await page.evaluate(KEPT_NAMES)


async def test_a_download_goes_on_where_it_was_cut(
    phone: BrowserContext, site: str, world: World, lesson: Lesson
) -> None:
    await sign_in(phone, site, world.wang)
    page = await phone.new_page()
    await page.add_init_script(CUT_ONCE)
    await page.goto(f"http://{site}{lesson.course.get_absolute_url()}")
    await page.click(BUTTON)
    await expect(page.locator("[data-keep]").first).to_contain_text("press again to go on")
    await page.click(BUTTON)
    await expect(page.locator("[data-keep]").first).to_contain_text(PLAYS, timeout=30_000)
    asked = await page.evaluate("() => globalThis.asked")
    assert asked.count("bytes=0-262143") == 1
    assert asked.count("bytes=262144-524287") == 2


async def test_a_full_phone_says_so(
    phone: BrowserContext, site: str, world: World, lesson: Lesson
) -> None:
    await sign_in(phone, site, world.wang)
    page = await phone.new_page()
    full = "async () => ({ quota: 21_000_000, usage: 0 })"
    await page.add_init_script(f"StorageManager.prototype.estimate = {full};")
    await page.goto(f"http://{site}{lesson.course.get_absolute_url()}")
    await page.click(BUTTON)
    await expect(page.locator("[data-keep]").first).to_contain_text("too little room")
