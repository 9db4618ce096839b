"""Files that sellers upload, kept between looking at them and doing what they say."""

from __future__ import annotations

from django.db import models

from core.accounts.models import User
from core.ids import new_id


class TrackingUpload(models.Model):
    """A table of tracking numbers, as text; what it would do is worked out when it is looked at."""

    public_id = models.UUIDField(default=new_id, unique=True, editable=False)
    actor = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    name = models.CharField(max_length=120)
    text = models.TextField()
    made_at = models.DateTimeField()

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return self.name
