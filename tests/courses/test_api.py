from __future__ import annotations

import json
import uuid
from typing import Any

import pytest
from django.test import Client

from core.accounts.models import User
from courses.models import Course, Enrolment, Lesson, Progress
from media_pipeline.models import AssetState
from tests.courses.conftest import MakeClip
from tests.world import World


def as_person(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def post(client: Client, path: str, body: object = None) -> Any:
    text = body if isinstance(body, str) else json.dumps(body if body is not None else {})
    return client.post(f"/api/v1{path}", text, content_type="application/json")


@pytest.fixture
def wang(world: World) -> Client:
    return as_person(world.wang)


@pytest.fixture
def chen(world: World) -> Client:
    return as_person(world.chen)


def watched(client: Client, lesson: Lesson, intervals: object, position_s: object = 0.0) -> Any:
    body = {"intervals": intervals, "position_s": position_s}
    return post(client, f"/lessons/{lesson.public_id}/watched", body)


# Learning


def test_a_report_is_answered_with_what_is_missing(
    wang: Client, enrolment: Enrolment, picking: Lesson
) -> None:
    answer = watched(wang, picking, [[0, 5], [4, 8.5]], 8.5)
    assert answer.status_code == 200
    assert answer.json() == {
        "intervals": [[0, 8.5]],
        "position_s": 8.5,
        "covered_s": 8.5,
        "required_s": 18,
        "duration_s": 20,
        "missing": [[8.5, 20]],
        "done": False,
        "requirements": [
            {"kind": "watched", "done": False, "text": "Watch 10 more seconds.", "url": ""}
        ],
        "not_counted": "",
        "lessons_done": 0,
        "lessons_total": 2,
        "course_percent": 23,
        "certificate_url": None,
    }


def test_the_last_report_of_a_course_names_the_certificate(
    wang: Client, enrolment: Enrolment, picking: Lesson, packing: Lesson
) -> None:
    watched(wang, picking, [[0, 20]])
    answer = watched(wang, packing, [[0, 20]]).json()
    assert answer["certificate_url"] == enrolment.certificate.get_absolute_url()
    assert (answer["done"], answer["lessons_done"]) == (True, 2)


def test_another_device_goes_on_where_the_first_stopped(
    wang: Client, world: World, enrolment: Enrolment, picking: Lesson
) -> None:
    watched(wang, picking, [[0, 7]], 7)
    state = as_person(world.wang).get(f"/api/v1/lessons/{picking.public_id}").json()
    assert (state["resume_s"], state["intervals"], state["enrolled"]) == (7, [[0, 7]], True)
    assert state["media_url"].startswith("/media/s/")
    assert state["media_url"].endswith(f"/{picking.asset.download_key}")


def test_who_left_at_the_end_begins_again(
    wang: Client, enrolment: Enrolment, picking: Lesson
) -> None:
    watched(wang, picking, [[0, 20]], 20)
    assert wang.get(f"/api/v1/lessons/{picking.public_id}").json()["resume_s"] == 0


def test_who_has_not_joined_gets_no_video(wang: Client, picking: Lesson) -> None:
    state = wang.get(f"/api/v1/lessons/{picking.public_id}").json()
    assert (state["enrolled"], state["media_url"]) == (False, None)


@pytest.mark.parametrize(
    ("intervals", "field"),
    [
        ([[-1, 2]], "intervals.0"),
        ([[0, 2], [5, 5]], "intervals.1"),
        ([[5, 4]], "intervals.0"),
        ([[0, 1]] * 201, "intervals"),
        ([["0", "2"]], "intervals.0.0"),
        ([[True, 2]], "intervals.0.0"),
        ([[0]], "intervals.0.1"),
        ([[0, 1, 2]], "intervals.0"),
        ([None], "intervals.0"),
        ([[0, 10**400]], "intervals.0.1"),
        ([[0, 1], [0, 1e300]], "intervals.1"),
        ("0-20", "intervals"),
        (None, "intervals"),
        ({"0": [0, 20]}, "intervals"),
    ],
    ids=lambda value: str(value)[:24],
)
def test_bad_stretches_are_refused_by_field(
    wang: Client, enrolment: Enrolment, picking: Lesson, intervals: object, field: str
) -> None:
    answer = watched(wang, picking, intervals)
    assert answer.status_code == 422
    assert answer.json()["code"] == "invalid_input"
    assert answer.json()["errors"][0]["field"] == field
    assert not Progress.objects.exists()


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_what_is_no_number_is_refused(
    wang: Client, enrolment: Enrolment, picking: Lesson, number: str
) -> None:
    path = f"/lessons/{picking.public_id}/watched"
    in_stretch = post(wang, path, f'{{"intervals": [[0, {number}]], "position_s": 0}}')
    in_position = post(wang, path, f'{{"intervals": [], "position_s": {number}}}')
    assert {in_stretch.status_code, in_position.status_code} == {422}
    assert not Progress.objects.exists()


def test_huge_numbers_are_refused(wang: Client, enrolment: Enrolment, picking: Lesson) -> None:
    assert watched(wang, picking, [[0, 1e300]]).status_code == 422
    assert watched(wang, picking, [], 1e308).status_code == 422
    assert not Progress.objects.exists()


def test_a_course_cannot_be_finished_in_one_request(
    wang: Client, course: Course, picking: Lesson
) -> None:
    post(wang, f"/courses/{course.public_id}/enrol")
    answer = watched(wang, picking, [[0, 20]])
    assert (answer.status_code, answer.json()["code"]) == (429, "too_many")
    assert 1 <= int(answer["Retry-After"]) <= 5
    assert not Progress.objects.exists()


@pytest.mark.parametrize("body", ["", "{", "[]", "null", '{"intervals": [], "seconds": 20}'])
def test_a_body_that_is_no_report_is_refused(
    wang: Client, enrolment: Enrolment, picking: Lesson, body: str
) -> None:
    answer = post(wang, f"/lessons/{picking.public_id}/watched", body)
    assert answer.status_code in {400, 422}
    assert answer["Content-Type"] == "application/problem+json"
    assert not Progress.objects.exists()


def test_strangers_are_asked_to_sign_in(picking: Lesson) -> None:
    answer = watched(Client(), picking, [[0, 20]])
    assert (answer.status_code, answer.json()["code"]) == (401, "sign_in_required")
    assert not Progress.objects.exists()


def test_who_has_not_joined_cannot_report(wang: Client, picking: Lesson) -> None:
    assert watched(wang, picking, [[0, 20]]).status_code == 409
    assert not Progress.objects.exists()


def test_a_report_moves_nobody_elses_progress(
    wang: Client, world: World, course: Course, enrolment: Enrolment, picking: Lesson
) -> None:
    li = as_person(world.li)
    post(li, f"/courses/{course.public_id}/enrol")
    assert watched(li, picking, [[0, 9]]).json()["covered_s"] == 9
    assert wang.get(f"/api/v1/lessons/{picking.public_id}").json()["covered_s"] == 0


@pytest.mark.parametrize("person", ["wang", "gao"])
def test_lessons_of_others_drafts_do_not_exist(world: World, draft: Course, person: str) -> None:
    client = as_person(getattr(world, person))
    lesson = draft.lessons.all()[0]
    assert client.get(f"/api/v1/lessons/{lesson.public_id}").status_code == 404
    assert watched(client, lesson, [[0, 20]]).status_code == 404


def test_an_unknown_lesson_is_not_found(wang: Client) -> None:
    answer = post(wang, f"/lessons/{uuid.uuid4()}/watched", {"intervals": []})
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


def test_a_session_without_its_token_cannot_report(
    world: World, enrolment: Enrolment, picking: Lesson
) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(world.wang)
    assert watched(client, picking, [[0, 20]]).status_code == 403
    assert not Progress.objects.exists()


def test_joining_twice_gives_the_same_enrolment(wang: Client, course: Course) -> None:
    path = f"/courses/{course.public_id}/enrol"
    assert post(wang, path).json() == post(wang, path).json()


# Making


def test_a_mentor_makes_and_publishes_a_course(chen: Client, make_clip: MakeClip) -> None:
    made = post(chen, "/courses", {"title": "Light", "summary": "Find it."})
    assert made.status_code == 201
    path = f"/courses/{made.json()['id']}"
    clip = make_clip()
    lesson = post(
        chen, f"{path}/lessons", {"asset_id": str(clip.public_id), "title": "At the window"}
    )
    assert (lesson.status_code, lesson.json()["ready"]) == (201, True)
    assert post(chen, f"{path}/publish").json()["state"] == "published"


def test_a_host_adds_a_clip_that_is_still_being_made(
    world: World, draft: Course, make_clip: MakeClip
) -> None:
    clip = make_clip(state=AssetState.WAITING)
    body = {"asset_id": str(clip.public_id), "title": "Soon"}
    answer = post(as_person(world.zhang), f"/courses/{draft.public_id}/lessons", body)
    assert (answer.status_code, answer.json()["ready"]) == (201, False)


def test_the_same_clip_twice_is_a_conflict(world: World, draft: Course) -> None:
    body = {"asset_id": str(draft.lessons.all()[0].asset.public_id), "title": "Again"}
    answer = post(as_person(world.zhang), f"/courses/{draft.public_id}/lessons", body)
    assert (answer.status_code, draft.lessons.count()) == (409, 3)


@pytest.mark.parametrize("person", ["wang", "li"])
def test_learners_and_viewers_make_no_courses(world: World, person: str) -> None:
    answer = post(as_person(getattr(world, person)), "/courses", {"title": "Mine"})
    assert (answer.status_code, answer.json()["code"]) == (403, "not_allowed")
    assert not Course.objects.exists()


def test_a_host_does_not_see_another_hosts_draft(
    world: World, draft: Course, make_clip: MakeClip
) -> None:
    body = {"asset_id": str(make_clip().public_id), "title": "Sneaked in"}
    answer = post(as_person(world.gao), f"/courses/{draft.public_id}/lessons", body)
    assert (answer.status_code, draft.lessons.count()) == (404, 3)


def test_a_learner_may_see_a_course_but_not_change_it(
    wang: Client, course: Course, make_clip: MakeClip
) -> None:
    body = {"asset_id": str(make_clip().public_id), "title": "Sneaked in"}
    answer = post(wang, f"/courses/{course.public_id}/lessons", body)
    assert (answer.status_code, course.lessons.count()) == (403, 2)


def test_a_host_cannot_use_another_sellers_clip(world: World, make_clip: MakeClip) -> None:
    gao = as_person(world.gao)
    made = post(gao, "/courses", {"title": "Potatoes"}).json()
    body = {"asset_id": str(make_clip().public_id), "title": "Taken"}
    assert post(gao, f"/courses/{made['id']}/lessons", body).status_code == 404
    assert not Lesson.objects.exists()


@pytest.mark.parametrize(
    "body",
    [{}, {"title": ""}, {"title": "x" * 121}, {"title": 7}, {"title": "A", "titel": "B"}],
    ids=str,
)
def test_a_course_with_a_bad_title_is_refused(chen: Client, body: dict[str, object]) -> None:
    answer = post(chen, "/courses", body)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_input")
    assert not Course.objects.exists()


def test_my_courses_are_those_i_may_change(
    world: World, chen: Client, draft: Course, course: Course
) -> None:
    hers = {one["id"] for one in chen.get("/api/v1/me/courses").json()}
    his = {one["id"] for one in as_person(world.zhang).get("/api/v1/me/courses").json()}
    assert hers == {str(draft.public_id), str(course.public_id)}
    assert his == {str(draft.public_id)}
