"""The chain's own words: they count from the next batch on, and one knows before what they will change."""

import re
from dataclasses import replace

import pytest
from django.test import Client

from core.work import drain
from sentiment.chain import TooManyEntries, change, current_words, take_back, try_entry
from sentiment.engine import read as read_texts
from sentiment.entries import ChainWords, Entry, Tracer, built_in, cleaned
from sentiment.lexicon import split_words
from sentiment.models import Analysis, ChainWord, Effect
from sentiment.topics import find_mentions
from stores.models import User
from tests.factories import Chain
from tests.sentiment_human.conftest import Read, submit

LOUNGE = Entry("en", "topic", "environment", "lounge")


def topics_of(text: str, words: ChainWords | None = None, language: str = "en") -> list[str]:
    (reading,) = read_texts([text], page_languages=[language], chain_languages=["en", "de"], chain_words=words)
    return [hit.topic for hit in reading.topics]


def mentioned(text: str, words: ChainWords, language: str = "en") -> set[str]:
    """By the lists alone, whatever the model makes of the rest."""
    return {mention.topic for mention in find_mentions(split_words(text), (language,), words)}


def names(analysis: Analysis) -> set[str]:
    return {hit["topic"] for hit in analysis.topics}


def test_own_entries_count_and_built_in_ones_can_be_switched_off() -> None:
    text = "The lounge was full of people and their dogs"
    assert "environment" not in topics_of(text)
    assert "environment" in topics_of(text, ChainWords(added=[LOUNGE]))
    queue = "We stood in a queue before the doors opened"
    assert "waiting" in mentioned(queue, ChainWords())
    off = [entry for entry in built_in("topic", "en", "waiting") if entry.text == "queue"]
    assert off
    assert "waiting" not in mentioned(queue, ChainWords(off=off))
    # Another language's lists stay as they are.
    assert mentioned("Die lounge war voller Leute und Hunde", ChainWords(added=[LOUNGE]), "de") == set()


def test_what_was_switched_off_stays_so_when_a_release_grades_it_otherwise() -> None:
    entry = next(one for one in built_in("urgency", "en", "safety") if one.grade == "possible")
    graded_before = replace(entry, grade="certain")
    assert entry not in ChainWords(off=[graded_before]).entries("urgency", "en")
    assert entry in ChainWords(off=[replace(entry, target="legal")]).entries("urgency", "en")


def test_an_own_urgency_is_as_certain_as_it_was_graded() -> None:
    text = "A wasp nest hangs above the door of the shop"
    for grade in ("certain", "possible"):
        words = ChainWords(added=[Entry("en", "urgency", "safety", "wasp nest", grade)])
        (reading,) = read_texts([text], page_languages=["en"], chain_languages=["en"], chain_words=words)
        assert reading.urgency == ["safety"]
        assert reading.urgency_certain == (grade == "certain")


def test_workers_take_changes_from_the_next_batch_on(
    chain: Chain, read: Read, django_assert_num_queries: object
) -> None:
    words = "The lounge was full of people and their dogs"
    assert "environment" not in names(read(words))
    change(LOUNGE, Effect.ADD, chain.head_office)
    change(LOUNGE, Effect.ADD, chain.head_office)
    row = ChainWord.objects.get()
    assert row.added_by == chain.head_office
    assert "environment" in names(read(words))
    with django_assert_num_queries(1):  # type: ignore[operator]
        assert current_words() is current_words.__globals__["_known"][1]
    assert take_back(row.pk, chain.head_office)
    assert not take_back(row.pk, chain.head_office)
    row.refresh_from_db()
    assert row.ended_by == chain.head_office
    assert "environment" not in names(read(words))
    # Taken back and added again it is another row: the list knows its history.
    change(LOUNGE, Effect.ADD, chain.head_office)
    assert ChainWord.objects.count() == 2
    assert "environment" in names(read(words))


