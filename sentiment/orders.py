"""Numbers of orders, receipts and customers: known by the words in front of them, which stay."""

import re
from collections.abc import Sequence
from functools import cache

from .digits import DATE, NUMBER, find_at, is_price
from .lexicon import available, load

ORDER = "[order]"

# A number with its letters; a short word with a hyphen in front may be part of it ("WEB-4711") or tell what it is.
_CODE = re.compile(r"(?<!\w)(?P<letters>[^\W\d_]{1,10}[-/_]?|[-/_])?(?P<digits>\d[\w/-]*)")
_MORE = re.compile(r"(?:[ \u00a0]\d{2,4}(?![\w,]|[.:/-]\d)){1,5}")
_BEFORE = 70
# How near the last letter or sign of such a word stands.
_NEAR, _ANY_WORD = 10, re.compile(r"[^\W\d_]|[#№]")
_FEWEST, _FEWEST_OF_NUMBERS, _FEWEST_OF_ABBREVIATED = 4, 3, 5
_YEAR = re.compile(r"(?:19|20)\d\d")
_VERBS = "is|was|war|ist|lautet|lautete|est|es|è|é|jest|to|je|är|er|var|era|був|було|был|есть"
_GAP = r"[\s.:/–-]{0,2}"


def hide_orders(text: str, languages: Sequence[str]) -> str:
    """The text with a mark instead of every number that an order or its customer has, in any language.

    A card or phone in its place goes whole, under its own mark; `languages` tell whose phones to expect.
    """
    out: list[str] = []
    end = 0
    for match in _CODE.finditer(text):
        if match.start() < end:
            continue
        if found := _find(text, match):
            start, found_end = found
            longer = find_at(text, match.start("digits"), languages) or (0, ORDER)
            found_end, mark = max((found_end, ORDER), longer, key=lambda end_and_mark: end_and_mark[0])
            out += [text[end:start], ORDER if mark == NUMBER else mark]
            end = found_end
    return "".join([*out, text[end:]])


def _find(text: str, match: re.Match[str]) -> tuple[int, int] | None:
    """Where the number begins and ends; None if no word in front of it says that it is one of an order."""
    # The words in front are looked at only where there may be enough digits.
    size = sum(char.isdecimal() for char in match.group("digits"))
    if size < _FEWEST_OF_NUMBERS and not _MORE.match(text, match.end()):
        return None
    for start in dict.fromkeys((match.start(), match.start("digits"))):
        if not _ANY_WORD.search(text, max(0, start - _NEAR), start):
            continue
        lead = _lead().search(text[max(0, start - _BEFORE) : start])
        if lead and (end := _end(text, match.start("digits"), match.end(), lead)):
            return start, end
    return None


def _end(text: str, start: int, end: int, lead: re.Match[str]) -> int | None:
    """Where the number ends, which without a word like "number" may have no spaces and must be no price or year."""
    numbered = bool(lead.group("numbered"))
    if numbered and (more := _MORE.match(text, end)):
        end = more.end()
    number = text[start:end].rstrip("/-")
    end = start + len(number)
    if DATE.match(number):
        return None
    if is_price(text, start, end) or (not numbered and _YEAR.fullmatch(number)):
        return None
    fewest = _FEWEST_OF_NUMBERS if numbered else _FEWEST_OF_ABBREVIATED if lead.group("abbreviated") else _FEWEST
    return end if sum(char.isdecimal() for char in number) >= fewest else None


@cache
def _lead() -> re.Pattern[str]:
    """What stands in front: "order no.", "Bestellung mit der Nummer", "č. obj.", at the end of a text."""
    words, short, numbers = (_any_of(kind) for kind in ("words", "short", "numbers"))
    number = rf"(?:{numbers}|[#№])"
    between = r"(?:[^\w.!?\n]{1,2}\w{1,9}){0,3}?[^\w!?\n]{1,2}"
    return re.compile(
        rf"(?<!\w)(?:(?P<numbered>(?:{words}){_GAP}{number}|(?:{words}){between}{number}|(?:{short}){_GAP}{number}"
        rf"|{number}{_GAP}(?:(?:de|do|of|der|des|du|di|della|da|на|for)\s|d['’])?(?:{short}|{words}))|(?:{words})|(?P<abbreviated>(?:{short})\.))"
        rf"[.:]?\s{{0,2}}(?:(?<!\w)(?:{_VERBS})(?!\w))?[\s:#№nº°.()-]{{0,6}}\Z",
        re.I,
    )


def _any_of(kind: str) -> str:
    entries = {entry for language in available() for entry in load(language).get("orders", {}).get(kind, ())}
    longest_first = sorted(entries, key=lambda entry: (-len(entry), entry))
    return "|".join(re.escape(entry).replace(r"\*", r"\w{0,12}") for entry in longest_first)
