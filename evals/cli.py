"""Command line of the evaluation: `python -m evals [COMMAND]`; without a command it is `run`."""

from __future__ import annotations

import argparse
import dataclasses
import datetime
import itertools
import json
import sys
import tempfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from tqdm import tqdm

from assistant.assistant import Assistant
from assistant.errors import AssistantError
from assistant.evidence import Reader
from assistant.settings import Settings
from evals.ablate import ablations, baselines, installed_models, other_models
from evals.about import about, cold_start, timings
from evals.compare import as_text as comparison_text
from evals.compare import compare
from evals.console import failures, table_of_groups
from evals.evaluate import evaluate
from evals.gate import FLOOR, below, read_floor
from evals.lint import lint as problems_of
from evals.questions import SPLITS, Question, read_questions
from evals.runs import Run, read_run, write_run
from evals.squad import as_text as public_text
from evals.squad import ask_all, directions, open_on, read_set
from evals.systems import Product, System
from evals.table import table
from evals.table import write as write_table
from evals.verifier import as_text, cases, check, product
from ingest.pipeline import ingest

RUNS = Path("runs")


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

    run = add("run", _run, "ask the questions of a split and score the answers")
    _questions_options(run)
    run.add_argument("--failures", action="store_true", help="list what failed (development split only)")
    run.add_argument("--json", action="store_true", help="print one JSON object")
    run.add_argument("--cold", type=int, default=0, metavar="N", help="time N cold starts as well")
    lint = add("lint", _lint, "check that gold lines exist and hold the key facts")
    lint.add_argument("--index", type=Path, help="folder of the index")
    verifier = add("verifier", _verifier, "let false statements at the verifier: false accepts and false rejects")
    verifier.add_argument("--index", type=Path, help="folder of the index")
    verifier.add_argument("--json", action="store_true", help="print one JSON object")
    verifier.add_argument("--accepted", action="store_true", help="list the false statements that were shown")
    ablate = add("ablate", _ablate, "the product, with parts taken out, and what a tutorial builds, on the same questions")
    _questions_options(ablate)
    ablate.add_argument("--embeddings", action="append", default=[], metavar="MODEL", help="another embedding model too")
    ablate.add_argument("--baselines", action="store_true", help="only the product and the baselines")

    comparison = add("compare", _compare, "what changed between two runs, question by question, and whether it is sure")
    comparison.add_argument("first", type=Path)
    comparison.add_argument("second", type=Path)

    results = add("table", _table, "the README's table; without runs, it measures the product and the baselines")
    _questions_options(results)
    results.set_defaults(split="test")
    results.add_argument("runs", nargs="*", type=Path)
    results.add_argument("--write", type=Path, metavar="PAGE", help="replace the block between the result marks of a page")

    public = add("public", _public, "ask the questions of public sets in SQuAD's format (XQuAD, CMRC 2018, DRCD, SQuAD 2.0)")
    public.add_argument("files", nargs="+", type=Path, help="files with the same ids are asked across languages too")
    public.add_argument("--limit", type=int, help="questions of each file, drawn by chance")
    public.add_argument("--seed", type=int, default=7)
    public.add_argument("--json", action="store_true", help="print one JSON object a line")

    gate = add("gate", _gate, "fail when a figure of the development split falls below evals/floor.toml")
    gate.add_argument("--index", type=Path, help="folder of the index")
    gate.add_argument("--floor", type=Path, default=FLOOR)
    return parser


def _questions_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--split", choices=SPLITS, default="dev", help="test is looked at only to report")
    parser.add_argument("--index", type=Path, help="folder of the index")
    parser.add_argument("--out", type=Path, help="folder to write (default: a new one under runs/)")


def opened(index: Path | None) -> tuple[Settings, Assistant]:
    """The settings and the assistant, its index brought up to date."""
    settings = Settings.from_environment()
    if index:
        settings = dataclasses.replace(settings, index=index)
    ingest(settings)
    return settings, Assistant.open(settings)


def asked(split: str, sources: Sequence[str]) -> list[Question]:
    """The questions of a split that an index with these sources can be asked; says what it skips."""
    questions = read_questions(split)  # type: ignore[arg-type]
    for source in sorted({q.source for q in questions} - set(sources)):
        count = sum(q.source == source for q in questions)
        print(
            f"skipped {count} questions: the index has no source {source!r}; "
            f"type: python -m ingest --source DIR --name {source}", file=sys.stderr,
        )
    return [question for question in questions if question.source in sources]


def progress(questions: Sequence[Question], name: str) -> Iterable[Question]:
    return tqdm(questions, desc=name, unit="question", disable=None)


def new_folder(out: Path | None, name: str) -> Path:
    """The folder asked for, or a new one under runs/ named by time and what it holds."""
    stamp = datetime.datetime.now(datetime.UTC).strftime("%Y%m%d-%H%M%S")
    folder = out or RUNS / f"{stamp}-{name}"
    number = 1
    while folder.exists():
        number += 1
        folder = folder.with_name(f"{(out or RUNS / f'{stamp}-{name}').name}-{number}")
    return folder


