"""Sample data: a shop to look around in, named as what it is, and removed again as a whole.

What a real buyer ordered in it stays, and so does the shop then: nothing real is ever lost.
"""

from __future__ import annotations

import tempfile
from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from core.accounts.models import Role, RoleGrant, User
from core.clock import now
from core.errors import Conflict, NotAllowed
from core.models import OutboxFact
from core.money import to_minor
from courses.models import Lesson
from livecommerce.first_run.site import values
from media_pipeline.demo_media import make_product_picture
from media_pipeline.models import Upload
from media_pipeline.storage import storage
from orders.models import GONE, Offer, Order
from sellers.models import PickupPoint, Product, Seller, Stock, Variant
from sellers.services import catalogue
from streams.access import require_operator
from streams.models import Show, ShowState
from streams.services import forgetting
from streams.services.shows import schedule_show


@dataclass(frozen=True, slots=True)
class Good:
    """One product of the sample; `price` in whole units of whatever currency the site has."""

    picture: str
    title: str
    variant: str
    price: int
    weight_g: int
    stock: int


SHOW_IN = timedelta(days=1)


def goods() -> tuple[Good, ...]:
    """In the language of whoever asks, as people of the site will read them."""
    return (
        Good("apples", _("Sample: apples"), _("5 kg box"), 40, 5000, 50),
        Good("pears", _("Sample: pears"), _("3 kg box"), 26, 3000, 20),
        Good("honey", _("Sample: honey"), _("500 g jar"), 48, 500, 3),
    )


@dataclass(frozen=True, slots=True)
class OfOffer:
    """A good as the sample's show sells it."""

    variant: Variant
    terms: dict[str, int]


def sample() -> Seller | None:
    """The sample shop, if there is one."""
    return Seller.objects.filter(is_sample=True).first()


@transaction.atomic
def add(actor: User, currency: str = "") -> Seller:
    """A shop with goods in stock, a place to fetch them and a show tomorrow; the one that is there.

    In the site's currency, if none is given. Raises `NotAllowed` for who does not run the instance.
    """
    require_operator(actor)
    if found := sample():
        return found
    try:
        with transaction.atomic():
            seller = _shop(currency or values()["currency"])
    except IntegrityError:  # somebody adds it at the same time
        return Seller.objects.get(is_sample=True)
    PickupPoint.objects.create(
        seller=seller, name=_("Sample: village shop"), address=_("Nowhere"), hours="8:00-20:00"
    )
    offers = [OfOffer(_add_good(seller, actor, good), {}) for good in goods()]
    begins = timezone.localtime(now() + SHOW_IN).replace(minute=0, second=0, microsecond=0)
    title = _("Sample: a show tomorrow")
    schedule_show(seller=seller, host=actor, title=title, scheduled_at=begins, offers=offers)
    return seller


def _shop(currency: str) -> Seller:
    return Seller.objects.create(
        name=_("Sample shop"),
        place=_("Nowhere: this is sample data"),
        about=_("Nothing here is real. It is for looking around, and is removed in one go."),
        currency=currency,
        takes_online=False,
        is_sample=True,
    )


def _add_good(seller: Seller, actor: User, good: Good) -> Variant:
    variant = catalogue.add_product(
        seller,
        actor=actor,
        title=good.title,
        variant_title=good.variant,
        price_minor=to_minor(Decimal(good.price), seller.currency),
        weight_g=good.weight_g,
        on_hand=good.stock,
    )
    product = variant.product
    product.image_key = f"public/products/{product.public_id}.jpg"
    with tempfile.TemporaryDirectory() as folder:
        picture = Path(folder) / "picture.jpg"
        make_product_picture(picture, good.picture)
        storage().write_file(product.image_key, picture)
    product.save(update_fields=["image_key"])
    return variant


def obstacles(seller: Seller) -> list[str]:
    """Why the sample cannot be removed now, each in a sentence that says what to do."""
    found = []
    if count := _real_orders(seller).count():
        found.append(
            ngettext(
                "%(count)d order of a buyer hangs on it. Cancel it first; what was paid stays.",
                "%(count)d orders of buyers hang on it. Cancel them first; what was paid stays.",
                count,
            )
            % {"count": count}
        )
    if Show.objects.filter(seller=seller, state=ShowState.LIVE).exists():
        found.append(_("A show of it is live. End it first."))
    of_shows = Show.objects.filter(seller=seller).values("public_id")
    if Lesson.objects.filter(asset__recording__show_id__in=of_shows).exists():
        found.append(_("A lesson was made of one of its shows. Remove the lesson first."))
    if Upload.objects.filter(seller=seller).exists():
        found.append(_("Films were brought into it. Delete them first."))
    return found


def _real_orders(seller: Seller) -> QuerySet[Order]:
    """Of somebody who does not run this site and was not told no; and whatever was paid."""
    operators = RoleGrant.objects.filter(role=Role.OPERATOR).values("user")
    tried_out = Q(buyer__in=operators) | Q(state__in=GONE)
    return Order.objects.filter(seller=seller).exclude(tried_out & Q(payments=None))


def remove(actor: User) -> bool:
    """Remove the sample shop and all that is of it, but nothing else; `False` if there is none.

    Orders that operators tried out go with it. Raises `NotAllowed`, and `Conflict` with all
    `obstacles`; then nothing is removed.
    """
    require_operator(actor)
    seller = sample()
    if seller is None:
        return False
    for key in _remove_rows(seller):
        storage().delete(key)
    return True


@transaction.atomic
def _remove_rows(seller: Seller) -> Collection[str]:
    """Keys of the pictures, which are nobody's now."""
    seller = Seller.objects.select_for_update().get(pk=seller.pk)
    # Whoever orders now waits for these rows, and then finds nothing on sale.
    shows = list(Show.objects.filter(seller=seller))
    offers = Offer.objects.filter(show_id__in=[show.public_id for show in shows])
    list(offers.select_for_update().order_by("pk"))
    list(Stock.objects.select_for_update().filter(variant__product__seller=seller).order_by("pk"))
    Variant.objects.filter(product__seller=seller).update(is_active=False)
    _refuse(seller)
    for show in shows:
        forgetting.forget_show(show)
    orders = Order.objects.filter(seller=seller)
    topics = [f"order:{one}" for one in orders.values_list("public_id", flat=True)]
    OutboxFact.objects.filter(topic__in=topics).delete()
    orders.delete()
    products = Product.objects.filter(seller=seller).exclude(image_key="")
    pictures = list(products.values_list("image_key", flat=True))
    seller.delete()
    return pictures


def _refuse(seller: Seller) -> None:
    if found := obstacles(seller):
        raise Conflict(" ".join(found))


def first_operator() -> User:
    """Who a command line acts for; raises `NotAllowed` where nobody runs the instance yet."""
    grants = RoleGrant.objects.filter(role=Role.OPERATOR, user__is_active=True)
    grant = grants.select_related("user").order_by("pk").first()
    if grant is None:
        raise NotAllowed(_("Nobody runs it yet: make an operator first."))
    return grant.user
