"""The first-run page, for who has the address that the terminal shows."""

from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters

from livecommerce.first_run import door
from livecommerce.first_run.forms import FirstRunForm
from livecommerce.first_run.services import set_up
from sellers.regions import REGIONS

BACKEND = "django.contrib.auth.backends.ModelBackend"


@never_cache
@sensitive_post_parameters("password")
def first_run(request: HttpRequest, secret: str) -> HttpResponse:
    """Ask, make it, and wait for the restart with the new settings; 404 ever after.

    Who sends it twice has seen the first answer go by, and is led to the sign-in.
    """
    try:
        door.check(secret)
        form = FirstRunForm(request.POST or None, initial=_initial())
        if request.method == "POST" and form.is_valid() and _made(request, secret, form):
            return render(request, "livecommerce/first_run_done.html")
    except door.Closed as closed:
        if request.method == "POST" and isinstance(closed, door.UsedUp):
            messages.info(request, _("This site is set up already. Sign in to go on."))
            return redirect("account_login")
        raise Http404 from None
    return render(request, "livecommerce/first_run.html", {"form": form})


def _made(request: HttpRequest, secret: str, form: FirstRunForm) -> bool:
    """Whether it is made; what is wrong with name or password stands in the form."""
    try:
        operator = set_up(secret, form.values())
    except ValidationError as error:
        form.add_error(
            "password" if not hasattr(error, "error_dict") else "username", error.messages
        )
        return False
    login(request, operator, backend=BACKEND)
    return True


def _initial() -> dict[str, object]:
    return {
        "language": get_language() or settings.LANGUAGE_CODE,
        "currency": settings.CURRENCY,
        "time_zone": settings.TIME_ZONE,
        "regions": [code for code, _name in REGIONS],
    }
