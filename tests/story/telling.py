"""The two ways in which the story is told: where people come, what they read, how they get in."""

from __future__ import annotations

import re
import subprocess
import sys
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from urllib.parse import parse_qs

import zxingcpp
from PIL import Image
from playwright.sync_api import Browser, Locator, expect

from livecommerce.lan.addresses import own_names
from tests.accounts.sms_gateway import Got, gateway
from tests.livecommerce.test_lan_browser import NAME, trust
from tests.server import ROOT, Server, free_port_everywhere, prepare, running_instance
from tests.story.browser import Visitor, chromium, eventually
from tests.story.language import Words
from tests.streams.test_studio_browser import Network


@dataclass(frozen=True, slots=True)
class Names:
    """What people and things are called, and what people write."""

    show: str
    apples: str
    question: str
    li: str
    wang: str
    recipient: str
    address: str
    clip: str
    course: str


@dataclass(frozen=True, slots=True)
class Telling(ABC):
    """One place and language of the story. The host's phone has a network that can break."""

    browser: Browser
    url: str
    network: Network
    host_url: str
    """Through the network."""

    language: str = "en"
    names: Names = Names(
        show="This morning's apples",
        apples="Huaniu apples",
        question="How heavy is a box?",
        li="Li",
        wang="Wang",
        recipient="Li Na",
        address="18 Binhe Road, Lanzhou",
        clip="How to answer a question",
        course="Selling apples live",
    )

    @property
    def say(self) -> Words:
        return Words(self.language)

    def boxes(self, number: int) -> str:
        return self.say.count("%s box", "%s boxes", number) % number

    def visitor(self, url: str = "") -> Visitor:
        return Visitor(self.browser, url or self.url, reads=self.language)

    @abstractmethod
    def host_comes_in(self, host: Visitor) -> None:
        """From nothing to the studio."""

    @abstractmethod
    def fill_in_sign_in(self, person: Visitor, who: str) -> None:
        """On the sign-in page: to the end of it."""

    def signs_in(self, person: Visitor, who: str) -> None:
        person.open("/accounts/login/")
        person.shot("sign-in")
        self.fill_in_sign_in(person, who)
        person.page.wait_for_url(lambda url: "/accounts/" not in url)


class English(Telling):
    """On http://localhost, in English, with user names and passwords."""

    def host_comes_in(self, host: Visitor) -> None:
        self.signs_in(host, "zhang")
        host.open("/studio/")

    def fill_in_sign_in(self, person: Visitor, who: str) -> None:
        person.fill_in_sign_in(who)


@dataclass(frozen=True, slots=True)
class Chinese(Telling):
    """By HTTPS on another name, in Chinese; people have phones, and the host a sheet of paper."""

    texts: Got = field(default_factory=Got)

    def host_comes_in(self, host: Visitor) -> None:
        host.open(self._path_on_paper("张梅"))
        host.shot("invitation")
        host.page.locator("[name=by_code]").click()
        self._fill_in_code(host, "13912340001", "张梅")
        host.page.wait_for_url("**/join/**")
        host.page.locator("main form .button--primary").click()
        host.page.wait_for_url("**/studio/")

    def _path_on_paper(self, name: str) -> str:
        """An operator prints an invitation; what a phone's camera reads from the sheet."""
        operator = self.visitor(self.host_url)
        operator.open("/accounts/login/")
        operator.fill_in_sign_in("zhao")
        operator.page.wait_for_url(lambda url: "/accounts/" not in url)
        page = operator.open("/operator/people/")
        operator.shot("people")
        page.fill("#names", name)
        host = page.locator("#as option[value^='host:']").filter(has_text="张家果园")
        page.select_option("#as", host.get_attribute("value"))
        page.locator("#invite .button--primary").click()
        page.emulate_media(media="print")
        printed = page.locator(".invitation__qr")
        expect(printed).to_be_visible()
        operator.shot("invitation-sheet")
        address = scanned(printed)
        operator.context.close()
        # Over the page that says how to trust the machine; this phone does (`test_lan_browser`).
        door, _, path = address.partition("#")
        assert door.startswith("http://")
        assert path.startswith("/join/")
        return path

    @property
    def network_url(self) -> str:
        return f"https://{NAME}:{self.network.port}"

    def fill_in_sign_in(self, person: Visitor, who: str) -> None:
        person.page.locator("main a[href^='/accounts/phone/']").click()
        phone = {"li": "13912340002", "wang": "13912340003"}[who]
        self._fill_in_code(person, phone, {"li": self.names.li, "wang": self.names.wang}[who])

    def _fill_in_code(self, person: Visitor, phone: str, name: str) -> None:
        page = person.page
        page.fill("#phone", phone)
        person.shot("phone")
        page.locator("main form .button--primary").click()
        page.fill("#code", self._code_sent_to(phone))
        person.shot("phone-code")
        page.locator("main form .button--primary").click()
        page.fill("#name", name)
        person.shot("phone-name")
        page.locator("main form .button--primary").click()

    def _code_sent_to(self, phone: str) -> str:
        """In the message that her phone gets, which is in her language."""

        def sent() -> list[str]:
            texts = [parse_qs(body) for _headers, body in self.texts.requests]
            return [one["text"][0] for one in texts if one["to"][0].endswith(phone)]

        text = eventually(sent, within_s=10, what=f"a message to {phone}")[-1]
        assert not re.search(r"[A-Za-z]{2,}", text.replace("livecommerce", "")), text
        (code,) = re.findall(r"\d{6}", text)
        return code


def scanned(printed: Locator) -> str:
    """What a phone's camera makes of this code."""
    with Image.open(BytesIO(printed.screenshot())) as picture:
        (found,) = zxingcpp.read_barcodes(picture)
    return str(found.text)


@contextmanager
def in_english(folder: Path) -> Iterator[Telling]:
    with running_instance(folder) as server, chromium() as browser:
        network = Network(server.url)
        try:
            yield English(browser, server.url, network, network.url)
        finally:
            network.close()


IN_CHINESE = Names(
    show="今早摘的苹果",
    apples="花牛苹果",
    question="一箱有多重？",
    li="李娜",
    wang="王芳",
    recipient="李娜",
    address="兰州市滨河路 18 号",
    clip="怎么回答问题",
    course="直播卖苹果",
)


@contextmanager
def in_chinese(folder: Path) -> Iterator[Telling]:
    """`up --lan`, whose authority the browser trusts as a phone does."""
    data, address = folder / "data", own_names().best
    prepare(data)
    secure = free_port_everywhere()
    with gateway() as texts:
        given = {
            "LIVECOMMERCE_HTTPS_PORT": str(secure),
            "LIVECOMMERCE_HOSTS": NAME,
            "LIVECOMMERCE_SMS_URL": texts.url,
            "LIVECOMMERCE_SMS_BODY": "to={phone}&text={text}",
        }
        with running_instance(data, "--lan", **given) as server:
            _rename(server)
            trust(folder, data / "lan/authority.pem")
            rules = f"--host-resolver-rules=MAP {NAME} {address}"
            network = Network(f"http://{address}:{secure}", listen=address)
            with chromium(rules, "--no-proxy-server", home=folder) as browser:
                own = [f"https://{NAME}:{port}" for port in (secure, network.port)]
                yield Chinese(browser, own[0], network, own[1], "zh-hans", IN_CHINESE, texts)
            network.close()


def _rename(server: Server) -> None:
    script = "import django; django.setup(); from tests.story import chinese; chinese.rename()"
    subprocess.run([sys.executable, "-c", script], env=server.environment, cwd=ROOT, check=True)
