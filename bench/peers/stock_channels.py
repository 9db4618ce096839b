"""The room on stock Channels, as its documentation shows a chat: `group_send` over Redis pub/sub.

Served by `daphne bench.peers.stock_channels:application`; `PEER_REDIS` names the Redis.
"""

from __future__ import annotations

import itertools
import json
import os
from datetime import UTC, datetime
from typing import Any

from django.conf import settings

settings.configure(
    CHANNEL_LAYERS={
        "default": {
            "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
            "CONFIG": {"hosts": [os.environ["PEER_REDIS"]]},
        }
    },
    SECRET_KEY="of no use here",
    ALLOWED_HOSTS=["*"],
)

import django  # noqa: E402

django.setup()

from channels.generic.websocket import AsyncWebsocketConsumer  # noqa: E402
from channels.routing import ProtocolTypeRouter  # noqa: E402

ROOM = "room"
SPEAKER = {"name": "Li", "user_id": "0198c0de-0000-7000-8000-000000000001", "role": "viewer"}
KINDS = {
    "chat.send": "chat.message",
    "product.pin": "product.pinned",
    "product.unpin": "product.unpinned",
}
places = itertools.count(1)


class RoomConsumer(AsyncWebsocketConsumer):  # type: ignore[misc]
    async def connect(self) -> None:
        await self.channel_layer.group_add(ROOM, self.channel_name)
        await self.accept()

    async def disconnect(self, code: int) -> None:
        await self.channel_layer.group_discard(ROOM, self.channel_name)

    async def receive(self, text_data: str = "", bytes_data: bytes | None = None) -> None:
        command = json.loads(text_data)
        if "id" not in command:
            await self.send(text_data=json.dumps({"hello": {"epoch": "0", "seq": 0}}))
            return
        seq = next(places)
        frame = frame_of(seq, command["do"], command["data"])
        await self.channel_layer.group_send(ROOM, {"type": "room.told", "text": frame})
        await self.send(text_data=json.dumps({"id": command["id"], "ok": {"seq": seq}}))

    async def room_told(self, event: dict[str, str]) -> None:
        await self.send(text_data=event["text"])


def frame_of(seq: int, command: str, data: dict[str, Any]) -> str:
    """Encoded once, by whoever says it: the consumers only pass it on."""
    event = {
        "seq": seq,
        "at": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "type": KINDS[command],
        "data": {**data, **SPEAKER} if command == "chat.send" else data,
    }
    return json.dumps({"from": seq, "to": seq, "events": [event]}, separators=(",", ":"))


application = ProtocolTypeRouter({"websocket": RoomConsumer.as_asgi()})
