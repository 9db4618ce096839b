"""The stored log: every entry of every topic, long after memory has forgotten it."""

from __future__ import annotations

from django.db import models


class Topic(models.Model):
    """A topic's epoch and last position. A new epoch means that history was lost."""

    name = models.CharField(max_length=120, primary_key=True)
    epoch = models.CharField(max_length=32)
    last_seq = models.PositiveBigIntegerField(default=0)

    def __str__(self) -> str:
        return self.name


class LogEntry(models.Model):
    """One stored entry of a topic's log."""

    topic = models.CharField(max_length=120)
    epoch = models.CharField(max_length=32)
    seq = models.PositiveBigIntegerField()
    at = models.DateTimeField()
    type = models.CharField(max_length=40)
    data = models.JSONField()
    fact_id = models.UUIDField(null=True)
    removed_at = models.DateTimeField(null=True, help_text="Readers get a tombstone instead.")

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["topic", "epoch", "seq"], name="each_position_once"),
            models.UniqueConstraint(fields=["topic", "fact_id"], name="each_fact_once_per_topic"),
        ]

    def __str__(self) -> str:
        return f"{self.topic} {self.seq} {self.type}"


class RedeemedTicket(models.Model):
    """A socket ticket that was used; kept until it would have expired anyway."""

    nonce = models.CharField(max_length=32, primary_key=True)
    at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return self.nonce
