"""Practice: what a trainee is asked to sell, each try at it, and the buyers who are simulated."""

from __future__ import annotations

from uuid import uuid4

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from core.accounts.models import User
from core.ids import new_id
from courses.models import Enrolment, Lesson
from sellers.models import Product, Seller

SHORTEST_MIN, LONGEST_MIN = 2, 20


class PracticeTask(models.Model):
    """What the trainees of a lesson show and sell to simulated buyers."""

    lesson = models.OneToOneField(Lesson, on_delete=models.CASCADE, related_name="practice_task")
    brief = models.TextField(_("what to do"), max_length=2000)
    minutes = models.PositiveSmallIntegerField(
        _("how long, in minutes"),
        default=5,
        validators=[MinValueValidator(SHORTEST_MIN), MaxValueValidator(LONGEST_MIN)],
    )
    seed = models.PositiveIntegerField(
        default=1, help_text="The same buyers come for every trainee of a task."
    )
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"{self.lesson}: practice"


class Good(models.Model):
    """Something to sell in practice: a copy, so that a real shop may change what it has.

    `price_minor` is what buyers think it is worth, in the site's currency. With a
    `drop_price_minor` it waits for the host's tap, and is on sale at that price for a minute.
    """

    task = models.ForeignKey(PracticeTask, on_delete=models.CASCADE, related_name="goods")
    position = models.PositiveSmallIntegerField()
    product = models.ForeignKey(Product, on_delete=models.SET_NULL, null=True, related_name="+")
    title = models.CharField(_("name"), max_length=120)
    about = models.TextField(_("about"), max_length=1000, blank=True)
    variant_title = models.CharField(_("variant"), max_length=80)
    price_minor = models.PositiveBigIntegerField(_("price"), validators=[MinValueValidator(1)])
    drop_price_minor = models.PositiveBigIntegerField(
        _("price of the flash offer"), null=True, blank=True, validators=[MinValueValidator(1)]
    )
    stock = models.PositiveIntegerField(
        _("how many there are"), default=50, validators=[MinValueValidator(1)]
    )
    image_key = models.CharField(max_length=200, blank=True, help_text="Key in media storage.")

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(fields=["task", "position"], name="one_good_per_position")
        ]

    def __str__(self) -> str:
        return f"{self.title}, {self.variant_title}"


class Sandbox(models.Model):
    """A trainee's shop to practise in. Nobody is its member: no list of shops leads to it."""

    user = models.OneToOneField(User, on_delete=models.CASCADE, related_name="sandbox")
    seller = models.OneToOneField(Seller, on_delete=models.PROTECT, related_name="+")

    def __str__(self) -> str:
        return f"{self.user}: practice"


class AttemptState(models.TextChoices):
    OPEN = "open", _("not begun")
    LIVE = "live", _("on air")
    ENDED = "ended", _("to be handed in")
    SUBMITTED = "submitted", _("waits for a mentor")
    AGAIN = "again", _("try again")
    ACCEPTED = "accepted", _("accepted")
    ABANDONED = "abandoned", _("given up")


class Attempt(models.Model):
    """One try: `open → live → ended → submitted → accepted | again`, or `abandoned` before that.

    `show_id` is the public id of its show, whose recording is what mentors look at.
    """

    public_id = models.UUIDField(default=new_id, unique=True, editable=False)
    enrolment = models.ForeignKey(Enrolment, on_delete=models.CASCADE, related_name="attempts")
    task = models.ForeignKey(PracticeTask, on_delete=models.PROTECT, related_name="attempts")
    number = models.PositiveSmallIntegerField(help_text="1 for the first.")
    show_id = models.UUIDField(unique=True)
    state = models.CharField(max_length=20, choices=AttemptState.choices, default=AttemptState.OPEN)
    language = models.CharField(max_length=10, help_text="What the buyers speak.")
    invite = models.UUIDField(default=uuid4, unique=True, help_text="In the classmates' link.")
    opened_at = models.DateTimeField(auto_now_add=True)
    began_at = models.DateTimeField(null=True, help_text="When the camera was on.")
    ended_at = models.DateTimeField(null=True)
    submitted_at = models.DateTimeField(null=True)
    decided_at = models.DateTimeField(null=True)
    decided_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    result = models.JSONField(
        default=dict, help_text="What the buyers did (`practice.results.Result`), once it ended."
    )
    film_deleted_at = models.DateTimeField(null=True)
    buyers = models.JSONField(default=dict, help_text="Where they are (`practice.playing.Play`).")
    held_by = models.UUIDField(null=True, help_text="The process that moves the buyers.")
    held_until = models.DateTimeField(null=True)

    class Meta:
        ordering = ["enrolment", "task", "number"]
        constraints = [
            models.UniqueConstraint(
                fields=["enrolment", "task", "number"], name="one_attempt_per_number"
            ),
            models.UniqueConstraint(
                fields=["enrolment", "task"],
                condition=models.Q(state__in=["open", "live"]),
                name="one_attempt_at_a_time",
            ),
        ]
        indexes = [models.Index(fields=["state"], name="practice_state")]

    def __str__(self) -> str:
        return f"{self.enrolment}: {self.number}"

    @property
    def is_decided(self) -> bool:
        return self.state in {AttemptState.AGAIN, AttemptState.ACCEPTED}


class SimulatedBuyer(models.Model):
    """A user account that nobody can sign in to, for one kind of buyer in one language."""

    persona = models.CharField(max_length=40)
    language = models.CharField(max_length=10)
    user = models.OneToOneField(User, on_delete=models.PROTECT, related_name="simulated_buyer")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["persona", "language"], name="one_user_per_buyer")
        ]

    def __str__(self) -> str:
        return f"{self.persona} ({self.language})"


class Act(models.Model):
    """What a simulated buyer does: written first, and done then, so that it is done once."""

    attempt = models.ForeignKey(Attempt, on_delete=models.CASCADE, related_name="acts")
    number = models.PositiveIntegerField()
    at_s = models.FloatField(help_text="Seconds since the camera was on.")
    persona = models.CharField(max_length=40)
    kind = models.CharField(max_length=20)
    detail = models.JSONField(default=dict)
    done_at = models.DateTimeField(null=True)
    message_id = models.UUIDField(null=True, help_text="What was said, in the room's log.")
    refusal = models.CharField(max_length=40, blank=True, help_text="Why it could not be done.")

    class Meta:
        ordering = ["number"]
        constraints = [models.UniqueConstraint(fields=["attempt", "number"], name="each_act_once")]

    def __str__(self) -> str:
        return f"{self.at_s:.1f}: {self.persona} {self.kind}"
