"""What a show sells and on which terms: a page of its own, and a form for the console's dialog."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from core.errors import Conflict, InvalidInput, NotFound
from core.pages import page
from orders.models import Offer
from orders.selectors import with_goods
from orders.services.offers import put_on_sale, take_off_sale
from orders.terms import too_little_alone
from sellers.models import Variant
from sellers.selectors import variants_on_sale
from streams.access import show_to_host
from streams.models import Show, ShowState
from streams.studio.offer_forms import OfferTermsForm

FIELDS = {"price_minor": "price"}
TAKEN_OUT = "offers_taken_out"
MOST_TAKEN_OUT = 20
"""So many sets of terms are remembered, in the session, to be put back with one tap."""
KEPT_TERMS = ("price_minor", "position", "quantity", "per_buyer", "on_tap", "lasts_s")
KEPT_TIMES = ("opens_at", "closes_at")


@require_GET
@page
def show_offers(request: HttpRequest, show_id: UUID) -> HttpResponse:
    show = _open_show(request, show_id)
    offers = list(with_goods(Offer.objects.filter(show_id=show.public_id)))
    offered = {offer.variant_id for offer in offers}
    others = [one for one in variants_on_sale(show.seller) if one.pk not in offered]
    kept = request.session.get(TAKEN_OUT, {})
    context = {
        "show": show,
        "offers": offers,
        "too_little": {offer.pk for offer in offers if too_little_alone(offer)},
        "others": [(one, _name(show, one) in kept) for one in others],
    }
    return render(request, "studio/show_offers.html", context)


@require_http_methods(["GET", "POST"])
@page
def offer_terms(request: HttpRequest, show_id: UUID, variant_id: UUID) -> HttpResponse:
    """The terms of one variant in a show. With `?part=1` the form alone, answered by 204 when it
    was saved: the console hears of the change on its socket.
    """
    show = _open_show(request, show_id)
    variant = _variant(show, variant_id)
    offer = Offer.objects.filter(show_id=show.public_id, variant=variant).first()
    form = OfferTermsForm(variant, offer, request.POST if request.method == "POST" else None)
    is_part = "part" in request.GET
    if form.is_bound and form.is_valid() and _saved(form, show, variant, offer):
        if is_part:
            return HttpResponse(status=204)
        messages.success(request, _("Saved."))
        return redirect("studio_show_offers", show_id=show_id)
    template = "studio/_offer_terms.html" if is_part else "studio/offer_terms.html"
    context = {
        "show": show,
        "variant": variant,
        "offer": offer,
        "form": form,
        "part": is_part,
        "too_little": offer is not None and too_little_alone(offer),
    }
    return render(request, template, context, status=422 if form.is_bound else 200)


@require_POST
@page
def offer_remove(request: HttpRequest, show_id: UUID, variant_id: UUID) -> HttpResponse:
    """Out of the show at once; what was ordered stays ordered."""
    show = _open_show(request, show_id)
    variant = _variant(show, variant_id)
    offer = take_off_sale(show.public_id, variant)
    if offer is not None:
        _keep_terms(request, show, variant, offer)
        told = _("“%(title)s” is not on sale in this show any more. What was ordered stays so.")
        messages.success(request, told % {"title": variant})
    return redirect("studio_show_offers", show_id=show_id)


@require_POST
@page
def offer_back(request: HttpRequest, show_id: UUID, variant_id: UUID) -> HttpResponse:
    """On sale again, on the terms that it had; where they are not kept any more, they are asked."""
    show = _open_show(request, show_id)
    variant = _variant(show, variant_id)
    kept = request.session.get(TAKEN_OUT, {})
    terms = kept.pop(_name(show, variant), None)
    if terms is None:
        return redirect("studio_offer_terms", show_id=show_id, variant_id=variant_id)
    request.session[TAKEN_OUT] = kept
    if not Offer.objects.filter(show_id=show.public_id, variant=variant).exists():
        times = {name: parse_datetime(terms[name] or "") for name in KEPT_TIMES}
        put_on_sale(show.public_id, variant, **terms | times)
    messages.success(request, _("“%(title)s” is on sale again.") % {"title": variant})
    return redirect("studio_show_offers", show_id=show_id)


def _keep_terms(request: HttpRequest, show: Show, variant: Variant, offer: Offer) -> None:
    terms: dict[str, Any] = {name: getattr(offer, name) for name in KEPT_TERMS}
    for name in KEPT_TIMES:
        moment = getattr(offer, name)
        terms[name] = moment.isoformat() if moment else None
    kept = [*request.session.get(TAKEN_OUT, {}).items(), (_name(show, variant), terms)]
    request.session[TAKEN_OUT] = dict(kept[-MOST_TAKEN_OUT:])


def _name(show: Show, variant: Variant) -> str:
    return f"{show.public_id}/{variant.public_id}"


def _variant(show: Show, variant_id: UUID) -> Variant:
    variant = variants_on_sale(show.seller).filter(public_id=variant_id).first()
    if variant is None:
        raise NotFound(_("There is nothing here, or it is not yours."))
    return variant


def _saved(form: OfferTermsForm, show: Show, variant: Variant, offer: Offer | None) -> bool:
    """Whether it could be saved; what is wrong stands in the form then."""
    position = offer.position if offer else _last_position(show)
    try:
        put_on_sale(show.public_id, variant, position=position, **form.terms())
    except (InvalidInput, Conflict) as error:
        field = FIELDS.get(error.field or "", error.field)
        form.add_error(field if field in form.fields else None, error.message)
        return False
    return True


def _last_position(show: Show) -> int:
    return Offer.objects.filter(show_id=show.public_id).count()


def _open_show(request: HttpRequest, show_id: UUID) -> Show:
    """The show, for who may host it, while it is not over: its offers are history then."""
    show = show_to_host(request.user, show_id)
    if show.state == ShowState.ENDED:
        raise NotFound(_("This show is over."))
    return show
