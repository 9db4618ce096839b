"""Addresses of classes."""

from __future__ import annotations

from django.urls import path

from courses.cohorts import lead_views, people_views, views

HERE = "learn/cohorts/<uuid:cohort_id>/"

urlpatterns = [
    path("learn/cohorts/", views.cohorts, name="cohorts"),
    path("learn/join/<uuid:class_link>/", views.join, name="cohort_join"),
    path("learn/<uuid:course_id>/cohorts/new/", lead_views.new, name="cohort_new"),
    path(HERE, views.cohort, name="cohort"),
    path(f"{HERE}leave/", views.leave, name="cohort_leave"),
    path(f"{HERE}settings/", lead_views.settings, name="cohort_settings"),
    path(f"{HERE}message/", lead_views.message, name="cohort_message"),
    path(f"{HERE}people/", people_views.people, name="cohort_people"),
    path(f"{HERE}people/codes/", people_views.codes, name="cohort_codes"),
    path(f"{HERE}lists/<uuid:roster_id>/", people_views.roster, name="cohort_roster"),
]
