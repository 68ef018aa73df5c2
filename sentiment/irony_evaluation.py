"""How well irony is told from praise: figures on comments that had no part in teaching it."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from .measuring import FOLDER as SETS
from .measuring import Share, rows_of

if TYPE_CHECKING:
    from .engine import Reading

FOLDER = SETS / "irony"


@dataclass(frozen=True)
class Remark:
    """A comment that sounds like praise; `ironic`: it is meant as a complaint."""

    text: str
    language: str
    ironic: bool


@dataclass
class Figures:
    """Of ironic comments those that are not taken for praise; of sincere ones those that are."""

    ironic_doubted: Share = field(default_factory=Share)
    sincere_kept: Share = field(default_factory=Share)

    def count(self, remark: Remark, reading: "Reading") -> None:
        praise = reading.sentiment == "positive"
        if remark.ironic:
            self.ironic_doubted.count(not praise)
        else:
            self.sincere_kept.count(praise)


def read_sets(folder: Path = FOLDER) -> list[Remark]:
    """Every comment of a folder of sets, one `<language>.jsonl` each."""
    meant = {"complaint": True, "praise": False}
    return [Remark(row["text"], language, meant[row["meant"]]) for row, language in rows_of(folder)]
