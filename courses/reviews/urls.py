"""Addresses of the pages of reviews."""

from __future__ import annotations

from django.urls import path

from courses.reviews import views

urlpatterns = [
    path("learn/reviews/", views.queue, name="review_queue"),
    path("learn/reviews/<uuid:attempt_id>/", views.review, name="review"),
    path("learn/reviews/<uuid:attempt_id>/claim/", views.claim, name="review_claim"),
    path("learn/reviews/<uuid:attempt_id>/give-back/", views.give_back, name="review_give_back"),
    path("learn/<uuid:course_id>/rubric/", views.rubric_edit, name="rubric_edit"),
]
