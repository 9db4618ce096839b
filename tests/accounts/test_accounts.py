from __future__ import annotations

import pytest
from django.contrib.auth.models import AnonymousUser
from django.test import Client

from core.accounts import services
from core.accounts.access import has_role, signed_in
from core.accounts.models import Role, User
from core.errors import InvalidInput, SignInRequired
from tests.world import PASSWORD, World

MEI = {"username": "mei", "password1": "pear-tree-by-the-well", "display_name": " Mei  Lin "}


def test_a_person_signs_up_with_a_name(client: Client, db: None) -> None:
    answer = client.post("/accounts/signup/", MEI)

    assert answer.status_code == 302
    mei = User.objects.get(username="mei")
    assert (mei.shown_name, mei.masked_name) == ("Mei Lin", "M**")
    assert client.get("/orders/").status_code == 200


def test_a_name_shows_as_what_it_is(client: Client, db: None) -> None:
    client.post("/accounts/signup/", MEI | {"display_name": "Zh\u200bang\u202e"})

    assert User.objects.get(username="mei").shown_name == "Zhang"


@pytest.mark.parametrize(
    ("field", "typed"),
    [
        ("display_name", " "),
        ("display_name", "\u200b\u200b"),
        ("display_name", "M" * 61),
        ("password1", "short"),
        ("username", ""),
        ("username", "me\u200bi"),
    ],
)
def test_what_is_wrong_is_said_beside_it(client: Client, db: None, field: str, typed: str) -> None:
    answer = client.post("/accounts/signup/", MEI | {field: typed})

    assert list(answer.context["form"].errors) == [field]
    assert not User.objects.exists()


def test_a_person_signs_in_and_comes_back_to_the_page(client: Client, world: World) -> None:
    answer = client.post(
        "/accounts/login/", {"login": "li", "password": PASSWORD, "next": "/orders/"}
    )

    assert (answer.status_code, answer["Location"]) == (302, "/orders/")


def test_a_wrong_password_does_not_sign_in(client: Client, world: World) -> None:
    client.post("/accounts/login/", {"login": "li", "password": "guessed"})

    assert "_auth_user_id" not in client.session


def test_signing_in_never_leads_to_another_site(client: Client, world: World) -> None:
    typed = {"login": "li", "password": PASSWORD, "next": "https://elsewhere.example/"}

    assert client.post("/accounts/login/", typed)["Location"] == "/"


def test_roles_are_granted_once_and_revoked(world: World) -> None:
    services.grant(world.li, Role.OPERATOR)
    services.grant(world.li, Role.OPERATOR)

    world.li.refresh_from_db()
    assert has_role(world.li, Role.OPERATOR)
    assert world.li.is_staff
    assert world.li.role_grants.count() == 1

    services.revoke(world.li, Role.OPERATOR)

    world.li.refresh_from_db()
    assert not has_role(world.li, Role.OPERATOR)
    assert not world.li.is_staff


def test_one_role_is_not_another(world: World) -> None:
    assert has_role(world.wang, Role.TRAINEE)
    assert not has_role(world.wang, Role.MENTOR)
    assert not has_role(world.wang, Role.OPERATOR)


def test_visitors_have_no_roles(db: None) -> None:
    assert not has_role(AnonymousUser(), Role.OPERATOR)
    with pytest.raises(SignInRequired):
        signed_in(AnonymousUser())


def test_a_name_can_be_changed_to_something_and_not_to_nothing(world: World) -> None:
    services.introduce(world.li, "Li the Elder")

    with pytest.raises(InvalidInput):
        services.introduce(world.li, "\u0000")

    world.li.refresh_from_db()
    assert world.li.shown_name == "Li the Elder"


def test_people_are_found_in_the_admin(client: Client, world: World) -> None:
    world.zhao.is_staff = world.zhao.is_superuser = True
    world.zhao.save()
    client.force_login(world.zhao)

    assert client.get("/admin/accounts/user/?q=Zhang").status_code == 200
    assert client.get(f"/admin/accounts/user/{world.li.pk}/change/").status_code == 200


ADMIN_FORM = {
    "username": "li",
    "is_active": "on",
    "date_joined_0": "2026-11-01",
    "date_joined_1": "09:30:00",
    "role_grants-TOTAL_FORMS": "0",
    "role_grants-INITIAL_FORMS": "0",
    "passkeys-TOTAL_FORMS": "0",
    "passkeys-INITIAL_FORMS": "0",
}


@pytest.mark.parametrize(
    ("typed", "kept"),
    [("Zh\u200bang\u202e", "Zhang"), (" Li \t Na ", "Li Na"), ("\u200b\u202e", None)],
)
def test_a_name_that_is_typed_in_the_admin_shows_as_what_it_is(
    client: Client, world: World, typed: str, kept: str | None
) -> None:
    world.zhao.is_superuser = world.zhao.is_staff = True
    world.zhao.save()
    client.force_login(world.zhao)
    address = f"/admin/accounts/user/{world.li.pk}/change/"
    answer = client.post(address, {**ADMIN_FORM, "display_name": typed, "first_name": typed})

    assert answer.status_code == 302
    li = User.objects.get(pk=world.li.pk)
    assert (li.display_name, li.first_name) == (kept or "", kept or "")
