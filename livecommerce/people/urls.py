"""Addresses of one's own account, of invitations, and of the operators' pages about people."""

from __future__ import annotations

from django.urls import path

from livecommerce.people import (
    account_views,
    join_views,
    operator_views,
    passkey_views,
    shop_views,
    way_back_views,
)

urlpatterns = [
    path("join/<str:token>/", join_views.join, name="join"),
    path("way-back/<str:token>/", way_back_views.way_back, name="way_back"),
    path("me/", account_views.account, name="my_account"),
    path("me/details/", account_views.details, name="my_details"),
    path("me/devices/", account_views.devices, name="my_devices"),
    path("me/devices/sign-out/", account_views.sign_out_everywhere, name="my_devices_end"),
    path("me/devices/<uuid:device_id>/", account_views.sign_out_device, name="my_device_end"),
    path("me/tokens/", account_views.tokens, name="my_tokens"),
    path("me/tokens/<uuid:token_id>/revoke/", account_views.revoke_token, name="my_token_revoke"),
    path("me/passkeys/", passkey_views.passkeys, name="my_passkeys"),
    path("me/passkeys/options/", passkey_views.options, name="my_passkey_options"),
    path("me/passkeys/add/", passkey_views.add, name="my_passkey_add"),
    path("me/passkeys/<uuid:passkey_id>/rename/", passkey_views.rename, name="my_passkey_rename"),
    path("me/passkeys/<uuid:passkey_id>/remove/", passkey_views.remove, name="my_passkey_remove"),
    path("me/data/", account_views.data, name="my_data"),
    path("me/leave/", account_views.leave, name="my_leave"),
    path("operator/people/", operator_views.people, name="operator_people"),
    path("operator/people/invite/", operator_views.invite, name="operator_invite"),
    path("operator/people/shops/", shop_views.add, name="operator_shop_add"),
    path(
        "operator/people/sheets/<uuid:batch>/",
        operator_views.sheet,
        name="operator_invitation_sheet",
    ),
    path(
        "operator/people/invitations/<uuid:invitation_id>/revoke/",
        operator_views.revoke,
        name="operator_invitation_revoke",
    ),
    path("operator/people/ways-back/", way_back_views.make, name="operator_way_back_make"),
    path(
        "operator/people/ways-back/<uuid:way_id>/",
        way_back_views.made,
        name="operator_way_back",
    ),
    path(
        "operator/people/ways-back/<uuid:way_id>/revoke/",
        way_back_views.revoke,
        name="operator_way_back_revoke",
    ),
    path(
        "operator/people/<uuid:seller_id>/<uuid:user_id>/",
        operator_views.member,
        name="operator_member",
    ),
]
