"""Tables of the ground floor: facts on their way out, and who runs which periodic work."""

from __future__ import annotations

from django.db import models

from core.ids import new_id


class OutboxFact(models.Model):
    """A fact that was committed with the change it tells of, and waits for its handlers."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    topic = models.CharField(max_length=120, help_text="Facts of one topic are handled in order.")
    type = models.CharField(max_length=80)
    data = models.JSONField()
    at = models.DateTimeField()
    claimed_until = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    retry_at = models.DateTimeField(null=True)
    last_error = models.TextField(blank=True)
    sent_at = models.DateTimeField(null=True)
    dead_at = models.DateTimeField(null=True, help_text="Given up: an operator has to look.")

    class Meta:
        ordering = ["id"]
        indexes = [
            models.Index(
                fields=["topic", "id"],
                condition=models.Q(sent_at=None, dead_at=None),
                name="outbox_waiting",
            )
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.id}"


class ScheduledWork(models.Model):
    """The lease of one named periodic job: whoever moves `next_run_at` runs it."""

    name = models.CharField(max_length=80, primary_key=True)
    next_run_at = models.DateTimeField()
    last_run_at = models.DateTimeField(null=True)
    last_error = models.TextField(blank=True)

    def __str__(self) -> str:
        return self.name
