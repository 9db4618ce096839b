"""What every page knows."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from core.accounts import passkey_views, passkeys, sms
from core.accounts.access import has_role
from core.accounts.models import Role
from core.ids import new_id
from livecommerce import disk
from livecommerce.demo.people import PEOPLE
from livecommerce.demo.views import may_sign_in_by_click
from orders.selectors import waiting_orders
from sellers.access import KEEPERS, sellers_of


def site(request: HttpRequest) -> dict[str, object]:
    """`demo_people` is empty unless this is the demo, seen from the machine it runs on."""
    return {
        "demo": settings.DEMO,
        "site_name": settings.SITE_NAME,
        "demo_people": PEOPLE if settings.DEMO and may_sign_in_by_click(request) else (),
        # Lazy: a page that shows no navigation asks the database nothing.
        "sells": SimpleLazyObject(lambda: sellers_of(request.user).exists()),
        "keeps_shop": SimpleLazyObject(lambda: sellers_of(request.user, *KEEPERS).exists()),
        "waiting_orders": SimpleLazyObject(lambda: waiting_orders(sellers_of(request.user))),
        # The disk is asked first, which costs nothing; who it is only when little is left.
        "little_room": SimpleLazyObject(
            lambda: disk.left() if disk.is_low() and has_role(request.user, Role.OPERATOR) else ""
        ),
        "operates": SimpleLazyObject(lambda: has_role(request.user, Role.OPERATOR)),
        "area": area(request.path),
        "signs_in_by_phone": sms.sender() is not None,
        "may_sign_up": settings.SIGN_UP,
        "passkeys_open_here": SimpleLazyObject(lambda: passkeys.place_of(request) is not None),
        # Asking it in a template is the one time that it is said.
        "passkey_is_offered": SimpleLazyObject(lambda: passkey_views.is_offered(request)),
        "form_key": new_id,  # called by the template: another one in each form
    }


def area(path: str) -> str:
    """The part of the site that the navigation marks as the current one."""
    first = path.strip("/").partition("/")[0]
    return {"": "on", "shows": "on"}.get(first, first)
