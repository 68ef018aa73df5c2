"""Seeded secrets, to measure redaction by: made up anew from a seed, in every product language's formats.

Behind most of them stands what people write next (a date, a price, a card's last month, a second number), which must
neither keep the secret in sight nor go with it.
"""

import random
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import phonenumbers

from .measuring import Share
from .redaction import redact

_KINDS, _STYLES = phonenumbers.PhoneNumberType, phonenumbers.PhoneNumberFormat
REGIONS = {
    "ar": ("AE", "SA", "EG"),
    "cs": ("CZ",),
    "da": ("DK",),
    "de": ("DE", "AT", "CH"),
    "en": ("GB", "US", "IE"),
    "es": ("ES", "MX"),
    "fr": ("FR", "BE", "CH"),
    "it": ("IT", "CH"),
    "nl": ("NL", "BE"),
    "pl": ("PL",),
    "pt": ("PT", "BR"),
    "sv": ("SE", "FI"),
    "uk": ("UA",),
}
_SENTENCES = {
    "ar": ("اتصلوا بي على {}", "رقمي {}", "هذا كل ما لدي: {}"),
    "cs": ("Zavolejte mi na {}", "tel. {}", "Můj kontakt: {}", "{} čekám na odpověď"),
    "da": ("Ring til mig på {}", "tlf.: {}", "Skriv venligst til mig ({})", "{} venter på svar"),
    "de": ("Bitte melden Sie sich unter {}", "Tel.:{}", "Meine Nummer lautet {}", "{} bitte bald"),
    "en": ("Please reach me on {}", "tel. {}", "My details ({})", "{} please, and soon"),
    "es": ("Llámenme al {}", "tel: {}", "Mis datos son {}", "{} espero respuesta"),
    "fr": ("Rappelez-moi au {}", "tél. {}", "Mes coordonnées : {}", "{} merci d'avance"),
    "it": ("Chiamatemi al {}", "tel. {}", "I miei dati: {}", "{} attendo risposta"),
    "nl": ("Bel mij op {}", "tel. {}", "Mijn gegevens ({})", "{} graag snel"),
    "pl": ("Proszę o kontakt: {}", "tel.{}", "Mój numer to {}", "{} czekam na odpowiedź"),
    "pt": ("Liguem-me para {}", "tel. {}", "Os meus dados: {}", "{} aguardo resposta"),
    "sv": ("Ring mig på {}", "tfn {}", "Mina uppgifter ({})", "{} väntar på svar"),
    "uk": ("Зв'яжіться зі мною: {}", "тел.{}", "Мій номер {}", "{} чекаю на відповідь"),
}
_ORDERS = {
    "ar": ("الطلب {}", "رقم الطلب: {}", "الفاتورة رقم {}", "طلبي رقم {}"),
    "cs": ("Objednávka {}", "č. obj. {}", "obj. č. {}", "číslo objednávky: {}", "účtenka č.{}"),
    "da": ("Ordre {}", "Ordrenr. {}", "ordre-nr.: {}", "faktura nr. {}", "Kundenr. {}"),
    "de": ("Bestellung {}", "Bestell-Nr. {}", "Auftrags-Nr.: {}", "Rechnungs-Nr. {}", "Kunden-Nr. {}", "Auftrag Nr {}"),
    "en": ("My order {}", "order-id {}", "Order no. {}", "invoice number: {}", "order id {}", "ref. {}"),
    "es": ("El pedido {}", "nº de pedido {}", "núm. ped. {}", "factura n.º {}", "pedido con número {}"),
    "fr": ("Ma commande {}", "n° de commande : {}", "cmd n° {}", "facture no {}", "réf. {}"),
    "it": ("L'ordine {}", "ord. n. {}", "ordine n° {}", "numero d'ordine {}", "fattura nr. {}"),
    "nl": ("Bestelling {}", "bestelnr. {}", "best.nr {}", "ordernummer: {}", "klantnr. {}"),
    "pl": ("Zamówienie {}", "nr zam. {}", "zam. nr {}", "numer zamówienia: {}", "faktura nr {}"),
    "pt": ("A encomenda {}", "nº da encomenda {}", "enc. nº {}", "pedido n.º {}", "fatura nr. {}"),
    "sv": ("Beställning {}", "ordernr {}", "order nr. {}", "best.nr {}", "kundnr: {}"),
    "uk": ("Замовлення {}", "№ замовлення {}", "зам. № {}", "номер замовлення: {}", "чек №{}"),
}
_AFTER = (
    "",
    ".",
    "!",
    ", ok",
    " min mobil",
    " / 12.03.2026",
    " - 12/03/2026",
    " 24.12.2025",
    " - 1500 €",
    ", 49,90 €",
    "; 14:30",
)
_AFTER_CARD = (*_AFTER, " 12/27", " 12/27 cvv 123", "/ 05/2028")
_IBAN_DIGITS = {"DE": 18, "AT": 16, "PL": 24, "UA": 25, "ES": 20, "DK": 14, "PT": 21, "SE": 20, "CZ": 20, "BE": 12}

# People whom no stranger's comment means, with names that many a comment has as words.
EVERYDAY_STAFF = (
    "Will Long", "Rose May", "Hope Grace", "Mark Bill", "Sunny Angel", "Frank Klein", "Linde Koch", "Joy Summer",
    "Alba Sol", "Rosa Blanca", "Clara Bella", "Pierre Petit", "Claire Legrand", "Vera Bruna", "Serena Grasso",
    "Róża Wilk", "Naděje Černá", "Sten Berg", "Ros Lind", "Віра Золота", "Надія Весна", "Любов Мороз", "Слава Білий",
    "Роман Лис", "Света Марта", "Вера Слово", "جميل كريم",
)  # fmt: skip


