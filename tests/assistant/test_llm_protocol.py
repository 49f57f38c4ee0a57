"""The OpenAI protocol over real HTTP on loopback, through LangChain's own client: answers and every failure."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from assistant import llm
from assistant.assistant import Assistant
from assistant.datamodels import Answer
from assistant.settings import Settings

pytest.importorskip("langchain_openai", reason="the openai extra is not installed")

KEY = "sk-test-0123456789abcdefghij"
TRUE = "kubelet组件用于管理节点，运行在每个Kubernetes节点上。"
FALSE = "kubelet组件监听10250端口。"


class Provider(ThreadingHTTPServer):
    """Speaks the protocol; `mode` says how it misbehaves, `text` what its model says."""

    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        pass  # clients that hang up are part of the test

    mode = "good"
    text = f"[1] {TRUE}\n"
    requests: list[dict[str, Any]]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/v1"


class Handler(BaseHTTPRequestHandler):
    server: Provider

    def log_message(self, *_: object) -> None:
        pass

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.requests.append(body | {"authorization": self.headers.get("Authorization")})
        mode = self.server.mode
        if mode == "slow":
            time.sleep(5)
        if mode == "limited-once":
            self.server.mode = "good"
        status, message = {
            "no-key": (401, f"Incorrect API key provided: {KEY}"), "no-model": (404, "The model does not exist"),
            "limited": (429, "Rate limit reached"), "limited-once": (429, "Rate limit reached"),
            "too-long": (400, "This model's maximum context length is 2048 tokens"), "broken": (500, "internal error"),
        }.get(mode, (200, ""))
        if mode == "too-long" and len(body["messages"][1]["content"]) < 5_000:
            status = 200
        if status != 200:
            return self._json(status, {"error": {"message": message, "type": "x", "code": None}})
        self._stream(mode)

    def finish(self) -> None:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError, ValueError):  # a client that waited long enough
            super().finish()

    def _json(self, status: int, record: dict[str, Any]) -> None:
        data = json.dumps(record).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Retry-After", "0")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _stream(self, mode: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        text = {"empty": "", "refusal": "I'm sorry, I can't help with that.", "cut": f"[1] {TRUE}\n[1] kube"}.get(mode, self.server.text)
        if mode == "malformed":
            self.wfile.write(b"data: {not json\n\n")
            return
        for start in range(0, len(text), 7):
            self._event({"choices": [{"index": 0, "delta": {"role": "assistant", "content": text[start : start + 7]}}]})
        if mode == "cut":
            self.wfile.flush()
            self.connection.close()
            return
        self._event({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
        self._event({"choices": [], "usage": {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120}})
        self.wfile.write(b"data: [DONE]\n\n")

    def _event(self, record: dict[str, Any]) -> None:
        event = {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "m", **record}
        self.wfile.write(b"data: " + json.dumps(event).encode() + b"\n\n")


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> Iterator[Provider]:
    server = Provider(("127.0.0.1", 0), Handler)
    server.requests = []
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    monkeypatch.setenv("OPENAI_BASE_URL", server.url)
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    yield server
    server.shutdown()
    server.server_close()
    thread.join(5)


@pytest.fixture
def ask(provider: Provider, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Any:
    def run(mode: str, question: str = "kubelet 是什么？") -> Answer:
        provider.mode = mode
        if mode == "slow":
            monkeypatch.setattr(llm, "SECONDS", 0.5)
            monkeypatch.setattr(llm, "RETRIES", 0)
        return Assistant.open(dataclasses.replace(settings, llm="openai:m")).ask(question)

    return run


def test_an_answer_with_its_usage(ask: Any, provider: Provider) -> None:
    answer = ask("good")
    assert answer.engine == "openai:m" and answer.statements[0].text == TRUE and not answer.warnings
    assert answer.usage is not None and answer.usage["input_tokens"] == 100 and answer.usage["output_tokens"] == 20
    request = provider.requests[0]
    assert request["model"] == "m" and request["stream"] and request["authorization"] == f"Bearer {KEY}"
    assert [message["role"] for message in request["messages"]] == ["system", "user"]
    assert answer.to_json()["usage"]["total_tokens"] == 120


def test_what_no_line_supports_does_not_arrive(ask: Any, provider: Provider) -> None:
    provider.text = f"[1] {FALSE}\n[1] {TRUE}\n"
    answer = ask("good")
    assert [statement.text for statement in answer.statements] == [TRUE] and "10250" not in answer.answer


def test_a_rate_limit_is_waited_out(ask: Any, provider: Provider) -> None:
    answer = ask("limited-once")
    assert answer.engine == "openai:m" and len(provider.requests) == 2


@pytest.mark.parametrize(
    ("mode", "says"),
    [
        ("no-key", "OPENAI_API_KEY"), ("no-model", "no such model"), ("limited", "too many requests"), ("broken", "internal error"),
        ("slow", "no answer within"), ("empty", "extracts"), ("refusal", "extracts"), ("malformed", "extracts"),
    ],
)
def test_a_failure_is_one_line_and_the_extracts_answer(ask: Any, provider: Provider, mode: str, says: str) -> None:
    answer = ask(mode)
    assert answer.answered and answer.engine == "extractive" and answer.statements
    assert any(says in warning for warning in answer.warnings), answer.warnings
    assert all("\n" not in warning and KEY not in warning for warning in answer.warnings)
    assert KEY not in json.dumps(answer.to_json()) and len(provider.requests) <= llm.RETRIES + 1


def test_what_stood_before_a_stream_was_cut_stands(ask: Any) -> None:
    answer = ask("cut")
    assert answer.engine == "openai:m" and [statement.text for statement in answer.statements] == [TRUE]
    assert any("cut off" in warning for warning in answer.warnings)


def test_fewer_passages_are_sent_where_they_do_not_fit(ask: Any, provider: Provider) -> None:
    provider.text = "[1] The kube-apiserver component is also called the Kubernetes API Server.\n"
    answer = ask("too-long", "What does kube-apiserver do?")
    sizes = [len(request["messages"][1]["content"]) for request in provider.requests]
    assert len(sizes) == 2 and sizes[1] < sizes[0] and answer.engine == "openai:m"


def test_no_key_at_all(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    answer = Assistant.open(dataclasses.replace(settings, llm="openai:m")).ask("kubelet 是什么？")
    assert answer.engine == "extractive" and "OPENAI_API_KEY" in answer.warnings[0]
