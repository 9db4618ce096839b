"""From an ended show to a published course: ticked proposals, with what they sold."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client

from core.accounts.models import User
from core.ids import new_id
from courses import handlers
from courses.models import ClipSource, Course, CourseState
from courses.services import authoring, editions, sources
from media_pipeline.clip_wishes import Wish
from media_pipeline.events import ClipReady
from media_pipeline.models import Asset, AssetState, Consent, Recording
from media_pipeline.services import consents
from orders.models import OrderLine
from streams.models import Show, ShowState
from tests.courses.conftest import MakeClip, titles
from tests.streams.highlights.test_desk import half_an_hour
from tests.world import World


def as_person(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def show(world: World) -> Show:
    half_an_hour(world)
    return world.show


def page_of(show: Show) -> str:
    return f"/learn/from/{show.public_id}/"


def filled(client: Client, show: Show, **changes: str) -> dict[str, Any]:
    """What the page's form says as it is served, with `changes`."""
    html = client.get(page_of(show)).content.decode().split("<template")[0]
    html += client.get(page_of(show)).content.decode().split("</template>")[1]
    fields: dict[str, Any] = {"row": []}
    for tag in re.findall(r"<input[^>]*>", html):
        named, value = re.search(r'name="([^"]+)"', tag), re.search(r'value="([^"]*)"', tag)
        if named is None or ("checkbox" in tag and "checked" not in tag):
            continue
        if named[1] == "row":
            fields["row"].append(value[1] if value else "")
        else:
            fields[named[1]] = value[1] if value else ""
    return {**fields, "do": "publish", "agree": consents.VERSION, "language": "en", **changes}


def ready(clip: Asset) -> None:
    """As the job does when it has cut the clip."""
    Asset.objects.filter(pk=clip.pk).update(
        state=AssetState.READY, duration_s=30, download_key="private/clips/x/clip.mp4"
    )
    fact = ClipReady(clip.recording.show_id, clip.recording.public_id, clip.public_id)
    handlers.lesson_ready(fact, new_id())


def test_the_page_proposes_what_sold_with_its_reasons(world: World, show: Show) -> None:
    html = as_person(world.zhang).get(page_of(show)).content.decode()
    assert 'value="How to sell: Snow pears, 3 kg box"' in html
    assert "9 questions, mostly about weight and size" in html
    assert re.search(r'name="pick-0"[^>]*checked', html)


def test_three_clicks_make_a_course_that_publishes_itself(world: World, show: Show) -> None:
    """The button in the studio, the box, and "Publish": all else is prefilled."""
    zhang = as_person(world.zhang)
    studio = zhang.get(f"/studio/shows/{show.public_id}/").content.decode()
    assert f'href="{page_of(show)}"' in studio
    answer = zhang.post(page_of(show), filled(zhang, show))
    course = Course.objects.get()
    assert answer["Location"] == f"/learn/{course.public_id}/edit/"
    assert (course.title, course.state) == (show.title, CourseState.DRAFT)
    [lesson] = course.lessons.all()
    assert Consent.objects.get(clip=lesson.asset).given_by == world.zhang
    assert lesson.asset.wish["parts"] == [[lesson.asset.start_s, lesson.asset.end_s]]
    ready(lesson.asset)
    course.refresh_from_db()
    assert course.state == CourseState.PUBLISHED


def test_what_sold_stays_with_the_clip(world: World, show: Show) -> None:
    zhang = as_person(world.zhang)
    zhang.post(page_of(show), filled(zhang, show, **{"lot-0": "Plot 3, 12 October"}))
    source = ClipSource.objects.get()
    assert (source.product, source.lot) == ("Snow pears, 3 kg box", "Plot 3, 12 October")
    assert source.variant_id == world.pears.public_id
    assert (source.seller_name, source.place) == ("Zhang's orchard", "Lixian")
    assert source.orders >= 11
    assert source.pieces >= 11
    assert source.sold_minor >= 11 * world.pear_offer.price_minor
    assert source.evidence["questions"] == 9
    html = zhang.get(f"/learn/{Course.objects.get().public_id}/edit/").content.decode()
    assert "Plot 3, 12 October" in html
    assert "9 questions, mostly about weight and size" in html


def test_two_courses_may_take_a_clip_at_the_same_moment(
    world: World, show: Show, monkeypatch: pytest.MonkeyPatch
) -> None:
    zhang = as_person(world.zhang)
    zhang.post(page_of(show), filled(zhang, show))
    clip = ClipSource.objects.get().asset
    ClipSource.objects.all().delete()
    first, counted = sources.ShowSales(show), sources.ShowSales._evidence

    def slowly(sales: sources.ShowSales, wish: Wish) -> dict[str, object]:
        if sales is first:
            sources.ShowSales(show).keep(clip)
        return counted(sales, wish)

    monkeypatch.setattr(sources.ShowSales, "_evidence", slowly)
    assert first.keep(clip) == ClipSource.objects.get()


def test_parts_are_trimmed_ordered_and_titled(world: World, show: Show) -> None:
    zhang = as_person(world.zhang)
    typed = {"pick-7": "1", "title-7": "First", "start_s-7": "1:00", "end_s-7": "1：30.5"}
    fields = filled(zhang, show, **typed, **{"title-0": "Second"})
    fields["row"] = ["7", "0"]
    zhang.post(page_of(show), fields)
    course = Course.objects.get()
    assert titles(course) == ["First", "Second"]
    first = course.lessons.get(title="First").asset
    assert (first.start_s, first.end_s) == (60, 90.5)


