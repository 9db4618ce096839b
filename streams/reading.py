"""Reading what clients send, and answering what cannot be read."""

from __future__ import annotations

import msgspec
from django.utils.translation import gettext as _
from msgspec import UNSET

from core.errors import AppError, InvalidInput
from core.realtime.strict import decode
from streams.protocol import (
    COMMANDS,
    LONGEST_FRAME,
    Command,
    Envelope,
    ErrorAnswer,
    ErrorBody,
    FirstFrame,
)


class UnknownCommand(AppError):
    """There is no command of this name."""

    code = "unknown_command"


class FrameRefused(Exception):
    """A frame that is no command, with the answer to it."""

    def __init__(self, command_id: int | None, error: AppError) -> None:
        super().__init__(error.message)
        self.command_id = command_id
        self.error = error


def read_command(text: str) -> tuple[int, Command]:
    """The command in a frame and its id; raises `FrameRefused`, which names the field."""
    try:
        envelope = decode(_short_enough(text), Envelope)
    except InvalidInput as error:
        raise FrameRefused(_readable_id(text), error) from error
    kind = COMMANDS.get(envelope.do)
    if kind is None:
        refusal = UnknownCommand(_("There is no such command."), field="do")
        raise FrameRefused(envelope.id, refusal)
    try:
        return envelope.id, decode(envelope.data, kind)
    except InvalidInput as error:
        raise FrameRefused(envelope.id, error) from error


def read_first_frame(text: str) -> FirstFrame:
    """Who comes: a ticket, a resume token, or both; raises `FrameRefused`."""
    try:
        frame = decode(_short_enough(text), FirstFrame)
        if frame.ticket is UNSET and frame.resume is UNSET:
            raise InvalidInput(_("Please say who you are."), field="ticket")
    except InvalidInput as error:
        raise FrameRefused(None, error) from error
    return frame


def answer_error(command_id: int | None, error: AppError) -> ErrorAnswer:
    body = ErrorBody(
        code=error.code,
        message=error.message,
        field=error.field,
        retry_after=None if error.retry_after is None else round(error.retry_after, 1),
        details=error.details,
    )
    return ErrorAnswer(command_id, body)


def _short_enough(text: str) -> str:
    too_long = len(text) > LONGEST_FRAME  # says so of a very long one without a second copy of it
    if too_long or len(text.encode("utf-8", "surrogatepass")) > LONGEST_FRAME:
        raise InvalidInput(_("This message is too long."))
    return text


def _readable_id(text: str) -> int | None:
    """The id of a frame that is wrong in another place, so that its sender learns of it."""
    if len(text) > LONGEST_FRAME:
        return None
    try:
        found = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None
    command_id = found.get("id") if isinstance(found, dict) else None
    if not isinstance(command_id, int) or isinstance(command_id, bool):
        return None
    return command_id if 0 <= command_id < 2**53 else None
