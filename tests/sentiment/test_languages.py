"""The language among the chain's; the page decides where the words are too few."""

import pytest

from sentiment.languages import find_language

CHAIN = ["en", "de", "uk", "fr", "es", "it", "pl", "nl", "pt", "cs", "sv", "da", "ru"]


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "The staff were very friendly and helped me choose"),
        ("de", "Die Beratung war freundlich, aber die Wartezeit zu lang"),
        ("uk", "Дуже привітний персонал і гарний вибір прикрас"),
        ("ru", "Очень вежливый персонал, большой выбор украшений"),
        ("fr", "Le personnel était très aimable et le choix est grand"),
        ("es", "El personal fue muy amable y había mucho donde elegir"),
        ("it", "Il personale è stato molto gentile e disponibile"),
        ("pl", "Obsługa była bardzo miła i pomocna przy wyborze"),
        ("nl", "Het personeel was heel vriendelijk en behulpzaam"),
        ("pt", "Os funcionários foram muito simpáticos e atenciosos"),
        ("cs", "Obsluha byla velmi příjemná a ochotná"),
        ("sv", "Personalen var mycket trevlig och hjälpsam"),
        ("da", "Personalet var meget venligt og hjælpsomt, tak"),
    ],
)
@pytest.mark.parametrize("page", [None, "en", "uk"])
def test_sentences_are_told_apart_whatever_the_page(language: str, text: str, page: str | None) -> None:
    found, sure = find_language(text, page, CHAIN)
    assert found == language
    assert sure > 0.5


@pytest.mark.parametrize(
    ("text", "page"), [("super", "de"), ("ok 👍", "uk"), ("😡😡😡", "fr"), ("", "pl"), ("12345", "it")]
)
def test_few_letters_speak_the_page_language(text: str, page: str) -> None:
    assert find_language(text, page, CHAIN)[0] == page


def test_letters_of_one_language_only_decide() -> None:
    assert find_language("Їжа добра", "ru", ["ru", "uk", "en"])[0] == "uk"
    assert find_language("Был сыр", "uk", ["ru", "uk", "en"])[0] == "ru"


def test_only_languages_of_the_chain_are_answered() -> None:
    assert find_language("Het personeel was heel vriendelijk", "de", ["de", "en"])[0] in {"de", "en"}
    assert find_language("anything at all here", None, ["uk"])[0] == "uk"


def test_a_page_variant_counts_as_its_language() -> None:
    assert find_language("gut", "de-AT", CHAIN)[0] == "de"
