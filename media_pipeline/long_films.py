"""Long films: encoded in chunks by as many workers as have time, and joined without a seam.

The job that makes a film (its recording's, or its upload's) is the parent of a job for each chunk.
It makes the sound, once for all of it, and then works on chunks itself while others do the same.
What a chunk's job has stored stays when workers die, until the film is made or nobody wants it.
"""

from __future__ import annotations

import hashlib
import logging
import threading
import uuid
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import msgspec
from django.conf import settings
from django.db import Error as DatabaseAway
from django.db import connections, transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from media_pipeline import jobs, long_sources, recipes, recipes_chunks
from media_pipeline.colour import write_table
from media_pipeline.ffmpeg import MediaCancelled
from media_pipeline.jobs import LeaseLost
from media_pipeline.models import Chunk, Job, JobState, LongFilm
from media_pipeline.probe import OUR_FORMATS, probe
from media_pipeline.recipes import Look, Part, RenditionPlan
from media_pipeline.recipes_chunks import Cut
from media_pipeline.sources import Source, scan
from media_pipeline.storage import storage
from media_pipeline.work import OutputWrong, PartFailed, Work, taken_away_if_lost

log = logging.getLogger(__name__)

ENCODE_CHUNK = "encode_chunk"
PLACE = "private/chunks"
# Below this many chunks a film stays one command: it is done in minutes, and begun anew as fast.
FEWEST = 5
# More rows and files than this help nobody: a longer film has longer chunks.
MOST = 120
# A chunk reads the source from the keyframe before it on. Of a quarter of it, for nothing, at most.
GOP_OF_CHUNK = 0.25
LOOK_EVERY_S = 0.5


class Order(msgspec.Struct, frozen=True):
    """All that a worker has to know to encode a chunk, beside where the film is."""

    start_s: float
    duration_s: float
    video: str
    look: Look
    plans: list[RenditionPlan]
    cut: Cut
    is_beside_copy: bool

    def part(self, path: Path) -> Part:
        return Part(path, self.start_s, self.duration_s, has_audio=False, video=self.video)


def place(film: LongFilm) -> str:
    """Where everything of a film lies until it is made."""
    return f"{PLACE}/{film.public_id}"


def orders(source: Source, timed: Part, plans: Sequence[RenditionPlan]) -> list[Order]:
    """The chunks of a film; none where it is better made by one command.

    That is what is short or only copied, and what cannot be begun in the middle: interlaced
    pictures, of which each needs its neighbours, and few keyframes.
    """
    encoded = [plan for plan in plans if not plan.is_copy]
    # An edit list may end the film before its last packet; what both agree on is there.
    told_s = source.found.duration_s - source.lead_s
    sure_s = min(source.duration_s, told_s) if told_s > 0 else source.duration_s
    chunk_s = max(settings.CHUNK_S, sure_s / MOST)
    if not encoded or not settings.CHUNK_S or sure_s < FEWEST * chunk_s:
        return []
    if source.look.is_interlaced or source.packets.longest_gop_s > GOP_OF_CHUNK * chunk_s:
        return []
    is_beside_copy = plans[0].is_copy
    if is_beside_copy:
        keys = [source.lead_s + key_s for key_s in source.packets.keys]
        cuts = recipes_chunks.cuts_at(keys, sure_s, chunk_s)
    else:
        cuts = recipes_chunks.even_cuts(sure_s, encoded[0].fps, chunk_s)
    last_s = recipes_chunks.seek_s(timed, cuts[-1], is_beside_copy=is_beside_copy)
    if not long_sources.can_be_sought(source, last_s, within_s=2 * GOP_OF_CHUNK * chunk_s):
        return []
    about = (timed.start_s, timed.duration_s, timed.video, source.look, encoded)
    return [Order(*about, cut, is_beside_copy) for cut in cuts]


def begin(
    source: Source,
    timed: Part,
    plans: Sequence[RenditionPlan],
    work: Work,
    lent: long_sources.Lent | None,
) -> LongFilm | None:
    """Offer the film's chunks to all workers; `None` if it is to be made by one command.

    Chunks of an earlier attempt that are done are found again, if they are of the same source and
    made in the same way.
    """
    if lent is None or work.run_part is None:
        return None
    wanted = orders(source, timed, plans)
    if not wanted:
        return None
    recipe_id = _hash([recipes.VERSION, source.packets, wanted])
    film = _found_again(work.lease.job_id, lent.source_id, recipe_id)
    if film is None:
        film = _created(source, lent, recipe_id, wanted, work)
    _offer(film)
    return film


def _hash(what: object) -> str:
    return hashlib.sha256(msgspec.json.encode(what)).hexdigest()


def _found_again(job_id: int, source_id: str, recipe_id: str) -> LongFilm | None:
    film = LongFilm.objects.filter(job_id=job_id).first()
    if film is None or (film.source_id, film.recipe_id) == (source_id, recipe_id):
        return film
    forget(film)
    return None


