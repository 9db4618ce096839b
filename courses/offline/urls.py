from __future__ import annotations

from django.urls import path

from courses.offline import views

urlpatterns = [
    path("learn/offline/", views.offline, name="learn_offline"),
    path("learn/offline/feed/", views.feed, name="learn_offline_feed"),
    # Here, and not among the static files: a worker is in charge of what is below its own address.
    path("learn/worker.js", views.service_worker, name="learn_worker"),
]
