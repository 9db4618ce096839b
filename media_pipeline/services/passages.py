"""Removing a passage: a moment that must not stay online is taken out of the storage for good.

Whole segments go, rounded outwards, so that nothing is encoded anew and no frame of the passage is
left in an edge. A take with a hole becomes two takes with a gap between them: the media clock, the
playlists and everything else that knows gaps needs to know nothing else.

First the rows say what is left, in one transaction; then the files follow (`carry_out`), which may
be done again after a crash and is then finished by a job (`media_pipeline.services.settling`).
"""

from __future__ import annotations

import math
import shutil
import uuid
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import msgspec
from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from core.accounts.models import User
from core.clock import now
from core.errors import InvalidInput
from core.ids import new_id
from core.outbox import publish
from media_pipeline import jobs
from media_pipeline.captions import tracks
from media_pipeline.clip_wishes import wish_of
from media_pipeline.clock import Filmed
from media_pipeline.events import PassageRemoved
from media_pipeline.ingest import layout
from media_pipeline.ingest.segmenter import INIT, PLAYLIST
from media_pipeline.long_films import forget_of
from media_pipeline.models import (
    Asset,
    AssetKind,
    AssetState,
    ClipCopy,
    Passage,
    Recording,
    RecordingState,
    Take,
    TakeState,
)
from media_pipeline.parts import CRUMB_S, Stretch, recording_folder, stretches
from media_pipeline.playlists import Segment, listing, parse_segments
from media_pipeline.services import archiving
from media_pipeline.services.archiving import ARCHIVE_RECORDING
from media_pipeline.services.clips import MAKE_CLIP, delete_files
from media_pipeline.services.recordings import PROCESS_RECORDING
from media_pipeline.services.takes import filmed, playable_takes
from media_pipeline.storage import storage

# Sound is a fragment (100 ms) ahead of its picture or behind it, perhaps in the next segment.
MARGIN_S = 0.15
SHORTEST_S = 0.1
# Players round the length of what they play; more than that is no passage of this recording.
PAST_THE_END_S = 0.5


class Cut(msgspec.Struct, frozen=True):
    """Segments to take out of one take, from `first` up to but without `after` ("" is the end).

    `rest` is the id of the take that what comes behind becomes, where something is left before.
    """

    take: uuid.UUID
    first: str
    after: str
    rest: uuid.UUID | None


def check_times(recording: Recording, start_s: float, end_s: float) -> None:
    """Raises `InvalidInput` for a passage that is not one of the recording."""
    if not math.isfinite(start_s) or not 0 <= start_s < recording.duration_s:
        raise InvalidInput(_("The passage must start inside the recording."), field="start_s")
    if not math.isfinite(end_s) or end_s > recording.duration_s + PAST_THE_END_S:
        raise InvalidInput(_("The passage must end inside the recording."), field="end_s")
    if min(end_s, recording.duration_s) - start_s < SHORTEST_S:
        raise InvalidInput(_("The passage must end after its start."), field="end_s")


def write_down(
    recording: Recording,
    passage_id: uuid.UUID,
    start_s: float,
    end_s: float,
    *,
    whole: bool,
    actor: User,
) -> Passage:
    """Let the rows say what is left without the passage; in a transaction, on a locked recording.

    `start_s` and `end_s` are seconds of the recording as it is before. Raises `InvalidInput` if
    nothing would be left and `whole` does not say that this is meant.
    """
    found = stretches(recording)
    held = [(stretch, _held(stretch, start_s, end_s)) for stretch in found]
    gone = [(stretch, *numbers) for stretch, numbers in held if numbers]
    spans = [_span(*one) for one in gone]
    left_s = recording.duration_s - sum(to_s - from_s for from_s, to_s in spans)
    if left_s < CRUMB_S and not whole:
        raise InvalidInput(_("Nothing of the recording would be left."), field="whole")
    cuts = [_cut_take(recording, *one) for one in gone]
    passage = Passage.objects.create(
        public_id=passage_id,
        recording=recording,
        start_s=start_s,
        end_s=end_s,
        removed_s=sum(to_s - from_s for from_s, to_s in spans),
        cuts=msgspec.to_builtins(cuts),
        removed_by=actor,
    )
    tracks.cut(recording, spans, recording.duration_s)
    _shorten(recording, left_s)
    _withdraw(recording, spans)
    return passage