def _created(
    source: Source, lent: long_sources.Lent, recipe_id: str, wanted: Sequence[Order], work: Work
) -> LongFilm:
    film = LongFilm(job_id=work.lease.job_id, source_id=lent.source_id, recipe_id=recipe_id)
    film.source_key = lent.key or f"{place(film)}/source{source.path.suffix}"
    if not lent.key:
        work.require_held()
        long_sources.store(source.path, film.source_key)
    with transaction.atomic():
        jobs.heartbeat(work.lease, work.progress)  # who lost the job makes no rows
        film.save()
        Chunk.objects.bulk_create(
            Chunk(film=film, number=number, order=msgspec.to_builtins(order))
            for number, order in enumerate(wanted)
        )
    return film


def _offer(film: LongFilm) -> None:
    """A job for each chunk that is not there; one that was given up or lost its files runs anew."""
    parent = Job.objects.get(pk=film.job_id)
    stored = set(storage().keys(place(film)))
    with transaction.atomic():
        for chunk in film.chunks.all():
            if chunk.key and not _is_stored(chunk, stored):
                Chunk.objects.filter(pk=chunk.pk).update(key="")
                Job.objects.filter(kind=ENCODE_CHUNK, subject_id=chunk.public_id).delete()
            jobs.enqueue(
                ENCODE_CHUNK,
                chunk.public_id,
                priority=parent.priority,
                show_id=parent.show_id,
                parent=parent,
            )


def _is_stored(chunk: Chunk, stored: set[str]) -> bool:
    return all(f"{chunk.key}/{plan.name}.mp4" in stored for plan in _order(chunk).plans)


def _order(chunk: Chunk) -> Order:
    return msgspec.convert(chunk.order, Order)


def kept_source(job_id: int, source_id: str) -> str:
    """The key of what an earlier attempt at this job has lent to all workers; "" if nothing."""
    film = LongFilm.objects.filter(job_id=job_id, source_id=source_id).first()
    return film.source_key if film and storage().size(film.source_key) is not None else ""


def gather(film: LongFilm, work: Work, *, until: float) -> None:
    """Work on the film's chunks, beside others, until all are there; progress is their sum.

    Raises `PartFailed` if one of them was given up, `MediaCancelled` where `work` must stop.
    """
    began, stop = work.progress, threading.Event()
    helper: threading.Thread | None = None
    try:
        while (done := _share_done(film)) is None or done < 1:
            if done is not None:
                work.progress = max(work.progress, began + (until - began) * done)
            if helper is None or not helper.is_alive():
                helper = _help(film, work, stop)
            if work.stop.wait(LOOK_EVERY_S):
                raise MediaCancelled(_("It was stopped."))
    finally:
        stop.set()
        if helper:
            helper.join()
    work.progress = until


def _share_done(film: LongFilm) -> float | None:
    """How much of all chunks is made, 0 to 1; `None` if the database cannot be asked just now."""
    try:
        found = Job.objects.filter(parent_id=film.job_id, kind=ENCODE_CHUNK)
        told = list(found.values_list("state", "progress", "error", "fault"))
    except DatabaseAway:  # the next look will tell
        log.warning("cannot look for chunks", exc_info=True)
        connections.close_all()
        return None
    for state, _progress, error, fault in told:
        if state in jobs.OVER and error:
            raise PartFailed(error, fault)
        if state in jobs.OVER:  # withdrawn, as whatever is part of a job that is over
            raise LeaseLost(f"chunks of {film.job_id}")
    if not told:
        raise LeaseLost(f"chunks of {film.job_id}")
    shares = [1.0 if state == JobState.DONE else progress for state, progress, *_ in told]
    return 1.0 if min(shares) == 1 else min(0.999, sum(shares) / len(shares))


def _help(film: LongFilm, work: Work, stop: threading.Event) -> threading.Thread | None:
    """Run a chunk that waits here, if one does."""
    try:
        lease = jobs.claim_part(film.job_id)
    except DatabaseAway:
        connections.close_all()
        return None
    if lease is None or work.run_part is None:
        return None
    helper = threading.Thread(target=work.run_part, args=(lease, stop), name="chunk", daemon=True)
    helper.start()
    return helper


def encode_chunk(work: Work) -> None:
    """One chunk of a long film, in all renditions of it, as files that only this attempt names."""
    chunk = Chunk.objects.filter(public_id=work.lease.subject_id).select_related("film").first()
    if chunk is None:
        raise LeaseLost(f"the film of {work.lease.subject_id} is gone")
    order, key = _order(chunk), f"{place(chunk.film)}/{chunk.number}/{work.lease.epoch}"
    try:
        with work.folder() as folder, long_sources.local(chunk.film, folder) as path:
            made = folder / "made"
            made.mkdir()
            _encode(order, path, made, folder, work)
            frames = _frames_in(order, made)
            jobs.heartbeat(work.lease, work.progress)
            with taken_away_if_lost(key):
                storage().write_folder(key, made)
                with transaction.atomic():
                    jobs.finish(work.lease)
                    Chunk.objects.filter(pk=chunk.pk).update(key=key, frames=frames)
    finally:
        long_sources.let_go(chunk.film, work.lease.job_id)


