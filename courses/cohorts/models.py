"""Cohorts: people who take a course together, who looks after them, and what they are told."""

from __future__ import annotations

from uuid import uuid4

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from core.accounts.models import Invitation, User
from core.ids import new_id
from courses.models import Course


class Cohort(models.Model):
    """A class. `invite` is in its link, which lets everybody in while `is_joinable`."""

    public_id = models.UUIDField(default=new_id, unique=True, editable=False)
    course = models.ForeignKey(Course, on_delete=models.PROTECT, related_name="cohorts")
    name = models.CharField(_("name"), max_length=80)
    facilitator = models.ForeignKey(
        User, on_delete=models.SET_NULL, null=True, blank=True, related_name="cohorts_led"
    )
    begins_on = models.DateField(_("begins on"), null=True, blank=True)
    ends_on = models.DateField(_("to be done by"), null=True, blank=True)
    weekly_lessons = models.PositiveSmallIntegerField(
        _("lessons in a week"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(50)],
    )
    invite = models.UUIDField(default=uuid4, unique=True, editable=False)
    is_joinable = models.BooleanField(default=True)
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return self.name


class How(models.TextChoices):
    LINK = "link", _("by link")
    LIST = "list", _("from a list")
    INVITED = "invited", _("by invitation")


class Place(models.Model):
    """Somebody's place in a cohort. Who left keeps it, with what they have learnt, for coming back.

    Their progress is the enrolment's, and stays whatever becomes of the place.
    """

    public_id = models.UUIDField(default=new_id, unique=True, editable=False)
    cohort = models.ForeignKey(Cohort, on_delete=models.CASCADE, related_name="places")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="cohort_places")
    how = models.CharField(max_length=10, choices=How.choices)
    joined_at = models.DateTimeField()
    left_at = models.DateTimeField(null=True)
    left_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")

    class Meta:
        ordering = ["joined_at", "id"]
        constraints = [
            models.UniqueConstraint(fields=["cohort", "user"], name="one_place_per_cohort")
        ]

    def __str__(self) -> str:
        return f"{self.user} in {self.cohort}"


class Expected(models.Model):
    """Somebody on a list who has no account yet, and the invitation that was made for them.

    `phone` is emptied once they came: it was needed to know them by.
    """

    public_id = models.UUIDField(default=new_id, unique=True, editable=False)
    cohort = models.ForeignKey(Cohort, on_delete=models.CASCADE, related_name="expected")
    name = models.CharField(max_length=60)
    phone = models.CharField(max_length=20, blank=True, db_index=True, help_text="As E.164.")
    invitation = models.OneToOneField(
        Invitation, on_delete=models.SET_NULL, null=True, related_name="expected"
    )
    made_at = models.DateTimeField()
    came_at = models.DateTimeField(null=True)
    withdrawn_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["name", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["cohort", "phone"],
                condition=~models.Q(phone=""),
                name="each_number_expected_once",
            )
        ]

    def __str__(self) -> str:
        return self.name


class Roster(models.Model):
    """A list of people as text; what it would do is worked out when it is looked at."""

    public_id = models.UUIDField(default=new_id, unique=True, editable=False)
    cohort = models.ForeignKey(Cohort, on_delete=models.CASCADE, related_name="rosters")
    actor = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    name = models.CharField(max_length=120, blank=True, help_text="Of the file; empty if typed.")
    text = models.TextField()
    made_at = models.DateTimeField()

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return self.name or "list"


class Message(models.Model):
    """What a facilitator wrote to a whole cohort, or to one in it."""

    public_id = models.UUIDField(default=new_id, unique=True, editable=False)
    cohort = models.ForeignKey(Cohort, on_delete=models.CASCADE, related_name="messages")
    to = models.ForeignKey(
        User, on_delete=models.CASCADE, null=True, related_name="cohort_messages"
    )
    text = models.TextField(_("message"), max_length=1000)
    sent_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    sent_at = models.DateTimeField()

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return self.text[:40]


class MessageRead(models.Model):
    message = models.ForeignKey(Message, on_delete=models.CASCADE, related_name="reads")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["message", "user"], name="each_message_read_once")
        ]

    def __str__(self) -> str:
        return f"{self.user}: {self.message}"
