"""One visit with an empty cache, by a line of 400 kbit/s and 400 ms, and what came over it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright
from playwright.sync_api import TimeoutError as TooSlow

from bench.pages_demo import Demo, chromium_path

LINE = {
    "offline": False,
    "latency": 400,
    "downloadThroughput": 400_000 / 8,
    "uploadThroughput": 400_000 / 8,
}
PHONE = {"width": 360, "height": 640}
PATIENCE_MS = 60_000
# As a phone has it: a film starts by itself only where it is silent.
FLAGS = ("--no-sandbox", "--disable-quic", "--disable-background-networking", "--disable-sync")

FIRST_PICTURE = """
(() => {
  const known = new WeakSet();
  const ask = () => {
    for (const video of document.querySelectorAll("video")) {
      if (known.has(video)) continue;
      known.add(video);
      video.requestVideoFrameCallback(() => {
        globalThis.firstPictureAt ??= performance.now();
      });
    }
  };
  new MutationObserver(ask).observe(document, { childList: true, subtree: true });
})();
"""
# The room has heard where the show is, takes what is written, and has something to sell.
ROOM_IS_THERE = """() => document.querySelector("#viewers")?.textContent.trim()
  && document.querySelector("#connection")?.hidden
  && !document.querySelector("#say").disabled
  && document.querySelector("[data-buy]:not(:disabled)")
  && performance.now()"""


# What the room fetches after that is its picture, and the pictures of its goods.
PART_OF_BUYING = re.compile(r"/(?:orders|api/v1)/")


@dataclass(frozen=True, slots=True)
class Visit:
    """`start_s` from the navigation on, `None` if it never came; KB (1,000 bytes) until then.

    `kb` is all but the film's own bytes, with the headers of every answer, as Chromium counts them.
    """

    start_s: float | None
    kb: float
    film_kb: float
    answers: list[tuple[str, float]]


@dataclass  # without slots: Playwright writes on whose methods it calls
class Wire:
    """What came so far: bytes by request."""

    bytes: dict[str, float] = field(default_factory=dict)
    urls: dict[str, str] = field(default_factory=dict)
    kinds: dict[str, str] = field(default_factory=dict)
    socket_bytes: float = 0
    only: re.Pattern[str] | None = None
    """Of what is asked for from now on, these addresses alone count."""

    def listen(self, page: Page) -> None:
        session = page.context.new_cdp_session(page)
        session.send("Network.enable")
        session.send("Network.emulateNetworkConditions", LINE)
        session.on("Network.requestWillBeSent", self._asked)
        session.on("Network.responseReceived", self._answered)
        session.on("Network.dataReceived", self._came)
        session.on("Network.loadingFinished", self._ended)
        session.on("Network.webSocketFrameReceived", self._told)

    def _asked(self, event: dict[str, Any]) -> None:
        if self.only and not self.only.search(event["request"]["url"]):
            return
        self.urls[event["requestId"]] = event["request"]["url"]
        self.kinds[event["requestId"]] = event.get("type", "")

    def _answered(self, event: dict[str, Any]) -> None:
        if event["requestId"] not in self.urls:
            return
        self.bytes[event["requestId"]] = event["response"].get("encodedDataLength", 0)

    def _came(self, event: dict[str, Any]) -> None:
        if event["requestId"] not in self.urls:
            return
        one = event["requestId"]
        self.bytes[one] = self.bytes.get(one, 0) + event["encodedDataLength"]

    def _ended(self, event: dict[str, Any]) -> None:
        if event["requestId"] not in self.urls:
            return
        if event["encodedDataLength"]:
            self.bytes[event["requestId"]] = event["encodedDataLength"]

    def _told(self, event: dict[str, Any]) -> None:
        self.socket_bytes += len(event["response"]["payloadData"])

    def visit(self, start_s: float | None) -> Visit:
        answers = [
            (self.urls.get(one, "?").partition("//")[2].partition("/")[2], round(size / 1000, 2))
            for one, size in self.bytes.items()
        ]
        film = sum(size for one, size in self.bytes.items() if self._is_film(one))
        whole = sum(self.bytes.values()) + self.socket_bytes
        return Visit(start_s, round((whole - film) / 1000, 1), round(film / 1000, 1), answers)

    def _is_film(self, one: str) -> bool:
        ends = self.urls.get(one, "").partition("?")[0].endswith((".mp4", ".m4s", ".m4a"))
        return ends or self.kinds.get(one) == "Media"


def feed_visit(demo: Demo, who: str = "wang") -> Visit:
    """Until the first lesson's first picture is on the screen."""
    with visitor(demo, who) as page:
        wire = Wire()
        wire.listen(page)
        page.add_init_script(FIRST_PICTURE)
        page.goto(f"{demo.url}/learn/", wait_until="commit")
        return wire.visit(_when(page, "() => globalThis.firstPictureAt ?? 0"))


def room_visit(demo: Demo, who: str = "li") -> Visit:
    """Until one can write and press "Buy". What its sheet still fetches counts, but no pictures."""
    path = demo.room()
    with visitor(demo, who) as page:
        wire = Wire()
        wire.listen(page)
        page.goto(demo.url + path, wait_until="commit")
        usable_s = _when(page, ROOM_IS_THERE)
        wire.only = PART_OF_BUYING
        if usable_s is not None:
            page.locator("[data-buy]:visible").first.click()
            page.locator("#order-submit").wait_for(state="visible")
        return wire.visit(usable_s)


def _when(page: Page, expression: str) -> float | None:
    try:
        at = page.wait_for_function(expression, polling=20, timeout=PATIENCE_MS).json_value()
    except TooSlow:
        return None
    return round(float(at) / 1000, 2)


@contextmanager
def visitor(demo: Demo, who: str, *, locale: str = "zh-CN") -> Iterator[Page]:
    """A phone of this person, with nothing in its cache. In Chinese: there is more to fetch."""
    with chromium() as browser:
        context = browser.new_context(
            viewport={"width": PHONE["width"], "height": PHONE["height"]},
            has_touch=True,
            is_mobile=True,
            device_scale_factor=2,
            locale=locale,
        )
        context.add_cookies(
            [{"name": name, "value": value, "url": demo.url}
             for name, value in demo.cookies(who).items()]
        )  # fmt: skip
        yield context.new_page()
        context.close()


@contextmanager
def chromium(*flags: str) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path(), args=[*FLAGS, *flags])
        try:
            yield browser
        finally:
            browser.close()