@pytest.mark.parametrize("entry", ["amazon.de", "👎👎👎", "c++", "..."])
@pytest.mark.parametrize("kind", ["topic", "urgency"])
def test_entries_that_an_earlier_release_took_keep_nobody_waiting(
    chain: Chain, read: Read, kind: str, entry: str
) -> None:
    target = "online" if kind == "topic" else "safety"
    ChainWord.objects.create(
        language="en", kind=kind, target=target, entry=entry, grade="certain", effect=Effect.ADD, added_by=chain.manager
    )
    change(LOUNGE, Effect.ADD, chain.head_office)
    analysis = read("I cannot complain about the lounge at all")
    assert "environment" in names(analysis)
    assert not analysis.urgency


def test_a_language_has_only_so_many(chain: Chain, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sentiment.chain.MOST_ENTRIES", 1)
    change(LOUNGE, Effect.ADD, chain.head_office)
    with pytest.raises(TooManyEntries):
        change(Entry("en", "topic", "price", "piastre"), Effect.ADD, chain.head_office)
    change(LOUNGE, Effect.ADD, chain.head_office)
    change(Entry("de", "topic", "price", "Taler"), Effect.ADD, chain.head_office)


@pytest.mark.parametrize(
    "text",
    [
        "", "  ", "a", "an", "*in", "|", "... word", "word ...", "x" * 201, "a b c d e f g h i", "&&&", "a.b",
        "c++", "£50", "a&e",
    ],
)  # fmt: skip
def test_entries_that_would_match_nothing_or_everything_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"empty|long|short"):
        cleaned(text)


@pytest.mark.parametrize(
    "text", ["Lounge", "an!", "go to", "guard|security ... hit!", "*personal", "чек!", "h&m!", "*wi-fi"]
)
def test_entries_that_say_something_are_taken(text: str) -> None:
    assert cleaned(f" {text} ") == text.lower()


def test_a_trace_says_which_entry_was_found_where() -> None:
    chain = ChainWords(added=[LOUNGE])
    found = Tracer(chain, ["en"]).trace("I waited in the LOUNGE for an hour, the guard hit my son")
    told = {(one.entry.target, one.words): one.own for one in found}
    assert told["environment", "LOUNGE"]
    assert not told["waiting", "waited"]
    assert any(one.entry.kind == "urgency" and one.entry.target == "safety" for one in found)


def _trial(user: User, entry: Entry, *, remove: bool = False) -> tuple[int, int, int, int]:
    trial = try_entry(user, entry, remove=remove)
    return trial.looked_at, trial.matched, trial.gained, trial.lost


def test_one_knows_before_what_an_entry_changes(chain: Chain) -> None:
    for words in (
        "The lounge was full of people",
        "The lounge was dirty",  # is about the environment already
        "The lounges are nice and so is the price",
        "Nothing to do with it",
    ):
        submit(chain, words)
    submit(chain, "The lounge of another town", foreign=True)
    drain(["analysis"])
    assert _trial(chain.head_office, LOUNGE) == (5, 4, 3, 0)
    assert _trial(chain.manager, LOUNGE) == (4, 3, 2, 0)
    trial = try_entry(chain.head_office, LOUNGE)
    assert ("The lounge was full of people", True) in trial.examples
    assert not ChainWord.objects.exists()
    price = next(entry for entry in built_in("topic", "en", "price") if entry.text == "price")
    assert _trial(chain.head_office, price, remove=True) == (5, 1, 0, 1)


def test_a_trial_finds_what_is_typed_in_latin_letters(chain: Chain) -> None:
    submit(chain, "Duzhe dyakuju, divchata v lounge pryvitni", language="uk")
    drain(["analysis"])
    for entry in ("lounge", "лоунге", "lobby"):
        assert _trial(chain.head_office, Entry("uk", "topic", "environment", entry))[1] == (entry != "lobby")


# --- the pages ------------------------------------------------------------------------------------------------
@pytest.fixture
def head_office(client: Client, chain: Chain) -> Client:
    client.force_login(chain.head_office)
    return client


