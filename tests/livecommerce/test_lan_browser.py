"""A phone's way in: the code leads to the page, the trusted authority to HTTPS and the camera."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Error, sync_playwright

from livecommerce.lan.addresses import own_names
from tests.livecommerce.command import Running, command, environment, migrate
from tests.server import free_port_everywhere
from tests.story.browser import FLAGS, PHONE, chromium_path

pytestmark = [pytest.mark.browser, pytest.mark.process]

NAME = "shop.test"
CAMERA = """async () => {
    const stream = await navigator.mediaDevices.getUserMedia({video: true, audio: true});
    return stream.getTracks().map((track) => track.kind).sort();
}"""


@contextmanager
def phone(home: Path) -> Iterator[BrowserContext]:
    """Chromium that finds the shop at this machine's address, and trusts what `home` says."""
    address = own_names().best
    with sync_playwright() as playwright:
        context = playwright.chromium.launch_persistent_context(
            home / "profile",
            executable_path=chromium_path(),
            args=[*FLAGS, f"--host-resolver-rules=MAP {NAME} {address}", "--no-proxy-server"],
            env={**os.environ, "HOME": str(home)},
            viewport=PHONE,
            locale="en",
            permissions=["camera", "microphone"],
        )
        context.set_default_timeout(20_000)
        yield context
        context.close()


def trust(home: Path, authority: Path) -> None:
    """As the phone's settings do."""
    folder = home / ".pki/nssdb"
    folder.mkdir(parents=True)
    for arguments in (
        ["-N", "--empty-password"],
        ["-A", "-t", "C,,", "-n", "livecommerce", "-i", str(authority)],
    ):
        subprocess.run(["certutil", "-d", f"sql:{folder}", *arguments], check=True)


def test_a_phone_that_trusts_the_authority_gets_its_camera(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    migrate(data)
    plain, secure = free_port_everywhere(), free_port_everywhere()
    given = {"LIVECOMMERCE_MODE": "demo", "LIVECOMMERCE_LAN": "1", "LIVECOMMERCE_HOSTS": NAME}
    ports = {"LIVECOMMERCE_HTTPS_PORT": str(secure), "PORT": str(plain)}
    with Running(command("serve"), environment(data, **given, **ports)) as web:
        web.wait_for("web is served by")
        code = f"http://{NAME}:{plain}/#{(data / 'lan/door').read_text()}"
        with phone(tmp_path / "strange") as stranger:
            page = stranger.new_page()
            page.goto(code)
            page.get_by_text("Download the certificate").wait_for()
            assert page.evaluate("() => navigator.mediaDevices === undefined"), "no camera here"
            with pytest.raises(Error, match="ERR_CERT_AUTHORITY_INVALID"):
                page.goto(f"https://{NAME}:{secure}/")
        trust(tmp_path / "trusting", data / "lan/authority.pem")
        with phone(tmp_path / "trusting") as guest:
            page = guest.new_page()
            page.goto(code)
            page.wait_for_url(f"https://{NAME}:{secure}/")  # by itself
            assert page.evaluate("() => window.isSecureContext")
            assert page.evaluate(CAMERA) == ["audio", "video"]
            assert page.get_by_role("link", name="What's on").first.is_visible()
            for card in (f"{code}/join/from-a-card/", f"http://{NAME}:{plain}/#/join/typed/"):
                page.goto("about:blank")
                page.goto(card)
                page.wait_for_url(f"https://{NAME}:{secure}{card[card.index('/join/') :]}")
                assert page.get_by_role("link", name="What's on").first.is_visible()
