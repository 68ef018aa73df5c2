"""Translations without system gettext: what is said where, what of it is translated, and the compiled files."""

import ast
import io
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import DEFAULT_KEYWORDS, extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.conf import settings
from django.utils.translation.template import templatize

SOURCE_LANGUAGE = "en"
_KEYWORDS = DEFAULT_KEYWORDS | {
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext_lazy": (1, 2),
    "pgettext_lazy": ((1, "c"), 2),
}
# No dates and no names: the file changes when its sentences do.
_HEADER = (
    'msgid ""\nmsgstr ""\n"Language: {language}\\n"\n"Plural-Forms: {plurals}\\n"\n'
    '"Content-Type: text/plain; charset=utf-8\\n"\n\n'
)
_NOT_OURS = {"tests", "migrations", "training", "node_modules", "__pycache__"}
_BLANKS = re.compile(r"%\((\w+)\)[sd]")


@dataclass
class Gaps:
    """What keeps a language from being complete: sentences without a translation, with one that lost or gained a
    blank, and translations of what nobody says any more."""

    language: str
    missing: list[str] = field(default_factory=list)
    wrong_blanks: list[str] = field(default_factory=list)
    stale: list[str] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.missing or self.wrong_blanks or self.stale)


def languages() -> list[str]:
    """The languages that need translating."""
    return [code for code, _name in settings.LANGUAGES if code != SOURCE_LANGUAGE]


def said_in(language: str) -> Catalog:
    """What must be said in a language: everything in those of the staff, what shoppers read in the others."""
    return said() if language in dict(settings.STAFF_LANGUAGES) else said(for_shoppers=True)


def catalogue_path(language: str) -> Path:
    """The file people translate in."""
    return Path(settings.LOCALE_PATHS[0]) / language / "LC_MESSAGES" / "django.po"


def _sources() -> Iterator[Path]:
    base = Path(settings.BASE_DIR)
    rooms = [app for app in settings.INSTALLED_APPS if (base / app / "__init__.py").exists()]
    for folder in [*rooms, "feedback", "templates"]:
        for path in sorted((base / folder).rglob("*")):
            if path.suffix in {".py", ".html", ".txt"} and not _NOT_OURS & set(path.relative_to(base).parts):
                yield path


def _calls(path: Path) -> str:
    """The file as Python in which every translated text is a call."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".py":
        return text
    # What templatize leaves of a page is indented at will; within brackets Python does not mind.
    return f"(\n{templatize(text, origin=str(path))}\n)"


def _shoppers_part(path: Path) -> str | None:
    """What of a file shoppers read, as Python; None when nothing."""
    name = str(path.relative_to(settings.BASE_DIR))
    if any(name == text or name.startswith(f"{text}/") for text in settings.SHOPPER_TEXTS):
        return _calls(path)
    wanted = {text.partition("::")[2] for text in settings.SHOPPER_TEXTS if text.startswith(f"{name}::")}
    if not wanted:
        return None
    whole = _calls(path)
    found = [one for one in ast.parse(whole).body if isinstance(one, ast.FunctionDef) and one.name in wanted]
    if missing := wanted - {one.name for one in found}:
        raise LookupError(f"{name} has no function {', '.join(sorted(missing))}: see SHOPPER_TEXTS.")
    return "\n".join(ast.get_source_segment(whole, one) or "" for one in found)


@lru_cache(maxsize=2)
def said(*, for_shoppers: bool = False) -> Catalog:
    """Everything our pages and messages say, with the files that say it; or only what shoppers read of it."""
    catalogue = Catalog()
    for path in _sources():
        calls = _shoppers_part(path) if for_shoppers else _calls(path)
        if calls is None:
            continue
        code = io.BytesIO(calls.encode())
        where = (str(path.relative_to(settings.BASE_DIR)), 0)
        for _line, message, _comments, context in extract("python", code, _KEYWORDS, options={"encoding": "utf-8"}):
            catalogue.add(message, locations=[where], context=context)
    return catalogue


def _read(language: str) -> Catalog:
    path = catalogue_path(language)
    if not path.exists():
        return Catalog(locale=language, project="Halfhour", charset="utf-8", fuzzy=False)
    with path.open("rb") as file:
        return read_po(file, locale=language)


def update(language: str, template: Catalog) -> None:
    """Add what is new and drop what is no longer said, without guessing at translations."""
    catalogue = _read(language)
    catalogue.update(template, no_fuzzy_matching=True, update_header_comment=False, update_creation_date=False)
    catalogue.obsolete.clear()
    path = catalogue_path(language)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.write(_HEADER.format(language=language, plurals=catalogue.plural_forms).encode())
        write_po(file, catalogue, width=110, sort_output=True, include_lineno=False, omit_header=True)


def gaps(language: str, template: Catalog) -> Gaps:
    """What is missing in a language."""
    catalogue = _read(language)
    known = {(m.id, m.context): m for m in catalogue if m.id}
    wanted = {(m.id, m.context): m for m in template if m.id}
    result = Gaps(language)
    for key, message in wanted.items():
        translated = known.get(key)
        name = message.id if isinstance(message.id, str) else message.id[0]
        texts = () if translated is None else _texts(translated.string)
        if translated is None or translated.fuzzy or not texts or not all(texts):
            result.missing.append(name)
        elif (isinstance(message.id, str) and any(_blanks(t) != _blanks(message.id) for t in texts)) or (
            not isinstance(message.id, str) and not all(_blanks(t) <= _blanks(message.id[1]) for t in texts)
        ):
            result.wrong_blanks.append(name)
    result.stale = [m.id if isinstance(m.id, str) else m.id[0] for key, m in known.items() if key not in wanted]
    return result


def _texts(translation: object) -> tuple[str, ...]:
    if isinstance(translation, str):
        return (translation,)
    return tuple(translation) if isinstance(translation, tuple | list) else ()


def _blanks(text: str) -> set[str]:
    return set(_BLANKS.findall(text))


def compile_language(language: str) -> Path:
    """Write the compiled catalogue beside its source, whole or not at all; returns its path."""
    target = catalogue_path(language).with_suffix(".mo")
    draft = target.with_suffix(f".mo.{os.getpid()}")
    with draft.open("wb") as file:
        write_mo(file, _read(language))
    draft.replace(target)
    return target
