"""A gentle tune for the demo show: plucked strings on a pentatonic scale, made by us."""

from __future__ import annotations

import math
import sys
import wave
from array import array
from functools import lru_cache
from pathlib import Path

RATE = 16_000
BEAT_S = 0.42
NOTE_S = 1.9
LOUDNESS = 0.2
# Steps of the scale gong-shang-jue-zhi-yu from G3 on, in semitones.
SCALE = (0, 2, 4, 7, 9, 12, 14, 16, 19, 21)
LOWEST_HZ = 196.0
# A phrase to each chord; -1 is a rest.
PHRASES = (
    (4, 5, 7, -1, 6, 5, 4, -1),
    (3, 4, 5, -1, 7, 6, 5, -1),
    (7, 8, 9, -1, 8, 7, 5, 6),
    (5, 4, 3, -1, 4, 5, 4, -1),
)
BASS = (0, 3, 2, 0)


def write_melody(path: Path, duration_s: float) -> None:
    """A WAV file, mono, fading in and out."""
    tune = _tune()
    samples = round(duration_s * RATE)
    sound = (tune * (samples // len(tune) + 1))[:samples]
    _fade(sound, RATE // 2)
    if sys.byteorder == "big":
        sound.byteswap()
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(sound.tobytes())


@lru_cache
def _tune() -> array[int]:
    """All phrases once; the last notes ring on into the first, so that it can be repeated."""
    beats = [step for phrase in PHRASES for step in phrase]
    sound = array("h", bytes(2 * round(len(beats) * BEAT_S * RATE)))
    for beat, step in enumerate(beats):
        at = round(beat * BEAT_S * RATE)
        if step >= 0:
            _add(sound, at, _plucked(SCALE[step]))
        if beat % 4 == 0:
            _add(sound, at, _plucked(SCALE[BASS[beat // 8]] - 12))
    return sound


@lru_cache
def _plucked(semitones: int) -> array[int]:
    """One note: harmonics that die away, the higher ones sooner."""
    turn = 2 * math.pi * LOWEST_HZ * 2 ** (semitones / 12) / RATE
    peak = 32767 * LOUDNESS
    note = array("h")
    for sample in range(round(NOTE_S * RATE)):
        at_s = sample / RATE
        tone = sum(
            math.sin(turn * harmonic * sample)
            * math.exp(-at_s * (2.1 + 1.3 * harmonic))
            / harmonic**1.6
            for harmonic in (1, 2, 3, 4)
        )
        attack = min(1.0, at_s / 0.006)
        note.append(round(peak * attack * tone))
    return note


def _add(sound: array[int], at: int, note: array[int]) -> None:
    for offset, value in enumerate(note, at):
        place = offset % len(sound)
        sound[place] = max(-32768, min(32767, sound[place] + value))


def _fade(sound: array[int], samples: int) -> None:
    samples = min(samples, len(sound) // 2)
    for offset in range(samples):
        part = offset / samples
        sound[offset] = round(sound[offset] * part)
        sound[-1 - offset] = round(sound[-1 - offset] * part)
