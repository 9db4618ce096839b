"""Wang takes a quiz on a phone: a wrong answer leads to its second, the next try passes."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.async_api import BrowserContext, expect

from core.realtime.db import run_in_db
from courses.models import Enrolment, Lesson
from courses.quizzes.models import Quiz, Try
from media_pipeline.storage import storage
from tests.livecommerce.test_pages_browser import sign_in
from tests.phones import ONE_LOOP, site_on_one_loop
from tests.world import World

pytestmark = [pytest.mark.browser, pytest.mark.ffmpeg, ONE_LOOP]
site = site_on_one_loop

FITS = "document.documentElement.scrollWidth <= innerWidth"


def with_film(quiz: Quiz, film: Path) -> None:
    asset = quiz.lesson.asset
    storage().write(asset.download_key, film.read_bytes())


async def test_a_wrong_answer_leads_to_the_second_that_explains_it(
    phone: BrowserContext,
    site: str,
    world: World,
    enrolment: Enrolment,
    quiz: Quiz,
    picking: Lesson,
    film: Path,
) -> None:
    await run_in_db(lambda: with_film(quiz, film))
    await sign_in(phone, site, world.wang)
    page = await phone.new_page()
    await page.goto(f"http://{site}{picking.get_absolute_url()}quiz/")
    await page.get_by_label("The price").check()
    for line in ("Apples", "Paper"):  # Paper, Apples, Lid, however they were mixed
        up = page.get_by_role("button", name=f"Move “{line}” up")
        for _place in range(2):
            await up.dispatch_event("click")  # one on top says that it is disabled
    await page.get_by_label("Your answer").fill("5 kg")
    await page.get_by_label("The moment, as minutes:seconds").fill("0:15")
    assert await page.evaluate(FITS)
    await page.get_by_role("button", name="Check my answers").click()

    await expect(page.locator("[data-verdict]")).to_contain_text("3 of 4 right")
    explained = page.locator(".question.is-wrong video")
    await expect(explained).to_have_count(1)
    await explained.evaluate("(film) => film.play()")
    await expect(explained).to_have_js_property("paused", False)
    assert 4 <= await explained.evaluate("(film) => film.currentTime") < 10
    jump = page.locator("[data-jump]")
    assert (await jump.get_attribute("href") or "").endswith("?t=4")
    await page.get_by_label("The apple").check()
    await page.get_by_role("button", name="Check again").click()
    await expect(page.locator("[data-verdict]")).to_contain_text("Everything right!")
    assert [one.is_passed for one in await run_in_db(lambda: list(Try.objects.all()))] == [
        False,
        True,
    ]
