"""Comments written to measure by, in a file for each language, and the figures of what the engine makes of them."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

if TYPE_CHECKING:
    from .engine import Reading

FOLDER = Path(__file__).parent / "evaluation_sets"
Reader = Callable[[Sequence[str], str], "list[Reading]"]


class Written(Protocol):
    """A comment with what people say it means."""

    @property
    def text(self) -> str: ...
    @property
    def language(self) -> str: ...


class Counting(Protocol):
    """Figures that grow by one comment and what was read in it."""

    def count(self, comment: Any, reading: "Reading", /) -> None: ...


Figures = TypeVar("Figures", bound=Counting)


@dataclass
class Share:
    """`of` how many `hits` were right. None where there was nothing to judge."""

    hits: int = 0
    of: int = 0

    def count(self, hit: bool) -> None:
        self.hits += hit
        self.of += 1

    @property
    def value(self) -> float | None:
        return self.hits / self.of if self.of else None

    def __str__(self) -> str:
        return f"{self.value:.3f} ({self.hits}/{self.of})" if self.value is not None else "–"


def rows_of(folder: Path) -> Iterator[tuple[dict[str, Any], str]]:
    """Every line of a folder of sets, one `<language>.jsonl` each, with its language."""
    for path in sorted(folder.glob("*.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines():
            yield json.loads(line), path.stem


def judge(comments: Sequence[Written], read: Reader, figures: type[Figures]) -> dict[str, Figures]:
    """The figures of each language in alphabetical order, and of all together under "all"."""
    found = {"all": figures()}
    for language in sorted({comment.language for comment in comments}):
        own = [comment for comment in comments if comment.language == language]
        found[language] = figures()
        for comment, reading in zip(own, read([comment.text for comment in own], language), strict=True):
            found[language].count(comment, reading)
            found["all"].count(comment, reading)
    return found
