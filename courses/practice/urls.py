"""Addresses of practice."""

from __future__ import annotations

from django.urls import path

from courses.practice import task_views, views

LESSON = "learn/<uuid:course_id>/<uuid:lesson_id>/practice/"

urlpatterns = [
    path(LESSON, views.practice, name="lesson_practice"),
    path(f"{LESSON}edit/", task_views.edit, name="lesson_practice_edit"),
    path("learn/practice/<uuid:attempt_id>/", views.attempt, name="practice_attempt"),
    path("learn/practice/of/<uuid:show_id>/", views.of_show, name="practice_of_show"),
    path("learn/practice/join/<uuid:invite>/", views.join, name="practice_join"),
]
