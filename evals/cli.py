"""Command line of the evaluation: `python -m evals [COMMAND]`; without a command it is `run`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from assistant.errors import AssistantError
from evals import commands as do
from evals.gate import FLOOR


def main(arguments: Sequence[str] | None = None) -> int:
    words = list(sys.argv[1:] if arguments is None else arguments)
    if not words or (words[0].startswith("-") and words[0] not in ("-h", "--help")):
        words.insert(0, "run")
    options = _parser().parse_args(words)
    try:
        return int(options.command(options))
    except AssistantError as error:
        print(f"Error: {error}", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m evals", description="Measure the assistant. Without a command: run.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def add(name: str, command: Callable[[argparse.Namespace], int], text: str) -> argparse.ArgumentParser:
        one = commands.add_parser(name, help=text, description=text)
        one.set_defaults(command=command)
        return one

    run = add("run", do.run, "ask the questions of a split and score the answers")
    _questions_options(run)
    run.add_argument("--failures", action="store_true", help="list what failed (development split only)")
    run.add_argument("--json", action="store_true", help="print one JSON object")
    run.add_argument("--cold", type=int, default=0, metavar="N", help="time N cold starts as well")
    suite = add("suite", do.suite, "everything of one split: product, ablations, baselines, verifier, speed, one report")
    _questions_options(suite)

    lint = add("lint", do.lint, "check that gold lines exist and hold the key facts")
    lint.add_argument("--index", type=Path, help="folder of the index")
    verifier = add("verifier", do.verifier, "let false statements at the verifier: false accepts and false rejects")
    verifier.add_argument("--index", type=Path, help="folder of the index")
    verifier.add_argument("--json", action="store_true", help="print one JSON object")
    verifier.add_argument("--accepted", action="store_true", help="list the false statements that were shown")
    ablate = add("ablate", do.ablate, "the product, with parts taken out, and what a tutorial builds, on the same questions")
    _questions_options(ablate)
    ablate.add_argument("--embeddings", action="append", default=[], metavar="MODEL", help="another embedding model too")

    comparison = add("compare", do.compare, "what changed between two runs, question by question, and whether it is sure")
    comparison.add_argument("first", type=Path)
    comparison.add_argument("second", type=Path)

    results = add("table", do.table, "the README's table; without runs, it measures the product and the baselines")
    _questions_options(results)
    results.set_defaults(split="test")
    results.add_argument("runs", nargs="*", type=Path)
    results.add_argument("--write", type=Path, metavar="PAGE", help="replace the block between the result marks of a page")

    public = add("public", do.public, "ask the questions of public sets in SQuAD's format (XQuAD, CMRC 2018, DRCD, SQuAD 2.0)")
    public.add_argument("files", nargs="+", type=Path, help="files with the same ids are asked across languages too")
    public.add_argument("--limit", type=int, help="questions of each file, drawn by chance")
    public.add_argument("--seed", type=int, default=7)
    public.add_argument("--json", action="store_true", help="print one JSON object a line")

    report = add("report", do.report, "one HTML page on one or several runs; the first is looked at closely")
    report.add_argument("runs", nargs="+", type=Path, help="folders of runs, or folders of such folders")
    report.add_argument("--out", type=Path, default=Path("report.html"))

    judge = add("judge", do.judge, "faithfulness as the configured language model judges it (ASSISTANT_LLM)")
    judge.add_argument("--split", default="dev")
    judge.add_argument("--index", type=Path, help="folder of the index")
    judge.add_argument("--limit", type=int, default=40, help="questions, drawn by chance")

    gate = add("gate", do.gate, "fail when a figure of the development split falls below evals/floor.toml")
    gate.add_argument("--index", type=Path, help="folder of the index")
    gate.add_argument("--split", default="dev")
    gate.add_argument("--floor", type=Path, default=FLOOR)
    return parser


def _questions_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--split", default="dev", help="dev, test (looked at only to report), or one file: dev2, checkout-dev")
    parser.add_argument("--index", type=Path, help="folder of the index")
    parser.add_argument("--out", type=Path, help="folder to write (default: a new one under runs/)")
