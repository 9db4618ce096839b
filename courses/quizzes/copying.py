"""The quiz of a lesson that is copied: its questions as they are put now, without any answers."""

from __future__ import annotations

from courses.models import Lesson
from courses.quizzes.models import Quiz
from courses.services.rows import copied


def copy_quiz(lesson: Lesson, copy: Lesson) -> None:
    quiz = Quiz.objects.filter(lesson=lesson).first()
    if quiz is None:
        return
    made = copied(quiz, lesson=copy, ends_at=None)
    wordings = {}
    for question in quiz.questions.filter(removed_at=None):
        again = copied(question, quiz=made)
        for wording in question.wordings.all():
            wordings[wording.pk] = copied(wording, question=again)
    paper = quiz.papers.order_by("-number").first()
    if paper is None:
        return
    first = copied(paper, quiz=made, number=1)
    for item in paper.items.filter(wording__in=list(wordings)):
        copied(item, paper=first, wording=wordings[item.wording_id])
