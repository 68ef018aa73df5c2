"""How a response becomes a case: judged by the rules, opened with its clock, its ladder and its first notice."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from django.core.exceptions import ValidationError
from django.db import connection
from django.utils import timezone
from django.utils.translation import gettext_noop

from alerts.book import Book, current
from alerts.choices import TO_DO, CaseState, EventKind, ReviewReason, Severity, StepState, Trigger
from alerts.clock import StoreHours, due_after, hours_of
from alerts.ladder import LEVELS, Policy, Rung
from alerts.models import Case, CaseEvent, CaseResponse, CaseStep, Evaluation, Rule
from alerts.notices import CASE_NOTICE, CASE_UPDATE, Written, add_step_notices, add_update
from alerts.queries import case_for_response, earlier_cases, is_reachable, open_case_of_contact
from alerts.reviews import ask_person, reason_to_read, settle_by_case
from alerts.rules import Facts, rules_that_hold
from alerts.signals import case_changed
from alerts.verdicts import Verdict, verdict_of
from core.quick import insert, insert_soon
from sentiment.holding import is_by_service
from sentiment.lexicon import split_words
from sentiment.models import Analysis
from stores.models import User
from stores.queries import LEVELS as ROLES_BY_LEVEL
from stores.queries import people_by_role, who_answers
from surveys.choices import AUTOMATIC
from surveys.models import Response, Verbatim
from surveys.queries import BY_A_PHONE

# Words that are read again later, by a better model, do not open cases about last month.
STALE_AFTER = timedelta(days=7)
# "Ok." and "Never again!" may be said of anything: fewer words open nothing, whatever was read into them.
FEWEST_WORDS = 3
# What may change of a case that grows.
_GROWS = (
    "fix_only", "severity", "version", "urgency", "policy",
    "due_at", "hours_basis", "acknowledge_due_at", "resolve_due_at",
    # What begins anew.
    "round", "level", "state", "owner", "first_due_at", "resolved_at", "closed_at", "root_cause",
    "outcome", "exemption", "exempt_reason",
)  # fmt: skip
READ_BY_A_PERSON = gettext_noop("Read by a person")


def opens_nothing(response: Response, book: Book) -> bool:
    """Whether the score alone already shows that no rule holds for a new response, without a look into the database;
    False where a rule needs one. Raises ValidationError for a rule that cannot be read."""
    rules = book.rules_of(Trigger.SCORE)
    return not any(asks_for_repeats(rule) for rule in rules) and not rules_that_hold(rules, facts_of(response, None))


def judge(evaluation: Evaluation, response: Response, *, fresh: bool, book: Book | None = None) -> Case | None:
    """Run the rules of one trigger on a response; opens, joins or changes a case. None when there is none.

    Judged twice, a response still has one case. The caller holds its row, or has just made it (`fresh`: it cannot
    have a case yet). `book`: as it was read a moment ago.
    """
    analysis = None
    if evaluation.trigger == Trigger.TEXT:
        analysis = Analysis.objects.select_related("verbatim__response").filter(pk=evaluation.verbatim_id).first()
        if analysis is None or is_stale(analysis.verbatim):
            return None
        if analysis.verbatim.question == BY_A_PHONE or not says_enough(analysis.verbatim.text):
            _ask_about_few_words(response, analysis)
            return None
    elif AUTOMATIC in response.flags:
        return None
    book = book or current()
    rules = book.rules_of(evaluation.trigger)
    facts = facts_of(response, analysis, remember=any(asks_for_repeats(rule) for rule in rules))
    verdict = verdict_of(rules_that_hold(rules, facts), facts, book)
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


def is_stale(verbatim: Verbatim) -> bool:
    """Whether these words were said too long ago; what was added to them since makes them fresh."""
    response, since = verbatim.response, timezone.now() - STALE_AFTER
    if response.submitted_at >= since:
        return False
    before = response.revisions.filter(replaced_at__gte=since).values_list("answers", flat=True)
    return not any(answers.get(verbatim.question, "") != verbatim.text for answers in before)


def _ask_about_few_words(response: Response, analysis: Analysis) -> None:
    """ "Gas leak!" opens nothing, but somebody looks; of other words so few, whatever was read into them is nothing.
    Nor does what a phone says by itself, "for emergencies call …"."""
    if analysis.urgency and not response.erased_at and case_for_response(response.pk) is None:
        ask_person(response, analysis.verbatim, ReviewReason.URGENT)


def open_by_person(response: Response, severity: Severity, *, actor: User) -> Case:
    """The case that somebody who has read the words wants: the one that is there already, or a new one.

    The caller holds the response's row.
    """
    verdict = Verdict(READ_BY_A_PERSON, Trigger.TEXT, severity)
    return case_for_response(response.pk) or _join_case(response, verdict) or open_case(response, verdict, actor=actor)


def says_enough(words: str) -> bool:
    """Whether a case may be opened about these words at all."""
    return len(split_words(words)) >= FEWEST_WORDS


def facts_of(response: Response, analysis: Analysis | None, *, remember: bool = False) -> Facts:
    """What the rules may look at, of a response and of the reading of its words.

    `remember`: also the earlier cases of the same verified shopper, which takes a query.
    """
    store = response.store
    return Facts(
        kind=response.headline_kind,
        score=response.score,
        channel=response.channel,
        still_here=response.still_here,
        answers=response.answers,
        above=tuple(store.node.above),
        store_kind=store.kind,
        earlier=tuple(earlier_cases(response)) if remember else (),
        **(reading_facts(analysis) if analysis else {}),
    )


def reading_facts(analysis: Analysis) -> dict[str, Any]:
    """The part of the facts that comes from a reading."""
    return {
        "p_negative": analysis.p_negative,
        "p_neutral": analysis.p_neutral,
        "p_positive": analysis.p_positive,
        "sentiment": analysis.sentiment,
        "confident": analysis.confident,
        "alarming": analysis.alarming,
        "proven": analysis.proven,
        "by_service": is_by_service(analysis.model_version),
        "readable": bool(analysis.embedding),
        "urgency": tuple(analysis.urgency),
        "urgency_certain": analysis.urgency_certain,
        "topics": tuple((one["topic"], one.get("sentiment", "")) for one in analysis.topics),
        "words": analysis.verbatim.text,
        "language": analysis.language,
    }


def asks_for_repeats(rule: Rule) -> bool:
    """Whether a rule looks at earlier cases; one that cannot be read does not."""
    try:
        return rule.parsed.repeat is not None
    except ValidationError:
        return False


def open_case(response: Response, verdict: Verdict, *, at: datetime | None = None, actor: User | None = None) -> Case:
    """A new case at `at` (None: now), with its steps, its first notice and the events of both, in few statements.

    `actor` is who opened it; None when a rule did.
    """
    now = at or timezone.now()
    store = response.store
    people = people_by_role(store)
    hours = hours_of(store)
    case = new_case(response, verdict, at=now, hours=hours, people=people)
    insert_soon([case])
    opened = CaseEvent(case=case, kind=EventKind.OPENED, at=now, actor=actor, new=opening_facts(case))
    written = Written(events=[opened])
    start_ladder(written, case, hours=hours, people=people, at=now)
    written.save()
    case_changed.send(sender=Case, case=case)
    return case


def new_case(
    response: Response,
    verdict: Verdict,
    *,
    at: datetime,
    hours: StoreHours,
    people: dict[str, list[User]],
    pk: UUID | None = None,
) -> Case:
    """The unsaved case that a verdict makes of a response, with its own copy of the policy."""
    policy = (verdict.policy or current().usual).with_warning().and_tell(verdict.also)
    case = Case(
        id=pk or uuid4(),
        store=response.store,
        response=response,
        rule_name=verdict.rule_name,
        rule_id=next(iter(verdict.rules), None),
        trigger=verdict.trigger,
        severity=verdict.severity,
        urgency=list(verdict.urgency),
        level=verdict.level,
        owner=next(iter(who_answers(response.store, verdict.level, people=people)), None),
        fix_only=not is_reachable(response),
        policy=replace(policy, rules=verdict.rules).as_json(),
        opened_at=at,
    )
    set_clock(case, policy, hours=hours, at=at)
    return case


def opening_facts(case: Case) -> dict[str, Any]:
    """What the record says about a case that was opened."""
    facts = {"state": case.state, "severity": case.severity, "rule": case.rule_name}
    more = {"urgency": case.urgency} if case.urgency else {}
    return facts | more | {"due_at": case.due_at.isoformat()}


def set_clock(case: Case, policy: Policy, *, hours: StoreHours, at: datetime) -> None:
    """Start the case's clock at `at`: by when it is to be noticed, the shopper reached, and all done."""

    def by(minutes: int | None) -> datetime | None:
        return None if minutes is None else due_after(hours, at, minutes, policy.counted)[0]

    case.due_at, case.hours_basis = due_after(hours, at, policy.target, policy.counted)
    case.acknowledge_due_at, case.resolve_due_at = by(policy.acknowledge), by(policy.resolve)


