"""What people taught us: the feed from which weights are learnt, and rows to evaluate models with."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sentiment.holding import Judgement, PeopleSay, held_by, model_said
from sentiment.models import Analysis


@dataclass(frozen=True)
class CorrectedRow:
    """Words that a person has judged, without names and numbers.

    `said` is what people said, and nothing else; `held` is that together with what the model said of the rest, which
    the person saw and let stand. `model` is the model's word. `embedding` is empty where there is none.
    """

    text: str
    language: str
    said: PeopleSay
    held: Judgement
    model: Judgement
    model_version: str
    embedding: bytes

    def as_json(self) -> dict[str, Any]:
        """A row of an evaluation set: `label` only where a person judged the sentiment."""
        row: dict[str, Any] = {"text": self.text, "language": self.language, "source": "corrections"}
        if sentiment := self.said.get("sentiment"):
            row["label"] = sentiment
        return row | {
            "topics": [hit["topic"] for hit in self.held["topics"]],
            "urgency": self.held["urgency"],
            "said": {name: value for name, value in self.said.items() if value},
            "model": {
                "version": self.model_version,
                "sentiment": self.model["sentiment"],
                "topics": [hit["topic"] for hit in self.model["topics"]],
                "urgency": self.model["urgency"],
            },
        }


def corrected_rows() -> Iterator[CorrectedRow]:
    """Every reading that people judged, in the order of the words' arrival; erased words teach nothing."""
    rows = Analysis.objects.filter(corrected=True, analysed_at__isnull=False).exclude(redacted="").order_by("pk")
    for one in rows.iterator(chunk_size=500):
        yield CorrectedRow(
            text=one.redacted,
            language=one.language,
            said=one.people_say,
            held=held_by(one),
            model=model_said(one),
            model_version=one.model_version,
            embedding=bytes(one.embedding),
        )