@dataclass(frozen=True)
class Seed:
    """A sentence, what must go from it, and what stands behind that and must stay."""

    kind: str
    language: str
    text: str
    secrets: tuple[str, ...]
    after: str

    @property
    def redacted(self) -> str:
        return redact(self.text, languages=(self.language,))

    @property
    def is_hidden(self) -> bool:
        """Whether neither a secret nor three of its letters or digits in a row are left."""
        left = self.redacted.removesuffix(self.after)
        parts = [part for secret in self.secrets for part in re.findall(r"\w{3,}", secret)]
        return not any(part in left for part in parts)

    @property
    def is_all_else_kept(self) -> bool:
        return self.redacted.endswith(self.after.replace("cvv 123", "cvv [number]"))


@dataclass
class Figures:
    """Of each kind of secret the share that went, and the share of what stood behind that stayed."""

    hidden: dict[str, Share] = field(default_factory=dict)
    kept: Share = field(default_factory=Share)

    def count(self, seed: Seed) -> None:
        self.hidden.setdefault(seed.kind, Share()).count(seed.is_hidden)
        self.kept.count(seed.is_all_else_kept)


def seeds(language: str, each: int) -> Iterator[Seed]:
    """`each` secrets of each kind, always the same ones."""
    rng = random.Random(f"halfhour {language}")
    for kind, make in _MAKERS.items():
        for i in range(each):
            secrets: tuple[str, ...] = (make(rng, language),)
            joined = secrets[0]
            if kind == "phone" and not i % 4:
                secrets = (secrets[0], make(rng, language))
                joined = rng.choice([" / ", ", ", " - ", "; "]).join(secrets)
            sentence = rng.choice((_SENTENCES if kind in _BY_THEMSELVES else _ORDERS)[language])
            # What begins with the secret has its end already.
            after = rng.choice(_AFTER_CARD if kind == "card" else _AFTER) if sentence.endswith("{}") else ""
            yield Seed(kind, language, sentence.format(joined) + after, secrets, after)


def _phone(rng: random.Random, language: str) -> str:
    region = rng.choice(REGIONS[language])
    number = phonenumbers.example_number_for_type(region, rng.choice([_KINDS.MOBILE, _KINDS.FIXED_LINE]))
    assert number is not None and number.national_number is not None
    number.national_number = number.national_number // 1000 * 1000 + rng.randrange(1000)
    written = phonenumbers.format_number(
        number, rng.choice([_STYLES.NATIONAL, _STYLES.INTERNATIONAL, _STYLES.E164, _STYLES.NATIONAL])
    )
    return written.replace(" ", rng.choice([" ", " ", "-", ".", "", "\u00a0"]))


def _mail(rng: random.Random, language: str) -> str:
    name = "".join(rng.choices("abcdefghijklmnoprstuvwxyz0123456789", k=rng.randint(3, 10)))
    host = "".join(rng.choices("abcdefghijklmnoprstuvwxyz", k=rng.randint(3, 8)))
    tops = ["com", "de", "ua", "co.uk", "com.ua", "pl", "fr", "se", "com.br", "ae"]
    at = rng.choice(["@", "@", "@", " @ ", "(at)"])
    return f"{name}{rng.choice(['', '.', '_', '+'])}{rng.choice('xyz')}{at}{host}.{rng.choice(tops)}"


def _card(rng: random.Random, language: str) -> str:
    start, length = rng.choice([("4", 16), ("51", 16), ("55", 16), ("2221", 16), ("34", 15), ("37", 15), ("36", 14)])
    digits = start + "".join(rng.choices("0123456789", k=length - 1 - len(start)))
    total = sum(sum(divmod(int(d) * (2 - i % 2), 10)) for i, d in enumerate(reversed(digits)))
    digits += str(-total % 10)
    return rng.choice(["", " ", "-"]).join(digits[i : i + 4] for i in range(0, length, 4))


def _iban(rng: random.Random, language: str) -> str:
    country = rng.choice(sorted(_IBAN_DIGITS))
    account = "".join(rng.choices("0123456789", k=_IBAN_DIGITS[country]))
    number = int("".join(str(int(c, 36)) for c in f"{account}{country}00"))
    compact = f"{country}{98 - number % 97:02d}{account}"
    return rng.choice([compact, " ".join(compact[i : i + 4] for i in range(0, len(compact), 4))])


def _order(rng: random.Random, language: str) -> str:
    digits = "".join(rng.choices("0123456789", k=rng.randint(5, 9)))
    if digits[:2] in ("19", "20"):
        digits = "7" + digits
    shape = rng.choice(["{d}", "{d}", "{d}", "#{d}", "{l}-{d}", "{d}-{l}", "{l}{d}", "{y}-{d}"])
    return shape.format(d=digits, l=rng.choice(["AB", "R", "WEB", "X"]), y="2026")


def _called_order(rng: random.Random, language: str) -> str:
    return rng.choice([_phone, _card])(rng, language)


_BY_THEMSELVES = ("phone", "mail", "card", "iban")
_MAKERS: dict[str, Callable[[random.Random, str], str]] = {
    "phone": _phone,
    "mail": _mail,
    "card": _card,
    "iban": _iban,
    "order": _order,
    "called order": _called_order,
}
