"""A way back in for who has forgotten the password: a link that an operator makes, for one person.

It is good once and for a day, and can be revoked. Like an invitation's, its token is made of its id
with the instance's secret: it can be shown again, while who reads the database cannot use it. Who
made it stays written down: whoever makes one could use it.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from core.accounts import devices, limits
from core.accounts.access import AnyUser, has_role
from core.accounts.models import Role, User, WayBack
from core.clock import now
from core.errors import InvalidInput, NotFound
from streams.access import require_operator

GOOD_FOR = timedelta(hours=24)
MADE = "ways back made by"
MOST_MADE = 20
FAILED = "ways back that failed from address"
MOST_FAILED = 20


class WayBackVoid(NotFound):
    """Used, revoked, over or never made: whoever tries is told the same."""

    code = "way_back_void"


def make(actor: AnyUser, user: User) -> WayBack:
    """The one way back that this person has now; those before open nothing any more.

    Raises `NotAllowed` or `SignInRequired`, `TooMany`, and `InvalidInput` for who has left and for
    who runs the site: that is done on its machine.
    """
    operator = require_operator(actor)
    if not user.is_active:
        raise InvalidInput(_("There is nobody of this name or number."), field="person")
    if _runs_the_site(user):
        problem = _(
            "%(name)s runs this site. A new password is set on its machine, with: "
            "livecommerce operator %(login)s"
        )
        shown = {"name": user.shown_name, "login": user.username}
        raise InvalidInput(problem % shown, field="person")
    limits.take(MADE, str(operator.pk), most=MOST_MADE, per_s=limits.HOUR_S)
    with transaction.atomic():
        User.objects.select_for_update().get(pk=user.pk)  # of two operators the later one's holds
        _open_ones(user).update(revoked_at=now())
        made = WayBack(user=user, made_by=operator, ends_at=now() + GOOD_FOR)
        made.digest = _digest(token_of(made))
        made.save()
    return made


def revoke(way_id: UUID) -> bool:
    """Whether there was one to revoke that nobody has used."""
    open_ = WayBack.objects.filter(public_id=way_id, used_at=None, revoked_at=None)
    return bool(open_.update(revoked_at=now()))


def token_of(way: WayBack) -> str:
    """What stands in its address: 144 bits."""
    made = hmac.digest(settings.SECRET_KEY.encode(), f"way back {way.public_id}".encode(), "sha256")
    return base64.urlsafe_b64encode(made[:18]).decode()


def open_way(token: str, *, address: str) -> WayBack:
    """The one that this token opens; raises `WayBackVoid`, and `TooMany` for who tries many."""
    limits.look(FAILED, address, most=MOST_FAILED, per_s=limits.MINUTE_S)
    found = WayBack.objects.filter(digest=_digest(token)).select_related("user").first()
    if found is None or not _opens(found):
        limits.take(FAILED, address, most=MOST_FAILED, per_s=limits.MINUTE_S)
        raise _void()
    return found


def use(way: WayBack, password: str) -> User:
    """Set the new password and end every session of the person.

    Raises `InvalidInput` for a password that cannot be used, which leaves the way open, and
    `WayBackVoid`.
    """
    user = way.user
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise InvalidInput(" ".join(error.messages), field="password") from error
    user.set_password(password)  # outside of the transaction: it takes its time on purpose
    with transaction.atomic():
        free = WayBack.objects.filter(pk=way.pk, used_at=None, revoked_at=None)
        # Who has come to run the site meanwhile is not let in by a sheet of paper.
        if _runs_the_site(user) or not free.filter(ends_at__gt=now()).update(used_at=now()):
            raise _void()
        user.save(update_fields=["password"])
        devices.sign_out_everywhere(user)
    return user


def _opens(way: WayBack) -> bool:
    return way.state == "open" and way.user.is_active and not _runs_the_site(way.user)


def _runs_the_site(user: User) -> bool:
    return user.is_superuser or user.is_staff or has_role(user, Role.OPERATOR)


def _open_ones(user: User) -> QuerySet[WayBack]:
    return WayBack.objects.filter(user=user, used_at=None, revoked_at=None)


def _void() -> WayBackVoid:
    return WayBackVoid(_("This way back in cannot be used."))


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode(errors="surrogatepass")).hexdigest()
