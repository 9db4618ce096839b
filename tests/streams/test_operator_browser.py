"""A first show on phones: it waits, is allowed, goes live, and is stopped by the operator."""

from __future__ import annotations

from datetime import timedelta

import pytest
from playwright.async_api import Browser, BrowserContext, Page, expect

from core.clock import now
from core.realtime.db import run_in_db
from streams.models import Approval, Show, ShowState, Stop
from tests import world as world_module
from tests.livecommerce.test_pages_browser import sign_in
from tests.phones import ONE_LOOP, site_on_one_loop
from tests.story.browser import PHONE, SHOTS, TAKES_SHOTS, WIDE
from tests.world import World

pytestmark = [pytest.mark.browser, pytest.mark.ffmpeg, ONE_LOOP]
site = site_on_one_loop
SEES_A_PICTURE = """() => {
  const picture = document.querySelector(".operator-show__picture img");
  return picture !== null && picture.naturalWidth > 0;
}"""
WHY = "The label says organic. Bring the certificate."


def first_show(world: World) -> Show:
    """Gao has never shown anything."""
    Approval.objects.filter(seller=world.other_farm).delete()
    return world_module.show_of(world.other_farm, world.gao, "Potatoes of Minxian")


async def shot(page: Page, name: str) -> None:
    if not TAKES_SHOTS:
        return
    SHOTS.mkdir(parents=True, exist_ok=True)
    for kind, size in (("wide", WIDE), ("phone", PHONE)):
        await page.set_viewport_size(size)
        await page.screenshot(path=SHOTS / f"{name}-{kind}.png")


async def fits(page: Page) -> None:
    width = await page.evaluate("document.documentElement.scrollWidth")
    assert width == PHONE["width"], "nothing reaches beyond a narrow phone"


async def test_gao_waits_goes_live_after_the_yes_and_is_stopped(
    phone: BrowserContext, browser_on_loop: Browser, site: str, world: World
) -> None:
    show = await run_in_db(first_show, world)
    await sign_in(phone, site, world.gao)
    await phone.grant_permissions(["camera", "microphone"], origin=f"http://{site}")
    gao = await phone.new_page()
    await gao.goto(f"http://{site}/studio/shows/{show.public_id}/")
    await expect(gao.locator("#review")).to_contain_text("waits for an operator's yes")
    await expect(gao.locator("#go-live")).to_be_hidden()
    await shot(gao, "first-show-waits")

    office = await browser_on_loop.new_context(viewport=PHONE, locale="en")
    await sign_in(office, site, world.zhao)
    zhao = await office.new_page()
    await zhao.goto(f"http://{site}/operator/shows/")
    await shot(zhao, "operator-waiting")
    await fits(zhao)
    await zhao.get_by_role("button", name="Yes, may go live").click()
    await expect(zhao.get_by_role("status").first).to_contain_text("can go live")

    await expect(gao.locator("#review")).to_contain_text("You can go live now")
    await gao.locator("#go-live").click()
    await expect(gao.locator("#air-badge")).to_have_text("Live")

    stranger = await browser_on_loop.new_context(viewport=PHONE, locale="en")
    viewer = await stranger.new_page()
    await viewer.goto(f"http://{site}/shows/{show.public_id}/")
    await expect(viewer.locator("#live-badge")).to_be_visible()

    # The page brings by itself what goes on the air.
    button = zhao.locator("summary", has_text="Stop this show")
    await expect(button).to_be_visible()
    await zhao.wait_for_function(SEES_A_PICTURE)
    await shot(zhao, "operator-on-air")
    await button.click()
    await zhao.get_by_label("Why?").select_option("What is said about the goods is not true.")
    await zhao.get_by_label("In your own words").fill(WHY)
    await zhao.get_by_label("Also hide the replay").check()
    await shot(zhao, "operator-stop")
    await fits(zhao)
    await zhao.get_by_role("button", name="Yes, stop it now").click()

    await expect(viewer.locator("#status")).to_contain_text("ended by the operator")
    await expect(viewer.locator("#composer")).to_be_hidden()
    await expect(gao.locator("#stopped-why")).to_contain_text(WHY)
    assert WHY not in await viewer.content()
    await expect(zhao.get_by_role("button", name="Show the replay again")).to_be_visible()
    for page, name in ((gao, "stopped-host"), (zhao, "operator-stopped"), (viewer, "stopped-room")):
        await shot(page, name)
        await fits(page)
    assert (await run_in_db(Stop.objects.get)).was_on_air
    await office.close()
    await stranger.close()


async def test_a_host_is_warned_before_a_show_has_lasted_as_long_as_it_may(
    phone: BrowserContext, site: str, world: World
) -> None:
    began = now() - timedelta(hours=11, minutes=55)
    shows = Show.objects.filter(pk=world.show.pk)
    await run_in_db(lambda: shows.update(state=ShowState.LIVE, started_at=began))
    await sign_in(phone, site, world.zhang)
    page = await phone.new_page()
    await page.goto(f"http://{site}/studio/shows/{world.show.public_id}/")
    await expect(page.locator("#ends-soon")).to_contain_text("ends by itself in 5 minutes")
    await fits(page)
