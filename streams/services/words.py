"""Words that a seller does not want in the chat: keeping the list, finding them in what is said.

Words are compared folded: full-width and styled letters as plain ones, without case and accents. A
word in an alphabet is found as a whole word, also when it is spelt with dots or spaces between its
letters; a Chinese one wherever its characters follow each other, whatever stands between them.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from core import outbox
from core.accounts.models import User
from core.clock import now
from core.errors import Conflict, InvalidInput, NotFound
from core.text import clean_line
from sellers.access import KEEPERS, member_of
from sellers.models import Seller
from streams.events import RoomModerated
from streams.models import BlockedWord, Show

LONGEST_WORD = 40
MOST_WORDS = 500

# Scripts that are written without spaces between words.
_UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff"  # noqa: E501
_NOT_LETTER = re.compile(r"[\W_]+")
_SQUASHED = dict.fromkeys(range(0x300, 0x370))
_BEFORE = rf"(?<![^\W_{_UNSPACED}])"
_AFTER = rf"(?![^\W_{_UNSPACED}])"
_HAS_UNSPACED = re.compile(f"[{_UNSPACED}]")


def block(*, seller: Seller, actor: User, word: str, show: Show | None = None) -> BlockedWord:
    """Keep the word out of the seller's shows; a word that is blocked already stays as it is.

    The people of the `show` in which this was done are told.

    Raises `NotFound` for a stranger, `InvalidInput` (field `word`), or `Conflict` when the list is
    full.
    """
    member_of(actor, seller, *KEEPERS)
    clean = clean_line(word, "word", longest=LONGEST_WORD)
    folded = " ".join(_NOT_LETTER.split(fold(clean))).strip()
    if not folded or len(folded) > 2 * LONGEST_WORD:
        raise InvalidInput(_("Please write a word with letters."), field="word")
    with transaction.atomic():
        # One at a time per seller: the limit is counted, not guarded by a constraint.
        Seller.objects.select_for_update().get(pk=seller.pk)
        known = BlockedWord.objects.filter(seller=seller)
        if (same := known.filter(folded=folded).first()) is not None:
            return same
        if known.count() >= MOST_WORDS:
            raise Conflict(_("The list of blocked words is full."))
        _tell(show, "block_word", actor, clean)
        return BlockedWord.objects.create(seller=seller, word=clean, folded=folded, added_by=actor)


def unblock(*, seller: Seller, actor: User, word_id: int, show: Show | None = None) -> None:
    """Allow the word again; raises `NotFound` for a stranger or a word that is not on the list."""
    member_of(actor, seller, *KEEPERS)
    with transaction.atomic():
        word = BlockedWord.objects.select_for_update().filter(seller=seller, pk=word_id).first()
        if word is None:
            raise NotFound(_("There is no such word."))
        word.delete()
        _tell(show, "allow_word", actor, word.word)


def blocked(*, seller: Seller, actor: User) -> list[BlockedWord]:
    """The seller's list, by word; raises `NotFound` for a stranger."""
    member_of(actor, seller, *KEEPERS)
    return list(BlockedWord.objects.filter(seller=seller).select_related("added_by"))


def seller_of(public_id: UUID) -> Seller:
    """Raises `NotFound`."""
    seller = Seller.objects.filter(public_id=public_id).first()
    if seller is None:
        raise NotFound(_("There is nothing here, or it is not yours."))
    return seller


def fold(text: str) -> str:
    """The text as it is compared. `text` is clean: nothing invisible is left in it."""
    if text.isascii():
        return text.lower()
    plain = unicodedata.normalize("NFKD", text).translate(_SQUASHED).casefold()
    return unicodedata.normalize("NFKC", plain)


def _tell(show: Show | None, action: str, actor: User, word: str) -> None:
    if show is None:
        return
    outbox.publish(
        RoomModerated(
            show_id=show.public_id,
            at=now(),
            action=action,
            actor=actor.shown_name,
            details={"word": word},
        )
    )


class Words:
    """A list of folded words, ready to be looked for."""

    def __init__(self, folded: Iterable[str] = ()) -> None:
        self._words = [(_NOT_LETTER.sub("", word), _pattern(word)) for word in folded]

    def found_in(self, text: str) -> bool:
        """Whether one of the words is said in the (clean) text."""
        if not self._words:
            return False
        folded = fold(text)
        squashed = _NOT_LETTER.sub("", folded)
        # The substring is looked for first: that costs 50 ns a word, a pattern 50 times as much.
        return any(
            word in squashed and (pattern is None or pattern.search(folded) is not None)
            for word, pattern in self._words
        )


def _pattern(word: str) -> re.Pattern[str] | None:
    """What finds a word of an alphabet; `None` for one whose characters are enough."""
    if _HAS_UNSPACED.search(word):
        return None
    parts = word.split(" ")
    letters = [re.escape(char) for char in "".join(parts)]
    written = r"[\W_]*".join(r"[^\w\s]*_*".join(map(re.escape, part)) for part in parts)
    spelt_out = r"[\W_]+".join(letters)
    return re.compile(f"{_BEFORE}(?:{written}|{spelt_out}){_AFTER}")
