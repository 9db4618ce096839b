"""What is known of courses and clips that came from another instance in a file."""

from __future__ import annotations

from django.db import models

from core.accounts.models import User
from courses.models import Course
from media_pipeline.models import Asset


class BroughtCourse(models.Model):
    """Where a course came from. The first one of each origin decides that others are repetitions.

    A constraint, not a look, decides between two people who bring the same file at once.
    """

    course = models.OneToOneField(Course, on_delete=models.CASCADE, related_name="brought")
    origin_id = models.UUIDField(help_text="The course's id in the instance that wrote the file.")
    origin_site = models.CharField(max_length=120, help_text="The name of that instance.")
    digest = models.CharField(max_length=64, help_text="Of the file's list, which has all hashes.")
    is_again = models.BooleanField(default=False, help_text="Brought once more, by choice.")
    brought_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    brought_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["origin_id"],
                condition=models.Q(is_again=False),
                name="first_of_each_origin",
            )
        ]

    def __str__(self) -> str:
        return f"{self.course} from {self.origin_site}"


class BroughtClip(models.Model):
    """A clip that came in a file: it has no show here, so its chapters are kept."""

    asset = models.OneToOneField(Asset, on_delete=models.CASCADE, related_name="brought")
    chapters = models.JSONField(default=list, help_text="As manifest.Chapter.")

    def __str__(self) -> str:
        return f"brought: {self.asset}"
