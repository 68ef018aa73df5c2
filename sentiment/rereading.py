"""History read again: a long job that gives way to everything new, candidates beside what is live, then a decision.

It reads in the order of the keys and remembers where it is, so that it goes on after any end. What goes live is
swapped in short batches; no case is opened about old words, only what is counted follows.
"""

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, cast

import structlog
from django.conf import settings
from django.db import IntegrityError, InterfaceError, OperationalError, transaction
from django.db.models import Exists, OuterRef, Q
from django.utils.translation import get_language, override
from django.utils.translation import gettext as _

from core.jobs import JobFailed, cancel_job, register_job, start_job
from core.leases import ClockNow
from core.models import Job
from sentiment.comparison import agreement_of
from sentiment.files import ModelMissing
from sentiment.holding import ANSWERED, JUDGED, Judgement, columns_of, is_by_service, model_said, overruled
from sentiment.keeping import drop_unused, installed, name_of
from sentiment.models import Analysis, Candidate, Rereading, RereadingState
from sentiment.reading import Reader, hold_reader, own_version, readings_of
from sentiment.signals import readings_replaced
from stores.models import User
from surveys.models import Verbatim

if TYPE_CHECKING:
    from sentiment.engine import Reading

log = structlog.get_logger()
KIND = "reread"
BATCH = 32
SWAPPED_AT_ONCE = 200
DROPPED_AT_ONCE = 5000
_LOOK_SECS, _LONGEST_WAIT_SECS = 0.5, 10.0
_OPEN = (RereadingState.READING, RereadingState.READY, RereadingState.GOING_LIVE)
_SWAPPED = (
    *JUDGED,
    *("corrected", "people_say", "model_reading"),
    *("language", "language_confidence", "proven", "redacted", "model_version", "embedding"),
)


_OF_SERVICE = ("sentiment", "p_negative", "p_neutral", "p_positive", "confident", "alarming")


class NotNow(Exception):
    """A rereading is open already, or is not where this decision belongs; the message is for the person."""


# --- decisions ------------------------------------------------------------------------------------------------
def open_rereading() -> Rereading | None:
    """The one that is being read, waits for a decision, or goes live."""
    found = Rereading.objects.select_related("job", "started_by", "decided_by", "heads").filter(state__in=_OPEN)
    return found.defer("heads__content").first()


def start_rereading(actor: User | None, reader: Reader | None = None) -> Rereading:
    """Have all words read again by `reader` (None: what is installed here, as it is served) and today's word lists.
    Raises NotNow."""
    reader = reader or Reader()
    model = reader.model or name_of(installed()[0])
    try:
        with transaction.atomic():
            total = Analysis.objects.filter(analysed_at__isnull=False).count()
            rereading = Rereading.objects.create(model=model, heads_id=reader.heads, started_by=actor, total=total)
            _start_job(rereading, actor)
    except IntegrityError:
        raise NotNow(_("Old comments are being read again already.")) from None
    return rereading


def go_live(rereading: Rereading, actor: User | None) -> None:
    """New words are read by its model from now on, and its readings of old words take their place. Without an actor it
    is the operator's command. Raises NotNow.

    Whoever is reading words by the old model now stores them before this or not at all; the sweep that begins anew
    finds all that has come in or was changed since history was read.
    """
    more: dict[str, Any] = {"agreement": agreement_of(rereading), "read_to": 0, "skipped": 0}
    with transaction.atomic():
        hold_reader(exchange=True)
        _decide(rereading, actor, RereadingState.GOING_LIVE, among=(RereadingState.READY,), **more)
        _start_job(rereading, actor)


def discard(rereading: Rereading, actor: User) -> None:
    """Leave everything as it is and drop the candidates. Raises NotNow once it goes live."""
    with transaction.atomic():
        _decide(rereading, actor, RereadingState.DISCARDED, among=(RereadingState.READING, RereadingState.READY))
        if rereading.job:
            cancel_job(rereading.job)
        _start_job(rereading, actor)


def resume(rereading: Rereading, actor: User | None) -> None:
    """Go on with what was stopped or failed. Raises NotNow when it is running or has nothing left to do."""
    with transaction.atomic():
        now = Rereading.objects.select_for_update(of=("self",)).select_related("job").get(pk=rereading.pk)
        stopped = now.job is None or now.job.is_over
        if not stopped or now.state not in (RereadingState.READING, RereadingState.GOING_LIVE):
            raise NotNow(_("There is nothing to go on with."))
        _start_job(now, actor)


def _decide(
    rereading: Rereading,
    actor: User | None,
    state: RereadingState,
    *,
    among: Sequence[RereadingState],
    **more: Any,
) -> None:
    found = Rereading.objects.filter(pk=rereading.pk, state__in=among)
    if not found.update(state=state, decided_by=actor, decided_at=ClockNow(), **more):
        raise NotNow(_("Somebody has decided about this already."))


