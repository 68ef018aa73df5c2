"""What head office sees and changes without code."""

from typing import Any

import pytest
from django.test import Client

from alerts.book import current
from alerts.choices import Severity, Trigger
from alerts.ladder import Policy
from alerts.models import AlertGroup, CasePolicy, Rule, UrgencyRoute
from alerts.policy import DEFAULT_POLICY
from stores.models import ConfigChange
from tests.alerts.conftest import open_case, submit
from tests.factories import Chain, make_response, make_user

MINIMAL = {"name": "Low in Kyiv", "active": "on", "severity": "severe", "level": "0"}


def posted(**more: Any) -> dict[str, Any]:
    return MINIMAL | more


@pytest.mark.parametrize(
    "address",
    [
        "/setup/rules/",
        "/setup/rules/new/",
        "/setup/rules/changes/",
        "/setup/rules/alarms/",
        "/setup/clocks/",
        "/setup/clocks/new/",
        "/setup/groups/",
        "/setup/groups/new/",
        "/setup/urgency/",
        "/setup/urgency/safety/",
    ],
)
def test_pages_open(office: Client, address: str) -> None:
    assert office.get(address).status_code == 200


def test_rules_read_as_sentences_in_their_order(office: Client) -> None:
    page = office.get("/setup/rules/").content.decode()
    assert "When the score is an unhappy one, open a case." in page
    assert "the words certainly name something urgent" in page
    places = [
        page.index(name) for name in ("Unhappy and still in the store", "Low score", "Urgent words", "Angry words")
    ]
    assert places == sorted(places)


def test_a_rule_is_made_and_opens_cases_at_once_in_this_process(office: Client, chain: Chain) -> None:
    current()  # what was kept before is not what counts afterwards
    answer = office.post(
        "/setup/rules/new/", posted(score_nps_0="7", score_nps_1="8", nodes=[str(chain.area.pk)], save="1")
    )
    assert answer.status_code == 303
    rule = Rule.objects.get(name="Low in Kyiv")
    assert rule.conditions == {"scores": {"nps": [7, 8]}, "nodes": [chain.area.pk]}
    assert rule.trigger == Trigger.SCORE
    case = submit(make_response(touchpoint=chain.touchpoint, score=8))
    assert case and (case.rule, case.severity) == (rule, Severity.SEVERE)
    assert submit(make_response(touchpoint=chain.foreign_touchpoint, score=8)) is None
    assert submit(make_response(touchpoint=chain.touchpoint, score=9)) is None
    change = ConfigChange.objects.get(what="rule")
    assert (change.actor, change.thing_id, change.new["name"]) == (chain.head_office, rule.pk, "Low in Kyiv")
    page = office.get("/setup/rules/changes/").content.decode()
    assert "the store lies in Kyiv" in page and chain.head_office.name in page


def test_what_the_form_shows_is_saved_again_unchanged(office: Client) -> None:
    """Every first rule survives a look and a save."""
    for rule in list(Rule.objects.all()):
        form = office.get(f"/setup/rules/{rule.pk}/").context["form"]
        data: dict[str, Any] = {}
        for field in form:
            value = field.value()
            if hasattr(field.field, "fields"):
                low, high = field.field.widget.decompress(value)
                data |= {f"{field.name}_{place}": end for place, end in enumerate((low, high)) if end is not None}
            elif value is not None and value is not False:
                data[field.name] = "on" if value is True else value
        assert office.post(f"/setup/rules/{rule.pk}/", data | {"save": "1"}).status_code == 303
        after = Rule.objects.get(pk=rule.pk)
        columns = ("name", "trigger", "order", "active", "conditions", "severity", "policy_id", "level", "also")
        assert [getattr(after, one) for one in columns] == [getattr(rule, one) for one in columns]
    assert not ConfigChange.objects.exists()


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({}, "__all__"),
        ({"score_nps_0": "9", "score_nps_1": "2"}, "score_nps"),
        ({"score_nps_0": "11"}, "score_nps"),
        ({"sentiment": "negative"}, "certainty"),
        ({"repeat_cases": "2"}, "repeat_days"),
        ({"words": "a"}, "words"),
        ({"unhappy": "on", "people": "nobody@nowhere.example"}, "people"),
    ],
)
def test_what_makes_no_sense_is_refused_with_a_word(office: Client, wrong: dict[str, str], field: str) -> None:
    rules = Rule.objects.count()
    answer = office.post("/setup/rules/new/", posted(**wrong, save="1"))
    assert answer.status_code == 422
    assert field in answer.context["form"].errors
    assert Rule.objects.count() == rules


