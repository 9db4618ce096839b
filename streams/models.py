"""Where it happens: shows and who is kept quiet in them."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from core.accounts.models import User
from core.ids import new_id
from orders.models import Offer
from sellers.models import Seller


class ShowState(models.TextChoices):
    SCHEDULED = "scheduled", _("scheduled")
    LIVE = "live", _("live")
    ENDED = "ended", _("ended")


class Audience(models.TextChoices):
    PUBLIC = "public", _("everybody")
    UNLISTED = "unlisted", _("whoever has the link")
    INVITED = "invited", _("whoever is invited")


class Show(models.Model):
    """One broadcast: `scheduled → live → ended`; `interrupted_at` says that the camera is away."""

    public_id = models.UUIDField(default=new_id, unique=True, editable=False)
    seller = models.ForeignKey(Seller, on_delete=models.CASCADE, related_name="shows")
    host = models.ForeignKey(User, on_delete=models.PROTECT, related_name="hosted_shows")
    title = models.CharField(_("title"), max_length=120)
    audience = models.CharField(max_length=20, choices=Audience.choices, default=Audience.PUBLIC)
    state = models.CharField(max_length=20, choices=ShowState.choices, default=ShowState.SCHEDULED)
    scheduled_at = models.DateTimeField(_("starts at"))
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    interrupted_at = models.DateTimeField(null=True)
    pinned_offer = models.ForeignKey(Offer, on_delete=models.SET_NULL, null=True, related_name="+")
    poster_key = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-scheduled_at"]
        indexes = [models.Index(fields=["state", "scheduled_at"], name="show_listing")]

    def __str__(self) -> str:
        return self.title

    @property
    def topic(self) -> str:
        """The log topic that everybody in the room hears."""
        return f"show:{self.public_id}"


class Mute(models.Model):
    """A viewer who may not chat in one show."""

    show = models.ForeignKey(Show, on_delete=models.CASCADE, related_name="mutes")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    muted_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["show", "user"], name="one_mute_per_viewer")]

    def __str__(self) -> str:
        return f"{self.user} in {self.show}"


class ViewersSample(models.Model):
    """How many watched a show as a minute began; the first process to say so is believed."""

    show = models.ForeignKey(Show, on_delete=models.CASCADE, related_name="viewers_samples")
    minute = models.DateTimeField(help_text="The minute's begin.")
    viewers = models.PositiveIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["show", "minute"], name="one_sample_per_minute")
        ]

    def __str__(self) -> str:
        return f"{self.show} {self.minute:%H:%M}: {self.viewers}"
