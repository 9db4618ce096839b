"""How it sells: sums and charts of a period, and the same as a table for a spreadsheet."""

from __future__ import annotations

from datetime import date, timedelta

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET

from core.errors import NotFound
from core.ids import parse_id
from core.pages import page
from orders import sales, sheets
from orders.studio import access
from sellers.access import KEEPERS
from sellers.models import Seller

RANGES = (7, 30, 90, 365)
USUAL = 30
LONGEST = 3 * 366


class PeriodForm(forms.Form):
    """From and to; the last 30 days unless it is said otherwise."""

    since = forms.DateField(label=gettext_lazy("From"), widget=forms.DateInput({"type": "date"}))
    until = forms.DateField(label=gettext_lazy("To"), widget=forms.DateInput({"type": "date"}))

    def clean(self) -> dict[str, date]:
        typed: dict[str, date] = self.cleaned_data
        if "since" in typed and "until" in typed:
            if typed["since"] > typed["until"]:
                raise forms.ValidationError(_("The first day is after the last."))
            if (typed["until"] - typed["since"]).days >= LONGEST:
                raise forms.ValidationError(_("Please choose at most three years."))
        return typed


@require_GET
@page
def sales_page(request: HttpRequest) -> HttpResponse:
    sellers, seller = _sellers(request)
    form, period = _period(request)
    orders = sales.sold_in(seller, period)
    days = sales.by_day(seller, orders, period)
    context = {
        "seller": seller,
        "sellers": sellers,
        "form": form,
        "period": period,
        "ranges": _ranges(period),
        "sums": sales.sums(seller, orders),
        "days": days,
        "best": max(days, key=lambda bar: bar.sold.amount_minor),
        "by_week": period.days > sales.MOST_DAYS,
        "shows": sales.by_show(seller, orders),
        "products": sales.by_product(seller, orders),
        "is_wrong": form.is_bound and not form.is_valid(),
    }
    return render(request, "studio/sales.html", context)


@require_GET
@page
def sales_csv(request: HttpRequest) -> HttpResponse:
    _all, seller = _sellers(request)
    _form, period = _period(request)
    orders, by = sales.sold_in(seller, period), request.GET.get("by", "day")
    match by:
        case "day":
            bars, first = sales.by_day(seller, orders, period), _("Day")
        case "show":
            bars, first = sales.by_show(seller, orders), _("Show")
        case "product":
            bars, first = sales.by_product(seller, orders), _("Product")
        case _unknown:
            raise NotFound(_("There is nothing here, or it is not yours."))
    answer = HttpResponse(sheets.BOM + _table(bars, first, seller.currency), sheets.TYPE)
    name = sheets.file_name(f"sales-by-{by}")
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


def _table(bars: list[sales.Bar], first: str, currency: str) -> str:
    heading = [first, _("Orders"), _("Pieces"), _("Sold"), _("Currency")]
    rows = (
        [
            bar.at.isoformat() if bar.at else bar.label,
            bar.orders,
            bar.pieces,
            sheets.amount(bar.sold.amount_minor, currency),
            currency,
        ]
        for bar in bars
    )
    return sheets.write([heading, *rows])


def _sellers(request: HttpRequest) -> tuple[list[Seller], Seller]:
    """The person's sellers, and the one asked for or the first: sums are of one currency."""
    sellers = access.sellers_for(request.user, *KEEPERS)
    asked = parse_id(request.GET.get("seller", ""))
    for seller in sellers:
        if asked in (None, seller.public_id):
            return sellers, seller
    raise NotFound(_("There is nothing here, or it is not yours."))


def _period(request: HttpRequest) -> tuple[PeriodForm, sales.Period]:
    """What was asked for; the usual days for who asked for nothing, or for what makes no sense."""
    usual = _last(USUAL)
    is_asked = "since" in request.GET or "until" in request.GET
    form = PeriodForm(
        request.GET if is_asked else None, initial={"since": usual.since, "until": usual.until}
    )
    if form.is_bound and form.is_valid():
        return form, sales.Period(form.cleaned_data["since"], form.cleaned_data["until"])
    return form, usual


def _last(days: int) -> sales.Period:
    today = timezone.localdate()
    return sales.Period(today - timedelta(days=days - 1), today)


def _ranges(chosen: sales.Period) -> list[tuple[int, sales.Period, bool]]:
    return [(days, one := _last(days), one == chosen) for days in RANGES]
