"""What a comment means: the one call that the rest of the project makes."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import islice, pairwise
from pathlib import Path
from typing import Literal, cast

import numpy as np
import numpy.typing as npt

from .classifier import FOLDER, LABELS, ONE, Classifier, Floats, Scores, get_classifier
from .doubts import IRONY, PLAIN, Kind, served_doubt
from .entries import ChainWords
from .heads import Heads, Judged, find_evidence, served_heads
from .holding import LANGUAGE_TOLD
from .languages import find_language
from .lexicon import Phrases, Word, base_of, load, split_words
from .redaction import redact
from .topics import TOPICS, Mention, find_mentions
from .typed_latin import in_own_letters
from .urgency import URGENCIES, find_urgency, is_negated

Sentiment = Literal["negative", "neutral", "positive"]

# Characters that are read, as many as a shopper's words can be with all that was added below them: a hostile file of
# 100 kB costs no more than these. What is redacted is the whole.
_MOST_READ = 12_000
# "Ok", "Super!": too little to judge by, and never an alert. What is joined by a hyphen, an apostrophe, an accent or a
# sign that nobody sees is one word, though each part of it is looked up.
_FEW_WORDS = 3
_JOINED = re.compile("[-‐‑'’_\u00ad\u0300-\u036f\u064b-\u065f\u0670\u200b-\u200f\u2060\ufeff]*")
_MOSTLY_UNKNOWN = 0.4
# "Gas leak!": the embedding says little of so few words, and the weights were learnt from sentences. What a list finds
# there asks a person to look; that was so in 3 of 782 real comments as short, none of which were urgent.
_LISTS_SUFFICE = 5
# So many characters fit into what the model reads at once, in any language of ours; a longer text is read in parts.
_READ_AT_ONCE = 450
# What is urgent, and much of what a text is about, drowns in a sentence of something else. Where a list or the heads
# have an inkling of it, it is looked for in passages of so many characters (training/README.md has what that gained).
# Of a long text they are longer, until they are its parts: no page of letters may cost as much as a hundred comments.
_PASSAGE, _MOST_PASSAGES = 150, 27
# The inkling: so little below the threshold are five in six of the urgent comments that a real comment beside them
# drowns, and one in twelve real comments as long.
_NEARLY = 7.0
# So far below it prices are "daylight robbery": a list's certain word of fraud asks nobody to look, for people joke of
# theft, but hardly of a fire.
_ABSURD = 10.0
# So far above it a passage may open a case by itself: of a reader's 26 harmless long comments five would have done so
# without that, and two do.
_SURELY = 2.0
_IRONY = re.compile("[\U0001f644\U0001f643\U0001f921]|(?<![\\w/])/[sс](?!\\w)")
# Irony is marked behind the full stop, too, in some signs.
_MARK = 4
_SENTENCE_END = re.compile(f"(?:[!?…\n。！？؟]|\\.(?=\\s|$))+\\s*(?:(?:{_IRONY.pattern})\\s*)*")
# Written without spaces; two signs make about a word.
_UNSPACED = re.compile("[\u3040-\u30ff\u3400-\u9fff]")
# From this probability on praise is sure: what the lists find in it asks nobody to look.
_SURE_PRAISE = 0.8
_NOTHING = Judged((), (), False)
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
    `lines`, in one line in `text`. Of a whole text `words` are those in the letters it was typed in, too, and `own` is
    what the chain's own words say, wherever it is cut later."""

    lines: str
    text: str
    words: list[Word]
    length: int  # in words
    language: str
    language_confidence: float
    languages: tuple[str, ...]
    mentions: list[Mention]
    own: Judged
    is_long: bool  # it, or what it is a part of, is more than the model reads at once


@dataclass(frozen=True)
class _Seen:
    """What the model and the lists say of a text or a part of one. `doubted`: how it sounds, if that is doubtful."""

    probabilities: Floats
    unknown: float
    embedding: npt.NDArray[np.int8] | None
    topics: Floats | None
    doubted: str | None
    judged: Judged


