"""From an operator's sheet to a farmer's studio on a phone; axe finds nothing grave on the way."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from django.conf import LazySettings
from playwright.async_api import BrowserContext, Page, expect

from core.accounts.models import User
from core.realtime.db import run_in_db
from sellers.models import Member, Seller
from tests.livecommerce.test_pages_browser import sign_in
from tests.orders.test_axe_browser import faults
from tests.phones import ONE_LOOP, site_on_one_loop
from tests.world import World

pytestmark = [pytest.mark.browser, ONE_LOOP]
site = site_on_one_loop
WIDE = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"


async def looked_at(page: Page) -> list[str]:
    """What is wrong with a page as it is now."""
    wide = await page.evaluate(WIDE)
    return [*await faults(page), *([f"{wide}px too wide"] if wide > 0 else [])]


async def test_a_farmer_joins_from_a_sheet(phone: BrowserContext, site: str, world: World) -> None:
    found: dict[str, list[str]] = {}
    await sign_in(phone, site, world.zhao)
    page = await phone.new_page()
    await page.goto(f"http://{site}/operator/people/")
    await page.fill("#names", "Mei Lin")
    await page.select_option("#as", f"packer:{world.farm.public_id.hex}")
    for summary in await page.locator("details:not(.menu) > summary.button").all():
        await summary.click()
    found["people"] = await looked_at(page)
    await page.locator("#invite .button--primary").click()
    address = await page.locator(".invitation__address").inner_text()
    found["sheet"] = await looked_at(page)
    await phone.clear_cookies()

    await page.goto(f"http://{site}{urlsplit(address).path}")
    found["invitation"] = await looked_at(page)
    await page.fill("#login", "139 1234 5678")
    await page.fill("#password", "pear-tree-by-the-well")
    await page.locator("form.card .button").click()
    await expect(page).to_have_url(f"http://{site}/studio/")
    mei = await run_in_db(User.objects.get, username="+8613912345678")
    assert await run_in_db(Member.objects.filter(user=mei, role="packer").exists)

    for path in ("me/", "me/devices/", "me/leave/", "accounts/phone/"):
        await page.goto(f"http://{site}/{path}")
        found[path] = await looked_at(page)
    await page.goto(f"http://{site}/me/tokens/")
    await page.fill("#name", "Till")
    await page.check("input[value='read:orders']")
    await page.locator("form.card .button--primary").click()
    await expect(page.locator("#new-token")).to_contain_text("lc_")
    found["tokens"] = await looked_at(page)
    await page.goto(f"http://{site}{urlsplit(address).path}")
    found["void"] = await looked_at(page)
    await phone.clear_cookies()
    for path in ("accounts/login/", "accounts/phone/", "accounts/signup/"):
        await page.goto(f"http://{site}/{path}")
        found[f"{path} of strangers"] = await looked_at(page)
    assert {where: what for where, what in found.items() if what} == {}


async def test_a_shop_and_a_way_back_in(phone: BrowserContext, site: str, world: World) -> None:
    found: dict[str, list[str]] = {}
    await sign_in(phone, site, world.zhao)
    page = await phone.new_page()
    await page.goto(f"http://{site}/operator/people/")
    await page.locator("summary", has_text="Add a shop").click()
    await page.fill("#shop_name", "Hua's tea garden")
    await page.get_by_role("button", name="Add the shop").click()
    hua = await run_in_db(Seller.objects.get, name="Hua's tea garden")
    await expect(page.locator("#as")).to_have_value(f"owner:{hua.public_id.hex}")
    found["people"] = await looked_at(page)

    await page.get_by_role("button", name="Forgotten the password? Zhang").click()
    address = await page.locator("#address").inner_text()
    found["the code"] = await looked_at(page)
    await phone.clear_cookies()
    await page.goto(f"http://{site}{urlsplit(address).path}")
    found["a new password"] = await looked_at(page)
    await page.fill("#password", "plum-blossom-in-march")
    await page.get_by_role("button", name="Save and sign in").click()
    await expect(page).to_have_url(f"http://{site}/studio/")
    await page.goto(f"http://{site}{urlsplit(address).path}")
    found["void"] = await looked_at(page)
    assert {where: what for where, what in found.items() if what} == {}


async def test_a_change_of_language_keeps_what_was_typed_except_the_password(
    phone: BrowserContext, site: str, settings: LazySettings
) -> None:
    """The switch has its place on a phone, too, beside the long name of a site."""
    settings.SITE_NAME = "Luochuan County Fair 洛川"
    page = await phone.new_page()
    await page.goto(f"http://{site}/accounts/signup/?next=/learn/")
    assert await page.evaluate(WIDE) == 0
    await page.fill("main input[name=username]", "mei")
    await page.fill("main input[name=password1]", "pear-tree-by-the-well")
    await page.get_by_role("button", name="中文").click()
    await expect(page.locator("html")).to_have_attribute("lang", "zh-hans")
    await expect(page.locator("main input[name=username]")).to_have_value("mei")
    await expect(page.locator("main input[name=password1]")).to_have_value("")
    assert await page.evaluate("() => sessionStorage.length") == 0, "it is kept no longer"


async def test_so_does_one_on_a_page_that_says_what_was_wrong(
    phone: BrowserContext, site: str, world: World
) -> None:
    """It came by POST, under an address that cannot be opened."""
    await sign_in(phone, site, world.zhao)
    page = await phone.new_page()
    await page.goto(f"http://{site}/operator/people/")
    many = "\n".join(["Mei"] * 61)
    await page.fill("#names", many)
    await page.locator("#invite .button--primary").click()
    await expect(page.locator("#invite [role=alert]")).to_be_visible()
    await page.get_by_role("button", name="中文").click()
    await expect(page).to_have_url(f"http://{site}/operator/people/")
    await expect(page.locator("#names")).to_have_value(many)
