"""The ways in which a word that is looked for may stand in a comment. All words are folded: see `explorer_rows.fold`.

No dictionary: endings that words of a language change, and letters that a keyboard without them spells otherwise. What
is found too much costs a glance; what is not found is lost.
"""

import re
import unicodedata

_SPELLED = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "å": "aa", "ø": "oe", "æ": "ae"})
_COLLAPSED = re.compile("([aou])e")
# Endings of Ukrainian and Russian nouns, adjectives and participles, without the marks that folding takes away.
_SLAVIC = re.compile(
    "(?:ями|ами|ого|ому|его|ему|ими|ыми|ах|ях|ам|ям|ів|ев|ов|ою|ею|єю|ию|ии|іи|ыи|ои|еи|ая|яя|ое|ее|ые|ие|их|ых|им|ым|"
    "ом|ем|єм|[аяуюіиыеєоь])$"
)
# What a stem ends in before another ending: черга, черзі; рука, руці; муха, мусі.
_TURNS = {"г": "з", "з": "г", "к": "ц", "ц": "к", "х": "с", "с": "х"}
_SHORTEST_STEM = 4
_CYRILLIC = re.compile("[\u0400-\u04ff]+")
# The Arabic article, with or without what is written together with it.
_ARTICLE = re.compile("^(?:[وبفك]?ال|لل)(?=\\w{3})")


def spelled_out(text: str) -> str:
    """As it is typed where there are no such letters: enttäuscht, enttaeuscht."""
    return unicodedata.normalize("NFC", text.casefold()).translate(_SPELLED)


def ways_of(word: str, out: str) -> list[str]:
    """The folded word, and whatever it may stand as; `out` is it folded after `spelled_out`."""
    if _CYRILLIC.fullmatch(word):
        return _stems(word)
    bare = _ARTICLE.sub("", word)
    if bare != word:
        return [bare]
    return list(dict.fromkeys([word, out, _COLLAPSED.sub(r"\1", word)]))


def _stems(word: str) -> list[str]:
    """What the word begins with in all its cases."""
    ending = _SLAVIC.search(word, _SHORTEST_STEM)
    if ending is None or len(word) <= _SHORTEST_STEM:
        return [word]
    stem = word[: ending.start()]
    turned = _TURNS.get(stem[-1])
    return [stem, stem[:-1] + turned] if turned else [stem]
