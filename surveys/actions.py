"""Keeping what a shopper says: one transaction from the answers to everything that follows from them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from core.quick import Together, insert, insert_once, together
from core.tokens import token_hash
from customers.models import Contact, Permission
from surveys.choices import AUTOMATIC, MANY, UNFINISHED, UNSENT, WAITING, ContactWish, ResponseChannel, SampleKind
from surveys.documents import document_of
from surveys.fairness import Browser, count_answer, is_one_of_many
from surveys.forms import MOST_WORDS, Answers, Wish, missing
from surveys.inviting import call_ended, receipt_link
from surveys.models import Invitation, Response, ResponseRevision, SurveyVersion, Verbatim
from surveys.queries import ADDED, BY_A_PHONE, Asking
from surveys.signals import answer_comes, days_changed, response_saved
from surveys.wording import ANSWERED_BY_TEXT, permission_wording

__all__ = [
    "Submitted",
    "add_contact",
    "add_words",
    "call_ended",
    "change_contact",
    "change_score",
    "complete",
    "keep_unsent",
    "receipt_link",
    "submit",
    "takes_late_words",
]


@dataclass(frozen=True)
class Submitted:
    """What became of a submission: a new response, a correction of a known one, or neither (it was known)."""

    response: Response
    created: bool = False
    corrected: bool = False


def submit(
    asking: Asking,
    answers: Answers,
    *,
    form_id: UUID,
    language: str,
    flags: Sequence[str] = (),
    now: datetime | None = None,
    browser: Browser | None = None,
    left: bool = False,
) -> Submitted:
    """Store a response with its words and contact, and tell the other rooms, in one transaction.

    `form_id` is the submission id our server minted: the same one again stores nothing, unless the answers changed
    within CORRECTION_WINDOW, which corrects the response and keeps what it said before. An invitation has one
    response, whatever the id. What was only tapped before becomes the answer now, however late; what was sent without
    something that was missing is completed. `browser` is where it comes from: one of many is marked. `left`: nobody
    pressed Send again, so that an answer that is there stays.
    """
    now = now or timezone.now()
    ahead = dict(answer_comes.send(sender=Response))
    with transaction.atomic():
        created = _insert(asking, answers, form_id=form_id, language=language, flags=flags, now=now)
        if created is not None:
            response, verbatims = created
            _tell(response, verbatims, browser, ahead)
            return Submitted(response, created=True)
        # Not the key: whoever stores a reading of these words refers to it, and would wait for us as we for them.
        known = Response.objects.select_for_update(no_key=True)
        response = known.get(invitation=asking.invitation) if asking.invitation else known.get(pk=form_id)
        if UNSENT in response.flags and AUTOMATIC in flags:
            # A phone's own words send nothing that its owner only tapped.
            return Submitted(response, corrected=_keep_beside(response, answers))
        if UNSENT in response.flags:
            verbatims = _begin(response, asking, answers, language=language, flags=flags, now=now)
            _tell(response, verbatims, browser, ahead)
            return Submitted(response, created=True)
        is_first = AUTOMATIC in response.flags
        stays = left and not is_first
        corrected = not stays and _correct(response, asking, answers, language=language, flags=flags, now=now)
        if corrected and is_first and browser is not None:
            with together() as last:
                count_answer(browser, last)
            _mark_if_many(response, last)
        return Submitted(response, corrected=corrected)


def keep_unsent(
    asking: Asking, answers: Answers, *, form_id: UUID, language: str, flags: Sequence[str], now: datetime
) -> None:
    """Store what was tapped and never sent, as a response that nobody is told of; nothing where one is there."""
    with transaction.atomic():
        flags = [UNSENT, *flags]
        if created := _insert(asking, answers, form_id=form_id, language=language, flags=flags, now=now):
            _tell_of_days(created[0])


def _tell(response: Response, verbatims: Sequence[Verbatim], browser: Browser | None, ahead: Mapping[Any, Any]) -> None:
    """Tell the other rooms of a new answer, and mark it where it is one of many from a browser.

    They are counted last of all: whoever sends from the same browser waits for us from there on.
    """
    with together() as last:
        response_saved.send(sender=Response, response=response, corrected=False, verbatims=verbatims, ahead=ahead)
        if browser is not None:
            count_answer(browser, last)
    _mark_if_many(response, last)


def _mark_if_many(response: Response, last: Together) -> None:
    if is_one_of_many(last):
        response.flags = [*response.flags, MANY]
        Response.objects.filter(pk=response.pk).update(flags=response.flags)


def _tell_of_days(*responses: Response) -> None:
    """Counts by these days change."""
    days = {(response.store_id, response.local_day) for response in responses}
    days_changed.send(sender=Response, days=days)


def _begin(
    response: Response, asking: Asking, answers: Answers, *, language: str, flags: Sequence[str], now: datetime
) -> list[Verbatim]:
    """What was only tapped so far, and locked now, becomes the answer: as new, for nobody was told of it. Returns its
    words."""
    _tell_of_days(response)
    response.version, response.headline_kind = asking.version, asking.version.headline_kind
    response.language, response.flags = language, list(flags)
    response.answers = answers.as_json(asking.version.document["headline"])
    response.score, response.still_here = answers.score, answers.still_here
    response.contact = _contact(answers.wish, language, now)
    response.contact_wish, response.contact_when = answers.wish.how, answers.wish.when
    response.contact_language = answers.wish.language
    response.submitted_at, response.local_day = now, _local_day(asking, answers, now)
    # What was deleted were the taps of before.
    response.erased_at = None
    response.save()
    verbatims = [Verbatim(response=response, question=key, text=text) for key, text in answers.words.items()]
    insert(verbatims)
    return verbatims


def _keep_beside(response: Response, answers: Answers) -> bool:
    """Words beside what was only tapped; nobody is told. False where that is deleted."""
    for key, text in answers.words.items() if response.erased_at is None else ():
        there = response.verbatims.filter(question=key).values_list("text", flat=True).first() or ""
        words = _with_below(there, text)
        Verbatim.objects.update_or_create(response=response, question=key, defaults={"text": words})
    return response.erased_at is None


def _insert(
    asking: Asking,
    answers: Answers,
    *,
    form_id: UUID,
    language: str,
    flags: Sequence[str],
    now: datetime,
) -> tuple[Response, list[Verbatim]] | None:
    """The new response and its words, or None when its id or its invitation has one already."""
    response = Response(
        pk=form_id,
        version=asking.version,
        store=asking.store,
        touchpoint=asking.touchpoint,
        invitation=asking.invitation,
        channel=asking.channel,
        sample_kind=SampleKind.VOLUNTEER if asking.touchpoint else SampleKind.VERIFIED,
        language=language,
        answers=answers.as_json(asking.version.document["headline"]),
        headline_kind=asking.version.headline_kind,
        score=answers.score,
        contact_wish=answers.wish.how,
        contact_when=answers.wish.when,
        contact_language=answers.wish.language,
        still_here=answers.still_here,
        submitted_at=now,
        local_day=_local_day(asking, answers, now),
        flags=list(flags),
    )
    response.token_hash = token_hash(response.token)
    contact = response.contact = _contact(answers.wish, language, now)
    verbatims = [Verbatim(response=response, question=key, text=text) for key, text in answers.words.items()]
    if not insert_once(response, verbatims):
        _forget(contact, answers.wish)
        return None
    return response, verbatims


def _forget(contact: Contact | None, wish: Wish) -> None:
    """Drop the address and the permission of a submission that was there already."""
    if contact is None:
        return
    contact.permissions.order_by("-pk")[:1].get().delete()
    if contact != wish.known:
        contact.delete()


def _local_day(asking: Asking, answers: Answers, now: datetime) -> date:
    """The day of what is asked about; of words whose time was over the day they came, where somebody will look."""
    invitation = asking.invitation
    is_over = invitation is not None and invitation.expires_at < now and answers.score is None
    visit_at = now if is_over else _visit_at(invitation, now)
    return visit_at.astimezone(ZoneInfo(asking.store.time_zone)).date()


def _visit_at(invitation: Invitation | None, now: datetime) -> datetime:
    """When what is asked about took place."""
    if invitation and invitation.receipt:
        return invitation.receipt.purchased_at
    if invitation and invitation.call:
        return invitation.call.ended_at
    return now


def _visit_day(response: Response) -> date:
    visit_at = _visit_at(response.invitation, response.submitted_at)
    return visit_at.astimezone(ZoneInfo(response.store.time_zone)).date()


def _score_first(response: Response, score: int | None) -> None:
    """Set the score. The first one counts on the day of what it is about, however late the words before it came."""
    is_first = response.score is None and score is not None and response.invitation_id is not None
    if is_first and (day := _visit_day(response)) != response.local_day:
        _tell_of_days(response)
        response.local_day = day
    response.score = score


def _contact(wish: Wish, language: str, now: datetime) -> Contact | None:
    """The address to answer to, with the record of the permission; None without a wish."""
    if wish.how == ContactWish.NONE or wish.address is None:
        return None
    contact = wish.known or Contact.create(wish.kind, wish.address, language=wish.language or language)
    wording = wish.wording or permission_wording()
    Permission.objects.create(contact=contact, wording=wording, language=language, given_at=now)
    return contact


def _correct(
    response: Response, asking: Asking, answers: Answers, *, language: str, flags: Sequence[str], now: datetime
) -> bool:
    """Change a locked response to what its shopper says now. False when nothing changed or may change any more.

    What was sent without something that was missing may be completed however late. Beside texted words a form's words
    are kept however late it comes.
    """
    waits = not WAITING.isdisjoint(response.flags)
    if now - response.submitted_at > settings.CORRECTION_WINDOW and not waits:
        late = answers.words if takes_late_words(response) else {}
        added = [add_words(response.pk, key, text).corrected for key, text in late.items()]
        return any(added)
    # A page may ask something else than the text message did; its number stands on a scale of its own.
    version = response.version if answers.score is None else asking.version
    answers = _with_texts(response, answers)
    document = answers.as_json(version.document["headline"])
    old_address = response.contact.value if response.contact else None
    same = document == response.answers and old_address == answers.wish.address and not waits
    if same or response.erased_at:
        return False
    _keep_revision(response)
    response.version, response.headline_kind = version, version.headline_kind
    if old_address != answers.wish.address or response.contact_wish != answers.wish.how:
        _take_back(response, now)
        response.contact = _contact(answers.wish, language, now)
        response.contact_wish = answers.wish.how
    response.contact_when, response.contact_language = answers.wish.when, answers.wish.language
    response.answers = document
    _score_first(response, answers.score)
    response.still_here = answers.still_here
    if _begin_if_automatic(response, now):
        response.flags = list(flags)
    response.flags = [flag for flag in response.flags if flag != UNFINISHED or flag in flags]
    response.save()
    # An emptied answer stays as an empty row: others' readings of it hang there.
    for verbatim in response.verbatims.exclude(question__in=[*answers.words, BY_A_PHONE]):
        Verbatim.objects.filter(pk=verbatim.pk).update(text="")
    for key, text in answers.words.items():
        Verbatim.objects.update_or_create(response=response, question=key, defaults={"text": text})
    response_saved.send(sender=Response, response=response, corrected=True)
    return True


def _with_texts(response: Response, answers: Answers) -> Answers:
    """The answers of a form with what came by text message, which the form may not know of: its words take the place of
    a form's before them, and those that were texted stay. To take these back is for the shopper's own page."""
    if not _has_texted(response):
        return answers
    added = response.answers[ADDED]
    there = dict(response.verbatims.values_list("question", "text"))
    words = dict(added)
    for key, text in answers.words.items():
        texted = added.get(key, "")
        # Whatever came first stays on top.
        first, then = (texted, text) if texted and there.get(key, "").startswith(texted) else (text, texted)
        words[key] = _with_below(first, then)
    score = response.score if answers.score is None else answers.score
    contact, wish = response.contact, answers.wish
    if contact and contact.value and wish.how == ContactWish.NONE and _allowed_by_text(contact):
        wish = Wish(ContactWish(response.contact_wish), contact.value, known=contact)
    return replace(answers, score=score, words=words, wish=wish, chosen=answers.chosen | {ADDED: added})


def takes_late_words(response: Response) -> bool:
    """Whether what a form brings after the time for corrections is kept: where something was missing, or texts came."""
    return not WAITING.isdisjoint(response.flags) or _has_texted(response)


def _has_texted(response: Response) -> bool:
    return ADDED in response.answers


def _allowed_by_text(contact: Contact) -> bool:
    return contact.permissions.filter(wording=ANSWERED_BY_TEXT, withdrawn_at=None).exists()


def _with_below(words: str, more: str) -> str:
    """More words below those that are there, unless they are among them already."""
    return words if f"\n{more}\n" in f"\n{words}\n" else f"{words}\n{more}".strip()


def _begin_if_automatic(response: Response, now: datetime) -> bool:
    """Where only a phone has written by itself so far, its owner's answer begins now; what is missing is missing. False
    where it has begun before."""
    if AUTOMATIC not in response.flags:
        return False
    response.flags = [UNFINISHED if flag == AUTOMATIC else flag for flag in response.flags]
    response.submitted_at = now
    return True


def _lacks(response: Response) -> bool:
    return response.score is None or bool(missing(document_of(response.version), response.answers))


def _finish_if_complete(response: Response) -> None:
    """To what lacked something until now."""
    if not _lacks(response):
        response.flags = [flag for flag in response.flags if flag != UNFINISHED]


def _keep_revision(response: Response) -> None:
    ResponseRevision.objects.create(
        response=response, number=response.revision, answers=response.answers, score=response.score
    )
    response.revision += 1


def _take_back(response: Response, now: datetime) -> None:
    """End the permission of a response's contact, and forget an address that nothing else needs."""
    contact = response.contact
    if contact is None:
        return
    contact.permissions.filter(withdrawn_at=None).update(withdrawn_at=now)
    if not contact.invitations.exists():
        Contact.objects.filter(pk=contact.pk).update(value="", value_hash="", erased_at=now)


