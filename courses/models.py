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
    language = models.CharField(
        _("language"), max_length=10, blank=True, help_text="What is spoken; empty: not said."
    )
    prerequisites = models.ManyToManyField(
        "self", symmetrical=False, related_name="leads_to", blank=True
    )
    copied_from = models.ForeignKey(
        "self", on_delete=models.SET_NULL, null=True, related_name="copies", editable=False
    )
    counts_background = models.BooleanField(
        default=False, help_text="Whether what nobody saw or heard counts as watched, too."
    )
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
    """A short vertical video. It is done when `required_share` of it has been watched.

    It is the same lesson in every edition that has it, and so is what somebody has done of it.
    Its `title` is that of the newest edition: for lists in which no edition is meant.
    """

    public_id = models.UUIDField(default=new_id, unique=True, editable=False)
    course = models.ForeignKey(Course, on_delete=models.CASCADE, related_name="lessons")
    title = models.CharField(_("title"), max_length=120)
    asset = models.ForeignKey(Asset, on_delete=models.PROTECT, related_name="lessons")
    required_share = models.FloatField(default=0.9)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["course", "asset"], name="each_clip_once_per_course"),
            # No player can prove that it showed the last frame: asking for all of it would make
            # lessons that cannot be finished. 0 is a lesson that need not be watched.
            models.CheckConstraint(
                condition=models.Q(required_share__gte=0, required_share__lte=0.95),
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


class EditionState(models.TextChoices):
    DRAFT = "draft", _("draft")
    PUBLISHED = "published", _("published")


class Edition(models.Model):
    """What a course is made of from one publication to the next.

    A published edition never changes: who has begun it keeps it until they move on.
    """

    course = models.ForeignKey(Course, on_delete=models.CASCADE, related_name="editions")
    number = models.PositiveSmallIntegerField(help_text="1 for the first.")
    state = models.CharField(
        max_length=20, choices=EditionState.choices, default=EditionState.DRAFT
    )
    publish_when_ready = models.BooleanField(
        default=False, help_text="A draft that is published once its last clip is made."
    )
    created_at = models.DateTimeField(auto_now_add=True)
    published_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(fields=["course", "number"], name="one_edition_per_number"),
            models.UniqueConstraint(
                fields=["course"],
                condition=models.Q(state="draft"),
                name="one_draft_edition_per_course",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.course}: {self.number}"

    @property
    def is_draft(self) -> bool:
        return self.state == EditionState.DRAFT


class Attachment(models.Model):
    """A file beside lessons: a table to fill in, a picture of a label. Editions share it."""

    public_id = models.UUIDField(default=new_id, unique=True, editable=False)
    course = models.ForeignKey(Course, on_delete=models.CASCADE, related_name="attachments")
    name = models.CharField(max_length=120, help_text="As it is shown and saved.")
    key = models.CharField(max_length=200, help_text="Key in media storage.")
    size = models.PositiveIntegerField(help_text="Bytes.")
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.name


class EditionLesson(models.Model):
    """A lesson in its place in an edition, with the words and files that it has there."""

    edition = models.ForeignKey(Edition, on_delete=models.CASCADE, related_name="entries")
    lesson = models.ForeignKey(Lesson, on_delete=models.CASCADE, related_name="entries")
    position = models.PositiveSmallIntegerField()
    title = models.CharField(_("title"), max_length=120)
    notes = models.TextField(_("notes"), max_length=6000, blank=True, help_text="Markdown.")
    attachments = models.ManyToManyField(Attachment, related_name="entries", blank=True)

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(
                fields=["edition", "position"], name="one_lesson_per_place_of_an_edition"
            ),
            models.UniqueConstraint(
                fields=["edition", "lesson"], name="each_lesson_once_per_edition"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.position + 1}. {self.title}"


class ClipSource(models.Model):
    """Where a clip came from and how it sold there, as counted when it became a lesson.

    The rest of the product may change or go; what a lesson teaches from stays with it. `evidence`
    has the counts of `streams.highlights.signals.Evidence`, or of a product's own best moment.
    """

    asset = models.OneToOneField(Asset, on_delete=models.CASCADE, related_name="source")
    show_id = models.UUIDField()
    show_title = models.CharField(max_length=120)
    held_at = models.DateTimeField(null=True)
    seller_name = models.CharField(max_length=80)
    place = models.CharField(max_length=120, blank=True)
    variant_id = models.UUIDField(null=True, help_text="What sold there, if one product did.")
    product = models.CharField(max_length=220, blank=True)
    lot = models.CharField(_("lot"), max_length=80, blank=True, help_text="Harvest or batch.")
    orders = models.PositiveIntegerField(default=0, help_text="Placed while it was shown.")
    pieces = models.PositiveIntegerField(default=0)
    sold_minor = models.PositiveBigIntegerField(default=0)
    currency = models.CharField(max_length=3)
    evidence = models.JSONField(default=dict, blank=True)
    counted_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"{self.show_title}: {self.product}"


class Enrolment(models.Model):
    """A trainee in a course, in the edition that they began or moved on to."""

    public_id = models.UUIDField(default=new_id, unique=True, editable=False)
    course = models.ForeignKey(Course, on_delete=models.PROTECT, related_name="enrolments")
    edition = models.ForeignKey(Edition, on_delete=models.PROTECT, related_name="enrolments")
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


class WatchedBatch(models.Model):
    """A report that was taken in: the same one again, with the id that its device gave it, is not.

    What was watched is a set, so forgetting old ones costs nothing.
    """

    enrolment = models.ForeignKey(Enrolment, on_delete=models.CASCADE, related_name="batches")
    batch_id = models.UUIDField()
    digest = models.CharField(max_length=64, help_text="Of what was told.")
    received_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["enrolment", "batch_id"], name="each_batch_once")
        ]

    def __str__(self) -> str:
        return f"{self.enrolment}: {self.batch_id}"


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
