"""The rubric of a course: what a practice is looked at for, and how its levels are called."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypedDict

from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils.translation import gettext as _

from core.accounts.models import User
from core.clock import now
from core.errors import Conflict, InvalidInput
from core.text import clean_line, clean_lines
from courses.models import Course
from courses.reviews.models import Rubric

MOST_ROWS = 8
FEWEST_LEVELS, MOST_LEVELS = 2, 5
LONGEST_TITLE, LONGEST_ABOUT, LONGEST_LEVEL = 80, 400, 80


class Row(TypedDict):
    """`levels` from the weakest to the strongest."""

    title: str
    about: str
    levels: list[str]


class RubricChanged(Conflict):
    """Somebody else has changed it since this page was opened."""

    code = "rubric_changed"


def _row(title: str, about: str, *levels: str) -> Row:
    return {"title": title, "about": about, "levels": list(levels)}


# In both languages at once, as a rubric is in the language of its course, not of who reads it.
DEFAULTS: dict[str, list[Row]] = {
    "en": [
        _row(
            "Opening",
            "Says in the first half minute who they are, what they sell and why to stay.",
            "Nobody knows what it is about",
            "Says it, but late or at length",
            "Clear within half a minute",
        ),
        _row(
            "Showing the goods",
            "Goods are close, in good light, opened, weighed or tasted.",
            "Hardly seen",
            "Seen, not examined",
            "One could almost touch them",
        ),
        _row(
            "Price and offer",
            "The price, the weight and the delivery are said, and pinned at the right moment.",
            "Price or weight is missing",
            "All said, pinned late",
            "Said, pinned and repeated",
        ),
        _row(
            "Answering buyers",
            "Questions are read out, answered, and marked as answered.",
            "Most stay open",
            "Answers some, or too late",
            "Answers all, kindly and shortly",
        ),
        _row(
            "Honesty and flow",
            "Promises only what is true, stays friendly when someone haggles, no long silence.",
            "Promises too much, or falls silent",
            "Honest, with long pauses",
            "Honest, calm and lively",
        ),
    ],
    "zh": [
        _row(
            "开场",
            "半分钟内说清自己是谁、卖什么、为什么值得留下来看。",
            "听不出在卖什么",
            "说了，但太晚或太长",
            "半分钟内说得清楚",
        ),
        _row(
            "展示货品",
            "货品离镜头近、光线好，切开、称重或试吃给大家看。",
            "几乎看不到货",
            "看得到，没有细看",
            "好像伸手就能摸到",
        ),
        _row(
            "价格与优惠",
            "说清价格、重量和怎么送货，并在合适的时候点“讲解”。",
            "没说价格或重量",
            "都说了，讲解点晚了",
            "说清、讲解点得准、会重复",
        ),
        _row(
            "回答买家",
            "读出问题、回答，并标为已回答。",
            "多数没有回答",
            "只答一部分，或太晚",
            "全部回答，亲切简短",
        ),
        _row(
            "诚实与节奏",
            "只承诺真实的内容，有人砍价也和气，没有长时间冷场。",
            "夸大，或冷场",
            "诚实，但停顿较长",
            "诚实、从容、有活力",
        ),
    ],
}


def default_rows(language: str) -> list[Row]:
    return DEFAULTS["zh" if language.startswith("zh") else "en"]


def rows_for(course: Course, language: str) -> list[Row]:
    """What a review that is begun now looks for; `language` where the course does not say one."""
    rubric = Rubric.objects.filter(course=course).first()
    return rubric.rows if rubric else default_rows(course.language or language)


def save(course: Course, rows: Sequence[Row], *, version: int, actor: User) -> None:
    """Change the rubric whose `version` the editor has seen, 0 while there was none.

    Raises `InvalidInput`, `field` names the part at fault as "title-0", or `RubricChanged`.
    """
    checked = checked_rows(rows)
    if version == 0:
        _make(course, checked, actor)
        return
    seen = Rubric.objects.filter(course=course, version=version)
    changed = seen.update(
        rows=checked, version=F("version") + 1, changed_by=actor, changed_at=now()
    )
    if not changed:
        raise _changed()


def _make(course: Course, rows: list[Row], actor: User) -> None:
    try:
        with transaction.atomic():
            Rubric.objects.create(course=course, rows=rows, changed_by=actor)
    except IntegrityError as error:
        raise _changed() from error


def _changed() -> RubricChanged:
    return RubricChanged(
        _(
            "Somebody else has changed this rubric in the meantime. What you wrote is still here: "
            "save again to replace theirs, or open the page anew to see it."
        )
    )


def checked_rows(rows: Sequence[Row]) -> list[Row]:
    """Trimmed, without those left empty; raises `InvalidInput`."""
    numbered = [(number, row) for number, row in enumerate(rows) if not _is_empty(row)]
    if not numbered:
        raise InvalidInput(_("A rubric needs at least one row."), field="title-0")
    if len(numbered) > MOST_ROWS:
        raise InvalidInput(
            _("At most %(most)d rows: what is looked at has to be remembered while watching.")
            % {"most": MOST_ROWS}
        )
    return [_checked(number, row) for number, row in numbered]


def _is_empty(row: Row) -> bool:
    return not "".join((row["title"], row["about"], *row["levels"])).strip()


def _checked(number: int, row: Row) -> Row:
    title = clean_line(row["title"], f"title-{number}", longest=LONGEST_TITLE)
    about = clean_lines(row["about"], f"about-{number}", longest=LONGEST_ABOUT)
    field = f"levels-{number}"
    lines = (clean_line(one, field, longest=LONGEST_LEVEL, shortest=0) for one in row["levels"])
    levels = [line for line in lines if line]
    if not FEWEST_LEVELS <= len(levels) <= MOST_LEVELS:
        raise InvalidInput(
            _("Write %(fewest)d to %(most)d levels, one a line, the weakest first.")
            % {"fewest": FEWEST_LEVELS, "most": MOST_LEVELS},
            field=field,
        )
    return {"title": title, "about": about, "levels": levels}
