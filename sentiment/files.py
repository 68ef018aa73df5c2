"""The files that make a model of our own kind, and the sum that tells one such model from any other."""

import hashlib
from functools import cache
from pathlib import Path

# Where a release has its model.
SHIPPED = Path(__file__).parent / "model"
# All that has a part in what is read; a card or a list of sums beside them makes no other model.
FILES = ("config.json", "heads.npz", "irony.npz", "model.onnx", "tokenizer.json")
# Short: with what was learnt and what a service said behind it, it must fit a column of versions.
_MARK_DIGITS = 5


class ModelMissing(RuntimeError):
    """The model cannot be had: a permanent error that only an operator can mend."""


def is_own(folder: Path) -> bool:
    """Whether a folder holds a model of our own kind, and not one for `transformers`."""
    return (folder / "model.onnx").is_file()


def compute_sum(folder: Path) -> str:
    """Of the files that are there, as hexadecimal digits."""
    whole = hashlib.sha256()
    for name in FILES:
        if (folder / name).is_file():
            with (folder / name).open("rb") as content:
                whole.update(f"{name} {hashlib.file_digest(content, 'sha256').hexdigest()}\n".encode())
    return whole.hexdigest()


@cache
def sum_of(folder: Path) -> str:
    """A process goes on with the files that it found first, whatever is laid in their place. Raises ModelMissing."""
    try:
        return compute_sum(folder)
    except OSError as error:
        raise ModelMissing(f"the model in {folder} cannot be read: {error}") from error


# Where others lie now.
exchanged: set[Path] = set()


def check_unchanged(folder: Path) -> None:
    """To be asked when all of them are loaded: nothing reads under the sum of another. Raises ModelMissing."""
    if compute_sum(folder) != sum_of(folder):
        exchanged.add(folder)
        raise ModelMissing(f"the files in {folder} were exchanged after this process began: start it again")


def mark_of(found: str) -> str:
    """What stands behind the model's own version for a sum: other files read otherwise, under the same name too."""
    return f"+{found[:_MARK_DIGITS]}"
