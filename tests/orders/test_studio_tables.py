"""Tables down and up: orders and sales as CSV, and tracking numbers out of hostile files."""

from __future__ import annotations

import csv
import io
import time
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from core.errors import Conflict
from orders.models import Delivery, Order, OrderState, PaymentMethod, TrackingUpload
from orders.services import tracking as service
from orders.services.fulfil import move_order
from sellers.models import Member, MemberRole
from tests.books import faults_in_books
from tests.orders.shelf_of_orders import an_order
from tests.world import World

UPLOAD = "/studio/orders/tracking/"


@pytest.fixture
def zhang(world: World, client: Client) -> Client:
    client.force_login(world.zhang)
    return client


def table(client: Client, address: str, **query: str) -> list[list[str]]:
    answer: Any = client.get(address, query)
    assert answer.status_code == 200
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    text = b"".join(answer).decode()
    assert text.startswith("\ufeff")
    return list(csv.reader(io.StringIO(text[1:], newline="")))


def send(client: Client, data: bytes | str, **typed: str) -> Any:
    content = data if isinstance(data, bytes) else data.encode()
    file = SimpleUploadedFile("numbers.csv", content, "text/csv")
    return client.post(UPLOAD, {"file": file, **typed}, follow=True)


def carry_out(client: Client, upload_page: Any, mode: str) -> Any:
    address = upload_page.redirect_chain[-1][0]
    return client.post(address, {"mode": mode}, follow=True)


def sent_with(order: Order) -> tuple[str, str, str]:
    order.refresh_from_db()
    return order.state, order.carrier, order.tracking_number


def test_every_order_is_a_row_that_a_spreadsheet_opens(zhang: Client, world: World) -> None:
    for _number in range(3):
        an_order(world, (world.apples, 1))
    an_order(world, state=OrderState.CANCELLED)

    heading, *rows = table(zhang, "/studio/orders/orders.csv")

    assert len(rows) == 3  # as the list: what is to pack
    row = dict(zip(heading, rows[0], strict=True))
    assert (row["Goods"], row["Total"]) == ("1 × Huaniu apples, 5 kg box", "39.90")
    assert (row["Region"], row["Show"]) == ("Sichuan", "Apples straight from the tree")
    assert len(table(zhang, "/studio/orders/orders.csv", state="all")) == 5


