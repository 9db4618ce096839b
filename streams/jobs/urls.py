"""Addresses of the pages of jobs, and of their buttons."""

from __future__ import annotations

from django.urls import path

from streams.jobs import views

urlpatterns = [
    path("studio/jobs/", views.studio_jobs, name="studio_jobs"),
    path("operator/jobs/", views.operator_jobs, name="operator_jobs"),
    path("studio/jobs/<uuid:job_id>/cancel/", views.cancel, name="job_cancel"),
    path("studio/jobs/<uuid:job_id>/retry/", views.retry, name="job_retry"),
]
