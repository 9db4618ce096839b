"""The public list of badges that hold no more: which ones, and nothing of whom."""

from __future__ import annotations

from datetime import timedelta

from django.db.models import Q
from django.utils.translation import gettext as _

from core.clock import now
from core.errors import NotFound
from courses.badges import credential
from courses.badges.models import Badge

# For so long somebody may keep a copy: what was revoked since then may still be believed there.
FRESH_FOR = timedelta(hours=1)


def status_list(site: str, number: int) -> str:
    """The signed list of that number; `NotFound` where no badge is in it, `KeyMissing`."""
    first = number * credential.LIST_SIZE
    badges = Badge.objects.filter(pk__gte=first, pk__lt=first + credential.LIST_SIZE)
    if not badges.exists():
        raise NotFound(_("There is no such list."))
    # Nobody looks up what expired by itself; what its course's end is cannot change any more.
    gone = badges.filter(
        Q(replaced_at__isnull=False)
        | Q(key__withdrawn_at__isnull=False)
        | Q(certificate__revocations__isnull=False, certificate__revocations__undone_at=None)
    )
    places = sorted({pk - first for pk in gone.values_list("pk", flat=True)})
    at = now().replace(microsecond=0)
    return credential.status_list(site, number, places, at, at + FRESH_FOR)