def _start_job(rereading: Rereading, actor: User | None) -> None:
    title = _("Old comments, read again")
    job = start_job(
        KIND,
        owner=actor.pk if actor else None,
        title=title,
        params={"rereading": rereading.pk, "language": get_language()},
        back_url="/words/models/",
    )
    Rereading.objects.filter(pk=rereading.pk).update(job=job)


# --- the job --------------------------------------------------------------------------------------------------
def run(job: Job) -> Iterator[None]:
    """Everything a rereading needs done in its present state, a short transaction a step."""
    while True:
        if not _made_way():
            yield
            continue
        rereading = Rereading.objects.select_for_update(of=("self",)).get(pk=job.params["rereading"])
        # What stops it is told in the language of who asked.
        with override(job.params.get("language")):
            handled = _step(rereading)
        _show_progress(job, rereading, handled)
        if not handled:
            return
        yield


def _made_way() -> bool:
    """Wait until no fresh words are due; False when they still come, so that the job's own slice may end."""
    until = time.monotonic() + _LONGEST_WAIT_SECS
    while Analysis.objects.filter(run_at__lte=ClockNow()).exists():
        if time.monotonic() > until:
            return False
        time.sleep(_LOOK_SECS)
    return True


def _step(rereading: Rereading) -> int:
    """One batch; returns how many rows it took, 0 when nothing is left to do."""
    match rereading.state:
        case RereadingState.READING:
            if handled := _read_batch(rereading):
                return handled
            rereading.state = RereadingState.READY
            rereading.save(update_fields=["state"])
        case RereadingState.GOING_LIVE:
            # First what was read by the old model since: new words are read by the new one already. Once the swap has
            # begun nothing is left of it, and looking for it at every step would read a million rows each time.
            swept = rereading.live_to > 0
            if handled := (not swept and _read_batch(rereading)) or _swap_batch(rereading):
                return handled
            rereading.state = RereadingState.LIVE
            rereading.save(update_fields=["state"])
            drop_unused(_last_live())
        case RereadingState.DISCARDED:
            some = rereading.candidates.order_by("pk").values_list("pk", flat=True)[:DROPPED_AT_ONCE]
            return Candidate.objects.filter(pk__in=list(some)).delete()[0]
    return 0


def _last_live() -> set[str]:
    """The model that is live and the one before: somebody may want to go back."""
    live = Rereading.objects.filter(state=RereadingState.LIVE).order_by("-decided_at")
    return set(list(dict.fromkeys(live.values_list("model", flat=True)))[:2])


def _show_progress(job: Job, rereading: Rereading, handled: int) -> None:
    read = sum(of["n"] for of in rereading.summary.values()) + rereading.skipped
    if rereading.state in (RereadingState.READING, RereadingState.READY):
        job.done, job.total = read, max(rereading.total, read)
    elif not job.total:
        # Counted once a job: there may be a million.
        job.total, job.done = read, max(0, read - rereading.candidates.count())
    else:
        job.done = min(job.total, job.done + handled)


def _read_batch(rereading: Rereading) -> int:
    fit = (
        Analysis.objects.filter(pk__gt=rereading.read_to, analysed_at__isnull=False)
        .exclude(text_hash="")
        .exclude(verbatim__text="")
    )
    if rereading.state == RereadingState.GOING_LIVE:
        fit = fit.exclude(_is_by(rereading)).exclude(
            Exists(rereading.candidates.filter(analysis=OuterRef("pk"), text_hash=OuterRef("text_hash")))
        )
    analyses = list(fit.select_related("verbatim__response__store__node").order_by("pk")[:BATCH])
    if not analyses:
        return 0
    readings = _read([analysis.verbatim for analysis in analyses], Reader(rereading.model, rereading.heads_id))
    # Whoever erases or changes the words meanwhile waits for us, or we see it: a candidate would keep the old ones.
    held = Analysis.objects.select_for_update(no_key=True).filter(pk__in=[one.pk for one in analyses]).order_by("pk")
    hashes = dict(held.values_list("pk", "text_hash"))
    candidates = []
    for analysis, reading in zip(analyses, readings, strict=True):
        if hashes.get(analysis.pk) != analysis.text_hash:
            continue
        if reading is None:
            rereading.skipped += 1
            continue
        rereading.model_version = rereading.model_version or reading.model_version
        # Its marks may be others since a release brought other word lists: each reading bears its own.
        if own_version(rereading.model_version) != own_version(reading.model_version):
            raise JobFailed(_("The model was exchanged meanwhile. Discard this and start again."))
        candidates.append(_candidate(rereading, analysis, reading))
    # Of words that were changed since there is one of the old words.
    rereading.candidates.filter(analysis__in=[one.analysis_id for one in candidates]).delete()
    Candidate.objects.bulk_create(candidates)
    rereading.read_to = analyses[-1].pk
    rereading.save(update_fields=["read_to", "skipped", "model_version", "summary"])
    return len(analyses)


