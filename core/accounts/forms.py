"""Forms about people."""

from __future__ import annotations

from typing import cast

from django import forms
from django.contrib.auth.forms import AdminUserCreationForm, UserChangeForm
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from core.accounts.models import User
from core.accounts.services import introduce
from core.errors import InvalidInput
from core.forms import TypedForm
from core.text import clean_line


class SignupForm(forms.Form):
    """What we ask of new people beside user name and password: what to call them."""

    display_name = forms.CharField(
        label=_("Your name"),
        max_length=60,
        help_text=_("This is what others see in the chat."),
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    field_order = ["display_name"]

    def clean_display_name(self) -> str:
        try:
            return clean_line(self.cleaned_data["display_name"], "display_name", longest=60)
        except InvalidInput as error:
            raise forms.ValidationError(error.message) from error

    def signup(self, request: HttpRequest, user: User) -> None:
        """django-allauth calls this with the new user, whom it has saved."""
        introduce(user, cast(str, self.cleaned_data["display_name"]))


class PersonForm(TypedForm, UserChangeForm):  # type: ignore[type-arg] # both are model forms
    """A person in the admin."""


class NewPersonForm(TypedForm, AdminUserCreationForm):  # type: ignore[type-arg] # likewise
    """A new person in the admin."""
