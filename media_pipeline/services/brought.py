"""Clips that were made elsewhere and come as files: looked at, kept as they are, shown as ours.

A clip stands on a recording (its captions are that one's), so each brings one of its own length
which has no film and no show.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from pathlib import Path

import msgspec
from django.utils.translation import gettext as _

from core.accounts.models import User
from core.clock import now
from core.ids import new_id
from media_pipeline import jobs
from media_pipeline.captions import tracks
from media_pipeline.captions.cues import Cue
from media_pipeline.captions.models import CaptionTrack, TrackState
from media_pipeline.clip_wishes import LONGEST_S, single
from media_pipeline.models import Asset, AssetKind, AssetState, Recording, RecordingState
from media_pipeline.probe import AVC_PROFILES
from media_pipeline.renditions import AAC_LC, CLIP, POSTER, Made, size_of
from media_pipeline.services.clips import MAKE_LIGHT, clip_folder
from media_pipeline.services.recordings import replace_renditions
from media_pipeline.sources import Source, SourceRefused, looked_at

# Encoders end with a whole frame.
END_SLACK_S = 0.5
LONGEST_SIDE = 1920


@dataclass(frozen=True, slots=True)
class Film:
    """A clip's film that was looked at."""

    made: Made

    @property
    def duration_s(self) -> float:
        return self.made.duration_s


def film_of(path: Path) -> Film:
    """What the file holds, if every player plays it as it is and it is as short as a clip.

    Raises `SourceUnreadable`, with the reason.
    """
    source = looked_at(path)
    if reason := _refused(source):
        raise SourceRefused(reason)
    found = source.found
    rate = round(path.stat().st_size * 8 / source.duration_s)
    codecs = f"{found.picture.codec_string},{AAC_LC}"
    made = Made("clip", CLIP, size_of(found), source.fps, codecs, rate, rate, source.duration_s)
    return Film(made)


def _refused(source: Source) -> str:
    found, picture = source.found, source.found.picture
    if source.duration_s > LONGEST_S + END_SLACK_S:
        return _("A lesson is three minutes long at most.")
    is_known = picture.codec == "h264" and picture.profile in AVC_PROFILES
    is_plain = picture.pixel_format == "yuv420p" and picture.is_plain
    has_sound = found.audio is not None and found.audio.codec == "aac"
    if not (is_known and is_plain and has_sound and "mp4" in found.format):
        return _("It is not as lessons are here: H.264 and AAC in an MP4.")
    if max(picture.width, picture.height) > LONGEST_SIDE:
        return _("The picture is larger than that of a lesson.")
    return ""


def folder_of(clip_id: uuid.UUID) -> str:
    """Where its film (`CLIP`) and poster (`POSTER`) have to be before `bring`."""
    return f"{clip_folder(Asset(public_id=clip_id))}/1"


def bring(
    clip_id: uuid.UUID,
    film: Film,
    *,
    owner: User,
    title: str,
    is_public: bool,
    has_poster: bool,
) -> Asset:
    """The clip whose files are at `folder_of`, without consent yet; its light forms are asked for.

    Call it in a transaction.
    """
    recording = Recording.objects.create(
        show_id=new_id(),
        is_public=False,
        state=RecordingState.READY,
        duration_s=film.duration_s,
        sealed_at=now(),
    )
    folder = folder_of(clip_id)
    clip = Asset.objects.create(
        public_id=clip_id,
        kind=AssetKind.CLIP,
        recording=recording,
        is_public=is_public,
        title=title,
        start_s=0,
        end_s=film.duration_s,
        wish=msgspec.to_builtins(single(0, film.duration_s)),
        state=AssetState.READY,
        duration_s=film.duration_s,
        width=film.made.size.width,
        height=film.made.size.height,
        download_key=f"{folder}/{CLIP}",
        poster_key=f"{folder}/{POSTER}" if has_poster else "",
        created_by=owner,
    )
    replace_renditions(clip, folder, [film.made])
    jobs.enqueue(MAKE_LIGHT, clip_id, owner=owner, priority=jobs.Priority.CLIP)
    return clip


def add_captions(
    clip: Asset, language: str, cues: list[Cue], *, is_automatic: bool, owner: User
) -> None:
    """Captions in the clip's own time, which is its recording's. Raises `InvalidInput`."""
    CaptionTrack.objects.create(
        recording=clip.recording,
        language=tracks.checked_language(language),
        state=TrackState.READY,
        is_automatic=is_automatic,
        cues=tracks.rows(tracks.checked(cues, clip.duration_s)),
        created_by=owner,
        changed_by=owner,
    )