def _is_by(rereading: Rereading) -> Q:
    """Readings by its model, whether or not a service was asked too."""
    version = rereading.model_version
    return Q(model_version=version) | Q(model_version__startswith=f"{version}+service")


def _read(verbatims: list[Verbatim], reader: Reader) -> "list[Reading | None]":
    """Readings; None for words at which the model fails even when they are alone."""
    try:
        return [*readings_of(verbatims, reader)]
    except ModelMissing as error:
        log.error("rereading stopped", model=reader.model, reason=str(error))
        why = _(
            "The model that is to read cannot be had. Whoever runs the installation finds the reason in the log of its "
            "workers."
        )
        raise JobFailed(why) from error
    except (OperationalError, InterfaceError):
        raise
    except Exception as error:  # whatever a model may throw
        if len(verbatims) == 1:
            log.warning("rereading failed", analysis=verbatims[0].pk, error=type(error).__name__)
            return [None]
        return [reading for verbatim in verbatims for reading in _read([verbatim], reader)]


def _candidate(rereading: Rereading, analysis: Analysis, reading: "Reading") -> Candidate:
    columns = _with_service_kept(columns_of(reading), analysis)
    before, after = model_said(analysis), cast(Judgement, columns)
    differing = differences(before, after)
    counts = Counter(rereading.summary.get(reading.language, {"n": 0}))
    counts.update(["n", *differing])
    rereading.summary[reading.language] = dict(counts)
    redacted, embedding = columns.pop("redacted"), columns.pop("embedding")
    return Candidate(
        rereading=rereading,
        analysis=analysis,
        text_hash=analysis.text_hash,
        reading=columns,
        redacted="" if redacted == analysis.redacted else redacted,
        embedding=embedding,
        differs=differing[0] if differing else "",
    )


def _with_service_kept(columns: dict[str, Any], analysis: Analysis) -> dict[str, Any]:
    """An operator's service is asked about fresh words only; what it said of these stays as long as it is in use."""
    if not settings.SENTIMENT_SERVICE_URL or not is_by_service(analysis.model_version):
        return columns
    said = cast(dict[str, Any], model_said(analysis))
    kept = {name: said[name] for name in _OF_SERVICE}
    return columns | kept | {"model_version": columns["model_version"] + ANSWERED}


def differences(before: Judgement, after: Judgement) -> list[str]:
    """In which of sentiment, topics and urgency two judgements differ."""
    pairs = {
        "sentiment": (before["sentiment"], after["sentiment"]),
        "topics": ({hit["topic"] for hit in before["topics"]}, {hit["topic"] for hit in after["topics"]}),
        "urgency": (set(before["urgency"]), set(after["urgency"])),
    }
    return [name for name, (one, other) in pairs.items() if one != other]


def _swap_batch(rereading: Rereading) -> int:
    candidates = list(
        rereading.candidates.filter(analysis__gt=rereading.live_to).order_by("analysis")[:SWAPPED_AT_ONCE]
    )
    if not candidates:
        return 0
    # Whoever corrects one of them, or changes its words, waits for us or we for them.
    held = (
        Analysis.objects.select_for_update(of=("self",), no_key=True)
        .select_related("verbatim__response")
        .filter(pk__in=[one.analysis_id for one in candidates], analysed_at__isnull=False, run_at=None)
        .order_by("pk")
        .in_bulk()
    )
    swapped = []
    for one in candidates:
        analysis = held.get(one.analysis_id)
        # Words that were changed or erased since are not those that were read.
        if analysis is not None and analysis.text_hash and analysis.text_hash == one.text_hash:
            _take_over(analysis, one)
            swapped.append(analysis)
    Analysis.objects.bulk_update(swapped, _SWAPPED)
    if swapped:
        readings_replaced.send(sender=Analysis, analyses=swapped)
    rereading.live_to = candidates[-1].analysis_id
    rereading.save(update_fields=["live_to"])
    Candidate.objects.filter(pk__in=[one.pk for one in candidates]).delete()
    return len(candidates)


def _take_over(analysis: Analysis, candidate: Candidate) -> None:
    columns: dict[str, Any] = {**candidate.reading, "embedding": bytes(candidate.embedding)}
    if candidate.redacted:
        columns["redacted"] = candidate.redacted
    model = cast(Judgement, {name: columns[name] for name in JUDGED})
    for name, value in (columns | overruled(model, analysis.people_say)).items():
        setattr(analysis, name, value)


register_job(KIND, run)
