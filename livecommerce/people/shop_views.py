"""The operators' form that adds a shop; inviting its people goes on from there."""

from __future__ import annotations

from functools import partial

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from core.errors import InvalidInput
from core.pages import id_of_form, made_once, page
from livecommerce.people.operator_views import shown
from livecommerce.people.shops import add_shop
from sellers.models import MemberRole, Seller
from streams.access import require_operator


@require_POST
@page
def add(request: HttpRequest) -> HttpResponse:
    operator = require_operator(request.user)
    sent, public_id = request.POST, id_of_form(request)
    name, place = sent.get("shop_name", ""), sent.get("shop_place", "")
    make = partial(add_shop, operator, name=name, place=place, public_id=public_id)
    try:
        shop = made_once(make, Seller.objects.filter(public_id=public_id))
    except InvalidInput as error:
        return shown(request, error)
    messages.success(request, _("%(shop)s is there. Now invite its owner.") % {"shop": shop.name})
    chosen = urlencode({"as": f"{MemberRole.OWNER}:{shop.public_id.hex}"})
    return redirect(f"{reverse('operator_people')}?{chosen}#invite")
