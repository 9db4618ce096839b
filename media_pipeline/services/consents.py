"""A seller's consent: without it no clip is a lesson, and taking it back takes the clip down.

What was agreed to is kept word for word, with who and when, also after it was taken back and when
the clip is gone. `Asset.consented_at` is what everybody asks; it changes with the record, here.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import override

from core.accounts.models import User
from core.clock import now
from core.errors import Conflict, InvalidInput
from core.outbox import publish
from media_pipeline import jobs
from media_pipeline.events import ClipWithdrawn
from media_pipeline.models import Asset, AssetKind, AssetState, ClipCopy, Consent
from media_pipeline.services.clip_copies import MAKE_COPY
from media_pipeline.services.clips import MAKE_CLIP, MAKE_LIGHT, delete_files
from media_pipeline.storage_keys import StorageDown

# Another one whenever the wording changes: who agreed has agreed to what was written then.
VERSION = "2026-11"


class ConsentMissing(Conflict):
    """Nobody of the seller's has agreed that this clip may be a lesson."""

    code = "consent_needed"


def wording() -> str:
    """What is agreed to, in the language of the moment."""
    return _(
        "I agree that this part of our show may be shown as a lesson to people who take a course"
        " here: picture, sound, the products shown, and what viewers wrote, without their names."
        " Whoever can be seen or heard in it knows this and agrees. We can take it back at any"
        " time; then the lesson is taken down everywhere on this site at once."
    )


def require(clip: Asset) -> None:
    """Raises `ConsentMissing` for a clip that may not be shown to others."""
    if clip.consented_at is not None:
        return
    if clip.state == AssetState.WITHDRAWN:
        raise ConsentMissing(
            _(
                "The seller has taken this lesson back. It can be shown again when one of the"
                " seller's people agrees to it anew, on the show's page in the studio."
            ),
            field="asset_id",
        )
    raise ConsentMissing(
        _(
            "Before this can be a lesson, one of the seller's people has to agree to it: open the"
            " show in the studio, and choose “Agree” beside the clip."
        ),
        field="asset_id",
    )


def give(clip: Asset, *, actor: User, version: str, language: str) -> Consent:
    """Keep that `actor` agrees for the seller, to the wording of this version and language.

    Agreeing again changes nothing. A clip that was taken back is made anew. Whoever calls decides
    who may. Raises `InvalidInput` where another wording was shown, `Conflict` for a clip that came
    to nothing.
    """
    if version != VERSION:
        raise InvalidInput(
            _("The wording has changed since this page was opened. Please read it again."),
            field="version",
        )
    if language not in dict(settings.LANGUAGES):
        raise InvalidInput(_("This page does not speak that language."), field="language")
    with transaction.atomic():
        locked = _locked(clip)
        if known := in_force(locked):
            return known
        if locked.state == AssetState.FAILED:
            raise Conflict(_("This clip could not be made, so there is nothing to agree to."))
        consent = _record(locked, actor, language)
        locked.consented_at = consent.given_at
        if locked.state == AssetState.WITHDRAWN:
            locked.state = AssetState.WAITING
            jobs.restart(MAKE_CLIP, locked.public_id, priority=jobs.Priority.CLIP)
        locked.save(update_fields=["consented_at", "state"])
    return consent


def carry_over(
    clip: Asset, *, wording: str, version: str, language: str, given_at: datetime
) -> Consent:
    """Keep what the seller agreed to where the clip was made: word for word, and without a name.

    Whoever brings the clip answers for its being true. The clip may be shown from now on.
    """
    with transaction.atomic():
        consent = Consent.objects.create(
            clip=clip,
            clip_id_then=clip.public_id,
            clip_title=clip.title,
            show_id=clip.recording.show_id,
            wording=wording,
            version=version,
            language=language,
            given_at=given_at,
        )
        clip.consented_at = given_at
        clip.save(update_fields=["consented_at"])
    return consent


def withdraw(clip: Asset, *, actor: User) -> Consent:
    """Take the clip back: nobody is given it any more, and its files are deleted.

    Taking it back again changes nothing; what was agreed to, and when, stays on record. Whoever
    calls decides who may. Raises `Conflict` for a clip that nobody ever agreed to.
    """
    with transaction.atomic():
        locked = _locked(clip)
        consent = in_force(locked)
        if consent is None:
            return _last(locked)
        consent.withdrawn_at, consent.withdrawn_by = now(), actor
        consent.save(update_fields=["withdrawn_at", "withdrawn_by"])
        _take_down(locked)
        recording = locked.recording
        publish(ClipWithdrawn(recording.show_id, recording.public_id, locked.public_id))
        transaction.on_commit(lambda: _delete_now(locked))
    return consent


def discard(clip: Asset) -> None:
    """Delete a clip that nobody agreed to: what is made of it ends, and its files go.

    Discarding it again changes nothing. Whoever calls decides who may. Raises `Conflict` for a clip
    that was agreed to: it is taken back (`withdraw`), and the record stays.
    """
    with transaction.atomic():
        locked = _locked(clip)
        if last(locked) is not None:
            raise Conflict(_("Somebody agreed to this clip: take it back instead."))
        if locked.state == AssetState.WITHDRAWN:
            return
        _take_down(locked)
        recording = locked.recording
        publish(ClipWithdrawn(recording.show_id, recording.public_id, locked.public_id))
        transaction.on_commit(lambda: _delete_now(locked))


def in_force(clip: Asset) -> Consent | None:
    """The consent by which the clip may be shown, if there is one."""
    return Consent.objects.filter(clip=clip, withdrawn_at=None).first()


def last(clip: Asset) -> Consent | None:
    """What was agreed to last, also if it was taken back since."""
    return Consent.objects.filter(clip=clip).select_related("given_by", "withdrawn_by").first()


def delete_withdrawn(clip_id: UUID) -> None:
    """Delete the files of a clip, if it is still taken back; doing it again is no error."""
    with transaction.atomic():
        clip = Asset.objects.select_for_update().filter(public_id=clip_id).first()
        if clip is not None and clip.state == AssetState.WITHDRAWN:
            delete_files(clip.public_id)


def _delete_now(clip: Asset) -> None:
    try:
        delete_withdrawn(clip.public_id)
    except StorageDown:
        return  # no row names them any more, and the fact's handler goes on trying


def _locked(clip: Asset) -> Asset:
    return Asset.objects.select_for_update().get(pk=clip.pk, kind=AssetKind.CLIP)


def _last(clip: Asset) -> Consent:
    consent = last(clip)
    if consent is None:
        raise Conflict(_("Nobody has agreed to this clip, so there is nothing to take back."))
    return consent


def _record(clip: Asset, actor: User, language: str) -> Consent:
    with override(language):
        said = wording()
    return Consent.objects.create(
        clip=clip,
        clip_id_then=clip.public_id,
        clip_title=clip.title,
        show_id=clip.recording.show_id,
        wording=said,
        version=VERSION,
        language=language,
        given_by=actor,
        given_at=now(),
    )


def _take_down(clip: Asset) -> None:
    for kind in (MAKE_CLIP, MAKE_COPY, MAKE_LIGHT):
        jobs.withdraw(kind, [clip.public_id])
    clip.renditions.all().delete()
    ClipCopy.objects.filter(clip=clip).delete()
    clip.state, clip.consented_at, clip.error = AssetState.WITHDRAWN, None, ""
    clip.download_key = clip.poster_key = ""
    clip.save()
