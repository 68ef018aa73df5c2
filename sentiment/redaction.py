"""Take out of a text what could name or reach a person, leaving neutral marks such as [phone].

Prices, dates, times and sizes stay. A mark holds nothing that a later pass would take for something else, so
redacting twice changes nothing.
"""

import re
from collections.abc import Sequence
from functools import cache

from .digits import CARD, NUMBER, PHONE, hide_numbers
from .lexicon import load
from .orders import ORDER, hide_orders
from .staff_names import NAME, hide_names

EMAIL, IBAN = "[e-mail]", "[iban]"
MARKS = (EMAIL, IBAN, CARD, ORDER, PHONE, NUMBER, NAME)

# As it is said where a machine shall not read it.
_AT = "małpa|собака|arroba|arobase|chiocciola|apenstaartje|snabel-?a|zavináč|klammeraffe"
_DOT = "dot|punkt|kropka|tečka|punto|ponto|point|punt|крапка|точка"
# What addresses end with; some are words, too.
_TOP = "com|net|org|info|example|eu|ae|ch|cz|de|dk|eg|es|fi|fr|ie|nl|pl|pt|br|ru|sa|se|ua|uk"
_TOP_AND_WORD = "at|be|it|no|us"
_EMAIL = re.compile(
    # From the beginning of a run of letters only: from each of its letters anew, a long one would take seconds.
    rf"(?<![\w.+%-])(?:[\w.+%-]+(?:\s(?:{_DOT})\s|\s?[\[(](?:{_DOT})[\])]\s?)){{0,3}}[\w.+%-]+"
    rf"(?:\s?(?:@|[\[(]\s?(?:at|ät|{_AT})\s?[\])])\s?[\w-]+(?:(?:\.|\s?[\[(]\s?(?:{_DOT})\s?[\])]\s?)[\w-]+)+"
    rf"|\s(?:{_AT})\s[a-z0-9-]+(?:(?:\.|\s(?:{_DOT})\s)[a-z0-9-]+)+"
    # A word of every day, so what is said behind it must end as an address; and a blank slips in behind the point of a
    # whole one, where a sentence would go on with a capital.
    rf"|\s[aä]t\s[a-z0-9-]+(?:\s(?:dot|punkt)\s[a-z0-9-]+){{0,3}}\s(?:dot|punkt)\s(?:{_TOP}|{_TOP_AND_WORD})(?!\w)"
    rf"|@[\w-]+\.\s(?-i:{_TOP})(?!\w))",
    re.I,
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
# A card's code and a PIN are too short to be found by themselves.
_SECRET = re.compile(r"(?<!\w)((?:cv[vc]2?|cvn|pin)(?:[ -]?code)?\W{1,3}(?:(?:is|ist|est|es)\s)?)\d{3,6}(?!\w)", re.I)
# A handle in a network; "@60fps" and "2 @ 5" are none.
_HANDLE = re.compile(r"(?<![\w@.])@(?!\d)\w{3,30}(?![\w@])")
# Czech and Slovak: year, month (women's and late ones' begin later) and day of birth. Swedish: the year with or without
# its century, a day that may be 60 later; Danish: the day first.
_MONTH, _DAY = "(?:0[1-9]|1[0-2])", r"(?:0[1-9]|[12]\d|3[01])"
_BORN = rf"(?:19|20)?\d\d{_MONTH}(?:{_DAY}|6[1-9]|[78]\d|9[01])|{_DAY}{_MONTH}\d\d"
_BIRTH_NUMBER = re.compile(
    r"(?<![\w.,/-])(?:\d\d[0-35-8]\d[0-3]\d/\d{3,4}"
    rf"|(?:{_BORN})[-+\u2010-\u2013 \u00a0]\d{{4}})(?![\w/-])"
)
# Italy's tax code, Spain's number of foreigners, Britain's national insurance number.
_STATE_NUMBER = re.compile(
    r"(?<!\w)(?:[A-Z]{3} ?[A-Z]{3} ?\d\d[A-EHLMPRST]\d\d ?[A-Z]\d{3}[A-Z]"
    r"|[XYZ]-?\d{7}-?[A-Z]|[A-Z]{2} ?(?:\d\d ?){3}[A-D])(?!\w)"
)
# Signs nobody sees, which would keep the parts of a number or a name apart; what joins the parts of an emoji stays.
_UNSEEN = re.compile(
    r"[\u00ad\u061c\u180e\u200b\u200c\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff]|\u200d(?![^\w\s+@.()/-])"
)
_WIDE_SIGNS = str.maketrans({"＠": "@", "﹫": "@", "．": ".", "＋": "+", "＿": "_"})
_NAME_WORD = r"[A-ZÀ-ÞĀ-ŽА-ЯІЇЄҐ][\w'’ʼ-]+"
# A mark can uncover what its number had hidden ("… 0000 DE89 3704 …"); most texts are unchanged after the first.
_PASSES = 6


def redact(text: str, *, languages: Sequence[str] = (), staff_names: Sequence[str] = ()) -> str:
    """The text with contacts, account and order numbers and names replaced by marks.

    `languages` (codes, likeliest first) tell whose phone numbers and whose ways of giving a name to expect.
    `staff_names` are redacted wherever they stand, whole or in part; one that is a word of the languages, too, only
    where something says that it is a name. Where nothing is found the text stays as it was, sign by sign.
    """
    original, text = text, _UNSEEN.sub("", text.translate(_WIDE_SIGNS))
    plain = text
    for _ in range(_PASSES):
        before, text = text, _redact_once(text, languages, staff_names)
        if text == before:
            break
    return original if text == plain else text


def _redact_once(text: str, languages: Sequence[str], names: Sequence[str]) -> str:
    text = _EMAIL.sub(EMAIL, text)
    text = _HANDLE.sub(NAME, text)
    text = _IBAN.sub(lambda m: IBAN if _is_iban(m.group()) else m.group(), text)
    text = hide_orders(text, languages)
    text = _STATE_NUMBER.sub(NUMBER, _BIRTH_NUMBER.sub(NUMBER, text))
    text = hide_numbers(text, languages)
    # After them: what looks like a card's code may be the first group of something longer.
    text = _SECRET.sub(lambda m: m.group(1) + NUMBER, text)
    for language in dict.fromkeys([*languages, "en"]):
        for pattern in _name_patterns(language):
            text = pattern.sub(lambda m: m.group(1) + NAME, text)
    text = hide_names(text, languages, names)
    return re.sub(r"\[name\](?:[ \u00a0]\[name\])+", NAME, text)


def _is_iban(candidate: str) -> bool:
    """ISO 13616: the rearranged number leaves 1 modulo 97."""
    compact = re.sub(r"[^A-Za-z0-9]", "", candidate).upper()
    return int("".join(str(int(c, 36)) for c in compact[4:] + compact[:4])) % 97 == 1


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
