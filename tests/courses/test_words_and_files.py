"""Notes in Markdown, files beside lessons, what comes before a course, and copies of it."""

from __future__ import annotations

import re
import zipfile
from io import BytesIO

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from core.accounts.models import User
from core.clock import now
from core.errors import Conflict, InvalidInput
from courses import notes, selectors
from courses.models import Attachment, Course, CourseState, Enrolment, Lesson
from courses.practice.models import PracticeTask
from courses.quizzes.models import Quiz
from courses.services import attachments, authoring, cloning, editions, learning, prerequisites
from media_pipeline.storage import storage
from tests.courses.conftest import MakeClip, titles
from tests.world import World

PDF = b"%PDF-1.7\n" + b"x" * 100


def read_course(client: Client, course: Course) -> str:
    return client.get(f"/learn/{course.public_id}/").content.decode()


def as_person(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def of_a_new_zip() -> bytes:
    """A file of a version of ZIP that is still to come."""
    made = BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("word/document.xml", "x")
    data = bytearray(made.getvalue())
    data[data.index(b"PK\x01\x02") + 6] = 99
    return bytes(data)


def file(name: str = "prices.pdf", data: bytes = PDF) -> SimpleUploadedFile:
    return SimpleUploadedFile(name, data)


# Notes


@pytest.mark.parametrize(
    "written",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "[tap](javascript:alert(1))",
        "[tap](JaVaScRiPt&#58;alert(1))",
        "[tap](data:text/html;base64,PHNjcmlwdD4=)",
        "<javascript:alert(1)>",
        "![x](https://elsewhere.example/spy.png)",
        '[a](https://x.example/"onmouseover=alert(1))',
        "[a]: javascript:alert(1)\n\n[a]",
        "<style>*{display:none}</style>",
    ],
)
def test_notes_have_no_tags_but_ours(written: str) -> None:
    html = notes.rendered(written)
    assert set(re.findall(r"<([a-z0-9]+)", html)) <= {"p", "a", "em", "strong", "code"}
    for attributes in re.findall(r"<[a-z0-9]+ ([^>]*)>", html):
        for name, value in re.findall(r'([^\s=]+)="([^"]*)"', attributes):
            assert name in {"href", "rel"}
            assert name == "rel" or value.startswith("https://")


def test_notes_are_lists_headings_tables_and_links() -> None:
    html = notes.rendered(
        "# 称重\n\n- a\n  - b\n\n**好**\n\n|x|y|\n|-|-|\n|1|2|\n\n[s](https://e.org)"
    )
    assert "<h3>称重</h3>" in html
    assert html.count("<ul>") == 2
    assert "<strong>好</strong>" in html
    assert "<td>2</td>" in html
    assert 'rel="noopener noreferrer nofollow"' in html


def test_deep_notes_end_somewhere() -> None:
    assert len(notes.rendered(">" * 5000 + "x")) < 100_000


def test_notes_keep_their_indents_and_lose_what_hides() -> None:
    assert notes.clean_notes("- a\n  - b\u202e\n") == "- a\n  - b"


@pytest.mark.parametrize("length", [6001, 20_000])
def test_notes_have_a_limit(draft: Course, length: int) -> None:
    lesson = draft.lessons.all()[0]
    with pytest.raises(InvalidInput) as refused:
        authoring.describe_lesson(lesson, title="One", notes="x" * length)
    assert refused.value.field == "notes"


def test_a_link_that_is_used_everywhere_makes_no_page_of_megabytes() -> None:
    address = f"[a]: https://shop.test/{'x' * 2900}\n\n"
    with pytest.raises(InvalidInput, match="long link"):
        notes.clean_notes(address + "[a]" * 750)
    assert notes.clean_notes(address + "[a]" * 20)
    assert notes.clean_notes("[a](/b)" * 850), "as many short ones as there is room for"


