"""The operators' page of the site itself: its name, language, currency and time zone."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from core.accounts.access import signed_in
from core.errors import Conflict
from core.pages import page
from livecommerce.first_run import sample, site
from livecommerce.first_run.forms import SiteForm
from livecommerce.supervisor import is_supervised
from sellers.models import Seller
from streams.access import require_operator
from streams.models import Show, ShowState


@require_http_methods(["GET", "POST"])
@never_cache
@page
def site_settings(request: HttpRequest) -> HttpResponse:
    operator = require_operator(request.user)
    form = _form(request)
    if request.method != "POST" or not form.is_valid():
        return _shown(request, form)
    try:
        changed = site.change(operator, form.cleaned_data)
    except Conflict as error:
        form.add_error("currency", error.message)
        return _shown(request, form)
    if not changed:
        messages.success(request, _("Nothing has changed, so nothing starts again."))
        return redirect("operator_site")
    context = {"restarts": is_supervised(), "go_on": reverse("operator_site")}
    return render(request, "livecommerce/site_changed.html", context)


@require_POST
@page
def sample_data(request: HttpRequest) -> HttpResponse:
    """Add the sample shop, or remove it."""
    operator = require_operator(request.user)
    if request.POST.get("do") == "add":
        sample.add(operator)
        messages.success(request, _("The sample shop is there, with a show tomorrow."))
    else:
        _remove_sample(request)
    return redirect("operator_site")


def _remove_sample(request: HttpRequest) -> None:
    try:
        removed = sample.remove(signed_in(request.user))
    except Conflict as error:
        messages.error(request, error.message)
        return
    if removed:
        messages.success(request, _("The sample shop and all that belongs to it are gone."))


def _form(request: HttpRequest) -> SiteForm:
    form = SiteForm(request.POST if request.method == "POST" else None, initial=site.values())
    for name in site.fixed():
        form.fields[name].disabled = True
    if site.why_currency_stays():
        form.fields["currency"].disabled = True
    return form


def _shown(request: HttpRequest, form: SiteForm) -> HttpResponse:
    context = {
        "form": form,
        "fixed": sorted(site.fixed().values()),
        "currency_stays": site.why_currency_stays(),
        "sellers": Seller.objects.filter(is_sandbox=False).order_by("name", "pk"),
        "live": Show.objects.filter(
            state=ShowState.LIVE, is_rehearsal=False, is_practice=False
        ).count(),
        "restarts": is_supervised(),
        "sample": (found := sample.sample()),
        "obstacles": sample.obstacles(found) if found else [],
    }
    status = 422 if form.is_bound else 200
    return render(request, "livecommerce/site.html", context, status=status)
