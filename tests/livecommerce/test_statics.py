"""Scripts and style sheets arrive small and are kept; what they say and do stays the same."""

from __future__ import annotations

import gzip
import json
import re
import shutil
import subprocess
from pathlib import Path

import brotli
import pytest
from django.conf import LazySettings
from django.contrib.staticfiles.storage import staticfiles_storage
from django.http import HttpResponse
from django.test import Client, RequestFactory

from core.scripts.join import CannotJoin, joined, later
from core.scripts.strip import stripped
from livecommerce.compression import CompressionMiddleware
from livecommerce.statics import serving, texts
from livecommerce.statics.serving import StaticMiddleware
from tests.server import ROOT

# What TypeScript reads of each pair of files, without comments, must be the same.
ORACLE = """
import ts from "%s";
import fs from "node:fs";
const options = { target: "ESNext", module: "ESNext", removeComments: true };
const said = (file) => fs.readFileSync(file, "utf8");
const read = (file) => ts.transpileModule(said(file), { compilerOptions: options })
  .outputText.replace(/\\s+/g, " ");
const pairs = JSON.parse(fs.readFileSync(process.argv[2], "utf8"));
console.log(JSON.stringify(pairs.filter(([whole, small]) => read(whole) !== read(small))));
"""


def ours() -> dict[str, Path]:
    found = serving._found()
    return {
        name: path
        for name, path in found.items()
        if path.suffix == ".js" and not name.startswith(serving.OTHERS)
    }


def test_a_stripped_script_is_the_same_program(tmp_path: Path) -> None:
    node = shutil.which("node")
    assert node, "Node.js is what set-up fetches hls.js with"
    pairs = []
    for name, path in ours().items():
        small = tmp_path / name.replace("/", "__")
        small.write_text(stripped(path.read_text()))
        pairs.append([str(path), str(small)])
    listed, oracle = tmp_path / "pairs.json", tmp_path / "oracle.mjs"
    listed.write_text(json.dumps(pairs))
    oracle.write_text(ORACLE % (ROOT / "node_modules/typescript/lib/typescript.js"))
    told = subprocess.run([node, oracle, listed], capture_output=True, check=True, timeout=120)
    assert len(pairs) > 50
    assert json.loads(told.stdout) == []


@pytest.mark.parametrize(
    ("source", "small"),
    [
        ("const a = 6 / 2; // half\n", "const a = 6 / 2;\n"),
        ('const url = "https://x"; /* why */ f(url)', 'const url = "https://x"; f(url)\n'),
        ("x.split(/\\/\\*|['\"`]/g) // no comment in it", "x.split(/\\/\\*|['\"`]/g)\n"),
        ("`a // ${b /* c */ + `${d}`} \\` e`", "`a // ${b + `${d}`} \\` e`\n"),
        ("return /a{2}/.test(b) / 2;", "return /a{2}/.test(b) / 2;\n"),
    ],
)
def test_only_comments_go(source: str, small: str) -> None:
    assert stripped(source) == small


MODULES = {
    "a/main.js": 'import { twice, Deep as D } from "../b/help.js";\nimport "./aside.js";\n'
    "globalThis.said.push(twice(2), new D().name, import.meta.url === undefined);\n"
    'export const later = () => import("./late.js");\n',
    "a/aside.js": 'globalThis.said.push("aside");\n',
    "b/help.js": 'import { two } from "./two.js";\nexport { Deep } from "./two.js";\n'
    "export function twice(n) {\n  return two * n;\n}\n"
    'export const there = () => import("./far.js");\n',
    "b/two.js": 'export const two = 2;\nexport class Deep {\n  name = "deep";\n}\n',
}


def test_a_joined_module_does_what_its_modules_did(tmp_path: Path) -> None:
    node = shutil.which("node")
    assert node
    text = joined("a/main.js", MODULES.__getitem__)
    script = tmp_path / "main.mjs"
    script.write_text(f"globalThis.said = [];\n{text}\nconsole.log(JSON.stringify(said));\n")
    told = subprocess.run([node, script], capture_output=True, check=True, timeout=60)
    assert json.loads(told.stdout) == ["aside", 4, "deep", False]
    assert 'import("./late.joined.js")' in text
    assert 'import("../b/far.joined.js")' in text


def test_a_module_that_is_fetched_later_gives_what_it_gave(tmp_path: Path) -> None:
    node = shutil.which("node")
    assert node
    late = tmp_path / "late.mjs"
    late.write_text(joined("b/help.js", MODULES.__getitem__))
    asks = f"const it = await import({str(late)!r}); console.log(it.twice(3), new it.Deep().name);"
    done = subprocess.run(
        [node, "--input-type=module", "-e", asks], capture_output=True, check=True, timeout=60
    )
    assert done.stdout.split() == [b"6", b"deep"]


