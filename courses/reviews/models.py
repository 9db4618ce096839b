"""What mentors say about a practice: by a course's rubric, in words, and at moments of its film."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from core.accounts.models import User
from core.ids import new_id
from courses.models import Course
from courses.practice.models import Attempt


class Rubric(models.Model):
    """What the practices of a course are looked at for, as its editors wrote it last.

    Reviews copy `rows` when they are begun: a later change does not reach them.
    """

    course = models.OneToOneField(Course, on_delete=models.CASCADE, related_name="rubric")
    rows = models.JSONField(default=list, help_text="As `reviews.rubrics.Row`.")
    version = models.PositiveIntegerField(default=1, help_text="One more with each change.")
    changed_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    changed_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return f"{self.course}: {len(self.rows)}"


class ReviewState(models.TextChoices):
    DRAFT = "draft", _("draft")
    SENT = "sent", _("sent")


class Verdict(models.TextChoices):
    AGAIN = "again", _("try again")
    ACCEPTED = "accepted", _("accepted")


class Review(models.Model):
    """The one review of an attempt: a draft that one mentor at a time has, then sent for good.

    `tab` is the page that wrote last and `revision` its own count: what comes twice, or late,
    from the same page is told from what somebody else has written in between (`version`).
    """

    attempt = models.OneToOneField(Attempt, on_delete=models.CASCADE, related_name="review")
    mentor = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="reviews")
    state = models.CharField(max_length=20, choices=ReviewState.choices, default=ReviewState.DRAFT)
    verdict = models.CharField(max_length=20, choices=Verdict.choices, blank=True)
    words = models.TextField(max_length=4000, blank=True)
    rows = models.JSONField(default=list, help_text="The rubric as it was when this was begun.")
    marks = models.JSONField(default=dict, help_text="Level, from 0, by the row's number.")
    version = models.PositiveIntegerField(default=0)
    tab = models.UUIDField(null=True)
    revision = models.PositiveIntegerField(default=0)
    changed_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)
    trainee_read_at = models.DateTimeField(null=True)
    mentor_read_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-sent_at", "-id"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(state="draft")
                | (models.Q(sent_at__isnull=False) & ~models.Q(verdict="")),
                name="sent_with_a_verdict",
            )
        ]

    def __str__(self) -> str:
        return f"{self.attempt}: {self.state}"

    @property
    def is_sent(self) -> bool:
        return self.state == ReviewState.SENT

    @property
    def is_accepted(self) -> bool:
        return self.verdict == Verdict.ACCEPTED


class Comment(models.Model):
    """What a mentor says about one second of the film. Its id is made by the page."""

    public_id = models.UUIDField(unique=True)
    review = models.ForeignKey(Review, on_delete=models.CASCADE, related_name="comments")
    at_s = models.FloatField(help_text="Seconds of the recording.")
    text = models.TextField(max_length=2000)

    class Meta:
        ordering = ["at_s", "id"]

    def __str__(self) -> str:
        return f"{self.at_s:.1f}: {self.text[:40]}"


class Answer(models.Model):
    """What is said about a sent review, by the trainee or the mentor; to a comment, or to all."""

    public_id = models.UUIDField(unique=True, default=new_id)
    review = models.ForeignKey(Review, on_delete=models.CASCADE, related_name="answers")
    comment = models.ForeignKey(
        Comment, on_delete=models.CASCADE, null=True, related_name="answers"
    )
    author = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    text = models.TextField(max_length=2000)
    said_at = models.DateTimeField()

    class Meta:
        ordering = ["said_at", "id"]

    def __str__(self) -> str:
        return f"{self.author}: {self.text[:40]}"
