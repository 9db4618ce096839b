"""What the demo's orchard sells, and what people say about it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Good:
    """One product with one variant. `picture` names a drawing of `media_pipeline.demo_media`."""

    picture: str
    title: str
    about: str
    variant: str
    price_minor: int
    show_price_minor: int
    weight_g: int
    stock: int


GOODS = (
    Good(
        "apples",
        "Huaniu apples 花牛苹果",
        "Picked this morning at 1,600 metres. Sweet, crisp, not waxed.",
        "5 kg",
        4990,
        3990,
        5000,
        120,
    ),
    Good(
        "pears",
        "Snow pears 雪花梨",
        "Thin skin, a lot of juice. For eating, and for soup with rock sugar.",
        "3 kg",
        3290,
        2590,
        3000,
        80,
    ),
    Good(
        "honey",
        "Locust honey 槐花蜜",
        "From our own forty hives, one harvest a year.",
        "500 g",
        5800,
        4900,
        500,
        60,
    ),
    Good(
        "walnuts",
        "Paper-shell walnuts 薄皮核桃",
        "Cracked by hand without a tool. This year's crop, dried in the sun.",
        "1 kg",
        4500,
        3600,
        1000,
        90,
    ),
)

# What viewers ask and say, by the product that is pinned; "" is said at any time.
CHATTER: dict[str, tuple[str, ...]] = {
    "": (
        "Good morning from Lanzhou!",
        "大家好",
        "How long does delivery take?",
        "The blossom must have been beautiful this spring",
        "第一次来，请多关照",
        "Is the courier cold-packed?",
        "What is the weather like up there?",
        "支持家乡农产品！",
    ),
    "apples": (
        "How heavy is one box?",
        "Are they sweet or sour?",
        "花牛苹果真好吃",
        "How many apples are in 5 kg?",
        "Can I keep them until New Year?",
        "Bought them last year, my kids loved them",
        "一箱大概多少个？",
    ),
    "pears": (
        "Good for a cough?",
        "雪花梨炖冰糖最好",
        "Are they ripe already?",
        "Do they bruise on the way?",
    ),
    "honey": (
        "Does it crystallise?",
        "是纯蜂蜜吗？",
        "Is there a test report?",
        "Which flower is it from?",
    ),
    "walnuts": (
        "Really without a nutcracker?",
        "核桃新鲜吗？",
        "How do I store them?",
    ),
}

ANSWERS: dict[str, tuple[str, ...]] = {
    "apples": (
        "About 24 to 28 apples in a 5 kg box.",
        "Sweet, with a little acid. 又甜又脆！",
        "In a cool room they keep until the Spring Festival.",
    ),
    "pears": ("Each pear has its own foam net, nothing bruises.", "炖汤最好，也可以直接吃。"),
    "honey": (
        "It may crystallise in winter: that is how to tell it is real.",
        "槐花蜜，一年一季。",
    ),
    "walnuts": (
        "Two in one hand, press, done. 手一捏就开。",
        "Kept dry they last a year.",
    ),
}
