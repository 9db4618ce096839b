from __future__ import annotations

from django.urls import path

from streams.studio import views

urlpatterns = [
    path("studio/", views.home, name="studio"),
    path("studio/shows/new/", views.schedule, name="studio_schedule"),
    path("studio/shows/<uuid:show_id>/", views.console, name="studio_show"),
]
