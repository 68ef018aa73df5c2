"""What head office fills in: rules, clocks with their steps, groups, the ways of urgency."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from alerts.choices import Counted, Severity, StopsOn
from alerts.ladder import (
    ANSWERING,
    GROUP,
    LONGEST_MINUTES,
    MOST_STEPS,
    PERSON,
    ROLE_TARGETS,
    STEP_CHANNELS,
    Policy,
    Rung,
    ids_of,
    parse_policy,
)
from alerts.models import AlertGroup, CasePolicy, Rule, UrgencyRoute
from alerts.rules import LONGEST_MEMORY_DAYS, parse
from alerts.urgent_kinds import URGENCY_NAMES
from alerts.wording import LEVEL_NAMES, ROLE_NAMES, question_texts
from core.widgets import WordsBox
from messaging.choices import Channel
from sentiment.entries import cleaned
from sentiment.labels import SENTIMENT_LABELS, TOPIC_LABELS
from stores.choices import CASE_ROLES, StoreKind
from stores.models import Node, User
from surveys.choices import SCORE_RANGE, QuestionKind, ResponseChannel
from surveys.models import SurveyVersion

_CHANNELS = {
    "": gettext_lazy("as each of them prefers"),
    Channel.PUSH.value: gettext_lazy("push to the phone app"),
    Channel.SMS.value: gettext_lazy("text message"),
    Channel.EMAIL.value: gettext_lazy("e-mail"),
    Channel.CHAT.value: gettext_lazy("the team chats that listen"),
}
_ENTRY_WRONG = gettext_lazy("“%(entry)s” would be found nowhere, or in nearly every comment.")


def _checks(label: Any, choices: Iterable[tuple[Any, Any]], *, help_text: Any = "") -> forms.MultipleChoiceField:
    return forms.MultipleChoiceField(
        label=label,
        choices=list(choices),
        required=False,
        help_text=help_text,
        widget=forms.CheckboxSelectMultiple,
    )


class TargetsMixin:
    """Whom to tell: roles and groups to tick, and people by their e-mail addresses."""

    fields: dict[str, Any]
    cleaned_data: dict[str, Any]

    def add_targets(self, *, roles: Iterable[str] = ROLE_TARGETS, to: Iterable[str] = (), label: Any) -> None:
        """Fields for the targets, beginning with those of `to`."""
        to = list(to)
        groups = AlertGroup.objects.filter(retired_at=None).values_list("pk", "name")
        choices = [(role, ROLE_NAMES[role]) for role in roles] + [(f"{GROUP}:{pk}", name) for pk, name in groups]
        self.fields["to"] = _checks(label, choices)
        self.fields["to"].initial = [target for target in to if not target.startswith(f"{PERSON}:")]
        people = User.objects.filter(pk__in=ids_of(to, PERSON)).order_by("sort_key").values_list("email", flat=True)
        self.fields["people"] = forms.CharField(
            label=gettext_lazy("People, by e-mail address"),
            required=False,
            max_length=2000,
            initial=", ".join(people),
            help_text=gettext_lazy("With commas between them. Each is told of the stores that their role reaches."),
            widget=forms.TextInput(attrs={"autocomplete": "off", "inputmode": "email"}),
        )

    def clean_people(self) -> list[User]:
        return people_named(self.cleaned_data["people"])

    @property
    def targets(self) -> list[str]:
        """Once valid."""
        named = [f"{PERSON}:{person.pk}" for person in self.cleaned_data.get("people") or []]
        return [*self.cleaned_data.get("to", []), *named]


def people_named(text: str) -> list[User]:
    """The people whose addresses stand in a text. Raises ValidationError for one who acts on no cases."""
    addresses = [part.strip().lower() for part in text.replace(";", ",").replace("\n", ",").split(",") if part.strip()]
    acting = User.objects.filter(is_active=True, roles__role__in=CASE_ROLES, email__in=addresses).distinct()
    found = {user.email: user for user in acting}
    if unknown := [address for address in dict.fromkeys(addresses) if address not in found]:
        raise ValidationError(
            _("Nobody who acts on cases has this address: %(addresses)s") % {"addresses": ", ".join(unknown)}
        )
    return [found[address] for address in dict.fromkeys(addresses)]


def _clocks() -> list[tuple[str, str]]:
    usual = CasePolicy.objects.filter(usual=True).first()
    rows = CasePolicy.objects.filter(retired_at=None, usual=False)
    return [("", str(usual) if usual else _("Usual")), *((str(row.pk), str(row)) for row in rows)]


def _levels() -> list[tuple[int, Any]]:
    return list(LEVEL_NAMES.items())


class ScoreWidget(forms.MultiWidget):
    """From and to."""

    template_name = "alerts/rules/_range.html"

    def __init__(self, least: int, most: int) -> None:
        attrs = {"min": least, "max": most, "inputmode": "numeric"}
        super().__init__([forms.NumberInput(attrs=attrs), forms.NumberInput(attrs=attrs)])

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        # The renderer of forms knows Django's own templates only.
        return render_to_string(self.template_name, self.get_context(name, value, attrs))

    def decompress(self, value: Any) -> list[Any]:
        return list(value) if value else [None, None]


class RangeField(forms.MultiValueField):
    """A range of scores, or None; one end alone reaches to the end of the scale."""

    def __init__(self, least: int, most: int, **options: Any) -> None:
        self.least, self.most = least, most
        ends = [forms.IntegerField(min_value=least, max_value=most, required=False) for _end in range(2)]
        super().__init__(ends, required=False, require_all_fields=False, widget=ScoreWidget(least, most), **options)

    def compress(self, data_list: list[Any]) -> tuple[int, int] | None:
        low, high = data_list or (None, None)
        if low is None and high is None:
            return None
        found = (self.least if low is None else low, self.most if high is None else high)
        if found[0] > found[1]:
            raise ValidationError(_("The first number is the lower one."))
        return found


class RuleForm(TargetsMixin, forms.Form):
    """All that a rule may ask for, and what follows. What is left empty is not asked."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=80)
    active = forms.BooleanField(label=gettext_lazy("Switched on"), required=False)
    unhappy = forms.BooleanField(
        label=gettext_lazy("an unhappy score, whatever the scale: 0–6 of 10, the two unhappy of five smileys"),
        required=False,
    )
    still_here = forms.BooleanField(label=gettext_lazy("the shopper is still in the store"), required=False)
    channels = _checks(gettext_lazy("Came by"), ResponseChannel.choices)
    alarming = forms.BooleanField(
        label=gettext_lazy("angry enough to act on, as the model judges (four in five of these alarms are right)"),
        required=False,
    )
    sentiment = forms.ChoiceField(
        label=gettext_lazy("The words are"),
        required=False,
        choices=[("", gettext_lazy("whatever they are")), *SENTIMENT_LABELS.items()],
    )
    certainty = forms.IntegerField(
        label=gettext_lazy("with at least so many percent certainty"), required=False, min_value=1, max_value=100
    )
    urgent = forms.ChoiceField(
        label=gettext_lazy("Urgent"),
        required=False,
        choices=[
            ("", gettext_lazy("not asked")),
            ("possible", gettext_lazy("something urgent is named")),
            ("certain", gettext_lazy("something urgent is named, beyond doubt")),
        ],
    )
    urgency = _checks(
        gettext_lazy("Which kinds"), URGENCY_NAMES.items(), help_text=gettext_lazy("None ticked means any of them.")
    )
    topics = _checks(gettext_lazy("About"), TOPIC_LABELS.items())
    topics_negative = forms.BooleanField(label=gettext_lazy("only if spoken badly of"), required=False)
    words = forms.CharField(
        label=gettext_lazy("Contains one of these"),
        required=False,
        max_length=10_000,
        widget=WordsBox(attrs={"rows": 3, "dir": "auto", "spellcheck": "false"}),
        help_text=gettext_lazy(
            "One word or phrase a line. “wait” finds waiting, waited; “bag!” that word only; “guard ... hit” with up "
            "to four words between."
        ),
    )
    store_kinds = _checks(gettext_lazy("Kind of store"), StoreKind.choices)
    nodes = _checks(gettext_lazy("Stores in"), (), help_text=gettext_lazy("None ticked means the whole chain."))
    repeat_cases = forms.IntegerField(
        label=gettext_lazy("Earlier cases, at least"), required=False, min_value=1, max_value=20
    )
    repeat_days = forms.IntegerField(
        label=gettext_lazy("within so many days before"),
        required=False,
        min_value=1,
        max_value=LONGEST_MEMORY_DAYS,
        help_text=gettext_lazy("Of shoppers who are known by their purchase or call; nobody else is ever connected."),
    )
    severity = forms.ChoiceField(label=gettext_lazy("Severity"), choices=Severity.choices, widget=forms.RadioSelect)
    policy = forms.ChoiceField(label=gettext_lazy("Clock and steps"), required=False)
    level = forms.TypedChoiceField(label=gettext_lazy("Answered by"), coerce=int)

    def __init__(self, rule: Rule, data: Any = None) -> None:
        super().__init__(data, initial=_initial_of(rule), auto_id="rule-%s")
        self.rule = rule
        self.asked = list(_questions(rule))
        for key, label, (least, most) in self.asked:
            self.fields[f"score_{key}"] = RangeField(least, most, label=label)
        self._choices("policy", _clocks())
        self._choices("level", _levels())
        self._choices("nodes", [(str(node.pk), node) for node in Node.objects.filter(retired_at=None).order_by("path")])
        self.add_targets(roles=ROLE_TARGETS, to=rule.also, label=gettext_lazy("Also told at once"))

    def _choices(self, name: str, choices: list[Any]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)
        field.choices = choices

    @property
    def score_fields(self) -> list[forms.BoundField]:
        return [self[f"score_{key}"] for key, _label, _range in self.asked]

    def clean_words(self) -> list[str]:
        lines = [line for line in self.cleaned_data["words"].splitlines() if line.strip()]
        found = []
        for line in lines:
            try:
                found.append(cleaned(line))
            except ValueError:
                raise ValidationError(_ENTRY_WRONG % {"entry": line.strip()}) from None
        return list(dict.fromkeys(found))

    def clean(self) -> dict[str, Any]:
        values: dict[str, Any] = super().clean() or {}
        if self.errors:
            return values
        if values["sentiment"] and not values["certainty"]:
            self.add_error("certainty", _("How certain must the model be? 80 is a good beginning."))
        if bool(values["repeat_cases"]) != bool(values["repeat_days"]):
            self.add_error("repeat_days", _("Please give both, how many cases and within how many days."))
        if values["urgency"] and not values["urgent"]:
            self.add_error("urgent", _("Please say whether it must be beyond doubt."))
        if not self.errors:
            try:
                parse(self.conditions)
            except ValidationError as error:
                self.add_error(None, error)
        return values

    @property
    def conditions(self) -> dict[str, Any]:
        """Once the fields are valid."""
        values = self.cleaned_data
        scores = {key: values[f"score_{key}"] for key, _label, _range in self.asked if values[f"score_{key}"]}
        found: dict[str, Any] = {
            "unhappy": values["unhappy"] or None,
            "scores": {key: list(limits) for key, limits in scores.items()},
            "still_here": values["still_here"] or None,
            "channels": values["channels"],
            "alarming": values["alarming"] or None,
            "sentiment": {values["sentiment"]: (values["certainty"] or 0) / 100} if values["sentiment"] else None,
            "topics": values["topics"],
            "topics_negative": (values["topics_negative"] or None) if values["topics"] else None,
            "words": values["words"],
            "store_kinds": values["store_kinds"],
            "nodes": [int(node) for node in values["nodes"]],
            "repeat": {"cases": values["repeat_cases"], "days": values["repeat_days"]}
            if values["repeat_cases"] and values["repeat_days"]
            else None,
        }
        kept = {name: value for name, value in found.items() if value}
        if values["urgent"]:
            kept["urgency"] = values["urgency"]
        if values["urgent"] == "certain":
            kept["urgency_certain"] = True
        return kept | self._untouched()

    def _untouched(self) -> dict[str, Any]:
        """Conditions of the rule that this form cannot express: they stay."""
        stored = self.rule.conditions if isinstance(self.rule.conditions, dict) else {}
        return {
            name: False
            for name in ("unhappy", "still_here", "alarming", "urgency_certain")
            if stored.get(name) is False
        }

    @property
    def as_rule(self) -> Rule:
        """The rule as it would be saved. Once valid."""
        values, rule = self.cleaned_data, self.rule
        rule.active = values["active"]
        if "name" in self.changed_data:  # what we have named is said in each reader's language
            rule.name = values["name"]
        rule.conditions = self.conditions
        rule.__dict__.pop("parsed", None)
        rule.severity, rule.level = values["severity"], values["level"]
        rule.policy_id = int(values["policy"]) if values["policy"] else None
        rule.also = self.targets
        return rule


