"""How a response becomes a case: judged by the rules, opened with its clock, its ladder and its first notice."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection
from django.utils import timezone
from django.utils.translation import gettext_noop

from alerts.choices import TO_DO, EventKind, Severity, StepState, Trigger
from alerts.clock import StoreHours, add_open_time, deadline, hours_of
from alerts.models import Case, CaseEvent, CaseResponse, CaseStep, Evaluation, Rule
from alerts.notices import Written, add_step_notices, add_update
from alerts.policy import DEFAULT_POLICY, Policy
from alerts.queries import case_for_response, is_reachable, open_case_of_contact
from alerts.reviews import ask_person, reason_to_read, settle_by_case
from alerts.rules import Facts, first_that_holds
from alerts.signals import case_changed
from sentiment.lexicon import split_words
from sentiment.models import Analysis
from stores.models import User
from stores.queries import people_by_role, who_answers
from surveys.models import Response

# Words that are read again later, by a better model, do not open cases about last month.
STALE_AFTER = timedelta(days=7)
# "Ok." and "Never again!" may be said of anything: fewer words open nothing, whatever was read into them.
FEWEST_WORDS = 3
READ_BY_A_PERSON = gettext_noop("Read by a person")


@dataclass(frozen=True)
class Verdict:
    """The rule that holds for a response."""

    rule_name: str
    trigger: str
    severity: str


def judge(evaluation: Evaluation, response: Response, *, fresh: bool) -> Case | None:
    """Run the rules of one trigger on a response; opens, joins or changes a case. None when there is none.

    Judged twice, a response still has one case. The caller holds its row, or has just made it (`fresh`: it cannot
    have a case yet).
    """
    analysis = None
    if evaluation.trigger == Trigger.TEXT:
        analysis = Analysis.objects.select_related("verbatim").filter(pk=evaluation.verbatim_id).first()
        if analysis is None or response.submitted_at < timezone.now() - STALE_AFTER:
            return None
        if not says_enough(analysis.verbatim.text):
            return None  # whatever was read into it
    rules = list(Rule.objects.filter(trigger=evaluation.trigger, active=True))
    facts = facts_of(response, analysis)
    verdict = _verdict(rules, facts)
    case = None if fresh else case_for_response(response.pk)
    if case is not None:
        case = _update_case(case, evaluation, response, verdict)
    elif response.erased_at:
        return None
    elif verdict is not None:
        case = _join_case(response, verdict) or open_case(response, verdict)
    elif analysis is not None:
        if reason := reason_to_read(rules, facts):
            ask_person(response, analysis.verbatim, reason)
        return None
    if case is not None and not fresh:
        settle_by_case(case, response)
    return case


def open_by_person(response: Response, severity: Severity, *, actor: User) -> Case:
    """The case that somebody who has read the words wants: the one that is there already, or a new one.

    The caller holds the response's row.
    """
    verdict = Verdict(READ_BY_A_PERSON, Trigger.TEXT, severity)
    return case_for_response(response.pk) or _join_case(response, verdict) or open_case(response, verdict, actor=actor)


def says_enough(words: str) -> bool:
    """Whether a case may be opened about these words at all."""
    return len(split_words(words)) >= FEWEST_WORDS


def facts_of(response: Response, analysis: Analysis | None) -> Facts:
    """What the rules may look at, of a response and of the reading of its words."""
    return Facts(
        kind=response.headline_kind,
        score=response.score,
        channel=response.channel,
        still_here=response.still_here,
        p_negative=analysis.p_negative if analysis else None,
        sentiment=analysis.sentiment if analysis else "",
        confident=bool(analysis and analysis.confident),
        alarming=bool(analysis and analysis.alarming),
        proven=bool(analysis and analysis.proven),
        readable=bool(analysis and analysis.embedding),
        urgency=tuple(analysis.urgency) if analysis else (),
        urgency_certain=bool(analysis and analysis.urgency_certain),
    )


def _verdict(rules: list[Rule], facts: Facts) -> Verdict | None:
    rule = first_that_holds(rules, facts)
    return Verdict(rule.name, rule.trigger, rule.severity) if rule else None


def open_case(response: Response, verdict: Verdict, *, at: datetime | None = None, actor: User | None = None) -> Case:
    """A new case at `at` (None: now), with its steps, its first notice and the events of both, in few statements.

    `actor` is who opened it; None when a rule did.
    """
    now = at or timezone.now()
    store = response.store
    people = people_by_role(store)
    hours = hours_of(store)
    due_at, basis = deadline(hours, now, DEFAULT_POLICY.target)
    case = Case(
        store=store,
        response=response,
        rule_name=verdict.rule_name,
        trigger=verdict.trigger,
        severity=verdict.severity,
        owner=next(iter(who_answers(store, people=people)), None),
        fix_only=not is_reachable(response),
        policy=DEFAULT_POLICY.as_json(),
        hours_basis=basis,
        opened_at=now,
        due_at=due_at,
    )
    case.save(force_insert=True)
    opened = CaseEvent(
        case=case,
        kind=EventKind.OPENED,
        at=now,
        actor=actor,
        new={"state": case.state, "severity": case.severity, "rule": case.rule_name, "due_at": due_at.isoformat()},
    )
    written = Written(events=[opened])
    start_ladder(written, case, hours=hours, people=people, at=now)
    written.save()
    case_changed.send(sender=Case, case=case)
    return case


def start_ladder(
    written: Written, case: Case, *, hours: StoreHours, people: dict[str, list[User]], at: datetime
) -> None:
    """The steps of the case's present round. What is due at once is fired here, in the caller's transaction."""
    rungs = Policy.of(case.policy).rungs
    steps = [
        CaseStep(
            case=case,
            round=case.round,
            ordinal=ordinal,
            level=case.level + rung.rise,
            stops_on=rung.stops_on,
            due_at=due_at,
            run_at=due_at if rung.after else None,
            state=StepState.PENDING if rung.after else StepState.FIRED,
            done_at=None if rung.after else at,
        )
        for ordinal, rung in enumerate(rungs)
        for due_at in [add_open_time(hours, at, rung.after)]
    ]
    CaseStep.objects.bulk_create(steps)
    for step, rung in zip(steps, rungs, strict=True):
        if step.state == StepState.FIRED:
            add_step_notices(written, case, step, people=people, deputies=rung.deputies, at=at)


def _join_case(response: Response, verdict: Verdict) -> Case | None:
    """Append to the store's open case of the same address; None when there is none."""
    value_hash = response.contact.value_hash if response.contact else ""
    if not value_hash:
        return None
    with connection.cursor() as cursor:
        # Until our transaction ends nobody else opens a case for this address here.
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"{response.store_id}:{value_hash}"])
    found = open_case_of_contact(response.store_id, value_hash)
    if found is None:
        return None
    case = _locked(found)
    if case.state not in TO_DO:
        return None  # resolved meanwhile: nobody would look there any more
    now = timezone.now()
    CaseResponse.objects.create(case=case, response=response)
    written = Written()
    written.events.append(
        CaseEvent(case=case, kind=EventKind.RESPONSE_ADDED, at=now, new={"response": str(response.pk)})
    )
    _raise_severity(written, case, verdict, at=now)
    add_update(written, case, about=f"added:{response.pk}", at=now)
    return _saved(written, case)


