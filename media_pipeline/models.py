"""What was filmed: takes, recordings, assets and renditions; and the jobs that make them."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from core.accounts.models import User
from core.ids import new_id
from sellers.models import Seller


class RecordingState(models.TextChoices):
    LIVE = "live", _("live")
    READY = "ready", _("ready to watch")
    EMPTY = "empty", _("nothing was recorded")


class Recording(models.Model):
    """All takes of one show on one timeline. `show_id` is opaque here."""

    public_id = models.UUIDField(default=new_id, unique=True, editable=False)
    show_id = models.UUIDField(unique=True)
    is_public = models.BooleanField(help_text="Whether its files are served without a signature.")
    state = models.CharField(
        max_length=20, choices=RecordingState.choices, default=RecordingState.LIVE
    )
    duration_s = models.FloatField(default=0)
    edition = models.PositiveIntegerField(
        default=0,
        help_text="Rises when a passage is taken out, and again when its files are gone.",
    )
    created_at = models.DateTimeField(auto_now_add=True)
    sealed_at = models.DateTimeField(null=True)
    end_asked_at = models.DateTimeField(
        null=True, help_text="The process that receives its camera should let it go and seal it."
    )

    def __str__(self) -> str:
        return f"recording of {self.show_id}"


class TakeState(models.TextChoices):
    OPEN = "open", _("recording")
    SEALED = "sealed", _("complete")
    FAILED = "failed", _("failed")


class Take(models.Model):
    """One recorder run on the host's device, with an id made there."""

    public_id = models.UUIDField(unique=True, editable=False)
    recording = models.ForeignKey(Recording, on_delete=models.CASCADE, related_name="takes")
    position = models.PositiveIntegerField(help_text="Order on the recording's timeline.")
    mime = models.CharField(max_length=100)
    state = models.CharField(max_length=20, choices=TakeState.choices, default=TakeState.OPEN)
    started_at = models.DateTimeField(
        null=True, help_text="Wall time, by the server's clock, of the take's media time zero."
    )
    drift = models.JSONField(
        default=list,
        help_text="How its camera's clock runs: [ms of the take, ms that it was late here], ...",
    )
    duration_s = models.FloatField(default=0, help_text="What its segments add up to.")
    bytes_received = models.PositiveBigIntegerField(default=0)
    next_chunk = models.PositiveIntegerField(default=0)
    error = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    sealed_at = models.DateTimeField(null=True)
    kept_until = models.DateTimeField(
        null=True, help_text="Renewed by the process that receives it; later anybody may seal it."
    )
    leave_asked_at = models.DateTimeField(
        null=True, help_text="Another camera waits to go on with the show in its place."
    )
    late_since = models.DateTimeField(
        null=True,
        help_text="Viewers see something newer; its phone sends what it kept, for the recording.",
    )

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(fields=["recording", "position"], name="one_take_per_position")
        ]

    def __str__(self) -> str:
        return f"take {self.position} of {self.recording}"


class Passage(models.Model):
    """A part of a recording that was taken out of the storage for good, and by whom."""

    public_id = models.UUIDField(default=new_id, unique=True, editable=False)
    recording = models.ForeignKey(Recording, on_delete=models.CASCADE, related_name="passages")
    start_s = models.FloatField(help_text="As asked, in the recording as it was then.")
    end_s = models.FloatField()
    removed_s = models.FloatField(help_text="What went, rounded outwards to whole segments.")
    cuts = models.JSONField(help_text="Which segments of which takes.")
    removed_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    done_at = models.DateTimeField(null=True, help_text="When no file held it any more.")

    def __str__(self) -> str:
        return f"{self.start_s:.1f}-{self.end_s:.1f} s of {self.recording}"


class AssetKind(models.TextChoices):
    RECORDING = "recording", _("recording")
    CLIP = "clip", _("clip")


class AssetState(models.TextChoices):
    WAITING = "waiting", _("waiting")
    READY = "ready", _("ready")
    FAILED = "failed", _("failed")
    WITHDRAWN = "withdrawn", _("taken back")


