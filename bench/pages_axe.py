"""Every page that the demo's people can walk to, in both languages, as axe reads it.

It goes from link to link, as each of them and as nobody, and looks at a few of every kind of page
(the same route of the address table: a show that is on and one that is over are not alike) in each
language, with everything on it opened.
"""

from __future__ import annotations

import os
import re
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, Page
from playwright.sync_api import Error as BrowserError

from bench.pages_cold import PHONE, chromium
from bench.pages_demo import Demo
from bench.processes import ROOT

AXE = (ROOT / "node_modules/axe-core/axe.min.js").read_text()
PEOPLE = ("", "wang", "li", "zhang", "chen", "zhao")
FEW = 3
LOCALES = {"en": "en", "zh-hans": "zh-CN"}
NUMBERS = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}|\d+")
# Of others (Django's own), files, and what signs out or goes away.
NOT_OURS = ("/admin/", "/api/", "/media/", "/static/", "/jsi18n/", "/accounts/logout")
LINKS = "() => [...document.querySelectorAll('a[href]')].map((one) => one.href)"
OPEN_ALL = """() => {
  for (const one of document.querySelectorAll("main details")) one.open = true;
  document.getAnimations().forEach((one) => { try { one.finish(); } catch {} });
}"""
LOOK = """async () => {
  const { violations, passes, incomplete, inapplicable } = await axe.run(document);
  return {
    rules: [violations, passes, incomplete, inapplicable].flat().map(({ id }) => id),
    faults: violations.map(({ id, impact, nodes }) => [
      id, impact, nodes.map(({ html }) => html.slice(0, 160)),
    ]),
  };
}"""


@dataclass(slots=True)
class Violations:
    """`faults` are (page, language, who, rule, impact, elements); `rules` are counted."""

    pages: list[str] = field(default_factory=list)
    rules: int = 0
    faults: list[tuple[str, str, str, str, str, list[str]]] = field(default_factory=list)


def looked_at(demo: Demo) -> Violations:
    found, rules, seen = Violations(), set[str](), Counter[tuple[str, str]]()
    with chromium() as browser:
        for who in PEOPLE:
            for language, locale in LOCALES.items():
                context = browser.new_context(viewport=PHONE, locale=locale, bypass_csp=True)  # type: ignore[arg-type]
                if who:
                    context.add_cookies(
                        [{"name": "sessionid", "value": demo.session(who), "url": demo.url}]
                    )
                for path, said in _walk(context, demo, seen, language):
                    found.pages.append(f"{path} ({language}, {who or 'nobody'})")
                    rules.update(said["rules"])
                    found.faults += [(path, language, who, *one) for one in said["faults"]]
                context.close()
    found.rules = len(rules)
    return found


def _walk(
    context: BrowserContext, demo: Demo, seen: Counter[tuple[str, str]], language: str
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each page that was not looked at in this language, and what axe says of it."""
    page = context.new_page()
    waiting, known = deque(["/", "/learn/", "/studio/", "/accounts/login/"]), set[str]()
    opened, looked = Counter[str](), set[str]()
    while waiting:
        path = waiting.popleft()
        if path in known or opened[kind(path)] == FEW:
            continue
        known.add(path)
        opened[kind(path)] += 1
        if not _open(page, demo.url + path):
            continue
        landed = urlsplit(page.url).path
        for link in page.evaluate(LINKS):
            parts = urlsplit(link)
            if f"{parts.scheme}://{parts.netloc}" == demo.url and not parts.path.startswith(
                NOT_OURS
            ):
                waiting.append(parts.path)
        if landed not in looked and seen[kind(landed), language] < FEW:
            looked.add(landed)
            seen[kind(landed), language] += 1
            yield landed, _faults(page)


def kind(path: str) -> str:
    return NUMBERS.sub("*", path)


def _open(page: Page, url: str) -> bool:
    """Whether it is a page that people are shown: no file, and no refusal."""
    try:
        answer = page.goto(url, wait_until="load")
    except BrowserError:  # a download begins, or the address leads nowhere
        return False
    is_page = "text/html" in (answer.headers.get("content-type", "") if answer else "")
    return bool(answer and answer.ok and is_page)


def _faults(page: Page) -> dict[str, Any]:
    page.evaluate(OPEN_ALL)
    page.evaluate(AXE)
    said: dict[str, Any] = page.evaluate(LOOK)
    return said


if __name__ == "__main__":
    for fault in looked_at(Demo(os.environ["URL"])).faults:
        print(fault)
