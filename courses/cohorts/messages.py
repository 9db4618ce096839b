"""What facilitators write to their classes: kept until it was read, and told to who is here now."""

from __future__ import annotations

from uuid import UUID, uuid5

from django.db import transaction
from django.db.models import Q, QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _

from core import outbox
from core.accounts import limits
from core.accounts.models import User
from core.clock import now
from core.errors import InvalidInput
from core.ids import new_id
from core.realtime import runtime
from core.text import clean_lines
from courses.cohorts.events import CohortMessageSent
from courses.cohorts.models import Cohort, Message, MessageRead
from streams.me_consumer import PREFIX
from streams.me_protocol import MessageCame

LONGEST = 1000
MOST_AN_HOUR = 60


def send(
    cohort: Cohort,
    sender: User,
    text: str,
    *,
    to: User | None = None,
    public_id: UUID | None = None,
) -> Message:
    """Write to everybody in the cohort, or to one. `InvalidInput` without a text or a place."""
    words = clean_lines(text, "text", longest=LONGEST)
    if not words:
        raise InvalidInput(_("Write a message first."), field="text")
    if to is not None and not cohort.places.filter(user=to, left_at=None).exists():
        raise InvalidInput(_("This person is not in the class any more."), field="to")
    limits.take("cohort message", str(sender.public_id), most=MOST_AN_HOUR, per_s=limits.HOUR_S)
    with transaction.atomic():
        message = Message.objects.create(
            public_id=public_id or new_id(),
            cohort=cohort,
            to=to,
            text=words,
            sent_by=sender,
            sent_at=now(),
        )
        outbox.publish(CohortMessageSent(message.public_id, message.sent_at))
    return message


def messages_for(user: User, cohort: Cohort | None = None) -> QuerySet[Message]:
    """What was written to the user in classes that they are in, since they joined or before."""
    mine = user.cohort_places.filter(left_at=None)
    if cohort is not None:
        mine = mine.filter(cohort=cohort)
    to_me = Q(to=None) | Q(to=user)
    found = Message.objects.filter(to_me, cohort__in=mine.values("cohort")).exclude(sent_by=user)
    return found.select_related("sent_by", "cohort")


def unread(user: User) -> QuerySet[Message]:
    return messages_for(user).exclude(reads__user=user)


def mark_read(user: User, cohort: Cohort) -> None:
    """Everything that was written in this class so far."""
    fresh = messages_for(user, cohort).exclude(reads__user=user)
    MessageRead.objects.bulk_create(
        (MessageRead(message=one, user=user, at=now()) for one in fresh), ignore_conflicts=True
    )


def tell(fact: CohortMessageSent, fact_id: UUID) -> None:
    """Push it to those it is for, wherever they are on the site."""
    message = Message.objects.filter(public_id=fact.message_id).select_related("cohort").first()
    if message is None:
        return
    places = message.cohort.places.filter(left_at=None).exclude(user=message.sent_by)
    if message.to is not None:
        places = places.filter(user=message.to)
    event = MessageCame(
        id=message.public_id,
        text=message.text,
        sender=message.sent_by.shown_name if message.sent_by else "",
        url=reverse("cohort", args=[message.cohort.public_id]),
    )
    for user_id in places.values_list("user__public_id", flat=True):
        # Each person's topic has its own entry, known by an id of its own.
        entry = event.entry(fact.at, fact_id=uuid5(fact_id, str(user_id)))
        runtime.current().log.append_blocking(f"{PREFIX}:{user_id}", [entry])
