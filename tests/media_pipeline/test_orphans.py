"""Files that no row names any more are found on the disk and in the bucket, and go."""

from __future__ import annotations

import uuid
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from core.clock import now
from media_pipeline.models import Recording, RecordingState
from media_pipeline.services import orphans
from media_pipeline.storage import storage
from tests.media_pipeline.stores import new_bucket
from tests.world import World


@pytest.fixture(params=["disk", "bucket"], autouse=True)
def place(request: pytest.FixtureRequest, settings: Any, tmp_path: Path) -> None:
    settings.DATA_ROOT = tmp_path
    if request.param == "bucket":
        found = new_bucket(request.getfixturevalue("s3"))
        settings.S3_BUCKET, settings.S3_ENDPOINT_URL = found.name, found.endpoint_url
        settings.S3_REGION, settings.S3_PUBLIC_URL = found.region, ""
        settings.S3_ACCESS_KEY_ID, settings.S3_SECRET_ACCESS_KEY = found.key_id, found.secret


def test_what_belongs_to_nothing_goes_and_the_rest_stays(world: World) -> None:
    owned = Recording.objects.create(
        show_id=world.show.public_id, is_public=True, state=RecordingState.READY
    )
    kept = [
        f"public/recordings/{owned.public_id}/master.m3u8",
        f"private/downloads/{owned.public_id}/1/recording.mp4",
        "private/claims/somebody-else-knows/photo.jpg",
        "public/products/apples/picture.jpg",
    ]
    gone = [
        f"{visibility}/{kind}/{uuid.uuid4()}/{name}"
        for visibility, kind, name in (
            ("public", "recordings", "r/1/master.m3u8"),
            ("private", "recordings", "replay.m3u8"),
            ("public", "clips", "1/clip.mp4"),
            ("private", "takes", "chunks.bin"),
            ("private", "uploads", "source.mp4"),
            ("private", "downloads", "1/recording.mp4"),
        )
    ]
    for key in (*kept, *gone):
        storage().write(key, b"film")
    assert orphans.sweep() == 0, "files may be there a moment before their rows"
    assert len(orphans.orphans(now() + timedelta(seconds=5))) == len(gone)
    tomorrow = now() + timedelta(days=1, seconds=5)
    found = orphans.orphans(tomorrow)
    assert found == sorted(key.rsplit("/", key.count("/") - 2)[0] for key in gone)
    for folder in found:
        storage().delete_folder(folder)
    assert [storage().size(key) for key in kept] == [4] * len(kept)
    assert [storage().size(key) for key in gone] == [None] * len(gone)
