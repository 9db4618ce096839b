"""Chat: what may be said, by whom and how often.

Who somebody is in a room is read from the database for many people at once and kept for a moment
(`streams.watch`), so that a message costs no query. What is said is checked here without waiting.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from uuid import UUID, uuid5

from django.conf import settings
from django.utils.translation import gettext as _

from core.accounts.models import RoleGrant, User
from core.accounts.proof import password_digest
from core.clock import now
from core.errors import AppError, SignInRequired, TooMany
from core.ids import new_id
from core.realtime.log import NewEntry
from core.realtime.models import LogEntry
from core.realtime.shared import Shared
from core.text import clean_line
from orders.models import Order, OrderState
from sellers.models import Member
from streams import access
from streams.access import RoomRole
from streams.errors import (
    Banned,
    BlockedWordSaid,
    LinksNotAllowed,
    Muted,
    ShowNotLive,
    SlowMode,
)
from streams.models import Audience, Ban, BlockedWord, Mute, Show, ShowState
from streams.protocol import Badge, ChatMessageEvent
from streams.services.words import Words

LONGEST_TEXT = 300
"""Characters of one message; the pages say the same to those who type."""
BURST = 5
LINKS_AFTER = timedelta(days=7)

BADGES: dict[RoomRole, Badge] = {
    RoomRole.VIEWER: "viewer",
    RoomRole.MODERATOR: "moderator",
    RoomRole.OPERATOR: "moderator",
    RoomRole.HOST: "host",
}

_QUESTION = re.compile(
    r"[?？][\s\W]*$|吗|多少|多重|多大|多久|多远|怎么|怎样|如何|什么时候|为什么|哪里|哪儿|哪个|哪种"
    r"|几斤|几个|几天|几点|几号|能不能|可不可以|有没有|是不是|会不会|要不要|好不好|甜不甜"
)
_LINK = re.compile(
    r"[a-z][a-z0-9+.-]{1,20}://|(?<![a-z0-9])www[.。]"
    r"|(?<![a-z0-9@._-])(?:[a-z0-9](?:[a-z0-9-]{0,62})[.。]){1,8}"
    r"(?:com|net|org|cn|info|biz|xyz|top|shop|site|online|store|club|vip|app|link|live|ru|io|co|me"
    r"|cc|tv|tk|ly|gl|gd|hk|tw|uk|de|fr|eu|jp|kr|pw|click|ink|wang|icu)"
    r"(?![a-z0-9-])",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Standing:
    """Who somebody is in one room's chat. `refusal` makes the error that keeps them quiet.

    `password` is the digest by which a `Proof` of an older password is known.
    """

    show_id: UUID
    user_id: UUID
    name: str
    badge: Badge
    may_link: bool
    words: Words
    slow_mode_s: int
    refusal: Callable[[], AppError] | None = None
    password: str = ""


def standings(show_id: UUID, user_pks: Collection[int]) -> dict[int, Standing]:
    """The standing of each of these people in the show; a handful of queries for all of them.

    An account that was closed has a refusal too. Raises `NotFound` if there is no such show.
    """
    show = access.show_by_id(show_id)
    users = {user.pk: user for user in User.objects.filter(pk__in=user_pks, is_active=True)}
    roles = access.roles_in(list(users.values()), show)
    links = _may_link(users, roles)
    guests = access.guests_among(list(users.values()), show)
    mutes = {mute.user_id: mute for mute in access.mutes_of(show).filter(user__in=users)}
    bans = {ban.user_id: ban for ban in access.bans_of(show).filter(user__in=users)}
    words = Words(
        BlockedWord.objects.filter(seller=show.seller_id).values_list("folded", flat=True)
    )
    found = {
        pk: Standing(
            show_id=show_id,
            user_id=user.public_id,
            name=user.shown_name,
            badge=BADGES[roles[pk]],
            may_link=pk in links,
            words=words,
            slow_mode_s=show.slow_mode_s,
            refusal=_refusal(show, roles[pk], bans.get(pk), mutes.get(pk), pk in guests),
            password=password_digest(user),
        )
        for pk, user in users.items()
    }
    return {pk: found.get(pk) or signed_out(show_id) for pk in user_pks}


def compose(standing: Standing, text: str, key: str | None = None) -> NewEntry:
    """What somebody says, as an entry; under the same `key`, as the same entry.

    Raises their refusal (`SignInRequired`, `Banned`, `Muted`, `ShowNotLive`, `NotAllowed`),
    `InvalidInput` (field `text`), `BlockedWordSaid` or `LinksNotAllowed`.
    """
    if standing.refusal is not None:
        raise standing.refusal()
    said = clean_line(text, "text", longest=LONGEST_TEXT)
    is_viewer = standing.badge == "viewer"
    if is_viewer and standing.words.found_in(said):
        raise BlockedWordSaid
    if not standing.may_link and has_link(said):
        raise LinksNotAllowed(LINKS_AFTER.days)
    return ChatMessageEvent(
        text=said,
        name=standing.name,
        user_id=standing.user_id,
        role=standing.badge,
        question=is_viewer and is_question(said),
    ).entry(now(), fact_id=message_id(standing, key))


async def slow_down(shared: Shared, standing: Standing) -> None:
    """Use up one turn of a viewer; raises `SlowMode` or `TooMany` with `retry_after`."""
    if standing.badge != "viewer":
        return
    key, usual_s = f"{standing.show_id}:{standing.user_id}", settings.CHAT_EVERY_S
    if standing.slow_mode_s:
        every_s = max(standing.slow_mode_s, usual_s)
        wait_s = await shared.take("chat.slow", key, burst=1, every_s=every_s)
        if wait_s:
            raise SlowMode(every_s, retry_after=wait_s)
    elif usual_s:
        wait_s = await shared.take("chat", key, burst=BURST, every_s=usual_s)
        if wait_s:
            raise TooMany(_("Slowly, please: others want to be read too."), retry_after=wait_s)


def is_said(topic: str, entry: NewEntry) -> bool:
    """Whether the log has this message already: sending it again is no haste."""
    return LogEntry.objects.filter(topic=topic, fact_id=entry.fact_id).exists()


def message_id(standing: Standing, key: str | None) -> UUID:
    """The log takes each id once. The person is part of it: nobody can use up another's keys."""
    if key is None:
        return new_id()
    return uuid5(standing.show_id, f"{standing.user_id}:{key}")


