"""Making a clip of several parts on a phone: its window, its consent, and taking it back."""

from __future__ import annotations

import msgspec
import pytest
from playwright.async_api import BrowserContext, Page, Route, expect

from core.realtime.db import run_in_db
from courses.models import Course, Lesson
from media_pipeline.clip_wishes import Span, wish_of
from media_pipeline.models import Asset, AssetKind, AssetState, Consent, Job, JobState
from media_pipeline.services.clip_copies import MAKE_COPY
from media_pipeline.services.clips import MAKE_CLIP, clip_failed
from media_pipeline.tasks import TASKS
from media_pipeline.worker import run_waiting
from tests.livecommerce.test_pages_browser import sign_in
from tests.phones import ONE_LOOP, site_on_one_loop
from tests.streams.replayed import replayed
from tests.world import World

pytestmark = [pytest.mark.browser, pytest.mark.ffmpeg, ONE_LOOP]
site = site_on_one_loop

CLIP = AssetKind.CLIP
FITS = "document.documentElement.scrollWidth <= innerWidth"


async def desk(phone: BrowserContext, site: str, world: World) -> Page:
    await run_in_db(lambda: replayed(world))
    await sign_in(phone, site, world.zhang)
    page = await phone.new_page()
    await page.goto(f"http://{site}/studio/shows/{world.show.public_id}/")
    await expect(page.locator("#replay")).to_have_js_property("readyState", 4)
    return page


async def mark(page: Page, start: str, end: str) -> None:
    for name, value in (("start", start), ("end", end)):
        await page.fill(f"#{name}", value)
        await page.locator(f"#{name}").press("Tab")


def gone() -> None:
    Job.objects.filter(kind=MAKE_CLIP).update(state=JobState.DONE)
    clip_failed(clip().public_id, "Part of this lesson's video was removed from the show.")


def clip() -> Asset:
    return Asset.objects.get(kind=AssetKind.CLIP)


async def test_a_lesson_of_two_parts_is_framed_agreed_to_and_taken_back(
    phone: BrowserContext, site: str, world: World
) -> None:
    page = await desk(phone, site, world)
    for start, end in (("0:01", "0:03"), ("0:06", "0:08"), ("0:02", "0:04")):
        await mark(page, start, end)
        await page.click("#add-part")
    # The third overlaps the first: it is said, and not added.
    await expect(page.locator("#parts li")).to_have_count(2)
    await expect(page.locator("#parts-told")).to_contain_text("in it already")
    await page.get_by_role("button", name="Move 0:06.0 – 0:08.0 up").click()
    await expect(page.locator("#parts li b")).to_have_text(["0:06.0 – 0:08.0", "0:01.0 – 0:03.0"])
    await mark(page, "0:02", "0:02.5")
    await page.dblclick("#blur-part")
    await expect(page.locator("#blurs li")).to_have_count(1)
    await page.get_by_label("without sound").check()

    window = page.locator("#frame-window")
    await window.focus()
    for _press in range(5):
        await page.keyboard.press("Shift+ArrowLeft")
    await expect(page.locator("#frame-words")).to_contain_text("0% from the left")
    await window.scroll_into_view_if_needed()
    box = await window.bounding_box()
    assert box
    await page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    await page.mouse.down()
    await page.mouse.move(box["x"] + 400, box["y"] + 20, steps=4)
    await page.mouse.up()
    await expect(page.locator("#frame-words")).to_contain_text("68% from the left")
    assert await page.evaluate(FITS)

    await page.fill("#clip-title", "How to pick")
    await page.click("#make")
    await expect(page.locator("#clips li")).to_have_count(1)
    made = wish_of(await run_in_db(clip))
    assert made.parts == (Span(6, 8), Span(1, 3))
    assert (made.crop.x, made.crop.size, made.blurs[0].muted) == (1, 1, True)
    await expect(page.locator("#parts-box")).to_be_hidden()
    await run_in_db(lambda: run_waiting({MAKE_CLIP: TASKS[MAKE_CLIP]}))

    await page.get_by_role("button", name="Add to a course").click()
    await expect(page.locator("#consent-wording")).to_contain_text("I agree that this part")
    await page.locator("#consent-yes").click()
    await expect(page.locator("#consent-error")).to_have_text("Tick the box if you agree.")
    await page.locator("#consent-box").check()
    await page.locator("#consent-yes").click()
    await page.fill("#new-course", "Apples")
    # Two taps, as of a hand that trembles: one course.
    await page.locator("#course-form button[type=submit]").evaluate("b => (b.click(), b.click())")
    await expect(page.get_by_role("link", name="Open the lesson")).to_be_visible()
    assert await run_in_db(lambda: Course.objects.get().title) == "Apples"
    assert await run_in_db(lambda: Lesson.objects.get().asset_id == clip().pk)

    async with page.expect_response(lambda found: found.url.endswith("/copy")):
        await page.get_by_role("button", name="Download with title").click()
    await expect(page.get_by_role("button", name="Making the file…")).to_be_visible()
    await run_in_db(lambda: run_waiting({MAKE_COPY: TASKS[MAKE_COPY]}))
    file = page.get_by_role("link", name="Save the file")
    film = await page.request.get(f"http://{site}{await file.get_attribute('href')}")
    assert film.ok
    assert "How%20to%20pick.mp4" in film.headers["content-disposition"]

    await page.get_by_role("button", name="Take it back…").click()
    await page.locator("#take-back-yes").click()
    await expect(page.locator("#clips li")).to_contain_text("You took this lesson back")
    assert not (await page.request.get(film.url)).ok
    assert await run_in_db(lambda: Consent.objects.get().withdrawn_by == world.zhang)
    assert await page.evaluate(FITS)


