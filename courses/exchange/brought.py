"""What is shown of a clip that came in a file, where others have a show's log."""

from __future__ import annotations

import msgspec

from courses.exchange.manifest import Chapter
from courses.exchange.models import BroughtClip
from media_pipeline.models import Asset
from streams.clips.cues import Cue, cues


def cues_of(clip: Asset) -> list[Cue]:
    """As `streams.clips.cues.cues`; of a clip that came in a file, the products that it names."""
    kept = BroughtClip.objects.filter(asset=clip).first()
    if kept is None:
        return cues(clip)
    chapters = msgspec.convert(kept.chapters, list[Chapter])
    return [Cue("product", one.start_s, one.end_s, one.text, price=one.price) for one in chapters]
