"""The stop button: an operator ends a show at once, says why, and may hide its replay."""

from __future__ import annotations

from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from core.accounts.models import User
from core.clock import now
from core.errors import Conflict, InvalidInput, NotFound
from core.text import clean_line
from media_pipeline.models import Recording, RecordingState
from media_pipeline.services import takes
from media_pipeline.services.settling import set_public
from streams import access
from streams.models import Audience, EncoderStream, Show, Stop, StopReason
from streams.services import shows

LONGEST_WORDS = 300


def stop_show(
    show_id: UUID, actor: User, *, kind: str, words: str = "", withhold: bool = False
) -> Stop:
    """End a show for good and write down who did it and why; `withhold` hides its replay.

    Whoever receives its camera lets it go within `takes.KEEP_EVERY_S`. A show that its host has
    ended meanwhile is only hidden, and without `withhold` raises `Conflict`, as for a show that
    was stopped before. Raises also `NotFound`, `NotAllowed` and `InvalidInput`.
    """
    operator, show = access.show_to_operate(actor, show_id)
    cleaned = _clean(kind, words)
    try:
        with transaction.atomic():
            was_on_air = shows.end(show_id, is_stop=True)
            if not was_on_air and not withhold:
                raise Conflict(_("This show has ended already. You can still hide its replay."))
            stop = Stop.objects.create(
                show=show,
                stopped_by=operator,
                at=now(),
                kind=kind,
                words=cleaned,
                was_on_air=was_on_air,
                is_withheld=withhold,
            )
            _let_go(show)
            if not was_on_air:
                hide_files(show_id)
    except IntegrityError as error:
        raise Conflict(_("Another operator has stopped this show already.")) from error
    return stop


def _clean(kind: str, words: str) -> str:
    if kind not in StopReason.values:
        raise InvalidInput(_("Please say why."), field="kind")
    needed = int(kind == StopReason.OTHER)
    return clean_line(words, "words", longest=LONGEST_WORDS, shortest=needed)


def _let_go(show: Show) -> None:
    """Ask for it in the same breath: the fact of the end may wait behind others."""
    takes.ask_to_end(show.public_id)
    streams = EncoderStream.objects.filter(show=show, ended_at=None)
    streams.update(ended_at=now(), reason="stopped")


def release(show_id: UUID, actor: User) -> Stop:
    """Show the replay again. Nothing else of a stop can be undone; again changes nothing.

    Raises `NotFound`, `NotAllowed`, or `Conflict` while the recording is not complete.
    """
    operator, _show = access.show_to_operate(actor, show_id)
    with transaction.atomic():
        show = _locked(show_id)
        hidden = Stop.objects.filter(show=show, is_withheld=True)
        if hidden.update(is_withheld=False, released_by=operator, released_at=now()):
            set_public(show_id, is_public=show.audience == Audience.PUBLIC)
    if (stop := stop_of(show)) is None:
        raise NotFound(_("There is nothing here, or it is not yours."))
    return stop


def _locked(show_id: UUID) -> Show:
    """Its seller may be saying at this moment who may watch: the files follow both."""
    return Show.objects.select_for_update().get(public_id=show_id)


def hide_files(show_id: UUID) -> None:
    """Let the old addresses of a withheld recording die, once it is complete; in a transaction."""
    show = _locked(show_id)
    withheld = Stop.objects.filter(show=show, is_withheld=True)
    complete = Recording.objects.filter(show_id=show_id).exclude(state=RecordingState.LIVE)
    if withheld.exists() and complete.exists():
        set_public(show_id, is_public=False)


def stops() -> QuerySet[Stop]:
    """All that operators have stopped, the latest first."""
    return Stop.objects.select_related("show__seller", "show__host", "stopped_by", "released_by")


def stop_of(show: Show) -> Stop | None:
    return Stop.objects.filter(show=show).select_related("stopped_by").first()


def why_stopped(show: Show) -> str:
    """What whoever films the show is told; empty if no operator has ended it."""
    stop = stop_of(show)
    if stop is None or not stop.was_on_air:
        return ""
    return _(
        "An operator has ended this show. What was filmed is kept; see the studio for details. "
        "Reason: %(reason)s"
    ) % {"reason": stop.reason}