def test_urgency_cannot_be_left_to_nobody(office: Client) -> None:
    urgent = list(Rule.objects.filter(name__startswith="Urgent"))
    refused = []
    for rule in urgent:
        data = {"name": rule.name, "severity": "severe", "level": "0", "urgent": "certain", "save": "1"}
        if rule.conditions.get("sentiment"):
            data |= {"sentiment": "negative", "certainty": "50"}
        refused.append(office.post(f"/setup/rules/{rule.pk}/", data))
    assert [answer.status_code for answer in refused] == [303, 422]
    assert "nobody would be told" in refused[1].content.decode()
    assert Rule.objects.filter(name__startswith="Urgent", active=True).count() == 1


@pytest.mark.parametrize("condition", [{"sentiment": {"positive": 0.9}}, {"urgency_certain": False}])
def test_a_rule_that_passes_over_what_is_urgent_does_not_count(office: Client, condition: dict[str, object]) -> None:
    Rule.objects.filter(name="Urgent and angry words").update(conditions={"urgency": [], **condition})
    rule = Rule.objects.get(name="Urgent words")
    data = {"name": rule.name, "severity": "severe", "level": "0", "urgent": "certain", "save": "1"}
    assert office.post(f"/setup/rules/{rule.pk}/", data).status_code == 422
    assert Rule.objects.get(pk=rule.pk).active


def test_rules_change_places(office: Client, chain: Chain) -> None:
    low = Rule.objects.get(name="Low score")
    office.post(f"/setup/rules/{low.pk}/move/", {"to": "up"})
    assert Rule.objects.filter(trigger="score").order_by("order")[0] == low
    response = make_response(touchpoint=chain.touchpoint, score=1)
    response.still_here = True
    case = submit(response)
    assert case and case.rule == low
    office.post(f"/setup/rules/{low.pk}/move/", {"to": "up"})
    assert ConfigChange.objects.filter(what="rule").count() == 1


def test_a_clock_is_edited_for_new_cases_only(office: Client, chain: Chain) -> None:
    old = open_case(chain, contact=None)
    usual = CasePolicy.objects.get(usual=True)
    data = {
        "name": "Usual", "counted": "wall", "target": "20", "acknowledge": "10", "warning": "5", "resolve": "480",
        "steps": "3",
        "step0-after": "0", "step0-to": ["answering"], "step0-counted": "wall", "step0-stops_on": "never",
        "step1-after": "10", "step1-to": ["area"], "step1-counted": "wall", "step1-stops_on": "acknowledge",
        "step1-every": "10", "step1-channel": "sms", "step1-people": chain.head_office.email,
        "step2-counted": "open", "step2-stops_on": "never",
        "save": "1",
    }  # fmt: skip
    assert office.post(f"/setup/clocks/{usual.pk}/", data).status_code == 303
    old.refresh_from_db()
    assert Policy.of(old.policy).rungs == DEFAULT_POLICY.rungs
    new = open_case(chain, contact=None)
    assert (new.due_at - new.opened_at).total_seconds() == 20 * 60
    assert new.acknowledge_due_at and new.resolve_due_at
    assert (new.acknowledge_due_at - new.opened_at).total_seconds() == 10 * 60
    assert (new.resolve_due_at - new.opened_at).total_seconds() == 8 * 3600
    rungs = Policy.of(new.policy).rungs
    assert [rung.after for rung in rungs] == [0, 10, 15]
    assert rungs[1].to == ("area", f"person:{chain.head_office.pk}")
    page = office.get("/setup/clocks/").content.decode()
    assert "After 10 minutes: the area manager and Head by text message" in page
    assert "again every 10 minutes until somebody has taken notice" in page


