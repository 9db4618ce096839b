"""Clips of a show: what is written in them without names, who agrees to them, and taking back."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.test import Client
from pytest_django import DjangoCaptureOnCommitCallbacks

from core.accounts.models import User
from core.realtime.models import LogEntry
from courses.handlers import lesson_taken_back
from courses.models import Enrolment, Lesson
from courses.services import authoring, editions, learning
from media_pipeline import jobs, tasks
from media_pipeline.clip_wishes import Span, Wish, single
from media_pipeline.control import retry
from media_pipeline.events import ClipWithdrawn
from media_pipeline.handlers import delete_withdrawn_clip
from media_pipeline.models import Asset, AssetState, Consent, Job
from media_pipeline.services import clips, consents
from media_pipeline.services.clips import MAKE_CLIP
from media_pipeline.services.consents import VERSION, ConsentMissing
from media_pipeline.serving import key_of
from media_pipeline.storage import storage
from media_pipeline.work import Work
from media_pipeline.worker import run_waiting
from sellers.models import Member, MemberRole
from streams.clips.cues import cards, cues
from tests.streams.replayed import Replay, replayed
from tests.world import World

AGREED = {"version": VERSION, "language": "en"}


@pytest.fixture
def replay(world: World) -> Replay:
    return replayed(world)


def asked(world: World, replay: Replay, wish: Wish | None = None) -> Asset:
    return clips.join_clip(
        recording_id=replay.recording.public_id,
        edition=replay.recording.edition,
        wish=wish or single(1, 4),
        title="How to pick",
        actor=world.zhang,
    )


def make(clip: Asset) -> Asset:
    lease = jobs.claim([MAKE_CLIP])
    assert lease
    tasks.make_clip(Work(lease))
    clip.refresh_from_db()
    return clip


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def send(client: Client, method: str, path: str, body: object = None) -> Any:
    call = getattr(client, method.lower())
    return call(f"/api/v1{path}", body or {}, "application/json")


def agree(client: Client, clip: Asset, **changes: str) -> Any:
    return send(client, "PUT", f"/clips/{clip.public_id}/consent", {**AGREED, **changes})


def course_with(world: World, clip: Asset) -> Lesson:
    course = authoring.create_course(author=world.chen, title="Apples")
    lesson = authoring.add_lesson(course, clip, "Picking")
    authoring.publish(course)
    return lesson


def say(world: World, replay: Replay, second: float, who: User, text: str) -> None:
    last = LogEntry.objects.filter(topic=world.show.topic).order_by("-seq")[0]
    said = {"name": who.shown_name, "user_id": str(who.public_id), "role": "viewer", "text": text}
    LogEntry.objects.create(
        topic=world.show.topic,
        epoch="e",
        seq=last.seq + 1,
        at=replay.began + timedelta(seconds=second),
        type="chat.message",
        data=said,
        fact_id=uuid4(),
    )


def test_cues_are_in_the_clips_own_time_and_none_goes_across_a_cut(
    world: World, replay: Replay
) -> None:
    # Apples from second 2, pears from 5, apples from 9; a question in 3, good-bye in 10.
    clip = asked(world, replay, Wish((Span(8, 10.5), Span(2.5, 6))))
    found = cues(clip)
    products = [(one.start_s, one.end_s, one.text) for one in found if one.kind == "product"]
    assert products == [
        (0, 1, "Snow pears, 3 kg box"),
        (1, 5, "Huaniu apples, 5 kg box"),  # on both sides of the cut, without a blink
        (5, 6, "Snow pears, 3 kg box"),
    ]
    lines = [(one.start_s, one.end_s, one.text) for one in found if one.kind == "chat"]
    assert lines == [(2, 2.5, "goodbye"), (3, 6, "How heavy is a box?")]


def test_names_do_not_travel_with_a_clip(world: World, replay: Replay) -> None:
    say(world, replay, 3.5, world.wang, "@Li ask Wang, not gao. Lime and Liu like wangs")
    say(world, replay, 3.6, world.gao, "WANG said 李 knows; <b>Li</b>")
    say(world, replay, 3.7, world.wang, "hello from me")
    found = [(one.who, one.text) for one in cues(asked(world, replay)) if one.kind == "chat"]
    assert found == [
        ("Viewer 1", "hello"),
        ("Viewer 1", "How heavy is a box?"),
        ("Viewer 2", "Viewer 1 ask Viewer 2, not Viewer 3. Lime and Liu like wangs"),
        ("Viewer 3", "Viewer 2 said 李 knows; <b>Viewer 1</b>"),
        ("Viewer 2", "hello from me"),
    ]


def test_a_name_in_chinese_is_found_without_spaces(world: World, replay: Replay) -> None:
    User.objects.filter(pk=world.wang.pk).update(display_name="王小明")
    world.wang.refresh_from_db()
    say(world, replay, 3.2, world.wang, "大家好")
    say(world, replay, 3.3, world.li, "谢谢王小明同志")
    assert cues(asked(world, replay))[-1].text == "谢谢Viewer 2同志"


def test_numbers_stay_when_a_line_is_taken_away(world: World, replay: Replay) -> None:
    say(world, replay, 3.5, world.wang, "second")
    clip = asked(world, replay)
    before = [one.who for one in cues(clip)][-1]
    LogEntry.objects.filter(data__name="Li").update(removed_at=replay.began)
    after = [(one.who, one.text) for one in cues(clip) if one.kind == "chat"]
    assert after == [(before, "second")] == [("Viewer 2", "second")]


def test_cards_of_a_copy_say_the_title_and_each_product(world: World, replay: Replay) -> None:
    clip = asked(world, replay, single(2.5, 6))
    Asset.objects.filter(pk=clip.pk).update(duration_s=3.5)
    clip.refresh_from_db()
    told = [(one.kind, one.start_s, one.end_s, one.text, one.detail) for one in cards(clip)]
    assert told == [
        ("title", 0, 3.5, "How to pick", ""),
        ("product", 0, 2.5, "Huaniu apples, 5 kg box", "¥35.90"),
        ("product", 2.5, 3.5, "Snow pears, 3 kg box", "¥25.90"),
    ]


def test_the_sellers_consent_is_kept_word_for_word(world: World, replay: Replay) -> None:
    clip = asked(world, replay)
    zhang = signed_in(world.zhang)
    shown = send(zhang, "GET", f"/clips/{clip.public_id}/consent").json()
    assert (shown["agreed"], shown["may_agree"], shown["given_at"]) == (False, True, None)

    first, again = agree(zhang, clip), agree(zhang, clip, language="zh-hans")

    assert first.json() == again.json()
    kept = Consent.objects.get()
    assert (kept.given_by, kept.version, kept.language) == (world.zhang, VERSION, "en")
    assert kept.wording == shown["wording"] == first.json()["given_wording"]
    assert (kept.clip_id_then, kept.clip_title) == (clip.public_id, "How to pick")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"version": "1999"}, "version"),
        ({"language": "../../etc"}, "language"),
        ({"language": "xx"}, "language"),
    ],
)
def test_nobody_agrees_to_what_was_not_shown(
    world: World, replay: Replay, changes: dict[str, str], field: str
) -> None:
    refused = agree(signed_in(world.zhang), asked(world, replay), **changes)
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, field)
    assert not Consent.objects.exists()


@pytest.mark.parametrize(
    ("who", "status"), [("li", 404), ("gao", 404), ("chen", 404), ("zhao", 403)]
)
def test_nobody_agrees_in_the_sellers_place(
    world: World, replay: Replay, who: str, status: int
) -> None:
    clip = asked(world, replay)
    assert agree(signed_in(getattr(world, who)), clip).status_code == status
    assert not Consent.objects.exists()


def test_an_operator_who_sells_there_agrees_as_one_of_the_sellers_people(
    world: World, replay: Replay
) -> None:
    Member.objects.create(seller=world.farm, user=world.zhao, role=MemberRole.HOST)
    assert agree(signed_in(world.zhao), asked(world, replay)).status_code == 200


def test_without_consent_a_clip_is_no_lesson_by_any_door(world: World, replay: Replay) -> None:
    clip = make(asked(world, replay))
    course = authoring.create_course(author=world.zhang, title="Apples")
    zhang, body = signed_in(world.zhang), {"asset_id": str(clip.public_id), "title": "Picking"}

    by_api = send(zhang, "POST", f"/courses/{course.public_id}/lessons", body)
    by_page = zhang.post(
        f"/learn/{course.public_id}/edit/", {"do": "add", "clip": str(clip.public_id), "title": "P"}
    )

    assert (by_api.status_code, by_api.json()["code"]) == (409, "consent_needed")
    assert "Agree" in by_api.json()["detail"]
    assert by_page.status_code == 409
    assert not Lesson.objects.exists()
    # A mentor is not even shown it, and it has no address that is open to everybody.
    assert (
        str(clip.public_id)
        not in signed_in(world.chen).get(f"/learn/{course.public_id}/edit/").content.decode()
    )
    assert storage().keys("public/clips") == []
    # With the box ticked, the same page keeps the consent and adds the lesson.
    form = {"do": "add", "clip": str(clip.public_id), "title": "P", "agree": VERSION}
    done = zhang.post(f"/learn/{course.public_id}/edit/", {**form, "language": "en"})
    assert done.status_code == 302
    assert (Lesson.objects.count(), Consent.objects.get().given_by) == (1, world.zhang)


def test_a_lesson_of_before_sellers_were_asked_waits_for_them(world: World, replay: Replay) -> None:
    clip = make(asked(world, replay))
    agree(signed_in(world.zhang), clip)
    lesson = course_with(world, clip)
    learning.enrol(world.wang, lesson.course)
    Asset.objects.update(consented_at=None)
    wang = signed_in(world.wang)
    page = wang.get(lesson.get_absolute_url()).content.decode()
    assert "waits until its seller agrees" in page
    assert "/media/" not in page
    draft = authoring.create_course(author=world.zhang, title="Draft")
    old = Lesson.objects.create(course=draft, asset=clip, title="Old")
    editions.draft_of(draft).entries.create(lesson=old, position=0, title="Old")
    with pytest.raises(ConsentMissing):
        authoring.publish(draft)


def test_taking_it_back_takes_it_down_everywhere_at_once(
    world: World,
    replay: Replay,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    clip = make(asked(world, replay))
    zhang, wang = signed_in(world.zhang), signed_in(world.wang)
    agree(zhang, clip)
    lesson = course_with(world, clip)
    learning.enrol(world.wang, lesson.course)
    state = f"/lessons/{lesson.public_id}"
    url = send(wang, "GET", state).json()["media_url"]
    assert storage().size(key_of(url))

    with django_capture_on_commit_callbacks(execute=True):
        answer = send(zhang, "DELETE", f"/clips/{clip.public_id}/consent").json()

    assert (answer["agreed"], answer["withdrawn_by"]) == (False, "Zhang")
    assert storage().keys(f"private/clips/{clip.public_id}") == []
    assert storage().size(key_of(url)) is None  # an address that somebody still has
    told = send(wang, "GET", state).json()
    assert (told["taken_back"], told["media_url"], told["poster_url"]) == (True, None, None)
    page = wang.get(lesson.get_absolute_url())
    assert "taken this lesson back" in page.content.decode()
    assert (
        "was taken back by the seller"
        in wang.get(lesson.course.get_absolute_url()).content.decode()
    )
    assert send(wang, "GET", f"{state}/cues").json() == []
    watched = send(wang, "POST", f"{state}/watched", {"intervals": [[0.0, 1.0]]})
    assert watched.status_code == 409
    assert "taken this lesson back" in watched.json()["detail"]
    kept = Consent.objects.get()
    assert kept.withdrawn_at
    assert kept.withdrawn_by == world.zhang
    again = authoring.create_course(author=world.zhang, title="Again")
    body = {"asset_id": str(clip.public_id), "title": "Picking"}
    assert send(zhang, "POST", f"/courses/{again.public_id}/lessons", body).status_code == 404
    assert send(zhang, "POST", f"/clips/{clip.public_id}/copy").status_code == 409


def test_a_job_cannot_bring_back_what_was_taken_back(world: World, replay: Replay) -> None:
    clip = asked(world, replay)
    agree(signed_in(world.zhang), clip)
    lease = jobs.claim([MAKE_CLIP])
    assert lease
    consents.withdraw(clip, actor=world.zhang)
    with pytest.raises(jobs.LeaseLost):
        tasks.make_clip(Work(lease))
    job = Job.objects.get(kind=MAKE_CLIP)
    with pytest.raises(Exception, match="taken back"):
        retry(job)
    assert storage().keys(f"private/clips/{clip.public_id}") == []
    clip.refresh_from_db()
    assert clip.state == AssetState.WITHDRAWN


def test_who_agrees_again_gets_it_made_anew_and_both_records_stay(
    world: World, replay: Replay
) -> None:
    clip = make(asked(world, replay))
    zhang = signed_in(world.zhang)
    agree(zhang, clip)
    lesson = course_with(world, clip)
    learning.enrol(world.wang, lesson.course)
    fact = ClipWithdrawn(world.show.public_id, replay.recording.public_id, clip.public_id)
    consents.withdraw(clip, actor=world.zhao)
    assert agree(zhang, clip).json()["agreed"]
    make(clip)
    delete_withdrawn_clip(fact, uuid4())  # a handler that comes late takes nothing away
    found = send(signed_in(world.wang), "GET", f"/lessons/{lesson.public_id}").json()
    assert storage().size(key_of(found["media_url"]))
    records = list(Consent.objects.values_list("withdrawn_by__username", flat=True))
    assert records == [None, "zhao"]


def test_files_that_the_storage_kept_are_deleted_by_the_fact(world: World, replay: Replay) -> None:
    clip = make(asked(world, replay))
    agree(signed_in(world.zhang), clip)
    consents.withdraw(clip, actor=world.zhang)  # nothing is committed here: the files are there
    assert storage().keys(f"private/clips/{clip.public_id}")
    fact = ClipWithdrawn(world.show.public_id, replay.recording.public_id, clip.public_id)
    delete_withdrawn_clip(fact, uuid4())
    assert storage().keys(f"private/clips/{clip.public_id}") == []


def test_what_nobody_agreed_to_cannot_be_taken_back(world: World, replay: Replay) -> None:
    clip = asked(world, replay)
    refused = send(signed_in(world.zhang), "DELETE", f"/clips/{clip.public_id}/consent")
    assert refused.status_code == 409
    clip.refresh_from_db()
    assert clip.state == AssetState.WAITING


@pytest.mark.parametrize("title", ["", "   ", "a" * 121, "\0", 5, None])
def test_a_bad_title_changes_nothing(world: World, replay: Replay, title: object) -> None:
    clip = asked(world, replay)
    refused = send(signed_in(world.zhang), "PATCH", f"/clips/{clip.public_id}", {"title": title})
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["field"].endswith("title")
    assert Asset.objects.get(pk=clip.pk).title == clip.title


def test_a_clip_gets_another_title(world: World, replay: Replay) -> None:
    clip = asked(world, replay)
    told = send(
        signed_in(world.zhang), "PATCH", f"/clips/{clip.public_id}", {"title": " 包苹果 🍎 "}
    )
    assert (told.status_code, told.json()["title"]) == (200, "包苹果 🍎")


def test_what_nobody_agreed_to_is_deleted(
    world: World,
    replay: Replay,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    clip = make(asked(world, replay))
    zhang, address = signed_in(world.zhang), f"/clips/{clip.public_id}"
    assert storage().keys(f"private/clips/{clip.public_id}")
    assert send(signed_in(world.wang), "DELETE", address).status_code == 404
    with django_capture_on_commit_callbacks(execute=True):
        for _tap in range(2):
            assert send(zhang, "DELETE", address).status_code == 204
    assert storage().keys(f"private/clips/{clip.public_id}") == []
    assert send(zhang, "GET", f"/shows/{world.show.public_id}/clips").json() == []
    again = make(asked(world, replay))
    assert again.pk != clip.pk


def test_a_clip_that_is_deleted_while_it_is_made_does_not_come(
    world: World, replay: Replay
) -> None:
    clip = asked(world, replay)
    assert send(signed_in(world.zhang), "DELETE", f"/clips/{clip.public_id}").status_code == 204
    run_waiting({MAKE_CLIP: tasks.TASKS[MAKE_CLIP]})
    clip.refresh_from_db()
    assert (clip.state, clip.download_key) == (AssetState.WITHDRAWN, "")


def test_what_was_agreed_to_is_taken_back_and_not_deleted(world: World, replay: Replay) -> None:
    clip = make(asked(world, replay))
    zhang = signed_in(world.zhang)
    agree(zhang, clip)
    for _round in range(2):
        refused = send(zhang, "DELETE", f"/clips/{clip.public_id}")
        assert (refused.status_code, refused.json()["code"]) == (409, "conflict")
        consents.withdraw(clip, actor=world.zhang)
    [told] = send(zhang, "GET", f"/shows/{world.show.public_id}/clips").json()
    assert told["state"] == "withdrawn"


def test_who_has_done_all_other_lessons_has_finished_the_course(
    world: World, replay: Replay
) -> None:
    first, second = (make(asked(world, replay, single(at, at + 2))) for at in (1, 5))
    for clip in (first, second):
        agree(signed_in(world.zhang), clip)
    lesson = course_with(world, first)
    authoring.add_lesson(lesson.course, second, "Packing")
    lesson = Lesson.objects.get(pk=lesson.pk)
    done, begun_not = (learning.enrol(user, lesson.course) for user in (world.wang, world.li))
    learning.report_watched(done, lesson, [(0, 2)])
    consents.withdraw(second, actor=world.zhang)
    fact = ClipWithdrawn(world.show.public_id, replay.recording.public_id, second.public_id)
    lesson_taken_back(fact, uuid4())
    lesson_taken_back(fact, uuid4())
    completed = {one.pk: one.completed_at for one in Enrolment.objects.all()}
    assert completed[done.pk]
    assert completed[begun_not.pk] is None


def test_clips_of_earlier_versions_lose_their_public_addresses(
    world: World, replay: Replay
) -> None:
    clip = make(asked(world, replay))
    old = clip.download_key.replace("private/", "public/")
    storage().move_folder(f"private/clips/{clip.public_id}", f"public/clips/{clip.public_id}")
    Asset.objects.update(download_key=old, poster_key=clip.poster_key.replace("private", "public"))
    clip.renditions.update(key=old)
    assert clips.hide_public() == 1
    assert clips.hide_public() == 0
    clip.refresh_from_db()
    assert storage().keys("public/clips") == []
    for key in (clip.download_key, clip.poster_key, clip.renditions.get().key):
        assert storage().size(key)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"parts": [{"start_s": 0, "end_s": 2}, {"start_s": 1, "end_s": 3}]}, "parts.1.start_s"),
        ({"parts": [{"start_s": 0, "end_s": 2}, {"start_s": 3, "end_s": "NaN"}]}, "parts.1.end_s"),
        ({"parts": [{"start_s": n / 2, "end_s": n / 2 + 0.4} for n in range(21)]}, "parts"),
        ({"crop": {"x": 2}}, "crop.x"),
        ({"crop": {"size": 0}}, "crop.size"),
        ({"crop": {"width": 1}}, "crop.width"),
        ({"shape": "round"}, "shape"),
        ({"fit": "stretch"}, "fit"),
        ({"blurs": [{"start_s": 3, "end_s": 1}]}, "blurs.0.start_s"),
        ({"title": "x" * 10_000}, "title"),
        ({"start_s": None}, "start_s"),
        ({"end_s": None}, "end_s"),
    ],
)
def test_hostile_wishes_are_refused_by_field(
    world: World, replay: Replay, changes: dict[str, object], field: str
) -> None:
    body = {"edition": 0, "start_s": 1, "end_s": 4, "title": "Picking", **changes}
    path = f"/recordings/{replay.recording.public_id}/clips"
    refused = send(signed_in(world.zhang), "POST", path, body)
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["field"].endswith(field)
    assert not Asset.objects.filter(kind="clip").exists()


def test_hostile_titles_are_text_wherever_they_are_shown(world: World, replay: Replay) -> None:
    title = "<script>alert(1)</script>\u202e🍎 شتلات"
    body = {"edition": 0, "start_s": 1, "end_s": 4, "title": title}
    path = f"/recordings/{replay.recording.public_id}/clips"
    told = send(signed_in(world.zhang), "POST", path, body).json()
    assert told["title"] == "<script>alert(1)</script>🍎 شتلات"
    clip = make(Asset.objects.get(public_id=UUID(told["id"])))
    agree(signed_in(world.zhang), clip)
    send(signed_in(world.zhang), "POST", f"/clips/{clip.public_id}/copy")
    lease = jobs.claim(["make_clip_copy"])
    assert lease
    tasks.TASKS["make_clip_copy"].run(Work(lease))
    copy = send(signed_in(world.zhang), "GET", f"/clips/{clip.public_id}/copy").json()
    assert copy["state"] == "ready"
    assert "script%3Ealert" not in copy["url"]
    lesson = course_with(world, clip)
    page = signed_in(world.wang).get(lesson.course.get_absolute_url()).content.decode()
    assert "<script>alert" not in page