def is_question(text: str) -> bool:
    """Whether the text seems to ask something; meant to find most, not to be sure."""
    return _QUESTION.search(text) is not None


def has_link(text: str) -> bool:
    """Whether the (clean) text has an address that a browser or messenger would make a link."""
    folded = unicodedata.normalize("NFKC", text)
    return _LINK.search(folded) is not None


def _may_link(users: dict[int, User], roles: dict[int, RoomRole]) -> set[int]:
    """Who may send links: everybody who is not new, or has a part in something here."""
    young = {
        pk
        for pk, user in users.items()
        if roles[pk] == RoomRole.VIEWER and now() - user.date_joined < LINKS_AFTER
    }
    if not young:
        return set(users)
    orders = Order.objects.filter(buyer__in=young).exclude(state=OrderState.CANCELLED)
    known = {
        *orders.values_list("buyer_id", flat=True),
        *RoleGrant.objects.filter(user__in=young).values_list("user_id", flat=True),
        *Member.objects.filter(user__in=young).values_list("user_id", flat=True),
    }
    return set(users) - (young - known)


def _refusal(
    show: Show, role: RoomRole, ban: Ban | None, mute: Mute | None, is_guest: bool
) -> Callable[[], AppError] | None:
    """Made anew for each message: its words are in the language of who asks."""
    is_viewer = role == RoomRole.VIEWER
    if ban is not None and is_viewer:
        return partial(Banned, ban.until)
    if show.audience == Audience.INVITED and is_viewer and not is_guest:
        return partial(access.not_invited, show)
    if show.state == ShowState.ENDED:
        return ShowNotLive
    if mute is not None and is_viewer:
        return partial(Muted, mute.until)
    return None


def signed_out(show_id: UUID) -> Standing:
    """Of who has no account any more, or no session."""
    return Standing(show_id, show_id, "", "viewer", False, Words(), 0, _sign_in)


def _sign_in() -> SignInRequired:
    return SignInRequired(_("Please sign in first."))
