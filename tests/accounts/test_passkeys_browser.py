"""A passkey in a real browser, from its offer after a code to its removal."""

from __future__ import annotations

from typing import Self

import pytest
from django.conf import settings
from django.test import Client
from playwright.async_api import BrowserContext, CDPSession, Page, expect

from core.accounts.models import Passkey, User
from core.accounts.passkey_views import OFFER
from core.realtime.db import run_in_db
from tests.accounts.test_people_browser import looked_at
from tests.phones import ONE_LOOP, site_on_one_loop
from tests.world import World

pytestmark = [pytest.mark.browser, ONE_LOOP]
site = site_on_one_loop

PHONE = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


class Lock:
    """Chromium's own phone, whose lock somebody opens as soon as they are asked, or not at all."""

    def __init__(self, tools: CDPSession, id: str) -> None:
        self._tools = tools
        self._id = id

    @classmethod
    async def of(cls, page: Page) -> Self:
        tools = await page.context.new_cdp_session(page)
        await tools.send("WebAuthn.enable")
        made = await tools.send("WebAuthn.addVirtualAuthenticator", {"options": PHONE})
        return cls(tools, made["authenticatorId"])

    async def is_opened(self, opened: bool) -> None:
        told = {"authenticatorId": self._id, "enabled": opened}
        await self._tools.send("WebAuthn.setAutomaticPresenceSimulation", told)


def session_after_a_code(user: User) -> str:
    client = Client()
    client.force_login(user)
    session = client.session
    session[OFFER] = True
    session.save()
    return client.cookies[settings.SESSION_COOKIE_NAME].value


async def test_a_passkey_from_its_offer_to_its_removal(
    phone: BrowserContext, site: str, world: World
) -> None:
    home = f"http://localhost:{site.rpartition(':')[2]}"  # an address has no passkeys
    session = await run_in_db(session_after_a_code, world.li)
    await phone.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": home}])
    page = await phone.new_page()
    lock = await Lock.of(page)
    found: dict[str, list[str]] = {}

    await page.goto(f"{home}/")
    await expect(page.locator("#passkey-offer")).to_be_visible()
    found["offer"] = await looked_at(page)
    await page.locator("#passkey-offer [data-make]").click()
    await expect(page.locator(".messages .notice--success")).to_contain_text("Next time")
    await expect(page.locator("#passkey-offer")).to_have_count(0)
    assert await run_in_db(Passkey.objects.filter(user=world.li, rp_id="localhost").exists)

    await phone.clear_cookies()
    await lock.is_opened(False)
    await page.goto(f"{home}/accounts/login/?next=/me/passkeys/")
    await expect(page.locator("#passkey-button")).to_be_visible()
    found["sign in"] = await looked_at(page)
    await lock.is_opened(True)
    await page.locator("#passkey-button").click()
    await expect(page).to_have_url(f"{home}/me/passkeys/")
    await expect(page.locator(".list li")).to_contain_text("Last used")
    found["passkeys"] = await looked_at(page)

    await phone.clear_cookies()  # once more, by the field of the user name
    await page.goto(f"{home}/accounts/login/?next=/me/passkeys/")
    await expect(page).to_have_url(f"{home}/me/passkeys/")

    await page.locator("[data-make]").click()
    await expect(page.locator("[data-problem]")).to_contain_text("already")
    await page.get_by_role("button", name="Remove").click()
    await expect(page.locator(".list")).to_have_count(0)
    assert not await run_in_db(Passkey.objects.exists)
    assert {where: what for where, what in found.items() if what} == {}


async def test_without_passkeys_nothing_speaks_of_them(
    phone: BrowserContext, site: str, world: World
) -> None:
    """By address, as on a local network: the button and the offer are not there."""
    page = await phone.new_page()
    await page.goto(f"http://{site}/accounts/login/")
    await expect(page.locator("#id_login")).to_be_visible()
    await expect(page.locator("#passkey")).to_have_count(0)
