"""A small stand-in for Stripe: real HTTP, real signatures, and a page with a button to pay.

It speaks the requests that the product makes, as https://docs.stripe.com/api has them: Checkout
Sessions (create, retrieve, expire), payment intents (retrieve), refunds (create, retrieve, list);
form-encoded, with idempotency keys, error objects and signed webhooks. What goes wrong can be
switched on: it is then slow, broken, forgetful, or tells twice and in the wrong order.

To try payments without an account: `python -m tests.stripe_server` says what to set.
"""

from __future__ import annotations

import argparse
import errno
import json
import secrets
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.error import URLError
from urllib.parse import parse_qsl, urlsplit

from tests.stripe_books import Books, Faults
from tests.stripe_wire import WEBHOOK_SECRET, Json, as_list, decoded, page, signature

KEY = "sk_test_ours"
LONGEST_S, SHORTEST_S = 24 * 3600, 30 * 60


class Refused(Exception):
    """An error object of Stripe's; https://docs.stripe.com/api/errors."""

    def __init__(self, status: int, kind: str, message: str, **more: str) -> None:
        super().__init__(message)
        self.status = status
        self.body = {"error": {"type": kind, "message": message, **more}}


def wrong(message: str, param: str = "", status: int = 400) -> Refused:
    return Refused(status, "invalid_request_error", message, param=param)


