"""The captions of a clip: those of its recording, cut as the clip was."""

from __future__ import annotations

from media_pipeline.captions import cutting, tracks
from media_pipeline.captions.cues import Cue
from media_pipeline.captions.models import CaptionTrack
from media_pipeline.clip_wishes import wish_of
from media_pipeline.models import Asset


def clip_cues(clip: Asset, track: CaptionTrack) -> list[Cue]:
    """The cues of one of its recording's tracks, in the clip's own time.

    What cannot be heard in the clip cannot be read either.
    """
    wish, duration_s = wish_of(clip), clip.recording.duration_s
    silent = [(one.start_s, one.end_s) for one in wish.blurs if one.muted]
    heard = cutting.muted(tracks.cues_of(track), silent, duration_s)
    return cutting.joined(heard, [(part.start_s, part.end_s) for part in wish.parts])
