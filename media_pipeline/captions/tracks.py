"""Every write to caption tracks, and what a recording's captions are."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable, Sequence

import msgspec
from babel import Locale, UnknownLocaleError
from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from core.accounts.models import User
from core.clock import now
from core.errors import Conflict, InvalidInput, NotFound
from media_pipeline import jobs
from media_pipeline.captions import cutting, formats
from media_pipeline.captions.cues import Cue, cue, words_of
from media_pipeline.captions.cutting import Span
from media_pipeline.captions.models import CaptionTrack, TrackState
from media_pipeline.jobs import Lease
from media_pipeline.models import Recording
from media_pipeline.services.recordings import locked_ready

TRANSCRIBE = "transcribe"
MOST_TRACKS = 10
LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8}){0,2}")
CRUMB_S = 0.02
# A player's idea of the end differs from ours by less than this.
END_SLACK_MS = 500


class CaptionsChanged(Conflict):
    """Somebody saved the track after it was opened here."""

    code = "captions_changed"


def cues_of(track: CaptionTrack) -> list[Cue]:
    return msgspec.convert(track.cues, list[Cue])


def rows(cues: Iterable[Cue]) -> list[dict[str, object]]:
    """Cues as they are kept."""
    return [msgspec.to_builtins(one) for one in cues]


def tracks_of(recording_id: uuid.UUID) -> list[CaptionTrack]:
    """All tracks of a recording, with what became of those that failed; without their cues."""
    found = CaptionTrack.objects.filter(recording__public_id=recording_id)
    return list(found.defer("cues").select_related("recording", "changed_by"))


def shown_tracks(recording_id: uuid.UUID) -> list[CaptionTrack]:
    """The tracks that viewers can choose."""
    found = CaptionTrack.objects.filter(
        recording__public_id=recording_id, state=TrackState.READY
    ).exclude(cues=[])
    return list(found.defer("cues"))


def language_name(language: str) -> str:
    """A language as its own speakers write it, e.g. "中文"; the tag where nobody knows it."""
    try:
        name = Locale.parse(language, sep="-").get_display_name()
    except (UnknownLocaleError, ValueError):
        name = None
    return name[:1].upper() + name[1:] if name else language


def checked_language(language: str) -> str:
    """A language's tag; raises `InvalidInput`."""
    if not LANGUAGE.fullmatch(language):
        raise InvalidInput(
            _("Write the language as a short code, for example en, zh or ug."), field="language"
        )
    return language


def transcribe(*, recording_id: uuid.UUID, language: str, hints: str, actor: User) -> CaptionTrack:
    """Have a job write down what is said; an empty `language` is found by listening.

    `hints` are names that are likely to be heard. Asking again while it waits changes nothing.
    Whoever calls decides who may, and whether there is a model. Raises `NotFound`, `InvalidInput`,
    and `Conflict` where there is such a track already.
    """
    if language:
        checked_language(language)
    with transaction.atomic():
        recording = locked_ready(recording_id)
        track = recording.caption_tracks.filter(language=language).first()
        if track is None:
            track = _added(recording, language, actor, TrackState.WAITING)
            track.hints = hints[:300]
            track.save(update_fields=["hints"])
        elif track.state == TrackState.READY:
            raise _there_already(language)
        _wait(track)
        job = jobs.enqueue(
            TRANSCRIBE,
            track.public_id,
            owner=actor,
            priority=jobs.Priority.BACK_CATALOGUE,
            show_id=recording.show_id,
        )
        jobs.retry(job)  # where somebody had cancelled it
    track.refresh_from_db()
    return track


def begin(
    *, recording_id: uuid.UUID, language: str, like: uuid.UUID | None, actor: User
) -> CaptionTrack:
    """A track that a person writes: empty, or with the times of another (`like`) and no text."""
    checked_language(language)
    with transaction.atomic():
        recording = locked_ready(recording_id)
        if recording.caption_tracks.filter(language=language).exists():
            raise _there_already(language)
        track = _added(recording, language, actor, TrackState.READY)
        if like:
            times = cues_of(track_of(recording.public_id, like))
            track.cues = rows(cue(one.start_ms, one.end_ms, "") for one in times)
            track.save(update_fields=["cues"])
    return track


def track_of(recording_id: uuid.UUID, track_id: uuid.UUID) -> CaptionTrack:
    """Raises `NotFound` for one that is not the recording's."""
    found = CaptionTrack.objects.filter(recording__public_id=recording_id, public_id=track_id)
    track = found.select_related("recording").first()
    if track is None:
        raise NotFound(no_such_track())
    return track


def no_such_track() -> str:
    return _("There are no such captions.")


def player_name(track: CaptionTrack) -> str:
    """How a player's menu calls the track."""
    name = language_name(track.language)
    return _("%s (automatic)") % name if track.is_automatic else name


def save(*, track: CaptionTrack, version: int, cues: Sequence[Cue], actor: User) -> CaptionTrack:
    """Keep what a person made of the cues that were at `version`.

    Raises `InvalidInput` naming the cue, by its number, and `CaptionsChanged`.
    """
    kept = checked(cues, track.recording.duration_s)
    changed = CaptionTrack.objects.filter(
        pk=track.pk, version=version, state=TrackState.READY
    ).update(
        cues=rows(kept),
        version=F("version") + 1,
        is_automatic=False,
        changed_by=actor,
        changed_at=now(),
    )
    if changed != 1:
        raise CaptionsChanged(
            _(
                "Somebody else saved these captions, or a passage was removed, since you opened"
                " them. Nothing of yours was saved yet."
            )
        )
    track.refresh_from_db()
    return track