class Asset(models.Model):
    """A piece of media that we keep: a whole recording, or a clip cut from one."""

    public_id = models.UUIDField(default=new_id, unique=True, editable=False)
    kind = models.CharField(max_length=20, choices=AssetKind.choices)
    recording = models.ForeignKey(Recording, on_delete=models.CASCADE, related_name="assets")
    is_public = models.BooleanField()
    title = models.CharField(max_length=120, blank=True)
    start_s = models.FloatField(default=0, help_text="Where a clip starts in its recording.")
    end_s = models.FloatField(default=0)
    wish = models.JSONField(
        default=dict, blank=True, help_text="Of a clip: its parts, frame and blurs (clip_wishes)."
    )
    consented_at = models.DateTimeField(
        null=True, blank=True, help_text="Since when its seller agrees to its being a lesson."
    )
    state = models.CharField(max_length=20, choices=AssetState.choices, default=AssetState.WAITING)
    duration_s = models.FloatField(default=0)
    width = models.PositiveIntegerField(default=0)
    height = models.PositiveIntegerField(default=0)
    master_key = models.CharField(max_length=200, blank=True, help_text="Master playlist, if any.")
    download_key = models.CharField(max_length=200, blank=True, help_text="The whole as one MP4.")
    poster_key = models.CharField(max_length=200, blank=True)
    storyboard_key = models.CharField(
        max_length=200, blank=True, help_text="Small pictures to seek by, as WebVTT."
    )
    waveform_key = models.CharField(max_length=200, blank=True, help_text="JSON, if it has sound.")
    error = models.CharField(max_length=300, blank=True)
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"{self.kind} {self.public_id}"


class Consent(models.Model):
    """A seller's word that a clip may be a lesson, as it was given; it outlives the clip."""

    public_id = models.UUIDField(default=new_id, unique=True, editable=False)
    clip = models.ForeignKey(Asset, on_delete=models.SET_NULL, null=True, related_name="consents")
    clip_id_then = models.UUIDField(help_text="The clip's public id, also when it is gone.")
    clip_title = models.CharField(max_length=120)
    show_id = models.UUIDField()
    wording = models.TextField(help_text="What was agreed to, word for word.")
    version = models.CharField(max_length=20)
    language = models.CharField(max_length=20)
    given_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    given_at = models.DateTimeField()
    withdrawn_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    withdrawn_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-given_at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["clip"],
                condition=models.Q(withdrawn_at=None),
                name="one_consent_in_force_per_clip",
            )
        ]

    def __str__(self) -> str:
        return f"consent to {self.clip_title}, {self.given_at:%Y-%m-%d}"


class ClipCopy(models.Model):
    """A clip as a file to take away, with its title and product cards in the picture."""

    public_id = models.UUIDField(default=new_id, unique=True, editable=False)
    clip = models.OneToOneField(Asset, on_delete=models.CASCADE, related_name="copy")
    cards = models.JSONField(help_text="What is written over the picture, and when.")
    state = models.CharField(max_length=20, choices=AssetState.choices, default=AssetState.WAITING)
    key = models.CharField(max_length=200, blank=True)
    error = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"copy of {self.clip}"


class Rendition(models.Model):
    """One encoded form of an asset, as ffprobe found it."""

    asset = models.ForeignKey(Asset, on_delete=models.CASCADE, related_name="renditions")
    name = models.CharField(max_length=40)
    key = models.CharField(max_length=200)
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    video_codec = models.CharField(max_length=20)
    audio_codec = models.CharField(max_length=20, blank=True)
    bits_per_second = models.PositiveIntegerField()
    duration_s = models.FloatField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["asset", "name"], name="one_rendition_per_name")
        ]

    def __str__(self) -> str:
        return f"{self.name} of {self.asset}"


class UploadState(models.TextChoices):
    OPEN = "open", _("uploading")
    ARRIVED = "arrived", _("being looked at")
    READY = "ready", _("ready to watch")
    FAILED = "failed", _("failed")
    CANCELLED = "cancelled", _("cancelled")


class Upload(models.Model):
    """A film that somebody brings from their gallery, part by part; it becomes a recording."""

    public_id = models.UUIDField(default=new_id, unique=True, editable=False)
    seller = models.ForeignKey(Seller, on_delete=models.CASCADE, related_name="uploads")
    owner = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    show_id = models.UUIDField(default=new_id, unique=True, help_text="Of what it becomes.")
    title = models.CharField(max_length=120)
    file_name = models.CharField(max_length=200)
    size = models.PositiveBigIntegerField()
    modified_ms = models.BigIntegerField(help_text="By which the same file is known again.")
    part_size = models.PositiveIntegerField()
    key = models.CharField(max_length=200)
    storage_id = models.CharField(
        max_length=300, blank=True, help_text="The storage's id of the upload."
    )
    state = models.CharField(max_length=20, choices=UploadState.choices, default=UploadState.OPEN)
    error = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    asked_at = models.DateTimeField(help_text="When its browser last asked where to put parts.")

    class Meta:
        ordering = ["-created_at"]
        indexes = [models.Index(fields=["seller", "state"], name="uploads_of_seller")]

    def __str__(self) -> str:
        return f"{self.file_name} of {self.seller}"


