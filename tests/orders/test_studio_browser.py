"""Packing with a phone, in a real browser: tick, pack, and what comes out of the printer."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import BrowserContext, expect

from core.realtime.db import run_in_db
from orders.models import Order
from tests.livecommerce.test_pages_browser import sign_in
from tests.orders.shelf_of_orders import an_order
from tests.phones import ONE_LOOP, site_on_one_loop
from tests.world import World

pytestmark = [pytest.mark.browser, ONE_LOOP]
site = site_on_one_loop


async def test_ticked_orders_are_packed_and_their_slips_fill_pages(
    phone: BrowserContext, site: str, world: World
) -> None:
    def shelf() -> list[Order]:
        return [an_order(world, (world.apples, 1)) for _number in range(9)]

    orders = await run_in_db(shelf)
    await sign_in(phone, site, world.zhang)
    page = await phone.new_page()
    await page.goto(f"http://{site}/studio/orders/")
    bar = page.locator(".bulk")
    await expect(bar).to_be_hidden()
    await page.locator("[data-select-all]").check()
    await page.get_by_label(f"Select order {orders[0].number}").uncheck()
    await expect(bar).to_contain_text("8 selected")

    await bar.get_by_role("button", name="Slips").click()
    await expect(page.locator(".slip")).to_have_count(8)
    pdf = await page.pdf(prefer_css_page_size=True)
    assert len(re.findall(rb"/Type\s*/Page\b", pdf)) == 1  # eight slips are one sheet
    await page.go_back()

    await page.locator("[data-select-all]").check()
    await page.get_by_label(f"Select order {orders[0].number}").uncheck()
    await bar.get_by_role("button", name="Packed").click()
    await expect(page.locator(".messages")).to_contain_text("8 orders: packed.")
    await expect(page.locator(".order-row")).to_have_count(1)
    width = await page.evaluate("() => document.documentElement.scrollWidth")
    assert width <= 360
