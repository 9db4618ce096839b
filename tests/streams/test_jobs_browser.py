"""The page of jobs on a phone: progress by itself, a cancel that asks, and starting it anew."""

from __future__ import annotations

import pytest
from playwright.async_api import Browser, BrowserContext, expect

from core.clock import now
from core.realtime.db import run_in_db
from media_pipeline import jobs
from media_pipeline.models import Job, JobFault
from tests.livecommerce.test_pages_browser import sign_in
from tests.phones import ONE_LOOP, site_on_one_loop
from tests.story.browser import WIDE
from tests.streams.test_jobs_pages import claimed, clip_job
from tests.streams.test_operator_browser import fits, shot
from tests.world import World

pytestmark = [pytest.mark.browser, ONE_LOOP]
site = site_on_one_loop


async def test_zhang_watches_a_lesson_being_made_and_changes_his_mind(
    phone: BrowserContext, site: str, world: World
) -> None:
    await sign_in(phone, site, world.zhang)
    page = await phone.new_page()
    await page.goto(f"http://{site}/studio/jobs/")
    await expect(page.locator(".empty")).to_contain_text("Nothing to be made")
    await shot(page, "jobs-none")

    # From here on nothing is loaded anew: the page hears of it.
    await page.evaluate("window.sameDocument = true")
    job = await run_in_db(clip_job, world)
    card = page.locator(f"#job-{job.public_id}")
    await expect(card).to_contain_text("waiting")
    lease = await run_in_db(claimed)
    moment = now().replace(year=2025)
    await run_in_db(lambda: Job.objects.filter(pk=job.pk).update(started_at=moment))
    for share, shown in ((0.25, "25 %"), (0.5, "50 %")):
        await run_in_db(jobs.heartbeat, lease, share)
        await expect(card.locator(".job__percent")).to_have_text(shown)
    await expect(card).to_contain_text("hours left")

    await card.locator("summary").click()
    await run_in_db(jobs.heartbeat, lease, 0.75)
    await expect(card.locator(".job__percent")).to_have_text("75 %")
    await expect(card.get_by_text("What it has made so far is thrown away.")).to_be_visible()
    await shot(page, "jobs-cancel")
    assert await page.evaluate("window.sameDocument")
    await card.get_by_role("button", name="Yes, cancel it").click()
    await expect(card).to_contain_text("cancelled")
    await card.get_by_role("button", name="Start it after all").click()
    await expect(card).to_contain_text("waiting")
    await fits(page)


async def test_an_operator_reads_why_it_did_not_work(
    browser_on_loop: Browser, site: str, world: World
) -> None:
    def broken() -> Job:
        job = clip_job(world)
        said = "The storage for films does not answer."
        jobs.fail(claimed(), said, again=False, fault=JobFault.STORAGE)
        return job

    job = await run_in_db(broken)
    office = await browser_on_loop.new_context(viewport=WIDE, locale="en")
    await sign_in(office, site, world.zhao)
    page = await office.new_page()
    await page.goto(f"http://{site}/operator/jobs/")
    card = page.locator(f"#job-{job.public_id}")
    await expect(card).to_contain_text("Nothing of yours is lost")
    await shot(page, "jobs-operator")
    await card.get_by_role("button", name="Try again").click()
    await expect(page.get_by_role("status").first).to_contain_text("waiting for its turn again")
    await office.close()
