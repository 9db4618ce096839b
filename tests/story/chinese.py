"""The world of the tests as it is called in Chinese."""

from __future__ import annotations

from core.accounts.models import User
from sellers.models import PickupPoint, Product, Seller, StockMovement, Variant
from streams.models import Show

PEOPLE = {"zhang": "张", "gao": "高", "li": "李", "wang": "王", "chen": "陈", "zhao": "赵"}
SELLERS = {"Zhang's orchard": ("张家果园", "礼县"), "Gao's fields": ("高家农田", "岷县")}
PRODUCTS = {"Huaniu apples": "花牛苹果", "Snow pears": "雪梨"}
VARIANTS = {"5 kg box": "5 公斤箱装", "3 kg box": "3 公斤箱装"}


def rename() -> None:
    """Give everything in the database that `tests.world.build` made its Chinese name."""
    for username, name in PEOPLE.items():
        User.objects.filter(username=username).update(display_name=name)
    for seller, (name, place) in SELLERS.items():
        Seller.objects.filter(name=seller).update(name=name, place=place)
    for product, name in PRODUCTS.items():
        Product.objects.filter(title=product).update(title=name)
    for variant, name in VARIANTS.items():
        Variant.objects.filter(title=variant).update(title=name)
    PickupPoint.objects.update(name="村口小店", address="礼县城关镇大街 1 号")
    StockMovement.objects.update(reason="第一次清点")
    Show.objects.update(title="树上刚摘的苹果")
