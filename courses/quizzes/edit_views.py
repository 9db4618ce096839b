"""The pages on which a quiz is written."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from core.accounts.models import User
from core.errors import AppError, InvalidInput, NotAllowed, NotFound
from core.ids import parse_id
from core.pages import id_of_form, made_once, page
from courses import selectors
from courses.models import Lesson
from courses.quizzes import access, editing, forms, proposals
from courses.quizzes.models import Kind, Question, Quiz, Wording
from courses.quizzes.proposals import Proposal
from courses.quizzes.wording import MOST_OPTIONS
from courses.templatetags.learning import clock


@page
@require_http_methods(["GET", "POST"])
def edit(request: HttpRequest, course_id: uuid.UUID, lesson_id: uuid.UUID) -> HttpResponse:
    """The questions, the rules, and what buyers asked that nobody answered."""
    lesson, person = access.lesson_to_edit(request.user, course_id, lesson_id)
    if request.method == "GET":
        return render(request, "quizzes/edit.html", _edit_context(lesson))
    action = ACTIONS.get(request.POST.get("do", ""))
    if action is None:
        raise NotFound(_("This page cannot do that."))
    quiz = editing.quiz_for(lesson, person)
    try:
        done = action(quiz, request.POST, person)
    except (NotFound, NotAllowed):
        raise
    except AppError as error:
        context = {**_edit_context(lesson), "error": error, "typed": request.POST}
        return render(request, "quizzes/edit.html", context, status=error.status)
    messages.success(request, done)
    return redirect("lesson_quiz_edit", course_id, lesson_id)


def _edit_context(lesson: Lesson) -> dict[str, Any]:
    quiz = Quiz.objects.filter(lesson=lesson).first()
    wordings = editing.current_wordings(quiz) if quiz else []
    removed = quiz.questions.exclude(removed_at=None) if quiz else Question.objects.none()
    return {
        "lesson": lesson,
        "quiz": quiz,
        "ends_at": timezone.localtime(quiz.ends_at) if quiz and quiz.ends_at else None,
        "wordings": [{"wording": one, "answers": answers_in_words(one)} for one in wordings],
        "removed": [one.wordings.last() for one in removed.order_by("-removed_at")[:5]],
        "has_changes": quiz is not None and bool(wordings) and editing.has_changes(quiz),
        "proposals": proposals.proposals(lesson, quiz),
        "tries": quiz_tries(quiz),
    }


def quiz_tries(quiz: Quiz | None) -> int:
    return sum(paper.tries.count() for paper in quiz.papers.all()) if quiz else 0


def answers_in_words(wording: Wording) -> list[dict[str, Any]]:
    """The lines below a question in a list: what can be answered, and what is right."""
    answer = wording.answer
    if wording.kind == Kind.NUMBER:
        text = f"{answer['value']:g} {wording.unit}".strip()
        if answer["tolerance"]:
            text = f"{text} ± {answer['tolerance']:g}"
        return [{"text": text, "is_right": True}]
    if wording.kind == Kind.MOMENT:
        text = f"{clock(answer['start_s'])}–{clock(answer['end_s'])}"
        return [{"text": text, "is_right": True}]
    is_order = wording.kind == Kind.ORDER
    return [
        {"text": one["text"], "is_right": not is_order and one["id"] in answer}
        for one in wording.options
    ]


# What the buttons of the list do.


def _rules(quiz: Quiz, sent: QueryDict, person: User) -> str:
    percent = sent.get("pass_percent", "").strip()
    if not percent.isdecimal():
        raise InvalidInput(_("Write 1 to 100 percent."), field="pass_percent")
    editing.set_rules(
        quiz, pass_percent=int(percent[:4]), ends_at=_moment(sent.get("ends_at", "").strip())
    )
    return _("Saved.")


def _moment(typed: str) -> datetime | None:
    """What a field of date and time sends, in the site's time zone; `None` for nothing."""
    if not typed:
        return None
    try:
        found = parse_datetime(typed)
    except ValueError:  # looks like one, and is none: 31 February
        found = None
    if found is None or not 2000 <= found.year <= 2200:
        raise InvalidInput(_("Write a date and a time."), field="ends_at")
    return found if timezone.is_aware(found) else timezone.make_aware(found)


def _publish(quiz: Quiz, sent: QueryDict, person: User) -> str:
    editing.publish(quiz, person)
    return _("Published. The lesson is done only with this quiz passed.")


def _close(quiz: Quiz, sent: QueryDict, person: User) -> str:
    editing.close(quiz)
    return _("The quiz is closed. What was answered is kept.")


def _up(quiz: Quiz, sent: QueryDict, person: User) -> str:
    editing.move_question(_posted(quiz, sent), to="up")
    return _("Moved up.")


def _down(quiz: Quiz, sent: QueryDict, person: User) -> str:
    editing.move_question(_posted(quiz, sent), to="down")
    return _("Moved down.")


def _remove(quiz: Quiz, sent: QueryDict, person: User) -> str:
    editing.remove_question(_posted(quiz, sent))
    return _("Taken out. It is below, and can be put back.")


def _put_back(quiz: Quiz, sent: QueryDict, person: User) -> str:
    editing.put_back(_posted(quiz, sent))
    return _("It is back.")


def _set_aside(quiz: Quiz, sent: QueryDict, person: User) -> str:
    found = parse_id(sent.get("proposal", ""))
    if found is None or proposals.proposal(quiz.lesson, quiz, found) is None:
        raise NotFound(_("There is no such question."))
    editing.set_aside(quiz, found)
    return _("It is not proposed any more.")


