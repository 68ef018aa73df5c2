"""Where in a row of digits a card, a phone number, a date and a price begin and end.

People write one after the other ("0171 1234567 / 030 123456", "4111 … 1111 12/27"): of all ways to cut the row between
its groups of digits, the one is taken that leaves fewest digits in sight which are no date, time, year or price.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache

import phonenumbers
from phonenumbers import COUNTRY_CODE_TO_REGION_CODE, PhoneMetadata

CARD, PHONE, NUMBER = "[card]", "[phone]", "[number]"

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
_SIGN_BETWEEN = r"[ \u00a0\u2009\u202f\t().·/_\-‐-―−]"
_BETWEEN = rf"{_SIGN_BETWEEN}{{1,3}}"
# After "tel." too, but not within a number; after a letter only where the digits are too many for a model's name.
ROW = re.compile(
    r"(?:(?<!\w)(?:(?<!\d[.,:/])|(?<=\d,)(?=0[1-9]\d|\d{9}))|(?<=[^\W\d_])(?=\d{9})|(?<=\d)(?=\+\d{7}))"
    rf"(?:\+|\(\+?)?\d++(?:{_BETWEEN}\d++)*+"
)
_MOST_GROUPS = 12
# One number, behind which " - " or " / " begins something else.
_ROW_AT = re.compile(rf"\d++(?:{_SIGN_BETWEEN}{{1,2}}\d++){{0,{_MOST_GROUPS - 1}}}")
_GROUP = re.compile(r"\d+")
_DAY = r"(?:0?[1-9]|[12]\d|3[01])"
DATE = re.compile(
    rf"(?<!\d)(?<!\d[./-])(?:{_DAY}[./-]\s?{_DAY}[./-]\s?(?:\d{{4}}|\d{{2}})|\d{{4}}([./-]){_DAY}\1{_DAY}"
    r"|(?:19|20)\d\d\s?[-–/]\s?(?:19|20)\d\d)(?![./-]?\d)"
)
# What may stay in sight where it stands alone: times and hours, a card's last month, a day, a year, a round sum.
_HARMLESS = re.compile(
    r"[0-2]?\d\.[0-5]\d(?:\s?[-–]\s?[0-2]?\d\.[0-5]\d)?|(?:0?[1-9]|1[0-2])/(?:\d\d|20\d\d)"
    rf"|{_DAY}/(?:0?[1-9]|1[0-2])|(?:19|20)\d\d|[1-9]\d{{0,2}}(?:[. \u00a0\u202f]000)+"
)
_AMOUNT = re.compile(r"(?!0\d)(?:\d{1,3}(?:[ .\u00a0\u202f]\d{3})+|\d{1,8})(?:\.\d{1,2})?")
_CURRENCY = "EUR|USD|GBP|UAH|PLN|CHF|SEK|DKK|CZK|RUB|BRL|AED|SAR|EGP"
_MONEY_BEFORE = re.compile(rf"(?:[€$£¥₴₽]|\b(?:{_CURRENCY}))\s?$", re.I)
_MONEY_AFTER = re.compile(
    rf"^(?:,\d\d?(?!\d))?(?:\s?(?:[€$£¥₴₽%]|,-|(?:{_CURRENCY}|kr|kron\w*|zł\w*|Kč|korun\w*|грн|грив\w*|руб\w*|euros?"
    r"|dollars?|pounds?|reais|ريال|درهم|جنيه)\b)|k\b)",
    re.I,
)
_UNIT_AFTER = re.compile(
    r"^(?:,\d\d?(?!\d))?(?:\s?(?:kg|cm|mm|ml|km|min|кг|см|мм|мл|хв|мин)\b|(?:g|l|m|ct|h|г|л|м|к)\b)", re.I
)
# "min" is "my" in Danish and Swedish, too, and stands behind a phone.
_MOST_MEASURED = 4
_NEAR = 12
_LONG_NUMBER = 9
_FEWEST, _MOST = 7, 23
_FEWEST_SIZES, _SIZE_STEPS = 5, range(1, 6)
# "4.99 5.99 6.99": shops end a price so, and nobody a group of a phone number three times over.
# No such row begins in the middle of another, nor has it a number that begins with a zero, as those of phones do.
_PRICE = r"(?!0\d)\d{1,3}\.\d[059]"
_PRICE_LIST = re.compile(rf"(?<![\d.])(?<!\d\s){_PRICE}(?:\s{_PRICE}){{2,}}(?![\d.])")
# What a way to cut costs. A digit in sight must cost most, or nothing would be hidden.
_SEEN, _AS_CARD, _AS_PHONE, _AS_WRITTEN_PHONE, _AS_NUMBER, _AS_ABROAD = 2, 2, 3, 5, 15, 13
# What it costs more if a price goes with it: a phone that is surely one has only something like a price behind it.
_NO_PRICE, _NO_PRICE_OF_PHONE = 10, 1


def hide_numbers(text: str, languages: Sequence[str]) -> str:
    """The text with marks instead of cards, phone numbers and other long numbers.

    `languages` (codes, likeliest first) tell whose numbers without a country code to expect.
    """
    plans = _plans_for(languages)
    return ROW.sub(lambda row: _hide(row, plans), text)


def find_at(text: str, start: int, languages: Sequence[str]) -> tuple[int, str] | None:
    """Where the card, phone or long number whose first digit is at `start` ends, and its mark; None if none is."""
    row = _ROW_AT.match(text, start)
    date = next((date for date in DATE.finditer(text, start + 1, row.end())), None) if row else None
    row = _ROW_AT.match(text, start, date.start()) if date else row
    marks = _cut(row, _plans_for(languages)) if row else []
    return (start + marks[0][1], marks[0][2]) if marks and marks[0][0] == 0 else None


def is_price(text: str, start: int, end: int) -> bool:
    """Whether a currency stands before or after a number in the text, or a unit after a short one."""
    after = text[end : end + _NEAR]
    return bool(
        _MONEY_AFTER.match(after)
        or _MONEY_BEFORE.search(text[max(0, start - _NEAR) : start])
        or (end - start <= _MOST_MEASURED and _UNIT_AFTER.match(after))
    )


@dataclass(frozen=True)
class _Plan:
    """How a country writes its numbers."""

    country_code: str
    trunk: re.Pattern[str] | None
    lengths: frozenset[int]
    shape: re.Pattern[str]
    zero_in_front: bool

    def has(self, digits: str) -> bool:
        """Whether these digits are a number in use, with or without what is dialled in front."""
        if self.is_used(digits):
            return True
        if digits.startswith(self.country_code) and self.is_used(digits[len(self.country_code) :]):
            return True
        trunk = self.trunk.match(digits) if self.trunk else None
        return bool(trunk and trunk.end() and self.is_used(digits[trunk.end() :]))

    def is_used(self, national: str) -> bool:
        return len(national) in self.lengths and bool(self.shape.fullmatch(national))

    def could_have(self, digits: str) -> bool:
        """Written as a phone number even if its block is not in use: a zero in front, and the right length."""
        return self.zero_in_front and digits[0] == "0" and len(digits) - 1 in self.lengths


@cache
def _plan(region: str) -> _Plan:
    data = PhoneMetadata.metadata_for_region(region)
    assert data is not None and data.general_desc is not None, region
    kinds = [data.fixed_line, data.mobile, data.toll_free, data.premium_rate, data.shared_cost, data.voip, data.uan]
    shapes = [kind.national_number_pattern for kind in kinds if kind and kind.national_number_pattern]
    return _Plan(
        country_code=str(phonenumbers.country_code_for_region(region)),
        trunk=re.compile(data.national_prefix_for_parsing) if data.national_prefix_for_parsing else None,
        lengths=frozenset(data.general_desc.possible_length),
        shape=re.compile("|".join(f"(?:{shape})" for shape in shapes) or r"(?!)"),
        zero_in_front=data.national_prefix == "0",
    )


@lru_cache(maxsize=256)
def _plans_of(languages: tuple[str, ...]) -> tuple[_Plan, ...]:
    return tuple(_plan(region) for region in dict.fromkeys(r for code in languages for r in _REGIONS.get(code, ())))


def _plans_for(languages: Sequence[str]) -> tuple[_Plan, ...]:
    return _plans_of(tuple(dict.fromkeys([*languages, "en"])))


@dataclass(frozen=True)
class _Row:
    """A row of digits, where its groups are, and what may stay: each by its first group and that after its last."""

    plain: str
    groups: Sequence[tuple[int, int]]
    # By place in the row, not by group.
    dates: dict[int, int]
    priced: dict[int, int]
    lists: dict[int, int]


def _hide(row: re.Match[str], plans: Sequence[_Plan]) -> str:
    found, out, end = row.group(), [], 0
    for start, mark_end, mark in _cut(row, plans):
        out += [found[end:start], mark]
        end = mark_end
    return "".join([*out, found[end:]])


def _cut(match: re.Match[str], plans: Sequence[_Plan]) -> list[tuple[int, int, str]]:
    """Where in the row what is to go begins and ends, and its mark."""
    # int reads the digits of every script.
    plain = "".join(str(int(char)) if char.isdecimal() else char for char in match.group())
    if sum(char.isdecimal() for char in plain) < _FEWEST:
        return []
    groups = [(group.start(), group.end()) for group in _GROUP.finditer(plain)]
    dates = {date.start(): date.end() for date in DATE.finditer(plain)}
    row = _Row(plain, groups, dates, _prices(match, plain, groups, plans), _lists(plain, groups))
    costs, ways = [0.0] + [float("inf")] * len(groups), [(0, "")] * (len(groups) + 1)
    for i in range(len(groups)):
        for j, cost, mark in _pieces(row, i, plans) if costs[i] < float("inf") else ():
            if costs[i] + cost < costs[j]:
                costs[j], ways[j] = costs[i] + cost, (i, mark)
    marks, j = [], len(groups)
    while j:
        i, mark = ways[j]
        if mark:
            start = 0 if i == 0 else groups[i][0] - (plain[groups[i][0] - 1] == "(")
            marks.append((start, groups[j - 1][1], mark))
        j = i
    return marks[::-1]


def _prices(
    match: re.Match[str], plain: str, groups: Sequence[tuple[int, int]], plans: Sequence[_Plan]
) -> dict[int, int]:
    """Prices and measures at either end of the row ("20 000 - 25 000 kr")."""
    text, priced = match.string, {}
    # The lower end of a range has no more digits than the upper: a phone number has.
    after = text[match.end() : match.end() + _NEAR]
    most = _MOST if _MONEY_AFTER.match(after) else _MOST_MEASURED if _UNIT_AFTER.match(after) else 0
    end = len(groups) if most else 0
    while end:
        near = range(max(0, end - 5), end)
        first = next((i for i in near if _AMOUNT.fullmatch(plain, groups[i][0], groups[end - 1][1])), None)
        if first is None:
            break
        size = sum(group[1] - group[0] for group in groups[first:end])
        if size > most:
            break
        priced[first], most = end, size
        between = plain[groups[first - 1][1] : groups[first][0]] if first else ""
        end = first if len(priced) == 1 and re.search(r"[-–]", between) else 0
    if _MONEY_BEFORE.search(text[max(0, match.start() - _NEAR) : match.start()]):
        ends = [
            j for j in range(1, min(6, len(groups) + 1)) if _AMOUNT.fullmatch(plain, groups[0][0], groups[j - 1][1])
        ]
        if ends:
            priced[0] = ends[-1]
    return {i: j for i, j in priced.items() if not _is_rather_phone(plain[groups[i][0] : groups[j - 1][1]], plans)}


def _is_rather_phone(amount: str, plans: Sequence[_Plan]) -> bool:
    """Whether what stands like a price is no round sum but a number of a country that writes it without a zero."""
    digits = "".join(char for char in amount if char.isdecimal())
    if len(digits) < _FEWEST or _HARMLESS.fullmatch(amount):
        return False
    return any(not plan.zero_in_front and plan.has(digits) for plan in plans)


def _lists(plain: str, groups: Sequence[tuple[int, int]]) -> dict[int, int]:
    """Rows of prices, and of sizes such as 38 40 42 44 46, of which a phone number has no more than four groups."""
    numbers = [int(plain[start:end]) if end - start == 2 and plain[start] != "0" else 0 for start, end in groups]
    ends = list(range(1, len(groups) + 1))
    for i in range(len(groups) - 2, -1, -1):
        if numbers[i] and numbers[i + 1] - numbers[i] in _SIZE_STEPS:
            ends[i] = ends[i + 1]
    sizes = {i: end for i, end in enumerate(ends) if end - i >= _FEWEST_SIZES}
    starts, stops = ([group[side] for group in groups] for side in (0, 1))
    found = () if plain.startswith("+") else _PRICE_LIST.finditer(plain)
    prices = ((starts.index(one.start()), stops.index(one.end()) + 1) for one in found)
    return sizes | dict(prices)


def _pieces(row: _Row, i: int, plans: Sequence[_Plan]) -> Iterator[tuple[int, float, str]]:
    """What may begin at a group of digits: the group after its last, its cost, and its mark ("" stays in sight)."""
    plain, groups, dates, priced = row.plain, row.groups, row.dates, row.priced
    start = groups[i][0]
    plus = i == 0 and "+" in plain[:2]
    begins_alone = not i or _stands_apart(plain, groups[i - 1][1], start)
    if i in priced:
        yield priced[i], 0, ""
    if i in row.lists:
        yield row.lists[i], 0, ""
        return
    yield i + 1, _SEEN * (groups[i][1] - start), ""
    digits = ""
    for j in range(i, min(len(groups), i + _MOST_GROUPS)):
        digits += plain[groups[j][0] : groups[j][1]]
        end, size = groups[j][1], len(digits)
        if size > _MOST and j > i:
            return
        if dates.get(start) == end:
            yield j + 1, 0, ""
        may_stay = begins_alone and j < i + 4 and _HARMLESS.fullmatch(plain, start, end)
        if may_stay and (j + 1 == len(groups) or _stands_apart(plain, end, groups[j + 1][0])):
            yield j + 1, 0, ""
        if dates and any(
            dates.get(groups[k][0]) == end and _is_surely_date(plain, groups[k][0], end)
            for k in range(max(i, j - 2), j + 1)
        ):
            return
        if size < _FEWEST:
            continue
        if not plus and is_card(digits):
            yield j + 1, _AS_CARD, CARD
        has_price = (i == 0 and 0 in priced) or (j + 1 == len(groups) and j + 1 in priced.values())
        listed = not plus and _is_listed(plain, start, end)
        if not listed and (cost := _phone_cost(digits, plus, plans)) is not None:
            is_sure = cost == _AS_PHONE or digits[0] == "0"
            yield j + 1, cost + has_price * (_NO_PRICE_OF_PHONE if is_sure else _NO_PRICE), PHONE
        if size >= _LONG_NUMBER and not plus and "/" not in plain[start:end] and "." not in plain[start:end]:
            yield j + 1, _AS_NUMBER + has_price * _NO_PRICE, NUMBER


def _is_listed(plain: str, start: int, end: int) -> bool:
    """Whether it is part of a row such as B1/3/7/8/19 or 60/90/120/150, or of an article's number 11.307.39.1820."""
    around = {plain[max(0, start - 1) : start], plain[end : end + 1]}
    if "/" in around and plain.count("/", start, end) > 1:
        return True
    return "." in around and "." in plain[start:end] and plain[end : end + 2] != ". "


