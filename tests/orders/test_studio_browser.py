"""Packing with a phone, in a real browser: tick, pack, and what comes out of the printer."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import BrowserContext, expect

from core.realtime.db import run_in_db
from orders.models import Order, OrderState
from orders.services.claims import ask_refund, withdraw_claim
from orders.services.fulfil import move_order
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


async def test_money_asked_back_appears_on_an_open_page_and_goes_when_it_is_taken_back(
    phone: BrowserContext, site: str, world: World
) -> None:
    def sent() -> Order:
        order = an_order(world, (world.apples, 2))
        for to in (OrderState.PACKED, OrderState.SENT, OrderState.DELIVERED):
            move_order(order.public_id, to, world.zhang)
        return order

    order = await run_in_db(sent)
    await sign_in(phone, site, world.zhang)
    page = await phone.new_page()
    async with page.expect_response(lambda answer: answer.request.resource_type == "fetch"):
        await page.goto(f"http://{site}/studio/orders/{order.public_id}/")
    await expect(page.locator("#claim")).to_have_count(0)

    claim = await run_in_db(ask_refund, order.public_id, order.buyer, "One was bruised.", 1000)
    await expect(page.locator("#claim")).to_contain_text("One was bruised.")
    await page.fill("#claim [name=answer]", "I am sorry.")
    await run_in_db(withdraw_claim, claim.public_id, order.buyer)
    await expect(page.locator("#claim")).to_have_count(0)
    await expect(page.locator("#answered-claims")).to_contain_text("One was bruised.")
