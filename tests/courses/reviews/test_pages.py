from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from core.accounts.models import User
from core.clock import now
from courses.cohorts.models import Cohort, How, Place
from courses.models import Course
from courses.practice.models import Attempt
from courses.reviews import services
from courses.reviews.models import Answer, Review, Rubric
from tests.courses.reviews.conftest import HandIn, draft
from tests.world import World, person


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def address(attempt: Attempt) -> str:
    return f"/learn/reviews/{attempt.public_id}/"


def body(**fields: object) -> dict[str, Any]:
    return {"tab": str(uuid4()), "revision": 1, "base": 0} | fields


def put(client: Client, attempt: Attempt, sent: dict[str, Any]) -> Any:
    path = f"/api/v1/reviews/{attempt.public_id}/draft"
    return client.put(path, sent, content_type="application/json")


def post(client: Client, attempt: Attempt, what: str, sent: dict[str, Any]) -> Any:
    path = f"/api/v1/reviews/{attempt.public_id}/{what}"
    return client.post(path, sent, content_type="application/json")


@pytest.mark.django_db
def test_an_empty_queue_says_that_nobody_waits(world: World) -> None:
    assert "Nobody waits" in signed_in(world.chen).get("/learn/reviews/").content.decode()


def test_a_practice_is_the_business_of_few(world: World, course: Course, attempt: Attempt) -> None:
    """Its trainee, mentors, operators, and who looks after the trainee's cohort."""
    leader, classmate = person("sun", "Sun"), person("mei", "Mei")
    cohort = Cohort.objects.create(course=course, name="Autumn", facilitator=leader)
    for user in (world.wang, classmate):
        Place.objects.create(cohort=cohort, user=user, how=How.LINK, joined_at=now())
    other = Cohort.objects.create(course=course, name="Spring", facilitator=world.gao)
    Place.objects.create(
        cohort=other, user=world.wang, how=How.LINK, joined_at=now(), left_at=now()
    )

    def statuses(path: str) -> list[int]:
        who = (world.chen, world.zhao, leader, world.wang, classmate, world.zhang, world.gao)
        return [signed_in(user).get(path).status_code for user in who]

    assert statuses(address(attempt)) == [200, 200, 200, 200, 404, 404, 404]
    assert statuses("/learn/reviews/") == [200, 200, 200, 404, 404, 404, 200]
    assert "Wang" not in signed_in(world.gao).get("/learn/reviews/").content.decode()
    film = f"/api/v1/reviews/{attempt.public_id}/film"
    assert statuses(film) == [200, 200, 200, 200, 404, 404, 404]
    for user in (world.wang, classmate):
        assert signed_in(user).post(f"{address(attempt)}claim/").status_code == 404
        assert put(signed_in(user), attempt, body()).status_code == 404
        assert post(signed_in(user), attempt, "send", body(verdict="accepted")).status_code == 404
    assert not Review.objects.exists()


def test_what_is_not_sent_yet_is_read_by_its_mentor_alone(world: World, attempt: Attempt) -> None:
    services.claim(attempt, world.chen)
    services.save_draft(attempt, world.chen, draft((3, "Come closer"), words="Nearly there"))
    assert "Come closer" in signed_in(world.chen).get(address(attempt)).content.decode()
    for user in (world.wang, world.zhao):
        seen = signed_in(user).get(address(attempt)).content.decode()
        assert "Come closer" not in seen
        assert "Nearly there" not in seen
        path = f"/api/v1/reviews/{attempt.public_id}/draft"
        assert signed_in(user).get(path).status_code == 404
    said = {"id": str(uuid4()), "text": "When?"}
    assert post(signed_in(world.wang), attempt, "answers", said).status_code == 404


def test_the_trainee_reads_it_and_answers(world: World, hand_in: HandIn) -> None:
    first = hand_in(hours_ago=30)
    services.claim(first, world.chen)
    services.send(first, world.chen, draft((3, "Come closer 🍎"), marks={0: 1}), "again")
    wang = signed_in(world.wang)
    page = wang.get(address(first)).content.decode()
    assert "Come closer 🍎" in page
    assert "Once more, with these hints" in page
    assert "Says it, but late or at length" in page
    comment = first.review.comments.get()
    said = {"id": str(uuid4()), "text": "I <b>will</b>", "comment_id": str(comment.public_id)}
    for _twice in range(2):
        assert post(wang, first, "answers", said).status_code == 201
    assert Answer.objects.count() == 1
    assert "They have answered you" in signed_in(world.chen).get("/learn/reviews/").content.decode()
    chen = signed_in(world.chen).get(address(first)).content.decode()
    assert "I &lt;b&gt;will&lt;/b&gt;" in chen
    assert "They have answered" not in signed_in(world.chen).get("/learn/reviews/").content.decode()
    second = hand_in(number=2)
    beside = signed_in(world.chen).get(f"{address(second)}?with={first.public_id}").content.decode()
    assert "What was said about attempt 1" in beside
    nothing = signed_in(world.chen).get(f"{address(second)}?with={second.public_id}")
    assert "said about attempt" not in nothing.content.decode()


def test_api_refusals_say_what_is_wrong(world: World, attempt: Attempt) -> None:
    chen = signed_in(world.chen)
    assert put(chen, attempt, body()).status_code == 409
    services.claim(attempt, world.chen)
    comment = {"id": str(uuid4()), "at_s": -3, "text": "早"}
    refused = put(chen, attempt, body(comments=[comment]))
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (
        422,
        f"comments.{comment['id']}",
    )
    assert put(chen, attempt, body(marks={"0": 7})).status_code == 422
    assert put(chen, attempt, body(marks={"0": 2}, comments=[comment | {"at_s": 3}])).json()[
        "marks"
    ] == {"0": 2}
    assert post(chen, attempt, "send", body(verdict="maybe", base=1)).status_code == 422
    elsewhere = put(chen, attempt, body(words="second page"))
    assert (elsewhere.status_code, elsewhere.json()["code"]) == (409, "changed_elsewhere")
    assert put(signed_in(world.zhao), attempt, body()).json()["code"] == "taken_over"
    sent = body(verdict="accepted", base=1, words="Good")
    assert [post(chen, attempt, "send", sent).status_code for _twice in range(2)] == [200, 200]
    assert post(chen, attempt, "send", sent | {"verdict": "again"}).json()["code"] == "already_sent"


def test_a_rubric_is_edited_in_either_language(world: World, course: Course) -> None:
    chen, path = signed_in(world.chen), f"/learn/{course.public_id}/rubric/"
    assert "Showing the goods" in chen.get(path).content.decode()
    assert "展示货品" in chen.get(f"{path}?default=zh").content.decode()
    rows = {"title": ["Voice", ""], "about": ["", ""], "levels": ["Low", ""], "version": "0"}
    refused = chen.post(path, rows)
    assert refused.status_code == 422
    assert "the weakest first" in refused.content.decode()
    rows["levels"] = ["Low\r\nClear", ""]
    assert chen.post(path, {**rows, "do": "more"}).content.decode().count("<fieldset") == 3
    assert not Rubric.objects.exists()
    assert chen.post(path, rows).status_code == 302
    assert Rubric.objects.get().rows == [
        {"title": "Voice", "about": "", "levels": ["Low", "Clear"]}
    ]
    late = chen.post(path, rows | {"title": ["Light", ""]})
    assert late.status_code == 409
    assert "Light" in late.content.decode()
    assert signed_in(world.wang).get(path).status_code == 403
