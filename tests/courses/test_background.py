"""An author says in the editor whether what nobody could follow counts, too."""

from __future__ import annotations

import pytest
from django.test import Client

from courses.models import Course, Enrolment, Lesson
from courses.services import learning
from courses.services.watched import Played, Report
from tests.courses.test_pages import as_person
from tests.world import World

UNSEEN = Report(played=[Played(0, 20, muted=True, hidden=True)])


@pytest.fixture
def chen(world: World) -> Client:
    return as_person(world.chen)


def save(client: Client, course: Course, **ticked: str) -> int:
    sent = {"do": "describe", "title": course.title, "summary": course.summary} | ticked
    return client.post(f"/learn/{course.public_id}/edit/", sent).status_code


def box(client: Client, course: Course) -> str:
    html = client.get(f"/learn/{course.public_id}/edit/").content.decode()
    [line] = [one for one in html.splitlines() if 'name="counts_background"' in one]
    return line


def test_ticked_it_counts_from_now_on(
    chen: Client, course: Course, enrolment: Enrolment, picking: Lesson
) -> None:
    assert learning.take_report(enrolment, picking, UNSEEN).covered_s == 0
    assert save(chen, course, counts_background="on") == 302
    assert " checked" in box(chen, course)
    enrolment.refresh_from_db()
    picking = Lesson.objects.get(pk=picking.pk)
    enrolment = Enrolment.objects.get(pk=enrolment.pk)
    assert learning.take_report(enrolment, picking, UNSEEN).covered_s == 20


def test_without_the_tick_it_does_not(chen: Client, course: Course) -> None:
    save(chen, course, counts_background="on")
    save(chen, course)
    course.refresh_from_db()
    assert not course.counts_background
    assert " checked" not in box(chen, course)


def test_a_form_that_is_sent_back_keeps_the_tick(chen: Client, course: Course) -> None:
    sent = {"do": "describe", "title": "", "counts_background": "on"}
    answer = chen.post(f"/learn/{course.public_id}/edit/", sent)
    assert answer.status_code == 422
    [line] = [
        one for one in answer.content.decode().splitlines() if 'name="counts_background"' in one
    ]
    assert " checked" in line
    course.refresh_from_db()
    assert not course.counts_background


def test_trainees_do_not_set_it(world: World, course: Course) -> None:
    assert save(as_person(world.wang), course, counts_background="on") in (403, 404)
    course.refresh_from_db()
    assert not course.counts_background
