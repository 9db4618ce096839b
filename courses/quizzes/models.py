"""Quizzes: questions, the papers that are given out of them, and what people answered.

A published paper never changes, and neither does a wording: what somebody answered is always read
beside what they were asked.
"""

from __future__ import annotations

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from core.accounts.models import User
from core.ids import new_id
from courses.models import Enrolment, Lesson


class Kind(models.TextChoices):
    CHOICE = "choice", _("choose")
    ORDER = "order", _("put in order")
    NUMBER = "number", _("a number")
    MOMENT = "moment", _("a moment of the video")


class Quiz(models.Model):
    """What is asked about a lesson. It counts once it has a paper (`is_open`)."""

    lesson = models.OneToOneField(Lesson, on_delete=models.CASCADE, related_name="quiz")
    pass_percent = models.PositiveSmallIntegerField(
        _("to pass, right answers in percent"),
        default=80,
        validators=[MinValueValidator(1), MaxValueValidator(100)],
    )
    ends_at = models.DateTimeField(_("answers until"), null=True, blank=True)
    is_open = models.BooleanField(default=False)
    set_aside = models.JSONField(
        default=list, blank=True, help_text="Ids of proposed chat questions that nobody wanted."
    )
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"{self.lesson}: quiz"


class Question(models.Model):
    """The same question through all its wordings. One that was taken out keeps its answers."""

    public_id = models.UUIDField(default=new_id, unique=True, editable=False)
    quiz = models.ForeignKey(Quiz, on_delete=models.CASCADE, related_name="questions")
    position = models.PositiveSmallIntegerField()
    removed_at = models.DateTimeField(null=True)
    source_id = models.UUIDField(null=True, help_text="The chat question that it was made of.")
    source_text = models.CharField(max_length=500, blank=True, help_text="As asked, without names.")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["position", "id"]

    def __str__(self) -> str:
        return f"{self.quiz}: {self.position + 1}"


class Wording(models.Model):
    """A question as it was put, with its answer.

    `options` are `{"id", "text"}`. `answer` is, by kind: ids of options in any order; ids in their
    order; `{"value", "tolerance"}`; or `{"start_s", "end_s"}` of the lesson.
    """

    public_id = models.UUIDField(default=new_id, unique=True, editable=False)
    question = models.ForeignKey(Question, on_delete=models.CASCADE, related_name="wordings")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    text = models.CharField(_("question"), max_length=300)
    options = models.JSONField(default=list, blank=True)
    answer = models.JSONField()
    unit = models.CharField(_("unit"), max_length=20, blank=True)
    explained_s = models.FloatField(_("explained at"), help_text="Second of the lesson.")
    made_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    made_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return self.text

    @property
    def takes_several(self) -> bool:
        return self.kind == Kind.CHOICE and len(self.answer) > 1


class Paper(models.Model):
    """What trainees are asked from one publication to the next."""

    quiz = models.ForeignKey(Quiz, on_delete=models.CASCADE, related_name="papers")
    number = models.PositiveSmallIntegerField(help_text="1 for the first.")
    published_at = models.DateTimeField()
    published_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")

    class Meta:
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(fields=["quiz", "number"], name="one_paper_per_number")
        ]

    def __str__(self) -> str:
        return f"{self.quiz}: {self.number}"


class PaperItem(models.Model):
    paper = models.ForeignKey(Paper, on_delete=models.CASCADE, related_name="items")
    wording = models.ForeignKey(Wording, on_delete=models.PROTECT, related_name="items")
    position = models.PositiveSmallIntegerField()

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(fields=["paper", "wording"], name="each_wording_once_per_paper")
        ]

    def __str__(self) -> str:
        return f"{self.paper}: {self.position + 1}"


class Try(models.Model):
    """Answers to a whole paper, handed in together. `public_id` is chosen by who hands them in.

    What came after the quiz had ended is kept, and counts only if a teacher says so.
    """

    public_id = models.UUIDField(unique=True)
    paper = models.ForeignKey(Paper, on_delete=models.PROTECT, related_name="tries")
    enrolment = models.ForeignKey(Enrolment, on_delete=models.CASCADE, related_name="tries")
    number = models.PositiveSmallIntegerField(help_text="1 for the first of this person.")
    digest = models.CharField(max_length=64, help_text="Of what was handed in.")
    right = models.PositiveSmallIntegerField()
    asked = models.PositiveSmallIntegerField()
    is_passed = models.BooleanField()
    is_late = models.BooleanField(default=False)
    handed_in_at = models.DateTimeField()

    class Meta:
        ordering = ["id"]
        indexes = [models.Index(fields=["enrolment", "paper"], name="tries_of_somebody")]

    def __str__(self) -> str:
        return f"{self.enrolment}: {self.right}/{self.asked}"


class Answer(models.Model):
    """What somebody answered; `given` is `null` for a question that was left out."""

    one_try = models.ForeignKey(Try, on_delete=models.CASCADE, related_name="answers")
    wording = models.ForeignKey(Wording, on_delete=models.PROTECT, related_name="answers")
    given = models.JSONField(null=True)
    is_right = models.BooleanField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["one_try", "wording"], name="one_answer_per_question")
        ]

    def __str__(self) -> str:
        return f"{self.wording}: {self.is_right}"
