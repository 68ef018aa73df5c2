"""Prune the 250,000 pieces of the base to those our languages use, and write the tokenizer that matches."""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

from .wheel import Base

# Latin, Cyrillic, punctuation, currency and letterlike signs; and the pictures people put into comments.
_OURS = re.compile(r"^[▁\u0000-\u024f\u0400-\u04ff\u2000-\u206f\u20a0-\u20bf\u2100-\u214f]+$")
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


def choose_pieces(base: Base, texts: Iterable[str], size: int) -> list[int]:
    """Ids of the pieces to keep: special ones, single signs of our scripts, those the texts use, then the likeliest."""
    everything = build_tokenizer(base, list(range(len(base.pieces))))
    used: Counter[int] = Counter()
    batch: list[str] = []
    for text in texts:
        batch.append(text)
        if len(batch) == 2000:
            for encoding in everything.encode_batch(batch, add_special_tokens=False):
                used.update(encoding.ids)
            batch.clear()
    for encoding in everything.encode_batch(batch, add_special_tokens=False):
        used.update(encoding.ids)

    kept = {base.begin, base.pad, base.end, base.unknown}
    for i, piece in enumerate(base.pieces):
        bare = piece.replace("▁", "")
        if (len(bare) <= 1 and (_OURS.match(piece) or used[i])) or (len(bare) <= 2 and _PICTURE.match(bare)):
            kept.add(i)
    for i, _ in used.most_common():
        if len(kept) >= size:
            break
        kept.add(i)
    for i in np.argsort(-base.scores, kind="stable"):
        if len(kept) >= size:
            break
        if _OURS.match(base.pieces[i]):
            kept.add(int(i))
    return sorted(kept)


def extend_pieces(base: Base, kept: list[int], words: Iterable[str]) -> list[int]:
    """The kept pieces and those that common words are made of, as written and capitalised.

    A language without training comments would else be cut into crumbs; the frozen embeddings know its pieces already.
    """
    everything = build_tokenizer(base, list(range(len(base.pieces))))
    forms = [form for word in words for form in (word, word.capitalize())]
    encodings = everything.encode_batch(forms, add_special_tokens=False)
    return sorted({*kept, *(i for encoding in encodings for i in encoding.ids)})


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
