"""Rules, clocks and steps as sentences, for people who have never seen how they are stored."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.text import get_text_list
from django.utils.translation import get_language, gettext_lazy, ngettext
from django.utils.translation import gettext as _

from alerts.choices import Counted, Severity, StopsOn
from alerts.ladder import (
    ANSWERING,
    AREA,
    DEPUTY,
    GROUP,
    HEAD_OFFICE,
    PERSON,
    STORE,
    UP,
    UP_TWO,
    Policy,
    Rung,
    ids_of,
    parse_policy,
)
from alerts.models import AlertGroup, CasePolicy, Rule
from alerts.rules import Conditions, parse
from alerts.urgent_kinds import urgency_name
from messaging.choices import Channel
from sentiment.labels import sentiment_label, topic_label
from stores.choices import StoreKind
from stores.models import Node, User
from surveys.choices import QuestionKind, ResponseChannel
from surveys.models import SurveyVersion

ROLE_NAMES = {
    ANSWERING: gettext_lazy("whoever answers for the case"),
    UP: gettext_lazy("one level above"),
    UP_TWO: gettext_lazy("two levels above"),
    STORE: gettext_lazy("the store manager"),
    DEPUTY: gettext_lazy("the deputies"),
    AREA: gettext_lazy("the area manager"),
    HEAD_OFFICE: gettext_lazy("head office"),
}
LEVEL_NAMES = {
    0: gettext_lazy("the store"),
    1: gettext_lazy("the area manager"),
    2: gettext_lazy("head office"),
}
_ANSWERED_BY = {
    1: gettext_lazy("The area manager answers for it, not the store."),
    2: gettext_lazy("Head office answers for it, not the store."),
}
_CHANNEL_NAMES = {
    Channel.PUSH: gettext_lazy("by push"),
    Channel.SMS: gettext_lazy("by text message"),
    Channel.EMAIL: gettext_lazy("by e-mail"),
    Channel.CHAT: gettext_lazy("in the team chat"),
}
_STOPS = {
    StopsOn.ACKNOWLEDGE: gettext_lazy("unless somebody has taken notice"),
    StopsOn.CONTACT: gettext_lazy("unless the shopper was reached"),
}
_UNTIL = {
    StopsOn.ACKNOWLEDGE: gettext_lazy("until somebody has taken notice"),
    StopsOn.CONTACT: gettext_lazy("until the shopper was reached"),
}


@dataclass(frozen=True)
class Names:
    """What ids are called."""

    nodes: Mapping[int, str] = field(default_factory=dict)
    policies: Mapping[int, str] = field(default_factory=dict)
    groups: Mapping[int, str] = field(default_factory=dict)
    people: Mapping[int, str] = field(default_factory=dict)
    questions: Mapping[str, str] = field(default_factory=dict)
    usual: str = ""

    @classmethod
    def read(cls) -> "Names":
        """The names of everything that a rule can point to; of people only those that some rule does."""
        policies = list(CasePolicy.objects.all())
        return cls(
            nodes=dict(Node.objects.values_list("pk", "name")),
            policies={policy.pk: str(policy) for policy in policies},
            groups=dict(AlertGroup.objects.values_list("pk", "name")),
            people=_People(),
            questions=question_texts(),
            usual=next((str(policy) for policy in policies if policy.usual), ""),
        )


class _People(dict[int, str]):
    """Names of staff, looked up when they are first asked for."""

    def __missing__(self, pk: int) -> str:
        self[pk] = User.objects.filter(pk=pk).values_list("name", flat=True).first() or _("somebody who is gone")
        return self[pk]


def question_texts() -> dict[str, str]:
    """The scored questions besides the headline ones that published surveys ask, by their keys."""
    newest = SurveyVersion.objects.order_by("survey", "-number").distinct("survey")
    texts: dict[str, str] = {}
    for document in newest.values_list("document", flat=True):
        for question in document.get("questions", ()):
            if question.get("kind") in QuestionKind.values and question.get("key") != document.get("headline"):
                words = question.get("text") or {}
                texts[question["key"]] = words.get(get_language() or "en") or next(iter(words.values()), "")
    return texts


def any_of(names: Iterable[object]) -> str:
    """As in: a, b or c."""
    return str(get_text_list([str(name) for name in names], _("or")))


def all_of(names: Iterable[object]) -> str:
    """As in: a, b and c."""
    return str(get_text_list([str(name) for name in names], _("and")))


# --- rules ---------------------------------------------------------------------------------------------------------
def clauses(conditions: Conditions, names: Names) -> list[str]:
    """What must be so, each as half a sentence that can follow "When"."""
    asked = conditions
    found = [
        *_score_clauses(asked, names),
        _("the shopper is still in the store") if asked.still_here else "",
        _("the shopper has left the store") if asked.still_here is False else "",
        *_word_clauses(asked),
        _("it came by %(channels)s") % {"channels": any_of(ResponseChannel(one).label for one in asked.channels)}
        if asked.channels
        else "",
        _("the store lies in %(places)s") % {"places": any_of(names.nodes.get(one, "?") for one in asked.nodes)}
        if asked.nodes
        else "",
        _("it is a %(kind)s") % {"kind": any_of(StoreKind(one).label for one in asked.store_kinds)}
        if asked.store_kinds
        else "",
        _repeat_clause(asked),
    ]
    return [clause for clause in found if clause]


def _score_clauses(asked: Conditions, names: Names) -> list[str]:
    found = []
    if asked.unhappy:
        found.append(_("the score is an unhappy one"))
    if asked.unhappy is False:
        found.append(_("the score is not an unhappy one"))
    if asked.scores:
        ranges = [_range(name, least, most, names) for name, (least, most) in asked.scores.items()]
        found.append(any_of(ranges))
    return found


def _range(name: str, least: int, most: int, names: Names) -> str:
    values = {"range": str(least) if least == most else f"{least}–{most}"}
    if name in QuestionKind.values:
        return _("the score is %(range)s on the scale “%(scale)s”") % (
            values | {"scale": str(QuestionKind(name).label)}
        )
    return _("the answer to “%(question)s” is %(range)s") % (values | {"question": names.questions.get(name, name)})


def _word_clauses(asked: Conditions) -> list[str]:
    found = []
    if asked.alarming:
        found.append(_("the words are angry enough to act on"))
    if asked.alarming is False:
        found.append(_("the words are not angry"))
    for sentiment, least in (asked.sentiment or {}).items():
        values = {"sentiment": sentiment_label(sentiment), "percent": round(least * 100)}
        found.append(_("the words are %(sentiment)s with at least %(percent)s %% certainty") % values)
    if asked.urgency is not None:
        found.append(_urgency_clause(asked))
    elif asked.urgency_certain is not None:
        found.append(_("something urgent is beyond doubt") if asked.urgency_certain else _("nothing urgent is certain"))
    if asked.topics:
        topics = {"topics": any_of(topic_label(one) for one in asked.topics)}
        negative = _("the words speak badly of: %(topics)s") if asked.topics_negative else None
        found.append((negative or _("the words are about: %(topics)s")) % topics)
    if asked.words:
        found.append(_("the words contain %(words)s") % {"words": any_of(f"“{one}”" for one in asked.words)})
    return found


def _urgency_clause(asked: Conditions) -> str:
    kinds = any_of(urgency_name(one) for one in asked.urgency or ())
    if kinds and asked.urgency_certain:
        return _("the words certainly name something urgent: %(kinds)s") % {"kinds": kinds}
    if kinds:
        return _("the words name something urgent: %(kinds)s") % {"kinds": kinds}
    certain = _("the words certainly name something urgent")
    return certain if asked.urgency_certain else _("the words name something urgent")


def _repeat_clause(asked: Conditions) -> str:
    if asked.repeat is None:
        return ""
    cases = ngettext("%(n)d case", "%(n)d cases", asked.repeat.cases) % {"n": asked.repeat.cases}
    return _("the same verified shopper had at least %(cases)s in the %(days)s days before") % {
        "cases": cases,
        "days": asked.repeat.days,
    }


def condition_sentence(stored: object, names: Names) -> str:
    """The conditions of a rule as they are stored, in one sentence; what cannot be read says so."""
    try:
        return all_of(clauses(parse(stored), names))
    except ValidationError as error:
        return " ".join(error.messages)


def rule_sentence(rule: Rule, names: Names) -> str:
    """The whole rule."""
    opens = _("When %(conditions)s, open a case.")
    if rule.severity == Severity.SEVERE:
        opens = _("When %(conditions)s, open a severe case.")
    parts = [opens % {"conditions": condition_sentence(rule.conditions, names)}]
    if rule.policy_id:
        parts.append(_("Its clock is “%(clock)s”.") % {"clock": names.policies.get(rule.policy_id, "?")})
    if rule.level:
        parts.append(str(_ANSWERED_BY.get(rule.level, "")))
    if rule.also:
        parts.append(_("Also told at once: %(people)s.") % {"people": all_of(target_names(rule.also, names))})
    return " ".join(parts)


def target_names(targets: Iterable[str], names: Names) -> list[str]:
    """Whom targets mean, in words."""
    found = []
    for target in targets:
        if target in ROLE_NAMES:
            found.append(str(ROLE_NAMES[target]))
        for pk in ids_of([target], PERSON):
            found.append(names.people[pk])
        for pk in ids_of([target], GROUP):
            found.append(names.groups.get(pk, "?"))
    return found


# --- clocks --------------------------------------------------------------------------------------------------------
def minutes(number: int, counted: str) -> str:
    """A stretch of time: hours where they are whole, and which minutes are meant."""
    if number % 60 == 0 and number >= 120:
        hours = number // 60
        if counted == Counted.OPEN:
            return ngettext("%(n)d open hour", "%(n)d open hours", hours) % {"n": hours}
        return ngettext("%(n)d hour", "%(n)d hours", hours) % {"n": hours}
    if counted == Counted.OPEN:
        return ngettext("%(n)d open minute", "%(n)d open minutes", number) % {"n": number}
    return ngettext("%(n)d minute", "%(n)d minutes", number) % {"n": number}


def clock_sentences(policy: Policy) -> list[str]:
    """The targets of a clock, one sentence each."""
    found = [_("The shopper is reached within %(time)s.") % {"time": minutes(policy.target, policy.counted)}]
    if policy.acknowledge is not None:
        time = {"time": minutes(policy.acknowledge, policy.counted)}
        found.insert(0, _("Somebody takes notice within %(time)s.") % time)
    if policy.warning is not None:
        time = {"time": minutes(policy.warning, policy.counted)}
        found.append(_("%(time)s before that, whoever answers is reminded.") % time)
    if policy.resolve is not None:
        found.append(_("It is done within %(time)s.") % {"time": minutes(policy.resolve, policy.counted)})
    return found


def step_sentence(rung: Rung, names: Names) -> str:
    """One step of a ladder."""
    who = all_of(target_names(rung.to, names))
    channel = f" {_CHANNEL_NAMES[Channel(rung.channel)]}" if rung.channel else ""
    head = _("At once: %(who)s") if not rung.after else _("After %(time)s: %(who)s")
    parts = [head % {"time": minutes(rung.after, rung.counted), "who": f"{who}{channel}"}]
    if rung.every:
        again = {"time": minutes(rung.every, rung.counted), "until": _UNTIL.get(StopsOn(rung.stops_on), "")}
        parts.append(_("again every %(time)s %(until)s") % again)
    elif rung.stops_on in _STOPS and rung.after:
        parts.append(str(_STOPS[StopsOn(rung.stops_on)]))
    return ", ".join(parts) + "."


def policy_lines(stored: Any, names: Names) -> tuple[list[str], list[str]]:
    """The sentences of a clock as it is stored, and those of its steps."""
    try:
        policy = parse_policy(stored)
    except ValidationError as error:
        return list(error.messages), []
    return clock_sentences(policy), [step_sentence(rung, names) for rung in policy.rungs]
