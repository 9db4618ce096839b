"""Answers that waited on a phone and were refused when they came: they are given again."""

from __future__ import annotations

import pytest
from playwright.async_api import BrowserContext, Page, expect

from core.realtime.db import run_in_db
from courses.models import Lesson
from courses.quizzes import editing
from courses.quizzes.models import Quiz, Try
from tests.courses.offline.phone import IS_OFFLINE, kept
from tests.courses.quizzes.conftest import NUMBER
from tests.livecommerce.test_pages_browser import sign_in
from tests.orders.test_axe_browser import faults
from tests.phones import ONE_LOOP, site_on_one_loop
from tests.world import World

pytestmark = [pytest.mark.browser, pytest.mark.ffmpeg, ONE_LOOP]
site = site_on_one_loop

FITS = "document.documentElement.scrollWidth <= innerWidth"


@pytest.fixture
def weighing(world: World, lesson: Lesson) -> Quiz:
    """Asks one thing, which is answered with a number."""
    quiz = editing.quiz_for(lesson, world.chen)
    editing.add_question(quiz, NUMBER, world.chen)
    editing.publish(quiz, world.chen)
    return quiz


async def answer(page: Page, text: str) -> None:
    await page.get_by_label("Your answer").fill(text)
    await page.get_by_role("button", name="Check my answers").click()


async def test_refused_answers_are_given_again(
    phone: BrowserContext, site: str, world: World, lesson: Lesson, weighing: Quiz
) -> None:
    await sign_in(phone, site, world.wang)
    page = await kept(phone, site, lesson)
    quiz_page = f"http://{site}{lesson.get_absolute_url()}quiz/"
    await phone.set_offline(True)
    assert await page.evaluate(IS_OFFLINE)
    await page.goto(quiz_page)
    await answer(page, "five")  # with a network the page would say at once that this is no number
    await expect(page.locator("[data-answered]")).to_contain_text("Your answers are kept")
    await expect(page.locator("[data-waiting]")).to_contain_text("to be sent")

    await phone.set_offline(False)
    await page.goto(f"http://{site}/learn/offline/")
    refused = page.locator("[data-refused] li")
    await expect(refused).to_contain_text("Answers to a quiz · Picking")
    await expect(refused).to_contain_text("Answer with a number.")
    await expect(page.locator("[data-waiting]")).to_be_hidden()
    assert await run_in_db(Try.objects.count) == 0
    assert await page.evaluate(FITS)
    assert await faults(page) == []

    again = refused.get_by_role("link", name="Answer again")
    box = await again.bounding_box()
    assert box
    assert box["height"] >= 44
    await again.focus()
    await page.keyboard.press("Enter")
    await page.wait_for_url(quiz_page)
    await answer(page, "5")
    await expect(page.locator("[data-verdict]")).to_contain_text("Everything right!")
    tries = await run_in_db(lambda: list(Try.objects.all()))
    assert [one.is_passed for one in tries] == [True]

    # What was refused is not told again, and stays until the person has seen it.
    await page.goto(f"http://{site}/learn/offline/")
    await refused.get_by_role("button", name="Remove").click()
    await expect(page.locator("[data-refused-part]")).to_be_hidden()
    await page.reload()
    await expect(page.locator("[data-kept] li")).to_have_count(1)
    await expect(page.locator("[data-refused-part]")).to_be_hidden()
    assert await run_in_db(Try.objects.count) == 1
