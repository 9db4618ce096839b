"""Fill an instance's empty database for `bench.orders` and print what the clients must know.

The tests' small world, live; as many variants on sale in its show as asked, each with more in stock
than anybody orders; and so many signed-in buyers.
"""

from __future__ import annotations

import json
import sys

import django

django.setup()

from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY  # noqa: E402
from django.contrib.sessions.backends.db import SessionStore  # noqa: E402

from core.accounts.models import User  # noqa: E402
from orders.models import Offer  # noqa: E402
from sellers.models import Stock  # noqa: E402
from streams.models import Show, ShowState  # noqa: E402
from tests import world  # noqa: E402

ENDLESS = 1_000_000_000
PRICE_MINOR = 3590
BACKEND = "django.contrib.auth.backends.ModelBackend"


def main(buyers: int, variants: int) -> None:
    here = world.build()
    Show.objects.filter(pk=here.show.pk).update(state=ShowState.LIVE)
    offers = [_another(here, number) for number in range(variants)]
    Stock.objects.update(on_hand=ENDLESS)
    people = User.objects.bulk_create(
        User(username=f"buyer-{number}", display_name=f"Buyer {number}", password="!")
        for number in range(buyers)
    )
    told = {
        "show": str(here.show.public_id),
        "seller_pk": here.farm.pk,
        "offers": [str(offer.public_id) for offer in offers],
        "variant_pks": [offer.variant_id for offer in offers],
        "people": [str(person.public_id) for person in people],
        "people_pks": [person.pk for person in people],
        "sessions": [_session(person) for person in people],
        "price_minor": PRICE_MINOR,
    }
    print(json.dumps(told))


def _another(here: world.World, number: int) -> Offer:
    row = world.variant(
        here.farm, f"Goods {number}", "5 kg box", price_minor=PRICE_MINOR, on_hand=1
    )
    return Offer.objects.create(
        show_id=here.show.public_id, variant=row, price_minor=PRICE_MINOR, position=number + 1
    )


def _session(person: User) -> str:
    """What a browser would have as its cookie after signing in."""
    session = SessionStore()
    session[SESSION_KEY] = str(person.pk)
    session[BACKEND_SESSION_KEY] = BACKEND
    session[HASH_SESSION_KEY] = person.get_session_auth_hash()
    session.create()
    return str(session.session_key)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
