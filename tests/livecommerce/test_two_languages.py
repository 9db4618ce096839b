"""Each page in both languages: all of it in the reader's, with the switch to the other one.

The pages are found from the routes, so that a new one is looked at by itself. What scripts write,
the story looks at (`tests/story`).
"""

from __future__ import annotations

from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any

import pytest
from django.conf import LazySettings
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from core.accounts.models import Invitation, User
from courses.models import ClipSource, Course, EditionLesson, Lesson
from livecommerce.people import invitations
from tests.courses.conftest import course, make_clip, picking  # noqa: F401 - fixtures
from tests.orders.shop import TO_LI, li_orders
from tests.story import chinese
from tests.story.language import foreign_in
from tests.world import World

SILENT = {"script", "style", "code", "pre", "template"}
VOID = {"img", "input", "br", "link", "meta", "hr", "source", "track", "wbr", "use", "path", "col"}
SPOKEN = ("aria-label", "placeholder", "title", "alt")
# Files, answers to programs, and a page that is gone once there is an operator.
NOT_PAGES = {
    "jsi18n",
    "show_playback",
    "studio_orders_csv",
    "studio_sales_csv",
    "my_data",
    "first_run",
    "learn_worker",
    "badge_issuer",
    "badge_jwks",
    "course_badge_picture",
}


class Said(HTMLParser):
    """The texts of a page as it was sent, hidden ones too; without what is in another language."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.texts: list[str] = []
        self._open: list[bool] = []
        self._code = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        has = dict(attrs)
        is_other = (tag != "html" and "lang" in has) or has.get("class") == "logo"
        if not is_other and not any(self._open):
            self.texts += [value for name in SPOKEN if (value := has.get(name))]
        if tag not in VOID:
            self._open.append(is_other or tag in SILENT)
        # "CNY 人民币", "Asia/Shanghai": what everybody calls it, and its name by Unicode.
        self._code = has.get("value") or "" if tag == "option" else ""

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID and self._open:
            self._open.pop()

    def handle_data(self, data: str) -> None:
        text = data.strip()
        is_known_by_code = self._code and text.startswith(self._code)
        if text and not any(self._open) and not is_known_by_code:
            self.texts.append(text)


def routes(inside: URLResolver) -> Iterator[URLPattern]:
    """Our routes; the administration's and the API's pages have languages of their own."""
    for one in inside.url_patterns:
        if isinstance(one, URLResolver):
            if one.namespace is None:
                yield from routes(one)
        elif one.name and one.name not in NOT_PAGES:
            yield one


@pytest.fixture(params=["en", "zh-hans"])
def language(request: pytest.FixtureRequest, world: World, picking: Lesson) -> str:  # noqa: F811
    """The reader's; everything that people have written is in it, too."""
    if request.param == "zh-hans":
        chinese.rename()
        Course.objects.update(title="直播卖苹果", summary="让大家看看您种的东西。")
        Lesson.objects.update(title="摘苹果")
        EditionLesson.objects.update(title="摘苹果")
        ClipSource.objects.update(seller_name="张家果园", place="礼县", show_title="树上刚摘的苹果")
    return str(request.param)


@pytest.fixture
def addresses(
    language: str,
    world: World,
    course: Course,  # noqa: F811
    picking: Lesson,  # noqa: F811
) -> dict[str, str]:
    """Where each route leads, with something for each part of its address; "": with nothing."""
    name, where = {"en": ("Li Na", "Binhe Road"), "zh-hans": ("李娜", "滨河路 18 号")}[language]
    order = li_orders(world, delivery={**TO_LI, "name": name, "address": where})
    invited = {"role": "host", "seller": world.farm, "days": 3, "made_by": world.zhao}
    batch = invitations.invite([name], **invited)
    known = {
        "show_id": world.show.public_id,
        "order_id": order.public_id,
        "course_id": course.public_id,
        "lesson_id": picking.public_id,
        "seller_id": world.farm.public_id,
        "product_id": world.apples.product.public_id,
        "variant_id": world.apples.public_id,
        "point_id": world.pickup.public_id,
        "batch": batch,
        "token": invitations.token_of(Invitation.objects.get(batch=batch)),
    }
    found = {}
    for route in routes(get_resolver()):
        parts = {part: known.get(part) for part in route.pattern.converters}
        assert route.name
        found[route.name] = "" if None in parts.values() else reverse(route.name, kwargs=parts)
    return found


def test_each_page_is_all_in_the_readers_language_and_can_be_turned(
    addresses: dict[str, str], language: str, world: World, settings: LazySettings
) -> None:
    settings.SMS_CONSOLE = True
    readers = [reader(one, language) for one in (world.zhao, world.zhang, world.li, None)]
    pages = {path: page_for(readers, path) for path in addresses.values() if path}
    pages |= {path: readers[2].get(path) for path in ("/nowhere/", "/operator/people/")}
    shown = {path: page.content.decode() for path, page in pages.items() if page is not None}
    assert len(shown) > 40
    other = {"en": "zh-hans", "zh-hans": "en"}[language]
    assert [
        path for path, page in shown.items() if f'name="language" value="{other}"' not in page
    ] == []
    found = {path: foreign_in(Said(page).texts, language) for path, page in shown.items()}
    assert {path: texts for path, texts in found.items() if texts} == {}


def reader(user: User | None, language: str) -> Client:
    client = Client(headers={"accept-language": language})
    if user:
        client.force_login(user)
    return client


def page_for(readers: list[Client], path: str) -> Any:
    """What the first gets who is shown a page there; None where there is none, as for commands."""
    answers = (one.get(path) for one in readers)
    return next((answer for answer in answers if answer.status_code == 200), None)
