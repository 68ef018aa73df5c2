"""The typefaces of all that is printed. Needs neither Django nor the database: a process of its own sets posters."""

from functools import cache
from pathlib import Path

import fontpkg_noto_sans
import fontpkg_noto_sans_arabic
import typst


@cache
def typefaces() -> typst.Fonts:
    """Noto Sans for every script of the product, read once per process.

    The machine's own typefaces would make each printer's paper another.
    """
    folders = [Path(package.__file__).parent / "files" for package in (fontpkg_noto_sans, fontpkg_noto_sans_arabic)]
    return typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=folders)
