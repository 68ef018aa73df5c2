"""What a text message says in answer to a question with a scale: a number, words, both, or neither.

It is read narrowly. A score that nobody meant is counted and acted on; a number that we did not understand is asked for
once more.
"""

import re
import unicodedata
from dataclasses import dataclass

# Blanks, quotes, brackets and marks of direction, which phones and people put around a number.
_AROUND = r"[\s\"'“”„«»‘’()\[\]\u200b-\u200f\u2066-\u2069\ufeff]*"
# "3/10", "3 von 10".
_OF = "of|out of|von|aus|з|із|зі|из|sur|de|sobre|su|na|z|ze|af|ud af|van|van de|em|av|من"
_NUMBER = re.compile(
    rf"{_AROUND}(?P<number>\d{{1,2}})\ufe0f?\u20e3?(?:\s*/\s*(?P<best>\d+)|\s+(?:{_OF})\s+(?P<best_too>\d+))?"
    r"(?P<rest>.*)",
    re.DOTALL | re.IGNORECASE,
)
# "10%", "5 €".
_MEASURED = re.compile(r"\s*[%‰€$£¥₴°]")
# What parts a number from its reason: a line's end, or marks with a blank behind them, unlike in "10-minute wait". Not
# one full stop: "3. Mal" is the third time.
_PARTED = re.compile(r"[^\S\n]*(?:\n|(?:[,;:!?…،؛，–—-]|\.{2,})+\s)")
# "3 - 4", "3, maybe 4", and a list: "1 - rude" above "2 - slow".
_THEN_A_NUMBER = re.compile(r"\W*(?:[^\W\d_]+\W+)?\d|.*\n\W*\d", re.DOTALL)
_WORD = re.compile(r"\b[^\W\d_]{2,}\b")
_FIGURES = re.compile(r"\d[\d\s.,:/()+-]*")
_PARTING = " \t\n.,;:!?…،؛，-–—"


@dataclass(frozen=True)
class Said:
    """`score` lies on the scale; None without one. `words` are what else was said, as it was written."""

    score: int | None
    words: str

    @property
    def only_a_number(self) -> bool:
        return self.score is not None and not self.words


def read_answer(text: str, scale: range) -> Said:
    """What somebody answers to a question that can be answered on this scale."""
    return _scored(text, scale) or Said(None, text.strip() if says_words(text) else "")


def says_words(text: str) -> bool:
    """Whether there is more to a text than figures; a picture of a face says something, too."""
    figures = _FIGURES.findall(text)
    if not figures:
        return any(unicodedata.category(character)[0] in "LS" for character in text)
    words = _WORD.findall(text)
    return bool(words) and len(words) >= len(figures)


def _scored(text: str, scale: range) -> Said | None:
    """The number that a text begins with, and the rest; None where it may be anything but a score.

    A number right before words may count something: "10 items were missing". Only "8/10" may stand before any.
    """
    found = _NUMBER.fullmatch(text)
    if found is None or int(found["number"]) not in scale:
        return None
    best, rest = found["best"] or found["best_too"], found["rest"]
    if (best and int(best) != scale[-1]) or _MEASURED.match(rest):
        return None
    if not any(character.isalnum() for character in rest):
        return Said(int(found["number"]), "")
    parted = _PARTED.match(rest) or (found["best"] and not rest[0].isalnum())
    if not parted or _THEN_A_NUMBER.match(rest):
        return None
    return Said(int(found["number"]), rest.lstrip(_PARTING).rstrip())
