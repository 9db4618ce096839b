from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import Conflict, InvalidInput, NotFound
from core.text import clean_line
from streams.models import BlockedWord
from streams.services import words
from streams.services.words import Words
from tests.world import World

BLOCKED = ["scam", "加微信", "free money", "café", "ass"]


def says(text: str) -> bool:
    folded = [" ".join(words.fold(word).split()) for word in BLOCKED]
    return Words(folded).found_in(clean_line(text, "text", longest=500))


@pytest.mark.parametrize(
    "text",
    [
        "scam",
        "what a SCAM!",
        "s.c.a.m",
        "s c a m",
        "s - c - a - m here",
        "s_c_a_m",
        "ｓｃａｍ",
        "𝐬𝐜𝐚𝐦",
        "sc\u200bam",
        "s\u00adcam",
        "scám",
        "这是scam吧",
        "加微信",
        "请加 微 信哦",
        "加.微/信",
        "加\u200b微\u200d信",
        "加👍微👍信",
        "free money",
        "free   money now",
        "free-money",
        "f r e e m o n e y",
        "cafe",
        "CAFÉ",
        "a s s",
    ],
)
def test_a_blocked_word_is_found_however_it_is_spelt(text: str) -> None:
    assert says(text)


@pytest.mark.parametrize(
    "text",
    [
        "scampi for lunch",
        "a scamp",
        "class passes",
        "as sass goes",
        "it was so",
        "微信加我",
        "加一点微甜的，信我",
        "money for free",
        "decaf easy",
        "苹果多少钱一斤？",
        "his camera",
    ],
)
def test_what_only_looks_like_one_is_let_through(text: str) -> None:
    assert not says(text)


@given(st.text(alphabet=" scam.-_S微信加", max_size=500))
def test_looking_takes_no_time_whatever_is_said(text: str) -> None:
    began = time.process_time()
    Words(["scam", "s" * 20, "加微信"]).found_in(text)
    assert time.process_time() - began < 0.1


@given(st.text(min_size=1, max_size=40))
def test_a_word_that_can_be_blocked_finds_itself(typed: str) -> None:
    try:
        clean = clean_line(typed, "word", longest=40)
    except InvalidInput:
        return
    folded = " ".join(words._NOT_LETTER.split(words.fold(clean))).strip()
    if folded:
        assert Words([folded]).found_in(clean)


@pytest.mark.django_db
def test_a_seller_keeps_a_list(world: World) -> None:
    word = words.block(seller=world.farm, actor=world.zhang, word="  Ｓcam! ")
    assert (word.word, word.folded, word.added_by) == ("Ｓcam!", "scam", world.zhang)
    assert words.block(seller=world.farm, actor=world.zhang, word="SCAM") == word
    assert words.blocked(seller=world.farm, actor=world.zhao) == [word]
    words.unblock(seller=world.farm, actor=world.zhang, word_id=word.pk)
    assert not BlockedWord.objects.exists()
    with pytest.raises(NotFound):
        words.unblock(seller=world.farm, actor=world.zhang, word_id=word.pk)


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["li", "gao"])
def test_strangers_keep_their_hands_off_it(world: World, name: str) -> None:
    word = words.block(seller=world.farm, actor=world.zhang, word="scam")
    stranger = getattr(world, name)
    with pytest.raises(NotFound):
        words.block(seller=world.farm, actor=stranger, word="apples")
    with pytest.raises(NotFound):
        words.unblock(seller=world.farm, actor=stranger, word_id=word.pk)
    with pytest.raises(NotFound):
        words.blocked(seller=world.farm, actor=stranger)
    assert list(BlockedWord.objects.all()) == [word]


@pytest.mark.django_db
@pytest.mark.parametrize("word", ["", "!!!", "w" * 41, "\u200b", "﷽" * 40])
def test_a_word_has_letters_and_is_short(world: World, word: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        words.block(seller=world.farm, actor=world.zhang, word=word)
    assert refused.value.field == "word"


@pytest.mark.django_db
def test_a_list_has_an_end(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(words, "MOST_WORDS", 2)
    for word in ("one", "two"):
        words.block(seller=world.farm, actor=world.zhang, word=word)
    with pytest.raises(Conflict):
        words.block(seller=world.farm, actor=world.zhang, word="three")
