"""A course goes into a file and comes out of it as a draft of somebody else's."""

from __future__ import annotations

import hashlib
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from core.errors import Conflict
from courses import selectors
from courses.exchange import brought as shown
from courses.exchange import exporting, importing, manifest, package
from courses.exchange.models import BroughtClip, BroughtCourse
from courses.models import Course, EditionLesson
from courses.quizzes.models import Quiz
from courses.services import authoring, sources
from media_pipeline.captions.clips import clip_cues
from media_pipeline.models import Asset, AssetState, Consent, Job
from media_pipeline.services import consents
from media_pipeline.services.clips import MAKE_LIGHT
from media_pipeline.storage import storage
from tests.courses.conftest import MakeClip
from tests.courses.exchange.conftest import MakeTeaching, exported, film_into, listed, stored
from tests.courses.test_api import as_person
from tests.world import World


def list_of(file: Path) -> dict[str, object]:
    with zipfile.ZipFile(file) as archive:
        found: dict[str, object] = listed({"course.json": archive.read("course.json")})
    return found


def entries_of(course: Course) -> list[EditionLesson]:
    edition = course.editions.get()
    return list(edition.entries.select_related("lesson__asset__recording"))


def test_films_are_stored_as_they_are_and_the_list_knows_their_hashes(no_films: Path) -> None:
    with zipfile.ZipFile(no_films) as archive:
        assert archive.testzip() is None
        assert {info.compress_type for info in archive.infolist()} == {zipfile.ZIP_STORED}
        found = manifest.read(archive.read("course.json"))
        assert {*archive.namelist()} == {"course.json", *(file.name for file in found.files())}
        for file in found.files():
            data = archive.read(file.name)
            assert (len(data), hashlib.sha256(data).hexdigest()) == (file.size, file.sha256)


def test_nothing_is_told_that_the_lessons_page_does_not(no_films: Path, world: World) -> None:
    told = json.dumps(list_of(no_films), ensure_ascii=False)
    for secret in ("chen", "123456", str(world.show.public_id), world.zhang.username, "given_by"):
        assert secret not in told
    assert "Zhang's orchard" in told


@pytest.mark.ffmpeg
def test_a_draft_has_everything_of_the_course(
    world: World, teaching: Course, course_file: Path
) -> None:
    done = importing.bring(course_file, owner=world.gao)
    made = done.course
    assert (made.title, made.summary, made.language, made.is_draft, made.created_by) == (
        "苹果 on camera", "Show what you grow.", "zh", True, world.gao,
    )  # fmt: skip
    assert done.not_here == ["First steps"]
    first, second = entries_of(made)
    assert [first.title, second.title] == ["Picking", "Packing"]
    assert [first.lesson.required_share, second.lesson.required_share] == [0.9, 0.5]
    assert first.notes == "# Hold it\n\n- *near* the lens"
    file = first.attachments.get()
    assert (file.name, storage().read(file.key).decode()) == ("list.txt", "apples, 苹果")
    assert not set(made.lessons.values_list("asset")) & set(teaching.lessons.values_list("asset"))


@pytest.mark.ffmpeg
def test_a_course_whose_language_nobody_said_is_written_and_read(
    make_teaching: MakeTeaching, tmp_path: Path
) -> None:
    course = make_teaching(b"not a film at all")
    Course.objects.update(language="")
    course.refresh_from_db()
    with package.opened(exported(course, tmp_path / "a.livecourse.zip")) as found:
        assert found.course.language == ""


def test_its_film_is_the_same_and_its_light_forms_are_asked_for(
    world: World, course_file: Path, film: Path
) -> None:
    made = importing.bring(course_file, owner=world.gao).course
    clip = entries_of(made)[0].lesson.asset
    assert storage().read(clip.download_key) == film.read_bytes()
    assert storage().read(clip.poster_key).startswith(b"\xff\xd8\xff")
    assert (clip.state, clip.width, clip.height) == (AssetState.READY, 320, 180)
    assert clip.duration_s == pytest.approx(20, abs=0.1)
    assert Job.objects.filter(kind=MAKE_LIGHT, subject_id=clip.public_id).exists()
    assert selectors.film_url(made.lessons.get(title="Picking"))
    [track] = clip.recording.caption_tracks.all()
    [line] = clip_cues(clip, track)
    assert (track.language, line.start_ms, line.end_ms, line.text) == (
        "zh",
        1000,
        4000,
        "好苹果 & 梨",
    )


