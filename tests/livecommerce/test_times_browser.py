"""A reader far from the site's zone: times are on the reader's clock, typed ones too."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, expect

from core.clock import now
from core.realtime.db import run_in_db
from orders.models import Order
from streams.models import Show, ShowState, Stop, StopReason
from tests.livecommerce.test_pages_browser import sign_in
from tests.orders.shop import li_orders
from tests.phones import ONE_LOOP, site_on_one_loop
from tests.story.browser import PHONE
from tests.world import World, show_of

pytestmark = [pytest.mark.browser, ONE_LOOP]
site = site_on_one_loop
NEW_YORK = ZoneInfo("America/New_York")


@pytest_asyncio.fixture(loop_scope="module")
async def abroad(browser_on_loop: Browser) -> AsyncIterator[BrowserContext]:
    """A phone in New York."""
    context = await browser_on_loop.new_context(
        viewport=PHONE, locale="en", timezone_id=NEW_YORK.key
    )
    yield context
    await context.close()


def there(at: datetime) -> str:
    """As a page says it in New York, e.g. "Sat, Nov 21, 09:30"."""
    clock = at.astimezone(NEW_YORK)
    year = "" if clock.year == now().astimezone(NEW_YORK).year else f" {clock.year},"
    return f"{clock:%a, %b} {clock.day},{year} {clock:%H:%M}"


def sold_and_stopped(world: World) -> tuple[Order, Stop]:
    """Li has an order, and Zhao stopped a show of Zhang's half a day ago."""
    at = now() - timedelta(hours=12)
    over = show_of(world.farm, world.zhang, "Too much said")
    Show.objects.filter(pk=over.pk).update(state=ShowState.ENDED, started_at=at, ended_at=at)
    stop = Stop.objects.create(
        show=over, stopped_by=world.zhao, at=at, kind=StopReason.UNTRUE, was_on_air=True
    )
    return li_orders(world), stop


async def test_every_page_tells_the_time_where_its_reader_is(
    abroad: BrowserContext, site: str, world: World
) -> None:
    order, stop = await run_in_db(sold_and_stopped, world)
    starts = world.show.scheduled_at
    looked_at = (
        (world.li, "/", starts),
        (world.li, "/orders/", order.placed_at),
        (world.li, order.get_absolute_url(), order.placed_at),
        (world.zhang, "/studio/orders/", order.placed_at),
        (world.zhang, "/studio/", starts),
        (world.zhang, f"/studio/shows/{stop.show.public_id}/", stop.at),
        (world.zhao, "/operator/shows/", stop.at),
    )
    page = await abroad.new_page()
    for reader, path, at in looked_at:
        await sign_in(abroad, site, reader)
        await page.goto(f"http://{site}{path}")
        time = page.locator(f'main time[datetime="{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"]')
        await expect(time.and_(page.locator("[data-local=moment]")).first).to_have_text(there(at))
        assert "China Time" not in await page.locator("main").inner_text(), path


async def test_a_host_abroad_types_the_hosts_own_time(
    abroad: BrowserContext, site: str, world: World
) -> None:
    await sign_in(abroad, site, world.zhang)
    page = await abroad.new_page()
    await page.goto(f"http://{site}/studio/shows/new/")
    await expect(page.locator("[data-zone-name]")).to_have_text("Eastern Time")
    suggested = datetime.fromisoformat(await page.input_value("#id_starts_at"))
    assert abs(suggested.replace(tzinfo=NEW_YORK) - now()) < timedelta(hours=1)
    starts = (now() + timedelta(days=1)).astimezone(NEW_YORK).replace(second=0, microsecond=0)
    await page.fill("#id_starts_at", f"{starts:%Y-%m-%dT%H:%M}")
    await page.fill("#id_title", "")
    await page.locator("[name^=offer-]").first.check()
    await page.locator(".schedule-form [type=submit]").click()
    # Refused and shown again, the time is still meant where it was typed.
    await expect(page.locator(".field__error").first).to_be_visible()
    await page.fill("#id_title", "Harvest day")
    await page.locator(".schedule-form [type=submit]").click()
    await expect(page.locator("#to-camera")).to_be_visible()
    show = await run_in_db(lambda: Show.objects.get(title="Harvest day"))
    assert show.scheduled_at == starts
