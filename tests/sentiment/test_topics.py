"""Topics by editable word lists: prefixes, joined words, phrases, and words that only look alike."""

import re
from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path
from typing import Any

import pytest

from sentiment.lexicon import Phrases, available, load, normalise, split_words
from sentiment.topics import find_mentions


def topics(language: str, text: str) -> set[str]:
    return {mention.topic for mention in find_mentions(split_words(text), (language,))}


@pytest.mark.parametrize(
    ("language", "text", "wanted"),
    [
        ("en", "Lovely staff but I waited 40 minutes at the till", {"staff", "waiting", "checkout"}),
        ("en", "They refused my refund, no repair either", {"returns"}),
        ("en", "My size was out of stock", {"availability"}),
        ("en", "The courier never came and nobody answers the hotline", {"delivery", "call_centre"}),
        ("en", "The ring broke after a week, poor quality", {"quality"}),
        ("en", "Too expensive", {"price"}),
        ("en", "Beautiful gift wrapping with a ribbon", {"packaging"}),
        ("en", "Your website logged me out", {"online"}),
        ("en", "The fitting room was dirty", {"environment"}),
        (
            "de",
            "Das Verkaufspersonal war unfreundlich, die Schlange an der Kasse endlos",
            {"staff", "waiting", "checkout"},
        ),
        ("de", "Umtausch nicht möglich, Verschluss kaputt", {"returns", "quality"}),
        ("de", "Die Hotline ist nie erreichbar, die Lieferung kam zu spät", {"call_centre", "delivery"}),
        ("uk", "Привітний персонал, але довго чекали в черзі на касі", {"staff", "waiting", "checkout"}),
        ("uk", "Ціни високі, якість погана", {"price", "quality"}),
        ("uk", "Гарна упаковка, швидка доставка", {"packaging", "delivery"}),
        ("fr", "Personnel aimable mais trop d'attente à la caisse", {"staff", "waiting", "checkout"}),
        ("es", "El personal muy amable, los precios caros", {"staff", "price"}),
        ("it", "Commessa gentile, prezzi alti", {"staff", "price"}),
        ("pl", "Miła obsługa, długa kolejka do kasy", {"staff", "waiting", "checkout"}),
        ("nl", "Vriendelijk winkelpersoneel, lange rij bij de kassa", {"staff", "waiting", "checkout"}),
        ("pt", "Funcionários simpáticos, preços altos", {"staff", "price"}),
        ("cs", "Příjemná obsluha, dlouhá fronta u pokladny", {"staff", "waiting", "checkout"}),
        ("sv", "Trevlig personal, lång kö till kassan", {"staff", "waiting", "checkout"}),
        ("da", "Venligt personale, lang kø ved kassen", {"staff", "waiting", "checkout"}),
        ("ru", "Вежливый персонал, длинная очередь на кассе", {"staff", "waiting", "checkout"}),
    ],
)
def test_topics_are_found(language: str, text: str, wanted: set[str]) -> None:
    assert topics(language, text) == wanted


@pytest.mark.parametrize(
    ("language", "text"), [("en", "This is priceless"), ("en", "I love it"), ("uk", "Я дуже задоволена!"), ("de", "")]
)
def test_no_topic_where_none_is_spoken_of(language: str, text: str) -> None:
    assert topics(language, text) == set()


def test_a_mention_knows_its_place() -> None:
    text = "Nice, but pricey"
    (mention,) = find_mentions(split_words(text), ("en",))
    assert text[mention.start : mention.end] == "pricey"


@pytest.mark.parametrize(
    ("entry", "text", "found"),
    [
        ("wait", "waiting", True),
        ("bag!", "bag", True),
        ("bag!", "baggage", False),
        ("*personal", "Verkaufspersonal", True),
        ("*personal!", "Verkaufspersonal", True),
        ("*personal!", "Personalrat", False),
        ("*wi-fi", "freewi-fi", True),
        ("guard ... hit!", "the guard has never once hit him", True),
        ("guard ... hit!", "the guard was kind. They hit the price", False),
        ("guard ... hit!", "guard one two three four five hit", False),
        ("a|b c", "b c", True),
        ("attente", "l’attente", True),
    ],
)
def test_entries_mean_what_the_page_says(entry: str, text: str, found: bool) -> None:
    assert bool(Phrases([(entry, "x")]).find(split_words(text))) is found


def test_an_empty_entry_is_refused() -> None:
    with pytest.raises(ValueError, match="empty"):
        Phrases([("...", "x")])


def entries_of(lists: Any) -> Iterator[str]:
    for part in lists.values():
        yield from entries_of(part) if isinstance(part, dict) else part


@pytest.mark.parametrize("language", available())
def test_every_entry_of_ours_finds_what_it_says(language: str) -> None:
    for kind in ("topics", "concepts", "urgency", "scorn", "delight"):
        lists = load(language).get(kind, {})
        for entry in entries_of(lists) if isinstance(lists, dict) else lists:
            groups = [group.split("|") for group in normalise(entry).split() if group != "..."]
            for words in zip_longest(*groups):
                said = " ".join(one or group[0] for one, group in zip(words, groups, strict=True))
                # An article stands right before its noun; what is spelt "s'_est" by itself is said "s'est".
                text = re.sub(r"[*!]", "", said).replace("'_", "'").replace("_", " ")
                text = re.sub(r"(?<=')(?=$|\s)", "x", text) if text.endswith("'") else text
                assert Phrases([(entry, "x")]).find(split_words(text)), (entry, text)


@pytest.mark.parametrize(
    ("entry", "text", "found"),
    [
        ("click-and-collect", "Our Click-and-Collect order was ready", True),
        ("click-and-collect", "click and then collect", False),
        ("check-out", "all the check-outs were shut", True),
        ("wi-fi!", "the wi-fi is down", True),
        ("wi-fi!", "wi-fixed", False),
        ("l'accueil", "personne à l'accueil", True),
        ("usurpation d'identité", "une usurpation d'identité", True),
        ("anti-semit", "an anti-semitic remark", True),
        ("чат-бот", "чат-бот не відповів", True),
    ],
)
def test_an_entry_is_cut_where_texts_are(entry: str, text: str, found: bool) -> None:
    assert bool(Phrases([(entry, "x")]).find(split_words(text))) == found


def test_word_places_survive_letters_that_grow_in_lower_case() -> None:
    text = "İstanbul Großer Preis"
    assert [text[word.start : word.end] for word in split_words(text)] == ["İstanbul", "Großer", "Preis"]


def test_word_lists_are_there(tmp_path: Path) -> None:
    assert {"en", "de", "uk", "pl"} <= set(available())
    assert available(tmp_path) == []