def checked(cues: Sequence[Cue], duration_s: float) -> list[Cue]:
    """Cues as they may be kept: plain text, words where they are heard, in order, in the film."""
    if len(cues) > formats.MOST_CUES:
        raise InvalidInput(
            ngettext("At most %(count)d caption.", "At most %(count)d captions.", formats.MOST_CUES)
            % {"count": formats.MOST_CUES},
            field="cues",
        )
    last_ms, end_ms, kept = 0, round(duration_s * 1000), list[Cue]()
    for number, one in enumerate(cues, start=1):
        if not last_ms <= one.start_ms < one.end_ms <= end_ms + END_SLACK_MS:
            raise InvalidInput(
                _("Caption %d: it must begin after the one above, and end before the video does.")
                % number,
                field=f"cues.{number - 1}",
            )
        text = formats.plain(one.text)
        if len(text) > formats.LONGEST_TEXT:
            raise InvalidInput(
                _("Caption %(number)d is longer than %(count)d characters.")
                % {"number": number, "count": formats.LONGEST_TEXT},
                field=f"cues.{number - 1}",
            )
        last_ms = one.end_ms
        is_whole = text == one.text and _fits(one)
        kept.append(one if is_whole else cue(one.start_ms, one.end_ms, text))
    return kept


def _fits(one: Cue) -> bool:
    """Whether it says when each of its words begins."""
    moments = [one.start_ms, *one.words_ms, one.end_ms]
    return len(one.words_ms) == len(words_of(one.text)) and moments == sorted(moments)


def remove(track: CaptionTrack) -> None:
    """Take the track away; who writes it down loses the job."""
    with transaction.atomic():
        jobs.withdraw(TRANSCRIBE, [track.public_id])
        track.delete()


def keep_heard(lease: Lease, track: CaptionTrack, cues: Sequence[Cue], heard_ms: int) -> None:
    """What was written down so far: a worker that comes after goes on there. Raises `LeaseLost`."""
    with transaction.atomic():
        jobs.hold(lease)
        CaptionTrack.objects.filter(pk=track.pk).update(cues=rows(cues), heard_ms=heard_ms)


def keep_language(lease: Lease, track: CaptionTrack, language: str) -> None:
    """What language is spoken; raises `Conflict` if there is a track in it already."""
    with transaction.atomic():
        jobs.hold(lease)
        try:
            with transaction.atomic():
                CaptionTrack.objects.filter(pk=track.pk).update(language=language)
        except IntegrityError as error:
            raise _there_already(language) from error
    track.language = language


def publish(lease: Lease, track: CaptionTrack, cues: Sequence[Cue]) -> None:
    """Finish the job and show the track; raises `LeaseLost`."""
    with transaction.atomic():
        jobs.finish(lease)
        CaptionTrack.objects.filter(pk=track.pk).update(
            cues=rows(cues),
            state=TrackState.READY,
            is_automatic=True,
            version=F("version") + 1,
            heard_ms=0,
            changed_at=now(),
        )


def given_up(track_id: uuid.UUID, reason: str) -> None:
    """Tell on the track itself that nothing comes of it, and why."""
    waiting = CaptionTrack.objects.filter(public_id=track_id, state=TrackState.WAITING)
    waiting.update(state=TrackState.FAILED, error=reason[:300])


def again(track_id: uuid.UUID) -> None:
    """A person wants it all the same: it goes on where it was."""
    if track := CaptionTrack.objects.filter(public_id=track_id).first():
        _wait(track)


def _wait(track: CaptionTrack) -> None:
    failed = CaptionTrack.objects.filter(pk=track.pk, state=TrackState.FAILED)
    failed.update(state=TrackState.WAITING, error="")


def cut(recording: Recording, gone: Sequence[Span], duration_s: float) -> None:
    """A passage goes, and its words with it; what is being written down goes on when it is gone.

    Call it in the transaction that takes the passage out; `duration_s` is the recording's before.
    """
    if duration_s - sum(to_s - from_s for from_s, to_s in gone) < CRUMB_S:
        jobs.withdraw(
            TRANSCRIBE, list(recording.caption_tracks.values_list("public_id", flat=True))
        )
        recording.caption_tracks.all().delete()
        return
    # The job's row before the track's, as the job itself takes them.
    waiting = recording.caption_tracks.filter(state=TrackState.WAITING)
    jobs.withdraw(TRANSCRIBE, list(waiting.values_list("public_id", flat=True)))
    for track in recording.caption_tracks.select_for_update():
        track.cues = rows(cutting.without(cues_of(track), gone, duration_s))
        track.heard_ms = _shorter(track.heard_ms, gone)
        track.version += 1
        track.save(update_fields=["cues", "heard_ms", "version"])


def _shorter(at_ms: int, gone: Sequence[Span]) -> int:
    gone_s = sum(max(0.0, min(to_s, at_ms / 1000) - from_s) for from_s, to_s in gone)
    return max(0, at_ms - round(gone_s * 1000))


def go_on(recording: Recording) -> None:
    """Write down further what waited while the recording's files were changed."""
    waiting = recording.caption_tracks.filter(state=TrackState.WAITING)
    for track_id in waiting.values_list("public_id", flat=True):
        jobs.restart(TRANSCRIBE, track_id, priority=jobs.Priority.BACK_CATALOGUE)


def _added(recording: Recording, language: str, actor: User, state: TrackState) -> CaptionTrack:
    if recording.caption_tracks.count() >= MOST_TRACKS:
        raise Conflict(_("There are captions in %d languages; remove one first.") % MOST_TRACKS)
    return recording.caption_tracks.create(
        language=language, state=state, created_by=actor, changed_by=actor
    )


def _there_already(language: str) -> Conflict:
    return Conflict(
        _("There are captions in this language already (%s). Edit them, or remove them first.")
        % language_name(language)
    )