def test_sent_twice_it_makes_one_course(world: World, show: Show) -> None:
    zhang = as_person(world.zhang)
    fields = filled(zhang, show)
    first, second = (zhang.post(page_of(show), fields)["Location"] for _tap in range(2))
    assert first == second
    assert (Course.objects.count(), Asset.objects.count()) == (1, 1)


def test_a_draft_waits_for_its_maker(world: World, show: Show) -> None:
    zhang = as_person(world.zhang)
    zhang.post(page_of(show), filled(zhang, show, do="draft"))
    ready(Asset.objects.get())
    assert Course.objects.get().is_draft


def test_lessons_are_added_to_a_course_that_is_there(world: World, show: Show) -> None:
    zhang = as_person(world.zhang)
    course = authoring.create_course(author=world.zhang, title="Pears")
    into = f"{page_of(show)}?course={course.public_id}"
    for _tap in range(2):
        zhang.post(into, filled(zhang, show, do="add"))
    assert titles(course) == ["How to sell: Snow pears, 3 kg box"]


def test_a_clip_that_fails_keeps_the_course_back_until_it_is_taken_out(
    world: World, make_clip: MakeClip
) -> None:
    course = authoring.create_course(author=world.zhang, title="Pears")
    good, bad = (
        authoring.add_lesson(course, make_clip(state=AssetState.WAITING), title)
        for title in ("Good", "Bad")
    )
    assert not editions.publish_soon(course)
    Asset.objects.filter(pk=bad.asset_id).update(state=AssetState.FAILED)
    ready(good.asset)
    course.refresh_from_db()
    assert course.is_draft
    authoring.remove_lesson(bad)
    course.refresh_from_db()
    assert not course.is_draft


@pytest.mark.parametrize(
    ("changes", "field", "said"),
    [
        ({"agree": ""}, "agree", "Tick the box"),
        ({"agree": "1999-01"}, "version", "wording has changed"),
        ({"title": " "}, "title", "fill this in"),
        ({"title-0": ""}, "title.0", "fill this in"),
        ({"title-0": "x" * 121}, "title.0", "at most"),
        ({"start_s-0": "soon"}, "start_s.0", "minutes and seconds"),
        ({"start_s-0": "1e9"}, "start_s.0", "minutes and seconds"),
        ({"start_s-0": "-5"}, "start_s.0", "minutes and seconds"),
        ({"start_s-0": "0:01", "end_s-0": "10:00"}, "end_s.0", "three minutes"),
        ({"end_s-0": "99:99:99"}, "end_s.0", "inside the recording"),
        ({"lot-0": "x" * 81}, "lot.0", "at most"),
        ({"row": "nonsense"}, "picks", "Tick at least one"),
        ({"edition": "2"}, "", "changed since"),
        ({"edition": "x"}, "edition", "reload"),
        ({"course_language": "klingon!"}, "language", "short code"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_what_cannot_be_is_said_and_nothing_is_made(
    world: World, show: Show, changes: dict[str, str], field: str, said: str
) -> None:
    zhang = as_person(world.zhang)
    answer = zhang.post(page_of(show), filled(zhang, show, **changes))
    assert answer.status_code in {409, 422}
    assert said in answer.content.decode()
    if field:
        assert answer.context["error"].field == field
    made = (Course.objects.count(), Asset.objects.count(), Consent.objects.count())
    assert made == (0, 0, 0)
    if typed := changes.get("title-0"):
        assert f'value="{typed}"' in answer.content.decode()


def test_too_many_at_once_are_refused(world: World, show: Show) -> None:
    zhang = as_person(world.zhang)
    fields = filled(zhang, show)
    for n in range(21):
        part = {"pick": "1", "title": str(n), "start_s": str(20 * n), "end_s": str(20 * n + 9)}
        fields |= {f"{name}-{n}": value for name, value in part.items()}
    fields["row"] = [str(n) for n in range(21)]
    answer = zhang.post(page_of(show), fields)
    assert (answer.status_code, Asset.objects.count()) == (422, 0)


def test_an_operator_sees_it_and_cannot_agree_for_the_seller(world: World, show: Show) -> None:
    zhao = as_person(world.zhao)
    html = zhao.get(page_of(show)).content.decode()
    assert "only the seller's own people" in html
    fields = filled(as_person(world.zhang), show)
    assert zhao.post(page_of(show), fields).status_code == 403
    assert not Asset.objects.exists()


@pytest.mark.parametrize(("person", "status"), [("gao", 403), ("wang", 403), ("chen", 403)])
def test_others_make_nothing_of_it(world: World, show: Show, person: str, status: int) -> None:
    client = as_person(getattr(world, person))
    assert client.get(page_of(show)).status_code == status
    assert client.post(page_of(show), filled(as_person(world.zhang), show)).status_code == status
    assert not Course.objects.exists()


def test_a_rehearsal_or_a_practice_is_no_show_to_cut(world: World, show: Show) -> None:
    for name in ("is_rehearsal", "is_practice"):
        Show.objects.update(is_rehearsal=False, is_practice=False)
        Show.objects.update(**{name: True})
        assert as_person(world.zhang).get(page_of(show)).status_code in {403, 404}


def test_a_show_without_a_replay_says_so(world: World) -> None:
    Show.objects.update(state=ShowState.ENDED)
    html = as_person(world.zhang).get(page_of(world.show)).content.decode()
    assert "There is no replay to cut" in html


def test_a_short_film_is_proposed_whole(world: World, show: Show) -> None:
    """What somebody brought from a gallery has no orders to go by."""
    OrderLine.objects.all().delete()
    Recording.objects.update(duration_s=90)
    html = as_person(world.zhang).get(page_of(show)).content.decode()
    assert 'value="1:30.0"' in html