@transaction.atomic
def add_contact(response_id: UUID, wish: Wish, *, language: str) -> Submitted:
    """A way to reach a shopper who left none before. Does nothing when one is there, or the words are deleted."""
    response = Response.objects.select_for_update(no_key=True).get(pk=response_id)
    if response.contact_wish != ContactWish.NONE or response.erased_at or wish.how == ContactWish.NONE:
        return Submitted(response)
    now = timezone.now()
    _keep_revision(response)
    response.contact = _contact(wish, language, now)
    response.contact_wish, response.contact_when, response.contact_language = wish.how, wish.when, wish.language
    response.answers = response.answers | {"contact": wish.how.value}
    response.save()
    response_saved.send(sender=Response, response=response, corrected=True)
    return Submitted(response, corrected=True)


@transaction.atomic
def complete(response: Response, asking: Asking, answers: Answers, *, at: datetime) -> None:
    """What was kept of a page whose shopper texted before it became an answer: its words stand below theirs and its
    score fills theirs in. It takes nothing back, and is nothing where no text came and nothing is missing."""
    if response.channel != ResponseChannel.CALL or not takes_late_words(response):
        return
    if answers.score is not None and response.score is None:
        change_score(response.pk, answers.score, at=at, version=asking.version)
    for key, text in answers.words.items():
        add_words(response.pk, key, text, at=at)


