"""What is learnt: courses of short lessons, who watches them, and what that earns."""

from __future__ import annotations

from django.db import models
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from core.accounts.models import User
from core.ids import new_id
from media_pipeline.models import Asset, AssetState


class CourseState(models.TextChoices):
    DRAFT = "draft", _("draft")
    PUBLISHED = "published", _("published")


class Course(models.Model):
    """Lessons in an order, and what a trainee gets for finishing them."""

    public_id = models.UUIDField(default=new_id, unique=True, editable=False)
    title = models.CharField(_("title"), max_length=120)
    summary = models.TextField(_("summary"), max_length=1000, blank=True)
    state = models.CharField(max_length=20, choices=CourseState.choices, default=CourseState.DRAFT)
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    published_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        ordering = ["-published_at", "-id"]

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        return reverse("course", args=[self.public_id])

    @property
    def is_draft(self) -> bool:
        return self.state == CourseState.DRAFT


class Lesson(models.Model):
    """A short vertical video. It is done when `required_share` of it has been watched."""

    public_id = models.UUIDField(default=new_id, unique=True, editable=False)
    course = models.ForeignKey(Course, on_delete=models.CASCADE, related_name="lessons")
    position = models.PositiveSmallIntegerField()
    title = models.CharField(_("title"), max_length=120)
    asset = models.ForeignKey(Asset, on_delete=models.PROTECT, related_name="lessons")
    required_share = models.FloatField(default=0.9)

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(fields=["course", "position"], name="one_lesson_per_position"),
            models.UniqueConstraint(fields=["course", "asset"], name="each_clip_once_per_course"),
            # No player can prove that it showed the last frame: asking for all of it would make
            # lessons that cannot be finished.
            models.CheckConstraint(
                condition=models.Q(required_share__gt=0, required_share__lte=0.95),
                name="a_share_that_can_be_watched",
            ),
        ]

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        return reverse("lesson", args=[self.course.public_id, self.public_id])

    @property
    def is_ready(self) -> bool:
        """Whether it can be watched: its film is there, and its seller agrees."""
        return self.asset.state == AssetState.READY and self.asset.consented_at is not None

    @property
    def is_taken_back(self) -> bool:
        return self.asset.state == AssetState.WITHDRAWN

    @property
    def is_waiting_for_consent(self) -> bool:
        """Of before sellers were asked."""
        return self.asset.state == AssetState.READY and self.asset.consented_at is None

    @property
    def duration_s(self) -> float:
        return self.asset.duration_s

    @property
    def required_s(self) -> float:
        """How many different seconds have to be watched."""
        return self.required_share * self.duration_s


class Enrolment(models.Model):
    """A trainee in a course."""

    public_id = models.UUIDField(default=new_id, unique=True, editable=False)
    course = models.ForeignKey(Course, on_delete=models.PROTECT, related_name="enrolments")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="enrolments")
    started_at = models.DateTimeField(auto_now_add=True)
    completed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["course", "user"], name="one_enrolment_per_course")
        ]

    def __str__(self) -> str:
        return f"{self.user} in {self.course}"


class Progress(models.Model):
    """Which seconds of a lesson a trainee has watched, as merged intervals."""

    enrolment = models.ForeignKey(Enrolment, on_delete=models.CASCADE, related_name="progress")
    lesson = models.ForeignKey(Lesson, on_delete=models.CASCADE, related_name="progress")
    intervals = models.JSONField(default=list, help_text="Sorted, disjoint [start_s, end_s].")
    position_s = models.FloatField(default=0, help_text="Where to go on.")
    completed_at = models.DateTimeField(null=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["enrolment", "lesson"], name="one_progress_per_lesson")
        ]

    def __str__(self) -> str:
        return f"{self.enrolment}: {self.lesson}"


class Certificate(models.Model):
    """Proof that somebody finished a course, as it was when it was issued."""

    public_id = models.UUIDField(default=new_id, unique=True, editable=False)
    number = models.CharField(max_length=20, unique=True, help_text="What is printed on it.")
    enrolment = models.OneToOneField(
        Enrolment, on_delete=models.PROTECT, related_name="certificate"
    )
    holder_name = models.CharField(max_length=150)
    course_title = models.CharField(max_length=120)
    lesson_count = models.PositiveSmallIntegerField()
    watched_s = models.FloatField()
    issued_at = models.DateTimeField()
    signature = models.CharField(max_length=128, help_text="Of everything above.")

    class Meta:
        ordering = ["-issued_at"]

    def __str__(self) -> str:
        return f"{self.holder_name}: {self.course_title}"

    def get_absolute_url(self) -> str:
        return reverse("verify", args=[self.public_id])
