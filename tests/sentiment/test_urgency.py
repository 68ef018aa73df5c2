"""Words that may not wait until tomorrow are found in every product language; negated ones are not."""

import pytest

from sentiment.lexicon import available, split_words
from sentiment.urgency import find_urgency

CERTAIN = [
    ("en", "9, but the security guard hit my son", "safety"),
    ("en", "My mother slipped on your wet floor and broke her wrist.", "safety"),
    ("en", "The emergency exit was blocked with boxes", "safety"),
    ("en", "She refused to serve me because of my skin colour", "discrimination"),
    ("en", "You will hear from my lawyer", "legal"),
    ("en", "I was charged twice and nobody cares", "fraud"),
    ("en", "Your cashier took a photo of me and sent it to her friends", "data_protection"),
    ("de", "Der Sicherheitsmann hat meinen Sohn geschubst", "safety"),
    ("de", "Meine Tochter ist ausgerutscht und musste ins Krankenhaus", "safety"),
    ("de", "Wurde wegen meines Kopftuchs nicht bedient", "discrimination"),
    ("de", "Ich schalte meinen Anwalt ein", "legal"),
    ("de", "Zweimal abgebucht, das ist doch Betrug!", "fraud"),
    ("de", "Ich habe die Rechnung und Adresse einer anderen Kundin bekommen, Datenschutz?", "data_protection"),
    ("uk", "Охоронець штовхнув мою дитину", "safety"),
    ("uk", "Послизнулась на мокрій підлозі, перелом руки", "safety"),
    ("uk", "Відмовились обслуговувати українською, це дискримінація", "discrimination"),
    ("uk", "Подам до суду на ваш магазин", "legal"),
    ("uk", "Касирка не дала решту 200 гривень", "fraud"),
    ("uk", "Хто дозволив передавати мої персональні дані?", "data_protection"),
    ("fr", "Le vigile a frappé mon fils", "safety"),
    ("es", "El guardia empujó a mi hija", "safety"),
    ("it", "La guardia ha spinto mio figlio", "safety"),
    ("pl", "Ochroniarz uderzył moje dziecko", "safety"),
    ("nl", "De beveiliger heeft mijn zoon geslagen", "safety"),
    ("pt", "O segurança agrediu o meu filho", "safety"),
    ("cs", "Hlídač strčil do mého syna", "safety"),
    ("sv", "Vakten knuffade min son", "safety"),
    ("da", "Vagten skubbede min søn", "safety"),
    ("ru", "Охранник ударил моего сына", "safety"),
]
HARMLESS = [
    ("en", "Nobody was hurt and the staff were lovely"),
    ("en", "The price hit me hard but the ring is stunning"),
    ("en", "Great shop, my son loves it, security is friendly"),
    ("en", "This necklace is to die for, a killer deal"),
    ("de", "Zum Glück wurde niemand verletzt"),
    ("de", "Die Farbe schlägt alles, tolle Beratung"),
    ("uk", "Ніхто не постраждав, усе добре, дякую"),
    ("uk", "Ціни вбивчі, але каблучка чудова"),
    ("fr", "Personne n'a été blessé, merci au personnel"),
    ("pl", "Nikt nie był ranny, obsługa świetna"),
]


@pytest.mark.parametrize(("language", "text", "kind"), CERTAIN)
def test_found_and_certain(language: str, text: str, kind: str) -> None:
    found = find_urgency(split_words(text), (language,))
    assert kind in found.kinds
    assert found.certain


@pytest.mark.parametrize(("language", "text"), HARMLESS)
def test_harmless_words_raise_nothing(language: str, text: str) -> None:
    assert find_urgency(split_words(text), (language,)).kinds == ()


def test_some_words_only_ask_a_person_to_look() -> None:
    found = find_urgency(split_words("The floor was slippery at the door"), ("en",))
    assert found.kinds == ("safety",)
    assert not found.certain


def test_every_language_has_every_kind_and_topic() -> None:
    from sentiment.lexicon import load
    from sentiment.topics import TOPICS
    from sentiment.urgency import URGENCIES

    for language in available():
        lists = load(language)
        assert set(lists["urgency"]) == set(URGENCIES), language
        assert set(lists["topics"]) >= set(TOPICS), language
        assert lists["negation"], language
