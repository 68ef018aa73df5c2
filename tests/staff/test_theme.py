"""The chain's colour can be read, whatever a chain chooses."""

import re

from django.conf import LazySettings
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from core.theme import DARK_SURFACE, LIGHT_SURFACE, READABLE, contrast, stylesheet

colours = st.integers(0, 0xFFFFFF).map(lambda number: f"#{number:06x}")


def test_contrast_is_that_of_wcag() -> None:
    assert round(contrast("#000000", "#ffffff"), 2) == 21
    assert round(contrast("#777777", "#ffffff"), 2) == 4.48
    assert contrast("#123456", "#123456") == 1


@given(colours)
def test_every_accent_is_readable(accent: str) -> None:
    light, dark = re.findall(r"--accent:(#\w{6});--on-accent:(#\w{6});--accent-text:(#\w{6})", stylesheet(accent))
    for (fill, on_fill, text), surface in ((light, LIGHT_SURFACE), (dark, DARK_SURFACE)):
        assert contrast(on_fill, fill) >= READABLE
        assert contrast(text, surface) >= READABLE
    assert light[0] == accent


def test_the_stylesheet_is_public_and_cached(client: Client, settings: LazySettings) -> None:
    settings.CHAIN_ACCENT = "#FFD400"
    answer = client.get("/theme.css")
    assert answer["Content-Type"] == "text/css" and "max-age=3600" in answer["Cache-Control"]
    assert "--accent:#ffd400;--on-accent:#16191d" in answer.content.decode()
