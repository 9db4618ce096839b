"""Addresses of certificates, and those at which verifiers everywhere look."""

from __future__ import annotations

from django.urls import path

from courses.badges import public_views, rule_views, views

urlpatterns = [
    path("learn/certificates/", views.my_certificates, name="certificates"),
    path("learn/<uuid:course_id>/badge/", rule_views.course_badge, name="course_badge"),
    path("verify/", views.verify_any, name="verify_any"),
    path("verify/<uuid:certificate_id>/", views.verify, name="verify"),
    path("verify/<uuid:certificate_id>/show/", views.show, name="verify_show"),
    path("verify/<uuid:certificate_id>/revoke/", views.revoke, name="verify_revoke"),
    path("verify/<uuid:certificate_id>/restore/", views.restore, name="verify_restore"),
    path("verify/<uuid:certificate_id>/practice/", views.practice, name="verify_practice"),
    path("verify/<uuid:certificate_id>/badge.png", views.picture, name="verify_picture"),
    path("verify/<uuid:certificate_id>/badge.jwt", views.token, name="verify_token"),
    path("badges/issuer/", public_views.issuer, name="badge_issuer"),
    path("badges/jwks.json", public_views.jwks, name="badge_jwks"),
    path("badges/keys/<str:kid>/", public_views.key, name="badge_key"),
    path("badges/status/<int:number>/", public_views.status_list, name="badge_status"),
    path("badges/<uuid:badge_id>/", public_views.badge, name="badge"),
    path(
        "badges/courses/<uuid:course_id>.png",
        public_views.course_picture,
        name="course_badge_picture",
    ),
]
