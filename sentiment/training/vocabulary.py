"""Prune the 250,000 pieces of the base to those our languages use, and write the tokenizer that matches."""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping
from itertools import islice
from pathlib import Path

from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

from .wheel import Base

# How many of its commonest words each language gets: those of the product most, then every visitor's, and of these
# more where the script is no other's. A piece costs about a kilobyte of a worker's memory, most of it in the tokenizer.
PRODUCT = ("ar", "cs", "da", "de", "en", "es", "fr", "it", "nl", "pl", "pt", "ru", "sv", "uk")
_NEIGHBOURS = (
    *("bg", "ca", "fi", "fil", "hu", "id", "is", "lt", "lv", "mk", "ms", "nb", "ro", "sh", "sk", "sl", "tr", "vi"),
)
_OTHER_SCRIPTS = ("el", "fa", "he", "hi", "ja", "ko", "zh")
VISITORS = (*_NEIGHBOURS, *_OTHER_SCRIPTS)
WORDS = dict.fromkeys(PRODUCT, 8_000) | dict.fromkeys(_NEIGHBOURS, 600) | dict.fromkeys(_OTHER_SCRIPTS, 1_500)

# Latin, Greek, Cyrillic, Hebrew, Arabic, Devanagari, punctuation, currency and letterlike signs, kana; and the pictures
# people put into comments.
_OURS = re.compile(
    r"^[▁\u0000-\u024f\u0370-\u03ff\u0400-\u04ff\u05d0-\u05ea\u0600-\u06ff\u0900-\u097f\u1ea0-\u1ef9"
    r"\u2000-\u206f\u20a0-\u20bf\u2100-\u214f\u3040-\u30ff]+$"
)
_BATCH, _USED = 2000, 2
_PICTURE = re.compile("[\u2600-\u27bf\U0001f300-\U0001faff]")


def build_tokenizer(base: Base, kept: list[int]) -> Tokenizer:
    """A Unigram tokenizer over the kept pieces, normalising as the base does: its character map, spaces collapsed."""
    deleted, spaced = [], []
    for point, output in base.characters.items():
        character, target = chr(point), "".join(map(chr, output))
        if unicodedata.normalize("NFKC", character) == target:
            continue
        if target == "":
            deleted.append(character)
        elif target == " ":
            spaced.append(character)
    steps: list[normalizers.Normalizer] = [normalizers.NFKC()]
    for characters, replacement in ((deleted, ""), (spaced, " ")):
        if characters:
            inside = "".join(f"\\x{{{ord(c):X}}}" for c in characters)
            steps.append(normalizers.Replace(Regex(f"[{inside}]"), replacement))
    steps.append(normalizers.Replace(Regex(" {2,}"), " "))

    position = {old: new for new, old in enumerate(kept)}
    vocabulary = [(base.pieces[i], float(base.scores[i])) for i in kept]
    tokenizer = Tokenizer(models.Unigram(vocabulary, unk_id=position[base.unknown], byte_fallback=False))
    tokenizer.normalizer = normalizers.Sequence(steps)
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always", split=False)
    tokenizer.decoder = decoders.Metaspace(replacement="▁", prepend_scheme="always")
    begin, end = base.pieces[base.begin], base.pieces[base.end]
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{begin} $A {end}",
        pair=f"{begin} $A {end} {end} $B {end}",
        special_tokens=[(begin, position[base.begin]), (end, position[base.end])],
    )
    return tokenizer


def choose_pieces(base: Base, texts: Iterable[str], words: Iterable[str]) -> list[int]:
    """Ids of the pieces to keep: special ones, signs of the scripts we read, what texts use twice, and common words.

    A language without training comments would be cut into crumbs but for the common words (as written and capitalised);
    the frozen embeddings know its pieces already.
    """
    everything = build_tokenizer(base, list(range(len(base.pieces))))
    kept = {base.begin, base.pad, base.end, base.unknown}
    for i, piece in enumerate(base.pieces):
        bare = piece.replace("▁", "")
        if (len(bare) <= 1 and _OURS.match(piece)) or (len(bare) <= 2 and _PICTURE.match(bare)):
            kept.add(i)
    used = _count_pieces(everything, texts)
    kept.update(i for i, count in used.items() if count >= _USED)
    kept.update(_count_pieces(everything, (form for word in words for form in (word, word.capitalize()))))
    return sorted(kept)


def _count_pieces(tokenizer: Tokenizer, texts: Iterable[str]) -> Counter[int]:
    used: Counter[int] = Counter()
    source = iter(texts)
    while batch := list(islice(source, _BATCH)):
        for encoding in tokenizer.encode_batch(batch, add_special_tokens=False):
            used.update(encoding.ids)
    return used


def common_words(counts: Mapping[str, int]) -> list[str]:
    """So many of the commonest words of each language, from the lists of `wordfreq`."""
    from wordfreq import top_n_list

    return [word for language, count in counts.items() for word in top_n_list(language, count)]


def save_tokenizer(base: Base, tokenizer: Tokenizer, folder: Path) -> None:
    """Write the files that `transformers` loads."""
    from transformers import PreTrainedTokenizerFast

    named = {
        "bos_token": base.pieces[base.begin],
        "eos_token": base.pieces[base.end],
        "cls_token": base.pieces[base.begin],
        "sep_token": base.pieces[base.end],
        "pad_token": base.pieces[base.pad],
        "unk_token": base.pieces[base.unknown],
    }
    PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]  # untyped in transformers
        tokenizer_object=tokenizer,
        model_max_length=512,
        model_input_names=["input_ids", "attention_mask"],
        **named,
    ).save_pretrained(folder)