def _update_case(case: Case, evaluation: Evaluation, response: Response, verdict: Verdict | None) -> Case:
    """What a corrected answer or a reading changes about a case that is there: it grows, it is never withdrawn."""
    case = _locked(case)
    now = timezone.now()
    written = Written()
    if evaluation.trigger == Trigger.SCORE and evaluation.revision > 1:
        old = case.fix_only
        if case.response_id == response.pk:
            case.judge_reach(reachable=is_reachable(response), at=now)
        changed = {"fix_only": case.fix_only, "score": response.score}
        written.events.append(
            CaseEvent(case=case, kind=EventKind.CORRECTED, at=now, old={"fix_only": old}, new=changed)
        )
        # Other words, or an address at last: whoever read the first notice, or has closed the case, must know.
        add_update(written, case, about=f"corrected:{response.pk}:{evaluation.revision}", at=now)
    _raise_severity(written, case, verdict, at=now)
    return _saved(written, case) if written.events else case


def _raise_severity(written: Written, case: Case, verdict: Verdict | None, *, at: datetime) -> None:
    if verdict is None or verdict.severity != Severity.SEVERE or case.severity == Severity.SEVERE:
        return
    written.events.append(
        CaseEvent(
            case=case,
            kind=EventKind.SEVERITY_RAISED,
            at=at,
            old={"severity": case.severity},
            new={"severity": verdict.severity, "rule": verdict.rule_name},
        )
    )
    case.severity = verdict.severity
    add_update(written, case, about=f"severe:{case.pk}", at=at)


def _locked(case: Case) -> Case:
    return Case.objects.select_for_update(of=("self",)).select_related("store__node", "owner").get(pk=case.pk)


def _saved(written: Written, case: Case) -> Case:
    case.version += 1
    case.save(update_fields=["fix_only", "severity", "version"])
    written.save()
    case_changed.send(sender=Case, case=case)
    return case
