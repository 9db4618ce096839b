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
    INVITED = "invited", _("only the seller's team")


class Show(models.Model):
    """One broadcast: `scheduled → live → ended`; `interrupted_at` says that the camera is away."""

    public_id = models.UUIDField(default=new_id, unique=True, editable=False)
    seller = models.ForeignKey(Seller, on_delete=models.CASCADE, related_name="shows")
    host = models.ForeignKey(User, on_delete=models.PROTECT, related_name="hosted_shows")
    title = models.CharField(_("title"), max_length=120)
    audience = models.CharField(max_length=20, choices=Audience.choices, default=Audience.PUBLIC)
    is_rehearsal = models.BooleanField(
        default=False,
        db_default=False,
        help_text="Its host alone can see that it is there; nothing is sold in it.",
    )
    is_practice = models.BooleanField(
        default=False,
        db_default=False,
        help_text="Of a sandbox seller, for its host, their guests and mentors; nothing is real.",
    )
    state = models.CharField(max_length=20, choices=ShowState.choices, default=ShowState.SCHEDULED)
    scheduled_at = models.DateTimeField(_("starts at"))
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    interrupted_at = models.DateTimeField(null=True)
    pinned_offer = models.ForeignKey(Offer, on_delete=models.SET_NULL, null=True, related_name="+")
    poster_key = models.CharField(max_length=200, blank=True)
    likes = models.PositiveIntegerField(default=0, help_text="Written every few seconds.")
    slow_mode_s = models.PositiveSmallIntegerField(
        default=0, help_text="Seconds between two messages of one viewer; 0 is off."
    )
    pinned_message = models.JSONField(
        null=True, help_text="The chat message on top: id, seq, text, name and role."
    )
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


class Guest(models.Model):
    """Somebody who may watch one show by invitation, as a viewer."""

    show = models.ForeignKey(Show, on_delete=models.CASCADE, related_name="guests")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    is_simulated = models.BooleanField(
        default=False, help_text="No person: the one kind of guest who buys in a practice."
    )
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["show", "user"], name="each_guest_once")]

    def __str__(self) -> str:
        return f"{self.user} in {self.show}"


class HostVoice(models.Model):
    """Whether the host of a practice was heard in one second, as their own page measures it."""

    show = models.ForeignKey(Show, on_delete=models.CASCADE, related_name="voices")
    second = models.DateTimeField(help_text="Its begin.")
    is_heard = models.BooleanField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["show", "second"], name="one_voice_per_second")
        ]

    def __str__(self) -> str:
        return f"{self.show} {self.second:%H:%M:%S}: {self.is_heard}"


class Mute(models.Model):
    """A viewer who may not chat in one show; `until` nothing is until somebody takes it back."""

    show = models.ForeignKey(Show, on_delete=models.CASCADE, related_name="mutes")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    muted_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    reason = models.CharField(max_length=200, blank=True)
    at = models.DateTimeField(auto_now_add=True)
    until = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["show", "user"], name="one_mute_per_viewer")]

    def __str__(self) -> str:
        return f"{self.user} in {self.show}"


class Ban(models.Model):
    """A viewer who may not be in one show's room, nor order through it."""

    show = models.ForeignKey(Show, on_delete=models.CASCADE, related_name="bans")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    banned_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    reason = models.CharField(max_length=200, blank=True)
    at = models.DateTimeField(auto_now_add=True)
    until = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["show", "user"], name="one_ban_per_viewer")]

    def __str__(self) -> str:
        return f"{self.user} in {self.show}"


class BlockedWord(models.Model):
    """A word that viewers may not say in the shows of one seller; `folded` is what is compared."""

    seller = models.ForeignKey(Seller, on_delete=models.CASCADE, related_name="blocked_words")
    word = models.CharField(max_length=40)
    folded = models.CharField(max_length=80)
    added_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["word"]
        constraints = [
            models.UniqueConstraint(fields=["seller", "folded"], name="each_word_blocked_once")
        ]

    def __str__(self) -> str:
        return self.word


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


