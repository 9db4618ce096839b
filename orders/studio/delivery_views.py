"""How a seller delivers and on which terms: zones, pick-up points, and what is paid when."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from uuid import UUID

from django import forms
from django.contrib import messages
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from core.accounts.access import signed_in
from core.errors import Conflict, InvalidInput, NotFound
from core.ids import parse_id
from core.money import format_money, to_minor
from core.pages import id_of_form, made_once, page
from orders.errors import NotDelivered
from orders.fees import delivery_fee
from orders.models import GONE, OrderState
from orders.payments import providers
from orders.studio import access
from sellers.access import KEEPERS, member_of
from sellers.delivery_forms import (
    FeeForm,
    PointForm,
    TermsForm,
    ZoneForm,
    grams,
    told_point,
    told_terms,
    told_zone,
)
from sellers.models import DeliveryZone, PickupPoint, Seller
from sellers.regions import REGIONS, region_label
from sellers.services import points, terms, zones

OVER = [*GONE, OrderState.DELIVERED, OrderState.REFUNDED]


@dataclass(frozen=True, slots=True)
class ZoneCard:
    """A zone in words."""

    zone: DeliveryZone
    regions: list[str]
    base_fee: str
    step_fee: str
    free_from: str


@require_GET
@page
def delivery(request: HttpRequest) -> HttpResponse:
    return _page(request, _seller(request))


def _page(
    request: HttpRequest, seller: Seller, *, terms_form: TermsForm | None = None
) -> HttpResponse:
    found = list(seller.zones.all())
    fee_form = FeeForm(request.GET if "kg" in request.GET else None)
    context = {
        "seller": seller,
        "sellers": access.sellers_for(request.user, *KEEPERS),
        "zones": [_card(zone, seller.currency) for zone in found],
        "unnamed": _unnamed(found),
        "points": _points(seller),
        "has_online": bool(providers()),
        "terms_form": terms_form or TermsForm(initial=told_terms(seller)),
        "fee_form": fee_form,
        "fee": _fee(fee_form, found, seller) if fee_form.is_bound else "",
    }
    status = 422 if terms_form is not None else 200
    return render(request, "studio/delivery.html", context, status=status)


def _points(seller: Seller) -> QuerySet[PickupPoint]:
    """The seller's points, the open ones first, each with how many orders it waits for."""
    waiting = Count("order", filter=~Q(order__state__in=OVER))
    return seller.pickup_points.annotate(waiting=waiting).order_by("-is_active", "name", "pk")


def _card(zone: DeliveryZone, currency: str) -> ZoneCard:
    free_from = zone.free_from_minor
    return ZoneCard(
        zone=zone,
        regions=[region_label(code) for code in zone.regions],
        base_fee=format_money(zone.base_fee_minor, currency),
        step_fee=format_money(zone.step_fee_minor, currency) if zone.step_fee_minor else "",
        free_from="" if free_from is None else format_money(free_from, currency),
    )


def _unnamed(found: list[DeliveryZone]) -> list[str]:
    """The regions that no zone covers: there is no delivery there."""
    if not found or any(not zone.regions for zone in found):
        return []
    named = {code for zone in found for code in zone.regions}
    return [str(label) for code, label in REGIONS if code not in named]


def _fee(form: FeeForm, found: list[DeliveryZone], seller: Seller) -> str:
    """The calculator's answer as a sentence; "" for a form that is wrong."""
    if not form.is_valid():
        return ""
    typed = form.cleaned_data
    goods_minor = to_minor(typed["goods"], seller.currency) if typed["goods"] else 0
    kilograms = f"{typed['kg'].normalize():f}"
    said = {"kg": kilograms, "region": region_label(typed["region"])}
    try:
        fee = delivery_fee(found, typed["region"], grams(typed["kg"], 0), goods_minor)
    except NotDelivered:
        return _("You do not deliver to %(region)s.") % said
    if not fee:
        return _("%(kg)s kg to %(region)s cost nothing.") % said
    return _("%(kg)s kg to %(region)s cost %(fee)s.") % {
        **said,
        "fee": format_money(fee, seller.currency),
    }


@require_POST
@page
def terms_change(request: HttpRequest) -> HttpResponse:
    seller, form = _seller(request), TermsForm(request.POST)
    change = partial(_change_terms, form, seller, request)
    if form.is_valid() and _done(form, change):
        messages.success(request, _("Saved."))
        return _back(seller)
    return _page(request, seller, terms_form=form)


def _change_terms(form: TermsForm, seller: Seller, request: HttpRequest) -> None:
    typed = form.cleaned_data
    if typed["takes_online"] and not typed["takes_cash"] and not providers():
        # Else nobody could buy at all, and nobody would say why.
        message = _("Payment online is not set up on this site yet. Please take cash, too.")
        raise InvalidInput(message, field="takes_cash")
    terms.change_terms(seller, signed_in(request.user), form.terms(seller.currency))


@require_http_methods(["GET", "POST"])
@page
def zone_new(request: HttpRequest) -> HttpResponse:
    seller, actor = _seller(request), signed_in(request.user)
    form = ZoneForm(request.POST or None, initial=_of_new_zone(seller))
    public_id = id_of_form(request)

    def add() -> None:
        asked = form.terms(seller.currency)
        make = partial(zones.add_zone, seller, actor, asked, public_id=public_id)
        made_once(make, DeliveryZone.objects.filter(public_id=public_id))

    if form.is_valid() and _done(form, add):
        return _back(seller)
    return _zone_page(request, seller, form, None)


