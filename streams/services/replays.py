"""What a seller changes about a show after its end: who may watch the replay, and what it shows."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from core.accounts.models import User
from core.errors import Conflict, InvalidInput
from media_pipeline.models import Passage, Recording
from media_pipeline.services import settling
from streams import access
from streams.models import Audience, Show, ShowState


def set_audience(*, show: Show, actor: User, audience: str) -> Show:
    """Say who may watch the replay; the files follow, and public addresses die.

    Saying the same again changes nothing. Raises `NotAllowed`, `InvalidInput`, and `Conflict`
    before the show's end or while an earlier change of the files is still being carried out.
    """
    access.require_host(actor, show)
    if show.is_rehearsal:
        raise Conflict(_("Nobody else can see a rehearsal. Schedule a show instead."))
    if show.is_practice:
        raise Conflict(_("A practice stays among those who learn."))
    if audience not in Audience.values:
        raise InvalidInput(_("Please say who may watch."), field="audience")
    if show.state != ShowState.ENDED:
        raise Conflict(_("You can choose who may watch the replay when the show is over."))
    with transaction.atomic():
        Show.objects.filter(pk=show.pk).update(audience=audience)
        is_public = audience == Audience.PUBLIC and not access.is_withheld(show)
        settling.set_public(show.public_id, is_public=is_public)
    show.refresh_from_db()
    return show


def remove_passage(
    *,
    show: Show,
    actor: User,
    passage_id: UUID,
    edition: int,
    start_s: float,
    end_s: float,
    whole: bool,
) -> Passage:
    """Take a passage out of the show's recording for good, as `settling.remove_passage` does."""
    access.require_host(actor, show)
    access.require_replay(show)
    recording = Recording.objects.filter(show_id=show.public_id).first()
    if recording is None:
        raise Conflict(_("Nothing was recorded in this show, so there is no replay."))
    return settling.remove_passage(
        passage_id=passage_id,
        recording_id=recording.public_id,
        edition=edition,
        start_s=start_s,
        end_s=end_s,
        whole=whole,
        actor=actor,
    )