def _held(stretch: Stretch, start_s: float, end_s: float) -> tuple[int, int] | None:
    """Numbers of the first segment that has to go and of the first that may stay behind it."""
    if stretch.between(start_s, end_s) is None:
        return None
    edges = _edges(stretch)
    going = [
        number
        for number, (from_s, to_s) in enumerate(pairwise(edges))
        if to_s > start_s - MARGIN_S + CRUMB_S and from_s < end_s + MARGIN_S - CRUMB_S
    ]
    after = going[-1] + 1
    # Without its key frame a segment cannot be shown, and holds what is left of the one before.
    while after < len(stretch.segments) and not stretch.segments[after].starts_with_key:
        after += 1
    return going[0], after


def _edges(stretch: Stretch) -> list[float]:
    edges = [stretch.start_s]
    for segment in stretch.segments:
        edges.append(edges[-1] + segment.duration_s)
    return edges


def _span(stretch: Stretch, first: int, after: int) -> tuple[float, float]:
    edges = _edges(stretch)
    return edges[first], edges[after]


def _cut_take(recording: Recording, stretch: Stretch, first: int, after: int) -> Cut:
    """The rows of a take that loses the segments from `first` up to `after`."""
    take = recording.takes.get(public_id=stretch.folder.rpartition("/")[2])
    segments = stretch.segments
    before, behind = segments[:first], segments[after:]
    rest = new_id() if before and behind else None
    whole, gone_s = filmed(take), _seconds(segments[:after])
    left = Filmed(whole.wall(gone_s), _seconds(behind), whole.drift.behind(gone_s))
    if rest:
        _add_rest(take, rest, left)
    if not before and behind:
        take.started_at, take.drift = left.started_at, left.drift.as_row()
    take.duration_s = _seconds(before or behind)
    take.save(update_fields=["started_at", "drift", "duration_s"])
    return Cut(take.public_id, segments[first].name, behind[0].name if behind else "", rest)


def _add_rest(take: Take, rest: uuid.UUID, left: Filmed) -> None:
    later = take.recording.takes.filter(position__gt=take.position).order_by("-position")
    for pk in later.values_list("pk", flat=True):  # from the last: each position is there once
        Take.objects.filter(pk=pk).update(position=F("position") + 1)
    take.recording.takes.create(
        public_id=rest,
        position=take.position + 1,
        mime=take.mime,
        state=TakeState.SEALED,
        started_at=left.started_at,
        drift=left.drift.as_row(),
        duration_s=left.duration_s,
        sealed_at=take.sealed_at,
    )


def _seconds(segments: Sequence[Segment]) -> float:
    return sum(segment.duration_s for segment in segments)


def _shorten(recording: Recording, left_s: float) -> None:
    recording.duration_s = left_s
    if left_s < CRUMB_S:
        recording.duration_s, recording.state = 0, RecordingState.EMPTY
    recording.save(update_fields=["duration_s", "state"])


def _withdraw(recording: Recording, gone: Sequence[tuple[float, float]]) -> None:
    """Take back what was made of the recording, and stop what is being made of it now."""
    clips = list(recording.assets.filter(kind=AssetKind.CLIP))
    for kind in (PROCESS_RECORDING, ARCHIVE_RECORDING):
        jobs.withdraw(kind, [recording.public_id])
    unfinished = [clip.public_id for clip in clips if clip.state == AssetState.WAITING]
    jobs.withdraw(MAKE_CLIP, unfinished)
    whole = recording.assets.filter(kind=AssetKind.RECORDING)
    whole.update(
        state=AssetState.WAITING,
        master_key="",
        download_key="",
        poster_key="",
        storyboard_key="",
        waveform_key="",
    )
    for asset in whole:
        asset.renditions.all().delete()
    for clip in clips:
        _adjust_clip(clip, gone)


def _adjust_clip(clip: Asset, gone: Sequence[tuple[float, float]]) -> None:
    """A clip that shows the passage goes; what comes behind it is earlier in the recording now."""
    if left := wish_of(clip).without(gone):
        clip.wish = msgspec.to_builtins(left)
        clip.start_s, clip.end_s = left.hull.start_s, left.hull.end_s
    else:
        clip.state = AssetState.FAILED
        clip.error = gettext_noop("Part of this lesson's video was removed from the show.")
        clip.download_key = clip.poster_key = ""
        clip.renditions.all().delete()
        ClipCopy.objects.filter(clip=clip).delete()
    clip.save()