class StripeServer:
    """Answers on `url`; `webhook_url` is where it tells what happened, if anywhere."""

    def __init__(self, port: int = 0, webhook_url: str = "") -> None:
        self.books, self.faults = Books(), Faults()
        self.webhook_url = webhook_url
        self._lock = threading.RLock()
        self._senders: list[threading.Thread] = []
        handler = type("Bound", (Handler,), {"stripe": self})
        self._http = ThreadingHTTPServer(("127.0.0.1", port), handler)
        self._http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._http.server_port}"

    def serve(self) -> None:
        self._http.serve_forever(poll_interval=0.05)

    def stop(self) -> None:
        self._http.shutdown()
        self._http.server_close()

    def answer(self, method: str, path: str, form: Json, key: str) -> tuple[int, Json]:
        """One request of the API; a used key gives the first answer again."""
        with self._lock:
            self.books.requests.append((method, path))
            if self.faults.fail_next:
                self.faults.fail_next -= 1
                return 500, {"error": {"type": "api_error", "message": "try again"}}
            asked = json.dumps([method, path, form], sort_keys=True)
            if key in self.books.answers:
                before, status, body = self.books.answers[key]
                if before != asked:
                    error = (
                        "Keys can only be used with the same parameters they were first used with"
                    )
                    return 400, {"error": {"type": "idempotency_error", "message": error}}
                return status, body
            try:
                status, body = 200, self._do(method, path, form)
            except Refused as refused:
                status, body = refused.status, refused.body
            if key:
                self.books.answers[key] = asked, status, json.loads(json.dumps(body))
            return status, body

    def _do(self, method: str, path: str, form: Json) -> Json:
        match method, path.strip("/").split("/")[1:]:
            case "POST", ["checkout", "sessions"]:
                return self._open(form)
            case "GET", ["checkout", "sessions", name]:
                return known(self.books.sessions, name)
            case "POST", ["checkout", "sessions", name, "expire"]:
                return self.expire(name)
            case "GET", ["payment_intents", name]:
                return known(self.books.intents, name)
            case "POST", ["refunds"]:
                return self._refund(form)
            case "GET", ["refunds"]:
                intent, made = form.get("payment_intent"), self.books.refunds.values()
                found = [one for one in made if one["payment_intent"] == intent]
                return {"object": "list", "url": path, "has_more": False, "data": found[::-1]}
            case "GET", ["refunds", name]:
                return known(self.books.refunds, name)
            case _:
                raise wrong(f"Unrecognized request URL ({method}: {path})", status=404)

    def _open(self, form: Json) -> Json:
        if form.get("mode") != "payment":
            raise wrong("only payments are known here", "mode")
        items = [self._item(item) for item in as_list(form.get("line_items"))]
        if not items:
            raise wrong("Missing required param: line_items.", "line_items")
        methods = as_list(form.get("payment_method_types"))
        options = form.get("payment_method_options", {})
        if "wechat_pay" in methods and options.get("wechat_pay", {}).get("client") != "web":
            raise wrong("wechat_pay needs its client", "payment_method_options[wechat_pay][client]")
        expires_at = int(form.get("expires_at", time.time() + LONGEST_S))
        if not SHORTEST_S <= expires_at - time.time() <= LONGEST_S:
            raise wrong("expires_at must be between 30 minutes and 24 hours from now", "expires_at")
        for address in (form["success_url"], form["cancel_url"]):
            if not address.startswith(("http://", "https://")):
                raise wrong("Not a valid URL", "success_url")
        name = self._name("cs_test")
        self.books.sessions[name] = session = {
            "id": name,
            "object": "checkout.session",
            "mode": "payment",
            "status": "open",
            "payment_status": "unpaid",
            "amount_total": sum(amount * quantity for _, amount, quantity, _ in items),
            "currency": items[0][3],
            "client_reference_id": form.get("client_reference_id"),
            "metadata": form.get("metadata", {}),
            "payment_intent": None,
            "payment_method_types": methods,
            "expires_at": expires_at,
            "success_url": form["success_url"],
            "cancel_url": form["cancel_url"],
            "url": f"{self.url}/c/pay/{name}",
            "items": items,
            "intent_metadata": form.get("payment_intent_data", {}).get("metadata", {}),
        }
        return session

    def _item(self, item: Json) -> tuple[str, int, int, str]:
        price = item["price_data"]
        amount, quantity = int(price["unit_amount"]), int(item["quantity"])
        if amount < 0 or quantity < 1:
            raise wrong("Invalid amount", "line_items")
        return price["product_data"]["name"], amount, quantity, price["currency"].lower()

    def pay(self, name: str) -> Json:
        """What the button does; again: no more. Raises `Refused` for a session that is over."""
        with self._lock:
            session = known(self.books.sessions, name)
            if session["status"] == "expired" or session["expires_at"] < time.time():
                raise wrong("This Checkout Session has expired")
            if session["payment_status"] == "paid":
                return session
            intent = self._name("pi")
            self.books.intents[intent] = {
                "id": intent,
                "object": "payment_intent",
                "status": "succeeded",
                "amount": session["amount_total"],
                "amount_received": session["amount_total"],
                "currency": session["currency"],
                "metadata": session["intent_metadata"],
            }
            session.update(status="complete", payment_status="paid", payment_intent=intent)
        self.tell("checkout.session.completed", session)
        return session

    def expire(self, name: str) -> Json:
        session = known(self.books.sessions, name)
        if session["status"] != "open":
            raise wrong(f"Only Checkout Sessions that are open can be expired, not {name}")
        session["status"] = "expired"
        self.tell("checkout.session.expired", session)
        return session

    def _refund(self, form: Json) -> Json:
        intent = known(self.books.intents, form["payment_intent"])
        amount = int(form.get("amount") or intent["amount"])
        if self.faults.refuse_refunds:
            raise wrong("This payment cannot be refunded")
        if amount > intent["amount"] - self.refunded(intent["id"]):
            message = f"Refund amount ({amount}) is greater than unrefunded amount on charge"
            raise wrong(message, "amount")
        name = self._name("re")
        self.books.refunds[name] = refund = {
            "id": name,
            "object": "refund",
            "amount": amount,
            "currency": intent["currency"],
            "payment_intent": intent["id"],
            "metadata": form.get("metadata", {}),
            "status": "pending" if self.faults.refunds_pend else "succeeded",
        }
        self.tell("refund.created", refund)
        self.tell("charge.refunded", self.charge(intent["id"]))
        return refund

    def refunded(self, intent: str) -> int:
        """How much of a payment has been paid back."""
        return sum(
            refund["amount"]
            for refund in self.books.refunds.values()
            if refund["payment_intent"] == intent and refund["status"] != "failed"
        )

    def charge(self, intent: str) -> Json:
        paid = self.books.intents[intent]
        return {
            "id": f"ch_{intent}",
            "object": "charge",
            "amount": paid["amount"],
            "amount_refunded": self.refunded(intent),
            "currency": paid["currency"],
            "payment_intent": intent,
            "metadata": paid["metadata"],
        }

    def event(self, kind: str, found: Json) -> Json:
        return {
            "id": self._name("evt"),
            "object": "event",
            "api_version": "2026-01-01.ours",
            "created": int(time.time()),
            "type": kind,
            "data": {"object": json.loads(json.dumps(found))},
        }

    def tell(self, kind: str, found: Json) -> None:
        """Send a webhook, beside all that goes on here, as the real one does."""
        if self.webhook_url and self.faults.webhooks:
            event, copies = self.event(kind, found), self.faults.copies
            for _copy in range(copies):
                sender = threading.Thread(target=self._send, args=(event,), daemon=True)
                self._senders.append(sender)
                sender.start()

    def wait_until_told(self) -> None:
        """Return when every webhook so far was answered."""
        for sender in self._senders:
            sender.join()

    def _send(self, event: Json) -> None:
        body = json.dumps(event).encode()
        headers = {"Content-Type": "application/json", "Stripe-Signature": signature(body)}
        request = urllib.request.Request(self.webhook_url, body, headers)
        try:
            with urllib.request.urlopen(request, timeout=30) as response:
                status = response.status
        except URLError as error:
            status = getattr(error, "code", 0)
        self.books.sent.append((event, status))

    def _name(self, kind: str) -> str:
        return f"{kind}_{secrets.token_hex(8)}ours"  # a shop may know names of an earlier run


