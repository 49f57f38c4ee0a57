"""The command line as people and programs use it, in real processes."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from assistant.settings import Settings

ROOT = Path(__file__).parent.parent.parent
KEYS = [
    "schema", "question", "query", "language", "answered", "engine", "answer", "statements", "citations", "declined", "index", "timings_ms",
]


@pytest.fixture
def run(settings: Settings):  # type: ignore[no-untyped-def]
    def call(*arguments: str, stdin: bytes = b"", index: Path | None = None) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            [sys.executable, "-m", "assistant", *arguments], input=stdin, capture_output=True, cwd=ROOT,
            env=os.environ | {"ASSISTANT_INDEX": str(index or settings.index), "ASSISTANT_EMBEDDINGS": ""},
        )

    return call


def test_an_answer_for_a_person(run) -> None:  # type: ignore[no-untyped-def]
    done = run("ask", "kubelet实现了哪些接口？")
    text = done.stdout.decode()
    assert done.returncode == 0 and "CRI" in text and "CNI" in text and "CSI" in text
    assert "[1]" in text and "kubernetes-source-environment.md:126" in text


def test_the_json_answer_and_its_verification(run, corpus_folder: Path) -> None:  # type: ignore[no-untyped-def]
    done = run("ask", "--json", "Which directory holds the test code?")
    record = json.loads(done.stdout)
    assert list(record) == KEYS and record["schema"] == 1 and record["answered"]
    for citation in record["citations"]:
        for one in (citation, citation["original"]):
            text = (corpus_folder / one["path"]).read_text(encoding="utf-8")
            assert text[one["start_char"] : one["end_char"]] == one["quote"]
        assert citation["original"]["start_line"] == citation["start_line"]
    assert run("verify", "-", stdin=done.stdout).returncode == 0
    record["citations"][0]["quote"] = "something else"
    tampered = run("verify", "-", stdin=json.dumps(record).encode())
    assert tampered.returncode == 1 and b"changed" in tampered.stdout


def test_a_batch_keeps_order_and_goes_on(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    lines = ["kubelet 是什么？", '{"question": "它实现了哪些接口？", "history": ["kubelet 是什么？"]}', '{"question"', "", "a\x07b 是什么"]
    path = tmp_path / "batch"
    path.write_bytes("\n".join(lines).encode() + b"\n\xff\xfe\nWhere is the test code?\n")
    done = run("ask", "--json", "--batch", str(path))
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 0 and len(rows) == 7
    assert ["error" in row for row in rows] == [False, False, True, True, False, True, False]
    assert {c["start_line"] for c in rows[1]["citations"]} == {126, 127, 128, 129}


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (["ask", ""], 1), (["ask", "  \n"], 1), (["ask"], 1), (["ask", "--batch", "nowhere", "--json"], 1), (["ask", "x", "--source", "none"], 1),
        (["nonsense"], 2), (["search", ""], 1), (["verify", "nowhere"], 1),
    ],
)
def test_bad_input_is_one_line(run, arguments: list[str], status: int) -> None:  # type: ignore[no-untyped-def]
    done = run(*arguments)
    assert done.returncode == status and done.stdout == b""
    if status == 1:
        assert done.stderr.startswith(b"Error: ") and done.stderr.count(b"\n") == 1


def test_strange_questions_are_answered_or_declined(run) -> None:  # type: ignore[no-untyped-def]
    for question in ("kubelet " * 12_500, "\x00\x01\x02 kubelet", "😀", "？？？"):
        done = run("ask", "--json", "-", stdin=question.encode())
        assert done.returncode == 0, done.stderr
        json.loads(done.stdout)


def test_the_first_run_builds_the_index(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    assert run("doctor", index=tmp_path / "new").returncode == 1
    done = run("ask", "kubectl 是什么？", index=tmp_path / "new")
    assert done.returncode == 0 and b"building" in done.stderr and "命令行".encode() in done.stdout
    assert run("doctor", index=tmp_path / "new").returncode == 0
