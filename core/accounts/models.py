"""People and what the instance lets them do."""

from __future__ import annotations

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from core.clock import now
from core.ids import new_id

LEFT = "left:"
"""How the user names of people begin who have deleted their account; none can be chosen so."""


class User(AbstractUser):
    """A person. Farmers have a phone number and rarely an e-mail, so neither is required."""

    public_id = models.UUIDField(default=new_id, unique=True, editable=False)
    display_name = models.CharField(_("name"), max_length=60, blank=True)
    language = models.CharField(max_length=10, blank=True)
    phone = models.CharField(
        _("phone number"),
        max_length=20,
        null=True,
        blank=True,
        unique=True,
        help_text="As +8613912345678; only once a code that was sent there came back.",
    )
    sessions_round = models.PositiveIntegerField(
        default=0, help_text="One more ends every session, as a new password does."
    )

    def __str__(self) -> str:
        return self.shown_name

    def _get_session_auth_hash(self, secret: str | None = None) -> str:
        """Django's own, which also asks here for old secrets; another one in each round."""
        found: str = super()._get_session_auth_hash(secret)  # type: ignore[misc]
        if not self.sessions_round:
            return found
        return salted_hmac("sessions round", f"{found} {self.sessions_round}").hexdigest()

    @property
    def shown_name(self) -> str:
        """The name that other people see."""
        if self.username.startswith(LEFT):
            return gettext("somebody who left")
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


class Invitation(models.Model):
    """A way in for one person, once: on paper, as a QR code. The token itself is not kept.

    `role` is one of a seller's people where `seller_id` (a public id) names a seller, else one in
    the whole instance. Those of one `batch` were made together and are printed on one sheet.
    """

    public_id = models.UUIDField(default=new_id, unique=True, editable=False)
    batch = models.UUIDField(default=new_id, db_index=True, editable=False)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    seller_id = models.UUIDField(null=True, blank=True, db_index=True)
    role = models.CharField(max_length=20)
    name = models.CharField(_("name"), max_length=60)
    made_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    made_at = models.DateTimeField(default=now)
    ends_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)
    used_at = models.DateTimeField(null=True, blank=True)
    used_by = models.ForeignKey(
        User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )

    def __str__(self) -> str:
        return f"{self.name} as {self.role}"

    @property
    def state(self) -> str:
        """What has become of it: "open", "used", "revoked" or "over"."""
        return _state_of(self)


class WayBack(models.Model):
    """A way to a new password for one person, once, and who made it. The token is not kept."""

    public_id = models.UUIDField(default=new_id, unique=True, editable=False)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="ways_back")
    made_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    made_at = models.DateTimeField(default=now)
    ends_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)
    used_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"for {self.user}"

    @property
    def state(self) -> str:
        """As an invitation's."""
        return _state_of(self)


def _state_of(one: Invitation | WayBack) -> str:
    if one.used_at:
        return "used"
    if one.revoked_at:
        return "revoked"
    return "open" if one.ends_at > now() else "over"


class PhoneCode(models.Model):
    """A code that was sent to a number. Without a digest nothing was sent, and nothing fits."""

    public_id = models.UUIDField(default=new_id, unique=True, editable=False)
    phone = models.CharField(max_length=20)
    digest = models.CharField(max_length=64, blank=True)
    ends_at = models.DateTimeField(db_index=True)
    tries = models.PositiveSmallIntegerField(default=0)
    used_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"until {self.ends_at}"


class Allowance(models.Model):
    """One of the places that somebody has for doing something; `key` hides who and what."""

    key = models.CharField(max_length=64, primary_key=True)
    ends_at = models.DateTimeField(db_index=True, help_text="From then on it is free again.")

    def __str__(self) -> str:
        return f"taken until {self.ends_at}"


class Device(models.Model):
    """Where somebody is signed in: one session, and when it was last seen, to some minutes."""

    public_id = models.UUIDField(default=new_id, unique=True, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="devices")
    session_key = models.CharField(max_length=40, unique=True)
    agent = models.CharField(max_length=300, blank=True)
    signed_in_at = models.DateTimeField(default=now)
    seen_at = models.DateTimeField(default=now)

    def __str__(self) -> str:
        return self.agent


class ApiToken(models.Model):
    """A key for another program, which does some of what its owner may do. Kept as a digest."""

    public_id = models.UUIDField(default=new_id, unique=True, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="api_tokens")
    name = models.CharField(_("name"), max_length=60)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    ending = models.CharField(max_length=8, help_text="Its last characters, to tell it by.")
    scopes = models.JSONField(default=list)
    made_at = models.DateTimeField(default=now)
    ends_at = models.DateTimeField(null=True, blank=True)
    used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return self.name


class Passkey(models.Model):
    """A key pair whose secret half a phone or computer keeps behind a finger, a face or a code.

    It opens one host name only: `rp_id`, as WebAuthn calls it. `key` is what WebAuthn calls
    attested credential data: maker, id and public key.
    """

    public_id = models.UUIDField(default=new_id, unique=True, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="passkeys")
    name = models.CharField(_("name"), max_length=60)
    rp_id = models.CharField(max_length=253)
    credential_id = models.CharField(max_length=1400, unique=True, help_text="As base64url.")
    key = models.BinaryField(max_length=4096)
    sign_count = models.PositiveBigIntegerField(
        default=0, help_text="How often it signed; stays 0 where its keeper does not count."
    )
    made_at = models.DateTimeField(default=now)
    used_at = models.DateTimeField(null=True, blank=True)
    copied_at = models.DateTimeField(
        null=True, blank=True, help_text="Its count went back; from then on it opens nothing."
    )

    def __str__(self) -> str:
        return self.name


class PasskeyChallenge(models.Model):
    """What a passkey is asked to sign, once, by one browser; without a user, to sign in."""

    challenge = models.CharField(max_length=64, unique=True, help_text="As base64url.")
    browser = models.CharField(max_length=64)
    user = models.ForeignKey(User, on_delete=models.CASCADE, null=True, related_name="+")
    ends_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return f"until {self.ends_at}"

    @classmethod
    def forget_old(cls) -> None:
        """Here, because it is the one use of passkeys in processes that read no keys."""
        cls.objects.filter(ends_at__lt=now()).delete()


class AccessChange(models.Model):
    """Somebody may do something else than before, which every process looks up within a second.

    Kept for a minute. By number, not by key: it outlives the person.
    """

    user_pk = models.BigIntegerField()
    at = models.DateTimeField(default=now, db_index=True)

    def __str__(self) -> str:
        return f"{self.user_pk} at {self.at}"
