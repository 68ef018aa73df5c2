"""What a comment means: the one call that the rest of the project makes."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Literal, cast

import numpy as np

from .classifier import FOLDER, LABELS, ONE, Classifier, Scores, get_classifier
from .doubts import IRONY, PLAIN, Kind, served_doubt
from .entries import ChainWords
from .heads import Heads, Judged, find_evidence, served_heads
from .holding import LANGUAGE_TOLD
from .languages import base_of, find_language
from .lexicon import Phrases, Word, load, split_words
from .redaction import redact
from .topics import TOPICS, Mention, find_mentions
from .typed_latin import tell_typed, to_cyrillic
from .urgency import URGENCIES, find_urgency, is_negated

Sentiment = Literal["negative", "neutral", "positive"]

# Characters in which language, topics and urgency are looked for, twice what a survey takes: a hostile file of 100 kB
# costs no more than a long comment. The model reads less; what is redacted is the whole.
_MOST_READ = 8000
# "Ok", "Super!": too little to judge by, and never an alert.
_FEW_WORDS = 3
_MOSTLY_UNKNOWN = 0.4
# "Gas leak!": the embedding says little of so few words, and the weights were learnt from sentences. What a list finds
# there asks a person to look; that was so in 3 of 782 real comments as short, none of which were urgent.
_LISTS_SUFFICE = 5
# So many characters fit into what the model reads at once, in any language of ours; a longer text is read in parts.
_READ_AT_ONCE = 500
# What is urgent, and much of what a text is about, drowns in a sentence of something else, so both are looked for in
# passages of so many characters: beside a real comment 26 % of the urgent were found before, and 88 % are, for 2 in a
# thousand of the real comments more; of two comments as one the topics came to .685 micro-F1, and come to .789.
_PASSAGE = 150
_IRONY = re.compile("[\U0001f644\U0001f643\U0001f921]|(?<![\\w/])/[sс](?!\\w)")
_SENTENCE_END = re.compile("[.!?…\n。！？؟]+\\s*")
# Written without spaces; two signs make about a word.
_UNSPACED = re.compile("[\u3040-\u30ff\u3400-\u9fff]")
_UNSURE = {"negative": 0.25, "neutral": 0.5, "positive": 0.25}


@dataclass(frozen=True)
class TopicHit:
    topic: str  # one of topics.TOPICS
    sentiment: str


@dataclass(frozen=True)
class Reading:
    """What one text means.

    `alarming` and `proven` say all that a rule needs about the text's own weight: in a proven language an alarming
    text may open a case by itself, in any other it asks a person to look. `alarming` is the model's own judgement
    (four such alarms in five were right where it was measured); no rule needs a threshold beside it.

    `embedding` is for likeness: the text's vector of length one, each component as a signed byte in 127ths
    (`np.frombuffer(embedding, np.int8)`; the cosine of two is their scalar product / 127²). Vectors are comparable only
    under one `model_version`, whatever its marks; empty when the model has none, which is so for an operator's own, and
    for a text in which there is nothing to compare.
    """

    language: str
    language_confidence: float
    sentiment: Sentiment
    probabilities: dict[str, float]
    confident: bool  # False: too few or too strange words, or not meant as it sounds; never a reason to alarm
    alarming: bool  # confident, and so likely negative that the text alone is a reason to act
    proven: bool  # the language is told, and the model was measured in it and found good enough on real comments
    topics: list[TopicHit]
    urgency: list[str]  # of urgency.URGENCIES
    urgency_certain: bool  # True: may open a case by itself; False: a person should look
    redacted: str
    # With marks of the files beside the model and, if anything was, of what was learnt: `<model>+0a1b2+learnt-3`.
    model_version: str
    embedding: bytes


@dataclass
class _Draft:
    """A text, or a part of a long one, before the model has seen it: in its language's own letters, as it stands in
    `lines`, in one line in `text`."""

    lines: str
    text: str
    words: list[Word]
    language: str
    language_confidence: float
    languages: tuple[str, ...]
    mentions: list[Mention]
    of_long: bool = False  # a part of what the model cannot read at once


def read(
    texts: Sequence[str],
    *,
    page_languages: Sequence[str | None],
    chain_languages: Sequence[str],
    staff_names: Sequence[Sequence[str]] | None = None,
    praise_belied: Sequence[bool] | None = None,
    model: str | None = None,
    chain_words: ChainWords | None = None,
    heads: Heads | None = None,
) -> list[Reading]:
    """Read each text: language, sentiment, topics, urgency and a redacted copy, in the order given.

    `page_languages`, `staff_names` and `praise_belied` run beside `texts`; a page language of None means that no page
    was used. `praise_belied`: the shopper's own score says the contrary of praise, so that what sounds like it is
    unsure: irony, or a scale that was read from the wrong end. It bears out what sounds like a complaint.
    `model` names a folder or hub model for a `transformers` pipeline; None is the project's own. `chain_words` are the
    word lists as the chain has changed them; `heads` what it has learnt from corrections, None what the model was
    served with. Heads of another model version are not used.
    Raises files.ModelMissing when the model cannot be loaded.
    """
    if not texts:
        return []
    names = staff_names if staff_names is not None else [()] * len(texts)
    classifier = get_classifier(model)
    whole = [_draft(text, page, chain_languages, chain_words) for text, page in zip(texts, page_languages, strict=True)]
    parts = [_cut(draft, _READ_AT_ONCE, chain_words) for draft in whole]
    passages = [_cut(draft, _PASSAGE, chain_words) for draft in whole]
    split = [p if len(q) <= 1 else p + q for p, q in zip(parts, passages, strict=True)]
    drafts = [draft for one in split for draft in one]
    scores = classifier.score([draft.text for draft in drafts])
    folder = FOLDER if model is None else Path(model)
    belied = [b for b, one in zip(praise_belied or [False] * len(texts), split, strict=True) for _ in one]
    doubtful = _find_doubtful(drafts, scores, folder, classifier.version, belied)
    if heads is None or heads.model_version != classifier.version:
        heads = None if scores.traits is None else served_heads(folder, classifier.version)
    judged = _judge(drafts, scores, doubtful, heads, chain_words)
    version = classifier.version + classifier.mark + (heads.mark if heads else "")

    readings, start = [], 0
    for text, draft, own, every, staff in zip(texts, whole, parts, split, names, strict=True):
        rows, all_rows = range(start, start + len(own)), range(start, start := start + len(every))
        near = all_rows[len(own) :] or rows
        long_enough = _is_long_enough(draft)
        readable = long_enough and float(scores.unknown[rows].mean()) < _MOSTLY_UNKNOWN
        confident = readable and not any(i in doubtful for i in rows) and not _is_torn(scores, rows, classifier)
        likely = dict(zip(LABELS, scores.probabilities[rows].mean(axis=0).tolist(), strict=True))
        row = likely if confident else dict(_UNSURE)
        sentiment = max(row, key=row.__getitem__)
        topics = _judge_topics(scores, near, judged, doubtful, sentiment)
        if not readable or _IRONY.search(draft.text):
            topics = dict.fromkeys(topics, sentiment)
        found = {kind for i in all_rows for kind in judged[i].urgency}
        readings.append(
            Reading(
                language=draft.language,
                language_confidence=round(draft.language_confidence, 3),
                sentiment=cast(Sentiment, sentiment),
                probabilities={label: round(value, 4) for label, value in row.items()},
                confident=confident,
                alarming=confident and row["negative"] >= classifier.alert_threshold,
                proven=draft.language in classifier.proven and draft.language_confidence > LANGUAGE_TOLD,
                topics=[TopicHit(topic, topics[topic]) for topic in TOPICS if topic in topics],
                urgency=[kind for kind in URGENCIES if kind in found],
                urgency_certain=long_enough and any(judged[i].certain for i in all_rows),
                redacted=redact(text, languages=draft.languages, staff_names=staff),
                model_version=version,
                embedding=_embedding(scores, rows),
            )
        )
    return readings


def alert_threshold(model: str | None = None) -> float:
    """The negative probability from which on a text alone may open a case: 80 % of such alarms were right on dev."""
    return get_classifier(model).alert_threshold


def _is_torn(scores: Scores, rows: range, classifier: Classifier) -> bool:
    """Whether one part of a long text would alarm by itself and another is as surely praise."""
    surest = scores.probabilities[rows].max(axis=0)
    return bool(min(surest[LABELS.index("negative")], surest[LABELS.index("positive")]) >= classifier.alert_threshold)


def _judge_topics(
    scores: Scores, rows: range, judged: Sequence[Judged], doubtful: Mapping[int, str], sentiment: str
) -> dict[str, str]:
    """How each topic is judged by the part that speaks of it most plainly; as the whole where the model does not tell
    them apart. Praise of a topic is as doubtful as that of its part, a complaint among it is not; and vice versa."""
    topics: dict[str, str] = {}
    loudest: dict[str, float] = {}
    for i in rows:
        for topic in judged[i].topics:
            said = scores.probabilities[i] if scores.topics is None else scores.topics[i, TOPICS.index(topic)]
            if topic not in loudest or float(said.max()) > loudest[topic]:
                loudest[topic] = float(said.max())
                label = LABELS[int(said.argmax())]
                topics[topic] = sentiment if doubtful.get(i) == label else label
    return topics


def _embedding(scores: Scores, rows: range) -> bytes:
    """That of a text of several parts points between theirs."""
    known = [i for i in rows if float(scores.unknown[i]) < _MOSTLY_UNKNOWN]
    if scores.embeddings is None or not known:
        return b""
    vector = scores.embeddings[known[0]]
    if len(known) > 1:
        sums = scores.embeddings[known].astype(np.float32).sum(axis=0)
        vector = np.rint(sums / max(float(np.linalg.norm(sums)), 1.0) * ONE).astype(np.int8)
    embedding: bytes = vector.tobytes()
    return embedding


def _draft(text: str, page: str | None, chain: Sequence[str], chain_words: ChainWords | None) -> _Draft:
    text = text[:_MOST_READ]
    language, confidence = find_language(_in_one_line(text), page, chain)
    if tell_typed(text, page, (language,)):
        text = to_cyrillic(text, language)
    words, languages = split_words(text), _languages(language, page)
    mentions = find_mentions(words, languages, chain_words)
    return _Draft(text, _in_one_line(text), words, language, confidence, languages, mentions)


def _is_long_enough(draft: _Draft) -> bool:
    return len(draft.words) + len(_UNSPACED.findall(draft.text)) // 2 >= _FEW_WORDS


def _cut(draft: _Draft, most: int, chain_words: ChainWords | None) -> list[_Draft]:
    """The draft of a text, or of one that is longer than `most` characters those of its parts."""
    if len(draft.text) <= most:
        return [draft]
    parts = []
    for part in _cut_text(draft.lines, most):
        if not part.isspace():
            words = split_words(part)
            mentions = find_mentions(words, draft.languages, chain_words)
            text, of_long = _in_one_line(part), len(draft.text) > _READ_AT_ONCE
            parts.append(replace(draft, lines=part, text=text, words=words, mentions=mentions, of_long=of_long))
    return parts


def _cut_text(text: str, most: int) -> Iterator[str]:
    """Into parts of at most so many characters, about as long as each other, that end with a sentence where one ends
    near, or else with a word."""
    while len(text) > most:
        near = len(text) // -(-len(text) // most)
        ends = [match.end() for match in _SENTENCE_END.finditer(text, near // 2, most)]
        end = min(ends, key=lambda end: abs(end - near)) if ends else text.rfind(" ", near // 2, near) + 1 or near
        yield text[:end]
        text = text[end:]
    yield text


def _in_one_line(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()


def _languages(language: str, page: str | None) -> tuple[str, ...]:
    """Whose words to look for: the text's language, then its page's, for people mix them."""
    return tuple(dict.fromkeys([language, *([base_of(page)] if page else [])]))


def _judge(
    drafts: list[_Draft],
    scores: Scores,
    doubtful: Mapping[int, str],
    heads: Heads | None,
    chain_words: ChainWords | None,
) -> list[Judged]:
    """Topics and urgency: by the heads; by the lists alone where there are none, or the words are strange to the model.

    Where the heads find no urgency, a person is asked to look by the lists: at a few words, or at what these are
    certain of where the text is no sure praise, or long. What a chain has put into its lists itself holds, whatever
    the heads say.
    """
    judged = [_by_lists(draft, chain_words) for draft in drafts]
    known = [i for i in range(len(drafts)) if float(scores.unknown[i]) < _MOSTLY_UNKNOWN and drafts[i].words]
    if heads is None or scores.traits is None or not known:
        return judged
    evidence = [find_evidence(drafts[i].words, drafts[i].languages, drafts[i].mentions, chain_words) for i in known]
    for i, found, one in zip(known, evidence, heads.judge(scores.traits[known], evidence), strict=True):
        badly_meant = i in doubtful or _sounds(scores, i) == "negative" or drafts[i].of_long
        if not one.urgency and ((found.certain_pattern and badly_meant) or len(drafts[i].words) <= _LISTS_SUFFICE):
            one = replace(one, urgency=found.kinds)
        judged[i] = _with_own(one, drafts[i], chain_words) if chain_words and chain_words.added else one
    return judged


def _by_lists(draft: _Draft, chain_words: ChainWords | None) -> Judged:
    urgency = find_urgency(draft.words, draft.languages, chain_words)
    said = {mention.topic for mention in draft.mentions}
    return Judged(tuple(topic for topic in TOPICS if topic in said), urgency.kinds, urgency.certain)


def _with_own(judged: Judged, draft: _Draft, chain_words: ChainWords) -> Judged:
    own = chain_words.own()
    mine = _by_lists(replace(draft, mentions=find_mentions(draft.words, draft.languages, own)), own)
    topics, kinds = {*judged.topics, *mine.topics}, {*judged.urgency, *mine.urgency}
    return Judged(
        tuple(topic for topic in TOPICS if topic in topics),
        tuple(kind for kind in URGENCIES if kind in kinds),
        judged.certain or mine.certain,
    )


def _find_doubtful(
    drafts: list[_Draft], scores: Scores, folder: Path, version: str, praise_belied: Sequence[bool]
) -> dict[int, str]:
    """Which texts may not be meant as they sound, and how they sound."""
    ironic, plain = (_told(scores, folder, kind, version) for kind in (IRONY, PLAIN))
    found = {}
    for i, draft in enumerate(drafts):
        sounds = _sounds(scores, i)
        if sounds == IRONY.sounds:
            doubted = ironic[i] or praise_belied[i] or bool(_IRONY.search(draft.text)) or _is_scornful(draft)
        else:
            doubted = sounds == PLAIN.sounds and plain[i] and not praise_belied[i]
        if doubted:
            found[i] = sounds
    return found


def _sounds(scores: Scores, i: int) -> str:
    """What the model takes a text for."""
    return LABELS[int(scores.probabilities[i].argmax())]


def _is_scornful(draft: _Draft) -> bool:
    """Whether a word stands there, not taken back, that no praise has: "Muito mau atendimento"."""
    return any(
        not is_negated(hit, hit.label, draft.words, language)
        for language in draft.languages
        for hit in _scorn_of(language).find(draft.words)
    )


@cache
def _scorn_of(language: str) -> Phrases:
    return Phrases((entry, "scorn") for entry in load(language).get("scorn", ()))


def _told(scores: Scores, folder: Path, kind: Kind, version: str) -> Sequence[bool]:
    """What the layer beside the model doubts; nothing where there is none."""
    doubt = None if scores.traits is None else served_doubt(folder, kind, version, scores.traits.shape[1])
    if doubt is None or scores.traits is None:
        return [False] * len(scores.probabilities)
    told: list[bool] = doubt.doubts(scores.traits).tolist()
    return told