def _questions(rule: Rule) -> Iterable[tuple[str, Any, tuple[int, int]]]:
    """The scales of the headline questions that are asked, and every other question with a score."""
    stored = rule.conditions.get("scores", {}) if isinstance(rule.conditions, dict) else {}
    newest = SurveyVersion.objects.order_by("survey", "-number").distinct("survey")
    rows = list(newest.values_list("headline_kind", "document"))
    kinds = {kind for kind, _document in rows} | {QuestionKind.NPS.value}
    for kind in QuestionKind:
        if kind.value in kinds or kind.value in stored:
            yield kind.value, kind.label, SCORE_RANGE[kind]
    texts = question_texts()
    scales = {
        question.get("key"): SCORE_RANGE[QuestionKind(question["kind"])]
        for _kind, document in rows
        for question in document.get("questions", ())
        if question.get("kind") in QuestionKind.values
    }
    for key in dict.fromkeys([*texts, *(name for name in stored if name not in QuestionKind.values)]):
        yield key, texts.get(key, key), scales.get(key, (0, 10))


def _initial_of(rule: Rule) -> dict[str, Any]:
    stored = rule.conditions if isinstance(rule.conditions, dict) else {}
    sentiment, certainty = next(iter((stored.get("sentiment") or {}).items()), ("", None))
    repeat = stored.get("repeat") or {}
    urgent = ""
    if "urgency" in stored or "urgency_certain" in stored:
        urgent = "certain" if stored.get("urgency_certain") else "possible"
    return {
        "name": str(_(rule.name)) if rule.name else "",
        "active": rule.active,
        **{name: stored.get(name) is True for name in ("unhappy", "still_here", "alarming", "topics_negative")},
        **{name: stored.get(name, []) for name in ("channels", "urgency", "topics", "store_kinds")},
        "nodes": [str(node) for node in stored.get("nodes", [])],
        "words": "\n".join(stored.get("words", [])),
        "sentiment": sentiment,
        "certainty": round(certainty * 100) if certainty else None,
        "urgent": urgent,
        "repeat_cases": repeat.get("cases"),
        "repeat_days": repeat.get("days"),
        "severity": rule.severity,
        "policy": str(rule.policy_id or ""),
        "level": rule.level,
        **{f"score_{key}": limits for key, limits in (stored.get("scores") or {}).items()},
    }


