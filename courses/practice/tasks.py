"""Writing what trainees practise: the words, the minutes, and copies of what is sold."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from django.conf import settings
from django.db import transaction
from django.db.models import Max, Q
from django.utils.translation import gettext as _

from core.accounts.models import User
from core.errors import Conflict, InvalidInput
from core.ids import new_id
from core.money import to_minor
from core.text import clean_line, clean_lines
from courses.models import Lesson
from courses.practice.models import LONGEST_MIN, SHORTEST_MIN, Good, PracticeTask
from media_pipeline.storage import storage
from orders.models import Offer
from sellers.access import sellers_of
from sellers.models import Variant
from sellers.services.catalogue import HIGHEST_PRICE_MINOR

MOST_GOODS, MOST_STOCK = 6, 10_000
PRODUCTS_SHOWN = 60


@dataclass(frozen=True, slots=True)
class Typed:
    """A good as an author typed it; prices in whole units of the site's currency."""

    title: str
    variant_title: str
    price: str
    drop_price: str = ""
    stock: str = "50"
    about: str = ""


def write_task(lesson: Lesson, actor: User, *, brief: str, minutes: str) -> PracticeTask:
    """Begin the lesson's task, or say it anew. Raises `InvalidInput` with the field.

    Attempts that are on go on as they began.
    """
    values = {
        "brief": _brief(brief),
        "minutes": _whole(minutes, "minutes", SHORTEST_MIN, LONGEST_MIN),
    }
    task, _is_new = PracticeTask.objects.update_or_create(
        lesson=lesson,
        defaults=values,
        create_defaults={**values, "created_by": actor, "seed": secrets.randbelow(1_000_000)},
    )
    return task


def _brief(text: str) -> str:
    said = clean_lines(text, "brief", longest=2000)
    if not said:
        raise InvalidInput(_("Please say what the trainees should do."), field="brief")
    return said


def remove_task(task: PracticeTask) -> None:
    """The lesson is done without practice. Raises `Conflict` once somebody has practised."""
    if task.attempts.exists():
        raise Conflict(_("Somebody has practised already: the task stays, so that it can be seen."))
    for good in task.goods.all():
        remove_good(task, good.pk)
    task.delete()


@transaction.atomic
def add_good(task: PracticeTask, typed: Typed) -> Good:
    """Something more to sell. Raises `InvalidInput` with the field, or `Conflict` for too many."""
    PracticeTask.objects.select_for_update().get(pk=task.pk)
    price = price_of(typed.price, "price")
    drop = price_of(typed.drop_price, "drop_price") if typed.drop_price.strip() else None
    if drop is not None and drop >= price:
        raise InvalidInput(_("A flash offer costs less than usual."), field="drop_price")
    return Good.objects.create(
        task=task,
        position=_next_position(task),
        title=clean_line(typed.title, "title", longest=120),
        variant_title=clean_line(typed.variant_title, "variant_title", longest=80),
        about=clean_lines(typed.about, "about", longest=1000),
        price_minor=price,
        drop_price_minor=drop,
        stock=_whole(typed.stock, "stock", 1, MOST_STOCK),
    )


@transaction.atomic
def copy_good(task: PracticeTask, variant: Variant) -> Good:
    """As `add_good`, from what somebody really sells; picture and all, and from then on apart."""
    PracticeTask.objects.select_for_update().get(pk=task.pk)
    product = variant.product
    return Good.objects.create(
        task=task,
        position=_next_position(task),
        product=product,
        title=product.title,
        about=product.about[:1000],
        variant_title=variant.title,
        price_minor=variant.price_minor,
        image_key=_copy_picture(product.image_key),
    )


def remove_good(task: PracticeTask, good_pk: int) -> None:
    """Out of later attempts. Its picture stays for those that were made with it."""
    Good.objects.filter(task=task, pk=good_pk).delete()


def copyable(user: User, lesson: Lesson) -> list[Variant]:
    """What the lesson's clip sold, and what the user's own shops sell; by name."""
    recording = lesson.asset.recording
    offers = Offer.objects.filter(show_id=recording.show_id) if recording else Offer.objects.none()
    mine = Q(product__seller__in=sellers_of(user)) | Q(pk__in=offers.values("variant"))
    found = Variant.objects.filter(mine, is_active=True, product__seller__currency=currency())
    rows = found.filter(product__seller__is_sandbox=False).select_related("product__seller")
    return list(rows.order_by("product__title", "pk")[:PRODUCTS_SHOWN])


def currency() -> str:
    return str(settings.CURRENCY)


def price_of(text: str, field: str) -> int:
    """Minor units of what somebody typed as a price; raises `InvalidInput`."""
    problem = InvalidInput(_("Please write a price that somebody could pay."), field=field)
    try:
        amount = Decimal(text.strip().replace(",", "."))
    except InvalidOperation:
        raise problem from None
    if not amount.is_finite() or not 0 < amount < HIGHEST_PRICE_MINOR:
        raise problem
    minor = to_minor(amount, currency())
    if not 1 <= minor <= HIGHEST_PRICE_MINOR:
        raise problem
    return minor


def _next_position(task: PracticeTask) -> int:
    if task.goods.count() >= MOST_GOODS:
        raise Conflict(_("More than %(most)d things confuse beginners.") % {"most": MOST_GOODS})
    last = task.goods.aggregate(last=Max("position"))["last"]
    return 0 if last is None else last + 1


def _copy_picture(key: str) -> str:
    """A file of its own: a shop that changes its photo deletes the one before."""
    if not key or storage().size(key) is None:
        return ""
    copied = f"public/practice/{new_id()}.jpg"
    storage().write(copied, storage().read(key))
    return copied


def _whole(text: str, field: str, least: int, most: int) -> int:
    text = text.strip()
    is_number = text.isascii() and text.isdecimal() and len(text) < 7
    if not is_number or not least <= int(text) <= most:
        message = _("Please write a whole number from %(least)d to %(most)d.")
        raise InvalidInput(message % {"least": least, "most": most}, field=field)
    return int(text)