def test_a_clock_without_a_step_at_once_is_refused(office: Client) -> None:
    data = {"name": "Late", "counted": "open", "target": "30", "steps": "1", "step0-after": "5"}
    data |= {"step0-to": "answering", "step0-counted": "open", "step0-stops_on": "never"}
    answer = office.post("/setup/clocks/new/", data)
    assert answer.status_code == 422
    assert "One step must tell somebody at once." in answer.content.decode()
    more = office.post("/setup/clocks/new/", data | {"more": "1"})
    assert more.status_code == 200


def test_a_clock_in_use_is_not_taken_away(office: Client) -> None:
    urgent = CasePolicy.objects.get(name="Urgent")
    office.post(f"/setup/clocks/{urgent.pk}/", {"retire": "1"})
    urgent.refresh_from_db()
    assert urgent.retired_at is None
    UrgencyRoute.objects.update(policy=None)
    office.post(f"/setup/clocks/{urgent.pk}/", {"retire": "1"})
    urgent.refresh_from_db()
    assert urgent.retired_at is not None


def test_a_group_and_a_way_of_urgency(office: Client, chain: Chain) -> None:
    safety = make_user(email="safety@chain.example", role=None)
    answer = office.post("/setup/groups/new/", {"name": "Safety team", "people": safety.email})
    assert answer.status_code == 422  # who acts on no cases could not open one
    office.post(
        "/setup/groups/new/", {"name": "Safety team", "people": f"{chain.head_office.email}, area@chain.example"}
    )
    group = AlertGroup.objects.get()
    assert set(group.members.all()) == {chain.head_office, chain.area_manager}
    answer = office.post("/setup/urgency/safety/", {"safety-to": [f"group:{group.pk}"], "safety-level": "1"})
    assert answer.status_code == 303
    assert UrgencyRoute.objects.get(kind="safety").to == [f"group:{group.pk}"]
    page = office.get("/setup/urgency/").content.decode()
    assert "Told at once: Safety team." in page
    group.members.clear()
    assert "Nobody of the group" in office.get("/setup/urgency/").content.decode()


def test_only_head_office_gets_in(client: Client, chain: Chain) -> None:
    client.force_login(chain.area_manager)
    assert client.get("/setup/rules/").status_code == 403
    assert client.post("/setup/rules/new/", posted(unhappy="on", save="1")).status_code == 403


def test_words_in_names_are_text(office: Client, chain: Chain) -> None:
    office.post("/setup/rules/new/", posted(name="<b>x</b>", words="<script>alert", save="1"))
    page = office.get("/setup/rules/").content.decode()
    assert "<b>x</b>" not in page and "&lt;b&gt;x" in page


def test_what_somebody_else_saved_meanwhile_is_not_overwritten_unseen(office: Client, chain: Chain) -> None:
    office.post("/setup/rules/new/", posted(score_nps_0="7", score_nps_1="8", save="1"))
    rule = Rule.objects.get(name="Low in Kyiv")
    address = f"/setup/rules/{rule.pk}/"
    seen = ConfigChange.objects.latest("pk").pk
    assert f'name="seen" value="{seen}"' in office.get(address).content.decode()
    assert office.post(address, posted(score_nps_0="6", score_nps_1="8", seen=seen, save="1")).status_code == 303
    mine = posted(score_nps_0="2", score_nps_1="4", seen=seen, save="1")
    # Trying it, or a mistake, shows nothing of what they have saved.
    for more in ({"save": "", "try": "1"}, {"name": ""}):
        sent = {name: value for name, value in (mine | more).items() if (name, value) != ("save", "")}
        assert f'name="seen" value="{seen}"' in office.post(address, sent).content.decode()
    refused = office.post(address, mine)
    assert refused.status_code == 422 and "Somebody else has saved this" in refused.content.decode()
    rule.refresh_from_db()
    assert rule.conditions["scores"] == {"nps": [6, 8]}
    # Whoever has read that and saves again means it.
    newer = ConfigChange.objects.latest("pk").pk
    assert f'name="seen" value="{newer}"' in refused.content.decode() and 'value="4"' in refused.content.decode()
    assert office.post(address, mine | {"seen": newer}).status_code == 303
    # The same at a clock, a group and a way of urgency.
    usual = CasePolicy.objects.get(usual=True)
    for address in (f"/setup/clocks/{usual.pk}/", "/setup/groups/new/", "/setup/urgency/safety/"):
        assert 'name="seen" value="0"' in office.get(address).content.decode()