async def test_a_clip_is_renamed_and_one_that_nobody_wants_is_deleted_after_one_question(
    phone: BrowserContext, site: str, world: World
) -> None:
    page = await desk(phone, site, world)
    await mark(page, "0:01", "0:03")
    await page.fill("#clip-title", "Wrong title")
    await page.click("#make")
    await expect(page.locator("#clips li")).to_have_count(1)
    await run_in_db(lambda: run_waiting({MAKE_CLIP: TASKS[MAKE_CLIP]}))
    await page.get_by_role("button", name="Rename “Wrong title”").click()
    title = page.get_by_role("textbox", name="Title", exact=True)
    await title.fill("   ")
    await page.keyboard.press("Enter")
    await expect(page.locator("#clips li [role=alert]")).to_have_text("Please fill this in.")
    await title.fill("Right title, wrong minute")
    await page.keyboard.press("Enter")
    again = page.get_by_role("button", name="Rename “Right title, wrong minute”")
    await expect(again).to_be_focused()
    await again.click()
    await page.keyboard.press("Escape")
    await expect(page.locator("#clips h3")).to_have_text("Right title, wrong minute")
    assert (await run_in_db(clip)).title == "Right title, wrong minute"
    assert await page.evaluate(FITS)
    await page.get_by_role("button", name="Delete…").click()
    await expect(page.locator("#clips li")).to_contain_text("it can be cut again")
    await page.get_by_role("button", name="Keep it").click()
    await page.get_by_role("button", name="Delete…").click()
    await page.get_by_role("button", name="Delete the clip").click()
    await expect(page.locator("#clips li")).to_have_count(0)
    news = page.locator("#clip-news")
    await expect(news).to_have_text("“Right title, wrong minute” was deleted.")
    await expect(page.locator("#clips-empty")).to_be_visible()
    assert (await run_in_db(clip)).state == AssetState.WITHDRAWN


async def test_a_clip_is_cut_again_with_a_change(
    phone: BrowserContext, site: str, world: World
) -> None:
    page = await desk(phone, site, world)
    for start, end in (("0:06", "0:08"), ("0:01", "0:03")):
        await mark(page, start, end)
        await page.click("#add-part")
    await mark(page, "0:02", "0:02.5")
    await page.click("#blur-part")
    await page.get_by_label("without sound").check()
    await page.get_by_text("Square").click()
    await page.locator("#frame-size").fill("50")
    await page.locator("#frame-window").press("Shift+ArrowRight")
    await page.fill("#clip-title", "How to pick")
    await page.click("#make")
    await expect(page.locator("#clips li")).to_have_count(1)
    await run_in_db(lambda: run_waiting({MAKE_CLIP: TASKS[MAKE_CLIP]}))
    await page.get_by_text("Upright, 9:16").click()
    await page.locator("#frame-centre").click()

    await page.get_by_role("button", name="Cut it again…").click()
    await expect(page.locator("#play-part")).to_be_focused()
    await expect(page.locator("#clip-title")).to_have_value("How to pick")
    await page.get_by_role("button", name="Take 0:01.0 – 0:03.0 out").click()
    await page.click("#make")
    await expect(page.locator("#clips li")).to_have_count(2)
    first, again = map(
        wish_of, await run_in_db(lambda: list(Asset.objects.filter(kind=CLIP).order_by("pk")))
    )
    assert again == msgspec.structs.replace(first, parts=(Span(6, 8),))
    assert (first.shape, first.crop.x, first.crop.size) == ("square", 0.6, 0.5)
    assert first.blurs[0].muted