def test_words_of_a_published_lesson_change_with_the_next_edition(
    world: World, enrolment: Enrolment, picking: Lesson
) -> None:
    learning.report_watched(enrolment, picking, [(0, 5)])
    course = enrolment.course
    authoring.describe_lesson(picking, title="Picking well", notes="# By hand")

    def read() -> tuple[str, str]:
        entry = selectors.course_view(course, world.wang).lessons[0].entry
        return entry.title, entry.notes

    assert read() == ("Picking", "")
    authoring.publish(course)
    assert read() == ("Picking", "")
    editions.move_on(enrolment)
    assert read() == ("Picking well", "# By hand")


# Files


def test_a_file_is_kept_with_the_draft_and_saved_by_its_name(world: World, draft: Course) -> None:
    lesson = draft.lessons.all()[0]
    made = attachments.attach(lesson, file("价目 表.pdf"), actor=world.zhang)
    assert storage().read(made.key) == PDF
    assert attachments.address(made).endswith("?download=%E4%BB%B7%E7%9B%AE%20%E8%A1%A8.pdf")


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("run.exe", b"MZ"),
        ("page.html", b"<script>"),
        ("picture.svg", b"<svg/>"),
        ("noname", PDF),
        ("prices.pdf", b""),
        ("prices.pdf", b"<script>alert(1)</script>"),
        ("photo.jpg", PDF),
        ("table.xlsx", b"PK\x03\x04nonsense"),
        ("letter.docx", of_a_new_zip()),
        ("notes.txt", b"\x00\xff\xfe"),
        ("big.pdf", PDF + b"0" * attachments.LARGEST),
        ("x" * 130 + ".pdf", PDF),
    ],
    ids=lambda value: str(value)[:20],
)
def test_a_file_that_is_not_what_it_says_is_refused(
    world: World, draft: Course, name: str, data: bytes
) -> None:
    with pytest.raises(InvalidInput) as refused:
        attachments.attach(draft.lessons.all()[0], file(name, data), actor=world.zhang)
    assert refused.value.field == "file"
    assert not Attachment.objects.exists()


