"""Files that belong to nothing: left where a process died between a row and its files.

Every folder of an object is named by the object's id, so who has no row has no right to files.
What is young is left alone: files may be there a moment before the rows that name them.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable
from datetime import datetime, timedelta

from django.db.models import Model, QuerySet

from core.clock import now
from media_pipeline.long_films import forget_stale
from media_pipeline.models import Asset, AssetKind, LongFilm, Recording, Take, Upload
from media_pipeline.storage import folder_of, storage

OLD = timedelta(days=1)
AT_ONCE = 500
# Of other kinds of folders somebody else knows what they are.
OWNERS: dict[str, Callable[[], QuerySet[Model]]] = {
    "recordings": lambda: Recording.objects.all(),
    "downloads": lambda: Recording.objects.all(),
    "clips": lambda: Asset.objects.filter(kind=AssetKind.CLIP),
    "takes": lambda: Take.objects.all(),
    "uploads": lambda: Upload.objects.all(),
    "chunks": lambda: LongFilm.objects.all(),
}


def sweep() -> int:
    """Delete the folders of what is not there any more; how many."""
    forget_stale(now() - OLD)
    found = orphans(now() - OLD)
    for folder in found:
        storage().delete_folder(folder)
    return len(found)


def orphans(border: datetime) -> list[str]:
    """Folders without an owner in which nothing is younger than `border`."""
    found: list[str] = []
    for visibility in ("public", "private"):
        for kind, owners in OWNERS.items():
            newest = _newest(f"{visibility}/{kind}")
            old = [folder for folder, moment in newest.items() if moment < border]
            found += _ownerless(old, owners())
    return sorted(found)


def _newest(place: str) -> dict[str, datetime]:
    """Of each object's folder, when its youngest file came."""
    newest: dict[str, datetime] = defaultdict(lambda: datetime.min.replace(tzinfo=now().tzinfo))
    for one in storage().stored(place):
        folder = folder_of(one.key)
        newest[folder] = max(newest[folder], one.modified)
    return newest


def _ownerless(folders: Collection[str], owners: QuerySet[Model]) -> Iterable[str]:
    ids = {folder: _id(folder.rpartition("/")[2]) for folder in folders}
    wanted = [one for one in ids.values() if one]
    known = set[uuid.UUID]()
    for first in range(0, len(wanted), AT_ONCE):
        rows = owners.filter(public_id__in=wanted[first : first + AT_ONCE])
        known |= set(rows.values_list("public_id", flat=True))
    return [folder for folder, one in ids.items() if one and one not in known]


def _id(name: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(name)
    except ValueError:
        return None
