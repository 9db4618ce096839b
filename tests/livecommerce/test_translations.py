"""Everything that people read is there in Chinese, on pages, in scripts and from the API."""

from __future__ import annotations

import json
import re
from pathlib import Path
from types import ModuleType

import polib
import pytest
from django.test import Client

from tests.livecommerce.command import ROOT, script
from tests.world import World

CATALOGUES = sorted(ROOT.glob("livecommerce/locale/*/LC_MESSAGES/*.po"))
PLACEHOLDER = re.compile(r"%\(\w+\)[ds]|%[ds]|</?\w+>")
HEADER = """\
msgid ""
msgstr ""
"Language: zh_Hans\\n"
"Plural-Forms: nplurals=1; plural=0;\\n"
"Content-Type: text/plain; charset=UTF-8\\n"

"""
BOXES = '#, python-format\nmsgid "%(count)s boxes"\nmsgstr "%(count)s 箱"\n'
BUY = 'msgid "Buy"\nmsgstr "买"\n'


def named(path: Path) -> str:
    return path.stem


def translated(entry: polib.POEntry) -> list[str]:
    return list(entry.msgstr_plural.values()) if entry.msgid_plural else [entry.msgstr]


@pytest.mark.parametrize("path", CATALOGUES, ids=named)
def test_every_text_is_translated_and_none_is_guessed(path: Path) -> None:
    catalogue = polib.pofile(str(path))
    assert len(catalogue) > 50
    assert [entry.msgid for entry in catalogue if not all(translated(entry))] == []
    assert catalogue.fuzzy_entries() == []
    assert catalogue.obsolete_entries() == []


@pytest.mark.parametrize("path", CATALOGUES, ids=named)
def test_translations_keep_placeholders_and_markup(path: Path) -> None:
    """Unnamed ones in their order: they are filled by place. Chinese has one form: the plural's."""
    for entry in polib.pofile(str(path)):
        wanted = PLACEHOLDER.findall(entry.msgid_plural or entry.msgid)
        for text in translated(entry):
            found = PLACEHOLDER.findall(text)
            assert sorted(found) == sorted(wanted), entry.msgid
            assert [one for one in found if one in ("%s", "%d")] == [
                one for one in wanted if one in ("%s", "%d")
            ], entry.msgid


def test_the_catalogues_are_what_the_code_says(capsys: pytest.CaptureFixture[str]) -> None:
    code = script("translations").check_all()
    assert (code, capsys.readouterr().out) == (0, "translations: 2 files, nothing missing\n")


@pytest.fixture
def translations(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> ModuleType:
    """The translations' script, on a product of its own that says two things."""
    module = script("translations")
    monkeypatch.setattr(module, "ROOT", tmp_path)
    monkeypatch.setattr(module, "LOCALES", tmp_path / "locale")
    (tmp_path / "streams").mkdir()
    page = "{% load i18n %}<p title=\"{% translate 'Buy' %}\">don't</p>"
    (tmp_path / "streams/room.html").write_text(page, encoding="utf-8")
    line = 'BOXES = gettext("%(count)s boxes")\n'
    (tmp_path / "streams/texts.py").write_text(line, encoding="utf-8")
    return module


def catalogue(folder: Path, messages: str) -> Path:
    path = folder / "locale/zh_Hans/LC_MESSAGES/django.po"
    path.parent.mkdir(parents=True)
    path.write_text(HEADER + messages, encoding="utf-8")
    return path


def test_they_are_compiled(translations: ModuleType, tmp_path: Path) -> None:
    source = catalogue(tmp_path, BOXES + "\n" + BUY)
    assert translations.check_all() == 0
    assert translations.compile_all() == 0
    assert "箱".encode() in source.with_suffix(".mo").read_bytes()


@pytest.mark.parametrize(
    ("messages", "fault"),
    [
        (BOXES, "'Buy': is not there yet"),
        (BOXES + "\n" + BUY + '\nmsgid "Sell"\nmsgstr "卖"\n', "'Sell': is said nowhere"),
        (BOXES + "\n" + BUY + '\n#~ msgid "Sell"\n#~ msgstr "卖"\n', "'Sell': is said nowhere"),
        (BOXES + "\n" + BUY.replace("买", ""), "'Buy': is not translated"),
        (BOXES + "\n#, fuzzy\n" + BUY, "'Buy': was guessed (fuzzy)"),
        (BUY + "\n" + BOXES.replace("%(count)s 箱", "%(number)s 箱"), "%(count)s boxes"),
    ],
)
def test_a_translation_at_fault_is_named(
    messages: str,
    fault: str,
    translations: ModuleType,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    catalogue(tmp_path, messages)
    assert translations.check_all() == 1
    assert fault in capsys.readouterr().out


def test_new_texts_are_collected_and_old_ones_kept(
    translations: ModuleType, tmp_path: Path
) -> None:
    path = catalogue(tmp_path, BUY + '\nmsgid "Sell"\nmsgstr "卖"\n')
    translations.update()
    found = {entry.msgid: entry.msgstr for entry in polib.pofile(str(path))}
    assert found == {"Buy": "买", "%(count)s boxes": ""}


@pytest.fixture
def visitor(db: None) -> Client:
    """Somebody whose browser says that she reads Chinese."""
    return Client(headers={"accept-language": "zh-CN,zh;q=0.9"})


def test_a_browser_that_reads_chinese_gets_chinese(visitor: Client) -> None:
    page = visitor.get("/").content.decode()
    assert '<html lang="zh-hans">' in page
    assert "看直播" in page
    assert "What's on" not in page


def test_scripts_speak_it_too_and_carry_only_their_own_texts(visitor: Client) -> None:
    answer = visitor.get("/jsi18n/").content.decode()
    found = re.search(r"const newcatalog = (\{.*?\});", answer, re.DOTALL)
    assert found is not None
    texts = json.loads(found[1])
    assert texts["Order"] == "下单"
    assert len(texts) == len(polib.pofile(str(CATALOGUES[-1])))


def test_the_api_explains_input_in_the_readers_language(visitor: Client, world: World) -> None:
    visitor.force_login(world.li)
    answer = visitor.post("/api/v1/courses", data={}, content_type="application/json")
    assert answer.status_code == 422
    assert {"field": "title", "message": "请填写这一项。"} in answer.json()["errors"]
