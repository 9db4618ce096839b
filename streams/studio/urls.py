from __future__ import annotations

from django.urls import path

from streams.studio import (
    caption_views,
    encoder_views,
    offer_views,
    rehearsal_views,
    upload_views,
    views,
)

urlpatterns = [
    path("studio/", views.home, name="studio"),
    path("studio/shows/new/", views.schedule, name="studio_schedule"),
    path("studio/shows/<uuid:show_id>/", views.console, name="studio_show"),
    path("studio/shows/<uuid:show_id>/captions/", caption_views.captions, name="studio_captions"),
    path("studio/shows/<uuid:show_id>/offers/", offer_views.show_offers, name="studio_show_offers"),
    path(
        "studio/shows/<uuid:show_id>/offers/<uuid:variant_id>/",
        offer_views.offer_terms,
        name="studio_offer_terms",
    ),
    path(
        "studio/shows/<uuid:show_id>/offers/<uuid:variant_id>/remove/",
        offer_views.offer_remove,
        name="studio_offer_remove",
    ),
    path(
        "studio/shows/<uuid:show_id>/offers/<uuid:variant_id>/back/",
        offer_views.offer_back,
        name="studio_offer_back",
    ),
    path("studio/rehearsal/", rehearsal_views.rehearse, name="studio_rehearse"),
    path(
        "studio/rehearsals/<uuid:show_id>/ready/",
        rehearsal_views.ready,
        name="studio_rehearsal_ready",
    ),
    path(
        "studio/rehearsals/<uuid:show_id>/delete/",
        rehearsal_views.delete,
        name="studio_rehearsal_delete",
    ),
    path("studio/shows/<uuid:show_id>/tried/", rehearsal_views.tried, name="studio_tried"),
    path(
        "studio/first-show/<uuid:seller_id>/",
        rehearsal_views.first_show_list,
        name="studio_first_show_list",
    ),
    path(
        "studio/first-show/<uuid:seller_id>/delivery/",
        rehearsal_views.deliver_everywhere,
        name="studio_first_show_delivery",
    ),
    path("studio/films/", upload_views.films, name="studio_films"),
    path("studio/encoders/", encoder_views.keys, name="studio_encoders"),
    path(
        "studio/encoders/<uuid:key_id>/rotate/", encoder_views.rotate, name="studio_encoder_rotate"
    ),
    path(
        "studio/encoders/<uuid:key_id>/revoke/", encoder_views.revoke, name="studio_encoder_revoke"
    ),
]
