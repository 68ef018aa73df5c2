"""What comes back by text message to the question after a call: a score and its reason, as if given on the page.

Where no question waits for it, because its time is over or only a link was sent, what somebody writes is kept as words
for people to read.

Of what we write because of it there is little, so that no automatic reply on the other side keeps us talking: one
message to who has answered, whatever else they write, and one to whose answer we could not read.
"""

from dataclasses import replace
from datetime import timedelta
from uuid import NAMESPACE_OID, uuid5

from django.conf import settings

from customers.leaving import is_suppressed
from customers.models import Contact
from messaging.automatic import is_automatic
from messaging.choices import Channel
from messaging.hearing import register_listener
from messaging.models import IncomingText, Message
from messaging.outbox import put
from surveys.actions import Submitted, add_contact, add_words, change_score, submit
from surveys.choices import AUTOMATIC, UNFINISHED, UNSENT, ContactWish
from surveys.documents import document_of
from surveys.forms import Answers, Wish, missing, tidy
from surveys.inviting import CALL_SURVEY, CALL_SURVEY_AGAIN, CALL_SURVEY_MORE
from surveys.models import Invitation, Response
from surveys.queries import ADDED, BY_A_PHONE, UNASKED, Asking, asking_by_text, asking_without_question, words_key
from surveys.text_answers import Said, read_answer, says_words
from surveys.wording import ANSWERED_BY_TEXT

# They hold the phone in their hand; later it would only disturb.
_WHILE_AWAKE = timedelta(hours=1)


def hear_answer(text: IncomingText) -> bool:
    """Take a text as the answer to the question, as its reason or as another score; False when it is none of these.

    Two texts at once take turns at their invitation.
    """
    held = Invitation.objects.select_for_update(no_key=True, of=("self",))
    found = held.select_related("version", "store__node", "contact", "call").filter(pk=text.answers.subject_id)
    invitation = found.first()
    if invitation is None or invitation.contact_id != text.answers.contact_id:
        return False
    asking, response, words = asking_by_text(invitation), _response_to(invitation), tidy(text.text)
    if asking is None or invitation.expires_at < text.received_at:
        if response is None:
            return _keep(asking or asking_without_question(invitation), text, words)
        if AUTOMATIC in response.flags and not is_automatic(text.text):
            # Whoever's phone wrote before them is heard as if it had not.
            return hear_the_rest(text)
        if asking is None or response.score is None:
            return False
    said = read_answer(words, asking.document.headline.values)
    if response is None:
        if said.score is None and not said.words:
            return False
        done = _answer(asking, text, said)
        if done.created or done.corrected:
            return True
        response = done.response
    # What a phone says by itself is no reason: it stands below what its owner says, or in their case.
    return not is_automatic(text.text) and _add(response, asking, text, said, words)


def _response_to(invitation: Invitation) -> Response | None:
    """What was answered, by whatever way; not what was only tapped."""
    answered = Response.objects.select_related("version", "store").exclude(flags__contains=[UNSENT])
    return answered.filter(invitation=invitation).first()


def _keep(asking: Asking | None, text: IncomingText, words: str) -> bool:
    """Store what no question waits for, a number too, as it was written; nothing of it is counted as a score. False
    where nothing was ever asked in this installation."""
    if asking is None or not words:
        return False
    automatic = is_automatic(text.text)
    key = BY_A_PHONE if automatic else UNASKED
    done = _submit(asking, text, Answers(None, words={key: words}))
    # Beside what was only tapped it is kept already.
    kept = done.created or done.corrected
    return kept or add_words(done.response.pk, key, words, automatic=automatic).corrected


def _answer(asking: Asking, text: IncomingText, said: Said) -> Submitted:
    """Store the answer, unless their page was quicker; words without a score too, for somebody reads them, and the
    number is asked for once."""
    answers = Answers(said.score)
    if said.words:
        key = words_key(asking.document, answers.as_json(asking.document.headline.key))
        answers = replace(answers, words={BY_A_PHONE if is_automatic(text.text) else key: said.words})
    return _submit(asking, text, answers)


