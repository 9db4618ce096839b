"""A browser with a clock for a camera, and a browser that reads the clock from what it shows.

The clock is the wall time in ms, its last 16 bits as a row of squares with their opposites below.
Both browsers are on one machine, so that both read the same clock.
"""

from __future__ import annotations

import math
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from playwright.async_api import BrowserContext, Page, Playwright, WebSocketRoute

from tests.story.browser import FLAGS, chromium_path

WIDE = {"width": 1280, "height": 800}
READ_EVERY_MS = 50
CONTRAST = 60
PATIENCE_MS = 60_000

CAMERA = """
(() => {
  const WIDTH = 960, HEIGHT = 540, BITS = 16, SQUARE = WIDTH / BITS, EVERY_MS = 1000 / 30;
  const canvas = Object.assign(document.createElement("canvas"), { width: WIDTH, height: HEIGHT });
  const context = canvas.getContext("2d", { alpha: false });
  let turn = 0;
  const draw = () => {
    context.fillStyle = `hsl(${(turn += 2) % 360} 60% 50%)`;
    context.fillRect(0, 2 * SQUARE, WIDTH, HEIGHT);
    context.fillStyle = "#fff";
    for (let one = 0; one < 12; one += 1) {
      context.fillRect((turn * (one + 3)) % WIDTH, 150 + one * 30, 40, 20);
    }
    const now = Date.now() & 0xffff;
    for (let place = 0; place < BITS; place += 1) {
      const bit = (now >> (BITS - 1 - place)) & 1;
      context.fillStyle = bit ? "#fff" : "#000";
      context.fillRect(place * SQUARE, 0, SQUARE, SQUARE);
      context.fillStyle = bit ? "#000" : "#fff";
      context.fillRect(place * SQUARE, SQUARE, SQUARE, SQUARE);
    }
  };
  const picture = () => {
    const stream = canvas.captureStream(0);
    const [track] = stream.getVideoTracks();
    const timer = setInterval(() => {
      if (track.readyState === "ended") return clearInterval(timer);
      draw();
      track.requestFrame();
    }, EVERY_MS);
    return track;
  };
  const sound = () => {
    const audio = new AudioContext();
    const [tone, out] = [audio.createOscillator(), audio.createMediaStreamDestination()];
    tone.connect(out);
    tone.start();
    return out.stream.getAudioTracks()[0];
  };
  navigator.mediaDevices.getUserMedia = async ({ video, audio }) =>
    new MediaStream([...(video ? [picture()] : []), ...(audio ? [sound()] : [])]);
})();
"""

READ = """
async ({ forMs, everyMs, contrast }) => {
  const BITS = 16, CELL = 4;
  const canvas = new OffscreenCanvas(BITS * CELL, 2 * CELL);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  const stage = document.querySelector("#stage");
  const samples = [];
  const read = () => {
    const video = document.querySelector("video");
    const now = Date.now();
    // The two rows are an eighth and a bit of the picture: twice a sixteenth of its width.
    const rows = video.videoWidth / 8;
    context.drawImage(video, 0, 0, video.videoWidth, rows, 0, 0, BITS * CELL, 2 * CELL);
    const { data } = context.getImageData(0, 0, BITS * CELL, 2 * CELL);
    const light = (column, row) => data[4 * ((row * CELL + 2) * BITS * CELL + column * CELL + 2)];
    let said = 0, isClear = true;
    for (let place = 0; place < BITS; place += 1) {
      const difference = light(place, 0) - light(place, 1);
      isClear &&= Math.abs(difference) >= contrast;
      said = said * 2 + (difference > 0);
    }
    samples.push({
      late_ms: isClear ? ((now & 0xffff) - said) & 0xffff : null,
      delivery: stage.dataset.delivery ?? null,
      told_ms: stage.dataset.delayMs ? Number(stage.dataset.delayMs) : null,
      waits: Number(stage.dataset.stalls ?? 0),
      skips: Number(stage.dataset.skips ?? 0),
    });
  };
  await new Promise((done) => {
    const timer = setInterval(read, everyMs);
    setTimeout(() => done(clearInterval(timer)), forMs);
  });
  return samples;
}
"""


