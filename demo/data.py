"""The demo chain as a whole: made once, in one transaction, and described for those who walk through it."""

import random
import uuid
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.urls import reverse
from django.utils import timezone

from alerts.choices import Severity, Trigger
from alerts.models import Case, Evaluation, Rule
from alerts.opening import facts_of, says_enough
from alerts.policy import ensure_defaults
from alerts.reviews import reason_to_read
from alerts.rules import first_that_holds
from alerts.verdicts import Verdict
from core.tokens import link_token
from demo.cases import Chronicler, Opening
from demo.outer_loop import begin_actions
from demo.people import send_some_on_holiday
from demo.places import PASSWORD, make_places
from demo.praise import save_kudos
from demo.reviews import Asked, save_reviews
from demo.scans import save_scans
from demo.voices import MANY_SCRIPTS_AT, Narrator, Voices, last_full_week
from integrations.choices import Scope
from integrations.models import ApiKey, hash_of
from reports.asking_cells import count_due as count_asked
from reports.facts import count_store
from reports.receivers import mark_stale
from sentiment.engine import Reading, read
from sentiment.holding import columns_of
from sentiment.models import Analysis
from sentiment.reading import read_hash
from stores.choices import Role
from stores.models import RoleAssignment, Store, Touchpoint
from surveys.actions import submit
from surveys.choices import ContactWish, ResponseChannel
from surveys.defaults import ensure_surveys
from surveys.forms import Answers, Wish
from surveys.inviting import call_ended, receipt_link
from surveys.models import Invitation, Verbatim
from surveys.queries import asking_at

log = structlog.get_logger()
SEED = 20
_KEY_PREFIX = "hh_demo0000"
_READ_AFTER = timedelta(seconds=2)
# Round the clock, so that a clock always runs.
_ALWAYS_OPEN = ("KY1", "HH2")
_OPEN_RECEIPTS = (("KY2", "uk"), ("BE1", "de"), ("LO1", "en"))


def is_made() -> bool:
    """Whether this database holds the demo chain."""
    return ApiKey.objects.filter(prefix=_KEY_PREFIX).exists()


def is_empty() -> bool:
    """Whether this database holds no chain at all."""
    return not Store.objects.exists()


@transaction.atomic
def make_demo(*, seed: int = SEED, now: datetime | None = None) -> None:
    """Everything from the tree to the reports' cells. The same seed and moment make the same rows."""
    rng = random.Random(seed)
    now = now or timezone.now()
    places = make_places(rng, today=now.date())
    ensure_defaults()
    versions = ensure_surveys()
    voices = Narrator(rng, now=now, versions=versions).tell(places)
    voices.save()
    # Of its own chance, as below, so that the rest stays as it was.
    save_scans(voices.responses, random.Random(seed), now)
    Invitation.objects.update(created_at=F("expires_at") - settings.INVITATION_LIFETIME)
    analyses = _read(voices.verbatims)
    opened, asked = _judge(voices, analyses)
    save_reviews(asked, random.Random(seed), now)
    save_kudos(analyses, {opening.response.pk for opening in opened}, random.Random(seed), now)
    Chronicler(rng, now=now).tell(opened).save()
    _count(places.shops + ([places.call_centre] if places.call_centre else []), now)
    _invite(places.shops, places.call_centre, rng, now)
    count_asked()
    _make_key()
    begin_actions(now)
    send_some_on_holiday(now)


@transaction.atomic
def keep_a_clock_running() -> bool:
    """Two unhappy shoppers, right now, at the stores that never close, by the way that every response comes.

    Does nothing and returns False while a case's thirty minutes are still running.
    """
    running = Case.objects.filter(store__code__in=_ALWAYS_OPEN, due_at__gt=timezone.now(), acknowledged_at=None)
    if running.exists():
        return False
    words = {"KY1": "Десять хвилин стою на касі, нікого немає.", "HH2": "Die Kasse ist seit zehn Minuten unbesetzt."}
    for number, code in enumerate(_ALWAYS_OPEN):
        touchpoint = Touchpoint.objects.filter(store__code=code, kind="till", retired_at=None).first()
        asking = asking_at(touchpoint) if touchpoint else None
        if asking is None:
            continue
        form_id = uuid.uuid4()
        # Of their own each time: an open case of the same address would take the response in.
        wish = Wish(ContactWish.EMAIL, f"waiting-{form_id.hex[:8]}@shoppers.example")
        answers = Answers(2 + number, {asking.document.open_questions[0].key: words[code]}, wish, still_here=not number)
        submit(asking, answers, form_id=form_id, language=asking.store.languages[0])
    return True


def describe() -> dict[str, Any]:
    """What a walk through the demo needs to know (DESIGN §6)."""
    held = RoleAssignment.objects.select_related("user", "store").order_by("pk")
    invitations = Invitation.objects.filter(response=None, expires_at__gt=timezone.now()).order_by("-created_at", "pk")
    fresh = [one for channel in ResponseChannel for one in invitations.filter(channel=channel)[:3]]
    return {
        "logins": [
            {"role": a.role, "email": a.user.email, "password": PASSWORD} | ({"store": a.store.code} if a.store else {})
            for a in _one_of_each_first(held)
        ],
        "touchpoints": [
            {"store": spot.store.code, "code": spot.code}
            for spot in Touchpoint.objects.filter(retired_at=None).select_related("store").order_by("pk")
        ],
        "invitations": [{"token": one.token, "channel": one.channel} for one in fresh],
        "walls": [_wall_in_three_scripts()],
        "api_key": f"{_KEY_PREFIX}.{_key_secret()}",
    }


