"""The commands of `python -m evals`: each takes its parsed options, prints on stdout and gives the exit status."""

from __future__ import annotations

import argparse
import itertools
import json
import sys
import tempfile
from pathlib import Path

from assistant.datamodels import Turn
from assistant.errors import SettingsError
from assistant.evidence import Reader
from assistant.llm import load_language_model
from assistant.settings import Settings
from evals import compare as comparison
from evals import squad
from evals import table as tables
from evals import verifier as adversary
from evals.ablate import ablations, baselines, installed_models, other_models
from evals.bench import Bench, new_folder, progress
from evals.console import failures, table_of_groups
from evals.gate import below, read_floor
from evals.judge import judge as faithfulness
from evals.lint import lint as problems_of
from evals.questions import SPLITS, read_questions
from evals.report import find_runs, page, read_extra
from evals.runs import on_common, read_run
from evals.speed import SIZES, latency
from evals.systems import Product

TIMED = 30
"""Questions that the speed of answers is measured with."""
SAMPLE = 120
"""Questions that the suite asks of what stands beside the product, so that it stays under a minute."""
COLD = 3
"""Cold starts that the suite times."""


def run(options: argparse.Namespace) -> int:
    bench = Bench.open(options.index, options.split)
    folder = new_folder(options.out, options.split)
    result = bench.measure(Product(bench.assistant), folder, options.cold)
    print(json.dumps(result.summary) if options.json else table_of_groups(result))
    if options.failures and "test" not in options.split:
        print(failures(result))
    print(f"written to {folder}", file=sys.stderr)
    return 0


def suite(options: argparse.Namespace) -> int:
    bench = Bench.open(options.index, options.split)
    folder = new_folder(options.out, f"{options.split}-suite")
    runs = [bench.measure(Product(bench.assistant, "this project"), folder / "this-project", COLD)]
    others = itertools.chain(itertools.islice(ablations(bench.assistant), 1, None), baselines(bench.assistant))
    runs += bench.sampled(SAMPLE).measure_all(others, folder, first=1)
    verified = adversary.check(bench.assistant.index, lambda cases: progress(cases, "verifier", "statement"))
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as grown:
        speed = [row for row in progress(latency(bench.assistant, bench.questions[:TIMED], Path(grown), SIZES), "speed", "index")]
    for name, value in (("verifier", verified), ("speed", speed)):
        (folder / f"{name}.json").write_text(json.dumps(value, indent=1) + "\n", encoding="utf-8")
    (folder / "report.html").write_text(page(find_runs([folder]), verified, speed), encoding="utf-8")
    print(table_of_groups(runs[0]))
    print(adversary.as_text(verified))
    print(tables.table(on_common(runs), f"python -m evals suite --split {options.split}"))
    print(f"written to {folder}, the page is {folder / 'report.html'}", file=sys.stderr)
    return 0


def lint(options: argparse.Namespace) -> int:
    bench = Bench.open(options.index, "dev")
    questions = [question for split in SPLITS for question in read_questions(split)]
    problems = problems_of(questions, bench.assistant.index)
    for line in problems:
        print(line)
    print(f"{len(questions)} questions, {len(problems)} problems", file=sys.stderr)
    return 1 if problems else 0


def verifier(options: argparse.Namespace) -> int:
    index = Bench.open(options.index, "dev").assistant.index
    result = adversary.check(index, lambda cases: progress(cases, "verifier", "statement"))
    print(json.dumps(result) if options.json else adversary.as_text(result))
    reader = Reader(index.terms)
    for case in adversary.cases(index) if options.accepted else ():
        if not case.true and adversary.product(case.text, [case.citation], reader):
            print(f"{case.change:10} {case.text!r}\n{'':10} {case.citation.quote!r}")
    return 0


def ablate(options: argparse.Namespace) -> int:
    bench = Bench.open(options.index, options.split)
    folder = new_folder(options.out, f"{options.split}-ablate")
    models = list(dict.fromkeys([*options.embeddings, *installed_models()]))
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as own:
        systems = itertools.chain(
            ablations(bench.assistant), other_models(bench.settings, models, Path(own)), baselines(bench.assistant, models)
        )
        runs = bench.measure_all(systems, folder)
    print(tables.table(runs, f"python -m evals ablate --split {options.split}"))
    print(f"written to {folder}", file=sys.stderr)
    return 0


def table(options: argparse.Namespace) -> int:
    if options.runs:
        runs = find_runs(options.runs)
        command = f"python -m evals table {' '.join(folder.name for folder in options.runs)}"
    else:
        bench = Bench.open(options.index, options.split)
        systems = [Product(bench.assistant, "this project"), *baselines(bench.assistant)]
        runs = bench.measure_all(systems, new_folder(options.out, f"{options.split}-table"))
        command = f"python -m evals table --split {options.split}"
    text = tables.table(runs, command)
    print(text)
    if options.write:
        changed = tables.write(options.write, text)
        print(f"{options.write} {'changed' if changed else 'is as it was'}", file=sys.stderr)
    return 0


def compare(options: argparse.Namespace) -> int:
    print(comparison.as_text(comparison.compare(read_run(options.first), read_run(options.second))))
    return 0


def report(options: argparse.Namespace) -> int:
    runs = find_runs(options.runs)
    text = page(runs, read_extra(options.runs, "verifier.json"), read_extra(options.runs, "speed.json"))
    options.out.write_text(text, encoding="utf-8")
    print(f"{options.out}: {len(runs)} runs", file=sys.stderr)
    return 0


def gate(options: argparse.Namespace) -> int:
    bench = Bench.open(options.index, options.split).on_article()  # the same questions on every machine
    summary = bench.ask(Product(bench.assistant)).summary
    rates = {total: row["shown"] for total, row in adversary.check(bench.assistant.index).items() if total.startswith("false")}
    problems = below({**summary, "verifier": rates}, read_floor(options.floor))
    for line in problems:
        print(line)
    print("below the floor" if problems else "every figure stands above its floor", file=sys.stderr)
    return 1 if problems else 0


def judge(options: argparse.Namespace) -> int:
    bench = Bench.open(options.index, options.split).sampled(options.limit)
    if bench.settings.llm is None:
        raise SettingsError("no language model is configured; set ASSISTANT_LLM to provider:model")
    model = load_language_model(bench.settings.llm)
    answers = (bench.assistant.ask(q.question, [Turn(h) for h in q.history]) for q in progress(bench.questions, "judge"))
    print(json.dumps(faithfulness(model, answers), ensure_ascii=False, indent=1))
    return 0


def public(options: argparse.Namespace) -> int:
    settings = Settings.from_environment()
    sets = [squad.read_set(path) for path in options.files]
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        opened = {one.name: squad.open_on(one, settings, Path(folder) / str(n)) for n, one in enumerate(sets)}
        for asked, documents in squad.directions(sets):
            result = squad.ask_all(asked, documents, opened[documents.name], options.limit, options.seed, progress)
            print(json.dumps(result) if options.json else squad.as_text(result), flush=True)
    return 0
