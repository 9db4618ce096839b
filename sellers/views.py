"""Pages on which a seller keeps the goods."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from core.accounts.access import signed_in
from core.accounts.models import User
from core.errors import Conflict, InvalidInput, NotFound
from core.ids import parse_id
from core.money import to_minor
from core.pages import id_of_form, made_once, page
from core.pictures import MOST_BYTES
from sellers import photos
from sellers.access import KEEPERS, acts_for, member_of, sellers_of
from sellers.forms import CountForm, NewProductForm, ProductForm, told
from sellers.models import Product, Seller, StockMovement, Variant
from sellers.selectors import ledger, products_of
from sellers.services import catalogue
from sellers.services.counting import SIGN, write_down

SHOWN_MOVEMENTS = 10
LEDGER_PAGE = 50


@require_GET
@page
def product_list(request: HttpRequest) -> HttpResponse:
    sellers = list(sellers_of(signed_in(request.user)))
    if not sellers:
        raise _nothing_here()
    context = {
        "products": products_of(sellers),
        "keeps": sellers_of(request.user, *KEEPERS).exists(),
        "several_sellers": len(sellers) > 1,
    }
    return render(request, "studio/products.html", context)


@require_http_methods(["GET", "POST"])
@page
def product_new(request: HttpRequest) -> HttpResponse:
    actor = signed_in(request.user)
    sellers = list(sellers_of(actor, *KEEPERS))
    seller = _chosen(sellers, request.GET.get("seller", ""))
    form = NewProductForm(request.POST or None, request.FILES or None)
    add = partial(_add, form, seller, actor, id_of_form(request))
    if form.is_valid() and _done(form, add):
        messages.success(request, _("Added. You can sell it in your next show."))
        return redirect("studio_products")
    context = {"form": form, "seller": seller, "sellers": sellers}
    return render(request, "studio/product_new.html", context)


@require_http_methods(["GET", "POST"])
@page
def product_edit(request: HttpRequest, product_id: UUID) -> HttpResponse:
    variant = _variant(product_id)
    if request.method == "GET":
        member_of(request.user, variant.product.seller)
        return _product_page(request, variant)
    actor = member_of(request.user, variant.product.seller, *KEEPERS)
    form = ProductForm(request.POST, request.FILES)
    if form.is_valid() and _done(form, partial(_edit, form.cleaned_data, variant, actor)):
        messages.success(request, _("Saved."))
        return redirect("studio_products")
    return _product_page(request, variant, form=form)


@require_POST
@page
def stock_count(request: HttpRequest, product_id: UUID) -> HttpResponse:
    """Everybody at the seller's may count: who packs knows best what is there."""
    variant = _variant(product_id)
    actor = member_of(request.user, variant.product.seller)
    form = CountForm(request.POST)
    count = partial(_count, form, variant, actor, id_of_form(request))
    if form.is_valid() and _done(form, count):
        messages.success(request, _("Written down."))
        return redirect("studio_product", product_id=product_id)
    return _product_page(request, variant, count_form=form)


@require_GET
@page
def stock_ledger(request: HttpRequest, product_id: UUID) -> HttpResponse:
    """Every movement of a product, each with what was there after it."""
    variant = _variant(product_id)
    member_of(request.user, variant.product.seller)
    before = request.GET.get("before", "")
    edge = int(before) if before.isascii() and before.isdecimal() and len(before) < 19 else None
    lines = ledger(variant, before=edge, size=LEDGER_PAGE)
    context = {
        "variant": variant,
        "lines": lines,
        "before": lines[-1].movement.pk if len(lines) == LEDGER_PAGE else None,
    }
    return render(request, "studio/ledger.html", context)


def _product_page(
    request: HttpRequest,
    variant: Variant,
    *,
    form: ProductForm | None = None,
    count_form: CountForm | None = None,
) -> HttpResponse:
    seller = variant.product.seller
    context = {
        "variant": variant,
        "seller": seller,
        "keeps": acts_for(request.user, seller, *KEEPERS),
        "form": form or ProductForm(initial=told(variant)),
        "count_form": count_form or CountForm(),
        "lines": ledger(variant, size=SHOWN_MOVEMENTS),
        "signs": SIGN,
    }
    return render(request, "studio/product.html", context)


def _done(form: forms.Form, change: Callable[[], object]) -> bool:
    """Make the change, or say in the form what is wrong and with which field."""
    try:
        change()
    except (InvalidInput, Conflict) as error:
        form.add_error(error.field if error.field in form.fields else None, error.message)
        return False
    return True


def _add(form: NewProductForm, seller: Seller, actor: User, public_id: UUID) -> None:
    typed = form.cleaned_data
    make = partial(
        catalogue.add_product,
        seller,
        actor=actor,
        title=typed["title"],
        about=typed["about"],
        variant_title=typed["variant_title"],
        price_minor=to_minor(typed["price"], seller.currency),
        weight_g=typed["weight_g"] or 0,
        unit=typed["unit"],
        low_at=typed["low_at"] or 0,
        on_hand=typed["on_hand"],
        public_id=public_id,
    )
    with transaction.atomic():  # with a photo that is none, nothing is added
        product = made_once(make, Product.objects.filter(public_id=public_id))
        _put_photo(product, actor, typed["photo"])


def _put_photo(product: Product, actor: User, sent: UploadedFile[bytes] | None) -> None:
    if sent is not None:
        photos.put_on(product, actor=actor, photo=sent.read(MOST_BYTES + 1))


@transaction.atomic
def _edit(typed: Mapping[str, Any], variant: Variant, actor: User) -> None:
    product = variant.product
    catalogue.edit_product(product, actor=actor, title=typed["title"], about=typed["about"])
    catalogue.edit_variant(
        variant,
        actor=actor,
        title=typed["variant_title"],
        price_minor=to_minor(typed["price"], product.seller.currency),
        weight_g=typed["weight_g"] or 0,
        unit=typed["unit"],
        low_at=typed["low_at"] or 0,
        is_active=variant.is_active,
    )
    _put_photo(product, actor, typed["photo"])


def _count(form: CountForm, variant: Variant, actor: User, key: UUID) -> None:
    write = partial(write_down, variant, **form.cleaned_data, actor=actor, key=key)
    made_once(write, StockMovement.objects.filter(key=key))


def _variant(product_id: UUID) -> Variant:
    """The product's first variant; these pages know one per product, and no copies for practice."""
    variant = (
        Variant.objects.select_related("product__seller", "stock")
        .filter(product__public_id=product_id, product__seller__is_sandbox=False)
        .order_by("pk")
        .first()
    )
    if variant is None:
        raise _nothing_here()
    return variant


def _chosen(sellers: Sequence[Seller], seller_id: str) -> Seller:
    """The seller that is asked for, or the first; `NotFound` for who keeps nobody's goods."""
    asked = parse_id(seller_id)
    for seller in sellers:
        if asked in (None, seller.public_id):
            return seller
    raise _nothing_here()


def _nothing_here() -> NotFound:
    return NotFound(_("There is nothing here, or it is not yours."))
