"""What a show sells and on which terms: a page of its own, and a form for the console's dialog."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from core.errors import Conflict, InvalidInput, NotFound
from core.pages import page
from orders.models import Offer
from orders.selectors import with_goods
from orders.services.offers import put_on_sale
from sellers.models import Variant
from sellers.selectors import variants_on_sale
from streams.access import show_to_host
from streams.models import Show, ShowState
from streams.studio.offer_forms import OfferTermsForm

FIELDS = {"price_minor": "price"}


@require_GET
@page
def show_offers(request: HttpRequest, show_id: UUID) -> HttpResponse:
    show = _open_show(request, show_id)
    offers = list(with_goods(Offer.objects.filter(show_id=show.public_id)))
    offered = {offer.variant_id for offer in offers}
    context = {
        "show": show,
        "offers": offers,
        "others": [one for one in variants_on_sale(show.seller) if one.pk not in offered],
    }
    return render(request, "studio/show_offers.html", context)


@require_http_methods(["GET", "POST"])
@page
def offer_terms(request: HttpRequest, show_id: UUID, variant_id: UUID) -> HttpResponse:
    """The terms of one variant in a show. With `?part=1` the form alone, answered by 204 when it
    was saved: the console hears of the change on its socket.
    """
    show = _open_show(request, show_id)
    variant = variants_on_sale(show.seller).filter(public_id=variant_id).first()
    if variant is None:
        raise NotFound(_("There is nothing here, or it is not yours."))
    offer = Offer.objects.filter(show_id=show.public_id, variant=variant).first()
    form = OfferTermsForm(variant, offer, request.POST if request.method == "POST" else None)
    is_part = "part" in request.GET
    if form.is_bound and form.is_valid() and _saved(form, show, variant, offer):
        if is_part:
            return HttpResponse(status=204)
        messages.success(request, _("Saved."))
        return redirect("studio_show_offers", show_id=show_id)
    template = "studio/_offer_terms.html" if is_part else "studio/offer_terms.html"
    context = {"show": show, "variant": variant, "offer": offer, "form": form, "part": is_part}
    return render(request, template, context, status=422 if form.is_bound else 200)


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
