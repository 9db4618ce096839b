"""The pages of a rehearsal: opening one, being ready, looking at it afterwards, deleting it."""

from __future__ import annotations

import json
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from core.accounts.access import signed_in
from core.errors import Conflict, NotFound
from core.ids import new_id, parse_id
from core.pages import page
from sellers.models import Seller
from sellers.services.zones import ZoneTerms, add_zone
from streams.access import no_such_show, show_to_host
from streams.models import Show
from streams.services import readiness, rehearsals
from streams.services.shows import LONGEST_REHEARSAL
from streams.studio import access, selectors


@require_http_methods(["GET", "POST"])
@page
def rehearse(request: HttpRequest) -> HttpResponse:
    """What a rehearsal is, and the button that opens it."""
    user = signed_in(request.user)
    asked = request.POST.get("seller") or request.GET.get("seller", "")
    seller = access.seller_to_schedule_for(user, parse_id(asked))
    if request.method == "POST":
        rehearsal = rehearsals.open_rehearsal(seller, user)
        return redirect("studio_show", show_id=rehearsal.public_id)
    context = {
        "seller": seller,
        "sellers": access.schedulable_sellers(user),
        "minutes": _minutes(),
        "next_show": rehearsals.next_show(seller, user),
        "has_goods": rehearsals.has_goods(seller),
    }
    return render(request, "studio/rehearse.html", context)


@require_POST
@page
def ready(request: HttpRequest, show_id: UUID) -> HttpResponse:
    """End the rehearsal and go on to the real show: the next one, or one to be scheduled."""
    rehearsal = _rehearsal(request, show_id)
    coming = rehearsals.finish(rehearsal, signed_in(request.user))
    if coming is not None:
        messages.success(request, _("The rehearsal is over. This is the real show."))
        return redirect("studio_show", show_id=coming.public_id)
    messages.success(request, _("The rehearsal is over. Now say when the real show begins."))
    return redirect(f"{reverse('studio_schedule')}?seller={rehearsal.seller.public_id}")


@require_POST
@page
def delete(request: HttpRequest, show_id: UUID) -> HttpResponse:
    rehearsal = _rehearsal(request, show_id)
    try:
        rehearsals.delete(rehearsal, signed_in(request.user))
    except Conflict as error:
        messages.error(request, error.message)
        return redirect("studio_show", show_id=show_id)
    messages.success(request, _("The rehearsal and all that was filmed in it are deleted."))
    return redirect("studio")


@require_POST
@page
def tried(request: HttpRequest, show_id: UUID) -> HttpResponse:
    """The console tells which of its checks have passed: `{"passed": ["camera", "network"]}`."""
    show = show_to_host(request.user, show_id)
    try:
        passed = json.loads(request.body)["passed"]
    except (ValueError, TypeError, KeyError):
        return HttpResponseBadRequest()
    if not isinstance(passed, list):
        return HttpResponseBadRequest()
    names = {one for one in passed if isinstance(one, str)}
    readiness.note_passed(show, signed_in(request.user), names)
    return HttpResponse(status=204)


@require_POST
@page
def first_show_list(request: HttpRequest, seller_id: UUID) -> HttpResponse:
    """Bring the list for the first show back, or put it away."""
    user = signed_in(request.user)
    seller = _kept(request, seller_id)
    readiness.show_list(seller, user, wanted=request.POST.get("wanted") == "yes")
    return redirect("studio")


@require_POST
@page
def deliver_everywhere(request: HttpRequest, seller_id: UUID) -> HttpResponse:
    """The seller has thought about delivery, and means what holds where nothing was said."""
    seller = _kept(request, seller_id)
    if not seller.zones.exists():
        zone = ZoneTerms(name=_("Everywhere, for nothing"))
        add_zone(seller, signed_in(request.user), zone, public_id=new_id())
    return redirect("studio")


def _kept(request: HttpRequest, seller_id: UUID) -> Seller:
    seller = access.schedulable_sellers(request.user).filter(public_id=seller_id).first()
    if seller is None:
        raise NotFound(_("There is nothing here, or it is not yours."))
    return seller


def over(request: HttpRequest, rehearsal: Show) -> HttpResponse:
    """An ended rehearsal, for its host."""
    replay = selectors.replay_data(rehearsal.public_id)
    context = {
        "show": rehearsal,
        "replay": replay,
        "gone_at": rehearsals.gone_at(rehearsal),
        "next_show": rehearsals.next_show(rehearsal.seller, rehearsal.host),
        "rehearsal": {
            "state": replay["state"],
            "url": replay.get("url"),
            "playback_url": reverse("show_playback", args=[rehearsal.public_id]),
        },
    }
    return render(request, "studio/rehearsal_over.html", context)


def _rehearsal(request: HttpRequest, show_id: UUID) -> Show:
    show = show_to_host(request.user, show_id)
    if not show.is_rehearsal:
        raise no_such_show()
    return show


def _minutes() -> int:
    return int(LONGEST_REHEARSAL.total_seconds() // 60)
