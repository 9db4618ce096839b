"""The demo's class: a quiz, trainees at their own pace, a practice task, and a certificate.

Everything comes through the services that people's pages use; only the clock is set back, so that
there has been time to learn. The practice that waits for Chen is in `practised`.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from core.accounts.models import User
from core.clock import now
from core.ids import new_id
from courses.badges import issuing
from courses.badges.terms import Shown
from courses.cohorts import places
from courses.cohorts.models import Cohort, How, Place
from courses.models import Course, Enrolment, Lesson
from courses.practice import tasks
from courses.practice.models import PracticeTask
from courses.quizzes import editing, taking
from courses.quizzes.marking import Given
from courses.quizzes.models import Kind, Quiz, Wording
from courses.quizzes.wording import Option, Written
from courses.services import learning
from livecommerce.demo.past_show import COURSE
from livecommerce.demo.world import Orchard

COHORT = "Autumn class, Lixian 礼县秋季班"
BEGAN_DAYS_AGO, WEEKLY_LESSONS = 10, 1
GRADUATED_DAYS_AGO = 30
MINUTES = "2"
PRACTISED = "trainee-fang"
"""Whose practice waits for a mentor."""
BRIEF = """\
Sell two boxes in two minutes: show the fruit close up, say the weight and the price, answer \
what is asked.
两分钟卖出两箱：近景展示果子，说清重量和价格，有问必答。"""

# One of each kind; times are the lesson's own, cut from second 15 of the show.
QUESTIONS = (
    Written(
        Kind.CHOICE,
        "A buyer asks how heavy a box is. What do you do? 买家问一箱多重，你怎么做？",
        2.0,
        options=[
            Option("Say it at once, and show the box 马上回答，并拿起箱子", is_right=True),
            Option("Wait for a second question 等别人也问"),
            Option("Write it after the show 下播后再回复"),
        ],
    ),
    Written(
        Kind.ORDER,
        "What comes first, what last? 先做什么，后做什么？",
        6.0,
        options=[
            Option("Show the fruit 展示果子"),
            Option("Answer questions 回答问题"),
            Option("Say the price 报价"),
        ],
    ),
    Written(
        Kind.NUMBER,
        "How many apples are in a 5 kg box, roughly? 5 公斤装大约有多少个苹果？",
        9.0,
        value=26.0,
        tolerance=2.0,
        unit="apples",
    ),
    Written(
        Kind.MOMENT,
        "When do the pears come on? 什么时候开始讲解雪花梨？",
        1.0,
        start_s=0.0,
        end_s=3.0,
    ),
)

Tell = Callable[[str], None]


def ensure_class(orchard: Orchard, tell: Tell) -> None:
    """Make the class, if the course is there and has none. All of it or nothing is kept."""
    course = Course.objects.filter(title=COURSE).first()
    if course is None or Cohort.objects.filter(course=course).exists():
        return
    tell("the class: a quiz, trainees, a certificate")
    with transaction.atomic():
        _make(orchard, course)


def _make(orchard: Orchard, course: Course) -> None:
    chen, users = orchard.users["chen"], orchard.users
    first, second, third = course.lessons.order_by("pk")[:3]
    quiz = _quiz(second, chen)
    # Hu Yan was done before there was a practice to do.
    _graduate(_enrolled(course, users["trainee-hu"], GRADUATED_DAYS_AGO), course, quiz)
    _task(orchard, third, chen)
    cohort = _cohort(course, chen)
    wang = _joined(cohort, users["wang"])
    _watch(wang, first)
    _watch(wang, second, share=0.5)
    fang = _joined(cohort, users[PRACTISED])
    for lesson in (first, second, third):
        _watch(fang, lesson)
    _pass(fang, quiz)
    lin = _joined(cohort, users["trainee-lin"])
    _watch(lin, first, share=0.4)


def _quiz(lesson: Lesson, chen: User) -> Quiz:
    quiz = editing.quiz_for(lesson, chen)
    for written in QUESTIONS:
        editing.add_question(quiz, written, chen)
    editing.publish(quiz, chen)
    quiz.refresh_from_db()
    return quiz


def _task(orchard: Orchard, lesson: Lesson, chen: User) -> PracticeTask:
    task = tasks.write_task(lesson, chen, brief=BRIEF, minutes=MINUTES)
    for stall in orchard.stalls[:2]:
        tasks.copy_good(task, stall.variant)
    return task


def _cohort(course: Course, chen: User) -> Cohort:
    begins_on = timezone.localdate() - timedelta(days=BEGAN_DAYS_AGO)
    terms = places.Terms(COHORT, chen, begins_on=begins_on, weekly_lessons=WEEKLY_LESSONS)
    return places.open_cohort(course, terms, chen)


def _joined(cohort: Cohort, user: User) -> Enrolment:
    place = places.join(cohort, user, How.LINK)
    joined_at = now() - timedelta(days=BEGAN_DAYS_AGO)
    Place.objects.filter(pk=place.pk).update(joined_at=joined_at)
    return _enrolled(cohort.course, user, BEGAN_DAYS_AGO)


def _enrolled(course: Course, user: User, days_ago: int) -> Enrolment:
    """Joined so long ago: nobody can have watched more than there was time for."""
    enrolment = learning.enrol(user, course)
    enrolment.started_at = now() - timedelta(days=days_ago)
    enrolment.save(update_fields=["started_at"])
    return enrolment


def _watch(enrolment: Enrolment, lesson: Lesson, *, share: float = 1.0) -> None:
    until_s = round(lesson.duration_s * share, 3)
    learning.report_watched(enrolment, lesson, [(0.0, until_s)], position_s=until_s)


def _graduate(enrolment: Enrolment, course: Course, quiz: Quiz) -> None:
    for lesson in course.lessons.all():
        _watch(enrolment, lesson)
    _pass(enrolment, quiz)
    enrolment.refresh_from_db()
    site = settings.PUBLIC_URL or f"http://localhost:{settings.CONFIG.port}"
    issuing.choose(enrolment.certificate, Shown(name=True, results=True), site)


def _pass(enrolment: Enrolment, quiz: Quiz) -> None:
    paper = editing.asked_paper(quiz)
    answers = [(one.public_id, _right(one)) for one in taking.wordings_of(paper)]
    taking.hand_in(
        enrolment, quiz.lesson, try_id=new_id(), paper_number=paper.number, answers=answers
    )


def _right(wording: Wording) -> Given:
    if wording.kind == Kind.NUMBER:
        return float(wording.answer["value"])
    if wording.kind == Kind.MOMENT:
        return float(wording.answer["start_s"])
    return list(wording.answer)