def measure(system: System, questions: Sequence[Question], assistant: Assistant, settings: Settings, label: str, folder: Path, cold: int = 0) -> Run:
    """Evaluate one system, write its run and give it."""
    sources = [source.name for source in assistant.index.sources]
    run = evaluate(system, progress(questions, system.name), sources)
    run = dataclasses.replace(run, about=about(settings, assistant.index, label))
    write_run(run, folder, timings(run.milliseconds, cold_start(settings, cold), len(system.chunks("en"))))
    return run


def _run(options: argparse.Namespace) -> int:
    settings, assistant = opened(options.index)
    questions = asked(options.split, [source.name for source in assistant.index.sources])
    folder = new_folder(options.out, options.split)
    run = measure(Product(assistant), questions, assistant, settings, options.split, folder, options.cold)
    print(json.dumps(run.summary()) if options.json else table_of_groups(run))
    if options.failures and options.split == "dev":
        print(failures(run))
    print(f"written to {folder}", file=sys.stderr)
    return 0


def _lint(options: argparse.Namespace) -> int:
    _, assistant = opened(options.index)
    questions = [question for split in SPLITS for question in read_questions(split)]
    problems = problems_of(questions, assistant.index)
    unchecked = {q.source for q in questions} - {source.name for source in assistant.index.sources}
    for line in problems:
        print(line)
    for source in sorted(unchecked):
        print(f"gold of source {source!r} was not checked: the index lacks it", file=sys.stderr)
    print(f"{len(questions)} questions, {len(problems)} problems", file=sys.stderr)
    return 1 if problems else 0


def _verifier(options: argparse.Namespace) -> int:
    _, assistant = opened(options.index)
    result = check(assistant.index, lambda all_cases: list(tqdm(all_cases, desc="verifier", unit="statement", disable=None)))
    print(json.dumps(result) if options.json else as_text(result))
    if options.accepted:
        reader = Reader(assistant.index.terms)
        for case in cases(assistant.index):
            if not case.true and product(case.text, [case.citation], reader):
                print(f"{case.change:10} {case.text!r}\n{'':10} {case.citation.quote!r}")
    return 0


def _measure_all(options: argparse.Namespace, systems: Iterable[System], settings: Settings, assistant: Assistant, folder: Path) -> list[Run]:
    questions = asked(options.split, [source.name for source in assistant.index.sources])
    return [
        measure(system, questions, assistant, settings, options.split, folder / system.name.replace(",", "").replace(" ", "-"))
        for system in systems
    ]


def _ablate(options: argparse.Namespace) -> int:
    settings, assistant = opened(options.index)
    folder = new_folder(options.out, f"{options.split}-ablate")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as own:
        models = [] if options.baselines else list(dict.fromkeys([*options.embeddings, *installed_models()]))
        systems = itertools.chain(
            itertools.islice(ablations(assistant), 1 if options.baselines else None),
            other_models(settings, models, Path(own)), baselines(assistant),
        )
        runs = _measure_all(options, systems, settings, assistant, folder)
    print(table(runs, f"python -m evals ablate --split {options.split}"))
    print(f"written to {folder}", file=sys.stderr)
    return 0


def _compare(options: argparse.Namespace) -> int:
    print(comparison_text(compare(read_run(options.first), read_run(options.second))))
    return 0


def _table(options: argparse.Namespace) -> int:
    if options.runs:
        runs = [read_run(folder) for folder in options.runs]
        command = f"python -m evals table {' '.join(folder.name for folder in options.runs)}"
    else:
        settings, assistant = opened(options.index)
        folder = new_folder(options.out, f"{options.split}-table")
        systems = [Product(assistant, "this project"), *baselines(assistant)]
        runs = _measure_all(options, systems, settings, assistant, folder)
        command = f"python -m evals table --split {options.split}"
    text = table(runs, command)
    print(text)
    if options.write:
        changed = write_table(options.write, text)
        print(f"{options.write} {'changed' if changed else 'is as it was'}", file=sys.stderr)
    return 0


def _gate(options: argparse.Namespace) -> int:
    _, assistant = opened(options.index)
    names = [source.name for source in assistant.index.sources]
    summary = evaluate(Product(assistant), progress(asked("dev", names), "gate"), names).summary()
    verifier = {total: figures["shown"] for total, figures in check(assistant.index).items() if total.startswith("false")}
    problems = below({**summary, "verifier": verifier}, read_floor(options.floor))
    for line in problems:
        print(line)
    print("below the floor" if problems else "every figure stands above its floor", file=sys.stderr)
    return 1 if problems else 0


def _public(options: argparse.Namespace) -> int:
    settings = Settings.from_environment()
    sets = [read_set(path) for path in options.files]
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        opened_sets = {one.name: open_on(one, settings, Path(folder) / str(n)) for n, one in enumerate(sets)}
        for asked_set, documents in directions(sets):
            result = ask_all(
                asked_set, documents, opened_sets[documents.name], options.limit, options.seed,
                lambda questions, name: tqdm(questions, desc=name, unit="question", disable=None),
            )
            print(json.dumps(result) if options.json else public_text(result), flush=True)
    return 0