@transaction.atomic
def change_score(response_id: UUID, score: int, *, at: datetime, version: SurveyVersion) -> Submitted:
    """Another score than before, or the first one; whatever else was said stays, but for choices that hung on it.

    It is a number on the scale of what `version` asks: a first one brings its scale along, another one than before on
    another scale says nothing. It is for the caller to know that it may be changed still.
    """
    response = (
        Response.objects.select_for_update(no_key=True, of=("self",)).select_related("version").get(pk=response_id)
    )
    if response.headline_kind != version.headline_kind:
        if response.score is not None:
            return Submitted(response)
        response.version, response.headline_kind = version, version.headline_kind
    document = document_of(response.version)
    if response.erased_at or response.score == score:
        return Submitted(response)
    lacked = _lacks(response)
    _keep_revision(response)
    answers = response.answers | {document.headline.key: score}
    reached = {question.key for question in document.reached(answers)}
    gone = {q.key for q in document.questions if q.key not in reached and q not in document.open_questions}
    response.answers = {ADDED: {}} | {key: value for key, value in answers.items() if key not in gone}
    _score_first(response, score)
    _begin_if_automatic(response, at)
    if lacked:
        _finish_if_complete(response)
    response.save()
    response_saved.send(sender=Response, response=response, corrected=True)
    return Submitted(response, corrected=True)


