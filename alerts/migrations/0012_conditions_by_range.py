"""Conditions in the words that head office's pages edit, and which rule opened each case. Nothing changes in effect."""

from django.db import migrations

# The lowest score of each kind of question when this was written.
_LOWEST = {"nps": 0, "smiley5": 1}
_USUAL = {
    "target": 30,
    "rungs": [
        {"after": 0, "to": ["answering"], "stops_on": "never", "counted": "open", "channel": "", "every": 0},
        {
            "after": 15,
            "to": ["answering", "deputy"],
            "stops_on": "acknowledge",
            "counted": "open",
            "channel": "",
            "every": 0,
        },
        {"after": 30, "to": ["up"], "stops_on": "contact", "counted": "open", "channel": "", "every": 0},
    ],
    "counted": "open",
    "acknowledge": None,
    "resolve": None,
    "warning": None,
    "rules": [],
}
_KINDS = ("safety", "discrimination", "legal", "fraud", "data_protection")


def rewritten(conditions):
    """The same conditions with a range for each mark, and every sentiment asked for in one way."""
    new = dict(conditions)
    if isinstance(marks := new.get("score_at_most"), dict) and set(marks) <= set(_LOWEST):
        new["scores"] = {kind: [_LOWEST[kind], mark] for kind, mark in new.pop("score_at_most").items()}
    if "negative_at_least" in new:
        new["sentiment"] = {"negative": new.pop("negative_at_least")}
    return new


def forwards(apps, schema_editor):
    Rule = apps.get_model("alerts", "Rule")
    Case = apps.get_model("alerts", "Case")
    if not Rule.objects.exists():
        return  # a new chain is given its own
    for rule in Rule.objects.all():
        if isinstance(rule.conditions, dict) and (new := rewritten(rule.conditions)) != rule.conditions:
            Rule.objects.filter(pk=rule.pk).update(conditions=new)
        Case.objects.filter(rule=None, rule_name=rule.name, trigger=rule.trigger).update(rule=rule)
    CasePolicy = apps.get_model("alerts", "CasePolicy")
    if not CasePolicy.objects.exists():
        CasePolicy.objects.create(name="Usual", content=_USUAL, usual=True)
    for kind in _KINDS:
        apps.get_model("alerts", "UrgencyRoute").objects.get_or_create(kind=kind)


class Migration(migrations.Migration):
    dependencies = [("alerts", "0011_rules_head_office_edits")]

    operations = [migrations.RunPython(forwards, migrations.RunPython.noop)]