@pytest.mark.ffmpeg
def test_its_quiz_asks_the_same(world: World, teaching: Course, course_file: Path) -> None:
    made = importing.bring(course_file, owner=world.gao).course

    def asked(course: Course) -> list[tuple[object, ...]]:
        quiz = Quiz.objects.get(lesson__course=course)
        found = [item.wording for item in quiz.papers.get().items.all()]
        return [(quiz.pass_percent, quiz.is_open, *_meant(one)) for one in found]

    assert asked(made) == asked(teaching)
    assert len(asked(made)) == 4


def _meant(one: object) -> tuple[object, ...]:
    texts = {option["id"]: option["text"] for option in one.options}  # type: ignore[attr-defined]
    answer = one.answer  # type: ignore[attr-defined]
    if isinstance(answer, list):
        answer = [texts[known] for known in answer]
    return (one.kind, one.text, one.explained_s, one.unit, sorted(texts.values()), answer)  # type: ignore[attr-defined]


@pytest.mark.ffmpeg
def test_consent_and_source_come_along(world: World, teaching: Course, course_file: Path) -> None:
    made = importing.bring(course_file, owner=world.gao).course
    old = Consent.objects.get(clip__lessons__course=teaching, clip__lessons__title="Picking")
    new = Consent.objects.get(clip__lessons__course=made, clip__lessons__title="Picking")
    assert (new.wording, new.version, new.language, new.given_at) == (
        old.wording, old.version, old.language, old.given_at,
    )  # fmt: skip
    assert new.given_by is None
    source = entries_of(made)[0].lesson.asset.source
    assert (source.seller_name, source.lot, source.orders, source.sold_minor) == (
        "Zhang's orchard", "2026-10", 7, 0,
    )  # fmt: skip
    assert sources.reasons_of(source)[0].startswith("7 orders in 40 s")
    authoring.publish(made)  # nobody is asked for consent once more


@pytest.mark.ffmpeg
def test_chapters_come_along_and_go_on(world: World, course_file: Path, tmp_path: Path) -> None:
    made = importing.bring(course_file, owner=world.gao).course
    clip = entries_of(made)[0].lesson.asset
    chapter = {"start_s": 2.0, "end_s": 8.0, "text": "Apples", "price": "¥39.90"}
    BroughtClip.objects.filter(asset=clip).update(chapters=[chapter])
    lesson = entries_of(made)[0].lesson
    answer = as_person(world.chen).get(f"/api/v1/lessons/{lesson.public_id}/cues")
    assert [one["text"] for one in answer.json()] == ["Apples"]
    again = importing.bring(exported(made, tmp_path / "again.zip"), owner=world.chen).course
    [cue] = shown.cues_of(entries_of(again)[0].lesson.asset)
    assert (cue.kind, cue.start_s, cue.text, cue.price) == ("product", 2.0, "Apples", "¥39.90")


@pytest.mark.ffmpeg
def test_the_seller_can_have_it_taken_down_there_too(
    world: World, course_file: Path, django_capture_on_commit_callbacks: Any
) -> None:
    made = importing.bring(course_file, owner=world.gao).course
    clip = entries_of(made)[0].lesson.asset
    with django_capture_on_commit_callbacks(execute=True):
        consents.withdraw(Asset.objects.get(pk=clip.pk), actor=world.gao)
    clip.refresh_from_db()
    assert clip.state == AssetState.WITHDRAWN
    assert storage().keys(f"private/clips/{clip.public_id}") == []