async def test_a_time_that_cannot_be_read_makes_no_lesson(
    phone: BrowserContext, site: str, world: World
) -> None:
    page = await desk(phone, site, world)
    await page.fill("#clip-title", "How to pick")
    await mark(page, "abc", "0:04")
    await expect(page.locator("#start-error")).to_contain_text("for example 1:05")
    for button in ("#make", "#add-part", "#blur-part"):
        await page.click(button)
        await expect(page.locator("#start")).to_be_focused()
        await expect(page.locator("#start-error")).to_contain_text("for example 1:05")
    await expect(page.locator("#start")).to_have_value("abc")
    await expect(page.locator("#parts-box")).to_be_hidden()
    assert not await run_in_db(Asset.objects.filter(kind=AssetKind.CLIP).exists)

    # As a Chinese keyboard writes it.
    await mark(page, "０：０１", "0：03")
    await expect(page.locator("#start")).to_have_value("0:01.0")
    await expect(page.locator("#start-error")).to_be_empty()
    await page.click("#make")
    await expect(page.locator("#clips li")).to_have_count(1)
    assert wish_of(await run_in_db(clip)).parts == (Span(1, 3),)


async def test_a_lesson_that_is_wished_twice_is_shown_once_with_a_way_to_its_job(
    phone: BrowserContext, site: str, world: World
) -> None:
    page = await desk(phone, site, world)
    for _time in range(2):
        await mark(page, "0:01", "0:03")
        await page.fill("#clip-title", "How to pick")
        async with page.expect_response(lambda found: found.request.method == "POST"):
            await page.click("#make")
        await expect(page.locator("#clip-title")).to_be_empty()
    await expect(page.locator("#clips li")).to_have_count(1)

    await page.locator("#clips").get_by_role("link", name="Cancel under").click()
    await page.get_by_role("button", name="Cancel How to pick").click()
    await page.goto(f"http://{site}/studio/shows/{world.show.public_id}/")
    await expect(page.locator("#clips li")).to_contain_text("It was cancelled")
    await page.locator("#clips").get_by_role("link", name="Try again under").click()
    await page.get_by_role("button", name="Start it after all How to pick").click()
    job = page.locator(".job", has_text="How to pick")
    await expect(job).to_have_attribute("data-state", "queued")

    # What was removed from the show cannot be tried again.
    await run_in_db(gone)
    async with page.expect_response("**/api/v1/jobs/*") as asked:
        await page.goto(f"http://{site}/studio/shows/{world.show.public_id}/")
    await (await asked.value).finished()
    await expect(page.locator("#clips li")).to_contain_text("was removed")
    await expect(page.locator("#clips").get_by_role("link")).to_have_count(0)


async def test_parts_get_their_better_edges_without_a_tap(
    phone: BrowserContext, site: str, world: World
) -> None:
    await run_in_db(lambda: replayed(world))
    await sign_in(phone, site, world.zhang)
    page = await phone.new_page()
    await page.clock.install()
    listened = False

    async def tell(route: Route) -> None:
        start_s = 3 if listened else 2
        part = {"kind": "sold", "start_s": start_s, "end_s": 9, "product": "Apples", "reasons": []}
        told = {"proposals": [part], "course": None, "delay_s": 5, "listened": listened}
        await route.fulfill(json=told)

    await page.route("**/highlights", tell)
    await page.goto(f"http://{site}/studio/shows/{world.show.public_id}/")
    places = page.locator(".highlight__where b")
    told = page.locator("#highlights-told")
    await expect(told).to_contain_text("being listened to")
    async with page.expect_response("**/highlights"):
        await page.clock.fast_forward(5_000)
    rough = await places.inner_text()
    listened = True
    await page.clock.fast_forward(5_000)
    await expect(told).not_to_contain_text("being listened to")
    assert await places.inner_text() != rough
