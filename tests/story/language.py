"""What pages say in a language: the catalogues' words to look for, and words that do not belong."""

from __future__ import annotations

import gettext
import re
from collections.abc import Iterable

from playwright.sync_api import Page

from tests.server import ROOT

LOCALES = ROOT / "livecommerce/locale"
FOLDERS = {"zh-hans": "zh_Hans"}

# What a person sees or is read aloud; not what says by its own `lang` that it is another language
# (the switch, sheets in two), nor the site's name, nor code to be copied.
SAID = """() => {
  const other = "[lang]:not(html), .logo, code, script, style, noscript, template";
  const own = (node) => !node.closest(other);
  const shown = (node) => own(node) && node.checkVisibility();
  const said = [document.title];
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    if (shown(texts.currentNode.parentElement)) said.push(texts.currentNode.data);
  }
  for (const name of ["aria-label", "placeholder", "title", "alt"]) {
    for (const one of document.querySelectorAll(`[${name}]`)) {
      if (shown(one)) said.push(one.getAttribute(name));
    }
  }
  return said.map((text) => text.trim()).filter(Boolean);
}"""
# Addresses of pages and numbers of certificates have no language, a chapter of operations.md one.
NEITHER = re.compile(r"https?://\S+|\d{4}-\w{4}-\w{4}|“OBS and other encoders”")
FOREIGN = {"en": re.compile(r"[\u3400-\u9fff]+"), "zh-hans": re.compile(r"[A-Za-z]{2,}")}
# Names and units, which Chinese writes in these letters as well.
NAMES = {
    "livecommerce",
    "OBS",
    "API",
    "CSV",
    "HTTPS",
    "https",
    "PDF",
    "CNY",
    "kg",
    "MB",
    "GB",
    "MP",
    "mp",  # of a film that is downloaded
    "MOV",
    "MKV",
    "WebM",
}


class Words:
    """The texts of the product in one language, from its catalogues. English is what they say."""

    def __init__(self, language: str) -> None:
        self._catalogues = (
            [
                gettext.translation(domain, LOCALES, [FOLDERS[language]])
                for domain in ("djangojs", "django")
            ]
            if language in FOLDERS
            else []
        )

    def __call__(self, text: str) -> str:
        return self._first([one.gettext(text) for one in self._catalogues], text)

    def count(self, one: str, many: str, number: int) -> str:
        found = [catalogue.ngettext(one, many, number) for catalogue in self._catalogues]
        return self._first(found, one if number == 1 else many, one, many)

    def _first(self, found: list[str], english: str, *others: str) -> str:
        if not self._catalogues:
            return english
        translated = next((text for text in found if text not in (english, *others)), None)
        assert translated is not None, f"the catalogues lack {english!r}"
        return translated


def foreign(page: Page, language: str) -> list[str]:
    """What the page says, to eyes or ears, in the other language."""
    return foreign_in(page.evaluate(SAID), language)


def foreign_in(texts: Iterable[str], language: str) -> list[str]:
    found = []
    for text in texts:
        words = FOREIGN[language].findall(NEITHER.sub("", text))
        if not set(words) <= NAMES:
            found.append(text)
    return found
