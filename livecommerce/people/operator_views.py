"""Operators' pages about people: inviting them on paper, and what those of a shop may do."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from core.accounts.models import Invitation, Role, User, WayBack
from core.errors import AppError, InvalidInput, NotFound
from core.ids import parse_id
from core.pages import page
from livecommerce.people import for_phones, invitations
from livecommerce.people.shops import shops
from sellers.models import Member, MemberRole, Seller
from sellers.services import people as shop_people
from streams.access import require_operator

SHOWN = 200
WAYS_SHOWN = 20
DAYS = 14
SELLER_ROLES = (MemberRole.HOST, MemberRole.PACKER, MemberRole.OWNER)


@dataclass(frozen=True, slots=True)
class Sheet:
    """One invitation as it is printed."""

    invitation: Invitation
    seller: Seller | None
    role: str
    address: str
    qr: str


@dataclass(frozen=True, slots=True)
class Row:
    """One invitation in the list."""

    invitation: Invitation
    seller: str
    role: str


@dataclass(frozen=True, slots=True)
class Person:
    """One of a shop's people; `role` is what they may do most."""

    user: User
    role: str


@dataclass(frozen=True, slots=True)
class Shop:
    """A shop in the list; `wanted` is who it lacks most: its owner, then more hosts."""

    seller: Seller
    people: list[Person]
    wanted: MemberRole


@require_GET
@never_cache
@page
def people(request: HttpRequest) -> HttpResponse:
    require_operator(request.user)
    return shown(request)


@require_POST
@page
def invite(request: HttpRequest) -> HttpResponseBase:
    operator = require_operator(request.user)
    sent = request.POST
    seller, role = _place(sent.get("as", ""))
    try:
        batch = invitations.invite(
            sent.get("names", "").splitlines(),
            role=role,
            seller=seller,
            days=_days(sent.get("days", "")),
            made_by=operator,
        )
    except InvalidInput as error:
        return shown(request, error)
    return redirect("operator_invitation_sheet", batch)


@require_GET
@never_cache
@page
def sheet(request: HttpRequest, batch: UUID) -> HttpResponse:
    """To be printed: those of the batch that can be used, a card each."""
    require_operator(request.user)
    rows = Invitation.objects.filter(batch=batch).order_by("pk")
    sheets = [_sheet(request, row) for row in rows if row.state == "open"]
    context = {"sheets": sheets, **for_phones.reach(request)}
    return render(request, "people/sheet.html", context)


@require_POST
@page
def revoke(request: HttpRequest, invitation_id: UUID) -> HttpResponse:
    require_operator(request.user)
    if invitations.revoke(invitation_id):
        messages.success(request, _("Revoked. The sheet opens nothing any more."))
    else:
        messages.error(request, _("It had been used or revoked before."))
    return redirect("operator_people")


@require_POST
@page
def member(request: HttpRequest, seller_id: UUID, user_id: UUID) -> HttpResponse:
    """Another role for one of a shop's people, or none."""
    require_operator(request.user)
    seller, user = _of_shop(seller_id, user_id)
    role = request.POST.get("role", "")
    try:
        if role in MemberRole.values:
            shop_people.set_role(seller, user, MemberRole(role))
        else:
            shop_people.remove_member(seller, user)
    except shop_people.LastOwner as error:
        messages.error(request, error.message)
    else:
        messages.success(request, _("Done. It holds from this moment on."))
    return redirect("operator_people")


def _of_shop(seller_id: UUID, user_id: UUID) -> tuple[Seller, User]:
    found = Member.objects.filter(seller__public_id=seller_id, user__public_id=user_id)
    one = found.select_related("seller", "user").first()
    if one is None:
        raise NotFound(_("There is nothing here, or it is not yours."))
    return one.seller, one.user


def _place(chosen: str) -> tuple[Seller | None, str]:
    """The form's one choice: `host:<seller>` or `trainee`."""
    role, _colon, seller_id = chosen.partition(":")
    public_id = parse_id(seller_id)
    seller = Seller.objects.filter(public_id=public_id).first() if public_id else None
    return seller, role if bool(seller_id) == (seller is not None) else ""


def _days(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 5 else 0


def _sheet(request: HttpRequest, one: Invitation) -> Sheet:
    address = for_phones.address(request, reverse("join", args=[invitations.token_of(one)]))
    return Sheet(
        invitation=one,
        seller=invitations.seller_of(one),
        role=invitations.role_name(one),
        address=address,
        qr=for_phones.code(address),
    )


def shown(request: HttpRequest, problem: AppError | None = None) -> HttpResponse:
    """The page as it is now, with what was typed and why that cannot be; `field` says in which of
    its forms."""
    sellers = shops()
    context = {
        "problem": problem,
        "typed": request.POST,
        "chosen": request.POST.get("as") or request.GET.get("as", ""),
        "days": DAYS,
        "most_days": invitations.LONGEST_DAYS,
        "shops": [_shop(seller) for seller in sellers],
        # The owner last: what is chosen by mistake should be able to do less.
        "seller_roles": [(role.value, role.label) for role in SELLER_ROLES],
        "instance_roles": [(role.value, role.label) for role in invitations.INSTANCE_ROLES],
        "ways_back": WayBack.objects.select_related("user", "made_by").order_by("-pk")[:WAYS_SHOWN],
        "invitations": _rows({seller.public_id: seller.name for seller in sellers}),
    }
    return render(request, "people/people.html", context, status=problem.status if problem else 200)


def _shop(seller: Seller) -> Shop:
    found = _people_of(seller)
    owned = any(person.role == MemberRole.OWNER for person in found)
    return Shop(seller, found, MemberRole.HOST if owned else MemberRole.OWNER)


def _people_of(seller: Seller) -> list[Person]:
    """Each once, with the first of their roles in the order owner, host, packer."""
    order = MemberRole.values
    found = sorted(
        seller.members.select_related("user"),
        key=lambda one: (order.index(one.role), one.user.shown_name),
    )
    first: dict[int, Person] = {}
    for one in found:
        first.setdefault(one.user_id, Person(one.user, one.role))
    return list(first.values())


def _rows(names: dict[UUID, str]) -> list[Row]:
    rows = Invitation.objects.order_by("-pk")[:SHOWN]
    return [
        Row(one, names.get(one.seller_id, "") if one.seller_id else "", _role(one)) for one in rows
    ]


def _role(one: Invitation) -> str:
    known = {**dict(MemberRole.choices), **dict(Role.choices)}
    return str(known.get(one.role, one.role))
