"""Command line of the ingest: `python -m ingest [--source DIR [--name NAME]] [--list] [--remove NAME] [--rebuild]`."""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tqdm import tqdm

from assistant.errors import AssistantError, SettingsError
from assistant.settings import Settings
from ingest.patterns import KINDS, LEFT_OUT, Choice
from ingest.pipeline import check_drift, ingest, list_sources, wanted_source

EXAMPLES = """examples:
  python -m ingest --source ~/src/kubernetes --name v1.28
  python -m ingest --source ~/src/kubernetes --name v1.28 --include 'CHANGELOG-1.28.md' --exclude 'test/**'
  python -m ingest --refresh
  python -m ingest --list
  python -m ingest --remove v1.28
  python -m ingest drift --source v1.28      (what the article says, held against that tree)

read: """ + ", ".join(dict.fromkeys(pattern for pattern, _ in KINDS)) + """
left out, unless --include brings it back:
""" + "\n".join(
    f"  {reason}: " + "  ".join(pattern for pattern, why in LEFT_OUT if why == reason) for reason in dict.fromkeys(why for _, why in LEFT_OUT)
) + """
A pattern without a slash is matched against a file's name, one with a slash against its path inside
the source; ** crosses directories. Directories and names are always listed, whatever is left out."""


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(
        prog="python -m ingest", description="Build or update the index: the bundled article, and folders of yours beside it.",
        epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.add_argument("--source", type=Path, metavar="DIR", help="a Kubernetes checkout, or any folder of documents")
    top.add_argument("--name", help="what to call it (default: the folder's name)")
    top.add_argument("--include", action="append", default=[], metavar="GLOB", help="read these files although they are left out by default; may be repeated")
    top.add_argument("--exclude", action="append", default=[], metavar="GLOB", help="do not read these files; may be repeated")
    top.add_argument("--refresh", action="store_true", help="read every source again, from where it was")
    top.add_argument("--list", action="store_true", help="list the sources of the index")
    top.add_argument("--remove", action="append", default=[], metavar="NAME", help="take a source out of the index; may be repeated")
    top.add_argument("--rebuild", action="store_true", help="make the index anew, whatever is there")
    top.add_argument("--json", action="store_true", help="print JSON")
    top.add_argument("--embeddings", help="embedding model to make the index with (default: ASSISTANT_EMBEDDINGS, or the bundled one)")
    top.add_argument("--index", type=Path, help="folder of the index (default: ASSISTANT_INDEX, or the user's data folder)")
    return top


def main(arguments: list[str] | None = None) -> int:
    arguments = sys.argv[1:] if arguments is None else arguments
    if arguments[:1] == ["drift"]:
        return _drift(arguments[1:])
    options = parser().parse_args(arguments)
    try:
        settings = Settings.from_environment()
        if options.index:
            settings = dataclasses.replace(settings, index=options.index.expanduser())
        if options.embeddings:
            settings = dataclasses.replace(settings, embeddings=options.embeddings)
        if options.list:
            return _list(settings, options.json)
        if options.source is None and (options.name or options.include or options.exclude):
            raise SettingsError("--name, --include and --exclude go with --source DIR")
        choice = Choice(tuple(options.include), tuple(options.exclude))
        sources = [wanted_source(options.source, options.name, choice)] if options.source else []
        with _progress() as progress:
            report = ingest(settings, options.rebuild, None, sources, options.remove, options.refresh, progress)
        print(json.dumps(report.to_json(), ensure_ascii=False) if options.json else report)
    except AssistantError as error:
        print(f"Error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def _drift(arguments: list[str]) -> int:
    top = argparse.ArgumentParser(
        prog="python -m ingest drift", description="Hold what the article says of the source tree against an ingested checkout."
    )
    top.add_argument("--source", metavar="NAME", help="name of the source (default: the only one there is)")
    top.add_argument("--json", action="store_true", help="print one JSON object a claim")
    top.add_argument("--index", type=Path, help="folder of the index (default: ASSISTANT_INDEX, or the user's data folder)")
    options = top.parse_args(arguments)
    try:
        settings = Settings.from_environment()
        if options.index:
            settings = dataclasses.replace(settings, index=options.index.expanduser())
        name, checks = check_drift(settings, options.source)
    except AssistantError as error:
        print(f"Error: {error}", file=sys.stderr)
        return 1
    for check in checks:
        if options.json:
            print(json.dumps({"source": name, **dataclasses.asdict(check)}, ensure_ascii=False))
        else:
            verdict = f"moved to {check.now}" if check.now else check.verdict
            print(f"{check.claim.path}:{check.claim.line}\t{check.claim.kind}\t{check.claim.name}\t{verdict}\t{check.evidence}")
    counts = Counter(check.verdict for check in checks)
    print(f"{name}: " + ", ".join(f"{counts[verdict]} {verdict}" for verdict in ("holds", "moved", "gone", "cannot tell")), file=sys.stderr)
    return 0


def _list(settings: Settings, as_json: bool) -> int:
    for source in list_sources(settings):
        if as_json:
            print(json.dumps(dataclasses.asdict(source), ensure_ascii=False))
        else:
            print("\t".join([source.name, source.kind, source.title, source.label, source.root or "bundled"]))
    return 0


@contextmanager
def _progress() -> Iterator[Callable[[str, int], None]]:
    """A bar on stderr that names what is being read; none where stderr is no terminal."""
    with tqdm(desc="reading", unit=" files", disable=None, file=sys.stderr, leave=False) as bar:

        def tell(what: str, count: int) -> None:
            if not bar.disable:
                bar.set_postfix_str(ascii(what)[1:-1][-50:], refresh=False)
                bar.update(count)

        yield tell


if __name__ == "__main__":
    sys.exit(main())
