"""Addresses of the operators' page and of its buttons."""

from __future__ import annotations

from django.urls import path

from streams.operator import views

urlpatterns = [
    path("operator/shows/", views.shows, name="operator_shows"),
    path("operator/shows/<uuid:show_id>/stop/", views.stop, name="operator_stop"),
    path("operator/shows/<uuid:show_id>/release/", views.release, name="operator_release"),
    path("operator/shows/<uuid:show_id>/approve/", views.approve, name="operator_approve"),
    path("operator/shows/<uuid:show_id>/refuse/", views.refuse, name="operator_refuse"),
]
