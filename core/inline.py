"""The one inline style and the one inline script of a shopper's page, and the policy that admits just these two."""

import hashlib
import re
from base64 import b64encode
from dataclasses import dataclass
from functools import lru_cache

from csp.constants import NONE, SELF
from csp.utils import build_policy
from django.conf import settings
from django.http import HttpResponse
from django.template.loader import render_to_string
from django.utils.safestring import SafeString, mark_safe

from core.theme import INK, WHITE, contrast, readable_on

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


@lru_cache
def style(template: str, colour: str) -> Block:
    """The style of a template file, in the chain's colour."""
    light, dark = readable_on(_LIGHT_PAPER, colour), readable_on(_DARK_PAPER, colour)
    shades = {
        "light": light,
        "on_light": max((WHITE, INK), key=lambda ink: contrast(ink, light)),
        "dark": dark,
        "on_dark": max((WHITE, INK), key=lambda ink: contrast(ink, dark)),
    }
    return Block.of(_squeeze_style(render_to_string(template, {"accent": shades})))


@lru_cache
def script(template: str) -> Block:
    """The script of a template file."""
    return Block.of(_squeeze_script(render_to_string(template)))


def page_style() -> Block:
    """The style of every shopper's page."""
    return style("shopper/_style.css", settings.CHAIN_ACCENT)


def page_script() -> Block:
    """The script of the page that asks."""
    return script("shopper/_script.js")


def admit(response: HttpResponse, *, style: Block, script: Block | None = None) -> HttpResponse:
    """Let a page run these blocks and nothing else: no style or script from a file, not even ours."""
    response.headers["Content-Security-Policy"] = _policy(style.source, script.source if script else NONE)
    return response


@lru_cache(maxsize=64)
def _policy(style_source: str, script_source: str) -> str:
    sources = {"style-src": [style_source], "script-src": [script_source], "connect-src": [SELF]}
    return build_policy(replace=sources)
