"""Addresses of quizzes: taking one, writing one, and how it is answered."""

from __future__ import annotations

from django.urls import path

from courses.quizzes import edit_views, figures_views, views

HERE = "learn/<uuid:course_id>/<uuid:lesson_id>/quiz/"

urlpatterns = [
    path(HERE, views.lesson_quiz, name="lesson_quiz"),
    path(f"{HERE}edit/", edit_views.edit, name="lesson_quiz_edit"),
    path(f"{HERE}edit/new/", edit_views.new_question, name="quiz_question_new"),
    path(f"{HERE}edit/<uuid:question_id>/", edit_views.edit_question, name="quiz_question_edit"),
    path(f"{HERE}figures/", figures_views.figures, name="lesson_quiz_figures"),
]