def carry_out(passage: Passage) -> None:
    """Let the files follow the rows; doing it again, or going on with it, ends the same."""
    recording = passage.recording
    place = layout.recording_folder(recording_folder(recording))
    archiving.fetch(recording)
    for cut in msgspec.convert(passage.cuts, list[Cut]):
        _cut_files(place, cut)
        storage().delete_folder(f"private/takes/{cut.take}")  # as it came in: it holds all of it
    _delete_derived(recording, place)
    takes = playable_takes(recording)
    if takes:
        layout.write_playlists(place, takes, ended=True)
    else:
        storage().delete_folder(recording_folder(recording))
    with transaction.atomic():
        done = Passage.objects.filter(pk=passage.pk, done_at=None).update(done_at=now())
        if done and takes:
            _make_anew(recording)
        if done:
            # Who opened a page since the rows changed may have seen files of before.
            Recording.objects.filter(pk=recording.pk).update(edition=F("edition") + 1)
            changed = PassageRemoved(recording.show_id, recording.public_id, recording.duration_s)
            publish(changed)


def _cut_files(place: Path, cut: Cut) -> None:
    folder = place / str(cut.take)
    segments = _listed(folder)
    names = [segment.name for segment in segments]
    if cut.first in names:
        first = names.index(cut.first)
        after = names.index(cut.after) if cut.after else len(names)
        for name in names[first:after]:
            (folder / name).unlink(missing_ok=True)
        before, behind = segments[:first], segments[after:]
        if cut.rest:
            _move(behind, folder, place / str(cut.rest))
        segments = before or behind
        if segments:
            _list(segments, folder)
    left = {segment.name for segment in segments}
    for path in folder.glob("*.m4s"):
        if path.name not in left:
            path.unlink()
    if not left:
        shutil.rmtree(folder, ignore_errors=True)


def _move(segments: Sequence[Segment], source: Path, target: Path) -> None:
    """The list first: a crash in between leaves a list that the next try makes true."""
    target.mkdir(exist_ok=True)
    shutil.copyfile(source / INIT, target / INIT)
    _list(segments, target)
    for segment in segments:
        if (source / segment.name).exists():
            (source / segment.name).replace(target / segment.name)


def _list(segments: Sequence[Segment], folder: Path) -> None:
    text = "#EXTM3U\n" + "".join(listing(segment) for segment in segments)
    new = folder / f".new-{PLAYLIST}"
    new.write_text(text)
    new.replace(folder / PLAYLIST)


def _listed(folder: Path) -> tuple[Segment, ...]:
    try:
        return parse_segments((folder / PLAYLIST).read_text())
    except FileNotFoundError:
        return ()


def _delete_derived(recording: Recording, place: Path) -> None:
    """Renditions, pictures and whatever else was made of the takes; and clips that show it."""
    kept = {str(take) for take in recording.takes.values_list("public_id", flat=True)}
    kept |= {layout.REPLAY, layout.LIVE}
    for path in place.iterdir() if place.is_dir() else ():
        if path.name in kept:
            continue
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()
    withdrawn = recording.assets.filter(kind=AssetKind.CLIP, state=AssetState.FAILED)
    for clip in withdrawn.values_list("public_id", flat=True):
        delete_files(clip)
    storage().delete_folder(f"private/downloads/{recording.public_id}")
    forget_of(PROCESS_RECORDING, recording.public_id)


def _make_anew(recording: Recording) -> None:
    """Jobs that began before the files were final lose their lease by this."""
    jobs.restart(PROCESS_RECORDING, recording.public_id, priority=200)
    waiting = recording.assets.filter(kind=AssetKind.CLIP, state=AssetState.WAITING)
    for clip in waiting.values_list("public_id", flat=True):
        jobs.restart(MAKE_CLIP, clip)
    tracks.go_on(recording)


def removed_passages(show_id: uuid.UUID) -> list[Passage]:
    """What was removed from a show's recording, and by whom; the newest first."""
    found = Passage.objects.filter(recording__show_id=show_id).select_related("removed_by")
    return list(found.order_by("-created_at", "-pk"))