def test_more_orders_than_one_piece_holds_come_whole(
    zhang: Client, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("orders.studio.export.AT_ONCE", 2)
    orders = [an_order(world, (world.apples, 1)) for _number in range(5)]

    rows = table(zhang, "/studio/orders/orders.csv")[1:]

    assert [row[0] for row in rows] == [order.number for order in reversed(orders)]


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠"])
def test_no_cell_is_a_formula(zhang: Client, world: World, start: str) -> None:
    an_order(world, recipient=f'{start}HYPERLINK("http://evil.example")', note=f"{start}1+1")

    cells = table(zhang, "/studio/orders/orders.csv")[1]

    assert not [cell for cell in cells if cell.startswith(start)]
    assert f"'{start}1+1" in cells


def test_tracking_numbers_are_shown_first_and_sent_then(zhang: Client, world: World) -> None:
    placed, packed = an_order(world), an_order(world, state=OrderState.PACKED)

    page = send(zhang, f"{placed.number},SF,SF11112222\n{packed.number},ZTO,7311002233\n")

    assert len(page.context["plan"].ready) == 2
    assert sent_with(placed) == ("placed", "", "")
    done = carry_out(zhang, page, "nothing")
    assert sent_with(placed) == ("sent", "SF", "SF11112222")
    assert sent_with(packed) == ("sent", "ZTO", "7311002233")
    assert "2 orders have their tracking numbers now." in done.content.decode()
    assert faults_in_books() == []


def test_doing_a_table_twice_sends_nothing_twice(zhang: Client, world: World) -> None:
    order = an_order(world)
    page = send(zhang, f"{order.number},SF,SF11112222\n")
    carry_out(zhang, page, "nothing")
    moves = order.moves.count()

    again = carry_out(zhang, page, "nothing")

    assert again.status_code == 200
    assert (again.context["plan"].same, again.context["plan"].ready) == (1, [])
    assert order.moves.count() == moves
    assert faults_in_books() == []


def test_a_number_that_was_wrong_is_corrected(zhang: Client, world: World) -> None:
    order = an_order(world, state=OrderState.SENT, carrier="SF", tracking_number="SF0000")

    carry_out(zhang, send(zhang, f"{order.number},ZTO,SF9999"), "nothing")

    assert sent_with(order) == ("sent", "ZTO", "SF9999")


ENCODED = [
    ("utf-8", ","),
    ("utf-8-sig", ";"),
    ("gb18030", "\t"),
    ("utf-16", "\t"),
]


@pytest.mark.parametrize(("encoding", "between"), ENCODED)
def test_a_table_of_any_program_is_read(
    zhang: Client, world: World, encoding: str, between: str
) -> None:
    order = an_order(world, state=OrderState.PACKED)
    lines = ["订单号,快递公司,快递单号", f"{order.number},顺丰速运,SF1234567", ""]

    page = send(zhang, "\r\n".join(lines).replace(",", between).encode(encoding))
    carry_out(zhang, page, "nothing")

    assert sent_with(order) == ("sent", "顺丰速运", "SF1234567")


def test_the_sellers_own_list_with_numbers_filled_in_is_such_a_table(
    zhang: Client, world: World
) -> None:
    first = an_order(world, state=OrderState.PACKED, recipient="=Li", note="a, b\nc")
    an_order(world, state=OrderState.PACKED)
    heading, *rows = table(zhang, "/studio/orders/orders.csv", state="packed")
    for row in rows:
        if row[0] == first.number:
            row[heading.index("Tracking number")] = "SF7777777"
    text = io.StringIO()
    csv.writer(text, delimiter=";").writerows([heading, *rows])

    page = send(zhang, text.getvalue())

    assert page.context["plan"].bad == []
    assert [parcel.row.number for parcel in page.context["plan"].ready] == [first.number]


def bad_table(world: World) -> tuple[Order, str]:
    """One good row; every other is wrong in its own way."""
    good = an_order(world, state=OrderState.PACKED)
    cancelled = an_order(world, state=OrderState.CANCELLED)
    held = an_order(world, state=OrderState.HELD, payment_method=PaymentMethod.ONLINE)
    fetched = an_order(
        world, state=OrderState.PACKED, delivery=Delivery.PICKUP, pickup_point=world.pickup
    )
    others = an_order(world, seller=world.other_farm, state=OrderState.PACKED)
    lines = [
        f"{good.number},SF,SF11112222",
        f"{cancelled.number},SF,SF11112223",
        f"{held.number},SF,SF11112224",
        f"{fetched.number},SF,SF11112225",
        f"{others.number},SF,SF11112226",
        "12-34,SF,SF11112227",
        f"{good.number},SF,7.53E+14",
        f"{good.number},SF,<script>",
        f"{good.number},{'x' * 41},SF11112228",
        f"{good.number},SF,SF99999999",
        f"{good.number},SF,555",
    ]
    return good, "\n".join(lines)


def test_bad_rows_are_named_by_line_and_in_words(zhang: Client, world: World) -> None:
    _good, text = bad_table(world)

    plan = send(zhang, text).context["plan"]

    assert {row.line: row.why for row in plan.bad} == {
        2: "This order is already cancelled.",
        3: "This order is already waiting for payment.",
        4: "This order is fetched at a pick-up point.",
        5: "There is no such order, or it is not yours.",
        6: "This is no order number: eight digits are.",
        7: "The spreadsheet rounded this tracking number. Format its column as text.",
        8: "This is no tracking number: letters and digits are.",
        9: "Please use at most 40 characters.",
        10: "Line 1 says something else of the same order.",
        11: "This tracking number is too short.",
    }


def test_good_rows_are_kept_or_nothing_is_changed_as_chosen(zhang: Client, world: World) -> None:
    good, text = bad_table(world)
    page = send(zhang, text)

    refused = carry_out(zhang, page, "nothing")

    assert refused.status_code == 422
    assert "Nothing was changed" in refused.content.decode()
    assert not good.moves.exists()
    carry_out(zhang, page, "keep")
    assert sent_with(good) == ("sent", "SF", "SF11112222")
    assert Order.objects.filter(state="sent").count() == 1
    assert faults_in_books() == []


def test_an_order_cancelled_since_the_look_keeps_back_all_or_only_itself(
    zhang: Client, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = (an_order(world, state=OrderState.PACKED) for _number in range(2))
    page = send(zhang, f"{first.number},SF,SF11112222\n{second.number},SF,SF11112223")
    planned = service.plan

    def plan_then_cancel(*arguments: Any) -> service.Plan:
        made = planned(*arguments)
        move_order(second.public_id, OrderState.CANCELLED, world.zhang)
        return made

    monkeypatch.setattr(service, "plan", plan_then_cancel)
    with pytest.raises(Conflict, match="already cancelled"):
        service.carry_out(
            TrackingUpload.objects.get(), [world.farm], world.zhang, all_or_nothing=True
        )
    assert sent_with(first)[0] == "packed"
    monkeypatch.undo()
    carry_out(zhang, page, "keep")
    assert sent_with(first) == ("sent", "SF", "SF11112222")


REFUSED = [
    (b"", "There is nothing in this file."),
    (b"\n \n", "There is nothing in this file."),
    (b"PK\x03\x04rest of a workbook", "This is an Excel file."),
    (b"\xff\xd8\xff\xe0 a photo \x00", "This cannot be read as a table."),
    (b"1000-2000,SF,\x00", "This cannot be read as a table."),
    (b'"' + b"x" * 200_000, "This cannot be read as a table."),
    (b"order,carrier\n1000-2000,SF", "The heading needs the columns"),
    (b"a,b,c\n" * 100_002, "more than 100,000 rows"),
    (b"x" * (5 * 1024 * 1024 + 1), "bigger than 5 MB"),
]


@pytest.mark.parametrize(("data", "words"), REFUSED)
def test_what_is_no_table_is_refused_in_words(
    zhang: Client, world: World, data: bytes, words: str
) -> None:
    answer = send(zhang, data)

    assert (answer.status_code, TrackingUpload.objects.count()) == (422, 0)
    assert words in answer.content.decode()


def test_a_million_rows_are_refused_at_once(zhang: Client, world: World) -> None:
    rows = b"4829-1357,SF,SF1234567890\n" * 1_000_000
    began = time.monotonic()

    answer = send(zhang, rows)

    assert answer.status_code == 422
    assert time.monotonic() - began < 5


def test_twenty_thousand_rows_are_looked_at(world: World) -> None:
    order = an_order(world, state=OrderState.PACKED)
    rows = "".join(f"{10_000_000 + number},SF,SF{number:08d}\n" for number in range(19_999))
    upload = service.keep_upload(
        world.zhang,
        "many",
        f"{rows}{order.number},SF,SF1".encode() + b"2345",
        public_id=order.public_id,
    )

    plan = service.plan(upload, [world.farm])

    assert (len(plan.bad), len(plan.ready)) == (19_999, 1)


def test_a_table_sent_twice_is_one_and_another_file_is_another(zhang: Client, world: World) -> None:
    key = "01a20000-0000-7000-8000-000000000001"
    for data in ("1000-2000,SF,SF111111", "1000-2000,SF,SF111111", "1000-2000,SF,SF222222"):
        send(zhang, data, form_key=key)

    assert TrackingUpload.objects.count() == 2


def test_what_somebody_uploaded_is_nobody_elses(client: Client, world: World) -> None:
    Member.objects.create(seller=world.farm, user=world.wang, role=MemberRole.PACKER)
    order = an_order(world, state=OrderState.PACKED)
    client.force_login(world.zhang)
    page = send(client, f"{order.number},SF,SF11112222")
    address = page.redirect_chain[-1][0]
    for person in (world.wang, world.gao, world.li):
        client.force_login(person)
        assert client.get(address).status_code == 404
        assert client.post(address, {"mode": "keep"}).status_code == 404

    assert sent_with(order)[0] == "packed"