def begin_round(
    case: Case, *, level: int, hours: StoreHours, people: dict[str, list[User]], at: datetime
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Turn the case to a new round at `level`, with an owner and a clock of its own; returns what the record says of
    before and after. Its ladder is started by the caller, once that is written."""
    old: dict[str, Any] = {
        "state": case.state,
        "level": case.level,
        "owner": case.owner_id,
        "due_at": case.due_at.isoformat(),
        "root_cause": case.root_cause_id,
    }
    left = {"outcome": case.outcome, "exemption": case.exemption, "exempt_reason": case.exempt_reason}
    old |= {name: value for name, value in left.items() if value}
    case.round += 1
    case.level = min(level, len(ROLES_BY_LEVEL) - 1)
    case.state = CaseState.OPEN
    case.owner = next(iter(who_answers(case.store, case.level, people=people)), None)
    case.first_due_at = case.first_due_at or case.due_at
    set_clock(case, Policy.of(case.policy), hours=hours, at=at)
    case.resolved_at = case.closed_at = case.root_cause = None
    case.outcome = case.exemption = case.exempt_reason = ""
    new = {
        "state": case.state.value,
        "level": case.level,
        "owner": case.owner_id,
        "due_at": case.due_at.isoformat(),
        "round": case.round,
    }
    return old, new


def start_ladder(
    written: Written,
    case: Case,
    *,
    hours: StoreHours,
    people: dict[str, list[User]],
    at: datetime,
    since: int = 0,
    kind: str = CASE_NOTICE,
) -> None:
    """The steps of the case's present round, from the one numbered `since` on. What is due at once is fired here, in
    the caller's transaction, as messages of `kind`; nobody is told twice of the same moment."""
    rungs = Policy.of(case.policy).rungs
    steps = [new_step(case, ordinal, rung, hours=hours, at=at) for ordinal, rung in enumerate(rungs)][since:]
    insert(steps)
    knowing: set[tuple[object, str]] = {(message.user_id, message.channel) for message in written.messages}
    for step in steps:
        rung = rungs[step.ordinal]
        if step.state == StepState.FIRED:
            add_step_notices(written, case, step, rung, people=people, at=at, kind=kind, knowing=knowing)
            if rung.every:
                tell_again(case, step, rung, at=at, hours=hours)


def new_step(
    case: Case,
    ordinal: int,
    rung: Rung,
    *,
    hours: StoreHours,
    at: datetime,
    after: int | None = None,
    repetition: int = 0,
) -> CaseStep:
    """One unsaved step: `after` (None: as its rung says) minutes from `at`; what is due at once counts as fired."""
    after = rung.after if after is None else after
    due_at = due_after(hours, at, after, rung.counted)[0]
    return CaseStep(
        case=case,
        round=case.round,
        ordinal=ordinal,
        repetition=repetition,
        level=rung.level(case.level),
        stops_on=rung.stops_on,
        due_at=due_at,
        run_at=due_at if after else None,
        state=StepState.PENDING if after else StepState.FIRED,
        done_at=None if after else at,
    )


def tell_again(case: Case, step: CaseStep, rung: Rung, *, at: datetime, hours: StoreHours | None = None) -> None:
    """The next repetition of a step that has just fired, as a row of its own."""
    again = new_step(
        case,
        step.ordinal,
        rung,
        hours=hours or hours_of(case.store),
        at=at,
        after=rung.every,
        repetition=step.repetition + 1,
    )
    insert([again])


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
    _widen(written, case, verdict, at=now)
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
    _widen(written, case, verdict, at=now)
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


def _widen(written: Written, case: Case, verdict: Verdict | None, *, at: datetime) -> None:
    """What rules that have not had their say yet add to a case that is there: people to tell, and of urgent words a
    stricter clock with its ladder. The steps that it has stay as they are. A rule that has had its say has it again of
    another kind of urgency, which has a way of its own."""
    policy = Policy.of(case.policy)
    if verdict is None:
        return
    urgent = [kind for kind in verdict.urgency if kind not in case.urgency]
    if case.state not in TO_DO:
        if urgent:
            _reopen(written, case, verdict, urgent, at=at)
        return
    if not urgent and set(verdict.rules) <= set(policy.rules):
        return
    known = {target for rung in policy.rungs if not rung.after for target in rung.to}
    # Whoever has begun keeps the case; those who would have answered a new one are told.
    higher = [name for name, level in LEVELS.items() if case.level < level == verdict.level]
    also = [target for target in [*verdict.also, *higher] if target not in known]
    # Whoever knows of the case does not know yet that it is urgent in this way.
    routes = current().routes
    also = list(dict.fromkeys([*also, *(target for kind in urgent if kind in routes for target in routes[kind].to)]))
    stricter = verdict.policy if verdict.urgency and verdict.policy and verdict.policy.is_stricter(policy) else None
    if not (also or urgent or stricter):
        return
    old = {"due_at": case.due_at.isoformat()}
    hours, since = hours_of(case.store), len(policy.rungs)
    if stricter is not None:
        added = stricter.with_warning()
        policy = replace(added, rungs=(*policy.rungs, *added.rungs), rules=policy.rules)
        due_at = case.due_at
        set_clock(case, policy, hours=hours, at=at)
        case.due_at = min(due_at, case.due_at)
    policy = replace(policy.and_tell(also), rules=tuple(dict.fromkeys([*policy.rules, *verdict.rules])))
    case.policy, case.urgency = policy.as_json(), [*case.urgency, *urgent]
    if urgent and not written.messages:
        # Whoever acts learns it too, also where the case was severe before, nobody is named and the clock stays.
        add_update(written, case, about=f"urgent:{case.pk}:{case.version}", at=at)
    new = {"due_at": case.due_at.isoformat(), "rule": verdict.rule_name, "urgency": case.urgency}
    written.events.append(CaseEvent(case=case, kind=EventKind.WIDENED, at=at, old=old, new=new))
    people = people_by_role(case.store)
    start_ladder(written, case, hours=hours, people=people, at=at, since=since, kind=CASE_UPDATE)


def _reopen(written: Written, case: Case, verdict: Verdict, urgent: list[str], *, at: datetime) -> None:
    """What is urgent was read too late: a case that was closed meanwhile begins anew, the way of the urgency."""
    policy = Policy.of(case.policy)
    if verdict.policy and verdict.policy.is_stricter(policy):
        policy = replace(verdict.policy.with_warning(), rules=policy.rules)
    rules = tuple(dict.fromkeys([*policy.rules, *verdict.rules]))
    case.policy = replace(policy.and_tell(verdict.also), rules=rules).as_json()
    case.urgency = [*case.urgency, *urgent]
    hours, people = hours_of(case.store), people_by_role(case.store)
    level = max(case.level, verdict.level)
    old, new = begin_round(case, level=level, hours=hours, people=people, at=at)
    new |= {"rule": verdict.rule_name, "urgency": case.urgency}
    written.events.append(CaseEvent(case=case, kind=EventKind.URGENT_LATER, at=at, old=old, new=new))
    start_ladder(written, case, hours=hours, people=people, at=at)


def _locked(case: Case) -> Case:
    return Case.objects.select_for_update(of=("self",)).select_related("store__node", "owner").get(pk=case.pk)


def _saved(written: Written, case: Case) -> Case:
    case.version += 1
    case.save(update_fields=_GROWS)
    written.save()
    case_changed.send(sender=Case, case=case)
    return case
