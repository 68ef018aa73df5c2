"""What comes back by text message to the question after a call: a score and its reason, as if given on the page.

Of what we write because of it there is little, so that no automatic reply on the other side keeps us talking: one
message to who has answered, whatever else they write, and one to whose answer we could not read.
"""

from dataclasses import replace
from datetime import timedelta
from uuid import NAMESPACE_OID, uuid5

from django.conf import settings

from customers.models import Contact
from messaging.automatic import is_automatic
from messaging.choices import Channel
from messaging.hearing import register_listener
from messaging.models import IncomingText, Message
from messaging.outbox import put
from surveys.actions import Submitted, add_contact, add_words, change_score, submit
from surveys.choices import UNFINISHED, UNSENT, ContactWish
from surveys.documents import document_of
from surveys.forms import Answers, Wish, missing, tidy
from surveys.inviting import CALL_SURVEY, CALL_SURVEY_AGAIN, CALL_SURVEY_MORE
from surveys.models import Invitation, Response
from surveys.queries import UNASKED, Asking, asking_by_text, words_key
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
    asking = invitation and asking_by_text(invitation)
    if invitation is None or not asking or invitation.contact_id != text.answers.contact_id:
        return False
    words = tidy(text.text)
    said = read_answer(words, asking.document.headline.values)
    response = _response_to(invitation)
    if response is None:
        if (said.score is None and not said.words) or invitation.expires_at < text.received_at:
            return False
        done = _answer(asking, text, said)
        if done.created:
            return True
        response = done.response
    # What a phone says by itself is no reason: it stands below what its owner says, or in their case.
    return not is_automatic(text.text) and _add(response, invitation, text, said, words)


def _response_to(invitation: Invitation) -> Response | None:
    """What was answered, by whatever way; not what was only tapped."""
    answered = Response.objects.select_related("version", "store").exclude(flags__contains=[UNSENT])
    return answered.filter(invitation=invitation).first()


def _answer(asking: Asking, text: IncomingText, said: Said) -> Submitted:
    """Store the answer, unless their page was quicker; words without a score too, for somebody reads them, and the
    number is asked for once. What a phone says by itself allows nothing and is not answered."""
    assert asking.invitation is not None
    automatic = is_automatic(text.text)
    answers = Answers(said.score, wish=Wish() if automatic else _to_be_texted(asking.invitation.contact))
    if said.words:
        key = words_key(asking.document, answers.as_json(asking.document.headline.key))
        answers = replace(answers, words={UNASKED if automatic else key: said.words})
    lacks = missing(asking.document, answers.as_json(asking.document.headline.key))
    done = submit(
        asking,
        answers,
        form_id=uuid5(NAMESPACE_OID, f"text {text.sid}"),
        language=asking.invitation.language,
        flags=[UNFINISHED] if said.score is None or lacks else [],
        now=text.received_at,
        left=True,
    )
    if done.created and not automatic:
        _write(CALL_SURVEY_MORE, asking.invitation, text)
    return done


def _to_be_texted(contact: Contact | None) -> Wish:
    """Who writes to us by text may be answered by text, and in no other way, until they choose one on their page."""
    if contact is None or not contact.value:
        return Wish()
    return Wish(ContactWish.TEXT, contact.value, known=contact, wording=ANSWERED_BY_TEXT)


def _add(response: Response, invitation: Invitation, text: IncomingText, said: Said, words: str) -> bool:
    """What comes after the answer: another number while it may be corrected, or what we ask for, number or reason.

    Whoever gave a score on the page was asked for nothing by us: their words go where other words go.
    """
    lacks_score = response.score is None
    may_change = said.only_a_number and text.received_at - response.submitted_at <= settings.CORRECTION_WINDOW
    on_scale = said.score in document_of(response.version).headline.values
    if said.score is not None and on_scale and (lacks_score or may_change):
        scored = change_score(response.pk, said.score).response
        add_words(response.pk, _key_of(scored), said.words)
    elif says_words(words) and (lacks_score or _was_asked_why(response)) and not _gave_reason(response):
        add_words(response.pk, _key_of(response), words)
    else:
        return False
    if lacks_score:
        _begin_talking(response, invitation, text)
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
    if response is None:
        if not automatic:
            _write(CALL_SURVEY_AGAIN, invitation, text)
        return not automatic
    key = UNASKED if automatic else _key_of(response)
    kept = says_words(words) and add_words(response.pk, key, words).corrected
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
