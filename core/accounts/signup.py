"""The form of a new account, with a word on what each thing is for.

Apart from the other forms: django-allauth's, which this one is, imports those.
"""

from __future__ import annotations

from typing import Any

from allauth.account.forms import SignupForm
from django.utils.translation import gettext_lazy as _


class NewAccountForm(SignupForm):  # type: ignore[misc]
    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        username = self.fields["username"]
        username.label = _("User name")
        username.help_text = _("You sign in with it. Others see your name instead.")
        username.widget.attrs.pop("placeholder", None)
        username.widget.attrs["autocapitalize"] = "none"