class JobState(models.TextChoices):
    QUEUED = "queued", _("waiting")
    RUNNING = "running", _("running")
    DONE = "done", _("done")
    FAILED = "failed", _("failed")
    CANCELLED = "cancelled", _("cancelled")


class JobFault(models.TextChoices):
    """Whose fault it was that an attempt failed, by which people know what to do about it."""

    NONE = "", ""
    SOURCE = "source", "the film itself"
    MISSING = "missing", "files that are gone"
    TROUBLE = "trouble", "the media program"
    STORAGE = "storage", "the storage for films"
    DATABASE = "database", "the database"
    CRASH = "crash", "it took its worker down"
    OURS = "ours", "our own mistake"


class Job(models.Model):
    """A piece of background work. The row is the truth and, on one machine, the queue."""

    public_id = models.UUIDField(default=new_id, unique=True, editable=False)
    kind = models.CharField(max_length=40)
    subject_id = models.UUIDField(help_text="The public id of what the job works on.")
    owner = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="jobs")
    state = models.CharField(max_length=20, choices=JobState.choices, default=JobState.QUEUED)
    priority = models.SmallIntegerField(default=100, help_text="Lower runs first.")
    progress = models.FloatField(default=0, help_text="0 to 1.")
    attempts = models.PositiveSmallIntegerField(default=0)
    lease_epoch = models.PositiveIntegerField(default=0, help_text="Rises with every claim.")
    leased_until = models.DateTimeField(null=True)
    worker = models.CharField(
        max_length=80, blank=True, default="", db_default="", help_text="Who claimed it last."
    )
    run_after = models.DateTimeField(null=True)
    error = models.CharField(max_length=500, blank=True)
    fault = models.CharField(max_length=20, blank=True, choices=JobFault.choices)
    show_id = models.UUIDField(null=True, help_text="The show that it is for; opaque here.")
    parent = models.ForeignKey(
        "self",
        on_delete=models.CASCADE,
        null=True,
        related_name="parts",
        help_text="The job of which this is a part: it waits for it, and they end together.",
    )
    cancelled_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    changed_at = models.DateTimeField(auto_now=True, help_text="Whatever of it changed last.")
    sent_at = models.DateTimeField(null=True, help_text="When a carrier was last given it.")
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["kind", "subject_id"], name="one_job_per_subject")
        ]
        indexes = [
            models.Index(fields=["state", "priority", "id"], name="job_queue"),
            models.Index(fields=["show_id", "id"], name="jobs_of_show"),
            models.Index(fields=["changed_at"], name="jobs_changed"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.subject_id} {self.state}"


class LongFilm(models.Model):
    """A film that is encoded in chunks, by as many workers as have time; gone when it is made."""

    public_id = models.UUIDField(default=new_id, unique=True, editable=False)
    job = models.OneToOneField(Job, on_delete=models.CASCADE, related_name="long_film")
    source_id = models.CharField(max_length=64, help_text="What it is made of, as its job says.")
    recipe_id = models.CharField(max_length=64, help_text="A hash of what is made and how.")
    source_key = models.CharField(max_length=200, help_text="Where every worker finds the film.")
    sound_key = models.CharField(max_length=200, blank=True, help_text="Its sound, once made.")
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"long film of {self.job}"


class Chunk(models.Model):
    """A part of a long film, encoded by a job of its own."""

    public_id = models.UUIDField(default=new_id, unique=True, editable=False)
    film = models.ForeignKey(LongFilm, on_delete=models.CASCADE, related_name="chunks")
    number = models.PositiveIntegerField()
    order = models.JSONField(help_text="What is to be encoded and how.")
    key = models.CharField(max_length=200, blank=True, help_text="What was made of it, once it is.")
    frames = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(fields=["film", "number"], name="one_chunk_per_number")
        ]

    def __str__(self) -> str:
        return f"chunk {self.number} of {self.film}"
