"""The tracks of a recording: one for each language in which it can be read."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from core.accounts.models import User
from core.ids import new_id
from media_pipeline.models import Recording


class TrackState(models.TextChoices):
    WAITING = "waiting", _("being written down")
    READY = "ready", _("ready")
    FAILED = "failed", _("failed")


class CaptionTrack(models.Model):
    """What is said in a recording, in one language. Its clips take their cues from here.

    Times are always those of the recording as it is now: a passage that is taken out of it takes
    its words along.
    """

    public_id = models.UUIDField(default=new_id, unique=True, editable=False)
    recording = models.ForeignKey(
        Recording, on_delete=models.CASCADE, related_name="caption_tracks"
    )
    language = models.CharField(
        max_length=20, blank=True, help_text="As BCP 47 has it; empty until it is heard."
    )
    state = models.CharField(max_length=20, choices=TrackState.choices, default=TrackState.READY)
    is_automatic = models.BooleanField(
        default=False, help_text="Nobody has looked at what the machine heard."
    )
    version = models.PositiveIntegerField(default=1, help_text="Rises with every change of cues.")
    cues = models.JSONField(default=list, help_text="In order (captions.cues.Cue).")
    heard_ms = models.PositiveIntegerField(
        default=0, help_text="Up to where a track that waits was written down."
    )
    hints = models.CharField(
        max_length=300, blank=True, help_text="Words that are likely: names of products."
    )
    error = models.CharField(max_length=300, blank=True)
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    changed_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    changed_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["recording", "language"], name="one_track_per_language")
        ]

    def __str__(self) -> str:
        return f"captions of {self.recording} in {self.language or '?'}"
