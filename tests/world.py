"""The one small world of the tests: Zhang grows apples in Lixian and hosts, Li buys, Wang learns,
Chen mentors, Zhao runs the county centre; Gao has another farm and no business in Zhang's.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from core.accounts.models import Role, RoleGrant, User
from core.clock import now
from orders.models import Offer
from sellers.models import Member, MemberRole, PickupPoint, Product, Seller, Stock, Variant
from streams.models import Show
from streams.services.approvals import approve_seller

PASSWORD = "orchard-in-bloom"


@dataclass
class World:
    zhang: User
    li: User
    wang: User
    chen: User
    zhao: User
    gao: User
    farm: Seller
    other_farm: Seller
    apples: Variant
    pears: Variant
    pickup: PickupPoint
    show: Show
    apple_offer: Offer
    pear_offer: Offer


def person(username: str, name: str, *roles: Role) -> User:
    user = User.objects.create_user(username, password=PASSWORD, display_name=name)
    RoleGrant.objects.bulk_create(RoleGrant(user=user, role=role) for role in roles)
    return user


def variant(seller: Seller, product: str, title: str, *, price_minor: int, on_hand: int) -> Variant:
    product_row = Product.objects.create(seller=seller, title=product)
    row = Variant.objects.create(
        product=product_row, title=title, price_minor=price_minor, weight_g=5000
    )
    Stock.objects.create(variant=row, on_hand=on_hand)
    row.movements.create(kind="adjust", on_hand_change=on_hand, reason="first count")
    return row


def show_of(seller: Seller, host: User, title: str) -> Show:
    return Show.objects.create(
        seller=seller, host=host, title=title, scheduled_at=now() + timedelta(minutes=5)
    )


def build() -> World:
    zhang = person("zhang", "Zhang")
    gao = person("gao", "Gao")
    farm = Seller.objects.create(name="Zhang's orchard", place="Lixian")
    other = Seller.objects.create(name="Gao's fields", place="Minxian")
    Member.objects.create(seller=farm, user=zhang, role=MemberRole.OWNER)
    Member.objects.create(seller=farm, user=zhang, role=MemberRole.HOST)
    Member.objects.create(seller=other, user=gao, role=MemberRole.OWNER)
    apples = variant(farm, "Huaniu apples", "5 kg box", price_minor=3990, on_hand=40)
    pears = variant(farm, "Snow pears", "3 kg box", price_minor=2590, on_hand=12)
    for seller in (farm, other):  # trusted: first shows are the matter of `test_approvals`
        approve_seller(seller)
    show = show_of(farm, zhang, "Apples straight from the tree")
    return World(
        zhang=zhang,
        li=person("li", "Li"),
        wang=person("wang", "Wang", Role.TRAINEE),
        chen=person("chen", "Chen", Role.MENTOR),
        zhao=person("zhao", "Zhao", Role.OPERATOR),
        gao=gao,
        farm=farm,
        other_farm=other,
        apples=apples,
        pears=pears,
        pickup=PickupPoint.objects.create(
            seller=farm, name="Village shop", address="1 Main Road, Lixian", hours="8:00-18:00"
        ),
        show=show,
        apple_offer=Offer.objects.create(show_id=show.public_id, variant=apples, price_minor=3590),
        pear_offer=Offer.objects.create(
            show_id=show.public_id, variant=pears, price_minor=2590, position=1
        ),
    )
