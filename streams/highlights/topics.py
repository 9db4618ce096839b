"""What a question is about, by the words that buyers use for it in Chinese and English."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.translation import gettext_lazy as _

_WORDS = {
    "weight": "斤 公斤 多重 重量 几个 多大 个头 weigh heavy kilo size how_big",
    "delivery": "快递 包邮 运费 发货 几天 多久到 顺丰 送到 ship deliver arrive postage",
    "price": "价 多少钱 便宜 优惠 折 price cost cheap discount how_much",
    "taste": "甜 酸 脆 好吃 口感 味 sweet sour crisp taste juicy",
    "keeping": "保存 放多久 冰箱 保质 坏 store fridge keep",
    "growing": "农药 有机 打药 打蜡 产地 哪里产 新鲜 pesticide organic wax grown fresh picked",
    "buying": "怎么买 怎么下单 链接 哪里买 付款 how_to_buy how_do_i_buy link pay",
}
TOPICS: Mapping[str, tuple[str, ...]] = {
    topic: tuple(word.replace("_", " ") for word in words.split())
    for topic, words in _WORDS.items()
}
"""The first that has one of its words in the question is what it is about."""

NAMES = {
    "weight": _("weight and size"),
    "delivery": _("delivery"),
    "price": _("the price"),
    "taste": _("the taste"),
    "keeping": _("keeping it"),
    "growing": _("how it is grown"),
    "buying": _("how to buy"),
}


def topic_of(text: str) -> str:
    """One of `TOPICS`, or "" for a question about anything else."""
    folded = text.casefold()
    found = (topic for topic, words in TOPICS.items() if any(word in folded for word in words))
    return next(found, "")