def test_a_lesson_and_a_course_have_room_for_so_much(
    world: World, draft: Course, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = draft.lessons.all()[:2]
    for _file in range(attachments.MOST_PER_LESSON):
        attachments.attach(first, file(), actor=world.zhang)
    with pytest.raises(Conflict):
        attachments.attach(first, file(), actor=world.zhang)
    monkeypatch.setattr(attachments, "QUOTA", attachments.taken(draft) + 10)
    with pytest.raises(Conflict):
        attachments.attach(second, file(), actor=world.zhang)
    assert Attachment.objects.count() == attachments.MOST_PER_LESSON


@pytest.mark.django_db(transaction=True)
def test_a_file_is_deleted_once_no_edition_has_it(
    world: World, course: Course, picking: Lesson
) -> None:
    kept = attachments.attach(picking, file(), actor=world.chen)
    authoring.publish(course)
    attachments.detach(picking, kept)
    assert storage().read(kept.key) == PDF, "trainees of the published edition have it"
    other = attachments.attach(picking, file("other.pdf"), actor=world.chen)
    attachments.detach(picking, other)
    assert storage().size(other.key) is None
    assert list(Attachment.objects.all()) == [kept]


def test_the_page_takes_words_and_files(world: World, draft: Course) -> None:
    zhang, lesson = as_person(world.zhang), draft.lessons.all()[0]
    path = f"{lesson.get_absolute_url()}edit/"
    zhang.post(path, {"do": "describe", "title": "Weigh", "notes": "- **full** boxes"})
    zhang.post(path, {"do": "attach", "file": BytesIO(PDF)})
    upload = file("label.pdf")
    assert zhang.post(path, {"do": "attach", "file": upload}).status_code == 302
    refused = zhang.post(path, {"do": "attach", "file": file("a.exe")})
    assert (refused.status_code, "cannot be attached" in refused.content.decode()) == (422, True)
    assert "Choose a file" in zhang.post(path, {"do": "attach"}).content.decode()
    shown = zhang.get(f"/learn/{draft.public_id}/preview/").content.decode()
    assert "<strong>full</strong> boxes" in shown
    assert "label.pdf" in shown
    for person, status in ((world.gao, 404), (world.wang, 404)):
        assert as_person(person).post(path, {"do": "describe"}).status_code == status


def test_who_has_not_joined_gets_no_files(world: World, course: Course, picking: Lesson) -> None:
    attachments.attach(picking, file(), actor=world.chen)
    authoring.publish(course)
    assert "/attachments/" not in read_course(as_person(world.li), course)
    learning.enrol(world.li, course)
    assert "/attachments/" in read_course(as_person(world.li), course)


# What comes before


@pytest.fixture
def second(world: World, course: Course, make_clip: MakeClip) -> Course:
    """Comes after `course`."""
    made = authoring.create_course(author=world.chen, title="Packing for the post")
    authoring.add_lesson(made, make_clip(), "Tape")
    authoring.publish(made)
    prerequisites.choose(made, [course])
    return made


def test_who_joins_finishes_first_what_comes_before(
    world: World, second: Course, course: Course
) -> None:
    wang = as_person(world.wang)
    html = wang.get(f"/learn/{second.public_id}/").content.decode()
    assert "Finish this first" in html
    assert f"/learn/{second.public_id}/enrol/" not in html
    assert wang.post(f"/learn/{second.public_id}/enrol/", follow=True).status_code == 200
    by_api = wang.post(f"/api/v1/courses/{second.public_id}/enrol")
    assert (by_api.status_code, "Apples on camera" in by_api.json()["detail"]) == (409, True)
    assert not second.enrolments.exists()
    done = learning.enrol(world.wang, course)
    Enrolment.objects.filter(pk=done.pk).update(completed_at=now())
    wang.post(f"/learn/{second.public_id}/enrol/")
    assert second.enrolments.count() == 1


def test_a_circle_of_courses_is_refused(second: Course, course: Course) -> None:
    for one in (second, course):
        with pytest.raises(InvalidInput) as refused:
            prerequisites.choose(course, [one])
        assert refused.value.field == "prerequisites"
    assert not course.prerequisites.exists()


def test_the_editor_sets_language_and_what_comes_before(
    world: World, second: Course, course: Course
) -> None:
    fields = {"do": "describe", "title": "Post", "summary": "", "course_language": "bo"}
    chen = as_person(world.chen)
    assert chen.post(f"/learn/{second.public_id}/edit/", fields).status_code == 302
    second.refresh_from_db()
    assert (second.language, second.prerequisites.count()) == ("bo", 0)
    chen.post(
        f"/learn/{second.public_id}/edit/", {**fields, "before": [str(course.public_id), "x"]}
    )
    assert list(second.prerequisites.all()) == [course]
    bad = chen.post(f"/learn/{second.public_id}/edit/", {**fields, "course_language": "<b>"})
    assert bad.status_code == 422


# Copies


def test_a_copy_is_a_draft_of_its_own(world: World, course: Course, picking: Lesson) -> None:
    authoring.describe_lesson(picking, title="Picking", notes="By hand")
    attachments.attach(picking, file(), actor=world.chen)
    authoring.publish(course)
    learning.enrol(world.wang, course)
    copy = cloning.clone(course, owner=world.gao, language="bo").course
    assert (copy.state, copy.created_by, copy.copied_from) == (CourseState.DRAFT, world.gao, course)
    assert titles(copy) == ["Picking", "Packing"]
    assert copy.enrolments.count() == 0
    entry = copy.editions.get().entries.get(title="Picking")
    assert entry.notes == "By hand"
    [own] = entry.attachments.all()
    assert own.key != Attachment.objects.get(course=course).key
    assert storage().read(own.key) == PDF
    authoring.remove_lesson(entry.lesson)
    assert titles(course) == ["Picking", "Packing"]


def test_a_copy_leaves_out_what_was_filmed_for_guests(
    world: World, course: Course, packing: Lesson
) -> None:
    packing.asset.is_public = False
    packing.asset.created_by = None
    packing.asset.save()
    copied = cloning.clone(course, owner=world.gao)
    assert (titles(copied.course), copied.left_out) == (["Picking"], ["Packing"])


def test_a_copy_in_another_language_is_offered_beside(world: World, course: Course) -> None:
    Course.objects.filter(pk=course.pk).update(language="zh")
    course.refresh_from_db()
    copy = cloning.clone(course, owner=world.chen, language="bo").course
    authoring.publish(copy)
    assert selectors.other_languages(course) == [copy]
    assert selectors.other_languages(copy) == [course]
    assert f'href="/learn/{copy.public_id}/"' in read_course(Client(), course)


@pytest.mark.parametrize(
    ("to", "status"), [("gao", 302), ("", 302), ("wang", 422), ("nobody", 422), ("x" * 400, 422)]
)
def test_the_editor_copies_for_who_may_make_courses(
    world: World, course: Course, to: str, status: int
) -> None:
    answer = as_person(world.chen).post(
        f"/learn/{course.public_id}/edit/", {"do": "copy", "to": to}
    )
    assert (answer.status_code, Course.objects.count()) == (status, 1 + (status == 302))


# Moving on, and preview


def test_the_course_page_tells_what_is_new_and_moves_on(
    world: World, enrolment: Enrolment, picking: Lesson, packing: Lesson, make_clip: MakeClip
) -> None:
    learning.report_watched(enrolment, picking, [(0, 20)])
    course, wang = enrolment.course, as_person(world.wang)
    authoring.remove_lesson(packing)
    authoring.add_lesson(course, make_clip("Weighing"), "Weighing")
    assert "new edition" not in read_course(wang, course)
    authoring.publish(course)
    html = read_course(wang, course)
    assert "New: Weighing" in html
    assert "No longer in it: Packing" in html
    assert wang.post(f"/learn/{course.public_id}/move-on/").status_code == 302
    html = read_course(wang, course)
    assert "There is a new edition" not in html
    assert "1 of 2 lessons done" in html


def test_others_cannot_be_moved(world: World, enrolment: Enrolment, picking: Lesson) -> None:
    before = enrolment.edition_id
    as_person(world.li).post(f"/learn/{enrolment.course.public_id}/move-on/")
    enrolment.refresh_from_db()
    assert enrolment.edition_id == before


def test_a_preview_is_what_a_newcomer_will_see_and_counts_nothing(
    world: World, course: Course, make_clip: MakeClip
) -> None:
    chen = as_person(world.chen)
    learning.enrol(world.chen, course)
    weighing = authoring.add_lesson(course, make_clip(), "Weighing")
    html = chen.get(f"/learn/{course.public_id}/preview/").content.decode()
    assert f"{weighing.get_absolute_url()}?preview" in html
    answer = chen.get(f"{weighing.get_absolute_url()}?preview")
    assert answer.context["data"]["enrolled"] is False
    assert as_person(world.wang).get(f"/learn/{course.public_id}/preview/").status_code == 403
    assert as_person(world.wang).get(f"{weighing.get_absolute_url()}?preview").status_code == 404


def test_a_clip_longer_than_three_minutes_is_no_lesson(draft: Course, make_clip: MakeClip) -> None:
    authoring.add_lesson(draft, make_clip(duration_s=180.1), "Just")
    with pytest.raises(InvalidInput):
        authoring.add_lesson(draft, make_clip(duration_s=181), "Long")


def test_quiz_and_practice_come_with_a_copy(world: World, course: Course, picking: Lesson) -> None:
    quiz = Quiz.objects.create(lesson=picking, is_open=True)
    question = quiz.questions.create(position=0)
    wording = question.wordings.create(
        kind="number", text="How heavy?", answer={"value": 5, "tolerance": 0}, explained_s=3
    )
    paper = quiz.papers.create(number=4, published_at=now())
    paper.items.create(wording=wording, position=0)
    task = PracticeTask.objects.create(lesson=picking, brief="Sell a box")
    task.goods.create(position=0, title="Apples", variant_title="5 kg", price_minor=100)
    copy = cloning.clone(course, owner=world.gao).course
    lesson = copy.lessons.get(title="Picking")
    [item] = lesson.quiz.papers.get().items.all()
    assert (item.wording.text, item.wording == wording) == ("How heavy?", False)
    assert lesson.practice_task.goods.get().title == "Apples"
