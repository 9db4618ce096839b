"""Making a clip's files, cut to the frame out of the segments that hold it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
from django.utils.translation import gettext as _

from media_pipeline import ffmpeg, jobs, recipes, recipes_clip
from media_pipeline.clip_cards import CardText, draw
from media_pipeline.clip_wishes import Wish, wish_of
from media_pipeline.ffmpeg import SourceUnreadable
from media_pipeline.models import Asset, AssetState, ClipCopy, Recording
from media_pipeline.parts import parts_between
from media_pipeline.probe import Probe
from media_pipeline.recipes import Part
from media_pipeline.recipes_clip import Card, Framing, Shot
from media_pipeline.renditions import AAC_LC, CLIP, Made, make_poster, size_of
from media_pipeline.services.clip_copies import COPY, copy_folder, publish_copy
from media_pipeline.services.clips import clip_folder, publish_clip
from media_pipeline.sources import scan
from media_pipeline.storage import storage
from media_pipeline.work import (
    OutputWrong,
    Wanted,
    Work,
    checked,
    sweep_earlier,
    taken_away_if_lost,
)


@dataclass(frozen=True, slots=True)
class Plan:
    """What ffmpeg is told: shots in their order, and how each is shown."""

    wish: Wish
    shots: Sequence[Shot]
    framing: Framing
    fps: float

    @property
    def frames(self) -> int:
        return sum(shot.frames for shot in self.shots)

    @property
    def duration_s(self) -> float:
        return self.frames / self.fps


def make_clip(work: Work) -> None:
    """One clip as it was wished, with its poster."""
    clip = Asset.objects.select_related("recording").get(public_id=work.lease.subject_id)
    if clip.state != AssetState.WAITING:
        jobs.finish(work.lease)  # taken back, or gone with a passage: nobody waits for it
        return
    place = clip_folder(clip)
    folder = f"{place}/{work.lease.epoch}"
    with work.folder() as inputs, work.folder() as outputs:
        plan = planned(clip.recording, wish_of(clip), inputs)
        made, found = _make_file(plan, outputs / CLIP, work)
        make_poster(outputs / CLIP, found, outputs, work)
        jobs.heartbeat(work.lease, work.progress)
        with taken_away_if_lost(folder):
            storage().write_folder(folder, outputs)
            publish_clip(work.lease, clip, folder, made)
    sweep_earlier(place, work.lease)


def make_copy(work: Work) -> None:
    """A clip to take away: made of the recording as the clip was, with cards in the picture."""
    copy = ClipCopy.objects.select_related("clip__recording").filter(
        clip__public_id=work.lease.subject_id, state=AssetState.WAITING
    )
    wanted = copy.first()
    if wanted is None:
        jobs.finish(work.lease)
        return
    clip, folder = wanted.clip, copy_folder(wanted.clip, work.lease)
    with work.folder() as inputs, work.folder() as outputs:
        plan = planned(clip.recording, wish_of(clip), inputs)
        cards = _drawn(msgspec.convert(wanted.cards, list[CardText]), plan, inputs)
        _make_file(plan, outputs / COPY, work, cards)
        jobs.heartbeat(work.lease, work.progress)
        with taken_away_if_lost(folder):
            storage().write_folder(folder, outputs)
            publish_copy(work.lease, clip, f"{folder}/{COPY}")
    for epoch in range(1, work.lease.epoch):
        storage().delete_folder(f"{clip_folder(clip)}/copy-{epoch}")


def planned(recording: Recording, wish: Wish, inputs: Path) -> Plan:
    """The files that the clip is made of, in `inputs`, and what is made of them."""
    held: list[tuple[Part, Probe]] = []
    for number, part in enumerate(wish.parts):
        folder = inputs / str(number)
        folder.mkdir()
        held += parts_between(recording, part.start_s, part.end_s, folder)
    if not held:
        raise SourceUnreadable(_("Nothing was recorded at this time of the show."))
    first = held[0][1]
    fps = recipes.usual_fps(first.picture.fps)
    taken = recipes_clip.shots([part for part, _found in held], fps)
    return Plan(wish, taken, recipes_clip.framing(wish, size_of(first)), fps)


def _make_file(
    plan: Plan, output: Path, work: Work, cards: Sequence[Card] = ()
) -> tuple[Made, Probe]:
    args = recipes_clip.clip(
        plan.shots,
        plan.framing,
        plan.fps,
        output,
        blurred=recipes_clip.hidden(plan.wish, plan.fps, plan.frames),
        cards=cards,
    )
    formats = f"{ffmpeg.FORMATS},{recipes_clip.CARD_FORMAT}" if cards else ffmpeg.FORMATS
    work.run(args, output_s=plan.duration_s, until=0.95, formats=formats)
    size = plan.framing.size
    seen = checked(output, Wanted("h264", size, plan.duration_s, "aac"))
    if (count := scan(output, seen).count) != plan.frames:
        raise OutputWrong(
            _("The video did not turn out right."), f"{count} frames, not {plan.frames}"
        )
    rate = round(output.stat().st_size * 8 / seen.duration_s)
    codecs = f"{seen.picture.codec_string},{AAC_LC}"
    return Made("clip", CLIP, size, plan.fps, codecs, rate, rate, seen.duration_s), seen


def _drawn(texts: Sequence[CardText], plan: Plan, folder: Path) -> list[Card]:
    cards: list[Card] = []
    for number, text in enumerate(texts):
        path = folder / f"card-{number}.rgba"
        if draw(text, plan.framing.size, path):
            cards.append(Card(path, text.start_s, min(text.end_s, plan.duration_s)))
    return cards