def _encode(order: Order, path: Path, made: Path, folder: Path, work: Work) -> None:
    cut, source = order.cut, order.part(path)
    args = recipes_chunks.chunk(
        source,
        order.look,
        order.plans,
        cut,
        made,
        is_beside_copy=order.is_beside_copy,
        table=write_table(order.look.hdr, folder) if order.look.hdr else None,
    )
    ends_s = cut.end_s if cut.end_s is not None else order.duration_s
    work.run(args, output_s=max(1.0, ends_s - cut.start_s), until=0.95)


def _frames_in(order: Order, made: Path) -> int:
    """How many frames each of its files has; raises `OutputWrong` if not those that it must."""
    counts = {_count(made / f"{plan.name}.mp4") for plan in order.plans}
    cut, frames = order.cut, max(counts)
    wanted = None if order.is_beside_copy or cut.end is None else cut.end - cut.first
    if len(counts) != 1 or frames == 0 or wanted not in {None, frames}:
        said = f"frames of {cut.first} to {cut.end}: {sorted(counts)}"
        raise OutputWrong(_("The video did not turn out right."), said)
    return frames


def _count(path: Path) -> int:
    return scan(path, probe(path, formats=OUR_FORMATS)).count


def join(
    film: LongFilm,
    timed: Part,
    plans: Sequence[RenditionPlan],
    folder: Path,
    work: Work,
    *,
    sound: Path | None,
    until: float,
) -> None:
    """HLS renditions in the folder, each with every frame of every chunk, and the sound beside."""
    chunks = list(film.chunks.all())
    order = _order(chunks[0])
    with work.folder() as parts:
        lists = {plan.name: _brought(chunks, plan, parts) for plan in order.plans}
        args = recipes_chunks.joined(
            timed,
            plans,
            lists,
            folder,
            start_s=order.cut.start_s if order.is_beside_copy else 0.0,
            sound=sound,
        )
        work.run(args, output_s=timed.duration_s, until=until, formats=recipes_chunks.FORMATS)
    wanted = sum(chunk.frames for chunk in chunks)
    for plan in order.plans:
        playlist = folder / plan.name / recipes_chunks.PLAYLIST
        seen = scan(playlist, probe(playlist, formats=OUR_FORMATS)).count
        if seen != wanted:
            said = f"{plan.name}: {seen} frames, not {wanted}"
            raise OutputWrong(_("The video did not turn out right."), said)


def _brought(chunks: Sequence[Chunk], plan: RenditionPlan, folder: Path) -> Path:
    """The chunks' files of a rendition in the folder, and a list of them."""
    names = [f"{plan.name}-{chunk.number}.mp4" for chunk in chunks]
    for chunk, name in zip(chunks, names, strict=True):
        long_sources.bring(f"{chunk.key}/{plan.name}.mp4", folder / name)
    listed = folder / f"{plan.name}.txt"
    starts = [_order(chunk).cut.start_s for chunk in chunks]
    listed.write_text(recipes_chunks.chunk_list(names, starts))
    return listed


def sound_again(film: LongFilm, folder: Path) -> bool:
    """Bring the film's sound into the folder, if an earlier attempt has made it."""
    names = storage().keys(film.sound_key) if film.sound_key else []
    for key in names:
        path = folder / key.removeprefix(f"{film.sound_key}/")
        path.parent.mkdir(parents=True, exist_ok=True)
        long_sources.bring(key, path)
    return bool(names)


def keep_sound(film: LongFilm, files: Sequence[Path], folder: Path, work: Work) -> None:
    """Store the sound, so that the next attempt need not make it."""
    key = f"{place(film)}/sound/{work.lease.epoch}"
    work.require_held()
    for path in files:
        long_sources.store(path, f"{key}/{path.relative_to(folder).as_posix()}")
    LongFilm.objects.filter(pk=film.pk).update(sound_key=key)


def forget(film: LongFilm) -> None:
    """Nobody needs the film's chunks any more: rows first, then files."""
    with transaction.atomic():
        Job.objects.filter(parent_id=film.job_id, kind=ENCODE_CHUNK).delete()
        film.delete()
    storage().delete_folder(place(film))
    long_sources.let_go(film)


def forget_of(kind: str, subject_id: uuid.UUID) -> None:
    """What is kept for the long film of this job, if there is one."""
    if film := LongFilm.objects.filter(job__kind=kind, job__subject_id=subject_id).first():
        forget(film)


def forget_stale(border: datetime) -> int:
    """Films that were made, and those that nobody asked for again since `border`; how many."""
    given_up = Q(job__state__in=jobs.OVER, job__changed_at__lt=border)
    made = Q(job__state=JobState.DONE, job__changed_at__lt=border)
    stale = list(LongFilm.objects.filter(given_up | made))
    for film in stale:
        forget(film)
    return len(stale)
