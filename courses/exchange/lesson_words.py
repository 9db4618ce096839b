"""Of a lesson that goes into a file: its words, as the lesson's page shows them to everybody.

What viewers wrote stays here, since its moderators could not take it away elsewhere; so do names of
people, other than the shop's, and sums of money.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import msgspec
from django.utils.translation import gettext as _

from core.errors import Conflict
from courses.exchange import brought, manifest
from courses.models import ClipSource, EditionLesson, Lesson
from courses.quizzes import editing
from courses.quizzes.models import Kind, Quiz, Wording
from media_pipeline.captions import formats, tracks
from media_pipeline.captions.clips import clip_cues
from media_pipeline.models import Asset
from media_pipeline.services import consents


@dataclass(frozen=True, slots=True)
class Words:
    chapters: tuple[manifest.Chapter, ...]
    quiz: manifest.Quiz | None
    source: manifest.Source | None
    consent: manifest.Consent


def of(entry: EditionLesson) -> Words:
    lesson = entry.lesson
    source: ClipSource | None = getattr(lesson.asset, "source", None)
    return Words(
        chapters=_chapters(lesson.asset),
        quiz=_quiz(lesson),
        source=_source(source) if source else None,
        consent=_consent(lesson.asset),
    )


def captions(clip: Asset) -> Iterator[tuple[str, bool, bytes]]:
    """(language, whether only a machine heard it, WebVTT) of each that says something here."""
    for track in tracks.shown_tracks(clip.recording.public_id):
        if cues := clip_cues(clip, track):
            yield track.language, track.is_automatic, formats.vtt(cues).encode()


def _chapters(clip: Asset) -> tuple[manifest.Chapter, ...]:
    shown = [one for one in brought.cues_of(clip) if one.kind == "product"]
    return tuple(
        manifest.Chapter(start_s=one.start_s, end_s=one.end_s, text=one.text, price=one.price)
        for one in shown[: manifest.MOST_CHAPTERS]
    )


def _source(row: ClipSource) -> manifest.Source:
    return manifest.Source(
        show_title=row.show_title,
        held_at=row.held_at,
        seller_name=row.seller_name,
        place=row.place,
        product=row.product,
        lot=row.lot,
        orders=row.orders,
        evidence=msgspec.convert(row.evidence, manifest.Evidence) if row.evidence else None,
    )


def _consent(clip: Asset) -> manifest.Consent:
    given = consents.in_force(clip)
    if given is None:
        raise Conflict(_("no consent of its seller is on record."))
    return manifest.Consent(
        wording=given.wording,
        version=given.version,
        language=given.language,
        given_at=given.given_at,
    )


def _quiz(lesson: Lesson) -> manifest.Quiz | None:
    """What trainees are asked now; of a quiz that was never published, what is written."""
    quiz = Quiz.objects.filter(lesson=lesson).first()
    if quiz is None:
        return None
    paper = editing.paper_of(quiz)
    asked = (
        [one.wording for one in paper.items.select_related("wording")]
        if paper
        else editing.current_wordings(quiz)
    )
    return manifest.Quiz(
        pass_percent=quiz.pass_percent,
        is_open=quiz.is_open,
        questions=tuple(_asked(one) for one in asked),
    )


def _asked(one: Wording) -> manifest.Asked:
    answer = one.answer
    numbers = answer if one.kind in (Kind.NUMBER, Kind.MOMENT) else {}
    return manifest.Asked(
        kind=msgspec.convert(one.kind, manifest.Kind),
        text=one.text,
        explained_s=one.explained_s,
        options=_options(one),
        value=numbers.get("value"),
        tolerance=numbers.get("tolerance"),
        unit=one.unit,
        start_s=numbers.get("start_s"),
        end_s=numbers.get("end_s"),
    )


def _options(one: Wording) -> tuple[manifest.Choice, ...]:
    """Those to be put in order stand in it."""
    texts = {option["id"]: option["text"] for option in one.options}
    if one.kind == Kind.ORDER:
        return tuple(manifest.Choice(text=texts[known]) for known in one.answer)
    return tuple(
        manifest.Choice(text=text, is_right=known in one.answer) for known, text in texts.items()
    )