@pytest.mark.ffmpeg
def test_again_only_by_choice(world: World, course_file: Path) -> None:
    importing.bring(course_file, owner=world.gao)
    with pytest.raises(importing.BroughtBefore, match="This very file"):
        importing.bring(course_file, owner=world.chen)
    assert BroughtCourse.objects.count() == 1
    importing.bring(course_file, owner=world.chen, again=True)
    assert [one.is_again for one in BroughtCourse.objects.order_by("pk")] == [False, True]


@pytest.mark.ffmpeg
def test_another_file_of_the_same_course_is_noticed(
    world: World, teaching: Course, course_file: Path, tmp_path: Path
) -> None:
    importing.bring(course_file, owner=world.gao)
    Course.objects.filter(pk=teaching.pk).update(summary="Better words.")
    teaching.refresh_from_db()
    with pytest.raises(importing.BroughtBefore, match="Another file of this course"):
        importing.bring(exported(teaching, tmp_path / "newer.zip"), owner=world.gao)


@pytest.mark.ffmpeg
def test_of_two_at_the_same_moment_one_is_told(
    world: World, course_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The look before finds nothing; the constraint decides, and no file is left."""
    importing.bring(course_file, owner=world.gao)
    before, looks = stored(), []
    look = importing._check_first

    def blind_at_first(found: importing.Package) -> None:
        looks.append(found)
        if len(looks) > 1:
            look(found)

    monkeypatch.setattr(importing, "_check_first", blind_at_first)
    with pytest.raises(importing.BroughtBefore):
        importing.bring(course_file, owner=world.chen)
    assert stored() == before
    assert BroughtCourse.objects.count() == 1


def test_a_course_without_lessons_is_refused(world: World) -> None:
    empty = authoring.create_course(author=world.chen, title="Empty")
    with pytest.raises(Conflict, match="nothing to export"):
        exporting.planned(empty, by=world.chen)


def test_only_what_its_seller_agreed_to_goes(world: World, make_teaching: MakeTeaching) -> None:
    course = make_teaching(b"film")
    clip = Asset.objects.get(lessons__course=course, lessons__title="Picking")
    consents.withdraw(clip, actor=world.zhang)
    plan = exporting.planned(course, by=world.chen)
    assert [one.entry.title for one in plan.lessons] == ["Packing"]
    assert plan.left_out == [("Picking", "its seller has taken it back.")]
    other = Asset.objects.get(lessons__course=course, lessons__title="Packing")
    Consent.objects.filter(clip=other).delete()
    with pytest.raises(Conflict, match="no consent of its seller is on record"):
        exporting.planned(course, by=world.chen)


def test_what_is_taken_back_meanwhile_breaks_it_off(
    world: World, make_teaching: MakeTeaching
) -> None:
    course = make_teaching(b"film")
    blocks = exporting.stream(exporting.planned(course, by=None))
    next(blocks)
    consents.withdraw(
        Asset.objects.get(lessons__course=course, lessons__title="Packing"), actor=world.zhang
    )
    with pytest.raises(consents.ConsentMissing):
        list(blocks)


def test_films_for_invited_guests_stay(world: World, make_clip: MakeClip) -> None:
    course = authoring.create_course(author=world.chen, title="Guests")
    clip = film_into(make_clip(is_public=False), b"film")
    authoring.add_lesson(course, clip, "Private")
    with pytest.raises(Conflict, match="filmed for invited guests"):
        exporting.planned(course, by=world.chen)
    assert exporting.planned(course, by=world.zhang).lessons
    assert exporting.planned(course, by=None).sellers == ["Zhang's orchard"]


def test_no_film_is_held_in_memory(world: World, make_teaching: MakeTeaching) -> None:
    """However long a film is, no more than a block of it comes at once."""
    course = make_teaching(bytes(5 * exporting.BLOCK))
    blocks = [len(one) for one in exporting.stream(exporting.planned(course, by=None))]
    assert sum(blocks) > 10 * exporting.BLOCK
    assert max(blocks) < 1.1 * exporting.BLOCK
