"""Whether the host of a practice is heard, second by second, as their own page measures it."""

from __future__ import annotations

from django.utils.translation import gettext as _

from core.accounts.models import User
from core.clock import now
from core.errors import NotAllowed
from streams import access
from streams.models import HostVoice, Show, ShowState


def hear(*, show: Show, actor: User, is_heard: bool) -> None:
    """Note it for this second; of two that say so, who heard something is believed.

    Before and after the show nothing is kept. Raises `NotAllowed` for who does not host it, and
    for shows that are no practice: nobody else's voice is anybody's business.
    """
    access.require_host(actor, show)
    if not show.is_practice:
        raise NotAllowed(_("Only a practice listens to how much its host speaks."))
    if show.state != ShowState.LIVE:
        return
    second = now().replace(microsecond=0)
    row, made = HostVoice.objects.get_or_create(
        show=show, second=second, defaults={"is_heard": is_heard}
    )
    if not made and is_heard and not row.is_heard:
        HostVoice.objects.filter(pk=row.pk).update(is_heard=True)
