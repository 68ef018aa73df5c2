"""The files that make a model of our own kind, and the sum that tells one such model from any other."""

import hashlib
import re
from functools import cache
from pathlib import Path

from .lexicon import FOLDER as WORDS

# Where a release has its model.
SHIPPED = Path(__file__).parent / "model"
# All that has a part in what is read; a card or a list of sums beside them makes no other model.
FILES = ("config.json", "heads.npz", "irony.npz", "model.onnx", "plain.npz", "tokenizer.json")
# What they were when the release was made, beside them: `sha256sum` writes and checks the same.
SUMS = "SHA256SUMS"
# Short, as are the marks that follow: of what was learnt, and of what a service said.
_MARK_DIGITS = 5
# Of the name of an operator's own model the end, so that the mark behind it fits too. A commit's start tells it.
_NAME_LENGTH, _COMMIT, _COMMIT_DIGITS = 54, re.compile("[0-9a-f]{40}"), 12
# Which commit of a hub's model this process has loaded, by the name that it was loaded by.
loaded_commits: dict[str, str] = {}


class ModelMissing(RuntimeError):
    """The model cannot be had: a permanent error that only an operator can mend."""


def is_own(folder: Path) -> bool:
    """Whether a folder holds a model of our own kind, and not one for `transformers`."""
    try:
        return (folder / "model.onnx").is_file()
    except OSError:
        return False


def check_place(name: str) -> None:
    """Raises ModelMissing where an operator's own model is named by a path at which there is none; the name of a hub's
    is taken as it comes."""
    folder = Path(name)
    if not name.strip():
        raise ModelMissing("the name of the model is blank: name a folder or a hub model, or none")
    try:
        if not name.startswith(("/", "./", "../", "~")) and not folder.exists():
            return
        if not folder.is_dir():
            raise ModelMissing(f"there is no folder {name} on this machine")
        if not (folder / "config.json").is_file():
            raise ModelMissing(f"there is no model in {name}: it lacks config.json")
    except OSError as error:
        raise ModelMissing(f"the model in {name} cannot be read: {error}") from error


def split_revision(name: str) -> tuple[str, str | None]:
    """A hub name, and the commit, tag or branch that it is pinned to: `owner/name@revision`. A folder is never pinned,
    whatever it is called, nor what would be one if it were there."""
    hub, _, revision = name.rpartition("@")
    pinned = hub and revision and not name.startswith(("/", ".")) and not Path(name).exists() and not Path(hub).exists()
    return (hub, revision) if pinned else (name, None)


def version_of_name(name: str) -> str:
    """The version of an operator's own model, by its folder or hub name and what it is pinned to.

    Without a pin the commit that this process has loaded, if it has, is a mark behind the name, as far as there is
    room: who has loaded none, or another one, still takes it for the same model.
    """
    hub, revision = split_revision(name)
    if revision is None:
        plain, commit = name[-_NAME_LENGTH:], loaded_commits.get(name, "")[:_COMMIT_DIGITS]
        return f"{plain}+{commit}"[:_NAME_LENGTH].rstrip("+")
    return f"{hub}@{revision[:_COMMIT_DIGITS] if _COMMIT.fullmatch(revision) else revision}"[-_NAME_LENGTH:]


def compute_sum(folder: Path) -> str:
    """Of the files that are there, as hexadecimal digits."""
    whole = hashlib.sha256()
    for name, found in _sums_in(folder).items():
        whole.update(f"{name} {found}\n".encode())
    return whole.hexdigest()


def _sums_in(folder: Path) -> dict[str, str]:
    found = {}
    for name in FILES:
        if (folder / name).is_file():
            with (folder / name).open("rb") as content:
                found[name] = hashlib.file_digest(content, "sha256").hexdigest()
    return found


def read_sums(folder: Path) -> dict[str, str]:
    """The sums noted beside the files, by name; none where there is no list."""
    lines = (folder / SUMS).read_text(encoding="utf-8").splitlines() if (folder / SUMS).exists() else []
    # A star is `sha256sum`'s word for a file that was read as binary.
    noted = (line.split(maxsplit=1) for line in lines if line.strip())
    return {name.removeprefix("*"): found for found, name in noted}


@cache
def check_whole(folder: Path) -> None:
    """Once a process: that damage may still load, and read otherwise. Raises ModelMissing."""
    try:
        noted, found = read_sums(folder), _sums_in(folder)
    except (OSError, ValueError) as error:
        raise ModelMissing(f"the model in {folder} cannot be read: {error}") from error
    if wrong := [name for name in FILES if name in noted and noted[name] != found.get(name)]:
        raise ModelMissing(
            f"{', '.join(wrong)} in {folder}: damaged, or not what {SUMS} says. Lay all files of the release there "
            "again and start this process again"
        )


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
    """What stands behind the model's own version for a sum, empty for a model without one: other files, and other word
    lists of a release, read otherwise under the same name too."""
    return f"+{hashlib.sha256(f'{found} {_sum_of_words(WORDS)}'.encode()).hexdigest()[:_MARK_DIGITS]}"


@cache
def _sum_of_words(folder: Path) -> str:
    whole = hashlib.sha256()
    for path in sorted(folder.glob("*.toml")):
        whole.update(f"{path.name} {hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return whole.hexdigest()
