"""The page of films from the gallery, on a phone: what stands there of one that is no film."""

from __future__ import annotations

import pytest
from playwright.async_api import BrowserContext, Route, expect

from core.realtime.db import run_in_db
from media_pipeline.models import Upload, UploadState
from media_pipeline.services.uploads import IMPORT_UPLOAD
from media_pipeline.tasks import TASKS
from media_pipeline.worker import run_waiting
from tests.livecommerce.test_pages_browser import sign_in
from tests.phones import ONE_LOOP, site_on_one_loop
from tests.world import World

pytestmark = [pytest.mark.browser, pytest.mark.ffmpeg, ONE_LOOP]
site = site_on_one_loop

NO_FILM = {"name": "letter.mp4", "mimeType": "video/mp4", "buffer": b"Dear Li, " * 400}


async def test_a_file_that_is_no_film_says_so_and_can_be_removed(
    phone: BrowserContext, site: str, world: World
) -> None:
    await sign_in(phone, site, world.zhang)
    page = await phone.new_page()
    await page.goto(f"http://{site}/studio/films/")
    await page.locator("input[type=file]").set_input_files(NO_FILM)
    row = page.locator("[data-list] > li")
    await expect(row).to_contain_text("is being prepared")
    await run_in_db(lambda: run_waiting({IMPORT_UPLOAD: TASKS[IMPORT_UPLOAD]}))
    await expect(row).to_contain_text("cannot be read")
    await expect(row.locator("progress")).to_be_hidden()
    await row.get_by_role("button", name="Remove").dblclick()
    await expect(row).to_have_count(0)
    assert await run_in_db(lambda: Upload.objects.get().state) == UploadState.CANCELLED


async def test_a_film_that_is_ready_when_it_is_cancelled_stays_and_says_so(
    phone: BrowserContext, site: str, world: World
) -> None:
    await sign_in(phone, site, world.zhang)
    page = await phone.new_page()
    await page.goto(f"http://{site}/studio/films/")
    await page.locator("input[type=file]").set_input_files(NO_FILM)
    row = page.locator("[data-list] > li")
    await expect(row).to_contain_text("is being prepared")
    # What the page last heard of it stays as it is.
    await page.route("**/api/v1/uploads/*", unless_it_is_asked_for)
    await run_in_db(lambda: Upload.objects.update(state=UploadState.READY))
    await row.get_by_role("button", name="Cancel").click()
    await expect(row).to_contain_text("Ready.")
    await expect(row.get_by_role("link", name="Open")).to_be_visible()


async def unless_it_is_asked_for(route: Route) -> None:
    await (route.abort() if route.request.method == "GET" else route.continue_())