def test_what_a_module_fetches_later_is_known_by_name() -> None:
    assert later("a/main.js", joined("a/main.js", MODULES.__getitem__)) == ["b/far.js", "a/late.js"]


def test_modules_that_need_each_other_are_not_joined() -> None:
    circle = {"a.js": 'import { b } from "./b.js";\n', "b.js": 'import { a } from "./a.js";\n'}
    with pytest.raises(CannotJoin, match=r"a\.js imports itself"):
        joined("a.js", circle.__getitem__)
    with pytest.raises(CannotJoin, match="not known"):
        joined("x.js", {"x.js": "export default 1;\n"}.__getitem__)


@pytest.fixture
def kept(settings: LazySettings) -> StaticMiddleware:
    settings.WHITENOISE_AUTOREFRESH = False
    return StaticMiddleware(lambda request: HttpResponse("a page", status=404))


def test_a_file_is_asked_for_once(kept: StaticMiddleware, rf: RequestFactory) -> None:
    address = staticfiles_storage.url("streams/room.joined.js")
    assert re.fullmatch(r"/static/v[0-9a-f]{10}/streams/room\.joined\.js", address)
    answer = kept(rf.get(address, HTTP_ACCEPT_ENCODING="gzip, deflate, br"))
    assert isinstance(answer, HttpResponse)
    assert answer["Cache-Control"] == "max-age=31536000, public, immutable"
    assert answer["Content-Encoding"] == "br"
    text = brotli.decompress(answer.content).decode()
    assert 'import("./player-live.joined.js")' in text
    assert "from " + '"' not in text
    plain = kept(rf.get(address))
    assert isinstance(plain, HttpResponse)
    assert plain.content.decode() == text


@pytest.mark.parametrize(
    ("accepted", "coding"),
    [
        ("gzip, deflate, br, zstd", "br"),
        ("GZIP;q=1.0, identity;q=0.5", "gzip"),
        ("br;q=0, gzip", "gzip"),
        ("br; q=0.000, gzip;q=0", "identity"),
        ("brotli, xgzip", "identity"),
        ("", "identity"),
    ],
)
def test_a_browser_gets_what_it_can_read(
    kept: StaticMiddleware, rf: RequestFactory, accepted: str, coding: str
) -> None:
    address = staticfiles_storage.url("livecommerce/base.css")
    answer = kept(rf.get(address, HTTP_ACCEPT_ENCODING=accepted))
    assert isinstance(answer, HttpResponse)
    assert answer.get("Content-Encoding", "identity") == coding
    assert answer["Vary"] == "Accept-Encoding"
    assert int(answer["Content-Length"]) == len(answer.content)
    unpack = {"br": brotli.decompress, "gzip": gzip.decompress, "identity": bytes}[coding]
    assert unpack(answer.content).decode() == serving.stripped_style(
        serving.text_of("livecommerce/base.css")
    )


def test_of_another_version_it_is_kept_briefly(kept: StaticMiddleware, rf: RequestFactory) -> None:
    answer = kept(rf.get("/static/v0123456789/livecommerce/base.css"))
    assert answer["Cache-Control"] == "max-age=60, public"
    assert kept(rf.get("/static/v0123456789/no/such.css")).status_code == 404
    assert kept(rf.get(f"/static/{serving.version()}/../settings.py")).status_code == 404


def test_while_developing_a_script_is_itself(settings: LazySettings) -> None:
    settings.WHITENOISE_AUTOREFRESH = True
    assert staticfiles_storage.url("streams/room.joined.js") == "/static/streams/room.js"


@pytest.mark.django_db
def test_a_page_gets_the_texts_of_its_script(settings: LazySettings) -> None:
    settings.WHITENOISE_AUTOREFRESH = False
    whole = Client().get(texts.address("zh-hans"), HTTP_ACCEPT_LANGUAGE="en")
    room = Client().get(texts.address("zh-hans", "streams/room.joined.js"))
    assert "immutable" in whole["Cache-Control"]
    assert len(room.content) < len(whole.content) * 0.6
    assert "\\u" in room.content.decode()
    with_text = Client().get("/jsi18n/", {"for": "../../etc/passwd", "language": "zh-hans"})
    assert with_text.status_code == 200
    assert "Cache-Control" not in with_text


def test_pages_are_compressed_and_pictures_are_not(rf: RequestFactory) -> None:
    def answer(kind: str, size: int) -> HttpResponse:
        page = HttpResponse(b"a" * size, content_type=kind)
        packing = CompressionMiddleware(lambda request: page)
        said = packing(rf.get("/", HTTP_ACCEPT_ENCODING="gzip"))
        assert isinstance(said, HttpResponse)
        return said

    page = answer("text/html; charset=utf-8", 5000)
    assert page["Content-Encoding"] == "gzip"
    assert page["Vary"] == "Accept-Encoding"
    assert "Content-Encoding" not in answer("text/html", 500)
    assert "Content-Encoding" not in answer("image/png", 5000)
