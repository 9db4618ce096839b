"""Captions as files: WebVTT and SubRip are written, and read however they were written.

What people bring was saved by many programs: other encodings, commas for points, tags, cues that
overlap. What can be understood is taken; what cannot is left out and named by its line.
"""

from __future__ import annotations

import codecs
import html
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from core.errors import InvalidInput
from core.text import clean_line
from media_pipeline.captions.cues import Cue, cue

LARGEST_BYTES = 2 * 2**20
MOST_CUES = 5000
LONGEST_TEXT = 500
LONGEST_MS = 24 * 3600 * 1000
MOST_PROBLEMS = 50
SHORTEST_MS = 100

MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
CHINESE = re.compile("[\u4e00-\u9fff\u3000-\u303f\uff00-\uffef]")
_CLOCK = r"(?:(\d{1,3}):)?(\d{1,2}):(\d{1,2})[.,](\d{1,3})"
TIMES = re.compile(rf"\s*{_CLOCK}\s*-+>\s*{_CLOCK}(?:\s.*)?")
# Scripts go with what is in them; other tags, and the times of words, leave their text behind.
SCRIPT = re.compile(r"<(script|style)\b.*?(?:</\1\s*>|$)", re.IGNORECASE | re.DOTALL)
TAG = re.compile(r"</?[a-zA-Z!?/][^<>]*>|<[\d:.]+>|\{\\[^{}]*\}|</?>")


@dataclass(frozen=True, slots=True)
class Problem:
    """What was not taken as it stands, by its line (from 1)."""

    line: int
    text: str


@dataclass(slots=True)
class Read:
    """A file's cues, and what was the matter with the others."""

    cues: list[Cue] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def mind(self, line: int, text: str) -> None:
        if len(self.problems) < MOST_PROBLEMS:
            self.problems.append(Problem(line, text))


def read(data: bytes) -> Read:
    """The cues of a WebVTT or SubRip file; raises `InvalidInput` for what is neither."""
    if len(data) > LARGEST_BYTES:
        raise InvalidInput(_("The file is larger than 2 MB; captions are not."), field="file")
    lines = re.split(r"\r\n|\r|\n", _decoded(data))
    found = Read()
    for number, times, text in _blocks(lines, found):
        _take(found, number, times, text)
    if not found.cues:
        why = found.problems[0] if found.problems else None
        said = _("There are no captions in this file.")
        if why:
            said += " " + _("Line %(line)d: %(text)s") % {"line": why.line, "text": why.text}
        raise InvalidInput(said, field="file")
    return found


def _decoded(data: bytes) -> str:
    """As its first bytes say; else Unicode, else what Chinese or Western programs save."""
    for mark, name in MARKS:
        if data.startswith(mark):
            return _as(data, name) or _refuse()
    if (text := _as(data, "utf-8")) is not None:
        return text if "\0" not in text else _refuse()
    if b"\0" in data:
        return _refuse()
    chinese = _as(data, "gb18030")
    if chinese is not None and _is_chinese(chinese):
        return chinese
    return _as(data, "cp1252") or _refuse()


def _as(data: bytes, encoding: str) -> str | None:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError:
        return None


def _is_chinese(text: str) -> bool:
    """Whether most of what is not ASCII is: Western text that is read so is not."""
    foreign = [char for char in text if ord(char) > 127]
    return 2 * len(CHINESE.findall(text)) > len(foreign)


def _refuse() -> str:
    raise InvalidInput(
        _("This is no text file that can be read. Save it as UTF-8 and try again."), field="file"
    )


def _blocks(lines: Sequence[str], found: Read) -> Iterator[tuple[int, str, list[str]]]:
    """(number of the line with the times, that line, the lines of text) of each cue."""
    at = 0
    while at < len(lines):
        if "->" not in lines[at]:
            if _is_stray(lines, at):
                found.mind(at + 1, _("There is no time above this text."))
            at = at + 1 if lines[at].strip() == "" or not _skips(lines[at]) else _gap(lines, at)
            continue
        end = _gap(lines, at + 1)
        # Where the empty line was forgotten, the next cue begins at its number or its times.
        following = next((n for n in range(at + 1, end) if TIMES.fullmatch(lines[n])), None)
        if following is not None:
            end = following - 1 if lines[following - 1].strip().isdigit() else following
        yield at + 1, lines[at], list(lines[at + 1 : max(end, at + 1)])
        at = max(end, at + 1)


def _gap(lines: Sequence[str], at: int) -> int:
    """The next empty line, or the end."""
    return next((n for n in range(at, len(lines)) if not lines[n].strip()), len(lines))