def _posted(quiz: Quiz, sent: QueryDict) -> Question:
    found = parse_id(sent.get("question", ""))
    if found is None:
        raise NotFound(_("There is no such question."))
    return access.question_to_edit(quiz, found)


ACTIONS: dict[str, Callable[[Quiz, QueryDict, User], str]] = {
    "rules": _rules,
    "publish": _publish,
    "close": _close,
    "up": _up,
    "down": _down,
    "remove": _remove,
    "put_back": _put_back,
    "set_aside": _set_aside,
}


# One question.


@page
@require_http_methods(["GET", "POST"])
def new_question(request: HttpRequest, course_id: uuid.UUID, lesson_id: uuid.UUID) -> HttpResponse:
    """A question of the teacher's own, or one made of what a buyer asked (`?from=`)."""
    lesson, person = access.lesson_to_edit(request.user, course_id, lesson_id)
    source = _source(lesson, request.GET.get("from", ""))
    if request.method == "GET":
        return _writer(request, lesson, _blank(source), source=source)
    quiz, made_id = editing.quiz_for(lesson, person), id_of_form(request)
    add = partial(_add, quiz, request.POST, person, source, made_id)
    try:
        made_once(add, Question.objects.filter(public_id=made_id))
    except AppError as error:
        return _writer(request, lesson, _typed(request.POST), source=source, error=error)
    messages.success(request, _("The question is written. Publish to ask it."))
    return redirect("lesson_quiz_edit", course_id, lesson_id)


def _add(
    quiz: Quiz, sent: QueryDict, person: User, source: Proposal | None, made_id: uuid.UUID
) -> Question:
    written = forms.written_of(sent)
    return editing.add_question(quiz, written, person, proposal=source, public_id=made_id)


@page
@require_http_methods(["GET", "POST"])
def edit_question(
    request: HttpRequest, course_id: uuid.UUID, lesson_id: uuid.UUID, question_id: uuid.UUID
) -> HttpResponse:
    lesson, person = access.lesson_to_edit(request.user, course_id, lesson_id)
    question = access.question_to_edit(editing.quiz_for(lesson, person), question_id)
    wording = question.wordings.latest("id")
    if request.method == "GET":
        return _writer(request, lesson, _of_wording(wording), question=question)
    try:
        editing.reword(question, forms.written_of(request.POST), person)
    except AppError as error:
        return _writer(request, lesson, _typed(request.POST), question=question, error=error)
    messages.success(request, _("Saved. Publish to ask it like this."))
    return redirect("lesson_quiz_edit", course_id, lesson_id)


def _source(lesson: Lesson, typed: str) -> Proposal | None:
    found = parse_id(typed)
    quiz = Quiz.objects.filter(lesson=lesson).first()
    return proposals.proposal(lesson, quiz, found) if found else None


def _writer(
    request: HttpRequest,
    lesson: Lesson,
    values: dict[str, Any],
    *,
    question: Question | None = None,
    source: Proposal | None = None,
    error: AppError | None = None,
) -> HttpResponse:
    context = {
        "lesson": lesson,
        "film_url": selectors.film_url(lesson),
        "poster_url": selectors.poster_url(lesson.asset),
        "question": question,
        "source": source,
        "values": values,
        "kinds": Kind.choices,
        "error": error,
    }
    status = error.status if error else 200
    return render(request, "quizzes/question.html", context, status=status)


def _blank(source: Proposal | None) -> dict[str, Any]:
    at_s = source.at_s if source else None
    return {
        "kind": Kind.CHOICE,
        "text": source.text if source else "",
        "explained_s": "" if at_s is None else clock(at_s),
        "options": _option_rows([]),
    }


def _typed(sent: QueryDict) -> dict[str, Any]:
    right = set(sent.getlist("right"))
    rows = [
        (sent.get(f"option-{n}", ""), str(n) in right, sent.get(f"option-id-{n}", "")[:8])
        for n in range(MOST_OPTIONS)
    ]
    return {**sent.dict(), "options": _option_rows(rows)}


def _of_wording(wording: Wording) -> dict[str, Any]:
    answer = wording.answer
    rows = [
        (one["text"], wording.kind == Kind.CHOICE and one["id"] in answer, one["id"])
        for one in wording.options
    ]
    values = {
        "kind": wording.kind,
        "text": wording.text,
        "unit": wording.unit,
        "explained_s": clock_exact(wording.explained_s),
        "options": _option_rows(rows),
    }
    if wording.kind == Kind.NUMBER:
        value, tolerance = f"{answer['value']:.12g}", f"{answer['tolerance']:.12g}"
        return {**values, "value": value, "tolerance": tolerance}
    if wording.kind == Kind.MOMENT:
        start, end = clock_exact(answer["start_s"]), clock_exact(answer["end_s"])
        return {**values, "start_s": start, "end_s": end}
    return values


def _option_rows(rows: list[tuple[str, bool, str]]) -> list[dict[str, Any]]:
    filled = rows + [("", False, "")] * (MOST_OPTIONS - len(rows))
    return [
        {"number": number, "text": text, "is_right": is_right, "id": option_id}
        for number, (text, is_right, option_id) in enumerate(filled)
    ]


def clock_exact(seconds: float) -> str:
    """`75.4` as "1:15.4": what is saved again unchanged stays what it was."""
    minutes, rest = divmod(round(seconds, 2), 60)
    return f"{int(minutes)}:{rest:05.2f}".removesuffix(".00")
