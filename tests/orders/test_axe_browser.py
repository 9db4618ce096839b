"""The pages of orders as they are read by who does not see them: axe finds nothing grave."""

from __future__ import annotations

import pytest
from playwright.async_api import BrowserContext, Page, expect

from core.realtime.db import run_in_db
from orders.models import Order, OrderState
from orders.services.claims import ask_refund
from orders.services.fulfil import move_order
from tests.livecommerce.command import ROOT
from tests.livecommerce.test_pages_browser import sign_in
from tests.orders.shop import li_orders
from tests.phones import ONE_LOOP, site_on_one_loop
from tests.world import World

pytestmark = [pytest.mark.browser, ONE_LOOP]
site = site_on_one_loop

AXE = (ROOT / "node_modules/axe-core/axe.min.js").read_text()
OPEN_ALL = """() => {
  for (const one of document.querySelectorAll("main details")) one.open = true;
}"""
LOOK = """async () => {
  const { violations } = await axe.run(document, { resultTypes: ["violations"] });
  return violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 160)).join(" | ")}`);
}"""


async def faults(page: Page) -> list[str]:
    await page.evaluate("() => document.getAnimations().forEach((one) => one.finish())")
    if not await page.evaluate("() => 'axe' in window"):
        await page.evaluate(AXE)
    found: list[str] = await page.evaluate(LOOK)
    return found


def orders(world: World) -> tuple[Order, Order]:
    """One that waits to be packed, and one that came and of which money is asked back."""
    came = li_orders(world, key="came")
    for to in (OrderState.PACKED, OrderState.SENT, OrderState.DELIVERED):
        move_order(came.public_id, to, world.zhang)
    ask_refund(came.public_id, world.li, "One was bruised.", 1000)
    return li_orders(world, quantity=1), came


async def test_what_a_buyer_sees(phone: BrowserContext, site: str, world: World) -> None:
    waits, came = await run_in_db(orders, world)
    found: dict[str, list[str]] = {}
    await sign_in(phone, site, world.li)
    page = await phone.new_page()
    for path in ("orders/", f"orders/{waits.public_id}/", f"orders/{came.public_id}/"):
        await page.goto(f"http://{site}/{path}")
        found[path] = await faults(page)
    await page.goto(f"http://{site}/shop/{world.farm.public_id}/?again={waits.public_id}")
    await expect(page.locator("#order-submit")).to_be_enabled()
    found["shop"] = await faults(page)
    await page.goto(f"http://{site}/shows/{world.show.public_id}/")
    await expect(page.locator("#viewers")).to_contain_text("watching")
    found["room"] = await faults(page)
    await page.click("#open-shelf")
    found["shelf"] = await faults(page)
    await page.locator("#shelf-sheet-list [data-buy]").first.click()
    await expect(page.locator("#order-submit")).to_be_enabled()
    found["sheet"] = await faults(page)
    assert {where: what for where, what in found.items() if what} == {}


async def test_what_a_seller_sees(phone: BrowserContext, site: str, world: World) -> None:
    waits, came = await run_in_db(orders, world)
    show = f"shows/{world.show.public_id}/"
    found: dict[str, list[str]] = {}
    await sign_in(phone, site, world.zhang)
    page = await phone.new_page()
    paths = ["orders/?state=all", f"orders/{waits.public_id}/", f"orders/{came.public_id}/"]
    paths += [
        "sales/",
        "delivery/",
        "orders/tracking/",
        "products/",
        "shows/new/",
        f"{show}offers/",
    ]
    for path in (*paths, f"{show}offers/{world.apples.public_id}/", show):
        await page.goto(f"http://{site}/studio/{path}")
        await page.evaluate(OPEN_ALL)
        found[path] = await faults(page)
    assert {where: what for where, what in found.items() if what} == {}
