"""The whole product in one afternoon, seen by the people who use it.

Zhang hosts from a phone whose network breaks, Li watches and buys, Wang learns from what was sold;
each in a browser of their own, against a server on an empty data folder.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.server import Server, running_instance
from tests.story.browser import Visitor, assert_plays, chromium, eventually, path_of, video_time
from tests.story.film import Film
from tests.streams.test_studio_browser import Network, network_to

pytestmark = [pytest.mark.browser, pytest.mark.ffmpeg]

COURSE = "Selling apples live"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running_instance(tmp_path_factory.mktemp("story")) as running:
        yield running


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as running:
        yield running


def test_a_camera_goes_in_and_a_sale_and_a_certificate_come_out(
    server: Server, browser: Browser
) -> None:
    with network_to(server) as network:
        zhang = Visitor(browser, network.url)
        li, wang = (Visitor(browser, server.url) for _ in range(2))
        film = Film(zhang)
        console = zhang_goes_live(zhang)
        film.note("on air")
        show_path = console.replace("/studio", "")
        li_watches_without_an_account(li, show_path)
        zhangs_network_breaks(zhang, li, network, film)
        li_signs_in_to_chat(li, zhang, film)
        li_buys_what_zhang_pins(li, zhang, film)
        li_is_told_what_cannot_be_done(li)
        zhang_sends_the_order(zhang, li, console)
        film.note("end")
        zhang_ends_the_show(zhang)
        li_sees_the_replay_at_the_moment_of_the_pin(li, film)
        course = zhang_makes_a_lesson(zhang, console)
        certificate = wang_learns(wang, course)
        anybody_can_verify(Visitor(browser, server.url), certificate)
        look_at_the_remaining_pages(zhang, li, wang)
        for person in (zhang, li, wang):
            assert person.faults == []


def zhang_goes_live(zhang: Visitor) -> str:
    zhang.open("/accounts/login/")
    zhang.shot("sign-in")
    zhang.sign_in("zhang")
    page = zhang.open("/studio/")
    zhang.shot("studio")
    page.get_by_role("link", name=re.compile("Apples straight from the tree")).first.click()
    page.wait_for_url("**/studio/shows/*/")
    go_live = page.locator("#go-live")
    expect(go_live).to_be_enabled()
    assert_plays(page.locator("#preview"))
    zhang.shot("console-before")
    go_live.click()
    expect(page.locator("#end-show")).to_be_visible(timeout=20_000)
    return path_of(page)


def li_watches_without_an_account(li: Visitor, show_path: str) -> None:
    page = li.open("/")
    expect(page.get_by_text("Apples straight from the tree").first).to_be_visible()
    li.shot("home-live")
    li.open(show_path)
    expect(page.locator("#live-badge")).to_be_visible()
    assert_plays(page.locator("#video"))


def zhangs_network_breaks(zhang: Visitor, li: Visitor, network: Network, film: Film) -> None:
    """What is filmed meanwhile is kept, and sent once there is a network again."""
    badge = zhang.page.locator("#air-badge")
    expect(badge).to_have_text("Live")
    network.down()
    expect(badge).to_have_text("No network")
    film.note("no network")
    expect(li.page.locator("#status")).to_contain_text("The picture will be back")
    expect(zhang.page.locator("#status")).to_contain_text("4 seconds are kept on this device")
    network.up()
    expect(badge).to_have_text("Live")
    expect(li.page.locator("#live-badge")).to_be_visible(timeout=20_000)
    assert_plays(li.page.locator("#video"))


def li_signs_in_to_chat(li: Visitor, zhang: Visitor, film: Film) -> None:
    page = li.page
    page.fill("#say", "How heavy is a box?")
    page.press("#say", "Enter")
    page.locator("#say-error").get_by_role("link", name="Sign in").click()
    page.wait_for_url("**/accounts/login/**")
    li.fill_in_sign_in("li")
    page.wait_for_url("**/shows/**")
    expect(page.locator("#say")).to_have_value("How heavy is a box?")
    film.note("question")
    page.press("#say", "Enter")
    expect(page.locator("#chat")).to_contain_text("How heavy is a box?")
    expect(zhang.page.locator("#chat-lines")).to_contain_text("How heavy is a box?")


def li_buys_what_zhang_pins(li: Visitor, zhang: Visitor, film: Film) -> None:
    zhang.page.click("#tab-products")
    apples = zhang.page.locator("#offers li").filter(has_text="Huaniu apples")
    film.note("pin")
    apples.get_by_role("button", name=re.compile("Pin")).click()
    pinned = li.page.locator("#pinned")
    expect(pinned).to_contain_text("Huaniu apples")
    expect(pinned).to_contain_text("40 boxes left")
    assert_plays(li.page.locator("#video"))
    li.shot("room-live")
    zhang.shot("console-live")
    pinned.get_by_role("button", name="Buy").click()
    form = li.page.locator("#order-form")
    form.locator("#more").click()
    form.locator("[name=name]").fill("Li Na")
    form.locator("[name=phone]").fill("13800001111")
    form.locator("[name=address]").fill("18 Binhe Road, Lanzhou")
    li.shot("order-sheet")
    form.locator("#order-submit").dblclick()
    expect(li.page.locator("#ticker")).to_contain_text("L**")
    expect(li.page.locator("#order-done")).to_be_visible()
    li.shot("order-done")
    li.page.locator("#order-done [data-close]").click()
    expect(pinned).to_contain_text("38 boxes left")
    expect(apples).to_contain_text("38")
    zhang.page.click("#tab-orders")
    expect(zhang.page.locator("#orders li")).to_have_count(1)
    zhang.shot("console-orders")


def li_is_told_what_cannot_be_done(li: Visitor) -> None:
    """Too many are refused in words before anything is ordered; the address is there again."""
    li.page.locator("#pinned").get_by_role("button", name="Buy").click()
    form = li.page.locator("#order-form")
    expect(form.locator("[name=address]")).to_have_value("18 Binhe Road, Lanzhou")
    form.locator("[name=quantity]").fill("39")
    form.locator("#order-submit").click()
    expect(form.get_by_text("Only 38 boxes are left.")).to_be_visible()
    li.shot("order-refused")
    for impossible in ("0", "-3", "1.5", ""):
        form.locator("[name=quantity]").fill(impossible)
        form.locator("#order-submit").click()
        expect(form.get_by_text("Please write a whole number, 1 or more.")).to_be_visible()
    li.page.locator("#order-sheet [data-close]").first.click()
    expect(li.page.locator("#pinned")).to_contain_text("38 boxes left")


def zhang_sends_the_order(zhang: Visitor, li: Visitor, console: str) -> None:
    page = zhang.page
    page.locator("#orders li").get_by_role("button", name=re.compile("Packed")).click()
    expect(page.locator("#orders li")).to_contain_text("packed")
    orders = zhang.context.new_page()
    for state, step in (("packed", "sent"), ("sent", "delivered")):
        orders.goto(f"{zhang.url}/studio/orders/?state={state}")
        orders.locator(f"button[name=to][value={step}]").click()
        orders.wait_for_load_state()
    orders.close()
    bought = li.context.new_page()
    bought.goto(f"{li.url}/orders/")
    expect(bought.locator("main")).to_contain_text("Huaniu apples")
    expect(bought.locator("main")).to_contain_text(re.compile("delivered", re.IGNORECASE))
    bought.close()
    assert path_of(page) == console


def zhang_ends_the_show(zhang: Visitor) -> None:
    page = zhang.page
    page.click("#end-show")
    page.click("#end-yes")
    expect(page.locator("#replay")).to_be_visible(timeout=30_000)


def li_sees_the_replay_at_the_moment_of_the_pin(li: Visitor, film: Film) -> None:
    page = li.page
    video = page.locator("#video")
    expect(page.locator(".room__replay-badge")).to_be_visible(timeout=30_000)
    apples = page.locator("#shelf li").filter(has_text="Huaniu apples")
    chapter = apples.get_by_role("button", name=re.compile("Play from"))
    expect(chapter).to_be_visible()
    moment_s = float(chapter.get_attribute("data-second") or "nan")
    chapter.click()
    eventually(
        lambda: abs(video_time(video) - moment_s) < 2, within_s=15, what="the jump to the pin"
    )
    assert_plays(video)
    expect(page.locator("#chat")).to_contain_text("How heavy is a box?")
    li.shot("replay")
    the_replay_is_what_was_filmed(page, film, pinned_s=moment_s)


def the_replay_is_what_was_filmed(page: Page, film: Film, *, pinned_s: float) -> None:
    """All of it, and everything at the second at which it happened."""
    video = page.locator("#video")
    begin_s = pinned_s - film.between_s("on air", "pin")
    lasts_s = float(video.evaluate("video => video.duration"))
    assert lasts_s == pytest.approx(begin_s + film.between_s("on air", "end"), abs=3)
    film.assert_shows(video, pinned_s, "pin")
    asked_s = begin_s + film.between_s("on air", "question")
    film.assert_shows(video, begin_s + film.between_s("on air", "no network") + 2, "no network", 2)
    film.assert_shows(video, asked_s - 2, "question", -2)
    expect(page.locator("#chat")).not_to_contain_text("How heavy is a box?")
    film.assert_shows(video, asked_s + 2, "question", 2)
    expect(page.locator("#chat")).to_contain_text("How heavy is a box?")


def zhang_makes_a_lesson(zhang: Visitor, console: str) -> str:
    page = zhang.open(console)
    assert_ready_to_cut(page)
    page.fill("#start", "1")
    page.fill("#end", "6.5")
    page.fill("#clip-title", "How to answer a question")
    zhang.shot("replay-cutter")
    page.click("#make")
    add = page.get_by_role("button", name="Add to a course")
    expect(add).to_be_visible(timeout=90_000)
    add.click()
    page.fill("#new-course", COURSE)
    page.locator("#course-form button[type=submit]").click()
    page.get_by_role("link", name="Open the lesson").click()
    page.wait_for_url("**/learn/**")
    course = "/".join(path_of(page).split("/")[:3]) + "/"
    zhang.open(f"{course}edit/")
    zhang.shot("course-edit")
    page.get_by_role("button", name=re.compile("Publish")).click()
    page.wait_for_load_state()
    return course


def assert_ready_to_cut(page: Page) -> None:
    expect(page.locator("#replay")).to_be_visible()
    eventually(
        lambda: float(page.locator("#replay").evaluate("video => video.duration || 0")) > 6.5,
        within_s=20,
        what="a replay long enough to cut from",
    )


def wang_learns(wang: Visitor, course: str) -> str:
    wang.sign_in("wang")
    page = wang.open("/learn/")
    expect(page.locator("main")).to_contain_text(COURSE)
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
    return path_of(page)


def anybody_can_verify(anybody: Visitor, certificate: str) -> None:
    page = anybody.open(certificate)
    expect(page.locator("[data-verdict=valid]")).to_be_visible()
    expect(page.locator("main")).to_contain_text("Wang")
    expect(page.locator("main")).to_contain_text(COURSE)
    anybody.shot("certificate")


def look_at_the_remaining_pages(zhang: Visitor, li: Visitor, wang: Visitor) -> None:
    for visitor, path, name in (
        (li, "/", "home"),
        (li, "/orders/", "orders"),
        (li, "/nowhere/", "not-found"),
        (zhang, "/studio/orders/", "studio-orders"),
        (zhang, "/studio/products/", "studio-products"),
        (zhang, "/studio/shows/new/", "studio-schedule"),
        (zhang, "/studio/", "studio-after"),
        (wang, "/learn/certificates/", "certificates"),
        (wang, "/studio/", "studio-not-a-host"),
    ):
        visitor.open(path)
        visitor.shot(name)
