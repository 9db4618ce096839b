"""What must be true of the books after anything at all has happened."""

from __future__ import annotations

from django.db.models import Sum

from orders.models import GONE, Offer, OrderLine, OrderState
from sellers.models import Stock, StockMovement

PROMISED = (OrderState.HELD, OrderState.PLACED, OrderState.PAID, OrderState.PACKED)


def faults_in_books() -> list[str]:
    """Every way in which stock, its ledger and the orders contradict each other."""
    in_stock = [fault for stock in Stock.objects.all() for fault in _faults(stock)]
    return in_stock + [fault for offer in Offer.objects.all() for fault in _offer_faults(offer)]


def _offer_faults(offer: Offer) -> list[str]:
    held = OrderLine.objects.filter(offer=offer).exclude(order__state__in=GONE)
    sold = held.aggregate(total=Sum("quantity", default=0))["total"]
    return [] if offer.sold == sold else [f"offer {offer.pk}: sold {offer.sold}, ordered {sold}"]


def _faults(stock: Stock) -> list[str]:
    ledger = StockMovement.objects.filter(variant_id=stock.pk).aggregate(
        on_hand=Sum("on_hand_change", default=0), reserved=Sum("reserved_change", default=0)
    )
    promised = OrderLine.objects.filter(variant_id=stock.pk, order__state__in=PROMISED).aggregate(
        total=Sum("quantity", default=0)
    )["total"]
    claims = {
        f"oversold: {promised} promised of {stock.on_hand}": promised > stock.on_hand,
        f"ledger {ledger} is not stock {stock.on_hand}/{stock.reserved}": ledger
        != {"on_hand": stock.on_hand, "reserved": stock.reserved},
        f"{stock.reserved} set aside for {promised} promised": stock.reserved != promised,
    }
    return [claim for claim, is_fault in claims.items() if is_fault]