def _skips(line: str) -> bool:
    """Notes, styles and headers go on until an empty line."""
    return line.lstrip("\ufeff").startswith(("WEBVTT", "NOTE", "STYLE", "REGION"))


def _is_stray(lines: Sequence[str], at: int) -> bool:
    """Text without times: no number or name of the cue below, no header, and not empty."""
    line, below = lines[at], lines[at + 1] if at + 1 < len(lines) else ""
    return bool(line.strip()) and "->" not in below and not _skips(line) and not line.isdigit()


def _take(found: Read, number: int, times: str, lines: Sequence[str]) -> None:
    """Keep one cue, or say why not."""
    if len(found.cues) >= MOST_CUES:
        raise InvalidInput(
            ngettext(
                "There are more than %(count)d caption in this file.",
                "There are more than %(count)d captions in this file.",
                MOST_CUES,
            )
            % {"count": MOST_CUES},
            field="file",
        )
    read_times = TIMES.fullmatch(times)
    if read_times is None:
        found.mind(number, _("“%s” are no times.") % times.strip()[:60])
        return
    start_ms, end_ms = _ms(read_times.groups()[:4]), _ms(read_times.groups()[4:])
    text = plain("\n".join(lines))
    if end_ms <= start_ms:
        found.mind(number, _("It ends before it begins."))
    elif end_ms > LONGEST_MS:
        found.mind(number, _("Its time is past the end of any video."))
    elif not text:
        found.mind(number, _("There is no text to it."))
    elif len(text) > LONGEST_TEXT:
        found.mind(number, _("It is longer than %d characters.") % LONGEST_TEXT)
    else:
        _append(found, number, cue(start_ms, end_ms, text))


def _append(found: Read, number: int, new: Cue) -> None:
    """No two at the same time: the earlier one ends where the later begins."""
    last = found.cues[-1] if found.cues else None
    if last is None or last.end_ms <= new.start_ms:
        found.cues.append(new)
    elif new.start_ms - last.start_ms >= SHORTEST_MS:
        found.mind(number, _("It begins before the one above ends; that one now ends earlier."))
        found.cues[-1] = cue(last.start_ms, new.start_ms, last.text)
        found.cues.append(new)
    elif new.start_ms >= last.start_ms and len(last.text) + len(new.text) < LONGEST_TEXT:
        end_ms = max(last.end_ms, new.end_ms)
        found.cues[-1] = cue(last.start_ms, end_ms, f"{last.text}\n{new.text}")
    else:
        found.mind(number, _("It begins before the one above."))


def _ms(clock: Sequence[str | None]) -> int:
    hours, minutes, seconds, fraction = clock
    whole_s = (int(hours or 0) * 60 + int(minutes or 0)) * 60 + int(seconds or 0)
    return whole_s * 1000 + int((fraction or "0").ljust(3, "0"))


def plain(text: str) -> str:
    """What is to be read of a cue: no tags, no scripts, no invisible characters, no empty line.

    Twice, since what was written as `&lt;b&gt;` is a tag for the next program that reads it.
    """
    for _again in range(2):
        text = html.unescape(TAG.sub("", SCRIPT.sub("", text)))
    text = TAG.sub("", SCRIPT.sub("", text))
    most = LONGEST_TEXT + 1
    lines = (clean_line(line[:most], "text", longest=most, shortest=0) for line in text.split("\n"))
    return "\n".join(line for line in lines if line)


def vtt(cues: Iterable[Cue]) -> str:
    """WebVTT, as players and other programs read it."""
    shown = [one for one in cues if one.text]
    return "\n".join(["WEBVTT\n", *(f"{_line(one, '.')}\n{_escaped(one.text)}\n" for one in shown)])


def srt(cues: Iterable[Cue]) -> str:
    """SubRip, which knows no way to write what looks like its own arrow."""
    shown = (one for one in cues if one.text)
    return "\n".join(
        f"{number}\n{_line(one, ',')}\n{one.text.replace('->', '→')}\n"
        for number, one in enumerate(shown, start=1)
    )


def _line(one: Cue, point: str) -> str:
    return f"{_clock(one.start_ms, point)} --> {_clock(one.end_ms, point)}"


def _clock(at_ms: int, point: str) -> str:
    seconds, ms = divmod(at_ms, 1000)
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}{point}{ms:03d}"


def _escaped(text: str) -> str:
    """Markup in a text stays text, `-->` too (WebVTT, 4.2.2)."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
