from __future__ import annotations

import re
import threading
import uuid

import pytest
from django.db import connection, transaction
from django.db.transaction import Atomic
from django.test import Client
from django.test.utils import CaptureQueriesContext

from core import pages
from core.accounts.models import User
from courses.models import Certificate, Course, Enrolment, Lesson
from courses.services import authoring, learning
from media_pipeline.models import AssetState
from tests.courses.conftest import MakeClip, titles
from tests.world import PASSWORD, World

# The same for every worker: tests are named after their parameters.
NOTHING = "00000000-0000-7000-8000-000000000000"


@pytest.fixture
def wang(world: World) -> Client:
    return as_person(world.wang)


@pytest.fixture
def zhang(world: World) -> Client:
    return as_person(world.zhang)


@pytest.fixture
def certificate(enrolment: Enrolment, picking: Lesson, packing: Lesson) -> Certificate:
    for lesson in (picking, packing):
        learning.report_watched(enrolment, lesson, [(0, 20)])
    return Certificate.objects.get(enrolment=enrolment)


def as_person(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def text(client: Client, path: str, status: int = 200) -> str:
    answer = client.get(path)
    assert answer.status_code == status
    return answer.content.decode()


# Learning


@pytest.mark.django_db
def test_without_courses_the_page_says_where_to_look(client: Client) -> None:
    assert "No courses yet" in text(client, "/learn/courses/")


def test_the_catalogue_shows_what_is_published(
    client: Client, course: Course, draft: Course
) -> None:
    html = text(client, "/learn/courses/")
    assert course.title in html
    assert "2 lessons" in html
    assert "1 minute" in html
    assert draft.title not in html


def test_authors_see_their_drafts(zhang: Client, draft: Course) -> None:
    assert draft.title in text(zhang, "/learn/courses/")


def queries_of(client: Client, path: str) -> int:
    with CaptureQueriesContext(connection) as queries:
        client.get(path)
    return len(queries)


def test_many_courses_cost_no_more_queries_than_one(
    world: World, wang: Client, enrolment: Enrolment, make_clip: MakeClip
) -> None:
    wang.get("/learn/courses/")
    one = queries_of(wang, "/learn/courses/")
    for number in range(3):
        other = authoring.create_course(author=world.chen, title=f"Course {number}")
        authoring.add_lesson(other, make_clip(), "Lesson")
        authoring.publish(other)
        learning.enrol(world.wang, other)
    assert queries_of(wang, "/learn/courses/") == one


def test_a_draft_does_not_exist_for_others(client: Client, draft: Course) -> None:
    text(client, f"/learn/{draft.public_id}/", status=404)


def test_joining_leads_to_the_first_lesson(wang: Client, course: Course, picking: Lesson) -> None:
    answer = wang.post(f"/learn/{course.public_id}/enrol/")
    assert answer["Location"] == picking.get_absolute_url()
    assert course.enrolments.count() == 1


def test_joining_again_leads_to_the_first_lesson_not_done(
    wang: Client, enrolment: Enrolment, picking: Lesson, packing: Lesson
) -> None:
    learning.report_watched(enrolment, picking, [(0, 20)])
    answer = wang.post(f"/learn/{enrolment.course.public_id}/enrol/")
    assert answer["Location"] == packing.get_absolute_url()


def test_who_joins_signs_in_and_comes_back_to_the_course(
    client: Client, world: World, course: Course
) -> None:
    asked = client.post(f"/learn/{course.public_id}/enrol/")
    assert asked["Location"] == f"/accounts/login/?next=/learn/{course.public_id}/"
    back = client.post(asked["Location"], {"login": "wang", "password": PASSWORD})
    assert back["Location"] == course.get_absolute_url()


def test_looking_does_not_join(wang: Client, course: Course) -> None:
    assert wang.get(f"/learn/{course.public_id}/enrol/").status_code == 405
    assert not course.enrolments.exists()


def test_a_lesson_asks_to_sign_in_and_comes_back(client: Client, picking: Lesson) -> None:
    path = picking.get_absolute_url()
    assert client.get(path)["Location"] == f"/accounts/login/?next={path}"


def test_a_lesson_asks_to_join_first(wang: Client, picking: Lesson) -> None:
    answer = wang.get(picking.get_absolute_url(), follow=True)
    assert answer.redirect_chain == [(picking.course.get_absolute_url(), 302)]
    assert "Join the course" in answer.content.decode()


def test_a_lesson_plays_its_clip_and_resumes(
    wang: Client, enrolment: Enrolment, picking: Lesson, packing: Lesson
) -> None:
    learning.report_watched(enrolment, picking, [(0, 7)], 7)
    answer = wang.get(picking.get_absolute_url())
    assert f'/{picking.asset.download_key}" poster="/media/s/' in answer.content.decode()
    assert answer.context["data"]["resume_s"] == 7
    assert answer.context["data"]["next_url"] == packing.get_absolute_url()


def test_a_lesson_that_is_being_prepared_says_so(
    world: World, wang: Client, enrolment: Enrolment, make_clip: MakeClip
) -> None:
    clip = make_clip(state=AssetState.WAITING, duration_s=0, download_key="", poster_key="")
    lesson = authoring.add_lesson(enrolment.course, clip, "Soon")
    authoring.publish(enrolment.course)
    html = text(wang, lesson.get_absolute_url())
    assert "still being prepared" in html
    assert "<video" not in html


def test_a_lesson_has_one_address(wang: Client, enrolment: Enrolment, picking: Lesson) -> None:
    text(wang, f"/learn/{uuid.uuid4()}/{picking.public_id}/", status=404)


def test_its_maker_looks_at_a_draft_lesson(zhang: Client, draft: Course) -> None:
    answer = zhang.get(draft.lessons.all()[0].get_absolute_url())
    assert "<video" in answer.content.decode()
    assert answer.context["data"]["enrolled"] is False
    assert not draft.enrolments.exists()


@pytest.mark.parametrize(
    "path", ["/learn/", "/learn/courses/", "course", "lesson", "edit", "verify"]
)
def test_pages_have_nothing_inline(
    world: World, certificate: Certificate, picking: Lesson, path: str
) -> None:
    course = picking.course.get_absolute_url()
    paths = {
        "course": course,
        "lesson": picking.get_absolute_url(),
        "edit": f"{course}edit/",
        "verify": certificate.get_absolute_url(),
    }
    world.wang.is_superuser = True  # sees every control
    world.wang.save()
    html = text(as_person(world.wang), paths.get(path, path))
    assert " style=" not in html
    assert "<style" not in html
    assert " onclick=" not in html


# Certificates


def test_anybody_can_verify_a_certificate(client: Client, certificate: Certificate) -> None:
    """What its holder lets them see is the matter of `badges`."""
    html = text(client, certificate.get_absolute_url())
    assert 'data-verdict="valid"' in html
    assert "Wang" not in html
    assert certificate.number in html
    assert 'src="data:image/svg+xml' in html


def test_a_tampered_certificate_is_shown_as_not_valid(
    client: Client, certificate: Certificate
) -> None:
    Certificate.objects.update(holder_name="Gao")
    html = text(client, certificate.get_absolute_url())
    assert 'data-verdict="invalid"' in html
    assert "changed afterwards" in html
    assert 'data-verdict="valid"' not in html


def test_an_invented_certificate_is_not_valid(client: Client, certificate: Certificate) -> None:
    assert 'data-verdict="unknown"' in text(client, f"/verify/{uuid.uuid4()}/", status=404)


def test_a_name_cannot_break_out_of_its_certificate(
    client: Client, world: World, enrolment: Enrolment, picking: Lesson, packing: Lesson
) -> None:
    world.wang.display_name = "<script>alert(1)</script>"
    world.wang.save()
    for lesson in (picking, packing):
        learning.report_watched(Enrolment.objects.get(), lesson, [(0, 20)])
    html = text(client, Certificate.objects.get().get_absolute_url())
    assert "<script>alert" not in html


def test_my_certificates_are_mine(wang: Client, world: World, certificate: Certificate) -> None:
    assert certificate.number in text(wang, "/learn/certificates/")
    assert "None yet" in text(as_person(world.li), "/learn/certificates/")


def test_certificates_ask_to_sign_in(client: Client, world: World) -> None:
    answer = client.get("/learn/certificates/")
    assert answer["Location"] == "/accounts/login/?next=/learn/certificates/"


# Making


def test_a_host_makes_a_course(zhang: Client) -> None:
    answer = zhang.post("/learn/new/", {"title": "Pears", "summary": ""})
    made = Course.objects.get()
    assert answer["Location"] == f"/learn/{made.public_id}/edit/"


def form_key(page: str) -> str:
    found = re.search(r'name="form_key" value="([^"]+)"', page)
    assert found
    return found[1]


def test_a_form_that_is_sent_twice_makes_one_course(zhang: Client) -> None:
    typed = {"title": "Pears", "form_key": form_key(text(zhang, "/learn/new/"))}
    first, second = (zhang.post("/learn/new/", typed) for _tap in range(2))
    assert first["Location"] == second["Location"]
    assert Course.objects.count() == 1


def test_who_goes_back_and_types_something_else_makes_something_else(zhang: Client) -> None:
    key = form_key(text(zhang, "/learn/new/"))
    for title in ("Pears", "Apples"):
        zhang.post("/learn/new/", {"title": title, "form_key": key})
    assert {course.title for course in Course.objects.all()} == {"Pears", "Apples"}


def test_every_form_has_its_own_key(zhang: Client) -> None:
    assert form_key(text(zhang, "/learn/new/")) != form_key(text(zhang, "/learn/new/"))


def test_the_key_of_another_person_takes_nothing_away(zhang: Client, world: World) -> None:
    typed = {"title": "Pears", "form_key": form_key(text(zhang, "/learn/new/"))}
    for client in (zhang, as_person(world.chen)):
        client.post("/learn/new/", typed)
    assert {course.created_by for course in Course.objects.all()} == {world.zhang, world.chen}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("has_key", "made"), [(True, 1), (False, 2)], ids=["with a key", "negative control"]
)
def test_two_taps_at_once_make_one_course(
    world: World, monkeypatch: pytest.MonkeyPatch, has_key: bool, made: int
) -> None:
    """Both have looked for the course, and found none, before either makes it."""
    typed = {"title": "Pears", "form_key": NOTHING if has_key else ""}
    meeting = threading.Barrier(2, timeout=10)
    # Before the transaction: on SQLite the second would wait for the first to end.
    monkeypatch.setattr(pages, "transaction", Meeting(meeting))
    places: list[str] = []

    def tap(client: Client) -> None:
        try:
            places.append(client.post("/learn/new/", typed)["Location"])
        finally:
            connection.close()

    taps = [threading.Thread(target=tap, args=[as_person(world.zhang)]) for _tap in range(2)]
    for thread in taps:
        thread.start()
    for thread in taps:
        thread.join(timeout=30)
    assert (len(places), len(set(places)), Course.objects.count()) == (2, made, made)


