"""Addresses of courses that go and come as files."""

from __future__ import annotations

from django.urls import path

from courses.exchange import views

urlpatterns = [
    path("learn/import/", views.bring, name="course_import"),
    path("learn/<uuid:course_id>/export/", views.export, name="course_export"),
]
