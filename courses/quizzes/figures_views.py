"""The page of how a quiz is answered."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from core.errors import NotFound
from core.ids import parse_id
from core.pages import page
from courses.quizzes import access, taking
from courses.quizzes.figures import figures_of
from courses.quizzes.models import Quiz


@page
@require_http_methods(["GET", "POST"])
def figures(request: HttpRequest, course_id: uuid.UUID, lesson_id: uuid.UUID) -> HttpResponse:
    """A post lets one late try count."""
    lesson, _person = access.lesson_to_edit(request.user, course_id, lesson_id)
    quiz = Quiz.objects.filter(lesson=lesson).first()
    if request.method == "POST":
        late = parse_id(request.POST.get("try", ""))
        if quiz is None or late is None:
            raise NotFound(_("There is nothing here, or it is not yours."))
        taking.count_late(access.late_try(quiz, late))
        messages.success(request, _("These answers count now."))
        return redirect("lesson_quiz_figures", course_id, lesson_id)
    context = {"lesson": lesson, "quiz": quiz, "figures": figures_of(quiz) if quiz else None}
    return render(request, "quizzes/figures.html", context)
