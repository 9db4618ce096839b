"""What simulated buyers say, in the languages that they speak.

Not gettext: a buyer speaks the language of the course in everybody's page, and says the same thing
in different words, which no translation of one sentence gives.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

LANGUAGES = ("zh", "en")

NAMES: Mapping[str, Mapping[str, str]] = {
    "hurried": {"zh": "赶路的小刘", "en": "Liu in a hurry"},
    "regular": {"zh": "老客户张姐", "en": "Zhang, a regular"},
    "careful": {"zh": "细心的陈妈", "en": "Careful Chen"},
    "haggler": {"zh": "会还价的老马", "en": "Ma who haggles"},
    "gifts": {"zh": "送礼的小赵", "en": "Zhao buys gifts"},
    "bargains": {"zh": "等秒杀的阿美", "en": "Mei waits for deals"},
    "complainer": {"zh": "较真的老孙", "en": "Sun remembers"},
}

SAID: Mapping[str, Mapping[str, Sequence[str]]] = {
    "zh": {
        "hello": ("主播好！", "来了来了", "刚进来，大家好"),
        "weight": ("{good}一份大概多重？", "{good}里面有几个？"),
        "taste": ("{good}甜不甜？", "{good}口感怎么样？"),
        "harvest": ("{good}是今年新摘的吗？", "{good}什么时候采的？"),
        "spraying": ("{good}打农药吗？", "{good}有没有检测报告？"),
        "storage": ("{good}能放多久？", "{good}要放冰箱吗？"),
        "delivery": ("今天下单什么时候能到？", "发什么快递，几天到？"),
        "box": ("送人的话有没有礼盒？", "{good}包装结实吗？"),
        "bruised": ("上次收到坏了两个，怎么办？", "上回的货有磕碰，这次会不会好一点？"),
        "haggle": (
            "{price} 卖不卖？",
            "能不能便宜点，{price} 行吗？",
            "别家才 {price}，能少点吗？",
        ),
        "dear": ("有点贵了，我再看看", "这个价我买不了"),
        "again": ("刚才问的还没回答呢，能说说吗？", "主播看看我的问题好不好？"),
        "wonder": ("主播还在吗？", "怎么没声音了？", "有人吗？", "卡了吗，怎么不说话？"),
        "leave": ("没人说话，我先走了", "先去别家看看", "下次再来吧"),
        "thanks": ("谢谢，明白了", "好的，放心了", "讲得清楚"),
        "bought": ("买了，等收货", "下单了", "抢到了"),
        "gone": ("没货了？可惜", "手慢了，没抢到"),
    },
    "en": {
        "hello": ("Hello!", "Just came in", "Good evening everybody"),
        "weight": ("How heavy is one of {good}?", "How many are in {good}?"),
        "taste": ("Is {good} sweet?", "What does {good} taste like?"),
        "harvest": ("Is {good} from this year?", "When was {good} picked?"),
        "spraying": ("Is {good} sprayed?", "Was {good} tested by anybody?"),
        "storage": ("How long does {good} keep?", "Does {good} have to be in a fridge?"),
        "delivery": ("If I order today, when does it come?", "How many days until it is here?"),
        "box": ("Do you have a box for a present?", "Is {good} packed well?"),
        "bruised": (
            "Two of the last ones were bruised. What about that?",
            "My last box came with dents. Will this one be better?",
        ),
        "haggle": ("Would you sell it for {price}?", "Can you go down to {price}?"),
        "dear": ("That is a bit much for me", "Too dear, I will look around"),
        "again": ("Could you answer my question?", "Did you see what I asked?"),
        "wonder": (
            "Are you still there?",
            "Is the sound gone?",
            "Hello? Anybody?",
            "Is it stuck? I hear nothing?",
        ),
        "leave": ("Nobody talks here, I am off", "I will look elsewhere", "Another time then"),
        "thanks": ("Thank you, clear now", "Good, then I am not worried", "Well explained"),
        "bought": ("Bought it", "Ordered!", "Got one"),
        "gone": ("Sold out? A pity", "Too slow, all gone"),
    },
}


def spoken(language: str) -> str:
    """The language in which buyers speak to somebody with this one: Chinese, or else English."""
    return "zh" if language.lower().startswith("zh") else "en"


def say(language: str, kind: str, roll: float, **about: str) -> str:
    """One of the ways to say it; `roll` is in [0, 1)."""
    ways = SAID[language][kind]
    return ways[int(roll * len(ways))].format(**about)


def price_text(language: str, price_minor: int) -> str:
    """As buyers write it, without the cents that nobody says."""
    whole = max(1, round(price_minor / 100))
    return f"{whole}块" if language == "zh" else f"¥{whole}"
