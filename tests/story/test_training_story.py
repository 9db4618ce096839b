"""What a show leaves behind: Zhang's best minutes become a course, Wang learns to sell from it.

She watches on a phone whose network breaks, is wrong once in a quiz, practises before simulated
buyers, hears from Chen what to do better, does it, and goes live for herself with her badge.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import jsonschema
import pytest
from jwcrypto import jwk, jws
from playwright.sync_api import Browser, Page, expect

from tests.server import ROOT, Server, prepare, running_instance, unserved
from tests.story import ended_show
from tests.story.browser import Visitor, assert_plays, chromium, eventually, path_of, video_time

pytestmark = [pytest.mark.browser, pytest.mark.ffmpeg, pytest.mark.timeout(900)]

SCHEMA = ROOT / "tests/courses/badges/ob_v3p0_achievementcredential_schema.json"
CUT_WITHIN_S = 150
LESSON_S = 10
EXPLAINED_S = 6
COUNTS_TAPS = """addEventListener("pointerdown", () => {
  sessionStorage.setItem("taps", 1 + Number(sessionStorage.getItem("taps") ?? 0));
}, true);"""
MOST_CLICKS = 19


@dataclass(frozen=True, slots=True)
class Place:
    """Where it happens, and who comes there."""

    browser: Browser
    server: Server

    def visitor(self, name: str = "") -> Visitor:
        visitor = Visitor(self.browser, self.server.url, reads="en")
        if name:
            visitor.sign_in(name)
        return visitor


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    prepare(tmp_path)
    ended_show.build_in(unserved(tmp_path))
    with running_instance(tmp_path) as server, chromium() as browser:
        yield Place(browser, server)


def test_a_show_teaches_the_next_host(place: Place) -> None:
    zhang, chen, wang = (place.visitor(name) for name in ("zhang", "chen", "wang"))
    wang_may_not_go_live_yet(wang)
    course = zhang_makes_a_course(zhang)
    first, last = chen_adds_a_quiz_and_a_practice(chen, course)
    zhao_lets_who_has_learnt_it_go_live(place.visitor("zhao"), course)
    wang_joins_in_the_feed(wang)
    wang_watches_while_the_network_breaks(wang, first)
    wang_is_wrong_once(wang, first)
    wang_watches_the_others(wang, course)
    wang_practises(wang, last)
    chen_reviews(chen, verdict="again", comments=("Say the weight", "Smile when they come"))
    wang_reads_what_to_do_better(wang)
    wang_practises(wang, last)
    chen_reviews(chen, verdict="accepted", comments=())
    certificate = wang_takes_her_badge(wang, course)
    the_badge_holds_without_our_code(place.server.url, certificate)
    wang_goes_live(wang, place.visitor())
    for person in (zhang, chen, wang):
        assert person.faults == []


def zhang_makes_a_course(zhang: Visitor) -> str:
    """From the studio; three proposals with their reasons, trimmed, in fewer than 20 taps."""
    zhang.context.add_init_script(COUNTS_TAPS)
    page = zhang.open("/studio/")
    zhang.shot("studio-of-yesterday")
    page.get_by_role("link", name=ended_show.TITLE).first.click()
    page.get_by_role("link", name="Make a course of this show").click()
    parts = page.locator("#cut-list > li")
    expect(parts).to_have_count(3)
    for part in parts.all():
        expect(part).to_contain_text("orders in")
        expect(part).to_contain_text("questions")
    zhang.shot("course-of-show")
    for row in range(3):
        start = page.locator(f"[name=start_s-{row}]")
        minutes, seconds = start.input_value().split(":")
        page.locator(f"[name=end_s-{row}]").fill(f"{minutes}:{float(seconds) + LESSON_S:04.1f}")
    page.locator("[name=agree]").check()
    page.locator("button[name=do][value=publish]").click()
    page.wait_for_url("**/edit/")
    taps = int(page.evaluate("sessionStorage.getItem('taps')"))
    assert 3 <= taps <= MOST_CLICKS
    course = path_of(page).removesuffix("edit/")
    eventually(
        lambda: _is_published(zhang.url + course), within_s=CUT_WITHIN_S, what="it published"
    )
    zhang.open(f"{course}edit/")
    zhang.shot("course-made")
    return course


def _is_published(url: str) -> bool:
    return httpx.get(url).status_code == httpx.codes.OK


def lessons_of(person: Visitor, course: str) -> list[str]:
    page = person.open(course)
    links = page.locator(f".lessons a[href^='{course}']")
    found = links.evaluate_all("links => links.map(link => link.getAttribute('href'))")
    return [str(one) for one in dict.fromkeys(found)]


def chen_adds_a_quiz_and_a_practice(chen: Visitor, course: str) -> tuple[str, str]:
    first, _second, last = lessons_of(chen, course)
    page = chen.open(f"{first}quiz/edit/")
    asked = page.locator(".proposal").filter(has_text="How heavy is a box?")
    chen.shot("quiz-edit")
    asked.get_by_role("link", name="Make a question of it").click()
    page.locator("[name=kind][value=choice]").check()
    for number, text in enumerate(("Three kilos", "Five kilos")):
        page.locator("[name^=option-]:not([type=hidden])").nth(number).fill(text)
    page.locator("[name=right]").nth(1).check()
    page.fill("#explained_s", f"0:{EXPLAINED_S:02d}")
    chen.shot("quiz-question")
    page.get_by_role("button", name="Save").click()
    page.locator("button[name=do][value=publish]").click()
    expect(page.get_by_text("published", exact=True)).to_be_visible()

    page = chen.open(f"{last}practice/edit/")
    page.fill("#brief", "Greet who comes, pin the honey, and answer what they ask.")
    page.fill("#minutes", "2")
    page.locator("button[name=do][value=write]").click()
    page.fill("#title", "Practice honey")
    page.fill("#variant_title", "500 g jar")
    page.fill("#price", "48")
    page.locator("button[name=do][value=add]").click()
    expect(page.locator("main")).to_contain_text("Practice honey")
    chen.shot("practice-edit")
    return first, last


def zhao_lets_who_has_learnt_it_go_live(zhao: Visitor, course: str) -> None:
    page = zhao.open(f"{course}badge/")
    page.locator("[name=grants_live]").check()
    page.get_by_role("button", name="Save").click()
    expect(page.locator("[name=grants_live]")).to_be_checked()
    zhao.context.close()


def wang_may_not_go_live_yet(wang: Visitor) -> None:
    console = _a_show(wang, "Too early")
    expect(wang.page.locator("main")).to_contain_text("operator")
    expect(wang.page.locator("#go-live")).to_be_disabled()
    assert console


def _a_show(wang: Visitor, title: str) -> str:
    page = wang.open("/studio/shows/new/")
    page.fill("[name=title]", title)
    page.locator(".schedule-form button[type=submit]").click()
    page.locator("#to-camera").click()
    return path_of(page)


def wang_joins_in_the_feed(wang: Visitor) -> None:
    page = wang.open("/learn/")
    lesson = page.locator("[data-lesson]").first
    expect(lesson).to_contain_text("How to sell")
    assert_plays(lesson.locator("video"))
    wang.shot("feed")
    lesson.locator("[data-join]").click()
    expect(lesson.locator("[data-open]")).to_be_visible()


def wang_watches_while_the_network_breaks(wang: Visitor, lesson: str) -> None:
    page = wang.open(lesson)
    video = page.locator("video")
    video.evaluate("video => { video.currentTime = 0; video.muted = true; return video.play(); }")
    eventually(lambda: video_time(video) > 2, within_s=30, what="two seconds of the lesson")
    wang.context.set_offline(True)
    eventually(lambda: video_time(video) > 5, within_s=30, what="the lesson go on without network")
    wang.shot("lesson-offline")
    wang.context.set_offline(False)
    _watch_to_the_end(page)
    expect(page.locator("[data-panel=missing] [data-requirements]")).to_contain_text("quiz")
    wang.shot("lesson-quiz-left")


def _watch_to_the_end(page: Page) -> None:
    video = page.locator("video")
    eventually(
        lambda: bool(video.evaluate("video => video.ended")),
        within_s=LESSON_S * 4,
        what="the lesson's end",
    )
    expect(page.locator("[data-panel]:not([hidden])").first).to_be_visible()


def wang_is_wrong_once(wang: Visitor, lesson: str) -> None:
    """Of what she answers wrong she sees the second that explains it."""
    page = wang.open(f"{lesson}quiz/")
    page.get_by_label("Three kilos").check()
    page.get_by_role("button", name="Check my answers").click()
    expect(page.locator("[data-verdict]")).to_contain_text("Not yet")
    wang.shot("quiz-wrong")
    page.locator("[data-jump]").click()
    video = page.locator("video")
    eventually(
        lambda: abs(video_time(video) - EXPLAINED_S) < 1,
        within_s=20,
        what="the second that explains it",
    )
    page = wang.open(f"{lesson}quiz/")
    page.get_by_label("Five kilos").check()
    page.get_by_role("button", name="Check my answers").click()
    expect(page.locator("[data-verdict]")).to_contain_text("Everything right!")
    wang.shot("quiz-passed")


def wang_watches_the_others(wang: Visitor, course: str) -> None:
    for lesson in lessons_of(wang, course)[1:]:
        page = wang.open(lesson)
        page.locator("video").evaluate("video => { video.muted = true; return video.play(); }")
        _watch_to_the_end(page)
    expect(page.locator("[data-panel=missing] [data-requirements]")).to_contain_text("Practise")


def wang_practises(wang: Visitor, lesson: str) -> None:
    page = wang.open(f"{lesson}practice/")
    wang.shot("practice-task")
    page.locator("main form button[type=submit]").click()
    expect(page.locator("#practice")).to_contain_text("PRACTICE")
    go_live = page.locator("#go-live")
    expect(go_live).to_be_enabled()
    go_live.click()
    expect(page.locator("#end-show")).to_be_visible(timeout=30_000)
    page.fill("#chat-text", "Welcome! Honey from our own bees.")
    page.press("#chat-text", "Enter")
    page.click("#tab-products")
    page.locator("#offers li").first.locator("[aria-pressed=false]").click()
    page.click("#tab-orders")
    expect(page.locator("#orders li").first).to_be_visible(timeout=90_000)
    wang.shot("practice-on")
    page.click("#end-show")
    page.click("#end-yes")
    page.wait_for_url("**/learn/practice/**", timeout=60_000)
    expect(page.get_by_text("What the buyers did")).to_be_visible()
    expect(page.get_by_role("link", name="Watch it")).to_be_visible(timeout=90_000)
    wang.shot("practice-result")
    page.get_by_role("button", name="Hand in to a mentor").click()
    expect(page.locator("main")).to_contain_text("A mentor looks at it")


def chen_reviews(chen: Visitor, *, verdict: str, comments: tuple[str, ...]) -> None:
    page = chen.open("/learn/reviews/")
    chen.shot("reviews")
    page.locator(".queue__one").get_by_role("button", name="Review").click()
    video = page.locator("[data-film=this] video")
    expect(video).to_have_js_property("readyState", 4, timeout=60_000)
    for number, text in enumerate(comments):
        page.get_by_role("slider", name="Place in the film").first.fill(str(1 + number))
        page.get_by_role("button", name="Comment here").click()
        page.keyboard.type(text)
        expect(page.locator("[data-save-state]")).to_contain_text("Saved at")
    page.locator("[data-words]").fill("Well begun." if verdict == "again" else "Now it sells.")
    expect(page.locator("[data-save-state]")).to_contain_text("Saved at")
    chen.shot(f"review-{verdict}")
    button = {"again": "Try again", "accepted": "Accept"}[verdict]
    page.get_by_role("button", name=button, exact=True).click()
    page.locator("[data-confirm-send]").dblclick()
    expect(page.locator("[data-sent]")).to_be_visible()


def wang_reads_what_to_do_better(wang: Visitor) -> None:
    page = wang.open("/learn/courses/")
    page.locator("a[href^='/learn/reviews/']").first.click()
    page.wait_for_url("**/learn/reviews/**")  # with its script: what is tapped before it is lost
    moments = page.locator("[data-jump]:not([data-acts] *)")
    expect(moments).to_have_count(2)
    moments.nth(1).click()
    video = page.locator("[data-film=this] video")
    eventually(lambda: abs(video_time(video) - 2) < 0.5, within_s=20, what="the second comment")
    wang.shot("review-read")
    page.get_by_role("link", name="Practise again").click()


def wang_takes_her_badge(wang: Visitor, course: str) -> str:
    page = wang.open("/learn/certificates/")
    page.locator("main ul.list a").first.click()
    page.wait_for_url("**/verify/**")
    page.locator("[data-choose] button").click()
    expect(page.locator(".certificate__actions a[download]")).to_be_visible()
    expect(page.locator("[data-go-live]")).to_contain_text("You may go live now")
    wang.shot("certificate-badge")
    return path_of(page)


def the_badge_holds_without_our_code(url: str, certificate: str) -> None:
    """By `jwcrypto`, the published keys, and the schema of Open Badges 3.0."""
    token = httpx.get(f"{url}{certificate}badge.jwt").raise_for_status().text
    signed = jws.JWS()
    signed.deserialize(token.strip())
    keys = jwk.JWKSet.from_json(httpx.get(f"{url}/badges/jwks.json").raise_for_status().text)
    [key] = keys["keys"]
    signed.verify(key)
    claims: dict[str, Any] = json.loads(signed.payload)
    jsonschema.Draft201909Validator(json.loads(SCHEMA.read_text())).validate(claims)
    changed = signed.serialize(compact=True).split(".")
    changed[1] = changed[1][:-2] + ("AA" if changed[1][-2:] != "AA" else "BB")
    forged = jws.JWS()
    forged.deserialize(".".join(changed))
    with pytest.raises(jws.InvalidJWSSignature):
        forged.verify(key)


def wang_goes_live(wang: Visitor, li: Visitor) -> None:
    console = _a_show(wang, "Honey of our own bees")
    page = wang.page
    expect(page.locator("#go-live")).to_be_enabled()
    page.locator("#go-live").click()
    if (early := page.locator("#early-yes")).is_visible():
        early.click()
    expect(page.locator("#end-show")).to_be_visible(timeout=30_000)
    room = li.open(console.replace("/studio", ""))
    expect(room.locator("#live-badge")).to_be_visible()
    assert_plays(room.locator("#video"))
    wang.shot("first-live")
    page.click("#end-show")
    page.click("#end-yes")
