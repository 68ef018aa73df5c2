"""What a page says about one reading: what the model thinks, what people say, and what can be said with one click."""

from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from sentiment.holding import SENTIMENTS, Judgement, model_said, value_of
from sentiment.labels import TOPIC_LABELS, URGENCY_LABELS, sentiment_label, topic_label, urgency_label
from sentiment.models import Analysis, CorrectedField, Correction


@dataclass(frozen=True)
class Choice:
    """One button. `say` is what it posts: field, key and value. By `about`, field and key, it is found again in the
    answer, whatever it says there."""

    say: str
    label: str
    pressed: bool = False

    @property
    def about(self) -> str:
        return "-".join(self.say.split("/")[:2])


@dataclass(frozen=True)
class TopicLine:
    label: str
    sentiment: str
    choices: list[Choice]
    remove: Choice


@dataclass(frozen=True)
class Standing:
    """A judgement of a person that holds: what about, what, against what, and who when."""

    about: str
    says: str
    model_said: str
    who: str
    at: datetime
    undo: str

    @property
    def agrees(self) -> bool:
        return self.says == self.model_said


@dataclass(frozen=True)
class Panel:
    pk: int
    sentiments: list[Choice]
    percent: int | None
    sure: bool
    by_person: bool
    topics: list[TopicLine]
    more_topics: list[Choice]
    urgencies: list[Choice]
    urgent: list[str]
    standing: list[Standing]


def panel_of(analysis: Analysis) -> Panel:
    """The panel of a reading; what people said costs a query where they did."""
    model = model_said(analysis)
    held = {hit["topic"]: hit["sentiment"] for hit in analysis.topics}
    return Panel(
        pk=analysis.pk,
        sentiments=[
            Choice(f"sentiment//{one}", sentiment_label(one), pressed=one == analysis.sentiment) for one in SENTIMENTS
        ],
        percent=_percent(model),
        sure=model["confident"],
        by_person=bool(analysis.people_say.get("sentiment")),
        topics=[
            TopicLine(
                topic_label(topic),
                sentiment_label(sentiment),
                [Choice(f"topic/{topic}/{one}", sentiment_label(one), pressed=one == sentiment) for one in SENTIMENTS],
                Choice(f"topic/{topic}/", _("not about it")),
            )
            for topic, sentiment in held.items()
        ],
        more_topics=[
            Choice(f"topic/{topic}/{analysis.sentiment}", str(label))
            for topic, label in TOPIC_LABELS.items()
            if topic not in held
        ],
        urgencies=[
            Choice(
                f"urgency/{kind}/{'' if kind in analysis.urgency else 'certain'}",
                str(label),
                pressed=kind in analysis.urgency,
            )
            for kind, label in URGENCY_LABELS.items()
        ],
        urgent=[urgency_label(kind) for kind in analysis.urgency],
        standing=_standing(analysis) if analysis.corrected else [],
    )


def _percent(model: Judgement) -> int | None:
    shares = (model["p_negative"], model["p_neutral"], model["p_positive"])
    return round(100 * max(share or 0 for share in shares)) if model["confident"] else None


def _standing(analysis: Analysis) -> list[Standing]:
    """The newest judgement of each thing that people say something of, newest last, against what the model says now."""
    model = model_said(analysis)
    newest: dict[tuple[str, str], Correction] = {}
    for one in analysis.corrections.select_related("actor").order_by("pk"):
        newest[one.field, one.key] = one
    said = {("sentiment", "")} if analysis.people_say.get("sentiment") else set()
    said |= {("topic", key) for key in analysis.people_say.get("topics", {})}
    said |= {("urgency", key) for key in analysis.people_say.get("urgency", {})}
    return [
        Standing(
            about=_about(one.field, one.key),
            says=_in_words(one.field, one.new or ""),
            model_said=_in_words(one.field, value_of(model, one.field, one.key)),
            who=one.actor.name,
            at=one.at,
            undo=f"undo/{one.field}/{one.key}",
        )
        for thing, one in newest.items()
        if thing in said
    ]


def _about(field: str, key: str) -> str:
    if field == CorrectedField.TOPIC:
        return topic_label(key)
    return urgency_label(key) if field == CorrectedField.URGENCY else _("Sentiment")


def _in_words(field: str, value: str) -> str:
    if not value:
        return _("not about it") if field == CorrectedField.TOPIC else _("not urgent")
    return _("urgent") if field == CorrectedField.URGENCY else sentiment_label(value)
