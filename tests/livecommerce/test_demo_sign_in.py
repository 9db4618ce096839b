from __future__ import annotations

import pytest
from django.test import Client
from pytest_django.fixtures import Settings

from livecommerce.demo.people import ensure_people


@pytest.fixture
def demo(db: None, settings: Settings) -> None:
    settings.DEMO = True
    settings.ALLOWED_HOSTS = ["*"]
    ensure_people()


@pytest.fixture
def visitor() -> Client:
    return Client(REMOTE_ADDR="127.0.0.1", HTTP_HOST="localhost:8000")


def signed_in_as(client: Client) -> str | None:
    return client.session.get("_auth_user_id")


@pytest.mark.usefixtures("demo")
def test_one_click_signs_in_and_leads_to_where_that_person_starts(visitor: Client) -> None:
    response = visitor.post("/demo/sign-in/zhang/")
    assert response.headers["Location"] == "/studio/"
    assert signed_in_as(visitor)


@pytest.mark.usefixtures("demo")
def test_the_visitor_goes_on_where_they_were(visitor: Client) -> None:
    response = visitor.post("/demo/sign-in/li/", {"next": "/learn/"})
    assert response.headers["Location"] == "/learn/"


@pytest.mark.usefixtures("demo")
def test_nobody_is_led_to_another_site(visitor: Client) -> None:
    response = visitor.post("/demo/sign-in/li/", {"next": "https://evil.example/"})
    assert response.headers["Location"] == "/"


@pytest.mark.usefixtures("demo")
@pytest.mark.parametrize(
    "headers",
    [
        {"REMOTE_ADDR": "192.0.2.7"},
        {"HTTP_HOST": "shop.example"},
        {"HTTP_X_FORWARDED_FOR": "192.0.2.7"},
        {"HTTP_FORWARDED": "for=192.0.2.7"},
        {"HTTP_X_REAL_IP": "192.0.2.7"},
        {"HTTP_VIA": "1.1 tunnel"},
    ],
)
def test_nobody_from_elsewhere_is_let_in(visitor: Client, headers: dict[str, str]) -> None:
    assert visitor.post("/demo/sign-in/zhang/", **headers).status_code == 404
    assert not signed_in_as(visitor)


@pytest.mark.usefixtures("demo")
@pytest.mark.parametrize("name", ["nobody", "demo-sun", "admin"])
def test_only_the_demo_people_can_be_chosen(visitor: Client, name: str) -> None:
    assert visitor.post(f"/demo/sign-in/{name}/").status_code == 404
    assert not signed_in_as(visitor)


@pytest.mark.usefixtures("demo")
def test_a_link_is_not_enough(visitor: Client) -> None:
    assert visitor.get("/demo/sign-in/zhang/").status_code == 405


@pytest.mark.usefixtures("demo")
def test_a_real_instance_has_none_of_it(visitor: Client, settings: Settings) -> None:
    settings.DEMO = False
    assert visitor.post("/demo/sign-in/zhang/").status_code == 404
    assert not signed_in_as(visitor)


@pytest.mark.usefixtures("demo")
def test_people_of_the_demo_have_no_password(visitor: Client) -> None:
    assert not visitor.login(username="zhao", password="")
