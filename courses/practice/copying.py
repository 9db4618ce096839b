"""The practice of a lesson that is copied: what to do and sell, without anybody's attempts."""

from __future__ import annotations

from courses.models import Lesson
from courses.practice.models import PracticeTask
from courses.services.rows import copied


def copy_task(lesson: Lesson, copy: Lesson) -> None:
    task = PracticeTask.objects.filter(lesson=lesson).first()
    if task is None:
        return
    made = copied(task, lesson=copy)
    for good in task.goods.all():
        copied(good, task=made)