class Meeting:
    """`transaction`, into which both go together."""

    def __init__(self, barrier: threading.Barrier) -> None:
        self.barrier = barrier

    def atomic(self) -> Atomic:
        self.barrier.wait()
        return transaction.atomic()


def test_a_course_without_a_title_is_asked_for_one(zhang: Client) -> None:
    answer = zhang.post("/learn/new/", {"title": " ", "summary": "Kept"})
    assert answer.status_code == 422
    assert "Please fill this in" in answer.content.decode()
    assert "Kept" in answer.content.decode()
    assert not Course.objects.exists()


def test_learners_make_no_courses(wang: Client) -> None:
    assert wang.post("/learn/new/", {"title": "Mine"}).status_code == 403
    assert not Course.objects.exists()


def change(client: Client, course: Course, **fields: str) -> int:
    return client.post(f"/learn/{course.public_id}/edit/", fields, follow=True).status_code


def test_the_editor_orders_and_removes_lessons(zhang: Client, draft: Course) -> None:
    one, two, _ = (str(lesson.public_id) for lesson in draft.lessons.all())
    assert change(zhang, draft, do="down", lesson=one) == 200
    assert change(zhang, draft, do="remove", lesson=two) == 200
    assert change(zhang, draft, do="up", lesson=one) == 200
    assert titles(draft) == ["One", "Three"]


