"""What comes in the feed, and to whom."""

from __future__ import annotations

import json

import pytest
from django.contrib.auth.models import AnonymousUser
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from core.accounts.access import AnyUser
from core.accounts.models import User
from courses.feed import feed
from courses.models import Course, Enrolment, Lesson
from courses.services import authoring, learning
from media_pipeline.captions import tracks
from media_pipeline.captions.cues import cue
from media_pipeline.models import Asset, Recording, Rendition
from tests.courses.conftest import MakeClip
from tests.courses.test_api import as_person
from tests.world import World


def titles(user: AnyUser) -> list[str]:
    return [one.lesson.title for one in feed(user)]


@pytest.fixture
def other(world: World, make_clip: MakeClip) -> Course:
    course = authoring.create_course(author=world.chen, title="Pears on camera")
    for title in ("Pruning", "Pricing"):
        authoring.add_lesson(course, make_clip(title), title)
    authoring.publish(course)
    return course


def test_what_is_to_do_comes_first_and_then_a_taste_of_the_rest(
    world: World, enrolment: Enrolment, other: Course, picking: Lesson
) -> None:
    assert titles(world.wang) == ["Picking", "Packing", "Pruning"]
    learning.report_watched(enrolment, picking, [(0, 20)])
    assert titles(world.wang) == ["Packing", "Pruning"]


def test_several_courses_go_on_by_turns(world: World, enrolment: Enrolment, other: Course) -> None:
    learning.enrol(world.wang, other)
    assert titles(world.wang) == ["Pruning", "Picking", "Pricing", "Packing"]


def test_visitors_taste_what_everybody_could_see_in_its_show(course: Course, other: Course) -> None:
    Asset.objects.filter(title="Pruning").update(is_public=False)
    assert titles(AnonymousUser()) == ["Picking"]


def test_a_lesson_that_is_taken_back_is_in_no_feed(world: World, course: Course) -> None:
    Asset.objects.filter(title="Picking").update(consented_at=None)
    assert titles(world.wang) == ["Packing"]


def test_the_first_one_begins_with_its_small_film(world: World, course: Course) -> None:
    asset = Asset.objects.get(title="Picking")
    key = f"private/clips/{asset.public_id}/light-1/light.mp4"
    size = {"width": 288, "height": 512, "bits_per_second": 200_000, "duration_s": 20}
    Rendition.objects.create(asset=asset, name="light", key=key, video_codec="h264", **size)
    html = as_person(world.wang).get("/learn/").content.decode()
    assert "light-1/light.mp4" in html
    assert html.count(" autoplay ") == 1


def test_nobody_joins_by_looking(world: World, course: Course) -> None:
    html = as_person(world.wang).get(reverse("learn")).content.decode()
    assert "data-join" in html
    assert not Enrolment.objects.exists()
    assert "Sign in and go on" in Client().get(reverse("learn")).content.decode()


@pytest.fixture
def said(course: Course) -> None:
    """What is said in the recording of both clips, in two languages."""
    Asset.objects.update(wish={"parts": [[0, 20]]})
    recording = Asset.objects.get(title="Picking").recording
    Recording.objects.update(duration_s=20)
    for language, text in (("en", "Cut the stalk."), ("zh", "剪断果梗。")):
        rows = tracks.rows([cue(0, 20_000, text)])
        recording.caption_tracks.create(language=language, cues=rows)


def read(user: User, lesson: Lesson, path: str = "captions") -> HttpResponse:
    answer: HttpResponse = as_person(user).get(f"/api/v1/lessons/{lesson.public_id}/{path}")
    return answer


@pytest.mark.usefixtures("said")
def test_a_lesson_is_read_in_two_languages_by_who_joined(
    world: World, enrolment: Enrolment, packing: Lesson
) -> None:
    languages = json.loads(read(world.wang, packing).content)
    assert [(one["language"], one["name"]) for one in languages] == [
        ("en", "English"),
        ("zh", "中文"),
    ]
    vtt = as_person(world.wang).get(languages[1]["url"])
    assert "剪断果梗。" in vtt.content.decode()


@pytest.mark.usefixtures("said")
def test_a_taste_is_read_as_well_and_the_rest_only_after_joining(
    world: World, picking: Lesson, packing: Lesson
) -> None:
    assert read(world.wang, picking).status_code == 200
    assert "Cut the stalk." in read(world.wang, picking, "captions/en.vtt").content.decode()
    for path in ("captions", "captions/en.vtt"):
        assert read(world.wang, packing, path).status_code == 409
    assert Client().get(f"/api/v1/lessons/{picking.public_id}/captions").status_code == 401


@pytest.mark.usefixtures("said")
def test_a_draft_gives_nobody_a_taste(world: World, draft: Course) -> None:
    lesson = draft.lessons.order_by("id")[0]
    assert read(world.wang, lesson).status_code == 404


def test_nothing_of_captions_and_speed_comes_with_the_page(
    world: World, enrolment: Enrolment, said: None
) -> None:
    html = as_person(world.wang).get("/learn/").content.decode()
    assert "captions" not in html
    assert "feed-extras" not in html
