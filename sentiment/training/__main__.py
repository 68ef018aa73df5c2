"""`python -m sentiment.training`: the same as `./run manage train_classifier`, without Django."""

import argparse
import logging
from collections.abc import Sequence
from pathlib import Path

from ..classifier import FOLDER


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--data", type=Path, required=True, help="folder with train.jsonl.gz and dev.jsonl.gz")
    parser.add_argument("--out", type=Path, default=FOLDER, help="where the served files go")
    parser.add_argument("--work", type=Path, default=Path("var/training"), help="where checkpoints go")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rows", type=int, help="take only so many training rows: to try the way, not to use")
    parser.add_argument("--serve-only", action="store_true", help="only write what --work holds")


def run(options: argparse.Namespace) -> None:
    """Train, and write the served files. Raises ImportError when the extra `train` is not installed."""
    import torch
    from threadpoolctl import threadpool_limits

    from .finetune import Recipe
    from .pipeline import train
    from .serve import write_served

    torch.set_num_threads(options.threads)
    recipe = Recipe()
    # Of numpy too: another number of threads adds in another order, and the heads differ.
    with threadpool_limits(options.threads):
        if not options.serve_only:
            train(options.data, options.work, recipe, options.rows)
        write_served(options.data, options.work, options.out, recipe, options.rows)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m sentiment.training", description=__doc__)
    add_arguments(parser)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    run(parser.parse_args(arguments))


if __name__ == "__main__":
    main()
