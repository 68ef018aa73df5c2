"""The language among the chain's; the page decides where the words are too few."""

import pytest

from sentiment.languages import find_language
from sentiment.typed_latin import in_all_letters, tell_typed, to_cyrillic
from tests.timing import cpu_secs

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


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("uk", "дуже файно, персонал чемний, черг нема"),
        ("uk", "товар поганий"),
        ("uk", "все сподобалось"),
        ("ru", "хорошо, спасибо за помощь"),
        ("ru", "как всегда, ничего нового"),
    ],
)
def test_words_of_one_language_only_decide_where_no_letter_does(language: str, text: str) -> None:
    for page in ("en", "uk", "ru", None):
        assert find_language(text, page, ["en", "uk", "ru"])[0] == language


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("uk", "Скидка на каву не спрацювала"),
        ("uk", "Замовлення скасовано, надо дзвонити самому"),
        ("uk", "Касирка хамить, як надо"),
        ("uk", "Персонал тоже ок, але черги великі"),
        ("ru", "Смачно накормили"),
        ("ru", "Мне погано стало в магазине, никто не помог"),
    ],
)
def test_words_that_both_have_or_that_people_mix_in_decide_nothing(language: str, text: str) -> None:
    assert find_language(text, language, ["en", "uk", "ru"])[0] == language


def test_only_languages_of_the_chain_are_answered() -> None:
    assert find_language("Het personeel was heel vriendelijk", "de", ["de", "en"])[0] in {"de", "en"}
    assert find_language("anything at all here", None, ["uk"])[0] == "uk"


def test_of_languages_that_nobody_can_tell_it_is_that_of_the_page_or_the_first() -> None:
    chain = ["gsw", "yi"]
    words = "S isch e schöne Lade gsi"
    assert find_language(words, "yi-US", chain) == ("yi", 0.0)
    assert find_language(words, None, chain) == ("gsw", 0.0)
    assert find_language(words, "fr", chain) == ("gsw", 0.0)
    # Known ones of another script do not help.
    assert find_language(words, "yi", [*chain, "uk", "ru"]) == ("yi", 0.0)


def test_a_page_variant_counts_as_its_language() -> None:
    assert find_language("gut", "de-AT", CHAIN)[0] == "de"


EVERY = [*CHAIN, "ar"]


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("uk", "Duzhe harnyi mahazyn, divchata pryvitni, dyakuyu za dopomohu"),
        ("uk", "dyakuju, vse bulo duzhe harno"),
        ("ru", "Ochen dolgo zhdali na kasse, bolshe ne pridu"),
        ("ru", "spasibo bolshoe, vse ponravilos"),
        ("ar", "el mahal helw awy bas el as3ar ghalya"),
        ("ar", "shukran 3ala el khidma el momtaza"),
    ],
)
@pytest.mark.parametrize("page", [None, "en", "uk"])
def test_languages_typed_in_latin_letters_are_not_taken_for_another(language: str, text: str, page: str | None) -> None:
    found, sure = find_language(text, page, EVERY)
    assert found == language
    assert sure <= 0.5


@pytest.mark.parametrize(
    "text", ["Дівчата харашо обслужили, но долго стояла в очереді", "Мені ндравиться, тіки дорого"]
)
def test_surzhyk_is_ukrainian(text: str) -> None:
    assert find_language(text, "uk", EVERY)[0] == "uk"


def test_latin_letters_stay_what_they_are_where_the_chain_speaks_nothing_else() -> None:
    assert find_language("Ochen dolgo zhdali na kasse, bolshe ne pridu", None, ["de", "en"])[0] in {"de", "en"}
    assert find_language("We had 2nd thoughts about the 3rd ring, size 54", None, EVERY)[0] == "en"
    assert find_language("Mahal is a nice name for a shop, thank you", None, EVERY)[0] == "en"


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("de", "Great service, danke schön an alle"),
        ("fr", "Nice shop mais trop cher"),
        ("ar", "المكان جميل والموظفون لطفاء"),
    ],
)
def test_mixed_text_and_arabic(language: str, text: str) -> None:
    assert find_language(text, None, EVERY)[0] == language


@pytest.mark.parametrize(
    ("language", "typed", "own"),
    [
        ("uk", "Duzhe dyakuju, divchata pryvitni", "Дуже дякую, дівчата привітні"),
        ("uk", "prodavets' zakotyv ochi", "продавець закотив очі"),
        ("ru", "uzhasnyi magazin, nikogda bolshe", "ужасный магазин, никогда болше"),
        ("ru", "horoshie tseny, obsluzhivanie na pjat'", "хорошие цены, обслуживание на пять"),
    ],
)
def test_what_is_typed_in_latin_letters_is_written_anew(language: str, typed: str, own: str) -> None:
    assert tell_typed(typed, None, (language,)) == language
    assert to_cyrillic(typed, language) == own


@pytest.mark.parametrize(
    "text",
    [
        "S obsluhou byli všichni spokojeni", "Obsluga byla bardzo mila i pomocna", "Sve je bilo dobro, hvala",
        "Ok, super!", "", "12345", "Дуже дякую", "The staff were very friendly", "Nikdy wiecej, strasznie drogo",
    ],
)  # fmt: skip
def test_other_languages_are_not_taken_for_what_is_typed(text: str) -> None:
    assert tell_typed(text, None) is None


@pytest.mark.parametrize(
    "text",
    [
        "Chai spilled, then the cashier stole my wallet", "Odin was rude to us, dirty fitting room",
        "Pelmeni were cold and the staff was rude", "Mein Sohn ist Autist und keiner half",
        "Odin hjalp mig meget godt i butikken i dag",
    ],
)  # fmt: skip
@pytest.mark.parametrize("page", [None, "en", "uk"])
def test_a_dish_or_a_name_makes_no_other_language(text: str, page: str | None) -> None:
    assert tell_typed(text, page) is None


@pytest.mark.parametrize("page", ["uk", "ru"])
def test_of_equally_likely_ones_it_is_that_of_the_page(page: str) -> None:
    assert tell_typed("korobka", page) == page


def test_words_are_searched_as_they_were_typed_and_in_their_own_letters() -> None:
    assert in_all_letters("Duzhe dovho chekav na Klarna", "uk").split("\n") == [
        "Duzhe dovho chekav na Klarna", "Дуже довго чекав на Кларна",
    ]  # fmt: skip
    for text, language in (("Дуже довго чекав", "uk"), ("I waited for Klarna", "en"), ("I waited long", "uk")):
        assert in_all_letters(text, language) == text


def test_signs_that_only_look_latin_do_no_harm() -> None:
    assert to_cyrillic("Duzhe dyakuju, divchata pryvitnİ ſ", "uk").startswith("Дуже дякую, дівчата")
    assert to_cyrillic("kur'yer, m'yaso", "uk") == "кур'єр, м'ясо"
    assert to_cyrillic("sem'ya, druz'ya", "ru") == "семья, друзья"


def test_what_redaction_has_put_there_stays() -> None:
    assert to_cyrillic("Duzhe dyakuju [name], [e-mail]", "uk") == "Дуже дякую [name], [e-mail]"


def test_numbers_in_russian_words_make_no_arabic() -> None:
    for text in ("Ochen horoshii magazin, 2sht po 5kg kupila", "Kupil tovar 2sht po 5kg, ochen dolgo"):
        assert find_language(text, "ru", ["ar", "ru", "en"])[0] != "ar"


def test_a_long_row_of_one_letter_takes_no_time() -> None:
    assert cpu_secs(lambda: [tell_typed(letter * 8000, None) for letter in ("j", "yi", "i", "a'")]) < 0.5
