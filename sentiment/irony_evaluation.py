"""How well irony is told from praise: figures on comments that had no part in teaching it."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from .irony import Remark
from .topic_evaluation import FOLDER as SETS
from .topic_evaluation import Reader, Share

if TYPE_CHECKING:
    from .engine import Reading

FOLDER = SETS / "irony"


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
    rows = [
        (json.loads(line), path.stem)
        for path in sorted(folder.glob("*.jsonl"))
        for line in path.read_text(encoding="utf-8").splitlines()
    ]
    return [Remark(row["text"], language, {"complaint": True, "praise": False}[row["meant"]]) for row, language in rows]


def judge(remarks: Sequence[Remark], read: Reader) -> dict[str, Figures]:
    """The figures of each language in alphabetical order, and of all together under "all"."""
    figures = {"all": Figures()}
    for language in sorted({remark.language for remark in remarks}):
        own = [remark for remark in remarks if remark.language == language]
        figures[language] = Figures()
        for remark, reading in zip(own, read([remark.text for remark in own], language), strict=True):
            figures[language].count(remark, reading)
            figures["all"].count(remark, reading)
    return figures
