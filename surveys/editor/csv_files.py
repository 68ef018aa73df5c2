"""Translations as a file: written so that no spreadsheet computes it, read back with every slip named."""

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from django.conf import settings
from django.utils.translation import gettext as _

from core.spreadsheets import as_typed, csv_lines
from surveys.documents import places_in
from surveys.editor.texts import LONGEST_AT_ALL, Raw, Text, all_texts

MOST_BYTES = 1024 * 1024
_NAME = "text"
_DELIMITERS = ",;\t"


@dataclass(frozen=True)
class Slip:
    """Something wrong in the file. Rows are numbered as a spreadsheet shows them; 0 is the file itself."""

    row: int
    column: str
    message: str


@dataclass(frozen=True)
class Difference:
    """One text that the file says otherwise."""

    path: str
    language: str
    old: str
    new: str


@dataclass
class Plan:
    """What an import would do, by texts; nothing of it is done while there are slips."""

    differences: list[Difference] = field(default_factory=list)
    slips: list[Slip] = field(default_factory=list)
    unchanged: int = 0

    @property
    def words(self) -> Mapping[tuple[str, str], str]:
        return {(one.path, one.language): one.new for one in self.differences}


def lines(document: Raw) -> Iterator[str]:
    """The texts of a draft, a line each, a column for each of its languages."""
    languages = document["languages"]
    yield "\ufeff"
    yield from csv_lines([[_NAME, *languages]])
    for text in all_texts(document):
        yield from csv_lines([[text.path, *(text.words.get(language, "") for language in languages)]])


def read(content: bytes) -> str | None:
    """The text of a file; None when it is in no encoding that we read."""
    encoding = "utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError:
        return None
    # Two bytes a letter, read as one.
    return None if "\0" in text else text


def plan(document: Raw, content: str) -> Plan:
    """What a file would change in a draft. Empty cells change nothing."""
    result = Plan()
    try:
        header, *rows = _rows(content) or [[]]
    except csv.Error:  # a cell longer than a book: a quotation mark that is never closed, or no such file at all
        result.slips.append(Slip(0, "", _("The file is larger than any survey. Is it the right one?")))
        return result
    names = [name.strip().lower() for name in header]
    if not names or names[0] != _NAME:
        result.slips.append(Slip(1, _NAME, _("The first column must be called “text”, as in the file from here.")))
        return result
    languages = names[1:]
    for column in languages:
        if column not in document["languages"]:
            known = column in dict(settings.LANGUAGES)
            advice = (
                _("This survey does not speak this language yet: add it first.")
                if known
                else _("This is no language of ours: use codes such as de or uk.")
            )
            result.slips.append(Slip(1, column, advice))
    if len(set(languages)) < len(languages):
        result.slips.append(Slip(1, "", _("A language stands in two columns.")))
    if result.slips:
        return result
    by_path = {text.path: text for text in all_texts(document)}
    seen: set[str] = set()
    for number, row in enumerate(rows, start=2):
        if not any(cell.strip() for cell in row):
            continue
        path = row[0].strip()
        if path not in by_path:
            result.slips.append(
                Slip(number, _NAME, _("There is no text called “%(name)s” here.") % {"name": path[:60]})
            )
        elif path in seen:
            result.slips.append(Slip(number, _NAME, _("This text stands in the file twice.")))
        else:
            seen.add(path)
            _compare(result, number, by_path[path], dict(zip(languages, row[1:], strict=False)), document)
    return result


def _rows(content: str) -> list[list[str]]:
    content = content.replace("\0", "")  # the database has no such character
    first = content.split("\n", 1)[0]
    delimiter = max(_DELIMITERS, key=first.count)
    return list(csv.reader(io.StringIO(content, newline=""), delimiter=delimiter))


def _compare(result: Plan, number: int, text: Text, cells: dict[str, str], document: Raw) -> None:
    allowed = {name for said in text.words.values() for name, _without in places_in(said)}
    for language, cell in cells.items():
        said, old = as_typed(cell.strip()), text.words.get(language, "")
        if not said or said == old:
            result.unchanged += 1
            continue
        if len(said) > LONGEST_AT_ALL:
            message = _("This text is far too long.") + " " + _("Keep below %(n)d characters.") % {"n": LONGEST_AT_ALL}
            result.slips.append(Slip(number, language, message))
        strange = sorted({name for name, _without in places_in(said)} - allowed)
        if strange and language != document["languages"][0]:
            message = _("The original has no place {%(name)s}.") % {"name": strange[0]}
            result.slips.append(Slip(number, language, message))
        result.differences.append(Difference(text.path, language, old, said))
