"""Take out of a text what could name or reach a person, leaving neutral marks such as [phone].

Prices, dates, times and sizes stay. A mark holds nothing that a later pass would take for something else, so
redacting twice changes nothing.
"""

import re
import unicodedata
from collections.abc import Sequence
from functools import cache, lru_cache

import phonenumbers

from .lexicon import load

EMAIL, IBAN, CARD, ORDER, PHONE, NUMBER, NAME = (
    "[e-mail]",
    "[iban]",
    "[card]",
    "[order]",
    "[phone]",
    "[number]",
    "[name]",
)

# Where a number without a country code may come from, by the language of the text or of its page.
_REGIONS = {
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
    "ru": ("RU", "KZ"),
    "sv": ("SE", "FI"),
    "uk": ("UA",),
}

_EMAIL = re.compile(
    # From the beginning of a run of letters only: from each of its letters anew, a long one would take seconds.
    r"(?<![\w.+%-])[\w.+%-]+\s?(?:@|[\[(]\s?(?:at|AT|ät)\s?[\])])\s?[\w-]+(?:(?:\.|\s?[\[(]\s?(?:dot|punkt)\s?[\])]\s?)[\w-]+)+"
)
# Length of an account number by country (SWIFT's IBAN registry), for Europe and its neighbours.
_IBAN_LENGTHS = {
    15: "NO",
    16: "BE",
    18: "DK FI FO GL NL",
    19: "MK SI",
    20: "AT BA EE KZ LT LU XK",
    21: "CH HR LI LV",
    22: "BG BH DE GB GE IE ME RS",
    23: "AE IL TL",
    24: "AD CZ ES MD PK RO SA SE SK TN VG",
    25: "PT",
    26: "IS TR",
    27: "FR GR IT MC MR SM",
    28: "AL AZ BY CY DO GT HU LB PL",
    29: "BR EG PS QA UA",
    30: "JO KW MU",
    31: "MT SC",
}
_IBAN = re.compile(
    r"\b(?:"
    + "|".join(
        rf"(?:{'|'.join(codes.split())})\d{{2}}(?:[ \u00a0-]?[A-Za-z0-9]){{{length - 4}}}"
        for length, codes in _IBAN_LENGTHS.items()
    )
    + r")(?![A-Za-z0-9])",
    re.I,
)
# After "tel." too, but not within a number.
_DIGITS = re.compile(r"(?<!\w)(?<!\d[.,])(?:\+|\(\+?)?\d(?:[ \u00a0().\-–/]{0,3}\d){6,22}(?!\w)")
_DAY = r"(?:0?[1-9]|[12]\d|3[01])"
_DATE = re.compile(
    rf"(?<!\d)(?<!\d[./-])(?:{_DAY}[./-]\s?{_DAY}[./-]\s?(?:\d{{4}}|\d{{2}})|\d{{4}}([./-]){_DAY}\1{_DAY}"
    r"|(?:19|20)\d\d\s?[-–/]\s?(?:19|20)\d\d)(?![./-]?\d)"
)
_NEAR = 10
_HOURS = re.compile(r"[0-2]?\d\.[0-5]\d\s?[-–]\s?[0-2]?\d\.[0-5]\d")
_MONEY_BEFORE = re.compile(r"(?:[€$£¥₴₽]|\b(?:EUR|USD|GBP|UAH|PLN|CHF|SEK|DKK|CZK|RUB))\s?$", re.I)
_MONEY_AFTER = re.compile(
    r"^\s?(?:[€$£¥₴₽%]|(?:EUR|USD|GBP|UAH|PLN|CHF|SEK|DKK|CZK|RUB|kr|zł|Kč|грн|руб|euros?|dollars?|pounds?)\b)", re.I
)
# "Order no. 4711-AB", "Bestellnummer: 12345", "замовлення № 998877": the word is kept, the number goes.
_ORDER = re.compile(
    r"((?<!\w)(?:(?:order|receipt|invoice|booking|customer|ticket|reference|ref|case|loyalty|card|tracking|"
    r"bestellung|bestell|auftrags?|rechnungs?|kunden|beleg|bon|vorgangs?|sendungs?|"
    r"commande|facture|reçu|dossier|pedido|factura|recibo|ordine|fattura|scontrino|encomenda|fatura|"
    r"bestelling|bon|factuur|klant|zamówieni\w{0,12}|faktur\w{0,12}|paragon\w{0,12}|objednávk\w{0,12}|účtenk\w{0,12}|faktur\w{0,12}|"
    r"beställning\w{0,12}|kvitto\w{0,12}|ordre|ordrenummer|kvittering\w{0,12}|"
    r"замовленн\w{0,12}|заказ\w{0,12}|чек\w{0,12}|накладн\w{0,12}|квитанці\w{0,12}|рахун\w{0,12}|счет\w{0,12}|"
    r"(?:ال)?(?:طلبية|طلب|فاتورة|شحنة|إيصال|حجز)|طلبي|طلبيتي|فاتورتي|شحنتي)"
    r"(?:nummer|number|nr|numer\w{0,12}|numéro|número|numero|нумер|номер)?"
    r"|(?:order|bestel|ordre|faktura|kund)n(?:umme)?re?t?)"
    r"(?:\s?(?:no|nr|num|number|numéro|número|numero|numer|nummer|číslo|č|номер|رقم|id|код))?[.:]?\s{0,2}(?:is|was|war|ist|lautet|est|es|è|é|jest|to|je|är|er)?\s?"
    r"[#№nº°:.]{0,3}\s{0,2})"
    # Looked for near the word only: to the end of a long run anew from each "order" in it would take seconds.
    r"((?=[A-Za-zА-Яа-я\d/_-]{0,30}\d[A-Za-zА-Яа-я/_-]{0,30}\d[A-Za-zА-Яа-я/_-]{0,30}\d[A-Za-zА-Яа-я/_-]{0,30}\d)"
    r"[A-Za-zА-Яа-я\d][A-Za-zА-Яа-я\d/_-]{3,})",
    re.I,
)
_NAME_WORD = r"[A-ZÀ-ÞĀ-ŽА-ЯІЇЄҐ][\w'’ʼ-]+"
_LONG_NUMBER = 9
# A mark can uncover what its number had hidden ("… 0000 DE89 3704 …"); most texts are unchanged after the first.
_PASSES = 6
_APOSTROPHES = "'’ʼ`´"
_INSTEAD = {"ä": ["ae"], "ö": ["oe"], "ü": ["ue"], "å": ["aa"], "ø": ["o", "oe"], "æ": ["ae"], "ß": ["ss"], "ł": ["l"]}
# What declension and the genitive hang on a name in Latin letters; more would make a market of a Mark.
_ENDINGS = "'?s|[aeiouyąęô]|em|om|ou|ie|iem|owi|ovi|ami|im|ím|iego|iemu|iej|ího|ému|ová|ové|ovou|"