class StreamKey(models.Model):
    """What an encoder (OBS, a camera's box) is set up with, once, for every show to come.

    It belongs to one host of one seller: a person types it into a program and goes on using it,
    as they know it from other platforms. `streams.services.encoders.show_for` says which of their
    shows it films. Kept as a digest: the key itself is shown when it is made, and never again.
    """

    public_id = models.UUIDField(default=new_id, unique=True, editable=False)
    seller = models.ForeignKey(Seller, on_delete=models.CASCADE, related_name="stream_keys")
    host = models.ForeignKey(User, on_delete=models.CASCADE, related_name="stream_keys")
    label = models.CharField(_("name"), max_length=60)
    digest = models.CharField(max_length=64, unique=True, help_text="SHA-256 of the key, in hex.")
    hint = models.CharField(max_length=4, help_text="The key's last letters, to tell it by.")
    created_at = models.DateTimeField(auto_now_add=True)
    last_used_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)
    refused_at = models.DateTimeField(null=True)
    refusal = models.CharField(
        max_length=30, blank=True, help_text="Why it was refused then; encoders tell nobody."
    )

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return f"{self.label} (…{self.hint})"


class EncoderStream(models.Model):
    """One connection of an encoder to the media server, from its permission to its end.

    Whoever ends it writes `ended_at`; the process that takes the stream in (`held_by`, until
    `held_until` unless it says so again) looks there, and the media server asks.
    """

    name = models.CharField(
        max_length=64, unique=True, help_text="What the media server calls it; never the key."
    )
    key = models.ForeignKey(StreamKey, on_delete=models.CASCADE, related_name="streams")
    show = models.ForeignKey(Show, on_delete=models.CASCADE, related_name="encoder_streams")
    protocol = models.CharField(max_length=10)
    address = models.CharField(max_length=64, blank=True)
    started_at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True)
    reason = models.CharField(max_length=30, blank=True)
    held_by = models.UUIDField(null=True)
    held_until = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["key"],
                condition=models.Q(ended_at=None),
                name="one_open_stream_per_key",
            )
        ]

    def __str__(self) -> str:
        return f"{self.protocol} into {self.show}"


class StopReason(models.TextChoices):
    """Why an operator ended a show, as the seller is told."""

    GOODS = "goods", _("It shows or sells what may not be sold here.")
    UNTRUE = "untrue", _("What is said about the goods is not true.")
    HARM = "harm", _("People are insulted, endangered or shown against their will.")
    RIGHTS = "rights", _("It shows a film, music or a brand that belongs to somebody else.")
    TECHNICAL = "technical", _("It was stopped for a technical reason.")
    OTHER = "other", _("Another reason.")


class Stop(models.Model):
    """An operator ended a show: who, when and why. While `is_withheld` its replay is hidden."""

    show = models.OneToOneField(Show, on_delete=models.CASCADE, related_name="stop")
    stopped_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    at = models.DateTimeField()
    kind = models.CharField(max_length=20, choices=StopReason.choices)
    words = models.CharField(max_length=300, blank=True, help_text="To the seller, not to viewers.")
    was_on_air = models.BooleanField(help_text="Otherwise it had ended, and was only hidden.")
    is_withheld = models.BooleanField(default=False)
    released_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    released_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-at"]

    def __str__(self) -> str:
        return f"{self.show}: {self.kind}"

    @property
    def reason(self) -> str:
        """Why, in words for the seller."""
        if self.kind == StopReason.OTHER:
            return self.words
        return f"{StopReason(self.kind).label} {self.words}".strip()


class Approval(models.Model):
    """What an operator said to a seller's first show; one yes is for all of the seller's shows.

    A yes without a show is for a seller who needs to show nothing any more.
    """

    seller = models.ForeignKey(Seller, on_delete=models.CASCADE, related_name="approvals")
    show = models.OneToOneField(Show, on_delete=models.CASCADE, null=True, related_name="approval")
    is_yes = models.BooleanField()
    reason = models.CharField(max_length=300, blank=True, help_text="Of a no, to the seller.")
    decided_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    at = models.DateTimeField()

    class Meta:
        ordering = ["-at"]

    def __str__(self) -> str:
        return f"{self.seller}: {'yes' if self.is_yes else 'no'}"


class Readiness(models.Model):
    """What a host tried out before the first show of a seller, and whether they want the list."""

    seller = models.ForeignKey(Seller, on_delete=models.CASCADE, related_name="+")
    host = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    camera_at = models.DateTimeField(null=True, help_text="When a camera last gave a picture.")
    uplink_at = models.DateTimeField(null=True, help_text="When the network last carried one.")
    rehearsed_at = models.DateTimeField(null=True)
    shows_list = models.BooleanField(
        null=True, help_text="What the host said; nothing: until the first show was held."
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["seller", "host"], name="one_readiness_per_host")
        ]

    def __str__(self) -> str:
        return f"{self.host} for {self.seller}"