def _is_surely_date(plain: str, start: int, end: int) -> bool:
    """12-12-12 may be the end of a phone number, too."""
    return "-" not in plain[start:end] or end - start > len("12-12-12")


def _stands_apart(plain: str, end: int, start: int) -> bool:
    """Whether white space stands between two groups of digits."""
    return any(char.isspace() for char in plain[end:start])


def _phone_cost(digits: str, plus: bool, plans: Sequence[_Plan]) -> int | None:
    """The surer a phone number the less; None when it is none."""
    if not _FEWEST <= len(digits) <= 15:
        return None
    if plus or digits.startswith("00"):
        return _cost_abroad(digits if plus else digits[2:])
    if any(plan.has(digits) for plan in plans):
        return _AS_PHONE
    return _AS_WRITTEN_PHONE if any(plan.could_have(digits) for plan in plans) else None


def _cost_abroad(digits: str) -> int:
    """Of digits that begin with a country code, also with "(0)" after it: less if there are such numbers there."""
    cost = _AS_ABROAD
    for length in (1, 2, 3):
        code, rest = digits[:length], digits[length:].removeprefix("0")
        if code.startswith("0") or int(code) not in COUNTRY_CODE_TO_REGION_CODE:
            continue
        for region in COUNTRY_CODE_TO_REGION_CODE[int(code)]:
            plan = _plan(region) if region != "001" else None
            if plan and plan.is_used(rest):
                return _AS_PHONE
            if plan and len(rest) in plan.lengths:
                cost = _AS_WRITTEN_PHONE
    return cost


def is_card(digits: str) -> bool:
    """ISO/IEC 7812: 13 to 19 digits of a known first digit whose Luhn sum is a multiple of ten."""
    if not 13 <= len(digits) <= 19 or digits[0] not in "23456" or len(set(digits)) == 1:
        return False
    if len(digits) not in _lengths(digits):
        return False
    doubled = [int(d) * (1 + i % 2) for i, d in enumerate(reversed(digits))]
    return sum(d - 9 if d > 9 else d for d in doubled) % 10 == 0


def _lengths(digits: str) -> tuple[int, ...]:
    """How long a card is by its first digits: American Express, Diners Club, Visa, Maestro and the others."""
    if digits[:2] in ("34", "37"):
        return (15,)
    if digits[:2] in ("30", "36", "38"):
        return (14, 16)
    return (13, 16, 19) if digits[0] == "4" else (16, 18, 19) if digits[0] in "56" else (16,)
