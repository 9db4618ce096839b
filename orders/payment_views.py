"""Pages between our own order and a payment service's page: out to it, and back."""

from __future__ import annotations

from uuid import UUID

import segno
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from core.accounts.access import signed_in
from core.errors import AppError, NotFound
from core.pages import page
from orders import access
from orders.models import Order, OrderState, Payment, PaymentState
from orders.services.payments import read_payment, start_payment


@require_GET
@never_cache
@page
def order_pay(request: HttpRequest, order_id: UUID) -> HttpResponse:
    """Start the payment, or find the open one, and send the buyer to it, or show its QR code.

    By GET: a form that ends at another site is what our content security policy forbids.
    """
    order = access.order_of(request.user, order_id)
    access.buyer_of(request.user, order)
    if order.state != OrderState.HELD:
        return redirect(order)
    back = request.build_absolute_uri(reverse("order_paid", args=[order_id]))
    try:
        payment = start_payment(order_id, signed_in(request.user), return_to=back)
    except NotFound:
        raise
    except AppError as error:
        context = {"order": order, "problem": error.message}
        return render(request, "orders/pay.html", context, status=error.status)
    if address := payment.show_as.get("redirect"):
        return redirect(address)
    return render(
        request, "orders/pay.html", {"order": order, "payment": payment, "qr": _qr(payment)}
    )


@require_GET
@never_cache
@page
def order_paid(request: HttpRequest, order_id: UUID) -> HttpResponse:
    """Where the service sends the buyer back to; it is asked once, in case its notice is late."""
    order = access.order_of(request.user, order_id)
    access.buyer_of(request.user, order)
    payment = order.payments.last()
    if payment is not None and payment.state == PaymentState.OPEN:
        payment = read_payment(payment)
    _say(request, order, payment)
    return redirect(order)


def _say(request: HttpRequest, order: Order, payment: Payment | None) -> None:
    if payment is None:
        return
    if payment.state == PaymentState.PAID and payment.is_surplus:
        messages.warning(
            request, _("Your payment came too late for this order. You get the money back.")
        )
    elif payment.state == PaymentState.PAID:
        messages.success(request, _("Thank you, your payment has arrived."))
    elif payment.state == PaymentState.OPEN:
        messages.info(request, _("You have not paid yet."))
    else:
        messages.error(request, _("This was not paid. You can try again."))


def _qr(payment: Payment) -> SafeString:
    code = segno.make(payment.show_as["qr"], error="m")
    return mark_safe(code.svg_inline(scale=6, border=2))  # noqa: S308 - squares, made here
