"""Addresses of the courses' pages."""

from __future__ import annotations

from django.urls import include, path

from courses import editor_views, feed_views, show_views, views

urlpatterns = [
    path("learn/", feed_views.learn, name="learn"),
    path("learn/courses/", views.catalogue, name="courses"),
    path("learn/new/", editor_views.new_course, name="course_new"),
    path("learn/from/<uuid:show_id>/", show_views.course_of_show, name="course_of_show"),
    path("learn/<uuid:course_id>/", views.course, name="course"),
    path("learn/<uuid:course_id>/enrol/", views.enrol, name="course_enrol"),
    path("learn/<uuid:course_id>/edit/", editor_views.edit, name="course_edit"),
    path("learn/<uuid:course_id>/preview/", editor_views.preview, name="course_preview"),
    path("learn/<uuid:course_id>/move-on/", views.move_on, name="course_move_on"),
    path("learn/<uuid:course_id>/<uuid:lesson_id>/", views.lesson, name="lesson"),
    path(
        "learn/<uuid:course_id>/<uuid:lesson_id>/edit/",
        editor_views.edit_lesson,
        name="lesson_edit",
    ),
    path("", include("courses.exchange.urls")),
    path("", include("courses.offline.urls")),
    path("", include("courses.practice.urls")),
    path("", include("courses.quizzes.urls")),
    path("", include("courses.cohorts.urls")),
    path("", include("courses.badges.urls")),
    path("", include("courses.reviews.urls")),
]
