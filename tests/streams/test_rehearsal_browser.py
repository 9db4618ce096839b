"""A rehearsal on a phone: opened in the studio, filmed, seen coming back, and left for the show."""

from __future__ import annotations

import pytest
from playwright.async_api import BrowserContext, expect

from core.realtime.db import run_in_db
from streams.models import Readiness, Show, ShowState
from tests.livecommerce.test_pages_browser import sign_in
from tests.orders.test_axe_browser import faults
from tests.phones import ONE_LOOP, site_on_one_loop
from tests.streams.test_operator_browser import fits, shot
from tests.world import World

pytestmark = [pytest.mark.browser, pytest.mark.ffmpeg, ONE_LOOP]
site = site_on_one_loop
COMES_BACK = """() => {
  const video = document.querySelector("#echo-video");
  return video.currentTime > 0.5 && video.videoWidth > 0 && video.muted;
}"""

CAMERA_WAITS_AND_NOBODY_LOOKS_AGAIN = """() => {
  const open = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
  const mayOpen = new Promise((resolve) => (window.letCameraOpen = resolve));
  navigator.mediaDevices.getUserMedia = (wish) => mayOpen.then(() => open(wish));
  const repeat = window.setInterval;
  window.setInterval = (what, ms) => repeat(what, 1e3 * ms);
}"""


async def test_zhang_rehearses_alone_and_goes_on_to_his_show(
    phone: BrowserContext, site: str, world: World
) -> None:
    await sign_in(phone, site, world.zhang)
    await phone.grant_permissions(["camera", "microphone"], origin=f"http://{site}")
    page = await phone.new_page()
    await page.goto(f"http://{site}/studio/")
    await shot(page, "first-show-list")
    await fits(page)
    found = await faults(page)
    await page.locator("#first-show [data-step=rehearsal] a").click()
    await shot(page, "rehearse")
    await fits(page)
    found += await faults(page)
    await page.get_by_role("button", name="Open the rehearsal").click()

    await expect(page.locator("#rehearsal")).to_contain_text("only you can see this")
    await expect(page.locator("#go-live-text")).to_have_text("Start the rehearsal")
    await expect(page.locator("#ready")).to_be_hidden()  # nothing was filmed yet
    await shot(page, "rehearsal-before")
    await fits(page)
    found += await faults(page)
    await page.locator("#go-live").click()
    await expect(page.locator("#air-badge")).to_have_text("Rehearsal")
    await expect(page.locator("#status")).to_contain_text("Only you can see it")
    await page.wait_for_function(COMES_BACK, timeout=30_000)
    await page.fill("#chat-text", "Can you hear me?")
    await page.press("#chat-text", "Enter")
    await expect(page.locator("#chat-lines")).to_contain_text("Can you hear me?")
    await shot(page, "rehearsal-on")
    await fits(page)

    viewer = await phone.new_page()
    rehearsal = await run_in_db(Show.objects.get, is_rehearsal=True)
    await viewer.goto(f"http://{site}/shows/{rehearsal.public_id}/")
    await expect(viewer.locator(".rehearsal-note")).to_be_visible()
    await expect(viewer.locator("#live-badge")).to_have_text("")
    await shot(viewer, "rehearsal-room")
    await fits(viewer)
    await viewer.close()

    await page.locator("#ready").click()
    await page.wait_for_url(f"**/studio/shows/{world.show.public_id}/")
    await expect(page.locator("#go-live-text")).to_have_text("Go live")
    assert await run_in_db(lambda: Show.objects.get(pk=rehearsal.pk).state) == ShowState.ENDED
    known = await run_in_db(Readiness.objects.get)
    assert None not in (known.camera_at, known.uplink_at, known.rehearsed_at)

    await page.goto(f"http://{site}/studio/shows/{rehearsal.public_id}/")
    await expect(page.locator("#replay")).to_be_visible(timeout=30_000)
    await page.wait_for_function("() => document.querySelector('#replay').readyState > 1")
    await shot(page, "rehearsal-over")
    await fits(page)
    found += await faults(page)
    assert found == []
    await page.get_by_role("button", name="Delete it now").click()
    await expect(page.get_by_role("status").first).to_contain_text("are deleted")
    assert not await run_in_db(Show.objects.filter(is_rehearsal=True).exists)


async def test_a_camera_that_opens_just_before_the_start_has_passed(
    phone: BrowserContext, site: str, world: World
) -> None:
    await sign_in(phone, site, world.zhang)
    await phone.grant_permissions(["camera", "microphone"], origin=f"http://{site}")
    page = await phone.new_page()
    await page.add_init_script(f"({CAMERA_WAITS_AND_NOBODY_LOOKS_AGAIN})()")
    await page.goto(f"http://{site}/studio/")
    await page.locator("#first-show [data-step=rehearsal] a").click()
    await page.get_by_role("button", name="Open the rehearsal").click()
    await page.wait_for_selector("[data-check=network][data-state=ok]", state="attached")
    async with page.expect_response("**/tried/") as told:
        await page.evaluate("letCameraOpen()")
        await page.locator("#go-live").click()
    assert (await told.value).status == 204
    assert (await run_in_db(Readiness.objects.get)).camera_at is not None
