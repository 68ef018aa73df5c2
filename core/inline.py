"""The one inline style and the one inline script of a shopper's page, and the policy that admits just these two."""

import hashlib
import re
from base64 import b64encode
from dataclasses import dataclass
from functools import lru_cache

from csp.constants import NONE, SELF
from csp.utils import build_policy
from django.http import HttpResponse
from django.template.loader import render_to_string
from django.utils.safestring import SafeString, mark_safe

from core.look import look
from core.theme import WHITE, readable_ink, readable_on

# The page under the accent, as templates/shopper/_style.css has it.
_LIGHT_PAPER, _DARK_PAPER = "#ffffff", "#14171b"


@dataclass(frozen=True)
class Block:
    """Text between `<style>` or `<script>` tags, and the CSP source that admits exactly this text."""

    text: SafeString
    source: str

    @classmethod
    def of(cls, text: str) -> "Block":
        digest = b64encode(hashlib.sha256(text.encode()).digest()).decode()
        return cls(mark_safe(text), f"'sha256-{digest}'")  # noqa: S308  (our own file)


def _squeeze_style(css: str) -> str:
    css = re.sub(r"/\*.*?\*/", "", css, flags=re.DOTALL)
    css = re.sub(r"\s+", " ", css)
    return re.sub(r" ?([{};,>]) ?", r"\1", css).replace(": ", ":").replace(";}", "}").strip()


def _squeeze_script(script: str) -> str:
    """Comment lines and indentation go; what is within a line stays as written."""
    lines = (line.strip() for line in script.splitlines())
    return "\n".join(line for line in lines if line and not line.startswith("//"))


@dataclass(frozen=True)
class Shade:
    """A surface in a colour of the chain, the words upon it, and its edge, which words upon the page have as well."""

    fill: str
    ink: str
    edge: str


def accents(colour: str) -> tuple[Shade, Shade]:
    """The chain's first colour: on light pages as it is, with an edge as far from the paper as words must be; on dark
    ones as bright as its edge."""
    edge, bright = readable_on(_LIGHT_PAPER, colour), readable_on(_DARK_PAPER, colour)
    return Shade(colour, readable_ink(colour), edge), Shade(bright, readable_ink(bright), bright)


def heads(colour: str) -> tuple[Shade, Shade]:
    """Its second one, behind the head of a page: as it is on light pages, and on dark ones so deep that it is calm."""
    deep = readable_on(WHITE, colour)
    return Shade(colour, readable_ink(colour), colour), Shade(deep, WHITE, deep)


@lru_cache
def style(template: str, accent: str, second: str) -> Block:
    """The style of a template file, in the chain's colours; they are the same where there is no second one."""
    light, dark = accents(accent)
    shades: dict[str, object] = {"accent": light, "dark_accent": dark}
    if second != accent:
        shades["head"], shades["dark_head"] = heads(second)
    return Block.of(_squeeze_style(render_to_string(template, shades)))


@lru_cache
def script(template: str) -> Block:
    """The script of a template file."""
    return Block.of(_squeeze_script(render_to_string(template)))


def page_style() -> Block:
    """The style of every shopper's page."""
    worn = look()
    return style("shopper/_style.css", worn.accent, worn.second)


@lru_cache
def page_script(*, screens: bool = False) -> Block:
    """The script of the page that asks; `screens`: of one that asks on several, one after the other."""
    plain = script("shopper/_script.js")
    return Block.of(f"{script('shopper/_screens.js').text}\n{plain.text}") if screens else plain


def admit(response: HttpResponse, *, style: Block, script: Block | None = None) -> HttpResponse:
    """Let a page run these blocks and nothing else: no style or script from a file, not even ours."""
    response.headers["Content-Security-Policy"] = _policy(style.source, script.source if script else NONE)
    return response


@lru_cache(maxsize=64)
def _policy(style_source: str, script_source: str) -> str:
    sources = {"style-src": [style_source], "script-src": [script_source], "connect-src": [SELF]}
    return build_policy(replace=sources)
