"""What is sent where an empty form would be refused before anybody asks who sends it."""

from __future__ import annotations

import json
import re
from typing import Any

ID = "01a20422-bb69-73f0-b750-95a3985e1e96"
_DELIVERY = {"kind": "courier", "name": "Li", "phone": "13800138000", "address": "8 River Street"}
_LINE = {"variant_id": "{variant_id}", "quantity": 1, "price_minor": 1}
_PUBLIC = {"audience": "public"}
_DRAFT = {"tab": ID, "revision": 1, "base": 0}

PAGES: dict[str, dict[str, Any]] = {
    "cohort_people": {"do": "close"},
    "course_edit": {"do": "publish"},
    "lesson_edit": {"do": "describe"},
    "lesson_quiz_edit": {"do": "publish"},
    "lesson_practice_edit": {"do": "write"},
    "my_passkey_rename": {"name": "my phone"},
    "practice_attempt": {"do": "submit"},
    "order_move": {"to": "delivered"},
    "studio_order_move": {"to": "cancelled"},
    "studio_orders_move": {"to": "packed", "order": "{order_id}"},
    "studio_claim_answer": {"accept": "no", "answer": "No"},
}
API: dict[tuple[str, str], dict[str, Any]] = {
    ("POST", "orders"): {"lines": [_LINE], "delivery": _DELIVERY},
    ("POST", "orders/quote"): {"lines": [_LINE]},
    ("POST", "orders/{order_id}/moves"): {"to": "cancelled"},
    ("POST", "orders/{order_id}/payments"): {"provider": "stripe"},
    ("POST", "orders/{order_id}/refunds"): {"amount_minor": 1, "reason": "late"},
    ("POST", "orders/{order_id}/claims"): {"text": "bruised", "amount_minor": 1},
    ("POST", "claims/{claim_id}/answer"): {"accept": False, "answer": "No"},
    ("POST", "courses"): {"title": "Pears"},
    ("POST", "courses/{course_id}/lessons"): {"title": "Pears", "asset_id": "{asset_id}"},
    ("POST", "lessons/{lesson_id}/watched"): {"intervals": []},
    ("POST", "lessons/{lesson_id}/quiz/answers"): {"id": ID, "paper": 1, "answers": []},
    ("PUT", "reviews/{attempt_id}/draft"): _DRAFT,
    ("POST", "reviews/{attempt_id}/send"): _DRAFT | {"verdict": "accepted"},
    ("POST", "reviews/{attempt_id}/answers"): {"id": ID, "text": "Thank you"},
    ("POST", "shows/{show_id}/blocked-words"): {"word": "mouldy"},
    ("POST", "recordings/{recording_id}/clips"): {
        "edition": 0,
        "start_s": 0,
        "end_s": 5,
        "title": "Picking",
    },
    ("PATCH", "clips/{clip_id}"): {"title": "Picking"},
    ("PUT", "clips/{clip_id}/consent"): {"version": "0", "language": "en"},
    ("PUT", "shows/{show_id}/audience"): _PUBLIC,
    ("POST", "shows/{show_id}/captions"): {"by": "hand", "language": "en"},
    ("PUT", "shows/{show_id}/captions/{track_id}"): {"version": 1, "cues": []},
    ("POST", "shows/{show_id}/removed-passages"): {
        "id": ID,
        "edition": 0,
        "start_s": 0,
        "end_s": 5,
    },
    ("POST", "uploads"): {"seller": "{seller_id}", "name": "a.mp4", "size": 9, "modified_ms": 0},
}


def filled(body: dict[str, Any], ids: dict[str, Any]) -> dict[str, Any]:
    """The body with what there is in the estate."""
    text = re.sub(r'"{(\w+)}"', lambda found: json.dumps(str(ids[found[1]])), json.dumps(body))
    made: dict[str, Any] = json.loads(text)
    return made
