"""What people correct again and again is learnt and measured; it counts once a person lets it go live."""

from dataclasses import replace
from io import StringIO

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from django.db import transaction
from django.test import Client

from core.jobs import run_due
from core.work import drain
from sentiment import engine
from sentiment.actions import correct
from sentiment.chain import change
from sentiment.classifier import FOLDER, get_classifier
from sentiment.entries import ChainWords, Entry
from sentiment.fitting import read_examples
from sentiment.heads import FILE, HeadsMismatch, load_heads, served_heads
from sentiment.keeping import name_of, version_of
from sentiment.learning import NothingToLearn, _measure, is_held_out, learn, learnt_heads, rows_of_corrections
from sentiment.lessons import corrected_rows
from sentiment.models import Analysis, Effect, LearntHeads, Rereading, RereadingState
from sentiment.reading import Reader, live_reader, offered_heads
from sentiment.rereading import go_live
from sentiment.topic_evaluation import Comment
from sentiment.topics import TOPICS
from surveys.models import Response
from surveys.signals import response_saved
from tests.factories import Chain, make_response

# A chain that calls the corner where one may sit down "the lounge", and means its environment.
SAID = [
    "The lounge was taken again.",
    "We love the lounge with the armchairs.",
    "Nobody wipes the tables of the lounge.",
    "The lounge is what I come for.",
    "No seat left in the lounge at noon.",
    "Coffee stains all over the lounge.",
]
ALIKE = "Loved sitting in your lounge."
OTHER = "The courier left my parcel in the rain."
FEW = [
    Comment(OTHER, "en", frozenset({"delivery"}), frozenset(), "neutral", {}, False),
    Comment("My purse was stolen in the shop.", "en", frozenset(), frozenset({"fraud"}), "negative", {}, False),
]


def submit(chain: Chain, words: str, language: str = "en") -> Response:
    response = make_response(touchpoint=chain.touchpoint, score=7, words=words, language=language)
    with transaction.atomic():
        response_saved.send(sender=Response, response=response, corrected=False)
    return response


def held_topics(response: Response) -> set[str]:
    return {hit["topic"] for hit in Analysis.objects.get(verbatim__response=response).topics}


def correct_all(chain: Chain, topic: str, value: str) -> None:
    for words in SAID:
        submit(chain, words)
    drain(["analysis"])
    for analysis in Analysis.objects.all():
        correct(analysis.pk, chain.manager, field="topic", key=topic, value=value)


def topics_of(text: str, heads: int | None = None) -> set[str]:
    (reading,) = engine.read([text], page_languages=["en"], chain_languages=["en", "de"], heads=learnt_heads(heads))
    return {hit.topic for hit in reading.topics}


def work_off(limit: int = 50) -> None:
    while limit and run_due():
        limit -= 1


