"""What can go wrong in a room."""

from __future__ import annotations

from django.utils.translation import gettext as _

from core.errors import Conflict, NotAllowed


class ShowNotLive(Conflict):
    """The show is over, so this cannot be done in it any more."""

    code = "show_not_live"

    def __init__(self) -> None:
        super().__init__(_("This show is over."))


class Muted(NotAllowed):
    """The viewer may watch and buy, but not chat."""

    code = "muted"

    def __init__(self) -> None:
        super().__init__(_("The host has muted you in this show."))