@transaction.atomic
def add_words(
    response_id: UUID, question: str, text: str, *, automatic: bool = False, at: datetime | None = None
) -> Submitted:
    """Words that come after the answer, below those that are there; `question` is the key they are kept under. Nothing
    where they are deleted, there would be too many, or they are there. `automatic`: a phone wrote them by itself."""
    response = Response.objects.select_for_update(no_key=True).get(pk=response_id)
    known = response.verbatims.filter(question=question).first()
    there = known.text if known else ""
    # What is too much is cut, not dropped.
    text = text[: max(MOST_WORDS - len(there), 0)].strip()
    words = _with_below(there, text)
    if response.erased_at or not text or words == there:
        return Submitted(response)
    lacked = UNFINISHED in response.flags and _lacks(response)
    _keep_revision(response)
    if not automatic:
        _begin_if_automatic(response, at or timezone.now())
    added = dict(response.answers.get(ADDED, {}))
    added[question] = _with_below(added.get(question, ""), text)
    response.answers = response.answers | {question: words, ADDED: added}
    if lacked:
        _finish_if_complete(response)
    response.save()
    Verbatim.objects.update_or_create(response=response, question=question, defaults={"text": words})
    response_saved.send(sender=Response, response=response, corrected=True)
    return Submitted(response, corrected=True)


def change_contact(response: Response, wish: Wish, *, language: str, now: datetime) -> None:
    """Another way to reach a shopper than before, in the transaction of the caller, who holds the response's row.

    The permission for the old address ends; the new one is recorded with the words that were seen.
    """
    _keep_revision(response)
    _take_back(response, now)
    response.contact = _contact(wish, language, now)
    response.contact_wish, response.contact_when, response.contact_language = wish.how, wish.when, wish.language
    response.answers = response.answers | {"contact": wish.how.value}
    response.save()