def test_corrections_are_weighed_and_measured_by_the_lists_that_read(
    chain: Chain, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What is remembered of the rows must not outlive them.
    monkeypatch.setattr("sentiment.chain._known", ((0, 0), ChainWords()))
    submit(chain, SAID[0])
    drain(["analysis"])
    correct(Analysis.objects.get().pk, chain.manager, field="topic", key="environment", value="negative")
    (row,) = corrected_rows()
    environment = TOPICS.index("environment")
    served = served_heads(FOLDER, get_classifier().version)
    for added in (0, 1):
        (evidence,) = rows_of_corrections([row], get_classifier()).evidence
        assert evidence.signs[environment] == added
        assert served is not None and _measure(FEW, [row], None, served).agreed == added
        change(Entry("en", "topic", "environment", "lounge"), Effect.ADD, chain.head_office)


def test_a_correction_of_words_in_latin_letters_teaches_what_is_read(chain: Chain) -> None:
    for words in ("Duzhe dovho chekaly na kasi, bula velyka cherha", "Дуже довго чекали на касі, була велика черга"):
        submit(chain, words, language="uk")
    drain(["analysis"])
    for one in Analysis.objects.all():
        correct(one.pk, chain.manager, field="topic", key="environment", value="negative")
    typed, own = rows_of_corrections(list(corrected_rows()), get_classifier()).evidence
    assert typed.signs[:-1].any() and (typed.signs == own.signs).all()


@pytest.fixture
def few_examples(monkeypatch: pytest.MonkeyPatch) -> None:
    """Learning takes a moment instead of half a minute."""
    monkeypatch.setattr("sentiment.learning._EVERY", 15)


@pytest.mark.django_db
def test_what_people_correct_again_and_again_is_learnt_and_counts_once_a_person_lets_it_go_live(
    chain: Chain, client: Client
) -> None:
    """One test, for learning takes its time."""
    assert "packaging" not in topics_of(ALIKE)
    correct_all(chain, "packaging", "negative")
    earlier = submit(chain, ALIKE)
    drain(["analysis"])
    served = Analysis.objects.get(verbatim__response=earlier).model_version
    row = learn(sets=FEW)

    # The coffee stains are held out: measured by, and never learnt from.
    assert [is_held_out(words) for words in SAID] == [False] * 5 + [True]
    assert (row.corrections, row.held_out, row.judged) == (5, 1, 1)
    assert (row.before["agreed"], row.after["agreed"]) == (0.0, 1.0)
    assert (row.comments, row.urgent) == (2, 1)
    assert set(row.before) == set(row.after) == {"topics", "found", "false_alarms", "agreed"}
    assert "packaging" in topics_of(ALIKE, row.pk)
    assert "packaging" not in topics_of(OTHER, row.pk)
    assert (live_reader(), offered_heads()) == (Reader(name_of(None)), row)
    first = submit(chain, ALIKE + " Truly!")
    drain(["analysis"])
    assert "packaging" not in held_topics(first)

    client.force_login(chain.head_office)
    page = client.get("/words/models/").content.decode()
    assert "5 corrected comments" in page
    assert "comments: 1, things people said about them: 1" in page and "As people said" in page
    client.post("/words/models/", {"do": "start", "by": str(row.pk)})
    work_off()
    started = Rereading.objects.latest("pk")
    assert (started.state, started.heads_id) == (RereadingState.READY, row.pk)
    assert "packaging" not in held_topics(earlier)
    page = client.get("/words/models/").content.decode()
    assert "very corrections" in page
    assert f"+learnt-{row.pk}" in page
    client.post("/words/models/", {"do": "live", "of": str(started.pk)})
    work_off()
    late = submit(chain, ALIKE + " Truly.")
    drain(["analysis"])
    assert all("packaging" in held_topics(one) for one in (earlier, first, late))
    assert served == version_of(None)
    version = f"{version_of(None)}+learnt-{row.pk}"
    assert set(Analysis.objects.values_list("model_version", flat=True)) == {version}
    assert offered_heads() is None

    client.post("/words/models/", {"do": "start", "by": "served"})
    work_off()
    assert "packaging" in held_topics(late)
    go_live(Rereading.objects.latest("pk"), chain.head_office)
    work_off()
    assert "packaging" not in held_topics(late)
    assert Analysis.objects.get(verbatim__response=late).model_version == served


@pytest.mark.django_db
@pytest.mark.usefixtures("few_examples")
def test_the_command_learns_and_has_history_read_with_it(chain: Chain, monkeypatch: pytest.MonkeyPatch) -> None:
    correct_all(chain, "packaging", "negative")
    monkeypatch.setattr("sentiment.learning.read_sets", lambda: FEW)
    said = StringIO()
    call_command("learn_topics", "--read-again", stdout=said)
    assert "not live" in said.getvalue()
    assert (Rereading.objects.latest("pk").heads, live_reader()) == (LearntHeads.objects.get(), Reader(name_of(None)))
    with pytest.raises(CommandError, match="already"):
        call_command("learn_topics", "--read-again", stdout=said)


@pytest.mark.django_db
def test_nothing_corrected_nothing_learnt() -> None:
    with pytest.raises(NothingToLearn):
        learn(sets=FEW)
    with pytest.raises(CommandError, match="nobody has corrected"):
        call_command("learn_topics")
    assert not LearntHeads.objects.exists()


@pytest.mark.django_db
def test_where_all_corrections_are_to_measure_by_it_says_so(chain: Chain) -> None:
    submit(chain, SAID[-1])
    drain(["analysis"])
    correct(Analysis.objects.get().pk, chain.manager, field="topic", key="packaging", value="negative")
    with pytest.raises(NothingToLearn, match="1 so far"):
        learn(sets=FEW)


def test_a_torn_file_of_heads_says_so() -> None:
    with pytest.raises(HeadsMismatch):
        load_heads((FOLDER / "heads.npz").read_bytes()[:5000], get_classifier().version)


@pytest.mark.django_db
def test_learnt_heads_of_another_model_are_left_aside() -> None:
    served = served_heads(FOLDER, get_classifier().version)
    assert served is not None
    foreign = replace(served, model_version="another", topic_threshold=-100.0)
    (reading,) = engine.read([OTHER], page_languages=["en"], chain_languages=["en"], heads=foreign)
    assert len(reading.topics) < 5


def test_the_served_heads_belong_to_the_served_model() -> None:
    """Whoever serves another model, other concepts or other rules runs fit_heads."""
    version = get_classifier().version
    heads = load_heads((FOLDER / FILE).read_bytes(), version)
    assert np.isfinite(heads.weights).all()
    assert load_heads(heads.dump(), version).dump() == heads.dump()
    with pytest.raises(HeadsMismatch, match="fitted for"):
        load_heads(heads.dump(), "another")
    with pytest.raises(HeadsMismatch, match="not readable"):
        load_heads(b"nonsense", version)


def test_examples_are_many_and_in_every_language() -> None:
    examples = read_examples()
    for language in ("en", "de", "uk", "fr", "es", "it", "pl", "da", "nl", "pt", "cs", "sv", "ar"):
        own = [example for example in examples if example.language == language]
        assert len(own) >= 60
        assert len([example for example in own if example.urgency]) >= 20