def _submit(asking: Asking, text: IncomingText, answers: Answers) -> Submitted:
    """Who writes may be answered as they wrote, and is written to once. What a phone says by itself allows nothing, is
    not answered, and is no answer."""
    assert asking.invitation is not None
    automatic = is_automatic(text.text)
    answers = replace(answers, chosen={ADDED: answers.words})
    if not automatic:
        answers = replace(answers, wish=_to_be_texted(asking.invitation.contact))
    lacks = answers.score is None or missing(asking.document, answers.as_json(asking.document.headline.key))
    flag = AUTOMATIC if automatic else UNFINISHED
    done = submit(
        asking,
        answers,
        form_id=uuid5(NAMESPACE_OID, f"text {text.sid}"),
        language=asking.invitation.language,
        flags=[flag] if automatic or lacks else [],
        now=text.received_at,
        left=True,
    )
    if done.created and not automatic:
        _write(CALL_SURVEY_MORE, asking.invitation, text)
    return done


def _to_be_texted(contact: Contact | None) -> Wish:
    """Who writes to us by text may be answered by text, and in no other way, until they choose one on their page;
    unless they have said that they want none."""
    if contact is None or not contact.value or is_suppressed(contact.value_hash):
        return Wish()
    return Wish(ContactWish.TEXT, contact.value, known=contact, wording=ANSWERED_BY_TEXT)


def _add(response: Response, asking: Asking, text: IncomingText, said: Said, words: str) -> bool:
    """What comes after the answer: another number while it may be corrected, or what we ask for, number or reason.

    A number is read on the scale that the text message named; a page may have asked on another. Whoever gave a score on
    the page was asked for nothing by us: their words go where other words go.
    """
    lacks_score, version = response.score is None, asking.version
    may_change = said.only_a_number and text.received_at - response.submitted_at <= settings.CORRECTION_WINDOW
    same_scale = response.headline_kind == version.headline_kind
    if said.score is not None and (lacks_score or (may_change and same_scale)):
        scored = change_score(response.pk, said.score, at=text.received_at, version=version).response
        add_words(response.pk, _key_of(scored), said.words)
    elif says_words(words) and (lacks_score or _was_asked_why(response)) and not _gave_reason(response):
        add_words(response.pk, _key_of(response), words, at=text.received_at)
    else:
        return False
    if lacks_score and asking.invitation is not None:
        _begin_talking(response, asking.invitation, text)
    return True


def _begin_talking(response: Response, invitation: Invitation, text: IncomingText) -> None:
    """To whose answer bears no score yet: what follows the first answer, where nothing followed it so far."""
    if response.contact_id is None:
        add_contact(response.pk, _to_be_texted(invitation.contact), language=invitation.language)
    _write(CALL_SURVEY_MORE, invitation, text)


def _key_of(response: Response) -> str:
    return words_key(document_of(response.version), response.answers)


def _was_asked_why(response: Response) -> bool:
    return Message.objects.filter(kind=CALL_SURVEY_MORE, subject_id=str(response.invitation_id)).exists()


def _gave_reason(response: Response) -> bool:
    return response.verbatims.filter(question=_key_of(response)).exclude(text="").exists()


def hear_the_rest(text: IncomingText) -> bool:
    """What nobody else takes: more words of who has answered stand below the first. To anybody else we say once what we
    could read, see its renderer."""
    found = Invitation.objects.select_related("contact").filter(pk=text.answers.subject_id)
    invitation = found.first()
    if invitation is None or invitation.contact is None:
        return False
    response, words, automatic = _response_to(invitation), tidy(text.text), is_automatic(text.text)
    waits = invitation.version_id is not None and text.received_at <= invitation.expires_at
    if response is None or (AUTOMATIC in response.flags and waits and not automatic and not says_words(words)):
        if not automatic:
            _write(CALL_SURVEY_AGAIN, invitation, text)
        return not automatic
    key = BY_A_PHONE if automatic else _key_of(response) if says_words(words) else UNASKED
    kept = add_words(response.pk, key, words, automatic=automatic, at=text.received_at).corrected
    if kept and response.score is None and not automatic:
        _begin_talking(response, invitation, text)
    return kept


def _write(kind: str, invitation: Invitation, text: IncomingText) -> None:
    """One message of each kind, however often they write."""
    put(
        kind,
        invitation.pk,
        channel=Channel.SMS,
        contact=invitation.contact,
        dedup_key=f"{kind}:{invitation.pk}",
        expires_at=text.received_at + _WHILE_AWAKE,
        priority=2,
    )


for _kind in (CALL_SURVEY, CALL_SURVEY_AGAIN, CALL_SURVEY_MORE):
    register_listener(_kind, hear_the_rest)
    register_listener(_kind, hear_answer, awaits=True)