def test_the_editor_adds_a_clip_under_its_title(
    zhang: Client, draft: Course, make_clip: MakeClip
) -> None:
    clip = make_clip("Washing")
    html = text(zhang, f"/learn/{draft.public_id}/edit/")
    assert f'value="{clip.public_id}"' in html
    change(zhang, draft, do="add", clip=str(clip.public_id), title="")
    assert titles(draft)[-1] == "Washing"
    assert f'value="{clip.public_id}"' not in text(zhang, f"/learn/{draft.public_id}/edit/")


def test_the_editor_publishes(zhang: Client, draft: Course) -> None:
    change(zhang, draft, do="publish")
    draft.refresh_from_db()
    assert not draft.is_draft


def test_the_editor_says_why_it_cannot(zhang: Client, world: World) -> None:
    empty = authoring.create_course(author=world.zhang, title="Empty")
    answer = zhang.post(f"/learn/{empty.public_id}/edit/", {"do": "publish"})
    assert answer.status_code == 409
    assert "ready to watch" in answer.content.decode()


@pytest.mark.parametrize(
    "fields",
    [
        {"do": "explode"},
        {"do": "remove", "lesson": "nonsense"},
        {"do": "remove", "lesson": NOTHING},
        {"do": "add", "clip": NOTHING, "title": "Ghost"},
    ],
    ids=str,
)
def test_what_is_not_there_cannot_be_edited(
    zhang: Client, draft: Course, fields: dict[str, str]
) -> None:
    assert change(zhang, draft, **fields) == 404
    assert titles(draft) == ["One", "Two", "Three"]


