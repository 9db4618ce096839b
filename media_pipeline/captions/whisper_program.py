"""The program that listens: MODEL SOUND LANGUAGE HINTS; a JSON line for everything understood.

It is started on its own (`speech.Whisper`) and imports nothing of ours: a model's memory and its
threads end with it. LANGUAGE and HINTS may be empty. Exit code 3 says that the model is none.
"""

from __future__ import annotations

import json
import os
import sys
import wave
from collections.abc import Callable, Iterator
from typing import Any

# A model is a folder of the operator's: nothing is ever fetched.
os.environ["HF_HUB_OFFLINE"] = "1"
THREADS = 2
# Words that were not heard but hinted at: with nothing to hear, a model says those.
LONG_HINT = 6


def main(model_folder: str, sound: str, language: str, hints: str) -> int:
    from faster_whisper import WhisperModel  # only where there is a model

    try:
        model = WhisperModel(
            model_folder,
            device="cpu",
            compute_type="int8",
            cpu_threads=min(THREADS, os.cpu_count() or 1),
            local_files_only=True,
        )
    except (RuntimeError, ValueError, OSError) as error:
        print(error, file=sys.stderr)
        return 3
    segments, info = model.transcribe(
        samples(sound),
        language=language or None,
        word_timestamps=True,
        vad_filter=True,
        # What was misheard once must not be carried on; hints are given anew for each half minute.
        condition_on_previous_text=False,
        hotwords=hints or None,
    )
    tell({"language": info.language})
    written = writing(info.language)
    for segment in segments:
        # Before it is compared: hints are as people here write them.
        if not is_echo(written(segment.text), hints):
            tell({"words": list(words(segment, written))})
    return 0


def samples(sound: str) -> Any:
    """16-bit mono as floats from -1 to 1."""
    import numpy as np  # it comes with faster-whisper

    with wave.open(sound) as file:
        heard = np.frombuffer(file.readframes(file.getnframes()), dtype="<i2")
    return heard.astype(np.float32) / 32768


def writing(language: str) -> Callable[[str], str]:
    """How what was heard is written: models mix traditional and simplified characters."""
    if language != "zh":
        return str
    from opencc import OpenCC  # it is installed with faster-whisper

    convert: Callable[[str], str] = OpenCC("t2s").convert
    return convert


def words(segment: Any, written: Callable[[str], str]) -> Iterator[tuple[float, float, str]]:
    for word in segment.words or ():
        yield round(float(word.start), 3), round(float(word.end), 3), written(word.word)


def is_echo(text: str, hints: str) -> bool:
    bare = "".join(text.split())
    return len(bare) >= LONG_HINT and bare in "".join(hints.split())


def tell(what: dict[str, Any]) -> None:
    print(json.dumps(what), flush=True)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
