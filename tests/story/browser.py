"""A real Chromium with a fake camera, and what a person can see in it."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from playwright import async_api, sync_api
from playwright.sync_api import (
    Browser,
    BrowserContext,
    Locator,
    Page,
    StorageState,
    ViewportSize,
    sync_playwright,
)

from tests.server import ROOT
from tests.story.language import foreign
from tests.world import PASSWORD

T = TypeVar("T")
PATIENCE_MS = 20_000
"""With what a page does by itself, however busy the machine is."""
SHOTS = ROOT / "build" / "shots"
TAKES_SHOTS = "SHOTS" in os.environ
"""They are for people to look at (`make story`), and cost a fifth of the story's time."""
PHONE: ViewportSize = {"width": 360, "height": 640}
WIDE: ViewportSize = {"width": 1280, "height": 800}
LOCALES = {"zh-hans": "zh-CN"}
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = (
    "--no-sandbox",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
    "--autoplay-policy=no-user-gesture-required",
)

sync_api.expect.set_options(timeout=PATIENCE_MS)
async_api.expect.set_options(timeout=PATIENCE_MS)


def chromium_path() -> str:
    found = next((path for name in NAMES if (path := shutil.which(name))), None)
    assert found, "These tests need Chromium: install it (on Debian: apt-get install chromium)."
    return found


@contextmanager
def chromium(*flags: str, home: Path | None = None) -> Iterator[Browser]:
    """`home`: the folder of somebody who trusts other authorities than this machine does."""
    env: dict[str, str | float | bool] | None = {**os.environ, "HOME": str(home)} if home else None
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium_path(), args=[*FLAGS, *flags], env=env
        )
        try:
            yield browser
        finally:
            browser.close()


class Visitor:
    """One person with a phone: a browser context of their own."""

    def __init__(
        self,
        browser: Browser,
        url: str,
        signed_in: StorageState | None = None,
        *,
        reads: str = "",
    ) -> None:
        """`signed_in`: what the context of somebody who has signed in before keeps.

        `reads`: the one language that pages should have for this person, "en" or "zh-hans".
        """
        self.url = url
        self._reads = reads
        self.context: BrowserContext = browser.new_context(
            viewport=PHONE,
            has_touch=True,
            permissions=["camera", "microphone"],
            locale=LOCALES.get(reads, "en"),
            storage_state=signed_in,
        )
        self.context.set_default_timeout(PATIENCE_MS)
        self.page: Page = self.context.new_page()
        self.faults: list[str] = []
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))
        self.page.on("console", self._note)

    def _note(self, message: object) -> None:
        text = getattr(message, "text", "")
        if "Content Security Policy" in text:
            self.faults.append(text)

    def open(self, path: str) -> Page:
        self.page.goto(self.url + path)
        return self.page

    def fill_in_sign_in(self, username: str) -> None:
        """On the sign-in page: name, password, and the button."""
        self.page.fill("input[name=login]", username)
        self.page.fill("input[name=password]", PASSWORD)
        self.page.locator(
            "main form button[type=submit], main form button:not([type])"
        ).first.click()

    def sign_in(self, username: str) -> None:
        self.open("/accounts/login/")
        self.fill_in_sign_in(username)
        self.page.wait_for_url(lambda url: "/accounts/login" not in url)

    def shot(self, name: str) -> None:
        """A picture of the page as it is, on a phone and wide, if somebody wants to see it.

        The page says nothing in a language that the person does not read.
        """
        if self._reads:
            said = foreign(self.page, self._reads)
            assert not said, f"{name} is not all in {self._reads}: {said}"
        if not TAKES_SHOTS:
            return
        folder = SHOTS / self._reads
        folder.mkdir(parents=True, exist_ok=True)
        for kind, size in (("wide", WIDE), ("phone", PHONE)):
            self.page.set_viewport_size(size)
            self.page.screenshot(path=folder / f"{name}-{kind}.png")


def signed_in(browser: Browser, url: str, username: str) -> StorageState:
    """What a browser keeps of somebody who signed in, for `Visitor` objects that come later.

    To sign in again for each test takes two pages and the hashing of a password.
    """
    visitor = Visitor(browser, url)
    visitor.sign_in(username)
    state = visitor.context.storage_state()
    visitor.context.close()
    return state


def video_time(video: Locator) -> float:
    return float(video.evaluate("video => video.currentTime"))


# The sum of a small copy of the picture, weighted by place: another picture has another sum.
PICTURE = """video => {
    const canvas = document.createElement("canvas");
    canvas.width = 32; canvas.height = 32;
    const context = canvas.getContext("2d");
    context.drawImage(video, 0, 0, 32, 32);
    const pixels = Array.from(context.getImageData(0, 0, 32, 32).data);
    return pixels.reduce((sum, value, place) => sum + value * (place % 97), 0);
}"""


def picture(video: Locator) -> int:
    """A number that changes when the pixels do."""
    return int(video.evaluate(PICTURE))


def eventually(look: Callable[[], T], *, within_s: float, what: str) -> T:
    """The first true answer of `look`; fails with `what` was expected after `within_s`."""
    deadline = time.monotonic() + within_s
    while not (answer := look()):
        assert time.monotonic() < deadline, f"never saw {what}"
        time.sleep(0.1)
    return answer


def assert_plays(video: Locator, *, within_s: float = 30) -> None:
    """The video's time goes on and its pixels change."""
    eventually(lambda: video_time(video) > 0, within_s=within_s, what="the video begin")
    time_before, picture_before = video_time(video), picture(video)
    eventually(
        lambda: video_time(video) > time_before + 0.5 and picture(video) != picture_before,
        within_s=15,
        what="the video go on with another picture",
    )


def path_of(page: Page) -> str:
    return "/" + page.url.split("/", 3)[3]
