"""A mentor reviews on a phone with a bad network, and the trainee reads and answers it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from playwright.async_api import BrowserContext, Page, expect

from core.realtime.db import run_in_db
from courses.models import Course, Lesson
from courses.practice.models import Attempt, AttemptState
from courses.reviews import services
from courses.reviews.models import Answer, Comment, Review
from courses.services import learning
from tests.courses.reviews.conftest import draft, maker
from tests.livecommerce.test_pages_browser import sign_in
from tests.phones import ONE_LOOP, site_on_one_loop
from tests.world import World

pytestmark = [pytest.mark.browser, pytest.mark.ffmpeg, ONE_LOOP]
site = site_on_one_loop

FITS = "document.documentElement.scrollWidth <= innerWidth"
WHERE = "document.querySelector('[data-film=this] video').currentTime"
KEPT = "() => Object.keys(localStorage).filter((key) => key.startsWith('review:')).length"


def two_attempts(world: World, course: Course, picking: Lesson) -> tuple[Attempt, Attempt]:
    """The first one was to be tried again, with a comment at second 3; the second waits."""
    enrolment = learning.enrol(world.wang, course)
    hand_in = maker(world, enrolment, picking)
    first = hand_in(hours_ago=30, filmed=True)
    services.claim(first, world.chen)
    services.send(first, world.chen, draft((3, "Come closer")), "again")
    return first, hand_in(number=2, hours_ago=4, filmed=True)


async def film_of(page: Page, name: str = "this") -> None:
    video = page.locator(f"[data-film={name}] video")
    await expect(video).to_have_js_property("readyState", 4)


async def saved(page: Page) -> None:
    await expect(page.locator("[data-save-state]")).to_contain_text("Saved at")


@asynccontextmanager
async def trainee_page(
    phone: BrowserContext, site: str, world: World, attempt: Attempt
) -> AsyncIterator[Page]:
    """Wang's own phone, on the page that says that a mentor looks at it."""
    assert phone.browser
    context = await phone.browser.new_context(locale="en")
    await sign_in(context, site, world.wang)
    page = await context.new_page()
    async with page.expect_websocket() as opened:
        await page.goto(f"http://{site}/learn/reviews/{attempt.public_id}/")
    await (await opened.value).wait_for_event("framereceived")
    await expect(page.get_by_text("Chen is looking at it")).to_be_visible()
    yield page
    await context.close()


async def finish(page: Page) -> None:
    await page.get_by_role("button", name="Accept", exact=True).click()
    await page.locator("[data-confirm-send]").dblclick()
    await expect(page.locator("[data-sent]")).to_contain_text("Accepted")
    await expect(page.locator("[data-sent]")).to_contain_text("Bravo")


async def test_a_review_is_written_without_losing_a_word(
    phone: BrowserContext, site: str, world: World, course: Course, picking: Lesson
) -> None:
    _first, second = await run_in_db(lambda: two_attempts(world, course, picking))
    await sign_in(phone, site, world.chen)
    page = await phone.new_page()
    await page.goto(f"http://{site}/learn/reviews/")
    await expect(page.locator(".queue__one")).to_contain_text("waits 4 h")
    await expect(page.locator(".first")).to_contain_text("1 day 6 h")
    await page.get_by_role("button", name="Review").click()

    # What is still empty is said before it is sent.
    await film_of(page)
    await page.get_by_role("button", name="Accept", exact=True).click()
    await expect(page.locator("[data-confirm-lacks]")).to_have_text(
        "You have not written any words to the trainee. 5 points are not marked."
    )
    await expect(page.locator("[data-confirm-close]")).to_be_focused()
    await page.keyboard.press("Enter")

    # Pinned where the film stands, kept as it is typed.
    seek = page.get_by_role("slider", name="Place in the film")
    await seek.fill("7.5")
    await page.get_by_role("button", name="Comment here").click()
    await page.keyboard.type("Say the weight 🍎")
    await saved(page)
    assert await page.evaluate(FITS)
    comment = await run_in_db(Comment.objects.filter(review__attempt=second).get)
    assert (comment.at_s, comment.text) == (7.5, "Say the weight 🍎")

    # Without network it is kept here, also over a reload, and goes out by itself.
    await page.locator("[data-words]").fill("Much better")
    await saved(page)
    path = f"**/api/v1/reviews/{second.public_id}/draft"
    await page.route(path, lambda route: route.abort())
    await page.locator("[data-words]").fill("Much better than before")
    await expect(page.locator("[data-save-state]")).to_contain_text("No network")
    await page.reload()
    await expect(page.locator("[data-words]")).to_have_value("Much better than before")
    assert await page.evaluate(KEPT) == 1
    await page.unroute(path)
    await page.evaluate("window.dispatchEvent(new Event('online'))")
    await saved(page)
    assert await page.evaluate(KEPT) == 0
    assert (await run_in_db(lambda: Review.objects.get(attempt=second))).words.endswith("before")

    # Another page of the same mentor: both are kept.
    other = await phone.new_page()
    await other.goto(page.url)
    await other.locator("[data-mark='1'][value='2']").check()
    await saved(other)
    await page.locator("[data-words]").fill("Much better than before. Bravo")
    await expect(page.locator("[data-trouble]")).to_contain_text("another page")
    await expect(page.locator("[data-mark='1'][value='2']")).to_be_checked()
    await saved(page)
    await other.close()

    # A mark on the line leads to its comment; the earlier attempt is beside it.
    await seek.fill("0")
    await page.locator("[data-mark]:not(input)").click()
    assert await page.evaluate(WHERE) == 7.5
    await page.get_by_role("link", name="Compare with attempt 1").click()
    await film_of(page, "beside")
    await film_of(page)
    assert await page.evaluate(FITS)
    await page.locator("[data-jump]").click()
    beside = page.locator("[data-film=beside] video")
    await expect(beside).to_have_js_property("currentTime", 3)
    await page.get_by_label("Move both together").check()
    await seek.nth(1).fill("5")
    await expect(beside).to_have_js_property("currentTime", 8)

    # Two taps on "Send" are one; Wang hears of it where they are.
    async with trainee_page(phone, site, world, second) as waiting:
        await finish(page)
        news = waiting.locator("[data-review-news]")
        await expect(news).to_contain_text("Your practice was accepted")
    assert (await run_in_db(lambda: Attempt.objects.get(number=2))).state == AttemptState.ACCEPTED


async def test_the_trainee_sees_the_moment_and_answers_without_network(
    phone: BrowserContext, site: str, world: World, course: Course, picking: Lesson
) -> None:
    first, _second = await run_in_db(lambda: two_attempts(world, course, picking))
    await sign_in(phone, site, world.wang)
    page = await phone.new_page()
    await page.goto(f"http://{site}/learn/reviews/{first.public_id}/")
    await film_of(page)
    await page.locator("[data-jump]").click()
    assert await page.evaluate(WHERE) == 3
    reply = page.locator(".said__one [data-reply]")
    await reply.locator("summary").click()
    await page.route("**/answers", lambda route: route.abort())
    await reply.locator("textarea").fill("I bought a tripod")
    await reply.get_by_role("button", name="Send").click()
    await expect(reply.locator("[data-reply-error]")).to_contain_text("kept here")
    await page.unroute("**/answers")
    await page.reload()
    await reply.get_by_role("button", name="Send").dblclick()
    await expect(page.locator(".said__one .answers")).to_contain_text("I bought a tripod")
    assert await run_in_db(Answer.objects.count) == 1
    assert await page.evaluate(FITS)