def redact(text: str, *, languages: Sequence[str] = (), staff_names: Sequence[str] = ()) -> str:
    """The text with contacts, account and order numbers and names replaced by marks.

    `languages` (codes, likeliest first) tell whose phone numbers and whose ways of giving a name to expect.
    `staff_names` are redacted wherever they stand, whole or in part.
    """
    for _ in range(_PASSES):
        before, text = text, _redact_once(text, languages, staff_names)
        if text == before:
            break
    return text


def _redact_once(text: str, languages: Sequence[str], staff_names: Sequence[str]) -> str:
    text = _EMAIL.sub(EMAIL, text)
    text = _IBAN.sub(lambda m: IBAN if _is_iban(m.group()) else m.group(), text)
    text = _ORDER.sub(lambda m: m.group(1) + ORDER if not _is_year_or_price(m) else m.group(), text)
    text = _DIGITS.sub(lambda m: _judge_digits(m, languages), text)
    for language in dict.fromkeys([*languages, "en"]):
        for pattern in _name_patterns(language):
            text = pattern.sub(lambda m: m.group(1) + NAME, text)
    for name in sorted(staff_names, key=len, reverse=True):
        if staff := _staff_pattern(name):
            text = staff.sub(NAME, text)
    return re.sub(r"\[name\](?:[ \u00a0]\[name\])+", NAME, text)


def _is_iban(candidate: str) -> bool:
    """ISO 13616: the rearranged number leaves 1 modulo 97."""
    compact = re.sub(r"[^A-Za-z0-9]", "", candidate).upper()
    return int("".join(str(int(c, 36)) for c in compact[4:] + compact[:4])) % 97 == 1


def _is_card(digits: str) -> bool:
    """ISO/IEC 7812: 13 to 19 digits of a known first digit whose Luhn sum is a multiple of ten."""
    if not 13 <= len(digits) <= 19 or digits[0] not in "23456" or len(set(digits)) == 1:
        return False
    doubled = [int(d) * (1 + i % 2) for i, d in enumerate(reversed(digits))]
    return sum(d - 9 if d > 9 else d for d in doubled) % 10 == 0


