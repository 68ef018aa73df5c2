"""Wanting no more messages: by a word in a text message, by the link in a mail, or by what the provider was told.

It holds for the address, whatever we write about, and outlives erasure: only a hash of it is kept. Whoever has the link
may take it back; a word to the provider can only be taken back there.
"""

import re
import unicodedata
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from core.tokens import LINK_TOKEN_LENGTH, keyed_hash, link_token, token_hash
from customers.models import Contact, Permission, Suppression

# Why an address is written to no more: told to the provider or to our number, or on our page.
STOP, UNSUBSCRIBED = "stop", "unsubscribed"
_PURPOSE = "unsubscribe"
# What the provider takes for itself in English (https://www.twilio.com/docs/messaging/tutorials/advanced-opt-out), the
# words of the US rules, and what people write in the languages that shoppers read.
_STOP_WORDS = {
    "en": "stop, stopall, unsubscribe, end, quit, cancel, revoke, optout, opt out, no more",
    "uk": "стоп, відписатись, відписатися, відписка, не пишіть, не писати",
    "ru": "стоп, отписаться, отписка",
    "de": "stopp, abmelden, abbestellen, ende, keine nachrichten",
    "fr": "arrêt, arrêter, désabonner",
    "es": "alto, baja, parar, cancelar",
    "it": "cancella, disiscriviti, basta",
    "pl": "koniec, rezygnuję, wypisz",
    "da": "afmeld, frameld, slut",
    "nl": "afmelden, stoppen, einde",
    "pt": "sair, remover, parar",
    "cs": "konec, odhlásit",
    "sv": "avsluta, avregistrera, sluta",
    "ar": "قف, توقف, إلغاء, الغاء",
}
_LINK = re.compile(rf"([0-9a-f]{{32}})([a-z2-7]{{{LINK_TOKEN_LENGTH}}})")


def leave_url(contact: Contact) -> str:
    """The address where the owner of an address says that they want no more messages."""
    return f"{settings.PUBLIC_URL}/u/{contact.pk.hex}{link_token(_PURPOSE, contact.pk)}/"


def contact_by_link(token: str) -> Contact | None:
    """Whose such a link is; None when it is none of ours."""
    found = _LINK.fullmatch(token.lower())
    if found is None:
        return None
    pk = UUID(found[1])
    # With whichever of our keys it was made.
    if link_token(_PURPOSE, pk, known_hash=token_hash(found[2])) != found[2]:
        return None
    return Contact.objects.filter(pk=pk).first()


def _plain(text: str) -> str:
    """Words alone, without case and accents."""
    apart = unicodedata.normalize("NFKD", text.casefold())
    return " ".join(re.findall(r"[^\W_]+", "".join(c for c in apart if not unicodedata.combining(c))))


_STOPS = frozenset(_plain(word) for words in _STOP_WORDS.values() for word in words.split(","))


def says_stop(text: str) -> bool:
    """Whether a text message says nothing but that its sender wants no more; a score beside it changes nothing."""
    return " ".join(word for word in _plain(text).split() if not word.isdigit()) in _STOPS


def stop_writing_to(address: str, reason: str) -> None:
    """Write to the owner of a normalised address no more. Twice is once."""
    stop_by_hash(keyed_hash("contact", address), reason)


@transaction.atomic
def stop_by_hash(value_hash: str, reason: str) -> None:
    """The same for an address of which only the hash is at hand: every permission of it ends, too."""
    said, _created = Suppression.objects.get_or_create(value_hash=value_hash, defaults={"reason": reason})
    if reason == STOP and said.reason == UNSUBSCRIBED:
        Suppression.objects.filter(pk=said.pk).update(reason=STOP)  # our page cannot take this back
    given = Permission.objects.filter(contact__value_hash=value_hash, withdrawn_at=None)
    given.update(withdrawn_at=timezone.now())


def said_start(value_hash: str) -> None:
    """The provider says that the owner of a number wants its messages again."""
    Suppression.objects.filter(value_hash=value_hash, reason=STOP).delete()


def write_again(contact: Contact) -> bool:
    """The owner of an address takes back what they said on our page. False when they did not say it there."""
    return bool(Suppression.objects.filter(value_hash=contact.value_hash, reason=UNSUBSCRIBED).delete()[0])


def is_suppressed(value_hash: str) -> bool:
    """Whether the owner of an address wants no messages."""
    return bool(value_hash) and Suppression.objects.filter(value_hash=value_hash).exists()