def test_a_lesson_of_another_course_cannot_be_removed_from_here(
    world: World, draft: Course, course: Course, picking: Lesson
) -> None:
    chen = as_person(world.chen)
    assert change(chen, draft, do="remove", lesson=str(picking.public_id)) == 404
    assert titles(course) == ["Picking", "Packing"]


@pytest.mark.parametrize(("person", "status"), [("gao", 404), ("wang", 404), ("chen", 200)])
def test_others_do_not_edit_a_draft(world: World, draft: Course, person: str, status: int) -> None:
    text(as_person(getattr(world, person)), f"/learn/{draft.public_id}/edit/", status=status)


def test_a_learner_does_not_edit_a_published_course(wang: Client, course: Course) -> None:
    assert change(wang, course, do="describe", title="Mine now") == 403
    course.refresh_from_db()
    assert course.title == "Apples on camera"


# Operators


def test_operators_read_certificates_and_do_not_write_them(
    world: World, certificate: Certificate
) -> None:
    User.objects.filter(pk=world.zhao.pk).update(is_staff=True, is_superuser=True)
    zhao = as_person(world.zhao)
    path = f"/admin/courses/certificate/{certificate.pk}/change/"
    assert certificate.number in text(zhao, path)
    assert zhao.post(path, {"holder_name": "Gao"}).status_code == 403
    for kind in ("course", "enrolment", "certificate"):
        text(zhao, f"/admin/courses/{kind}/")
    text(zhao, f"/admin/courses/course/{certificate.enrolment.course_id}/change/")
