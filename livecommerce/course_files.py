"""What `livecommerce course-export` and `course-import` do."""

from __future__ import annotations

import os
from pathlib import Path

from core.accounts.models import User
from core.errors import Conflict, InvalidInput, NotFound
from core.ids import parse_id
from courses import access
from courses.exchange import exporting, importing
from courses.models import Course

MEGABYTE = 1_000_000


def export(name: str, to: Path | None, sellers_know: bool) -> list[str]:
    """Write the course of this id to `to`; what was done. Raises `AppError`, nothing left over.

    The file gets its name when it is whole.
    """
    course_id = parse_id(name)
    course = Course.objects.filter(public_id=course_id).first() if course_id else None
    if course is None:
        raise NotFound("There is no course of this id. It is in the address of the course's page.")
    plan = exporting.planned(course, by=None)
    if not sellers_know:
        raise Conflict(
            f"Whose films these are ({', '.join(plan.sellers) or 'sellers'}) agreed to their being"
            " lessons on this site. Ask them whether another county may show them, too; then give"
            " --sellers-know."
        )
    target = to or Path(plan.file_name)
    if target.exists():
        raise Conflict(f"{target} is there already.")
    _write(plan, target)
    size = target.stat().st_size / MEGABYTE
    done = f"{target}: “{course.title}”, lessons: {len(plan.lessons)}, {size:.1f} MB."
    return [done, *(f"Left out: “{title}”: {why}" for title, why in plan.left_out)]


def _write(plan: exporting.Plan, target: Path) -> None:
    half = target.with_name(f".{target.name}.part")
    try:
        with half.open("wb") as file:
            file.writelines(exporting.stream(plan))
            file.flush()
            os.fsync(file.fileno())
        half.rename(target)
    finally:
        half.unlink(missing_ok=True)


def bring(file: Path, author: str, again: bool) -> list[str]:
    """Make a draft of the file for the author of this name; what was done. Raises `AppError`."""
    owner = User.objects.filter(username=author, is_active=True).first()
    if owner is None or not access.may_author(owner):
        raise InvalidInput(f"Nobody called {author} makes courses here.")
    try:
        done = importing.bring(file, owner=owner, again=again)
    except importing.BroughtBefore as error:
        raise Conflict(f"{error.message} To do that, give --again.") from error
    lines = [f"“{done.course.title}” is a draft of {author}'s now: {done.course.public_id}"]
    if done.not_here:
        lines.append(f"Not here, though to be finished before it: {', '.join(done.not_here)}")
    return lines