def _wall_in_three_scripts() -> dict[str, str]:
    made_at = ApiKey.objects.get(prefix=_KEY_PREFIX).created_at
    store = Store.objects.get(code=MANY_SCRIPTS_AT)
    week = last_full_week(made_at, store.time_zone)
    return {"store": store.code, "path": reverse("wall", args=[store.code, week])}


def _one_of_each_first(held: Iterable[RoleAssignment]) -> list[RoleAssignment]:
    """By role, but somebody of every role before the many managers."""
    by_role = sorted(held, key=lambda a: (list(Role).index(Role(a.role)), a.pk))
    first = {a.role: a for a in reversed(by_role)}
    return sorted(by_role, key=lambda a: first[a.role] is not a)


def _read(verbatims: Iterable[Verbatim]) -> list[Analysis]:
    """Readings by the real engine, of each distinct text once."""
    verbatims = list(verbatims)
    distinct = sorted({_told(verbatim) for verbatim in verbatims})
    texts, pages, belied = zip(*distinct, strict=True)
    found = read(
        texts,
        page_languages=pages,
        praise_belied=belied,
        chain_languages=settings.VERBATIM_LANGUAGES,
        model=settings.SENTIMENT_MODEL or None,
    )
    readings: dict[tuple[str, str, bool], Reading] = dict(zip(distinct, found, strict=True))
    analyses = []
    for verbatim in verbatims:
        reading = readings[_told(verbatim)]
        analyses.append(
            Analysis(
                verbatim=verbatim,
                text_hash=read_hash(verbatim),
                analysed_at=verbatim.response.submitted_at + _READ_AFTER,
                attempts=1,
                **columns_of(reading),
            )
        )
    Analysis.objects.bulk_create(analyses, batch_size=1000)
    return analyses


def _told(verbatim: Verbatim) -> tuple[str, str, bool]:
    """What a reading depends on: the words, the language of the page, and whether the score belies praise."""
    return verbatim.text, verbatim.response.language, verbatim.response.belies_praise


def _judge(voices: Voices, analyses: list[Analysis]) -> tuple[list[Opening], list[Asked]]:
    """What the chain's own rules make of each response: first of its score, then of its words."""
    rules = list(Rule.objects.filter(active=True))
    by_trigger = {trigger: [rule for rule in rules if rule.trigger == trigger] for trigger in Trigger}
    read_as = {analysis.verbatim.response_id: analysis for analysis in analyses}
    opened, asked, evaluations = [], [], []
    for response in voices.responses:
        at = response.submitted_at
        analysis = read_as.get(response.pk)
        evaluations.append(Evaluation(response=response, trigger=Trigger.SCORE, revision=1, done_at=at))
        rule = first_that_holds(by_trigger[Trigger.SCORE], facts_of(response, None))
        by_words, words = None, analysis.verbatim.text if analysis else ""
        if analysis:
            done_at = at + 2 * _READ_AFTER
            evaluations.append(
                Evaluation(
                    response=response, trigger=Trigger.TEXT, revision=0, verbatim=analysis.verbatim, done_at=done_at
                )
            )
            if says_enough(words):
                facts = facts_of(response, analysis)
                by_words = first_that_holds(by_trigger[Trigger.TEXT], facts)
                reason = reason_to_read(by_trigger[Trigger.TEXT], facts)
                if reason and not rule and not by_words:
                    asked.append(Asked(analysis.verbatim, reason, done_at))
        if rule:
            severe = by_words if by_words and by_words.severity == Severity.SEVERE else None
            raised = _verdict(severe) if severe else None
            opened.append(Opening(response, words, _verdict(rule), at, raised=raised))
        elif by_words:
            opened.append(Opening(response, words, _verdict(by_words), at + 2 * _READ_AFTER))
    Evaluation.objects.bulk_create(evaluations, batch_size=1000)
    return sorted(opened, key=lambda opening: opening.at), asked


def _verdict(rule: Rule) -> Verdict:
    return Verdict(rule.name, rule.trigger, rule.severity, rules=(rule.pk,))


def _count(stores: list[Store], now: datetime) -> None:
    """The reports' cells, and marks to count again when a running clock ends."""
    for store in stores:
        count_store(store.pk)
    for case in Case.objects.filter(due_at__gt=now).select_related("response"):
        mark_stale(case.response, at=case.due_at)


def _invite(shops: list[Store], call_centre: Store | None, rng: random.Random, now: datetime) -> None:
    """Unanswered links: receipts of today, and a call that has just ended."""
    by_code = {store.code: store for store in shops}
    for code, language in _OPEN_RECEIPTS:
        receipt_link(by_code[code], f"R{rng.randrange(10**8):08d}", now - timedelta(minutes=20), language=language)
    if call_centre:
        call_ended("demo-call-1", call_centre, "+447400123456", ended_at=now, queue="orders", agent="A3", language="en")


def _make_key() -> None:
    ApiKey.objects.create(
        name="Demo", prefix=_KEY_PREFIX, secret_hash=hash_of(_key_secret()), scopes=sorted(Scope.values)
    )


def _key_secret() -> str:
    """Of the installation's own keys, so that it can be told again."""
    return link_token("demo api key", uuid.UUID(int=0))
