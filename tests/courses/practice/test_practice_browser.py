"""Wang practises on a phone: her voice is heard, buyers answer, and she sees what came of it."""

from __future__ import annotations

import pytest
from playwright.async_api import BrowserContext, expect

from core.realtime.db import run_in_db
from courses.models import Course
from courses.practice import tasks
from courses.practice.models import Act, Attempt, AttemptState
from courses.services import authoring, learning
from streams.models import HostVoice, Show
from tests.courses.conftest import MakeClip
from tests.livecommerce.test_pages_browser import sign_in
from tests.orders.test_axe_browser import faults
from tests.phones import ONE_LOOP, site_on_one_loop
from tests.realtime import until_in_db
from tests.streams.test_operator_browser import fits, shot
from tests.world import World

pytestmark = [pytest.mark.browser, pytest.mark.ffmpeg, ONE_LOOP]
site = site_on_one_loop
COMES_S = 60_000


def lesson_with_practice(world: World, make_clip: MakeClip) -> str:
    course: Course = authoring.create_course(author=world.chen, title="Apples on camera")
    lesson = authoring.add_lesson(course, make_clip("Picking"), "Picking")
    authoring.publish(course)
    learning.enrol(world.wang, course)
    brief = "Greet who comes, pin the apples, answer, and open the flash offer."
    task = tasks.write_task(lesson, world.chen, brief=brief, minutes="3")
    tasks.copy_good(task, world.apples)
    tasks.add_good(task, tasks.Typed("Dates", "500 g bag", "33", drop_price="25"))
    return f"/learn/{course.public_id}/{lesson.public_id}/practice/"


async def test_wang_practises_with_simulated_buyers(
    phone: BrowserContext, site: str, world: World, make_clip: MakeClip
) -> None:
    address = await run_in_db(lesson_with_practice, world, make_clip)
    await sign_in(phone, site, world.wang)
    await phone.grant_permissions(["camera", "microphone"], origin=f"http://{site}")
    page = await phone.new_page()
    await page.goto(f"http://{site}{address}")
    await shot(page, "practice-task")
    await fits(page)
    found = await faults(page)
    await page.get_by_role("button", name="Open the studio").click()

    await expect(page.locator("#practice")).to_contain_text("PRACTICE")
    await expect(page.locator("#go-live-text")).to_have_text("Start the practice")
    await page.locator("#go-live").click()
    await expect(page.locator("#air-badge")).to_have_text("Practice")
    await page.fill("#chat-text", "Welcome, everybody!")
    await page.press("#chat-text", "Enter")
    # A browser's pretended microphone beeps: that is heard, and so is who speaks first.
    await until_in_db(lambda: HostVoice.objects.filter(is_heard=True).exists(), COMES_S / 1000)
    await until_in_db(lambda: Act.objects.exclude(done_at=None).exists(), COMES_S / 1000)
    first = await run_in_db(lambda: Act.objects.exclude(done_at=None).first())
    assert first
    await expect(page.locator("#chat-lines")).to_contain_text(first.detail["text"], timeout=COMES_S)
    await shot(page, "practice-on")
    await fits(page)

    viewer = await phone.new_page()
    practice = await run_in_db(Show.objects.get, is_practice=True)
    await viewer.goto(f"http://{site}/shows/{practice.public_id}/")
    await expect(viewer.locator(".rehearsal-note")).to_contain_text("practice")
    await shot(viewer, "practice-room")
    await fits(viewer)
    await viewer.close()

    await page.locator("#end-show").click()
    await page.locator("#end-yes").click()
    await page.wait_for_url("**/learn/practice/**", timeout=COMES_S)
    await expect(page.get_by_text("What the buyers did")).to_be_visible()
    await shot(page, "practice-result")
    await fits(page)
    found += await faults(page)
    await expect(page.get_by_role("link", name="Watch it")).to_be_visible(timeout=COMES_S)
    await page.get_by_role("button", name="Hand in to a mentor").click()
    await expect(page.get_by_role("status").first).to_contain_text("Handed in")
    attempt = await run_in_db(Attempt.objects.get)
    assert attempt.state == AttemptState.SUBMITTED
    assert found == []
