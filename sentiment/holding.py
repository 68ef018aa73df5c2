"""What holds of a reading: the model's word, except where a person said otherwise.

`PeopleSay` is the form of `Analysis.people_say`, and `Judgement` that of `Analysis.model_reading`: the columns that
people can overrule, and those that follow from them.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypedDict, cast

from sentiment.labels import SENTIMENT_LABELS
from sentiment.topics import TOPICS
from sentiment.urgency import URGENCIES

if TYPE_CHECKING:
    from sentiment.engine import Reading
    from sentiment.models import Analysis

# Of texts in languages that the chain does not speak (Turkish, Greek, Chinese) the likeliest of its own is less sure,
# and 14 in a thousand real comments are, told which page they were typed on.
LANGUAGE_TOLD = 0.5
CERTAIN = "certain"
# Ends the version of a reading whose sentiment is an operator's service's, see `service.py`.
ANSWERED = "+service"
SENTIMENTS = tuple(SENTIMENT_LABELS)


class Hit(TypedDict):
    topic: str
    sentiment: str


class PeopleSay(TypedDict, total=False):
    """`topics` maps a topic to its sentiment, `urgency` a kind to CERTAIN; "" says that it is not about that."""

    sentiment: str
    topics: dict[str, str]
    urgency: dict[str, str]


class Judgement(TypedDict):
    sentiment: str
    p_negative: float | None
    p_neutral: float | None
    p_positive: float | None
    confident: bool
    alarming: bool
    topics: list[Hit]
    urgency: list[str]
    urgency_certain: bool


JUDGED = tuple(Judgement.__annotations__)


def is_by_service(model_version: str) -> bool:
    """Whether a reading's sentiment is a service's word. `proven` speaks of our own model's, and of topics."""
    return model_version.endswith(ANSWERED)


def judgement_of(reading: "Reading") -> Judgement:
    """The model's word on one text."""
    return {
        "sentiment": reading.sentiment,
        "p_negative": reading.probabilities["negative"],
        "p_neutral": reading.probabilities["neutral"],
        "p_positive": reading.probabilities["positive"],
        "confident": reading.confident,
        "alarming": reading.alarming,
        "topics": [{"topic": hit.topic, "sentiment": hit.sentiment} for hit in reading.topics],
        "urgency": list(reading.urgency),
        "urgency_certain": reading.urgency_certain,
    }


def columns_of(reading: "Reading") -> dict[str, Any]:
    """Everything of a reading that is stored, by column, as the model says it."""
    return {
        **judgement_of(reading),
        "language": reading.language,
        "language_confidence": reading.language_confidence,
        "proven": reading.proven,
        "redacted": reading.redacted,
        "model_version": reading.model_version,
        "embedding": reading.embedding,
    }


def held_by(analysis: "Analysis") -> Judgement:
    """What the columns say."""
    return cast(Judgement, {name: getattr(analysis, name) for name in JUDGED})


def model_said(analysis: "Analysis") -> Judgement:
    """What the model made of the words, whatever people said since."""
    return cast(Judgement, analysis.model_reading) if analysis.model_reading else held_by(analysis)


def overruled(model: Judgement, people: PeopleSay) -> dict[str, Any]:
    """The columns that hold, with the three that keep the two apart."""
    if not any(people.values()):
        return {**model, "corrected": False, "people_say": {}, "model_reading": {}}
    return {**_merged(model, people), "corrected": True, "people_say": people, "model_reading": model}


def _merged(model: Judgement, people: PeopleSay) -> Judgement:
    merged = cast(Judgement, dict(model))
    if sentiment := people.get("sentiment"):
        merged["sentiment"] = sentiment
        # A person who has read the words is sure, and a negative word of theirs is a reason to act.
        merged["p_negative"], merged["p_neutral"], merged["p_positive"] = (float(s == sentiment) for s in SENTIMENTS)
        merged["confident"], merged["alarming"] = True, sentiment == "negative"
    topics = {hit["topic"]: hit["sentiment"] for hit in model["topics"]} | people.get("topics", {})
    merged["topics"] = [{"topic": t, "sentiment": topics[t]} for t in _ordered(topics, TOPICS) if topics[t]]
    said = people.get("urgency", {})
    kinds = dict.fromkeys(model["urgency"], "") | said
    merged["urgency"] = [kind for kind in _ordered(kinds, URGENCIES) if kind not in said or said[kind]]
    own_left = set(merged["urgency"]) - set(said)
    merged["urgency_certain"] = CERTAIN in said.values() or bool(model["urgency_certain"] and own_left)
    return merged


def _ordered(found: Mapping[str, str], known: tuple[str, ...]) -> list[str]:
    """In the order of the lists; what an older list knew comes last."""
    return [key for key in known if key in found] + sorted(set(found) - set(known))


def value_of(judgement: Judgement, field: str, key: str) -> str:
    """What a judgement says of one thing that can be corrected: "" for "not about it"."""
    if field == "sentiment":
        return judgement["sentiment"]
    if field == "topic":
        return next((hit["sentiment"] for hit in judgement["topics"] if hit["topic"] == key), "")
    return CERTAIN if key in judgement["urgency"] else ""
