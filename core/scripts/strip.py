"""A script without what only people read: its comments and indents.

It knows as much of the language as that takes: strings, templates and regular expressions, in
which nothing is a comment. The tests compare it with what TypeScript's own scanner reads.
"""

from __future__ import annotations

import re

PIECE = re.compile(
    r"""
      (?P<comment> //[^\n]* | /\*.*?\*/ )
    | (?P<string> "(?:\\.|[^"\\\n])*" | '(?:\\.|[^'\\\n])*' )
    | (?P<template> ` )
    | (?P<regex> /(?![/*])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\[\n])+/[a-z]* )
    | (?P<open> \{ )
    | (?P<close> \} )
    | (?P<space> \s+ )
    | (?P<word> [\w$]+ )
    | (?P<sign> . )
    """,
    re.VERBOSE | re.DOTALL,
)
TEMPLATE_TEXT = re.compile(r"(?:\\.|\$(?!\{)|[^`\\$])*", re.DOTALL)
# After these a slash divides; after anything else it begins a regular expression.
ENDS_A_VALUE = re.compile(r"[\w$)\]}\"'`]$")
BEFORE_A_REGEX = re.compile(r"(?:^|[^\w$.])(?:return|typeof|case|in|of|void|delete|await|yield)$")


def stripped(source: str) -> str:
    """The same program. Raises `ValueError` where a string or template does not end."""
    said: list[str] = []
    at, _depth = _code(source, 0, said, is_inside=False)
    if at != len(source):
        raise ValueError(f"a bracket closes at {at} that nothing opened")
    return "".join(said).strip() + "\n"


def _code(source: str, at: int, said: list[str], *, is_inside: bool) -> tuple[int, int]:
    """Copy code from `at`; of a template's `${…}` (`is_inside`) up to the bracket that ends it."""
    depth = 0
    while at < len(source):
        found = _here(PIECE, source, at)
        kind, text = found.lastgroup, found.group()
        if kind == "regex" and _divides(said):
            kind, text = "sign", "/"
        if kind == "close" and depth == 0 and is_inside:
            return at, depth
        depth += (kind == "open") - (kind == "close")
        at += len(text)
        if kind == "template":
            at = _template(source, at, said)
        elif kind in ("comment", "space"):
            _leave_space(said, text)
        else:
            said.append(text)
    return at, depth


def _template(source: str, at: int, said: list[str]) -> int:
    said.append("`")
    while True:
        found = _here(TEMPLATE_TEXT, source, at)
        said.append(found.group())
        at = found.end()
        if source.startswith("`", at):
            said.append("`")
            return at + 1
        if not source.startswith("${", at):
            raise ValueError("a template does not end")
        said.append("${")
        at, _depth = _code(source, at + 2, said, is_inside=True)
        said.append("}")
        at += 1


def _here(pattern: re.Pattern[str], source: str, at: int) -> re.Match[str]:
    found = pattern.match(source, at)
    if found is None:  # one takes any character, the other none, too
        raise ValueError(f"nothing can be read at {at}")
    return found


def _leave_space(said: list[str], text: str) -> None:
    """One space or, where the language may need it to end a statement, one line's end."""
    gap = "\n" if "\n" in text else " "
    if not said or said[-1] == "\n":
        return
    if said[-1] == " ":
        said[-1] = gap
    else:
        said.append(gap)


def _divides(said: list[str]) -> bool:
    before = "".join(said[-4:]).rstrip()
    return bool(ENDS_A_VALUE.search(before)) and not BEFORE_A_REGEX.search(before)