class Handler(BaseHTTPRequestHandler):
    stripe: StripeServer
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: tests are silent."""

    def do_GET(self) -> None:
        if urlsplit(self.path).path.startswith("/c/pay/"):
            self._page()
        else:
            self._api("GET")

    def do_POST(self) -> None:
        if urlsplit(self.path).path.startswith("/c/pay/"):
            self._button()
        else:
            self._api("POST")

    def _api(self, method: str) -> None:
        faults, address = self.stripe.faults, urlsplit(self.path)
        if not address.path.startswith("/v1/"):  # a browser asks for an icon, too
            return self._write(404, "There is no such page.", "text/plain")
        length = int(self.headers.get("Content-Length") or 0)
        typed = self.rfile.read(length).decode() if length else address.query
        if faults.delay_s:
            time.sleep(faults.delay_s)
        if self.headers.get("Authorization") != f"Bearer {KEY}":
            error = {"type": "invalid_request_error", "message": "Invalid API Key provided: sk_***"}
            return self._json(401, {"error": error})
        key = self.headers.get("Idempotency-Key", "") if method == "POST" else ""
        status, body = self.stripe.answer(method, address.path, decoded(typed), key)
        if faults.lose_answers:
            faults.lose_answers -= 1
            self.close_connection = True
            return None
        return self._json(status, body)

    def _json(self, status: int, body: Json) -> None:
        self._write(status, json.dumps(body), "application/json")

    def _page(self) -> None:
        session = self.stripe.books.sessions.get(self.path.rsplit("/", 1)[1].split("?")[0])
        if session is None:
            return self._write(404, "There is no such page.", "text/plain")
        return self._write(200, page(session), "text/html; charset=utf-8")

    def _button(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        typed = dict(parse_qsl(self.rfile.read(length).decode()))
        session = self.stripe.books.sessions[self.path.rsplit("/", 1)[1]]
        if typed.get("do") != "pay":
            return self._go(session["cancel_url"])
        try:
            self.stripe.pay(session["id"])
        except Refused as refused:
            return self._write(400, str(refused), "text/plain")
        return self._go(session["success_url"])

    def _go(self, address: str) -> None:
        self.send_response(303)
        self.send_header("Location", address)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _write(self, status: int, text: str, kind: str) -> None:
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def known(rows: dict[str, Json], name: str) -> Json:
    if name not in rows:
        raise wrong(f"No such object: '{name}'", "id", status=404)
    return rows[name]


@contextmanager
def stripe_server(webhook_url: str = "") -> Iterator[StripeServer]:
    """A server in a thread of its own, stopped at the end."""
    server = StripeServer(webhook_url=webhook_url)
    thread = threading.Thread(target=server.serve, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.stop()
        thread.join()


def main() -> None:
    asked = argparse.ArgumentParser(prog="python -m tests.stripe_server", description=__doc__)
    asked.add_argument("--port", type=int, default=12111, help="where it listens (%(default)s)")
    site = "where the product is, to tell it what happened (%(default)s)"
    asked.add_argument("--site", default="http://localhost:8000", help=site)
    typed = asked.parse_args()
    try:
        server = StripeServer(
            typed.port, f"{typed.site.rstrip('/')}/api/v1/payments/stripe/webhook"
        )
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
        sys.exit(f"Port {typed.port} is taken. Choose another: --port {typed.port + 1}")
    print(f"Payments for {typed.site} can be tried out. Start the product beside this with:\n")
    print(f"  STRIPE_SECRET_KEY={KEY} STRIPE_WEBHOOK_SECRET={WEBHOOK_SECRET} \\")
    print(f"  STRIPE_API_BASE={server.url} livecommerce demo\n", flush=True)
    try:
        server.serve()
    except KeyboardInterrupt:
        print("stopped")


if __name__ == "__main__":
    main()
