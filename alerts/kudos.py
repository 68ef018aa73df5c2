"""Very happy words: they reach the team of their store at once, are thanked for, and counted."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Count, Q, QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.text import Truncator
from django.utils.translation import gettext as _

from alerts.clock import HORIZON, hours_of, open_spans
from alerts.models import Kudos, Thanks
from alerts.opening import is_stale, says_enough
from alerts.queries import case_for_response
from alerts.renderers import redacted_words
from messaging.chat import hooks_of
from messaging.choices import BUZZING, Channel
from messaging.models import Message
from messaging.outbox import Rendered, draft, put_all, register_renderer
from messaging.preferences import channels_of
from sentiment.models import Analysis, Sentiment
from stores.choices import STORE_ROLES
from stores.models import User
from stores.queries import people_by_role, stores_visible_to
from surveys.choices import PROMOTER_AT_LEAST, SCORE_RANGE, QuestionKind
from surveys.counting import counts
from surveys.models import Response
from surveys.queries import BY_A_PHONE

KUDOS = "kudos"
# Without a score the words alone must leave no doubt.
_SURELY_HAPPY = 0.9
_LIFETIME = timedelta(days=1)
_LONGEST = 240
_PRIORITY = 6
COUNTED_OVER = timedelta(days=7)


def is_very_happy(response: Response, analysis: Analysis) -> bool:
    """Whether words and score together say that somebody was delighted."""
    if response.erased_at or not counts(response) or analysis.urgency:
        return False
    if analysis.verbatim.question == BY_A_PHONE or not says_enough(analysis.verbatim.text):
        return False
    if response.score is None:
        return analysis.confident and (analysis.p_positive or 0) >= _SURELY_HAPPY
    happy = response.score >= PROMOTER_AT_LEAST[QuestionKind(response.headline_kind)]
    # A top score with angry words is a contradiction, and a case if anything.
    return happy and not (analysis.confident and analysis.sentiment == Sentiment.NEGATIVE)


def rejoice(analysis: Analysis) -> Kudos | None:
    """Give the team of the store its kudos, in a savepoint of the transaction that stores the reading; None when there
    are none. Read twice, words are told of once."""
    response, now = analysis.verbatim.response, timezone.now()
    if not is_very_happy(response, analysis) or is_stale(analysis.verbatim):
        return None
    kudos = Kudos(response=response, store=response.store, created_at=now)
    with transaction.atomic():
        if case_for_response(response.pk) is not None:
            return None
        Kudos.objects.bulk_create([kudos], ignore_conflicts=True)
        put_all(_news(response, now))
    return kudos


def _news(response: Response, now: datetime) -> list[Message]:
    """To the phones of the store's people that take push, and to its chats; nobody is mailed about praise."""
    people = people_by_role(response.store)
    team = list(dict.fromkeys(one for role in STORE_ROLES for one in people.get(role, [])))
    plan = channels_of(team)
    about = f"kudos:{response.pk}"
    ends = now + _LIFETIME
    found = [
        draft(
            KUDOS, response.pk, channel=Channel.PUSH, user=one, dedup_key=f"{about}:{one.pk}:{Channel.PUSH}",
            priority=_PRIORITY, run_at=now, expires_at=ends,
        )
        for one in team
        if plan[one.pk][:1] == [Channel.PUSH]
    ]  # fmt: skip
    found += [
        draft(
            KUDOS, response.pk, channel=Channel.CHAT, hook=hook, dedup_key=f"{about}:hook{hook.pk}:{Channel.CHAT}",
            priority=_PRIORITY, run_at=now, expires_at=ends,
        )
        for hook in hooks_of(response.store, severe=False)
    ]  # fmt: skip
    return found


def thank(kudos: Kudos, user: User) -> bool:
    """Say thank you, once; False when this person has said it before."""
    fresh = Thanks(kudos=kudos, user=user, at=timezone.now())
    before = Thanks.objects.filter(kudos=kudos, user=user).exists()
    Thanks.objects.bulk_create([fresh], ignore_conflicts=True)
    return not before


# --- reads --------------------------------------------------------------------------------------------------------
def kudos_visible_to(user: User) -> QuerySet[Kudos]:
    """The kudos of the stores that the user's roles reach; not those whose words are deleted."""
    return Kudos.objects.filter(store__in=stores_visible_to(user), response__erased_at=None)


def with_words(found: QuerySet[Kudos]) -> QuerySet[Kudos]:
    """With all that a card shows, newest first."""
    return (
        found.select_related("store", "response__touchpoint")
        .prefetch_related("response__verbatims__analysis", "thanks__user")
        .order_by("-created_at", "pk")
    )


@dataclass(frozen=True)
class KudosCount:
    """How many kudos there were in some time, and for how many somebody has said thank you."""

    n: int
    thanked: int


def count_kudos(found: QuerySet[Kudos]) -> KudosCount:
    counted = found.order_by().aggregate(
        n=Count("pk", distinct=True), thanked=Count("pk", distinct=True, filter=Q(thanks__isnull=False))
    )
    return KudosCount(counted["n"], counted["thanked"])


# --- its message --------------------------------------------------------------------------------------------------
def render_kudos(message: Message) -> Rendered | None:
    """What the phone shows: the score, the store, the words without names. None once they are deleted."""
    kudos = Kudos.objects.select_related("response__store__node").filter(pk=UUID(message.subject_id)).first()
    if kudos is None or kudos.response.erased_at:
        return None
    response = kudos.response
    most = SCORE_RANGE[QuestionKind(response.headline_kind)][1]
    score = f"{response.score}/{most} · " if response.score is not None else ""
    words = Truncator(" ".join(redacted_words([response]))).chars(_LONGEST)
    title = _("A happy shopper at %(store)s") % {"store": response.store.name}
    return Rendered(f"{score}{title}", words, url=settings.PUBLIC_URL + reverse("kudos"))


def when_open(message: Message) -> datetime | None:
    """Praise wakes nobody: it waits until the store opens."""
    if message.channel not in BUZZING:
        return None
    kudos = Kudos.objects.select_related("store__node").filter(pk=UUID(message.subject_id)).first()
    if kudos is None:
        return None
    now = timezone.now()
    opening = next(open_spans(hours_of(kudos.store), now, now + HORIZON), None)
    return opening[0] if opening and opening[0] > now else None


register_renderer(KUDOS, render_kudos, gate=when_open)
