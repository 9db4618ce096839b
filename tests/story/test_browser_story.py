"""The whole product in one afternoon, seen by the people who use it, told twice.

Zhang hosts from a phone whose network breaks, Li watches and buys, Wang learns from what was sold;
each in a browser of their own, against a server on an empty data folder. Once it is in English on
http://localhost; once in Chinese by HTTPS on a name in the local network, where people have a phone
number, and the host an invitation on paper (`telling.py`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.story.browser import Visitor, assert_plays, eventually, path_of, video_time
from tests.story.film import Film
from tests.story.telling import Telling, in_chinese, in_english

pytestmark = [pytest.mark.browser, pytest.mark.ffmpeg]

KEPT = (
    "Waiting for the network. %s second is kept on this device and sent when it is back.",
    "Waiting for the network. %s seconds are kept on this device and sent when it is back.",
)


@pytest.fixture(params=[in_english, in_chinese])
def told(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Telling]:
    with request.param(tmp_path) as telling:
        yield telling


def test_a_camera_goes_in_and_a_sale_and_a_certificate_come_out(told: Telling) -> None:
    zhang = told.visitor(told.host_url)
    li, wang = told.visitor(), told.visitor()
    film = Film(zhang)
    console = zhang_goes_live(told, zhang)
    film.note("on air")
    show_path = console.replace("/studio", "")
    li_watches_without_an_account(told, li, show_path)
    zhangs_network_breaks(told, zhang, li, film)
    li_signs_in_to_chat(told, li, zhang, film)
    li_buys_what_zhang_pins(told, li, zhang, film)
    li_is_told_what_cannot_be_done(told, li)
    zhang_sends_the_order(told, zhang, li, console)
    film.note("end")
    zhang_ends_the_show(zhang)
    li_sees_the_replay_at_the_moment_of_the_pin(told, li, film)
    course = zhang_makes_a_lesson(told, zhang, console)
    certificate = wang_learns(told, wang, course)
    anybody_can_verify(told, told.visitor(), certificate)
    look_at_the_remaining_pages(zhang, li, wang)
    for person in (zhang, li, wang):
        assert person.faults == []


def zhang_goes_live(told: Telling, zhang: Visitor) -> str:
    told.host_comes_in(zhang)
    zhang.shot("studio")
    page = zhang.open("/studio/shows/new/")
    page.fill("[name=title]", told.names.show)
    zhang.shot("studio-schedule")
    page.locator(".schedule-form button[type=submit]").click()
    zhang.shot("studio-scheduled")
    page.locator("#to-camera").click()
    go_live = page.locator("#go-live")
    expect(go_live).to_be_enabled()
    assert_plays(page.locator("#preview"))
    zhang.shot("console-before")
    go_live.click()
    page.locator("#early-yes").click()  # half an hour before the time that was said
    expect(page.locator("#end-show")).to_be_visible()
    return path_of(page)


def li_watches_without_an_account(told: Telling, li: Visitor, show_path: str) -> None:
    page = li.open("/")
    expect(page.get_by_text(told.names.show).first).to_be_visible()
    li.shot("home-live")
    li.open(show_path)
    expect(page.locator("#live-badge")).to_be_visible()
    assert_plays(page.locator("#video"))


def zhangs_network_breaks(told: Telling, zhang: Visitor, li: Visitor, film: Film) -> None:
    """What is filmed meanwhile is kept, and sent once there is a network again."""
    badge, say = zhang.page.locator("#air-badge"), told.say
    expect(badge).to_have_text(say("Live"))
    told.network.down()
    expect(badge).to_have_text(say("No network"))
    film.note("no network")
    expect(li.page.locator("#status")).to_contain_text(say("The picture will be back in a moment"))
    expect(zhang.page.locator("#status")).to_have_text(say.count(*KEPT, 4) % 4)
    told.network.up()
    expect(badge).to_have_text(say("Live"))
    expect(li.page.locator("#live-badge")).to_be_visible()
    assert_plays(li.page.locator("#video"))


def li_signs_in_to_chat(told: Telling, li: Visitor, zhang: Visitor, film: Film) -> None:
    page = li.page
    page.fill("#say", told.names.question)
    page.press("#say", "Enter")
    page.locator("#say-error a").click()
    page.wait_for_url("**/accounts/login/**")
    told.fill_in_sign_in(li, "li")
    page.wait_for_url("**/shows/**")
    expect(page.locator("#say")).to_have_value(told.names.question)
    film.note("question")
    page.press("#say", "Enter")
    expect(page.locator("#chat")).to_contain_text(told.names.question)
    expect(zhang.page.locator("#chat-lines")).to_contain_text(told.names.question)


def li_buys_what_zhang_pins(told: Telling, li: Visitor, zhang: Visitor, film: Film) -> None:
    zhang.page.click("#tab-products")
    apples = zhang.page.locator("#offers li").filter(has_text=told.names.apples)
    film.note("pin")
    apples.locator("[aria-pressed=false]").click()
    pinned = li.page.locator("#pinned")
    expect(pinned).to_contain_text(told.names.apples)
    expect(pinned).to_contain_text(told.say("%s left") % told.boxes(40))
    assert_plays(li.page.locator("#video"))
    li.shot("room-live")
    zhang.shot("console-live")
    pinned.locator("[data-buy]").click()
    form = li.page.locator("#order-form")
    form.locator("#more").click()
    form.locator("[name=name]").fill(told.names.recipient)
    form.locator("[name=phone]").fill("13800001111")
    form.locator("[name=address]").fill(told.names.address)
    li.shot("order-sheet")
    form.locator("#order-submit").dblclick()
    expect(li.page.locator("#ticker")).to_contain_text(f"{told.names.li[0]}**")
    expect(li.page.locator("#order-done")).to_be_visible()
    li.shot("order-done")
    li.page.locator("#order-done [data-close]").click()
    expect(pinned).to_contain_text(told.say("%s left") % told.boxes(38))
    expect(apples).to_contain_text("38")
    zhang.page.click("#tab-orders")
    expect(zhang.page.locator("#orders li")).to_have_count(1)
    zhang.shot("console-orders")


def li_is_told_what_cannot_be_done(told: Telling, li: Visitor) -> None:
    """Too many are refused in words before anything is ordered; the address is there again."""
    li.page.locator("#pinned").locator("[data-buy]").click()
    form = li.page.locator("#order-form")
    expect(form.locator("[name=address]")).to_have_value(told.names.address)
    form.locator("[name=quantity]").fill("39")
    form.locator("#order-submit").click()
    expect(
        form.get_by_text(
            told.say.count("Only %s is left.", "Only %s are left.", 38) % told.boxes(38)
        )
    ).to_be_visible()
    li.shot("order-refused")
    for impossible in ("0", "-3", "1.5", ""):
        form.locator("[name=quantity]").fill(impossible)
        form.locator("#order-submit").click()
        expect(
            form.get_by_text(told.say("Please write a whole number, 1 or more."))
        ).to_be_visible()
    li.page.locator("#order-sheet [data-close]").first.click()
    expect(li.page.locator("#pinned")).to_contain_text(told.say("%s left") % told.boxes(38))


def zhang_sends_the_order(told: Telling, zhang: Visitor, li: Visitor, console: str) -> None:
    page = zhang.page
    page.locator("#orders li").get_by_role("button", name=told.say("Packed")).click()
    expect(page.locator("#orders li")).to_contain_text(told.say("packed"))
    orders = zhang.context.new_page()
    for state, step in (("packed", "sent"), ("sent", "delivered")):
        orders.goto(f"{zhang.url}/studio/orders/?state={state}")
        orders.locator(f"button[name=to][value={step}]").click()
        orders.wait_for_load_state()
    orders.close()
    bought = li.context.new_page()
    bought.goto(f"{li.url}/orders/")
    expect(bought.locator("main")).to_contain_text(told.names.apples)
    expect(bought.locator("main")).to_contain_text(re.compile(told.say("delivered"), re.IGNORECASE))
    bought.close()
    assert path_of(page) == console


def zhang_ends_the_show(zhang: Visitor) -> None:
    page = zhang.page
    page.click("#end-show")
    page.click("#end-yes")
    expect(page.locator("#replay")).to_be_visible(timeout=30_000)


def li_sees_the_replay_at_the_moment_of_the_pin(told: Telling, li: Visitor, film: Film) -> None:
    page = li.page
    video = page.locator("#video")
    expect(page.locator(".room__replay-badge")).to_be_visible(timeout=30_000)
    apples = page.locator("#shelf li").filter(has_text=told.names.apples)
    chapter = apples.locator("[data-second]")
    expect(chapter).to_be_visible()
    moment_s = float(chapter.get_attribute("data-second") or "nan")
    chapter.click()
    eventually(
        lambda: abs(video_time(video) - moment_s) < 2, within_s=15, what="the jump to the pin"
    )
    assert_plays(video)
    expect(page.locator("#chat")).to_contain_text(told.names.question)
    li.shot("replay")
    the_replay_is_what_was_filmed(told, page, film, pinned_s=moment_s)


def the_replay_is_what_was_filmed(
    told: Telling, page: Page, film: Film, *, pinned_s: float
) -> None:
    """All of it, and everything at the second at which it happened."""
    video = page.locator("#video")
    begin_s = pinned_s - film.between_s("on air", "pin")
    lasts_s = float(video.evaluate("video => video.duration"))
    assert lasts_s == pytest.approx(begin_s + film.between_s("on air", "end"), abs=3)
    film.assert_shows(video, pinned_s, "pin")
    asked_s = begin_s + film.between_s("on air", "question")
    film.assert_shows(video, begin_s + film.between_s("on air", "no network") + 2, "no network", 2)
    film.assert_shows(video, asked_s - 2, "question", -2)
    expect(page.locator("#chat")).not_to_contain_text(told.names.question)
    film.assert_shows(video, asked_s + 2, "question", 2)
    expect(page.locator("#chat")).to_contain_text(told.names.question)


def zhang_makes_a_lesson(told: Telling, zhang: Visitor, console: str) -> str:
    page = zhang.open(console)
    assert_ready_to_cut(page)
    page.fill("#start", "1")
    page.fill("#end", "6.5")
    page.fill("#clip-title", told.names.clip)
    zhang.shot("replay-cutter")
    page.click("#make")
    add = page.get_by_role("button", name=told.say("Add to a course"))
    expect(add).to_be_visible(timeout=90_000)
    add.click()
    page.locator("#consent-box").check()
    page.locator("#consent-yes").click()
    page.fill("#new-course", told.names.course)
    page.locator("#course-form button[type=submit]").click()
    page.get_by_role("link", name=told.say("Open the lesson")).click()
    page.wait_for_url("**/learn/**")
    course = "/".join(path_of(page).split("/")[:3]) + "/"
    zhang.open(f"{course}edit/")
    zhang.shot("course-edit")
    page.locator("button[name=do][value=publish]").click()
    page.wait_for_load_state()
    return course


def assert_ready_to_cut(page: Page) -> None:
    expect(page.locator("#replay")).to_be_visible()
    eventually(
        lambda: float(page.locator("#replay").evaluate("video => video.duration || 0")) > 6.5,
        within_s=20,
        what="a replay long enough to cut from",
    )


def wang_learns(told: Telling, wang: Visitor, course: str) -> str:
    told.signs_in(wang, "wang")
    page = wang.open("/learn/")
    expect(page.locator("main")).to_contain_text(told.names.course)
    wang.shot("learn")
    wang.open(course)
    wang.shot("course")
    page.locator("main form button").first.click()
    page.wait_for_url("**/learn/*/*/**")
    video = page.locator("video")
    size = video.evaluate(
        "v => new Promise(done => v.videoWidth ? done([v.videoWidth, v.videoHeight])"
        " : v.onloadedmetadata = () => done([v.videoWidth, v.videoHeight]))"
    )
    assert size[0] < size[1], "a lesson is vertical"
    video.evaluate("video => { video.muted = true; return video.play(); }")
    assert_plays(video)
    wang.shot("lesson")
    celebrate = page.locator("[data-celebrate-link]")
    expect(celebrate).to_be_visible(timeout=60_000)
    wang.shot("lesson-done")
    celebrate.click()
    page.wait_for_url("**/verify/**")
    page.locator("[data-choose] button").click()
    expect(page.locator(".certificate__actions a[download]")).to_be_visible()
    return path_of(page)


def anybody_can_verify(told: Telling, anybody: Visitor, certificate: str) -> None:
    page = anybody.open(certificate)
    expect(page.locator("[data-verdict=valid]")).to_be_visible()
    expect(page.locator("main")).to_contain_text(told.names.wang)
    expect(page.locator("main")).to_contain_text(told.names.course)
    anybody.shot("certificate")


def look_at_the_remaining_pages(zhang: Visitor, li: Visitor, wang: Visitor) -> None:
    for visitor, path, name in (
        (li, "/", "home"),
        (li, "/orders/", "orders"),
        (li, "/nowhere/", "not-found"),
        (zhang, "/studio/orders/", "studio-orders"),
        (zhang, "/studio/products/", "studio-products"),
        (zhang, "/studio/", "studio-after"),
        (wang, "/learn/certificates/", "certificates"),
        (wang, "/studio/", "studio-not-a-host"),
    ):
        visitor.open(path)
        visitor.shot(name)
