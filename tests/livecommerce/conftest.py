"""A phone with a real browser, for the pages and their scripts."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio
from playwright.async_api import BrowserContext, async_playwright

from tests.story.browser import FLAGS, PHONE, chromium_path


@pytest_asyncio.fixture
async def phone() -> AsyncIterator[BrowserContext]:
    """A phone whose page must not break anything: script errors fail the test."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=chromium_path(), args=list(FLAGS)
        )
        context = await browser.new_context(viewport=PHONE, has_touch=True, locale="en")
        faults: list[str] = []
        context.on("weberror", lambda error: faults.append(str(error.error)))
        yield context
        await browser.close()
        assert faults == []
