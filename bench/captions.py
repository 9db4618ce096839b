"""How many words come out wrong when generated speech is written down: `make bench-captions`.

A voice of espeak-ng reads what people say in such shows, and the model of the tests listens. The
voice was chosen by other sentences than these. Numbers, punctuation and capitals are compared as
they are read aloud: "5" is "five".
"""

from __future__ import annotations

import os
import re
import resource
import time
import wave
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")

import django

django.setup()

from bench.report import Goal, put_between, result, table, write  # noqa: E402
from bench.room_page import PAGE, goals  # noqa: E402
from media_pipeline import ffmpeg  # noqa: E402
from media_pipeline.captions.speech import Whisper  # noqa: E402
from tests.speech import model, spoken  # noqa: E402

SPOKEN: Mapping[str, Sequence[str]] = {
    "en": (
        "Welcome back to our farm, and thank you for watching today.",
        "These pears were picked this morning, before the sun was hot.",
        "The skin is thin, and the juice is very sweet.",
        "One box holds twenty pears and weighs four kilograms.",
        "We pack every pear in soft paper, so that nothing is bruised on the way.",
        "Please write your questions in the chat, and I will answer them.",
        "My grandmother planted these trees fifty years ago.",
        "If a box arrives damaged, send us a picture and we will return your money.",
    ),
    "zh": (
        "欢迎大家再次来到我们的农场。",
        "这些梨是今天早上刚刚摘下来的。",
        "皮很薄，水分很多，味道非常甜。",
        "一箱有二十个梨，一共四公斤。",
        "我们用纸把每一个梨都包好，路上不会碰坏。",
        "有什么问题，请在下面告诉我。",
        "这些树是我奶奶五十年前种的。",
        "如果收到的时候坏了，请拍照片给我们，我们马上退钱。",
    ),
}
HINTS = {"en": "pears", "zh": "梨 农场"}
DIGITS = {
    "en": {"20": "twenty", "4": "four", "50": "fifty"},
    "zh": {"20": "二十", "4": "四", "50": "五十", "1": "一"},
}
GOALS = (
    Goal("word_error_en", "<= 0.4", "words of English that come out wrong"),
    Goal("character_error_zh", "<= 0.4", "characters of Chinese that come out wrong"),
)


def main() -> None:
    peers = {language: measured(language) for language in SPOKEN}
    figures = {
        "word_error_en": peers["en"]["error"],
        "character_error_zh": peers["zh"]["error"],
        "cpu_s_per_spoken_s": round(
            sum(one["cpu_s"] for one in peers.values())
            / sum(one["spoken_s"] for one in peers.values()),
            2,
        ),
    }
    found = result(peers=peers, figures=figures, goals=GOALS)
    write("captions", found)
    PAGE.write_text(put_between(PAGE.read_text(), "captions", tables(found)))
    told = ", ".join(f"{name} {value}" for name, value in figures.items())
    print(f"Captions of generated speech, by Whisper base: {told}.")


def measured(language: str) -> dict[str, Any]:
    """All sentences one after the other, as one talk."""
    with TemporaryDirectory() as folder:
        sound = Path(folder) / "talk.wav"
        args = ["-i", str(spoken(" ".join(SPOKEN[language]), language)), "-ar", "16000"]
        ffmpeg.run([*args, "-ac", "1", str(sound)], timeout_s=60, formats="wav")
        with wave.open(str(sound)) as file:
            seconds = file.getnframes() / file.getframerate()
        before, began = _cpu_s(), time.perf_counter()
        said = list(
            Whisper(model()).listen(
                sound, seconds=seconds, language=language, hints=HINTS[language], stop=bool
            )
        )
        took_s = time.perf_counter() - began
    heard = "".join(word.text for one in said for word in one.words)
    wanted, found = units(" ".join(SPOKEN[language]), language), units(heard, language)
    return {
        "error": round(distance(wanted, found) / len(wanted), 3),
        "units": len(wanted),
        "spoken_s": round(seconds, 1),
        "cpu_s": round(_cpu_s() - before, 1),
        "wall_s": round(took_s, 1),
        "heard": heard.strip(),
    }


def units(text: str, language: str) -> list[str]:
    """Words of English, characters of Chinese, as they are read aloud."""
    for digits, read in DIGITS[language].items():
        text = re.sub(rf"(?<!\d){digits}(?!\d)", f" {read} ", text)
    words: list[str] = re.findall(r"[\u4e00-\u9fff]|[^\W\d_]+(?:'[a-z]+)?|\d+", text.lower())
    return words


def distance(wanted: Sequence[str], found: Sequence[str]) -> int:
    """How many must be put in, taken out or changed (Levenshtein)."""
    row = list(range(len(found) + 1))
    for number, one in enumerate(wanted, start=1):
        above, row = row, [number]
        for at, other in enumerate(found, start=1):
            row.append(min(row[-1] + 1, above[at] + 1, above[at - 1] + (one != other)))
    return row[-1]


def _cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def tables(found: Mapping[str, Any]) -> str:
    head = ["language", "compared", "wrong", "spoken for", "took", "CPU"]
    names = {"en": "English, words", "zh": "Chinese, characters"}
    rows = [
        [names[name], row["units"], f"{row['error']:.1%}", f"{row['spoken_s']} s",
         f"{row['wall_s']} s", f"{row['cpu_s']} s"]
        for name, row in found["peers"].items()
    ]  # fmt: skip
    return f"{goals(found)}\n\n{table(head, rows)}"


if __name__ == "__main__":
    main()
