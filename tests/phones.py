"""Phones for tests on an event loop: one browser for all tests of a module, a context for each.

A browser belongs to the event loop that started it. A module with phones therefore has one loop for
all of its tests, and its `site` is served on it:

    pytestmark = [pytest.mark.browser, ONE_LOOP]
    site = site_on_one_loop
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, async_playwright

from tests.realtime import served
from tests.story.browser import FLAGS, PATIENCE_MS, PHONE, chromium_path

ONE_LOOP = pytest.mark.asyncio(loop_scope="module")


# A function of its own: the fixture's loop is noted on the function, and `served` has another.
@pytest_asyncio.fixture(loop_scope="module", name="site")
async def site_on_one_loop(transactional_db: None) -> AsyncIterator[str]:
    async with asynccontextmanager(served)(transactional_db) as address:
        yield address


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser_on_loop() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=chromium_path(), args=list(FLAGS)
        )
        yield browser
        await browser.close()


@pytest_asyncio.fixture(loop_scope="module")
async def phone(browser_on_loop: Browser) -> AsyncIterator[BrowserContext]:
    """A phone whose page must not break anything: script errors fail the test."""
    context = await browser_on_loop.new_context(viewport=PHONE, has_touch=True, locale="en")
    context.set_default_timeout(PATIENCE_MS)
    faults: list[str] = []
    context.on("weberror", lambda error: faults.append(str(error.error)))
    yield context
    await context.close()
    assert faults == []
