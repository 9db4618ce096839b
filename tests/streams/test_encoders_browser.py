"""The page "Broadcast with OBS" on a phone."""

from __future__ import annotations

import pytest
from playwright.async_api import BrowserContext, expect
from pytest_django.fixtures import Settings

from core.realtime.db import run_in_db
from streams.services import encoders
from tests.livecommerce.test_pages_browser import sign_in
from tests.phones import ONE_LOOP, site_on_one_loop
from tests.world import World

pytestmark = [pytest.mark.browser, ONE_LOOP]
site = site_on_one_loop


async def test_a_host_makes_a_key_and_copies_it(
    phone: BrowserContext, site: str, world: World, settings: Settings
) -> None:
    settings.ENCODERS = ["rtmp://shop.example/live", "srt://shop.example:8890"]
    await sign_in(phone, site, world.zhang)
    await phone.grant_permissions(["clipboard-read", "clipboard-write"], origin=f"http://{site}")
    page = await phone.new_page()
    await page.goto(f"http://{site}/studio/")
    await page.get_by_role("link", name="Broadcast with OBS").click()
    await page.get_by_label("What is the key for?").fill("Studio PC")
    await page.get_by_role("button", name="Make a key").click()
    await page.get_by_role("button", name="Copy the key").click()
    await expect(page.get_by_role("button", name="Copied")).to_be_visible()
    copied = await page.evaluate("navigator.clipboard.readText()")
    assert (await run_in_db(encoders.check, copied))[1] == world.show
    width = await page.evaluate("document.documentElement.scrollWidth")
    assert width == 360, "nothing reaches beyond a narrow phone"
