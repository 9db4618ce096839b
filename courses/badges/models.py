"""Certificates as Open Badges: what a course's say, who sees what, by which key, and until when."""

from __future__ import annotations

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from core.accounts.models import User
from core.ids import new_id
from courses.models import Certificate, Course

MOST_MONTHS = 120


class BadgeRule(models.Model):
    """What holds for a course's certificates. A course without one: for ever, and no more."""

    course = models.OneToOneField(Course, on_delete=models.CASCADE, related_name="badge_rule")
    valid_months = models.PositiveSmallIntegerField(
        _("valid for so many months"),
        null=True,
        validators=[MinValueValidator(1), MaxValueValidator(MOST_MONTHS)],
    )
    grants_live = models.BooleanField(
        default=False, help_text="Its holders may go live; set by operators alone."
    )
    granted_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    granted_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.course}: certificates"


class Terms(models.Model):
    """Until when a certificate holds, and what of it its holder lets everybody see."""

    certificate = models.OneToOneField(Certificate, on_delete=models.CASCADE, related_name="terms")
    expires_at = models.DateTimeField(null=True)
    shows_name = models.BooleanField(default=False)
    shows_results = models.BooleanField(default=False)
    shows_evidence = models.BooleanField(default=False)
    shows_recording = models.BooleanField(default=False)
    chosen_at = models.DateTimeField(null=True, help_text="When the holder last said so.")

    def __str__(self) -> str:
        return f"{self.certificate}: terms"


class SigningKey(models.Model):
    """The public half of a key; the private one is a file that only this instance reads."""

    kid = models.CharField(max_length=64, unique=True, help_text="Its thumbprint, RFC 7638.")
    public_jwk = models.JSONField()
    made_at = models.DateTimeField()
    withdrawn_at = models.DateTimeField(null=True, help_text="It got out: nothing by it holds.")

    class Meta:
        ordering = ["-pk"]

    def __str__(self) -> str:
        return self.kid


class Badge(models.Model):
    """A certificate as it was signed once. What it says never changes: a new one replaces it."""

    public_id = models.UUIDField(default=new_id, unique=True, editable=False)
    certificate = models.ForeignKey(Certificate, on_delete=models.CASCADE, related_name="badges")
    key = models.ForeignKey(SigningKey, on_delete=models.PROTECT, related_name="badges")
    site = models.CharField(max_length=200, help_text="The address of ours that it names.")
    token = models.TextField(help_text="The credential as a JWT.")
    issued_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True)
    replaced_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["certificate"],
                condition=models.Q(replaced_at=None),
                name="one_badge_at_a_time",
            )
        ]

    def __str__(self) -> str:
        return f"{self.certificate}: {self.public_id}"


class Revocation(models.Model):
    """A certificate was taken back, and why; it may have been given again since."""

    certificate = models.ForeignKey(
        Certificate, on_delete=models.CASCADE, related_name="revocations"
    )
    reason = models.CharField(_("reason"), max_length=300)
    revoked_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    revoked_at = models.DateTimeField()
    undone_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    undone_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["certificate"],
                condition=models.Q(undone_at=None),
                name="one_revocation_at_a_time",
            )
        ]

    def __str__(self) -> str:
        return f"{self.certificate}: {self.reason}"