@asynccontextmanager
async def browser(
    playwright: Playwright, *, cookies: list[dict[str, Any]] | None = None
) -> AsyncIterator[BrowserContext]:
    """A browser in processes of its own, signed in by these cookies."""
    running = await playwright.chromium.launch(executable_path=chromium_path(), args=list(FLAGS))
    try:
        context = await running.new_context(
            viewport={"width": WIDE["width"], "height": WIDE["height"]},
            permissions=["camera", "microphone"],
            locale="en",
        )
        context.set_default_timeout(PATIENCE_MS)
        if cookies:
            await context.add_cookies(cookies)  # type: ignore[arg-type]
        yield context
    finally:
        await running.close()


async def go_live(context: BrowserContext, url: str, show_id: str) -> Page:
    """Show the clock in the real studio, by its own button."""
    await context.add_init_script(CAMERA)
    page = await context.new_page()
    await page.goto(f"{url}/studio/shows/{show_id}/")
    await page.locator("#go-live:enabled").click()
    await page.locator("#end-show").wait_for()
    return page


async def watch(
    context: BrowserContext, url: str, show_id: str, *, delivery: str
) -> tuple[Page, list[str]]:
    """Watch in the real room until the picture comes by this way: `mse`, or `hls` alone.

    The page, and its warnings, which grow.
    """
    if delivery == "hls":
        await context.route_web_socket(lambda address: "/ws/live/" in address, _refuse)
    page = await context.new_page()
    warnings: list[str] = []
    page.on("console", lambda said: warnings.append(said.text) if said.type == "warning" else None)
    await page.goto(f"{url}/shows/{show_id}/")
    await page.wait_for_function(
        """wanted => document.querySelector("#stage").dataset.delivery === wanted
           && document.querySelector("video").currentTime > 0.5""",
        arg=delivery,
    )
    return page, warnings


async def _refuse(route: WebSocketRoute) -> None:
    """As a proxy does that knows no sockets."""
    await route.close(code=1011)


@dataclass(frozen=True, slots=True)
class Lateness:
    """How late what a viewer saw was, in ms, over all readings that could be read.

    `told_ms` is the median of what the page itself says; `waits` and `skips` are its own counts.
    """

    p50_ms: float | None
    p95_ms: float | None
    readings: int
    unreadable: int
    by_the_way_pct: float
    told_ms: float | None
    waits: int
    skips: int


async def read_clock(page: Page, *, delivery: str, for_s: float) -> Lateness:
    """Read for so long what is on the screen; `delivery` is the way by which it should come."""
    asked = {"forMs": for_s * 1000, "everyMs": READ_EVERY_MS, "contrast": CONTRAST}
    samples: list[dict[str, Any]] = await page.evaluate(READ, asked)
    late = sorted(one["late_ms"] for one in samples if one["late_ms"] is not None)
    told = sorted(one["told_ms"] for one in samples if one["told_ms"] is not None)
    by_it = sum(one["delivery"] == delivery for one in samples)
    return Lateness(
        p50_ms=rank(late, 0.5),
        p95_ms=rank(late, 0.95),
        readings=len(samples),
        unreadable=len(samples) - len(late),
        by_the_way_pct=round(100 * by_it / max(1, len(samples)), 1),
        told_ms=rank(told, 0.5),
        waits=max((one["waits"] for one in samples), default=0),
        skips=samples[-1]["skips"] - samples[0]["skips"] if samples else 0,
    )


def rank(ordered: Sequence[float], share: float) -> float | None:
    """The least value that so many (0..1) of them do not exceed; `None` of none."""
    return ordered[max(1, math.ceil(share * len(ordered))) - 1] if ordered else None
