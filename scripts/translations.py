"""Translations: `compile` them, `update` them from the code, `check` that nothing is missing.

Babel does all of it, which the product has anyway: Django's `makemessages` would need GNU gettext
on every machine that checks.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.utils.translation.template import templatize

ROOT = Path(__file__).resolve().parent.parent
LOCALES = ROOT / "livecommerce/locale"
LANGUAGES = ("zh_Hans",)
PACKAGES = ("livecommerce", "core", "sellers", "orders", "media_pipeline", "streams", "courses")
# Scripts in the browser get a catalogue of their own, which holds nothing that they do not say.
SUFFIXES = {"django": (".py", ".html", ".txt"), "djangojs": (".js",)}
KEYWORDS = {
    **dict.fromkeys(("_", "gettext", "gettext_lazy", "gettext_noop")),
    **dict.fromkeys(("ngettext", "ngettext_lazy"), (1, 2)),
    **dict.fromkeys(("pgettext", "pgettext_lazy"), ((1, "c"), 2)),
    **dict.fromkeys(("npgettext", "npgettext_lazy"), ((1, "c"), 2, 3)),
}


def sources() -> list[Path]:
    return sorted(LOCALES.glob("*/LC_MESSAGES/*.po"))


def catalog(source: Path) -> Catalog:
    with source.open("rb") as file:
        return read_po(file, locale=source.parts[-3])


def compile_all() -> int:
    for source in sources():
        with source.with_suffix(".mo").open("wb") as file:
            write_mo(file, catalog(source))
    return 0


def check_all() -> int:
    """Say what is missing, left over, guessed or has other placeholders than the text it is of."""
    faults = [fault for source in sources() for fault in faults_of(source)]
    print("\n".join(faults) or f"translations: {len(sources())} files, nothing missing")
    return 1 if faults else 0


def faults_of(source: Path) -> Iterator[str]:
    where = source.relative_to(ROOT)
    messages, said = catalog(source), said_in_code(source.stem)
    for text in texts(said) - texts(messages):
        yield f"{where}: {text!r}: is not there yet (make messages)"
    for text in {*texts(messages), *messages.obsolete} - texts(said):
        yield f"{where}: {text!r}: is said nowhere (make messages)"
    for message in messages:
        if message.id:
            yield from (f"{where}: {message.id!r}: {why}" for why in faults_in(message, messages))


def texts(messages: Catalog) -> set[object]:
    """The texts to translate: a singular and its plural are one, the header is none."""
    return {message.id for message in messages if message.id}


def faults_in(message: Message, messages: Catalog) -> Iterator[str]:
    texts = message.string if isinstance(message.string, (tuple, list)) else [message.string]
    if not all(texts):
        yield "is not translated"
    if message.fuzzy:
        yield "was guessed (fuzzy): look at it and take the mark away"
    yield from (str(error) for error in message.check(messages))


def said_in_code(domain: str) -> Catalog:
    """Every text that the code marks for translation, in the order of the files."""
    found = Catalog()
    for path in code(SUFFIXES[domain]):
        for _line, text, _comments, context in marked_in(path):
            found.add(text, context=context)
    return found


def code(suffixes: tuple[str, ...]) -> Iterator[Path]:
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*")):
            if path.suffix in suffixes and "vendor" not in path.parts:
                yield path


def marked_in(path: Path) -> Iterator[tuple[int, str | tuple[str, ...], list[str], str | None]]:
    text, method = path.read_text(encoding="utf-8"), "javascript"
    if path.suffix == ".py":
        method = "python"
    elif path.suffix != ".js":
        # Django turns tags into calls amid rubbish, which the reader of scripts minds least.
        text = templatize(text, origin=str(path))
    options = {"parse_template_string": path.suffix == ".js", "encoding": "utf-8"}
    yield from extract(method, io.BytesIO(text.encode()), KEYWORDS, options=options)


def update() -> int:
    """Bring the catalogues to what the code says; new texts are left empty, none is guessed."""
    for language in LANGUAGES:
        for domain in SUFFIXES:
            source = LOCALES / language / "LC_MESSAGES" / f"{domain}.po"
            source.parent.mkdir(parents=True, exist_ok=True)
            messages = catalog(source) if source.exists() else Catalog(locale=language)
            said = said_in_code(domain)
            messages.update(said, no_fuzzy_matching=True, update_creation_date=False)
            with source.open("wb") as file:
                write_po(file, messages, width=0, no_location=True, ignore_obsolete=True)
            print(f"translations: {source.relative_to(ROOT)}: {len(said)} texts")
    return 0


if __name__ == "__main__":
    commands = {"compile": compile_all, "check": check_all, "update": update}
    if len(sys.argv) != 2 or sys.argv[1] not in commands:
        sys.exit(f"translations: say one of {', '.join(commands)}")
    sys.exit(commands[sys.argv[1]]())
