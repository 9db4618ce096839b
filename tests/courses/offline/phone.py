"""What tests do with a phone that keeps lessons."""

from __future__ import annotations

from playwright.async_api import BrowserContext, Page, expect

from courses.models import Lesson

PLAYS = "plays without a network"
BUTTON = "[data-keep] button >> nth=0"
IS_OFFLINE = "() => fetch('/healthz', {cache: 'no-store'}).then(() => false, () => true)"


async def kept(phone: BrowserContext, site: str, lesson: Lesson) -> Page:
    page = await phone.new_page()
    await page.goto(f"http://{site}{lesson.course.get_absolute_url()}")
    await page.click(BUTTON)
    await expect(page.locator("[data-keep]").first).to_contain_text(PLAYS, timeout=30_000)
    await page.goto(f"http://{site}{lesson.get_absolute_url()}")
    return page
