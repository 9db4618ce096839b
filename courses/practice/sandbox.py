"""The shop that each trainee practises in, what it sells in one attempt, and who buys there.

Its seller is a sandbox: no list of shops, sales or orders has it, it takes no payment, and only
practices are held for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import translation
from django.utils.translation import gettext as _

from core.accounts.models import User
from courses.practice import words
from courses.practice.models import Good, PracticeTask, Sandbox, SimulatedBuyer
from courses.practice.personas import PERSONAS
from sellers.models import Member, MemberRole, Product, Seller, Variant
from sellers.services.catalogue import add_product
from streams.models import Guest, Show

SIMULATED = "sim:"
"""How the user names of simulated buyers begin; none can be chosen so."""
DROP_S = 60


@dataclass(frozen=True, slots=True)
class OnSale:
    """A copy of a good, as it is offered in one practice."""

    variant: Variant
    terms: Mapping[str, Any]


def sandbox_of(user: User) -> Seller:
    """The user's shop for practice; made when it is first needed."""
    found = Sandbox.objects.select_related("seller").filter(user=user).first()
    return found.seller if found else _made(user)


def _made(user: User) -> Seller:
    with transaction.atomic():
        User.objects.select_for_update().get(pk=user.pk)  # of two taps, one makes it
        if found := Sandbox.objects.select_related("seller").filter(user=user).first():
            return found.seller
        seller = Seller.objects.create(
            name=(_("Practice: %(name)s") % {"name": user.shown_name})[:80],
            currency=settings.CURRENCY,
            is_sandbox=True,
            takes_online=False,
        )
        Member.objects.create(seller=seller, user=user, role=MemberRole.OWNER)
        Sandbox.objects.create(user=user, seller=seller)
        return seller


def stock_up(
    seller: Seller, actor: User, task: PracticeTask, prices: Mapping[int, int]
) -> list[OnSale]:
    """Fresh copies of the task's goods; `prices` are the trainee's own, by the good's key.

    A new copy in every attempt: what was left, or sold, in an earlier one is no matter of this.
    """
    return [_copy(seller, actor, good, prices.get(good.pk)) for good in task.goods.all()]


def _copy(seller: Seller, actor: User, good: Good, price_minor: int | None) -> OnSale:
    variant = add_product(
        seller,
        actor=actor,
        title=good.title,
        about=good.about,
        variant_title=good.variant_title,
        price_minor=good.price_minor,
        low_at=0,
        on_hand=good.stock,
    )
    # Pictures of products are public, and the file stays the other product's: not ours to delete.
    Product.objects.filter(pk=variant.product_id).update(image_key=good.image_key)
    if good.drop_price_minor:
        return OnSale(
            variant, {"price_minor": good.drop_price_minor, "on_tap": True, "lasts_s": DROP_S}
        )
    return OnSale(variant, {"price_minor": price_minor or good.price_minor})


def invite_buyers(show: Show, language: str) -> None:
    """Let the simulated buyers of a language into the show."""
    people = simulated_buyers(language)
    Guest.objects.bulk_create(
        [Guest(show=show, user=user, is_simulated=True) for user in people.values()],
        ignore_conflicts=True,
    )


def simulated_buyers(language: str) -> dict[str, User]:
    """The user of each persona; made when first needed. Nobody can sign in as one of them."""
    found = SimulatedBuyer.objects.filter(language=language).select_related("user")
    users = {one.persona: one.user for one in found}
    for persona in PERSONAS:
        if persona.name not in users:
            users[persona.name] = _user(persona.name, language)
    return users


def _user(persona: str, language: str) -> User:
    with transaction.atomic():
        user, is_new = User.objects.get_or_create(
            username=f"{SIMULATED}{persona}:{language}",
            defaults={"display_name": words.NAMES[persona][language], "language": language},
        )
        if is_new:
            user.set_unusable_password()
            user.save(update_fields=["password"])
        SimulatedBuyer.objects.get_or_create(
            persona=persona, language=language, defaults={"user": user}
        )
    return user


def address(persona: str, language: str) -> dict[str, str]:
    """Where it would go, if anything went anywhere."""
    with translation.override("zh-hans" if language == "zh" else "en"):
        nowhere = _("Practice only: send nothing")
    return {
        "kind": "courier",
        "name": words.NAMES[persona][language],
        "phone": "13800000000",
        "region": "",
        "address": nowhere,
    }


def is_simulated(user_id: UUID) -> bool:
    return SimulatedBuyer.objects.filter(user__public_id=user_id).exists()
