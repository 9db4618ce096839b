"""What a facilitator writes comes to the page that a trainee has open."""

from __future__ import annotations

import pytest
from playwright.async_api import BrowserContext, expect

from core.realtime.db import run_in_db
from courses.cohorts import messages, places
from courses.cohorts.models import Cohort, How
from courses.cohorts.places import Terms
from courses.models import Course
from tests.livecommerce.test_pages_browser import sign_in
from tests.phones import ONE_LOOP, site_on_one_loop
from tests.world import World

pytestmark = [pytest.mark.browser, ONE_LOOP]
site = site_on_one_loop


async def test_a_message_is_said_at_once_with_the_way_to_it(
    phone: BrowserContext, site: str, world: World, course: Course
) -> None:
    def class_with_wang() -> Cohort:
        cohort = places.open_cohort(course, Terms("Lixian, spring", world.chen), world.zhao)
        places.join(cohort, world.wang, How.LINK)
        return cohort

    cohort = await run_in_db(class_with_wang)
    await sign_in(phone, site, world.wang)
    page = await phone.new_page()
    async with page.expect_websocket() as opened:
        await page.goto(f"http://{site}/learn/courses/")
    await (await opened.value).wait_for_event("framereceived")
    await run_in_db(lambda: messages.send(cohort, world.chen, "Bring <b>apples</b> tomorrow"))
    told = page.get_by_role("status").get_by_role("link", name="Chen: Bring <b>apples</b> tomorrow")
    await expect(told).to_have_attribute("href", f"/learn/cohorts/{cohort.public_id}/")
    await told.tap()
    await expect(page.get_by_text("Bring <b>apples</b> tomorrow").first).to_be_visible()