def _of_new_zone(seller: Seller) -> dict[str, object]:
    """The first zone is mostly for everywhere; so its name is there already."""
    return {} if seller.zones.exists() else {"name": _("everywhere")}


@require_http_methods(["GET", "POST"])
@page
def zone_edit(request: HttpRequest, zone_id: UUID) -> HttpResponse:
    zone = _zone(request, zone_id)
    form = ZoneForm(request.POST or None, initial=told_zone(zone))
    actor = signed_in(request.user)

    def edit() -> None:
        zones.edit_zone(zone, actor, form.terms(zone.seller.currency))

    if form.is_valid() and _done(form, edit):
        return _back(zone.seller)
    return _zone_page(request, zone.seller, form, zone)


@require_POST
@page
def zone_remove(request: HttpRequest, zone_id: UUID) -> HttpResponse:
    zone = _zone(request, zone_id)
    zones.remove_zone(zone, signed_in(request.user))
    messages.success(request, _("“%(name)s” is gone.") % {"name": zone.name})
    return _back(zone.seller)


def _zone_page(
    request: HttpRequest, seller: Seller, form: ZoneForm, zone: DeliveryZone | None
) -> HttpResponse:
    others = seller.zones.exclude(pk=zone.pk) if zone else seller.zones.all()
    context = {
        "seller": seller,
        "form": form,
        "zone": zone,
        "taken": {code: other.name for other in others for code in other.regions},
        "has_rest": any(not other.regions for other in others),
    }
    status = 422 if form.is_bound else 200
    return render(request, "studio/delivery_zone.html", context, status=status)


@require_http_methods(["GET", "POST"])
@page
def point_new(request: HttpRequest) -> HttpResponse:
    seller, actor = _seller(request), signed_in(request.user)
    form, public_id = PointForm(request.POST or None), id_of_form(request)

    def add() -> None:
        make = partial(points.add_point, seller, actor, public_id=public_id, **form.cleaned_data)
        made_once(make, PickupPoint.objects.filter(public_id=public_id))

    if form.is_valid() and _done(form, add):
        return _back(seller, "points")
    return _point_page(request, seller, form, None)


@require_http_methods(["GET", "POST"])
@page
def point_edit(request: HttpRequest, point_id: UUID) -> HttpResponse:
    point = _point(request, point_id)
    form, actor = PointForm(request.POST or None, initial=told_point(point)), request.user

    def edit() -> None:
        points.edit_point(point, signed_in(actor), **form.cleaned_data)

    if form.is_valid() and _done(form, edit):
        return _back(point.seller, "points")
    return _point_page(request, point.seller, form, point)


@require_POST
@page
def point_open(request: HttpRequest, point_id: UUID) -> HttpResponse:
    """Close a point, or open it again."""
    point, is_open = _point(request, point_id), request.POST.get("open") == "yes"
    points.set_open(point, signed_in(request.user), is_open=is_open)
    said = _("“%(name)s” is open again.") if is_open else _("“%(name)s” takes no new orders.")
    messages.success(request, said % {"name": point.name})
    return _back(point.seller, "points")


@require_POST
@page
def point_remove(request: HttpRequest, point_id: UUID) -> HttpResponse:
    point = _point(request, point_id)
    try:
        points.remove_point(point, signed_in(request.user))
    except Conflict as error:
        messages.error(request, error.message)
    else:
        messages.success(request, _("“%(name)s” is gone.") % {"name": point.name})
    return _back(point.seller, "points")


def _point_page(
    request: HttpRequest, seller: Seller, form: PointForm, point: PickupPoint | None
) -> HttpResponse:
    context = {"seller": seller, "form": form, "point": point}
    status = 422 if form.is_bound else 200
    return render(request, "studio/delivery_point.html", context, status=status)


def _seller(request: HttpRequest) -> Seller:
    """The seller that is asked for, or the first; `NotFound` for who keeps no shop."""
    asked = parse_id(request.POST.get("seller") or request.GET.get("seller", ""))
    for seller in access.sellers_for(request.user, *KEEPERS):
        if asked in (None, seller.public_id):
            return seller
    raise _nothing_here()


def _zone(request: HttpRequest, zone_id: UUID) -> DeliveryZone:
    zone = DeliveryZone.objects.select_related("seller").filter(public_id=zone_id).first()
    if zone is None:
        signed_in(request.user)
        raise _nothing_here()
    member_of(request.user, zone.seller, *KEEPERS)
    return zone


def _point(request: HttpRequest, point_id: UUID) -> PickupPoint:
    point = PickupPoint.objects.select_related("seller").filter(public_id=point_id).first()
    if point is None:
        signed_in(request.user)
        raise _nothing_here()
    member_of(request.user, point.seller, *KEEPERS)
    return point


def _done(form: forms.Form, change: Callable[[], object]) -> bool:
    """Make the change, or say in the form what is wrong and with which field."""
    try:
        change()
    except (InvalidInput, Conflict) as error:
        form.add_error(error.field if error.field in form.fields else None, error.message)
        return False
    return True


def _back(seller: Seller, place: str = "") -> HttpResponse:
    anchor = f"#{place}" if place else ""
    return redirect(f"{reverse('studio_delivery')}?seller={seller.public_id}{anchor}")


def _nothing_here() -> NotFound:
    return NotFound(_("There is nothing here, or it is not yours."))
