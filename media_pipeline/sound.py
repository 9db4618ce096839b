"""How loud a recording is, moment by moment: measured once, by EBU R 128.

What is measured is applied as one gain, which changes nothing between a whisper and a shout;
`ebur128` costs a fortieth of what `loudnorm` does.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import ffmpeg as graph
import msgspec

from media_pipeline import recipes
from media_pipeline.recipes import Part
from media_pipeline.work import Work

TOLD = "loudness.txt"
# Telephones play it: louder than broadcast's -23, and where other sites have theirs.
TARGET_LUFS = -16.0
# Below this there is only a room's noise, which must not be blown up to a storm.
SILENCE_LUFS = -50.0
MOST_DB = 20.0
# A difference that nobody hears.
NEVER_MIND_DB = 1.0
WAVE_STEP_S = 0.1
QUIETEST_DB = -60.0
WAVE_FILE = "waveform.json"
VALUE = re.compile(r"lavfi\.(?:r128\.(I)|astats\.Overall\.(Peak)_level)=(-?[\d.]+|-?inf|nan)")


@dataclass(frozen=True, slots=True)
class Loudness:
    """The whole in LUFS, and the peak of each tenth of a second in dB of full scale."""

    lufs: float
    peaks_db: tuple[float, ...]

    @property
    def gain_db(self) -> float:
        """What brings it to where everything is; 0 for silence and for what is there already."""
        if self.lufs <= SILENCE_LUFS:
            return 0.0
        gain = max(-MOST_DB, min(MOST_DB, TARGET_LUFS - self.lufs))
        return gain if abs(gain) > NEVER_MIND_DB else 0.0

    @property
    def peak_db(self) -> float:
        """Of full scale."""
        return max(self.peaks_db, default=QUIETEST_DB)


class Waveform(msgspec.Struct, frozen=True):
    """For drawing: a height from 0 to 100 for every `step_s` seconds, even in decibels."""

    step_s: float
    heights: list[int]


def measured(source: Part, folder: Path, work: Work, *, until: float) -> Loudness:
    """Listen to all of it; `folder` is for what ffmpeg tells meanwhile."""
    told = folder / TOLD
    work.run(measuring(source, told), output_s=source.duration_s, until=until)
    with told.open() as lines:
        return loudness_in(lines)


def measuring(source: Part, told: Path) -> list[str]:
    """ffmpeg's arguments to write both values of each tenth of a second into `told`."""
    heard = (
        recipes.sound(graph.input(str(source.path)), source, is_mono=source.is_mono)
        .filter("asetnsamples", round(48000 * WAVE_STEP_S))
        .filter(
            "astats", metadata=1, reset=1, measure_perchannel="none", measure_overall="Peak_level"
        )
        # One channel is played by two loudspeakers.
        .filter("ebur128", metadata=1, framelog="quiet", dualmono="true")
        .filter("ametadata", "print", file=str(told))
    )
    return recipes.arguments(graph.output(heard, "-", f="null"))


def loudness_in(lines: Iterable[str]) -> Loudness:
    """From what `ametadata` printed; the last of the whole's values is that of the whole."""
    lufs, peaks = SILENCE_LUFS, list[float]()
    for line in lines:
        if not (found := VALUE.match(line)):
            continue
        value = float(found[3])
        if found[1]:
            lufs = lufs if math.isnan(value) else value
        else:
            peaks.append(QUIETEST_DB if math.isnan(value) else max(QUIETEST_DB, value))
    return Loudness(lufs, tuple(peaks))


def waveform(loudness: Loudness) -> Waveform:
    """After the gain, as it is heard."""
    heights = [
        max(0, min(100, round(100 * (1 - (peak + loudness.gain_db) / QUIETEST_DB))))
        for peak in loudness.peaks_db
    ]
    return Waveform(WAVE_STEP_S, heights)