# --- clocks --------------------------------------------------------------------------------------------------------
def _minutes(label: Any, *, required: bool = False, least: int = 1) -> forms.IntegerField:
    return forms.IntegerField(label=label, required=required, min_value=least, max_value=LONGEST_MINUTES)


class ClockForm(forms.Form):
    """By when what is to happen."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=80)
    counted = forms.ChoiceField(label=gettext_lazy("The clock counts"), choices=Counted.choices)
    acknowledge = _minutes(gettext_lazy("Somebody takes notice within … minutes"))
    target = _minutes(gettext_lazy("The shopper is reached within … minutes"), required=True)
    warning = _minutes(gettext_lazy("A reminder … minutes before that"))
    resolve = _minutes(gettext_lazy("It is done within … minutes"))

    def __init__(self, row: CasePolicy, data: Any = None) -> None:
        stored = row.content or {}
        initial = {name: stored.get(name) for name in ("counted", "acknowledge", "target", "warning", "resolve")}
        super().__init__(data, initial={**initial, "name": str(row) if row.name else ""}, auto_id="clock-%s")


class StepForm(TargetsMixin, forms.Form):
    """One step. One that tells nobody is left out."""

    after = _minutes(gettext_lazy("After … minutes"), least=0)
    counted = forms.ChoiceField(label=gettext_lazy("Counting"), choices=Counted.choices)
    channel = forms.ChoiceField(
        label=gettext_lazy("By"), required=False, choices=[(one, _CHANNELS[one]) for one in STEP_CHANNELS]
    )
    stops_on = forms.ChoiceField(label=gettext_lazy("Not needed after"), choices=StopsOn.choices)
    every = _minutes(gettext_lazy("Again every … minutes until then"))

    def __init__(self, *args: Any, rung: Rung | None = None, **options: Any) -> None:
        initial: dict[str, Any] = {"stops_on": StopsOn.ACKNOWLEDGE.value}
        if rung:
            initial = {"after": rung.after, "counted": rung.counted, "channel": rung.channel}
            initial |= {"stops_on": rung.stops_on, "every": rung.every or None}
        super().__init__(*args, **{**options, "initial": initial})
        self.add_targets(to=rung.to if rung else (), label=gettext_lazy("Tell"))

    @property
    def rung(self) -> Rung | None:
        """The step, once valid; None when nobody is named."""
        values = self.cleaned_data
        if not self.targets:
            return None
        return Rung(
            after=values["after"] or 0,
            to=tuple(self.targets),
            stops_on=values["stops_on"],
            counted=values["counted"],
            channel=values["channel"],
            every=values["every"] or 0,
        )


class ClockPage:
    """The form of a clock with those of its steps, and an empty one for another."""

    def __init__(self, row: CasePolicy, data: Any = None) -> None:
        self.clock = ClockForm(row, data)
        rungs: list[Rung] = list(Policy.of(row.content).rungs) if row.content else [_FIRST]
        number = len(rungs) + 1 if data is None else _number(data.get("steps"))
        padded = [*rungs, *[None] * number][:number]
        self.steps = [
            StepForm(data, rung=rung, prefix=f"step{place}", auto_id=f"step{place}-%s")
            for place, rung in enumerate(padded[:MOST_STEPS])
        ]
        self.errors: list[str] = []

    def is_valid(self) -> bool:
        """Whether all of it makes a policy; `errors` says in what the whole is wrong."""
        forms_fit = all([self.clock.is_valid(), *(step.is_valid() for step in self.steps)])
        if not forms_fit:
            return False
        try:
            parse_policy(self.policy.as_json())
        except ValidationError as error:
            self.errors = list(error.messages)
        return not self.errors

    @property
    def policy(self) -> Policy:
        """Once its forms are valid."""
        values = self.clock.cleaned_data
        rungs = sorted((step.rung for step in self.steps if step.rung), key=lambda rung: rung.after)
        return Policy(
            target=values["target"],
            rungs=tuple(rungs),
            counted=values["counted"],
            acknowledge=values["acknowledge"],
            resolve=values["resolve"],
            warning=values["warning"],
        )


_FIRST = Rung(0, (ANSWERING,), StopsOn.NEVER.value)


def _number(said: str | None) -> int:
    return min(int(said), MOST_STEPS) if said and said.isdecimal() and len(said) < 4 else 1


class GroupForm(forms.Form):
    """A group, and who is in it."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=80)
    people = forms.CharField(
        label=gettext_lazy("People, by e-mail address"),
        max_length=4000,
        help_text=gettext_lazy("One a line, or with commas between them."),
        widget=WordsBox(attrs={"rows": 4, "spellcheck": "false"}),
    )
    retired = forms.BooleanField(label=gettext_lazy("Not used any more"), required=False)

    def __init__(self, group: AlertGroup, data: Any = None) -> None:
        people = group.members.order_by("sort_key").values_list("email", flat=True) if group.pk else []
        initial = {"name": group.name, "people": "\n".join(people), "retired": group.retired_at is not None}
        super().__init__(data, initial=initial, auto_id="group-%s")

    def clean_people(self) -> list[User]:
        return people_named(self.cleaned_data["people"])


class RouteForm(TargetsMixin, forms.Form):
    """The way of one kind of urgency."""

    level = forms.TypedChoiceField(label=gettext_lazy("Answered by"), coerce=int)
    policy = forms.ChoiceField(label=gettext_lazy("Clock, if it leaves less time than the rule's"), required=False)

    def __init__(self, route: UrgencyRoute, data: Any = None) -> None:
        initial = {"level": route.level, "policy": str(route.policy_id or "")}
        super().__init__(data, initial=initial, prefix=route.kind, auto_id=f"{route.kind}-%s")
        self.route = route
        for name, choices in (("level", _levels()), ("policy", [("", _("the rule's own")), *_clocks()[1:]])):
            field = self.fields[name]
            assert isinstance(field, forms.ChoiceField)
            field.choices = choices
        self.add_targets(to=route.to, label=gettext_lazy("Told at once, day and night"))

    @property
    def as_route(self) -> UrgencyRoute:
        """Once valid."""
        self.route.to = self.targets
        self.route.level = self.cleaned_data["level"]
        self.route.policy_id = int(self.cleaned_data["policy"]) if self.cleaned_data["policy"] else None
        return self.route
