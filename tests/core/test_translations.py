"""Nobody meets an English sentence on a German or Ukrainian page, or a translation that lost its blanks."""

from pathlib import Path
from typing import Any

import pytest
from babel.messages.catalog import Catalog
from django.core.management import CommandError, call_command
from django.utils.translation import activate, deactivate, gettext, ngettext

from core.catalogues import catalogue_path, compile_language, gaps, languages, said, said_in, update


@pytest.fixture
def elsewhere(settings: Any, tmp_path: Path) -> Path:
    settings.LOCALE_PATHS = [tmp_path]
    return tmp_path


def template(*sentences: str) -> Catalog:
    catalogue = Catalog()
    for sentence in sentences:
        catalogue.add(sentence)
    return catalogue


def translate(language: str, english: str, translation: str, *, fuzzy: bool = False) -> None:
    path = catalogue_path(language)
    entry = f'msgid "{english}"\nmsgstr ""\n'
    marked = ("#, fuzzy\n" if fuzzy else "") + f'msgid "{english}"\nmsgstr "{translation}"\n'
    path.write_text(path.read_text().replace(entry, marked))


@pytest.mark.parametrize("language", languages())
def test_every_sentence_is_translated(language: str) -> None:
    """All of them for the staff, those of their pages and messages for shoppers; in each of its plurals."""
    found = gaps(language, said_in(language))
    assert not found, found


def test_thirteen_languages_for_shoppers() -> None:
    assert set(languages()) == {"de", "uk", "fr", "es", "it", "pl", "da", "nl", "pt", "cs", "sv", "ar"}
    assert len(said(for_shoppers=True)) < len(said()) / 5


def test_a_plural_that_is_missing_is_named(elsewhere: Path) -> None:
    plural = Catalog()
    plural.add(("%(n)d day", "%(n)d days"))
    update("ar", plural)
    path = catalogue_path("ar")
    for number in range(5):
        path.write_text(path.read_text().replace(f'msgstr[{number}] ""', f'msgstr[{number}] "%(n)d"'))
    assert gaps("ar", plural).missing == ["%(n)d day"]
    path.write_text(path.read_text().replace('msgstr[5] ""', 'msgstr[5] "%(n)d"'))
    assert not gaps("ar", plural)


def test_what_shoppers_read_is_still_where_it_was(settings: Any) -> None:
    settings.SHOPPER_TEXTS = ["surveys/renderers.py::nothing_like_this"]
    said.cache_clear()
    try:
        with pytest.raises(LookupError, match="nothing_like_this"):
            said(for_shoppers=True)
    finally:
        said.cache_clear()


def test_sentences_of_code_pages_and_messages_are_found() -> None:
    ids = {message.id for message in said() if message.id}
    assert "Please choose an answer or write a few words." in ids
    assert "What you told us" in ids
    assert "Thank you for your visit to %(store)s." in ids
    assert (
        "%(n)s more case is not kept on this device.",
        "%(n)s more cases are not kept on this device.",
    ) in ids


def test_gaps_are_named(elsewhere: Path) -> None:
    update("de", template("Missing", "Fuzzy", "Hello %(name)s", "Fine"))
    translate("de", "Fuzzy", "Unscharf", fuzzy=True)
    translate("de", "Hello %(name)s", "Hallo %(nmae)s")
    translate("de", "Fine", "Gut")
    found = gaps("de", template("Missing", "Fuzzy", "Hello %(name)s", "New"))
    assert set(found.missing) == {"Missing", "Fuzzy", "New"}
    assert found.wrong_blanks == ["Hello %(name)s"] and found.stale == ["Fine"]


def test_updating_keeps_translations_and_drops_what_nobody_says(elsewhere: Path) -> None:
    update("de", template("Kept", "Gone"))
    translate("de", "Kept", "Behalten")
    update("de", template("Kept", "New"))
    text = catalogue_path("de").read_text()
    assert "Behalten" in text and "New" in text and "Gone" not in text
    before = text
    update("de", template("Kept", "New"))
    assert catalogue_path("de").read_text() == before


def test_check_fails_loudly_and_changes_nothing(elsewhere: Path, capsys: Any) -> None:
    with pytest.raises(CommandError):
        call_command("translations", "--check")
    assert "de: no translation" in capsys.readouterr().out
    assert not list(elsewhere.iterdir())


def test_compiled_plurals_are_the_languages_own() -> None:
    for language in languages():
        compile_language(language)
    activate("uk")
    try:
        forms = {n: ngettext("%(n)s answer", "%(n)s answers", n) for n in (1, 2, 5, 21)}
        assert gettext("Yes") == "Так"
    finally:
        deactivate()
    assert forms[1] == forms[21] and len({forms[1], forms[2], forms[5]}) == 3
