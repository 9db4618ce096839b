"""A page's modules as one: it arrives in one answer, and after one round trip instead of six.

Each module becomes a function of its own that is called once, in the order in which a browser
would. What is imported while the page runs (`import("./x.js")`) is joined
for itself, and has its own copy of what both need.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable
from dataclasses import dataclass, field

from core.scripts.strip import stripped

IMPORT = re.compile(r'^import\s*(?:\{([^}]*)\}\s*from\s*)?"(\.[^"]+)";?\n?', re.MULTILINE)
PASSED_ON = re.compile(r'^export\s*\{([^}]*)\}\s*from\s*"(\.[^"]+)";?\n?', re.MULTILINE)
EXPORT = re.compile(
    r"^export\s+(?=(?:async\s+function|function|class|const)\s+([\w$]+))", re.MULTILINE
)
LATER = re.compile(r'\bimport\("(\.[^"]+)"\)')
HERE = "import.meta.url"
NOT_OURS = re.compile(r"^(?:import|export)\b(?!\()", re.MULTILINE)


class CannotJoin(ValueError):
    """A module is written in a way that this does not know, or needs itself."""


@dataclass(slots=True)
class _Joining:
    entry: str
    read: Callable[[str], str]
    names: dict[str, str] = field(default_factory=dict)
    parts: list[str] = field(default_factory=list)
    open: set[str] = field(default_factory=set)


def joined(entry: str, read: Callable[[str], str]) -> str:
    """The module `entry` ("streams/room.js") with everything that it imports.

    `read` gives the text of a module by such a name. Raises `CannotJoin`.
    """
    joining = _Joining(entry, read)
    _add(joining, entry)
    return "".join(joining.parts)


def later(entry: str, text: str) -> list[str]:
    """The modules that the joined `entry` fetches while it runs, by their names."""
    home = posixpath.dirname(entry)
    paths = (found[1].replace(".joined.js", ".js") for found in LATER.finditer(text))
    return [posixpath.normpath(posixpath.join(home, path)) for path in paths]


def _add(joining: _Joining, name: str) -> str:
    """Put the module in after those that it needs; the name of what it exports."""
    if name in joining.open:
        raise CannotJoin(f"{name} imports itself by a detour")
    if name in joining.names:
        return joining.names[name]
    joining.open.add(name)
    body, exported = _rewritten(joining, name, stripped(joining.read(name)))
    joining.open.discard(name)
    alias = joining.names[name] = f"$m{len(joining.names)}"
    if name == joining.entry:  # which another page script may import while it runs
        joining.parts += [body, *(_given(one) for one in exported)]
    else:
        given = ", ".join(exported)
        joining.parts.append(f"const {alias} = (() => {{\n{body}return {{ {given} }};\n}})();\n")
    return alias


def _rewritten(joining: _Joining, name: str, text: str) -> tuple[str, list[str]]:
    folder = posixpath.dirname(name)
    exported: list[str] = []

    def needed(path: str) -> str:
        return _add(joining, posixpath.normpath(posixpath.join(folder, path)))

    def taken(found: re.Match[str]) -> str:
        alias = needed(found[2])
        names = ", ".join(_pair(one, ": ") for one in _listed(found[1] or ""))
        return f"const {{ {names} }} = {alias};\n" if names else ""

    def passed_on(found: re.Match[str]) -> str:
        alias = needed(found[2])
        for one in _listed(found[1]):
            inner, _as, outer = one.partition(" as ")
            exported.append(f"{outer or inner}: {alias}.{inner}")
        return ""

    text = PASSED_ON.sub(passed_on, IMPORT.sub(taken, text))
    exported += [found[1] for found in EXPORT.finditer(text)]
    text = EXPORT.sub("", text)
    if NOT_OURS.search(text):
        raise CannotJoin(f"{name} imports or exports in a way that is not known here")
    return _placed(joining, folder, name, text), exported


def _placed(joining: _Joining, folder: str, name: str, text: str) -> str:
    """Addresses beside the module, as they are from where the joined file is."""
    home = posixpath.dirname(joining.entry)

    def later(found: re.Match[str]) -> str:
        path = posixpath.relpath(posixpath.normpath(posixpath.join(folder, found[1])), home or ".")
        path = path.removesuffix(".js") + ".joined.js"
        return f'import("{path if path.startswith(".") else "./" + path}")'

    here = posixpath.relpath(name, home or ".")
    return LATER.sub(later, text).replace(HERE, f'new URL("{here}", import.meta.url)')


def _given(one: str) -> str:
    """What the joined file itself exports: a name of its own, or `outer: $m1.inner`."""
    outer, is_passed_on, inner = one.partition(": ")
    return f"export const {outer} = {inner};\n" if is_passed_on else f"export {{ {one} }};\n"


def _listed(names: str) -> list[str]:
    return [" ".join(one.split()) for one in names.split(",") if one.strip()]


def _pair(one: str, sign: str) -> str:
    inner, is_as, outer = one.partition(" as ")
    return f"{inner}{sign}{outer}" if is_as else inner
