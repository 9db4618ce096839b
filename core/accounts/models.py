"""People and what the instance lets them do."""

from __future__ import annotations

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.utils.translation import gettext_lazy as _

from core.ids import new_id


class User(AbstractUser):
    """A person. Farmers have a phone number and rarely an e-mail, so neither is required."""

    public_id = models.UUIDField(default=new_id, unique=True, editable=False)
    display_name = models.CharField(_("name"), max_length=60, blank=True)
    language = models.CharField(max_length=10, blank=True)

    def __str__(self) -> str:
        return self.shown_name

    @property
    def shown_name(self) -> str:
        """The name that other people see."""
        return self.display_name or self.username

    @property
    def masked_name(self) -> str:
        """The name that strangers in a room see beside an order: "L**"."""
        return self.shown_name[:1] + "**"


class Role(models.TextChoices):
    """Roles in the whole instance; a seller's own roles are `sellers.Member`."""

    OPERATOR = "operator", _("operator")
    MENTOR = "mentor", _("mentor")
    TRAINEE = "trainee", _("trainee")


class RoleGrant(models.Model):
    """One role of one person."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="role_grants")
    role = models.CharField(max_length=20, choices=Role.choices)
    granted_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "role"], name="one_grant_per_role")]

    def __str__(self) -> str:
        return f"{self.user} {self.role}"
