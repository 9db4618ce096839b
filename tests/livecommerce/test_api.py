"""What holds for every address of the HTTP API."""

from __future__ import annotations

from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client
from playwright.async_api import BrowserContext, ConsoleMessage, expect

from tests.phones import ONE_LOOP, site_on_one_loop
from tests.world import World

site = site_on_one_loop
MEGABYTE = 1024 * 1024


@pytest.fixture
def li(world: World) -> Client:
    client = Client()
    client.force_login(world.li)
    return client


def problem(response: HttpResponse) -> dict[str, Any]:
    assert response["Content-Type"] == "application/problem+json"
    found: dict[str, Any] = response.json()  # type: ignore[attr-defined]
    assert found["status"] == response.status_code
    return found


@pytest.mark.parametrize(
    "path", ["orders/nope", "jobs/nope", "shows/nope/replay", "lessons/nope", "nothing"]
)
def test_what_is_not_there_is_a_problem(li: Client, path: str) -> None:
    assert problem(li.get(f"/api/v1/{path}"))["code"] == "not_found"


def test_another_method_is_a_problem_that_says_which_there_are(li: Client) -> None:
    response = li.put("/api/v1/orders")
    assert problem(response)["status"] == 405
    assert set(response["Allow"].split(", ")) == {"GET", "POST"}


@pytest.mark.parametrize("kind", ["application/json", "application/x-www-form-urlencoded"])
def test_a_body_that_is_too_big_is_a_problem_and_no_fault(
    li: Client, caplog: pytest.LogCaptureFixture, kind: str
) -> None:
    response = li.post("/api/v1/orders", b"x" * 3 * MEGABYTE, content_type=kind)
    assert problem(response)["code"] == "too_big"
    assert response.status_code == 413
    assert not [record for record in caplog.records if record.exc_info]


def test_another_host_is_a_problem(li: Client) -> None:
    assert problem(li.get("/api/v1/orders", headers={"host": "elsewhere.example"}))["status"] == 400


@pytest.mark.browser
@ONE_LOOP
async def test_the_api_is_shown_by_our_own_files_alone(phone: BrowserContext, site: str) -> None:
    page = await phone.new_page()
    faults: list[str] = []

    def hear(message: ConsoleMessage) -> None:
        if message.type == "error":
            faults.append(message.text)

    page.on("console", hear)
    await page.goto(f"http://{site}/api/v1/docs")
    await expect(page.locator(".opblock").first).to_be_visible()
    await expect(page.get_by_text("/api/v1/orders", exact=True).first).to_be_visible()
    await page.locator(".opblock-summary").first.click()
    await expect(page.locator(".opblock-body").first).to_be_visible()
    assert faults == []