def _is_year_or_price(match: re.Match[str]) -> bool:
    number, after = match.group(2), match.string[match.end() : match.end() + _NEAR]
    return bool(_MONEY_AFTER.match(after) or re.fullmatch(r"(?:19|20)\d\d", number) or _DATE.match(number))


def _judge_digits(match: re.Match[str], languages: Sequence[str]) -> str:
    found, start, end = match.group(), match.start(), match.end()
    # What tells money is short; the whole text for each of its numbers would make a long one of numbers slow.
    before, after = match.string[max(0, start - _NEAR) : start], match.string[end : end + _NEAR]
    # int reads the digits of every script.
    digits = "".join(str(int(digit)) for digit in re.findall(r"\d", found))
    if not found.startswith("+") and _is_card(digits):
        return CARD
    if _MONEY_BEFORE.search(before) or _MONEY_AFTER.match(after):
        return found
    if len(re.sub(r"\D", "", _DATE.sub("", found))) < 5 or _HOURS.fullmatch(found):
        return found
    if _is_phone(found, digits, languages):
        return PHONE
    return NUMBER if len(digits) >= _LONG_NUMBER and not re.search(r"[.,/]", found) else found


def _is_phone(found: str, digits: str, languages: Sequence[str]) -> bool:
    if not 7 <= len(digits) <= 15:
        return False
    if found.lstrip("(").startswith(("+", "00")):
        return True
    regions = [region for code in dict.fromkeys([*languages, "en"]) for region in _REGIONS.get(code, ())]
    for region in regions:
        try:
            number = phonenumbers.parse(found, region)
        except phonenumbers.NumberParseException:
            continue
        if phonenumbers.is_valid_number_for_region(number, region):
            return True
        # A trunk zero in front and the right length: written as a phone number even if its block is not in use.
        if found.lstrip("(").startswith("0") and phonenumbers.is_possible_number(number):
            return True
    return False


# Not for ever: shoppers' names come here too.
@lru_cache(maxsize=10_000)
def _staff_pattern(name: str) -> re.Pattern[str] | None:
    """The name and each part of it; endings may be inflected (Олена, Оленою), short parts must be capitalised, and
    marks on letters may be missing (José, Jose; Müller, Mueller)."""
    parts = [part for part in re.split(r"[\s.-]+", unicodedata.normalize("NFC", name.strip())) if len(part) > 1]
    if not parts:
        return None
    options = []
    for part in parts:
        # "And Ahmad", "to Ahmad" are one word in Arabic.
        prefix = "[وف]?[بلك]?" if re.search("[\u0600-\u06ff]", part) else ""
        if len(part) < 4:
            options.append(prefix + _spelt(part))
            continue
        stem = part[:-1] if part[-1].lower() in "aeiouyаеиоуяюєїійь" else part
        ending = (
            r"\w{0,3}" if re.search("[\u0400-\u04ff]", part) else f"(?:{_ENDINGS}|{_spelt(part[len(stem) :])})['’]?s?"
        )
        options.append(f"(?i:{prefix}{_spelt(stem)}{ending})")
    one = f"(?:{'|'.join(options)})"
    return re.compile(rf"(?<![\w\[]){one}(?:[ \u00a0-]{one})*(?!\w)")


def _spelt(part: str) -> str:
    """A pattern for letters as people write them who lack their marks."""
    return "".join(_spellings(letter) for letter in part)


def _spellings(letter: str) -> str:
    if letter in _APOSTROPHES:
        return f"[{_APOSTROPHES}]?"
    plain, *marks = list(unicodedata.normalize("NFD", letter))
    instead = _INSTEAD.get(letter.lower(), [])
    # Short names are sought with their capital.
    ways = [letter, *([way.capitalize() for way in instead] if letter.isupper() else instead)]
    if marks:
        ways.append(plain + "".join(f"{mark}?" for mark in marks))
    return re.escape(letter) if len(ways) == 1 else f"(?:{'|'.join(ways)})"


@cache
def _name_patterns(language: str) -> tuple[re.Pattern[str], ...]:
    """How people give a name: "my name is …", "Mrs …", and a signature that ends the text."""
    lists = load(language).get("names", {})
    name = rf"{_NAME_WORD}(?: {_NAME_WORD})?"
    shapes = {
        "introductions": ("[ :,]{1,2}", ""),
        "titles": (r"\.? ", ""),
        "closings": (r"[,.!]?\s+", r"(?=[\s.!]*\Z)"),
    }
    return tuple(
        re.compile(rf"(?<!\w)((?i:{'|'.join(map(re.escape, lists[kind]))}){between}){name}{after}")
        for kind, (between, after) in shapes.items()
        if lists.get(kind)
    )
