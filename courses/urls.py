"""Addresses of the courses' pages."""

from __future__ import annotations

from django.urls import path

from courses import views

urlpatterns = [
    path("learn/", views.learn, name="learn"),
    path("learn/new/", views.new_course, name="course_new"),
    path("learn/certificates/", views.my_certificates, name="certificates"),
    path("learn/<uuid:course_id>/", views.course, name="course"),
    path("learn/<uuid:course_id>/enrol/", views.enrol, name="course_enrol"),
    path("learn/<uuid:course_id>/edit/", views.edit, name="course_edit"),
    path("learn/<uuid:course_id>/<uuid:lesson_id>/", views.lesson, name="lesson"),
    path("verify/<uuid:certificate_id>/", views.verify, name="verify"),
]
