"""Notes beside a lesson: Markdown as people write it, never HTML of theirs.

CommonMark without raw HTML; pictures are files beside the lesson, not other people's servers.
"""

from __future__ import annotations

from functools import lru_cache

from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict

from core.errors import InvalidInput
from core.text import clean_line

NOTES_LENGTH = 6000
# A long address that is named once and used everywhere would be a page of megabytes.
HTML_LENGTH = 100_000
# A page has one title, and a section's: what people write as "# Title" is below both.
DEEPER = 2


def clean_notes(text: str) -> str:
    """The notes as they are kept: each line clean, its indent with it.

    Raises `InvalidInput` if they are too long, or the page that they become.
    """
    if len(text) > 2 * NOTES_LENGTH:
        raise _too_long()
    lines = (line.replace("\t", "    ") for line in text.splitlines())
    kept = "\n".join(_clean(line) for line in lines).strip("\n")
    if len(kept) > NOTES_LENGTH:
        raise _too_long()
    if len(rendered(kept)) > HTML_LENGTH:
        text = _("These notes become too long a page. Use each long link once.")
        raise InvalidInput(text, field="notes")
    return kept


def _clean(line: str) -> str:
    """As `clean_line`, which takes spaces away: those before a line are what makes lists deep."""
    indent = len(line) - len(line.lstrip(" "))
    return " " * indent + clean_line(line, "notes", longest=2 * NOTES_LENGTH, shortest=0)


def _too_long() -> InvalidInput:
    text = _("Please use at most %(count)d characters for the notes.")
    return InvalidInput(text % {"count": NOTES_LENGTH}, field="notes")


def rendered(text: str) -> SafeString:
    """The notes as HTML in which every tag and attribute is ours."""
    return SafeString(_markdown().render(text))


@lru_cache(maxsize=1)
def _markdown() -> MarkdownIt:
    made = MarkdownIt("commonmark", {"html": False, "maxNesting": 20}).enable("table")
    made.disable(["image", "html_block", "html_inline"])
    for name in ("heading_open", "heading_close"):
        made.add_render_rule(name, _heading)
    made.add_render_rule("link_open", _link)
    return made


def _heading(
    renderer: RendererHTML, tokens: list[Token], place: int, options: OptionsDict, env: EnvType
) -> str:
    token = tokens[place]
    token.tag = f"h{min(6, int(token.tag[1]) + DEEPER)}"
    return renderer.renderToken(tokens, place, options, env)


def _link(
    renderer: RendererHTML, tokens: list[Token], place: int, options: OptionsDict, env: EnvType
) -> str:
    tokens[place].attrSet("rel", "noopener noreferrer nofollow")
    return renderer.renderToken(tokens, place, options, env)
