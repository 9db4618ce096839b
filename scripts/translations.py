"""Translations: `compile` them, `update` them from the code, `check` that none is missing.

Compiling needs only Babel, which the product has anyway; `update` reads templates and scripts with
Django's own command, which needs GNU gettext.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

ROOT = Path(__file__).resolve().parent.parent
LOCALES = ROOT / "livecommerce/locale"
LANGUAGES = ("zh_Hans",)
NOT_OURS = (".venv", "node_modules", "build", "var", "tests", "bench", "scripts", "*/static/vendor")


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
    """Say every message that has no translation, a guessed one, or one with other placeholders."""
    faults = [fault for source in sources() for fault in faults_of(source)]
    print("\n".join(faults) or f"translations: {len(sources())} files, nothing missing")
    return 1 if faults else 0


def faults_of(source: Path) -> Iterator[str]:
    where = source.relative_to(ROOT)
    messages = catalog(source)
    for message in messages:
        if message.id:
            yield from (f"{where}: {message.id!r}: {why}" for why in faults_in(message, messages))


def faults_in(message: Message, messages: Catalog) -> Iterator[str]:
    texts = message.string if isinstance(message.string, (tuple, list)) else [message.string]
    if not all(texts):
        yield "is not translated"
    if message.fuzzy:
        yield "was guessed (fuzzy): look at it and take the mark away"
    yield from (str(error) for error in message.check(messages))


def update() -> int:
    if shutil.which("xgettext") is None:
        print("translations: install GNU gettext first (Debian, Ubuntu: apt install gettext)")
        return 1
    LOCALES.mkdir(exist_ok=True)
    common = ["--no-location", "--no-wrap", "--no-obsolete"]
    common += [f"--locale={language}" for language in LANGUAGES]
    common += [f"--ignore={pattern}" for pattern in NOT_OURS]
    for domain in ("django", "djangojs"):
        command = [sys.executable, "manage.py", "makemessages", f"--domain={domain}", *common]
        if code := subprocess.run(command, cwd=ROOT, check=False).returncode:
            return code
    return 0


if __name__ == "__main__":
    commands = {"compile": compile_all, "check": check_all, "update": update}
    if len(sys.argv) != 2 or sys.argv[1] not in commands:
        sys.exit(f"translations: say one of {', '.join(commands)}")
    sys.exit(commands[sys.argv[1]]())