@dataclass(frozen=True)
class _Reader:
    """All that reads one batch."""

    classifier: Classifier
    folder: Path
    heads: Heads | None  # what the chain has learnt; None: those that the model is served with
    chain_words: ChainWords | None

    def cut(self, draft: _Draft, most: int) -> list[_Draft]:
        """The draft of a text, or of one that is longer than `most` characters those of its parts."""
        if len(draft.text) <= most:
            return [draft]
        parts = []
        for part in _cut_text(draft.lines, most):
            if part.strip():
                words = split_words(part)
                mentions = find_mentions(words, draft.languages, self.chain_words)
                text, length = _in_one_line(part), _count_words(part, words)
                parts.append(replace(draft, lines=part, text=text, words=words, length=length, mentions=mentions))
        return parts

    def find_passages(self, draft: _Draft, parts: Sequence[_Seen]) -> list[_Draft]:
        """What of a long text, seen in `parts`, deserves a closer look: all of it where something urgent may hide in
        it, or else what speaks of a topic that a list has and the model did not see."""
        most = max(_PASSAGE, len(draft.text) // _MOST_PASSAGES)
        if not most < min(len(draft.text), _READ_AT_ONCE) or all(one.unknown >= _MOSTLY_UNKNOWN for one in parts):
            return []
        told = set(draft.own.topics).union(*(part.judged.topics for part in parts))
        unseen = {mention.topic for mention in draft.mentions} - told
        nearly_urgent = any(0 < part.judged.short_of_urgent <= _NEARLY for part in parts)
        if not unseen and not nearly_urgent:
            return []
        passages = self.cut(draft, most)
        return [one for one in passages if nearly_urgent or any(mention.topic in unseen for mention in one.mentions)]

    def look(self, texts: Sequence[Sequence[_Draft]], praise_belied: Sequence[bool]) -> list[list[_Seen]]:
        """What is seen in the parts of each text."""
        drafts = [draft for parts in texts for draft in parts]
        if not drafts:
            return [[] for _ in texts]
        scores = self.classifier.score([draft.text for draft in drafts])
        belied = [one for one, parts in zip(praise_belied, texts, strict=True) for _ in parts]
        doubted = self._find_doubtful(drafts, scores, belied)
        judged = self._judge(drafts, scores, doubted)
        seen = (
            _Seen(
                scores.probabilities[i],
                float(scores.unknown[i]),
                None if scores.embeddings is None else scores.embeddings[i],
                None if scores.topics is None else scores.topics[i],
                doubted.get(i),
                judged[i],
            )
            for i in range(len(drafts))
        )
        return [list(islice(seen, len(parts))) for parts in texts]

    def _judge(self, drafts: list[_Draft], scores: Scores, doubted: Mapping[int, str]) -> list[Judged]:
        """Topics and urgency: by the heads; by the lists alone where there are none, or the words are strange."""
        by_heads = self._judge_by_heads(drafts, scores, doubted)
        return [by_heads.get(i) or _by_lists(draft, self.chain_words) for i, draft in enumerate(drafts)]

    def _judge_by_heads(self, drafts: list[_Draft], scores: Scores, doubted: Mapping[int, str]) -> dict[int, Judged]:
        """Where the heads find no urgency, a person is asked to look by the lists: at a few words, or at what these are
        certain of where the text is no sure praise, or long, and no theft that the heads find absurd."""
        known = [i for i in range(len(drafts)) if float(scores.unknown[i]) < _MOSTLY_UNKNOWN and drafts[i].words]
        heads = self.heads or served_heads(self.folder, self.classifier.version) if scores.traits is not None else None
        if heads is None or scores.traits is None or not known:
            return {}
        chain, judged = self.chain_words, {}
        evidence = [find_evidence(drafts[i].words, drafts[i].languages, drafts[i].mentions, chain) for i in known]
        for i, found, one in zip(known, evidence, heads.judge(scores.traits[known], evidence), strict=True):
            if not one.urgency and found.kinds:
                praise = i not in doubted and scores.probabilities[i][LABELS.index("positive")] >= _SURE_PRAISE
                badly_meant = drafts[i].is_long or not praise
                absurd = found.kinds == ("fraud",) and one.short_of_urgent > _ABSURD
                certain = found.certain_pattern and badly_meant and not absurd
                kinds = found.kinds if certain or drafts[i].length <= _LISTS_SUFFICE else ()
                # A list's word is an inkling, too.
                one = replace(one, urgency=kinds, short_of_urgent=min(one.short_of_urgent, _NEARLY))
            judged[i] = one
        return judged

    def _find_doubtful(self, drafts: list[_Draft], scores: Scores, praise_belied: Sequence[bool]) -> dict[int, str]:
        """Which texts may not be meant as they sound, and how they sound."""
        ironic, plain = (self._told(scores, kind) for kind in (IRONY, PLAIN))
        found = {}
        for i, draft in enumerate(drafts):
            sounds = _sounds(scores, i)
            if sounds == IRONY.sounds:
                doubted = ironic[i] or praise_belied[i] or bool(_IRONY.search(draft.text)) or _says(draft, "scorn")
            else:
                doubted = sounds == PLAIN.sounds and not praise_belied[i] and (plain[i] or _says(draft, "delight"))
            if doubted:
                found[i] = sounds
        return found

    def _told(self, scores: Scores, kind: Kind) -> Sequence[bool]:
        """What the layer beside the model doubts; nothing where there is none."""
        if scores.traits is None:
            return [False] * len(scores.probabilities)
        doubt = served_doubt(self.folder, kind, self.classifier.version, scores.traits.shape[1])
        told: list[bool] = doubt.doubts(scores.traits).tolist() if doubt else [False] * len(scores.probabilities)
        return told


def _sounds(scores: Scores, i: int) -> str:
    """What the model takes a text for."""
    return LABELS[int(scores.probabilities[i].argmax())]


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
    if heads is not None and heads.model_version != classifier.version:
        heads = None
    reader = _Reader(classifier, FOLDER if model is None else Path(model), heads, chain_words)
    belied = praise_belied if praise_belied is not None else [False] * len(texts)
    seen = reader.look([reader.cut(draft, _READ_AT_ONCE) for draft in whole], belied)
    passages = reader.look([reader.find_passages(*one) for one in zip(whole, seen, strict=True)], belied)
    version = classifier.version + classifier.mark + (heads.mark if heads else "")

    readings = []
    for text, draft, parts, near, staff, praised_wrongly in zip(
        texts, whole, seen, passages, names, belied, strict=True
    ):
        long_enough = _is_long_enough(draft)
        readable = long_enough and sum(part.unknown for part in parts) < _MOSTLY_UNKNOWN * len(parts)
        row = _mean_of([part.probabilities for part in parts])
        sentiment = max(row, key=row.__getitem__)
        found = {kind for judged in (draft.own, *(part.judged for part in [*parts, *near])) for kind in judged.urgency}
        torn = not praised_wrongly and _is_torn(parts, classifier.alert_threshold)
        # Nobody is just happy whose child was hurt, however much praise stands around it.
        contradicted = bool(found) and sentiment == IRONY.sounds
        doubted = torn or contradicted or any(part.doubted == sentiment for part in parts)
        confident = readable and not doubted
        if not confident:
            row, sentiment = dict(_UNSURE), "neutral"
        topics = _judge_topics(parts, sentiment, draft.own.topics) | _judge_topics(near, sentiment)
        if not readable or _IRONY.search(draft.text):
            topics = dict.fromkeys(topics, sentiment)
        # Some passage of a story sounds urgent too easily to open a case by itself; of a page of complaints always.
        decisive = (
            parts if draft.is_long else [*parts, *(one for one in near if one.judged.short_of_urgent <= -_SURELY)]
        )
        readings.append(
            Reading(
                language=draft.language,
                language_confidence=round(draft.language_confidence, 3),
                sentiment=cast(Sentiment, sentiment),
                probabilities={label: round(value, 4) for label, value in row.items()},
                confident=confident,
                alarming=confident and sentiment == "negative" and row["negative"] >= classifier.alert_threshold,
                proven=draft.language in classifier.proven and draft.language_confidence > LANGUAGE_TOLD,
                topics=[TopicHit(topic, topics[topic]) for topic in TOPICS if topic in topics],
                urgency=[kind for kind in URGENCIES if kind in found],
                urgency_certain=long_enough and (draft.own.certain or any(part.judged.certain for part in decisive)),
                redacted=redact(text, languages=draft.languages, staff_names=staff),
                model_version=version,
                embedding=_join_embeddings(parts),
            )
        )
    return readings


def _mean_of(rows: Sequence[Floats]) -> dict[str, float]:
    return dict(zip(LABELS, np.mean(rows, axis=0).tolist(), strict=True))


def _is_torn(parts: Sequence[_Seen], threshold: float) -> bool:
    """Whether one part of a long text would alarm by itself and another is as surely praise."""
    negative, _neutral, positive = np.max([part.probabilities for part in parts], axis=0)
    return bool(min(negative, positive) >= threshold)


def _judge_topics(parts: Sequence[_Seen], sentiment: str, own: Sequence[str] = ()) -> dict[str, str]:
    """How each topic, and those that the chain's `own` words tell, is judged by the part that speaks of it most
    plainly; as the whole part is where the model does not tell them apart. Praise of a topic is as doubtful as that of
    its part, a complaint among it is not; and vice versa."""
    topics: dict[str, str] = {}
    plainest: dict[str, float] = {}
    for part in parts:
        for topic in {*part.judged.topics, *own}:
            said = part.probabilities if part.topics is None else part.topics[TOPICS.index(topic)]
            if topic not in topics or float(said.max()) > plainest[topic]:
                label = LABELS[int(said.argmax())]
                topics[topic], plainest[topic] = sentiment if part.doubted == label else label, float(said.max())
    return topics


def _join_embeddings(parts: Sequence[_Seen]) -> bytes:
    """That of a text in several parts points between theirs; empty where all are strange."""
    vectors = [part.embedding for part in parts if part.embedding is not None and part.unknown < _MOSTLY_UNKNOWN]
    if len(vectors) > 1:
        sums = np.sum(vectors, axis=0, dtype=np.float32)
        vectors = [np.rint(sums / max(float(np.linalg.norm(sums)), 1.0) * ONE).astype(np.int8)]
    return vectors[0].tobytes() if vectors else b""


def _draft(typed: str, page: str | None, chain: Sequence[str], chain_words: ChainWords | None) -> _Draft:
    typed, page = typed[:_MOST_READ], base_of(page) if page else None
    language, confidence = find_language(_in_one_line(typed), page, chain)
    lines = in_own_letters(typed, language, page)
    words = split_words(lines)
    length = _count_words(lines, words)
    if lines != typed:
        words = split_words(f"{typed}\n{lines}")
    # People mix the page's language into theirs.
    languages = tuple(dict.fromkeys([language, page or language]))
    draft = _Draft(
        lines, _in_one_line(lines), words, length, language, confidence, languages,
        mentions=find_mentions(words, languages, chain_words),
        own=_NOTHING,
        is_long=len(lines) > _READ_AT_ONCE,
    )  # fmt: skip
    if chain_words and chain_words.added:
        own = chain_words.own()
        # A longer entry, ours or theirs, keeps a shorter one from matching.
        known = set(draft.mentions)
        told = [mention for mention in find_mentions(words, languages, own) if mention in known]
        draft.own = _by_lists(replace(draft, mentions=told), own)
    return draft


def _count_words(text: str, words: Sequence[Word]) -> int:
    return len(words) - sum(bool(_JOINED.fullmatch(text, a.end, b.start)) for a, b in pairwise(words))


def _is_long_enough(draft: _Draft) -> bool:
    return draft.length + len(_UNSPACED.findall(draft.text)) // 2 >= _FEW_WORDS


def _cut_text(text: str, most: int) -> Iterator[str]:
    """Into parts of at most so many characters, about as long as each other, that end with a sentence where one ends
    near, or else with a word."""
    while len(text) > most:
        near = len(text) // -(-len(text) // most)
        found = _SENTENCE_END.finditer(text, near // 2, most + _MARK)
        ends = [match.end() for match in found if match.start() < most]
        end = min(ends, key=lambda end: abs(end - near)) if ends else text.rfind(" ", near // 2, near) + 1 or near
        yield text[:end]
        text = text[end:]
    if text:
        yield text


def _in_one_line(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()


def _by_lists(draft: _Draft, chain_words: ChainWords | None) -> Judged:
    urgency = find_urgency(draft.words, draft.languages, chain_words)
    said = {mention.topic for mention in draft.mentions}
    return Judged(tuple(topic for topic in TOPICS if topic in said), urgency.kinds, urgency.certain)


def _says(draft: _Draft, what: str) -> bool:
    """Whether words stand there, not taken back, that no praise has (`scorn`: "Muito mau atendimento") or no complaint
    (`delight`: "Buns to die for")."""
    return any(
        not is_negated(hit, hit.label, draft.words, language)
        for language in draft.languages
        for hit in _phrases_of(language, what).find(draft.words)
    )


@cache
def _phrases_of(language: str, what: str) -> Phrases:
    return Phrases((entry, what) for entry in load(language).get(what, ()))
