"""The studio's HTTP API: what a host gets, and that nobody else gets or changes anything."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import pytest
from django.test import Client

from core.clock import now
from core.models import OutboxFact
from media_pipeline.models import Asset, AssetKind, Job, Recording, RecordingState
from orders.models import Order
from orders.services.place import place_order
from sellers.models import Member, MemberRole
from streams.models import Audience, BlockedWord, Show, ShowState
from tests.world import World


def signed_in(user: object) -> Client:
    client = Client()
    client.force_login(user)  # type: ignore[arg-type]
    return client


def post(client: Client, path: str, body: object = None) -> Any:
    return client.post(f"/api/v1{path}", body if body is not None else {}, "application/json")


@pytest.fixture
def order(world: World) -> Order:
    return place_order(
        buyer=world.li,
        key="first",
        show_id=world.show.public_id,
        lines=[
            {
                "offer_id": world.apple_offer.public_id,
                "quantity": 2,
                "price_minor": world.apple_offer.price_minor,
            }
        ],
        delivery={
            "kind": "courier",
            "name": "Li",
            "phone": "13800138000",
            "address": "12 Lake Street, Lanzhou",
        },
        note="ripe ones, please",
    )


@pytest.fixture
def recording(world: World) -> Recording:
    Show.objects.filter(pk=world.show.pk).update(state=ShowState.ENDED, ended_at=now())
    return Recording.objects.create(
        show_id=world.show.public_id, is_public=True, state=RecordingState.READY, duration_s=600
    )


def clip_body(**changes: object) -> dict[str, object]:
    return {"edition": 0, "start_s": 10.0, "end_s": 40.5, "title": "Showing the weight", **changes}


def test_the_host_ends_the_show_and_ending_it_again_changes_nothing(world: World) -> None:
    client = signed_in(world.zhang)
    path = f"/shows/{world.show.public_id}/end"

    first, second = post(client, path), post(client, path)

    assert first.json()["state"] == "ended"
    assert second.json() == first.json()
    assert OutboxFact.objects.filter(type="streams.ShowEnded").count() == 1


@pytest.mark.parametrize(("person", "status"), [("li", 403), ("gao", 403), ("chen", 403)])
def test_nobody_else_ends_it(world: World, person: str, status: int) -> None:
    response = post(signed_in(getattr(world, person)), f"/shows/{world.show.public_id}/end")

    assert response.status_code == status
    world.show.refresh_from_db()
    assert world.show.state == ShowState.SCHEDULED
    assert not OutboxFact.objects.exists()


def test_a_visitor_ends_nothing(world: World) -> None:
    response = post(Client(), f"/shows/{world.show.public_id}/end")

    assert response.status_code == 401
    assert response.json()["code"] == "sign_in_required"
    world.show.refresh_from_db()
    assert world.show.state == ShowState.SCHEDULED


def test_ending_from_another_page_without_the_token_is_refused(world: World) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(world.zhang)

    assert post(client, f"/shows/{world.show.public_id}/end").status_code == 403
    world.show.refresh_from_db()
    assert world.show.state == ShowState.SCHEDULED


def test_the_console_tells_who_bought_and_what_is_left(world: World, order: Order) -> None:
    found = signed_in(world.zhang).get(f"/api/v1/shows/{world.show.public_id}/studio").json()

    assert found["waiting_orders"] == 1
    assert found["orders"][0] | {"placed_at": "", "id": ""} == {
        "id": "",
        "number": order.number,
        "state": "placed",
        "state_text": "placed",
        "buyer": "Li",
        "lines": [{"title": "Huaniu apples, 5 kg box", "quantity": 2}],
        "total_minor": 7180,
        "currency": "CNY",
        "delivery_text": "courier",
        "note": "ripe ones, please",
        "placed_at": "",
    }
    assert [offer["available"] for offer in found["offers"]] == [38, 12]
    assert found["recording"] is None


def test_the_console_tells_what_of_the_camera_is_stored(world: World) -> None:
    recording = Recording.objects.create(show_id=world.show.public_id, is_public=True)
    recording.takes.create(public_id=uuid4(), position=0, mime="video/webm", bytes_received=1200)

    found = signed_in(world.zhang).get(f"/api/v1/shows/{world.show.public_id}/studio").json()

    assert found["recording"]["state"] == "live"
    assert found["recording"]["take"]["bytes_received"] == 1200


@pytest.mark.parametrize("person", ["li", "gao", "chen", None])
@pytest.mark.parametrize("what", ["studio", "clips", "figures", "blocked-words"])
def test_buyers_are_nobody_elses_business(
    world: World, order: Order, person: str | None, what: str
) -> None:
    client = signed_in(getattr(world, person)) if person else Client()

    response = client.get(f"/api/v1/shows/{world.show.public_id}/{what}")

    assert response.status_code in (401, 403, 404)
    assert "Li" not in response.content.decode()


def test_the_figures_of_a_show_count_what_was_bought(world: World, order: Order) -> None:
    found = signed_in(world.zhang).get(f"/api/v1/shows/{world.show.public_id}/figures").json()

    assert (found["orders"], found["boxes"], found["total_minor"]) == (1, 2, 7180)
    assert (found["currency"], found["waiting"], found["cancelled"]) == ("CNY", 1, 0)
    assert sum(minute["orders"] for minute in found["minutes"]) == 1
    assert len(found["minutes"]) == 30


def test_a_packer_reads_the_figures_but_not_the_blocked_words(world: World) -> None:
    Member.objects.create(seller=world.farm, user=world.wang, role=MemberRole.PACKER)
    client = signed_in(world.wang)
    path = f"/api/v1/shows/{world.show.public_id}"

    assert client.get(f"{path}/figures").status_code == 200
    assert client.get(f"{path}/blocked-words").status_code == 403
    assert (
        post(client, f"/shows/{world.show.public_id}/blocked-words", {"word": "x"}).status_code
        == 403
    )
    assert not BlockedWord.objects.exists()


def test_a_word_is_blocked_once_and_allowed_again(world: World) -> None:
    client = signed_in(world.zhang)
    path = f"/shows/{world.show.public_id}/blocked-words"

    first, again = (post(client, path, {"word": "Durian"}) for _tap in range(2))

    assert (first.status_code, first.json()) == (201, again.json())
    assert client.get(f"/api/v1{path}").json() == [first.json()]
    gone = client.delete(f"/api/v1{path}/{first.json()['id']}")
    assert (gone.status_code, gone.json()) == (200, [])
    assert client.get(f"/api/v1{path}").json() == []


@pytest.mark.parametrize("word", ["", "!!!", "x" * 41])
def test_a_word_that_cannot_be_found_is_refused(world: World, word: str) -> None:
    response = post(
        signed_in(world.zhang), f"/shows/{world.show.public_id}/blocked-words", {"word": word}
    )

    assert response.status_code == 422
    assert [error["field"] for error in response.json()["errors"]] == ["word"]


@pytest.mark.parametrize("person", ["zhang", "zhao"])
def test_host_and_operator_cut_a_clip_and_can_follow_its_job(
    world: World, recording: Recording, person: str
) -> None:
    client = signed_in(getattr(world, person))

    response = post(client, f"/recordings/{recording.public_id}/clips", clip_body())

    assert response.status_code == 201
    clip = response.json()
    assert (clip["start_s"], clip["end_s"], clip["state"]) == (10.0, 40.5, "waiting")
    assert Job.objects.get(public_id=clip["job_id"]).subject_id == UUID(clip["id"])
    assert client.get(f"/api/v1/shows/{world.show.public_id}/clips").json() == [clip]


@pytest.mark.parametrize("person", ["li", "gao", "chen", None])
def test_nobody_else_cuts(world: World, recording: Recording, person: str | None) -> None:
    client = signed_in(getattr(world, person)) if person else Client()

    response = post(client, f"/recordings/{recording.public_id}/clips", clip_body())

    assert response.status_code == (404 if person else 401)
    assert not Asset.objects.filter(kind=AssetKind.CLIP).exists()
    assert not Job.objects.exists()


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"start_s": -1.0}, "start_s"),
        ({"end_s": 900.0}, "end_s"),
        ({"end_s": 10.2}, "end_s"),
        ({"end_s": 300.0}, "end_s"),
        ({"title": " "}, "title"),
        ({"title": "x" * 121}, "title"),
    ],
)
def test_a_part_that_cannot_be_a_lesson_is_refused_by_field(
    world: World, recording: Recording, changes: dict[str, object], field: str
) -> None:
    path = f"/recordings/{recording.public_id}/clips"

    response = post(signed_in(world.zhang), path, clip_body(**changes))

    assert response.status_code == 422
    assert [error["field"] for error in response.json()["errors"]] == [field]
    assert not Job.objects.exists()


def test_who_cuts_says_which_edition_of_the_recording_was_seen(
    world: World, recording: Recording
) -> None:
    path = f"/recordings/{recording.public_id}/clips"
    zhang = signed_in(world.zhang)
    unsaid = {key: value for key, value in clip_body().items() if key != "edition"}

    assert post(zhang, path, unsaid).json()["errors"][0]["field"] == "edition"
    stale = post(zhang, path, clip_body(edition=1))

    assert (stale.status_code, stale.json()["code"]) == (409, "recording_changed")
    assert not Job.objects.exists()


def test_a_misspelt_field_is_not_ignored(world: World, recording: Recording) -> None:
    path = f"/recordings/{recording.public_id}/clips"

    response = post(signed_in(world.zhang), path, clip_body(stop_s=4))

    assert response.status_code == 422
    assert "stop_s" in str(response.json()["errors"])


def test_a_recording_that_is_not_there_is_not_found(world: World) -> None:
    path = f"/recordings/{uuid4()}/clips"

    assert post(signed_in(world.zhang), path, clip_body()).status_code == 404


def test_anyone_reads_the_replay_of_a_public_show(world: World) -> None:
    assert Client().get(f"/api/v1/shows/{world.show.public_id}/replay").json() == []


def test_the_replay_of_an_invited_show_is_for_the_invited(world: World) -> None:
    Show.objects.filter(pk=world.show.pk).update(audience=Audience.INVITED)
    path = f"/api/v1/shows/{world.show.public_id}/replay"

    assert Client().get(path).status_code == 401
    assert signed_in(world.li).get(path).status_code == 403
    assert signed_in(world.zhang).get(path).status_code == 200
