"""The command line: ask, search, web, verify, doctor. Answers on stdout, everything else on stderr.

Exit status 0: answered or declined; 1: an error named in one line; 2: usage. Nothing heavy is
imported before the arguments are read, so that `--help` is instant.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assistant.errors import AssistantError, IndexNotFoundError, SettingsError
from assistant.settings import VARIABLES, Settings

if TYPE_CHECKING:
    from assistant.assistant import Assistant
    from assistant.datamodels import Turn

EXAMPLES = """examples:
  python -m assistant ask "kubelet 是什么？"
  python -m assistant ask "Where is the test code?"
  python -m assistant ask --json "哪个组件与 etcd 交互？" | python -m assistant verify -
  python -m assistant web --port 7860

settings (environment variables):
""" + "\n".join(f"  {name}\n      {text}" for name, text in VARIABLES.items())


def parser() -> argparse.ArgumentParser:
    """The arguments of every command."""
    top = argparse.ArgumentParser(
        prog="python -m assistant",
        description="Answer questions on the Kubernetes source; every statement cites the lines it rests on.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument("--index", type=Path, help="folder of the index (default: ASSISTANT_INDEX, or the user's data folder)")
    shared.add_argument("--embeddings", help="embedding model the index was made with (default: ASSISTANT_EMBEDDINGS, or the bundled one)")

    ask = commands.add_parser("ask", parents=[shared], help="answer a question")
    ask.add_argument("question", nargs="?", help="the question; - reads it from stdin")
    ask.add_argument("--json", action="store_true", help="print one JSON object")
    ask.add_argument("--batch", metavar="FILE", help="one question (or JSON input) a line, one JSON object a line out; - is stdin")
    ask.add_argument("--source", action="append", help="only this source; may be repeated")

    search = commands.add_parser("search", parents=[shared], help="show the ranked passages only")
    search.add_argument("query", help='what to look for, for example "leader election"')
    search.add_argument("-k", type=int, default=10, help="passages (default 10)")
    search.add_argument("--json", action="store_true", help="print JSON, one object a line")
    search.add_argument("--source", action="append", help="only this source; may be repeated")

    web = commands.add_parser("web", parents=[shared], help="serve the chat")
    web.add_argument("--host", default="127.0.0.1", help="address to serve on (default 127.0.0.1: this machine only; 0.0.0.0: the network, without a password)")
    web.add_argument("--port", type=int, default=7860, help="port (default 7860)")

    for answering in (ask, web):
        answering.add_argument("--llm", metavar="PROVIDER:MODEL", help="language model that writes the prose (default: ASSISTANT_LLM, or none)")

    verify = commands.add_parser("verify", parents=[shared], help="re-read every citation of an answer's JSON")
    verify.add_argument("file", help="the JSON of an answer; - is stdin")
    verify.add_argument("--json", action="store_true", help="print JSON, one object a line")

    doctor = commands.add_parser("doctor", parents=[shared], help="what is there, what is wrong, what to type")
    doctor.add_argument("--json", action="store_true", help="print JSON, one object a line")
    return top


def main(arguments: list[str] | None = None) -> int:
    """Run a command; gives its exit status."""
    options = parser().parse_args(arguments)
    commands: dict[str, Callable[[argparse.Namespace, Settings], int]] = {
        "ask": _ask, "search": _search, "web": _web, "verify": _verify, "doctor": _doctor,
    }
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    try:
        settings = Settings.from_environment()
        if options.index:
            settings = dataclasses.replace(settings, index=options.index.expanduser())
        if options.embeddings:
            settings = dataclasses.replace(settings, embeddings=options.embeddings)
        if getattr(options, "llm", None):
            settings = dataclasses.replace(settings, llm=options.llm)
        return commands[options.command](options, settings)
    except AssistantError as error:
        print(f"Error: {error}", file=sys.stderr)
        return 1
    except BrokenPipeError:
        sys.stderr.close()  # the reader went away; Python would say so at exit
        return 0
    except KeyboardInterrupt:
        return 130


def open_assistant(settings: Settings) -> Assistant:
    """Open the assistant; with no index yet, build the bundled one first."""
    from assistant.assistant import Assistant

    try:
        return Assistant.open(settings)
    except IndexNotFoundError:
        from ingest.pipeline import ingest  # the one call into ingest: the first run has no index

        print(f"No index yet: building the bundled one in {settings.index} …", file=sys.stderr)
        print(ingest(settings), file=sys.stderr)
        return Assistant.open(settings)


def _ask(options: argparse.Namespace, settings: Settings) -> int:
    if options.batch is not None:
        if options.question is not None:
            raise SettingsError("--batch takes its questions from the file; leave the question out")
        if not options.json:
            raise SettingsError("--batch prints JSON; type: ask --json --batch FILE")
        return _batch(options, settings)
    if options.question is None:
        raise SettingsError('there is no question; type: python -m assistant ask "kubelet 是什么？"')
    question = _read("-") if options.question == "-" else options.question
    if not question.strip():
        raise SettingsError('the question is empty; type: python -m assistant ask "kubelet 是什么？"')
    assistant = open_assistant(settings)
    sources = _known_sources(options, assistant)
    if options.json:
        print(_dump(assistant.ask(question, sources=sources).to_json()))
        return 0
    from assistant.render import plain

    printed = ""
    answer = None
    for answer in assistant.stream(question, sources=sources):
        if answer.answered and answer.answer.startswith(printed):
            print(answer.answer[len(printed) :], end="", flush=True)
            printed = answer.answer
    assert answer is not None
    whole = plain(answer)
    print(whole[len(printed) :] if printed and whole.startswith(printed) else ("\n" if printed else "") + whole)
    for warning in answer.warnings:
        print(f"Warning: {warning}", file=sys.stderr)
    return 0


def _known_sources(options: argparse.Namespace, assistant: Assistant) -> list[str] | None:
    names = [source.name for source in assistant.index.sources]
    for name in options.source or []:
        if name not in names:
            raise SettingsError(f"there is no source {name!r}; the index holds {', '.join(names)}")
    return options.source


def _batch(options: argparse.Namespace, settings: Settings) -> int:
    lines = _batch_lines(options.batch)
    assistant = open_assistant(settings)
    sources = _known_sources(options, assistant)
    for number, line in enumerate(lines, 1):
        try:
            question, history = _batch_input(line)
            record = assistant.ask(question, history, sources).to_json()
        except AssistantError as error:
            record = {"error": f"line {number}: {error}"}
        print(_dump(record), flush=True)
    return 0


def _batch_lines(name: str) -> Iterator[bytes]:
    if name == "-":
        return iter(sys.stdin.buffer)
    try:
        return iter(Path(name).read_bytes().splitlines())
    except OSError as exc:
        raise SettingsError(f"{name} cannot be read ({exc.strerror}); give a file with one question a line") from exc


def _batch_input(line: bytes) -> tuple[str, list[Turn]]:
    """A question and its history from a line of a batch file."""
    from assistant.datamodels import Turn

    try:
        text = line.decode("utf-8").strip()
    except UnicodeDecodeError as exc:
        raise SettingsError(f"not UTF-8 (byte {exc.start + 1})") from exc
    if not text.startswith("{"):
        return text, []
    try:
        record = json.loads(text)
    except ValueError as exc:
        raise SettingsError(f"not valid JSON ({exc})") from exc
    question, history = record.get("question"), record.get("history", [])
    if not isinstance(question, str) or not isinstance(history, list) or not all(isinstance(h, str) for h in history):
        raise SettingsError('give {"question": "…", "history": ["earlier question", …]}')
    return question, [Turn(earlier) for earlier in history]


def _search(options: argparse.Namespace, settings: Settings) -> int:
    if not options.query.strip():
        raise SettingsError('the query is empty; type: python -m assistant search "leader election"')
    assistant = open_assistant(settings)
    for passage in assistant.search(options.query, _known_sources(options, assistant), max(1, options.k)):
        chunk = passage.chunk
        if options.json:
            print(_dump({
                "rank": passage.rank, "score": passage.score, "scores": dict(passage.scores), "id": chunk.id,
                "source": chunk.source, "path": chunk.path, "start_line": chunk.start_line, "end_line": chunk.end_line,
                "language": chunk.language, "kind": chunk.kind, "headings": list(chunk.headings), "text": chunk.text,
            }))
        else:
            legs = "  ".join(f"{leg} {score:.2f}" for leg, score in sorted(passage.scores.items()))
            print(f"{passage.rank + 1:2} {passage.score:.4f}  {chunk.source} {chunk.path}:{chunk.start_line}-{chunk.end_line}  {legs}")
            print("   " + " ".join(chunk.text.split())[:160])
    return 0


def _web(options: argparse.Namespace, settings: Settings) -> int:
    assistant = open_assistant(settings)
    from assistant.web import serve

    serve(assistant, options.host, options.port)
    return 0


def _verify(options: argparse.Namespace, settings: Settings) -> int:
    from assistant.recheck import recheck_answer

    try:
        record = json.loads(_read(options.file))
        rows = recheck_answer(record, open_assistant(settings))
    except (ValueError, TypeError, KeyError) as exc:
        raise SettingsError(f"{options.file} holds no answer ({exc}); make one with: python -m assistant ask --json …") from exc
    for row in rows:
        print(_dump(row) if options.json else f"{row['standing']:8} [{row['id']}] {row['place']}")
    return 0 if all(row["standing"] in ("exact", "moved") for row in rows) else 1


def _doctor(options: argparse.Namespace, settings: Settings) -> int:
    from assistant.doctor import examine

    findings = examine(settings)
    for finding in findings:
        print(_dump(dataclasses.asdict(finding)) if options.json else str(finding))
    return 0 if all(finding.good for finding in findings) else 1


def _read(name: str) -> str:
    """A file's text, or standard input's."""
    try:
        return (sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()).decode("utf-8")
    except OSError as exc:
        raise SettingsError(f"{name} cannot be read ({exc.strerror})") from exc
    except UnicodeDecodeError as exc:
        raise SettingsError(f"{'standard input' if name == '-' else name} is not UTF-8 (byte {exc.start + 1})") from exc


def _dump(record: Any) -> str:
    return json.dumps(record, ensure_ascii=False).encode("utf-8", "replace").decode("utf-8")
