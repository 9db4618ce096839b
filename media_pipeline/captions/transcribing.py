"""The task: listen to a recording piece by piece, and keep each piece as soon as it is understood.

A worker that dies, or makes room for what is more urgent, loses one piece at most; whoever comes
after goes on there. No piece reaches over the edge of a take, so that no cue lies across it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from django.db import transaction
from django.utils.translation import gettext as _

from core.errors import Conflict
from media_pipeline import jobs
from media_pipeline.captions import speech, tracks
from media_pipeline.captions.cues import Cue
from media_pipeline.captions.models import CaptionTrack
from media_pipeline.captions.shaping import shaped
from media_pipeline.captions.speech import Listener, Word
from media_pipeline.parts import CRUMB_S, Stretch, parts_between, stretches
from media_pipeline.recipes import Part
from media_pipeline.room import jobs_at_once
from media_pipeline.work import Work

PIECE_S = 300.0
"""Heard at once: so much is heard again after a crash, and so long does what is urgent wait."""
LAST_WORDS_S = 30.0
"""At the end of a piece somebody may be in the middle of a sentence: that is heard again."""
SILENCE_S = 1.0
NOT_NOW, MOMENT = timedelta(seconds=15), timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Piece:
    """Seconds of the recording that are heard at once; `ends_take` says that nothing follows."""

    from_s: float
    to_s: float
    ends_take: bool


def transcribe(work: Work) -> None:
    """Write down what is said in the recording of the job's track."""
    tracks_now = CaptionTrack.objects.select_related("recording")
    track = tracks_now.get(public_id=work.lease.subject_id)
    ears = speech.listener()
    with speech.alone() as is_alone:
        if not is_alone:
            jobs.put_off(work.lease, NOT_NOW)
            return
        try:
            _listen(work, track, ears)
        except Conflict as error:  # it is spoken in a language that has captions already
            _give_up(work, track, error.message)


def _listen(work: Work, track: CaptionTrack, ears: Listener) -> None:
    takes, duration_s = stretches(track.recording), track.recording.duration_s
    cues, at_s = tracks.cues_of(track), track.heard_ms / 1000
    while piece := _next_piece(takes, at_s):
        work.progress = piece.from_s / duration_s
        found = _hear(work, track, ears, piece)
        found, at_s = (found, piece.to_s) if piece.ends_take else _whole(found, piece)
        cues += found
        tracks.keep_heard(work.lease, track, cues, round(at_s * 1000))
        if jobs_at_once() == 1 and jobs.is_preceded(work.lease):
            jobs.put_off(work.lease, MOMENT)
            return
    if cues:
        tracks.publish(work.lease, track, cues)
    else:
        _give_up(work, track, _("Nothing that is said in this recording could be understood."))


def _next_piece(takes: Sequence[Stretch], at_s: float) -> Piece | None:
    """What is to be heard from `at_s` on; a short rest of a take goes with what is before it."""
    take = next((one for one in takes if one.end_s > at_s + CRUMB_S), None)
    if take is None:
        return None
    from_s = max(at_s, take.start_s)
    to_s = from_s + PIECE_S
    ends_take = take.end_s - to_s < LAST_WORDS_S
    return Piece(from_s, take.end_s if ends_take else to_s, ends_take)


def _hear(work: Work, track: CaptionTrack, ears: Listener, piece: Piece) -> list[Cue]:
    words, language, duration_s = list[Word](), "", track.recording.duration_s
    with work.folder() as folder:
        for sound in _sounds(work, track, piece, folder):
            said = ears.listen(
                sound,
                seconds=piece.to_s - piece.from_s,
                language=track.language,
                hints=track.hints,
                stop=work.stop.is_set,
            )
            for one in said:
                language, words = one.language or language, [*words, *one.words]
                if words:
                    work.progress = min(1.0, (piece.from_s + words[-1].end_s) / duration_s)
    if words and not track.language:
        tracks.keep_language(work.lease, track, language)
    return shaped(words, piece.from_s, piece.to_s)


def _sounds(work: Work, track: CaptionTrack, piece: Piece, folder: Path) -> Iterator[Path]:
    """The sound of the piece as the model wants it, beginning with its first picture."""
    parts = parts_between(track.recording, piece.from_s, piece.to_s, folder)
    for part, _found in parts[:1]:
        if part.has_audio:
            sound = folder / "sound.wav"
            work.run(_arguments(part, sound), output_s=part.duration_s, until=work.progress)
            yield sound


def _arguments(part: Part, sound: Path) -> list[str]:
    window = ["-ss", f"{part.start_s:.3f}", "-t", f"{part.duration_s:.3f}", "-i", str(part.path)]
    even = ["-af", "aresample=16000:async=1:first_pts=0", "-ac", "1", "-c:a", "pcm_s16le"]
    return [*window, "-map", "0:a:0", *even, str(sound)]


def _whole(cues: Sequence[Cue], piece: Piece) -> tuple[list[Cue], float]:
    """The cues that were heard to their end, and from where on the rest is heard again."""
    if not cues:
        return [], piece.to_s
    last_s = cues[-1].start_ms / 1000
    if last_s < piece.to_s - LAST_WORDS_S:  # nobody spoke for a while
        return list(cues), piece.to_s - SILENCE_S
    return list(cues[:-1]), last_s


def _give_up(work: Work, track: CaptionTrack, reason: str) -> None:
    with transaction.atomic():
        jobs.fail(work.lease, reason, again=False)
        tracks.given_up(track.public_id, reason)
