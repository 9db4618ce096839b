"""The people of the demo. Nobody of them has a password: they exist in the demo alone."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _
from django_stubs_ext import StrOrPromise

from core.accounts.models import Role, RoleGrant, User


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody whom a visitor of the demo can be with one click."""

    username: str
    name: str
    does: StrOrPromise
    start: str
    role: Role | None = None


PEOPLE = (
    Person("zhang", "Zhang Guilan 张桂兰", _("grows apples and hosts"), "/studio/"),
    Person("li", "Li Na 李娜", _("watches and buys"), "/"),
    Person("wang", "Wang Jun 王军", _("learns to sell"), "/learn/", Role.TRAINEE),
    Person("chen", "Chen Min 陈敏", _("mentors trainees"), "/learn/", Role.MENTOR),
    Person("zhao", "Zhao Qiang 赵强", _("runs the county centre"), "/admin/", Role.OPERATOR),
)

VIEWERS = (
    ("demo-sun", "Sun 孙悦"),
    ("demo-ma", "Ma 马超"),
    ("demo-liu", "Liu 刘洋"),
    ("demo-he", "He 何静"),
    ("demo-xu", "Xu 徐丽"),
    ("demo-tan", "Tan 谭明"),
)

# They learn beside Wang; nobody looks at the demo as one of them.
TRAINEES = (
    ("trainee-fang", "Fang Hui 方慧"),
    ("trainee-lin", "Lin Tao 林涛"),
    ("trainee-hu", "Hu Yan 胡燕"),
)


def person(username: str) -> Person | None:
    return next((one for one in PEOPLE if one.username == username), None)


def ensure_people() -> dict[str, User]:
    """All people, scripted viewers and trainees of the demo, made where they are missing."""
    users = {one.username: _user(one.username, one.name) for one in PEOPLE}
    users |= {username: _user(username, name) for username, name in (*VIEWERS, *TRAINEES)}
    for one in PEOPLE:
        if one.role:
            RoleGrant.objects.get_or_create(user=users[one.username], role=one.role)
    # The operator of the demo may look at everything in the admin pages.
    User.objects.filter(username="zhao").update(is_staff=True, is_superuser=True)
    return users


def _user(username: str, name: str) -> User:
    user, made = User.objects.get_or_create(username=username, defaults={"display_name": name})
    if made:
        user.set_unusable_password()
        user.save(update_fields=["password"])
    return user
