"""The account pages that the product has.

django-allauth brings more: those that send e-mail have no place here, where people have none and
an operator sets a forgotten password anew.
"""

from __future__ import annotations

from allauth.account import views
from django.urls import path

from core.accounts import passkey_views, phone_views

urlpatterns = [
    path("login/", views.login, name="account_login"),
    path("logout/", views.logout, name="account_logout"),
    path("signup/", views.signup, name="account_signup"),
    path("inactive/", views.account_inactive, name="account_inactive"),
    path("phone/", phone_views.number, name="account_phone"),
    path("phone/code/", phone_views.code, name="account_phone_code"),
    path("phone/name/", phone_views.name, name="account_phone_name"),
    path("passkey/options/", passkey_views.options, name="account_passkey_options"),
    path("passkey/", passkey_views.sign_in, name="account_passkey"),
    path("password/change/", views.password_change, name="account_change_password"),
    path("password/set/", views.password_set, name="account_set_password"),
]
