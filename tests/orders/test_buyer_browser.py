"""Li buys on her phone: several things at once, at prices that change, and follows the order."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from django.conf import settings
from django.test import Client
from playwright.async_api import BrowserContext, Page, Route, WebSocketRoute, expect

from core.accounts.models import User
from core.clock import now
from core.realtime.db import run_in_db
from orders.models import Address, Offer, Order, OrderState
from orders.services.fulfil import move_order
from orders.services.offers import open_now, put_on_sale
from sellers.models import DeliveryZone, Seller
from tests.orders.shop import li_orders, photo
from tests.phones import ONE_LOOP, site_on_one_loop
from tests.realtime import until_in_db
from tests.world import World, variant

pytestmark = [pytest.mark.browser, ONE_LOOP]
site = site_on_one_loop


def fees(world: World) -> None:
    """Gansu for ¥6 up to 20 kg, elsewhere ¥12, not to Tibet."""
    usual = {"seller": world.farm, "base_weight_g": 20_000}
    DeliveryZone.objects.create(name="near", regions=["62"], base_fee_minor=600, **usual)
    DeliveryZone.objects.create(name="far", regions=[], base_fee_minor=1200, **usual)
    DeliveryZone.objects.create(name="not", regions=["54"], is_served=False, **usual)


async def as_li(phone: BrowserContext, site: str, user: User) -> None:
    client = Client()
    await run_in_db(lambda: client.force_login(user))
    session = client.cookies[settings.SESSION_COOKIE_NAME].value
    name = settings.SESSION_COOKIE_NAME
    await phone.add_cookies([{"name": name, "value": session, "url": f"http://{site}"}])


async def room(phone: BrowserContext, site: str, world: World) -> Page:
    page = await phone.new_page()
    await page.goto(f"http://{site}/shows/{world.show.public_id}/")
    await expect(page.locator("#viewers")).to_contain_text("watching")
    return page


async def apples_and_pears(page: Page) -> None:
    """Two boxes of apples and one of pears, from their cards."""
    await page.click("#open-shelf")
    cards = page.locator("#shelf-sheet-list .offer")
    await cards.filter(has_text="apples").locator("[data-add]").dblclick()
    await cards.filter(has_text="pears").locator("[data-add]").click()
    await page.click("#shelf-sheet [data-basket]")


async def one_order() -> Order:
    return await run_in_db(lambda: Order.objects.get())


async def test_two_things_to_a_region_at_a_price_that_changed(
    phone: BrowserContext, site: str, world: World
) -> None:
    await run_in_db(fees, world)
    await as_li(phone, site, world.li)
    page = await room(phone, site, world)
    await apples_and_pears(page)
    for name, text in {"name": "Li", "phone": "138 0013 8000", "address": "8 River St"}.items():
        await page.fill(f"#order-{name}", text)
    submit, total = page.locator("#order-submit"), page.locator("#order-total")
    await submit.click()
    await expect(page.locator('[data-field="region"] .field__error')).not_to_be_empty()
    await page.select_option("#order-region", "54")
    await expect(page.locator("#order-fee")).to_have_text("The seller does not deliver there.")
    await page.select_option("#order-region", "62")
    await expect(total).to_have_text("¥103.70")

    # Another price, of which the page has not heard: it is said, and asked again.
    pears = Offer.objects.filter(pk=world.pear_offer.pk)
    await run_in_db(lambda: pears.update(price_minor=2990))
    await submit.click()
    await expect(page.locator("#order-problem")).to_contain_text("Tap Order again")
    await expect(total).to_have_text("¥107.70")
    assert not await run_in_db(Order.objects.exists)
    await expect(submit).to_have_text("Order for ¥107.70")
    await submit.dblclick()
    await expect(page.locator("#order-done")).to_be_visible()
    order = await one_order()
    assert (order.total_minor, order.delivery_fee_minor, order.region) == (10770, 600, "62")

    # The order's page, open beside it, moves by itself; so does a word in the room.
    await page.click("#order-done [data-close]")
    beside = await phone.new_page()
    await beside.goto(f"http://{site}{order.get_absolute_url()}")
    await expect(beside.locator("#order-status-title")).to_have_text("Ordered")
    await run_in_db(move_order, order.public_id, OrderState.PACKED, world.zhang)
    await expect(beside.locator("#order-status-title")).to_have_text("Packed")
    await expect(beside.locator("#order-cancel")).to_have_count(0)
    await expect(page.locator(".my-news__one")).to_contain_text(f"Order {order.number}: packed")


async def test_who_fetches_it_is_told_where_and_with_which_code(
    phone: BrowserContext, site: str, world: World
) -> None:
    await run_in_db(fees, world)
    await run_in_db(
        lambda: Address.objects.create(
            user=world.li,
            name="Li",
            phone="13800138000",
            region="62",
            address="8 River St",
            used_at=now(),
        )
    )
    await as_li(phone, site, world.li)
    page = await room(phone, site, world)
    await apples_and_pears(page)
    await expect(page.locator("#saved-list")).to_contain_text("8 River St, Gansu")
    await page.locator("#pickup-choice").click()
    await page.click("#order-submit")

    await expect(page.locator("#order-pickup")).to_be_visible()
    await expect(page.locator("#order-pickup")).to_contain_text(world.pickup.name)
    order = await one_order()
    await expect(page.locator("#order-pickup")).to_contain_text(f"Your code: {order.pickup_code}")


async def test_who_has_as_many_as_one_may_have_is_told_on_the_card(
    phone: BrowserContext, site: str, world: World
) -> None:
    offers = Offer.objects.filter(pk=world.apple_offer.pk)
    await run_in_db(lambda: offers.update(per_buyer=2))
    order = await run_in_db(li_orders, world)
    await as_li(phone, site, world.li)
    page = await room(phone, site, world)
    await page.click("#open-shelf")
    card = page.locator("#shelf-sheet-list .offer").filter(has_text="apples")
    await expect(card.locator(".offer__limit")).to_have_text("limit reached: you have 2 boxes")
    await expect(card.locator("[data-buy]")).to_be_disabled()

    await run_in_db(move_order, order.public_id, OrderState.CANCELLED, world.li)
    await expect(card.locator(".offer__limit")).to_have_text("at most 2 boxes each")
    await card.locator("[data-buy]").click()
    await expect(page.locator("#saved-list")).to_contain_text("8 River Street")
    await page.click("#order-submit")
    await page.click("#order-done [data-close]")
    pinned = page.locator(".offer__limit").filter(has_text="you have 1 box")
    await expect(pinned.first).to_have_text("at most 2 boxes each, you have 1 box")


async def test_the_button_says_how_much_is_missing_and_the_shop_what_has_another_price(
    phone: BrowserContext, site: str, world: World
) -> None:
    def bought() -> Order:
        Seller.objects.filter(pk=world.farm.pk).update(min_order_minor=10_000)
        return li_orders(world, quantity=3)

    order = await run_in_db(bought)
    await as_li(phone, site, world.li)
    page = await phone.new_page()
    await page.goto(f"http://{site}{order.get_absolute_url()}")
    await page.get_by_role("button", name="Order this again").click()
    await expect(page.locator(".repriced")).to_have_text(
        "Huaniu apples, 5 kg box: ¥39.90, it was ¥35.90"
    )
    await expect(page.locator("#order-total")).to_have_text("¥119.70")
    await page.click("#fewer")
    await expect(page.locator("#order-submit")).to_have_text("¥20.20 more to order")
    await expect(page.locator("#order-submit")).to_be_disabled()


async def test_photos_stay_chosen_when_a_request_for_money_comes_back(
    phone: BrowserContext, site: str, world: World
) -> None:
    def delivered() -> Order:
        order = li_orders(world)
        for to in (OrderState.PACKED, OrderState.SENT, OrderState.DELIVERED):
            move_order(order.public_id, to, world.zhang)
        return order

    order = await run_in_db(delivered)
    await as_li(phone, site, world.li)
    page = await phone.new_page()
    await page.goto(f"http://{site}{order.get_absolute_url()}")
    await page.click("#order-ask-back summary")
    await page.fill("#ask-text", "One was brown inside.")
    await page.fill("#ask-amount", "7000")
    picture = {"name": "box.jpg", "mimeType": "image/jpeg", "buffer": photo().getvalue()}
    await page.set_input_files("#ask-photos", [picture])
    await expect(page.locator("#order-ask-back [data-previews] img")).to_have_count(1)
    await page.get_by_role("button", name="Ask the seller").click()
    await expect(page.locator("#ask-amount-error")).not_to_be_empty()
    await expect(page.locator("#ask-amount")).to_be_focused()
    await expect(page.locator("#order-ask-back [data-previews] img")).to_have_count(1)

    await page.fill("#ask-amount", "10")
    await page.get_by_role("button", name="Ask the seller").click()
    await expect(page.locator(".messages")).to_contain_text("You asked for money back.")
    await expect(page.locator(".claim img")).to_have_count(1)


async def test_an_order_that_was_cut_off_and_reloaded_is_one_order(
    phone: BrowserContext, site: str, world: World
) -> None:
    await run_in_db(
        lambda: Address.objects.create(
            user=world.li, name="Li", phone="13800138000", address="8 River St", used_at=now()
        )
    )
    await as_li(phone, site, world.li)
    await phone.route_web_socket("**/ws/shows/**", deaf_to_orders)
    page = await room(phone, site, world)
    await apples_and_pears(page)
    await expect(page.locator("#saved-list")).to_contain_text("8 River St")
    await page.click("#order-submit")
    await until_in_db(Order.objects.exists)
    await page.reload()
    await expect(page.locator("#order-problem")).to_contain_text("you will not get it twice")
    await expect(page.locator("#order-lines > li")).to_have_count(2)
    await expect(page.locator("#saved-list")).to_contain_text("8 River St")
    await phone.route_web_socket("**/ws/shows/**", lambda socket: socket.connect_to_server())
    await page.reload()
    await page.click("#order-submit")
    await expect(page.locator("#order-done")).to_be_visible()
    order = await one_order()
    await expect(page.locator("#order-summary")).to_contain_text(order.number)


async def test_who_taps_before_the_kept_address_has_come_orders_to_it(
    phone: BrowserContext, site: str, world: World
) -> None:
    await run_in_db(
        lambda: Address.objects.create(
            user=world.li, name="Li", phone="13800138000", address="8 River St", used_at=now()
        )
    )
    await as_li(phone, site, world.li)
    page = await room(phone, site, world)
    asked: asyncio.Future[Route] = asyncio.get_running_loop().create_future()
    await page.route("**/api/v1/checkout**", lambda route: asked.set_result(route))
    await apples_and_pears(page)
    await page.click("#order-submit")
    await expect(page.locator("#order-submit")).to_have_text("Ordering…")
    await page.locator("#order-submit").dispatch_event("click")
    await (await asked).continue_()
    await expect(page.locator("#order-done")).to_be_visible()
    order = await one_order()
    assert order.address == "8 River St"


def deaf_to_orders(socket: WebSocketRoute) -> None:
    """The way back is gone for answers to orders: they arrive, and nobody learns of it."""
    server = socket.connect_to_server()
    server.on_message(lambda text: None if '"ok":{"order"' in str(text) else socket.send(text))


async def test_a_flash_drop_opens_by_its_countdown(
    phone: BrowserContext, site: str, world: World
) -> None:
    def drop() -> Offer:
        rings = variant(world.farm, "Apple rings", "bag", price_minor=1990, on_hand=5)
        return put_on_sale(
            world.show.public_id, rings, price_minor=990, on_tap=True, lasts_s=600, per_buyer=1
        )

    offer = await run_in_db(drop)
    await as_li(phone, site, world.li)
    page = await phone.new_page()
    await page.clock.install(time=now() + timedelta(minutes=7))  # a phone whose clock is wrong
    await page.goto(f"http://{site}/shows/{world.show.public_id}/")
    await expect(page.locator("#viewers")).to_contain_text("watching")
    await page.click("#open-shelf")
    card = page.locator("#shelf-sheet-list .offer").filter(has_text="Apple rings")
    await expect(card.locator("[data-buy]")).to_be_disabled()
    await expect(card.locator(".offer__window")).to_have_text("The host opens this any moment")

    opened = await run_in_db(open_now, offer.public_id, world.zhang)
    await expect(card.locator(".offer__window")).to_contain_text("Opens in 0:0")
    assert opened.opens_at is not None
    assert now() < opened.opens_at
    await expect(card.locator("[data-buy]")).to_be_enabled()
    assert now() >= opened.opens_at
    await expect(card.locator(".offer__window")).to_contain_text("Only 9:5")
    await card.locator("[data-buy]").click()
    await expect(page.locator("#more")).to_be_disabled()  # one for each buyer
