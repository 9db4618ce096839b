"""Addresses of the show's pages."""

from __future__ import annotations

from django.urls import path

from streams import views

urlpatterns = [
    path("shows/<uuid:show_id>/", views.show, name="show"),
    path("shows/<uuid:show_id>/playback/", views.playback, name="show_playback"),
]
