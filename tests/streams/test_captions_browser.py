"""Captions written on a phone: heard word by word, split, joined, moved, taken back, saved."""

from __future__ import annotations

import pytest
from playwright.async_api import BrowserContext, Page, expect

from core.realtime.db import run_in_db
from media_pipeline.captions import tracks
from media_pipeline.captions.cues import cue
from media_pipeline.captions.models import CaptionTrack
from tests.livecommerce.test_pages_browser import sign_in
from tests.phones import ONE_LOOP, site_on_one_loop
from tests.streams.replayed import replayed
from tests.world import World

pytestmark = [pytest.mark.browser, pytest.mark.ffmpeg, ONE_LOOP]
site = site_on_one_loop

WHERE = "document.querySelector('video').currentTime"
FITS = "document.documentElement.scrollWidth <= innerWidth"
SHOWN = """() => [...document.querySelector('video').textTracks]
  .filter((track) => track.kind === 'captions' && track.mode === 'showing')
  .flatMap((track) => [...track.cues ?? []].map((cue) => cue.text))"""
SRT = "1\n00:00:01,000 --> 00:00:02,000\n你好\n\n2\n00:00:0x,0 --> 00:00:04,000\n坏\n"


def written(world: World) -> CaptionTrack:
    recording = replayed(world).recording
    track = tracks.begin(
        recording_id=recording.public_id, language="en", like=None, actor=world.zhang
    )
    cues = [cue(1000, 4000, "we pick sweet apples"), cue(5000, 8000, "every morning at six")]
    return tracks.save(track=track, version=1, cues=cues, actor=world.zhang)


async def has(page: Page, *texts: str) -> None:
    boxes = page.locator("#cues textarea")
    await expect(boxes).to_have_count(len(texts))
    for number, text in enumerate(texts):
        await expect(boxes.nth(number)).to_have_value(text)


async def test_captions_are_written_on_a_phone(
    phone: BrowserContext, site: str, world: World
) -> None:
    track = await run_in_db(lambda: written(world))
    await sign_in(phone, site, world.zhang)
    page = await phone.new_page()
    page.on("dialog", lambda dialog: dialog.accept())
    await page.goto(f"http://{site}/studio/shows/{world.show.public_id}/captions/")
    await expect(page.locator("#speech-problem")).to_contain_text("LIVECOMMERCE_SPEECH_MODEL")
    await expect(page.locator("#video")).to_have_js_property("readyState", 4)
    await has(page, "we pick sweet apples", "every morning at six")
    assert await page.evaluate(FITS)

    # The words of the moment lead to theirs; so does a tap into the text.
    first = page.get_by_role("textbox", name="Caption 1, 0:01.0 to 0:04.0")
    await first.click(position={"x": 12, "y": 14})
    await expect(page.locator("#now button")).to_have_count(4)
    await page.locator("#now button", has_text="apples").click()
    assert 2.9 < await page.evaluate(WHERE) < 4
    await expect(page.locator("#now .is-now")).to_contain_text("apples")

    # Split where the cursor is, join again, take back, all by the keyboard.
    await first.focus()
    await first.evaluate("box => box.setSelectionRange(8, 8)")
    await first.press("Control+Enter")
    await has(page, "we pick", "sweet apples", "every morning at six")
    await page.locator("[data-do=merge]").click()
    await has(page, "we pick sweet apples", "every morning at six")
    await page.locator("#undo").click()
    await has(page, "we pick", "sweet apples", "every morning at six")
    await page.locator("#cues textarea").nth(2).fill("every morning at seven <b>")
    await page.locator("#cues .cue").nth(2).locator("[data-do=later]").click()
    await expect(page.get_by_role("textbox", name="Caption 3, 0:05.1 to 0:08.1")).to_be_focused()
    assert await page.evaluate(FITS)

    # Somebody else saves in between; who writes decides.
    await run_in_db(lambda: CaptionTrack.objects.filter(pk=track.pk).update(version=9))
    await page.locator("#save").click()
    await expect(page.locator("#told")).to_contain_text("Somebody else saved")
    await page.locator("#mine").click()
    await expect(page.locator("#told")).to_contain_text("Saved.")
    await run_in_db(track.refresh_from_db)
    kept = [one.text for one in tracks.cues_of(track)]
    assert kept == ["we pick", "sweet apples", "every morning at seven"]

    # A second language, from a file of which a part is broken.
    await page.locator("#new").click()
    await page.locator("input[value=file]").check()
    await page.locator("#new-language").select_option("zh")
    file = {"name": "zh.srt", "mimeType": "", "buffer": SRT.encode("gb18030")}
    await page.locator("#new-file").set_input_files(file)  # type: ignore[arg-type]
    await page.get_by_role("button", name="Begin", exact=True).click()
    await expect(page.locator("#problems")).to_contain_text("Line 6")
    await has(page, "你好")
    await page.locator("#save").click()
    await expect(page.locator("#told")).to_contain_text("Saved.")

    # Viewers choose one language, or both.
    await page.goto(f"http://{site}/shows/{world.show.public_id}/")
    menu = page.get_by_role("combobox", name="Captions")
    await expect(menu.locator("option")).to_have_text(
        ["No captions", "English", "中文", "English + 中文"]
    )
    assert await page.evaluate(SHOWN) == []
    await menu.select_option("en+zh")
    await page.wait_for_function(f"() => ({SHOWN})().length === 4")
    await page.reload()
    await expect(menu).to_have_value("en+zh")
    assert await page.evaluate(FITS)

    # What is removed is gone at once.
    await page.goto(f"http://{site}/studio/shows/{world.show.public_id}/captions/")
    await has(page, "we pick", "sweet apples", "every morning at seven")
    await page.locator("#remove").click()
    await has(page, "你好")
    await expect(page.locator("#track option")).to_have_text(["中文"])


async def test_a_time_that_does_not_go_is_refused_in_words_and_so_is_what_is_past_the_end(
    phone: BrowserContext, site: str, world: World
) -> None:
    await run_in_db(lambda: written(world))
    await sign_in(phone, site, world.zhang)
    page = await phone.new_page()
    page.on("dialog", lambda dialog: dialog.accept())
    await page.goto(f"http://{site}/studio/shows/{world.show.public_id}/captions/")
    await has(page, "we pick sweet apples", "every morning at six")
    begins = page.get_by_label("Begins at").first
    for typed, said in (("abc", "for example 1:05"), ("0:50", "does not go")):
        await begins.fill(typed)
        await begins.press("Tab")
        await expect(page.locator("#told")).to_contain_text(said)
        await expect(begins).to_have_value("0:01.0")
    await begins.fill("０：０２")
    await begins.press("Tab")
    await expect(begins).to_have_value("0:02.0")
    await expect(page.locator("#told")).to_have_text("Not saved yet.")

    late = SRT.replace("00:00:0x,0 --> 00:00:04,000", "09:00:00,000 --> 09:00:04,000")
    file = page.locator("#file")
    await file.set_input_files({"name": "a.srt", "mimeType": "", "buffer": late.encode()})
    await has(page, "你好")
    await expect(page.locator("#problems")).to_contain_text("1 caption begins after the end")
    await file.set_input_files({"name": "a.srt", "mimeType": "", "buffer": b"1" * 3_000_000})
    await expect(page.locator("#told")).to_contain_text("at most 2 MB")
