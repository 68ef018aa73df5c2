"""What people correct again and again is learnt, measured before it counts, and taken by the workers at once."""

from dataclasses import replace

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from django.db import transaction

from core.work import drain
from sentiment import engine
from sentiment.actions import correct
from sentiment.classifier import FOLDER, get_classifier
from sentiment.fitting import read_examples
from sentiment.heads import FILE, HeadsMismatch, load_heads, served_heads
from sentiment.learning import NothingToLearn, current_heads, learn
from sentiment.models import Analysis, LearntHeads
from sentiment.topic_evaluation import Comment
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
    Comment(OTHER, "en", frozenset({"delivery"}), frozenset(), {}, False),
    Comment("My purse was stolen in the shop.", "en", frozenset(), frozenset({"fraud"}), {}, False),
]


def correct_all(chain: Chain, topic: str, value: str) -> None:
    for words in SAID:
        response = make_response(touchpoint=chain.touchpoint, score=7, words=words)
        with transaction.atomic():
            response_saved.send(sender=Response, response=response, corrected=False)
    drain(["analysis"])
    for analysis in Analysis.objects.all():
        correct(analysis.pk, chain.manager, field="topic", key=topic, value=value)


def topics_of(text: str) -> set[str]:
    (reading,) = engine.read([text], page_languages=["en"], chain_languages=["en", "de"], heads=current_heads())
    return {hit.topic for hit in reading.topics}


@pytest.mark.django_db
def test_a_correction_made_again_and_again_changes_what_is_said_of_similar_words(chain: Chain) -> None:
    assert "packaging" not in topics_of(ALIKE)
    correct_all(chain, "packaging", "negative")

    row = learn(sets=FEW, go_live=True)

    assert row.live_at is not None
    assert row.corrections == len(SAID)
    assert set(row.before) == set(row.after) == {"topics", "found", "false_alarms"}
    assert "packaging" in topics_of(ALIKE)
    assert "packaging" not in topics_of(OTHER)


@pytest.mark.django_db
def test_what_makes_the_evaluation_worse_does_not_go_live_unless_chosen(chain: Chain) -> None:
    correct_all(chain, "packaging", "negative")
    against = [Comment(ALIKE, "en", frozenset({"environment"}) & topics_of(ALIKE), frozenset(), {}, False)]

    assert learn(sets=against).live_at is None
    assert current_heads() is None
    assert learn(sets=against, go_live=True).live_at is not None
    assert current_heads() is not None


@pytest.mark.django_db
def test_nothing_corrected_nothing_learnt() -> None:
    with pytest.raises(NothingToLearn):
        learn(sets=FEW)
    with pytest.raises(CommandError, match="nobody has corrected"):
        call_command("learn_topics")
    assert not LearntHeads.objects.exists()


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
