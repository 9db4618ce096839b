"""A seller's goods outside of a show, at their own prices."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from core.accounts.access import is_signed_in
from core.clock import epoch_ms, now
from core.errors import NotFound
from core.ids import parse_id
from core.pages import page
from orders import access
from orders.reorder import Again, again
from sellers.access import acts_for
from sellers.models import Seller, Variant
from sellers.selectors import variants_on_sale


@require_GET
@page
def shop(request: HttpRequest, seller_id: UUID) -> HttpResponse:
    seller = _open_shop(request, seller_id)
    goods = [_good(variant) for variant in variants_on_sale(seller) if hasattr(variant, "stock")]
    once_more = _again(request, seller)
    login_url = f"{reverse('account_login')}?{urlencode({'next': request.get_full_path()})}"
    data = {
        "seller_id": str(seller.public_id),
        "signed_in": is_signed_in(request.user),
        "goods": goods,
        "again": once_more.lines if once_more else [],
        "at_ms": epoch_ms(now()),
    }
    context = {
        "seller": seller,
        "goods": goods,
        "again": once_more,
        "login_url": login_url,
        "page_data": data,
        "back_to": _("Back to the shop"),
    }
    return render(request, "orders/shop.html", context)


def _open_shop(request: HttpRequest, seller_id: UUID) -> Seller:
    """A sandbox seller's goods are practice: only its own people see them in a shop."""
    seller = Seller.objects.filter(public_id=seller_id).first()
    if seller is None or (seller.is_sandbox and not acts_for(request.user, seller)):
        raise NotFound(_("There is nothing here, or it is not yours."))
    return seller


def _again(request: HttpRequest, seller: Seller) -> Again | None:
    """What was ordered before, for who ordered it."""
    order_id = parse_id(request.GET.get("again", ""))
    if order_id is None:
        return None
    order = access.order_of(request.user, order_id)
    access.buyer_of(request.user, order)
    return again(order) if order.seller_id == seller.pk else None


def _good(variant: Variant) -> dict[str, Any]:
    """As an offer of a room, without the terms of one."""
    return {
        "id": str(variant.public_id),
        "variant_id": str(variant.public_id),
        "title": str(variant),
        "about": variant.product.about,
        "price_minor": variant.price_minor,
        "currency": variant.product.seller.currency,
        "available": variant.stock.available,
        "left": variant.stock.available,
        "stock_version": variant.stock.version,
        "image_url": variant.product.image_url,
        "quantity": None,
        "per_buyer": None,
        "opens_at_ms": None,
        "closes_at_ms": None,
        "on_tap": False,
        "version": 0,
        "unit": variant.unit,
    }
