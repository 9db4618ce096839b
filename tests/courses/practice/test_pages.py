from __future__ import annotations

import re

import pytest
from django.test import Client

from courses.models import Enrolment, Lesson
from courses.practice import services
from courses.practice.models import Act, Attempt, AttemptState, PracticeTask
from courses.services import learning
from orders.models import Offer
from tests.courses.practice.conftest import begin, performed
from tests.world import World


@pytest.fixture
def wang(world: World) -> Client:
    client = Client()
    client.force_login(world.wang)
    return client


@pytest.fixture
def chen(world: World) -> Client:
    client = Client()
    client.force_login(world.chen)
    return client


def page_of(lesson: Lesson) -> str:
    return f"/learn/{lesson.course.public_id}/{lesson.public_id}/practice/"


def text(answer: object) -> str:
    return re.sub(r"\s+", " ", answer.content.decode())  # type: ignore[attr-defined]


def test_wang_opens_the_studio_with_a_price_of_her_own(
    wang: Client, task: PracticeTask, enrolled: Enrolment, picking: Lesson
) -> None:
    apples = task.goods.get(drop_price_minor=None)
    assert "Seven simulated buyers" in text(wang.get(page_of(picking)))
    answer = wang.post(page_of(picking), {f"price-{apples.pk}": "45,5"}, follow=True)
    attempt = Attempt.objects.get()
    assert answer.redirect_chain[-1][0] == f"/studio/shows/{attempt.show_id}/"
    assert Offer.objects.get(show_id=attempt.show_id, on_tap=False).price_minor == 4550
    studio = text(answer)
    assert "PRACTICE: simulated buyers" in studio
    assert "Start the practice" in studio
    assert "Rehearse first" not in studio
    assert '"is_practice": true' in studio
    assert '"longest_show_ms": 120000.0' in studio
    assert "Go on to the studio" in text(wang.get(page_of(picking)))


@pytest.mark.parametrize("price", ["free", "-3", "0", "9" * 40])
def test_a_price_that_is_none_is_said_and_opens_nothing(
    wang: Client, task: PracticeTask, enrolled: Enrolment, picking: Lesson, price: str
) -> None:
    apples = task.goods.get(drop_price_minor=None)
    answer = wang.post(page_of(picking), {f"price-{apples.pk}": price})
    assert answer.status_code == 422
    assert "a price that somebody could pay" in text(answer)
    assert f'value="{price}"' in text(answer)
    assert not Attempt.objects.exists()


def test_who_has_not_joined_is_told_to(world: World, wang: Client, task: PracticeTask) -> None:
    answer = wang.get(page_of(task.lesson), follow=True)
    assert "Join the course first" in text(answer)
    task.delete()
    assert wang.get(page_of(task.lesson)).status_code == 404


def test_what_the_buyers_did_and_handing_in(
    world: World, wang: Client, chen: Client, attempt: Attempt
) -> None:
    begin(attempt, seconds_ago=100)
    for number, (kind, detail) in enumerate(
        [
            ("ask", {"text": "Are they sweet?"}),
            ("order", {"offer": "x", "quantity": 3, "price_minor": 4900}),
            ("leave", {"text": "I am off"}),
        ],
        start=1,
    ):
        Act.objects.create(
            attempt=attempt,
            number=number,
            at_s=10.0 * number,
            persona="careful",
            kind=kind,
            detail=detail,
            done_at=attempt.began_at,
        )
    address = f"/learn/practice/{attempt.public_id}/"
    assert "Link for classmates" in text(wang.get(address))
    performed(attempt)
    # The studio of a practice that is over leads here.
    assert (
        wang.get(f"/studio/shows/{attempt.show_id}/", follow=True).redirect_chain[-1][0] == address
    )
    shown = text(wang.get(address))
    for said in ("¥147.00", "0 of 1", "Are they sweet?", "bought 3 pieces", "Hand in to a mentor"):
        assert said in shown
    assert "<svg" in shown
    assert "Keep talking" in shown
    assert "Hand in" not in text(chen.get(address))
    assert chen.post(address, {"do": "submit"}).status_code == 404
    assert "Handed in." in text(wang.post(address, {"do": "submit"}, follow=True))
    attempt.refresh_from_db()
    assert attempt.state == AttemptState.SUBMITTED
    assert wang.post(address, {"do": "fly"}).status_code == 404
    services.decide(attempt, accepted=True, actor=world.chen)
    assert "Accepted" in text(wang.get(address))
    assert "has accepted your practice" in text(wang.get(page_of(attempt.task.lesson)))


def test_classmates_open_the_link_and_say_yes(world: World, attempt: Attempt) -> None:
    client = Client()
    address = f"/learn/practice/join/{attempt.invite}/"
    assert client.get(address).status_code == 302
    client.force_login(world.li)
    assert client.get(address).status_code == 409
    learning.enrol(world.li, attempt.enrolment.course)
    assert "Wang practises and invites you" in text(client.get(address))
    assert client.get(f"/shows/{attempt.show_id}/").status_code == 403, "looking joins nothing"
    answer = client.post(address, follow=True)
    assert answer.redirect_chain[-1] == (f"/shows/{attempt.show_id}/", 302)
    assert answer.status_code == 200
    assert "Practice" in text(answer)


def test_chen_writes_a_task(world: World, chen: Client, wang: Client, picking: Lesson) -> None:
    address = f"{page_of(picking)}edit/"
    assert wang.get(address).status_code == 403
    assert "Sell live for five minutes" in text(chen.get(address))
    wrong = chen.post(address, {"do": "write", "brief": "Sell.", "minutes": "90"})
    assert (wrong.status_code, 'value="90"' in text(wrong)) == (422, True)
    assert "Saved." in text(
        chen.post(address, {"do": "write", "brief": "Sell.", "minutes": "3"}, follow=True)
    )
    wrong = chen.post(
        address, {"do": "add", "title": "Nuts", "variant_title": "1 kg", "price": "x"}
    )
    assert wrong.status_code == 422
    assert 'value="Nuts"' in text(wrong)
    good = {"do": "add", "title": "Nuts", "variant_title": "1 kg", "price": "9.90", "stock": "7"}
    assert "¥9.90" in text(chen.post(address, good, follow=True))
    assert chen.post(address, {"do": "copy", "variant": "x"}).status_code == 422
    copied = chen.post(address, {"do": "copy", "variant": str(world.apples.public_id)}, follow=True)
    assert "Huaniu apples" in text(copied)
    task = PracticeTask.objects.get()
    assert (task.minutes, task.goods.count(), task.created_by) == (3, 2, world.chen)
    nuts = task.goods.get(title="Nuts")
    chen.post(address, {"do": "remove", "good": str(nuts.pk)})
    assert chen.post(address, {"do": "remove", "good": "x"}).status_code == 404
    assert task.goods.count() == 1
    chen.post(address, {"do": "delete"})
    assert not PracticeTask.objects.exists()