def test_head_office_tries_adds_and_takes_back(head_office: Client, chain: Chain, read: Read) -> None:
    read("The lounge was full of people & <b>dogs</b>")
    address = "/words/en/topic/environment/"
    tried = head_office.post(address, {"entry": "Lounge", "try": "1"}).content.decode()
    assert "<b>1</b> would gain" in tried
    assert "&lt;b&gt;dogs" in tried
    assert not ChainWord.objects.exists()
    answer = head_office.post(address, {"entry": "Lounge", "add": "1"})
    assert (answer.status_code, answer["Location"]) == (303, address)
    row = ChainWord.objects.get()
    assert (row.entry, row.kind, row.target, row.language, row.grade) == (
        "lounge",
        "topic",
        "environment",
        "en",
        "certain",
    )
    page = head_office.get(address).content.decode()
    assert chain.head_office.name in page
    assert "1 of your own" in head_office.get("/words/?language=en").content.decode()
    head_office.post(address, {"back": str(row.pk)})
    assert not ChainWord.objects.filter(ended_at=None).exists()


def test_head_office_switches_a_built_in_entry_off_and_on(head_office: Client, read: Read) -> None:
    assert "waiting" in names(read("The queue is by the door"))
    address = "/words/en/topic/waiting/"
    looked = head_office.post(address, {"look": "certain/queue"}).content.decode()
    assert "<b>1</b> would lose" in looked
    head_office.post(address, {"off": "certain/queue"})
    assert "waiting" not in names(read("The queue is by the door, yes"))
    row = ChainWord.objects.get()
    assert row.effect == Effect.OFF
    page = head_office.get(address).content.decode()
    assert f'name="back" value="{row.pk}"' in page
    assert 'value="certain/queue"' not in page
    head_office.post(address, {"back": str(row.pk)})
    assert "waiting" in names(read("The queue is by the door"))
    for nonsense in ({"off": "certain/no such"}, {"look": "x"}, {"off": ""}):
        assert head_office.post(address, nonsense).status_code == 404


def test_wrong_entries_come_back_with_what_was_typed(head_office: Client) -> None:
    answer = head_office.post("/words/de/urgency/safety/", {"entry": "an", "grade": "possible", "add": "1"})
    assert answer.status_code == 422
    assert 'value="an"' in answer.content.decode()
    assert "nearly every comment" in answer.content.decode()
    answer = head_office.post("/words/de/urgency/safety/", {"entry": "Wespennest", "grade": "maybe", "add": "1"})
    assert answer.status_code == 422
    assert not ChainWord.objects.exists()
    assert head_office.post("/words/de/urgency/safety/", {"back": "9" * 40}).status_code == 303


def test_a_comment_can_be_tried_and_is_not_kept(head_office: Client) -> None:
    page = head_office.post("/words/", {"language": "en", "comment": "I waited <i>ages</i>, the guard hit me"})
    html = page.content.decode()
    assert page.status_code == 200
    assert "Waiting time" in html
    assert "Safety" in html
    assert "<i>ages" not in html
    # Words, and not the pattern that finds them.
    assert re.search(r'<bdi lang="en">guard / security[^<|!_*]* … hit / [^<|!_*]*</bdi>', html)
    long = head_office.post("/words/", {"language": "en", "comment": "wait " * 800 + "x"})
    assert long.status_code == 422 and "Characters: 4001 of 4000 at most." in long.content.decode()
    assert "wait " * 800 + "x" in long.content.decode() and "maxlength" not in long.content.decode()
    assert "No entry matches" in head_office.post("/words/", {"language": "en", "comment": "Blorb"}).content.decode()


def test_words_are_head_offices(chain: Chain) -> None:
    for reader in ("manager", "area_manager", "operator", "nobody"):
        client = Client()
        client.force_login(getattr(chain, reader))
        assert client.get("/words/").status_code == 403
        answer = client.post("/words/en/topic/price/", {"entry": "lounge", "add": "1"})
        assert answer.status_code == 403
    assert not ChainWord.objects.exists()
