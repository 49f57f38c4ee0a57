"""The Gradio chat: questions at the left, the sources of the last answer beside it; all served from this host."""

from __future__ import annotations

import errno
import os
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"

import gradio as gr
from starlette.datastructures import MutableHeaders
from starlette.middleware import Middleware

from assistant.datamodels import Turn
from assistant.errors import AssistantError, SettingsError
from assistant.web.sources import plain_markdown, render_sources, safe_markdown

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from assistant.assistant import Assistant

TITLE = "Kubernetes 源码助手 · Kubernetes source assistant"
STYLE = Path(__file__).with_name("style.css")
LONGEST_QUESTION = 2000
IN_USE = "port {port} is in use; give another with --port {other} (make chat ARGS=\"--port {other}\")"
CONCURRENT_QUESTIONS = 4

EXAMPLES = {
    "组件 · Components": ["kube-apiserver 的作用是什么？", "What does kube-scheduler do?"],
    "目录结构 · Directory layout": ["pkg 目录里放什么？", "What is in the cmd directory?"],
    "构建 · Builds": ["如何编译 Kubernetes？", "How do I build only kubectl?"],
}

CONTENT_POLICY = (
    "default-src 'self' data: blob: 'unsafe-inline' 'unsafe-eval'; "
    "object-src 'none'; base-uri 'self'; form-action 'self'"
)

FONTS = ["system-ui", "-apple-system", "Segoe UI", "PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", "sans-serif"]
MONOSPACED = ["ui-monospace", "SFMono-Regular", "Consolas", "Noto Sans Mono CJK SC", "monospace"]

Messages = list[dict[str, Any]]


def build(assistant: Assistant) -> gr.Blocks:
    """The page; `serve` adds its theme, style and content policy."""

    def answer(
        question: str, messages: Messages | None, turns: tuple[Turn, ...], chosen: list[str] | None = None
    ) -> Iterator[tuple[str, Messages, str, tuple[Turn, ...]]]:
        question = question.strip()
        if not question:
            yield "", messages or [], gr.skip(), turns
            return
        asked = [*(messages or []), {"role": "user", "content": plain_markdown(question)}]
        yield "", asked, render_sources(None, assistant.document), turns
        written = ""
        try:
            for growing in assistant.stream(question, turns, chosen or None):
                written = growing.answer
                shown = safe_markdown(written)
                if not growing.answered:
                    shown = "> " + shown.replace("\n", "\n> ")
                reply = {"role": "assistant", "content": shown}
                yield "", [*asked, reply], render_sources(growing, assistant.document), turns
        except AssistantError as exc:
            reply = {"role": "assistant", "content": "⚠️ " + plain_markdown(str(exc))}
            yield "", [*asked, reply], render_sources(None, assistant.document), turns
            return
        yield gr.skip(), gr.skip(), gr.skip(), (*turns, Turn(question, written))

    page = gr.Blocks(title=TITLE, analytics_enabled=False, fill_width=True)
    with page:
        turns = gr.State(())
        gr.HTML(f"<h1>{TITLE}</h1>", elem_classes="page-title")
        with gr.Row():
            with gr.Column(scale=3, min_width=320):
                chat = gr.Chatbot(
                    elem_id="chat",
                    label="对话 · Conversation",
                    show_label=False,
                    height="min(50vh, 40rem)",
                    latex_delimiters=[],
                    sanitize_html=True,
                    allow_tags=False,
                    allow_file_downloads=False,
                    buttons=[],
                    placeholder="用中文或英文提问 · Ask in Chinese or English",
                )
                box = gr.Textbox(
                    elem_id="question",
                    label="问题 · Question",
                    show_label=False,
                    placeholder="问题 · Question",
                    lines=1,
                    max_lines=6,
                    max_length=LONGEST_QUESTION,
                    autofocus=True,
                )
                names = [source.name for source in assistant.sources]
                chosen = gr.Dropdown(
                    names,
                    multiselect=True,
                    label="资料来源（不选则全部）· Sources (none chosen: all)",
                    visible=len(names) > 1,
                    elem_id="source-filter",
                )
                with gr.Row():
                    send = gr.Button("发送 · Send", variant="primary", elem_id="send", min_width=120)
                    clear = gr.Button("清空 · Clear", elem_id="clear", min_width=120)
                with gr.Accordion("示例问题 · Example questions", elem_id="examples") as examples_panel:
                    examples = []
                    for theme, questions in EXAMPLES.items():
                        gr.HTML(f"<p>{theme}</p>", elem_classes="example-theme")
                        with gr.Row(elem_classes="example-row"):
                            examples += [gr.Button(question, size="sm") for question in questions]
            with gr.Column(scale=2, min_width=320, elem_classes="sources-column"):
                sources = gr.HTML(render_sources(None, assistant.document), elem_id="sources")

        outputs = [box, chat, sources, turns]
        common: dict[str, Any] = {"outputs": outputs, "show_progress": "hidden", "api_visibility": "private"}
        asking = common | {
            "trigger_mode": "once",
            "concurrency_limit": CONCURRENT_QUESTIONS,
            "concurrency_id": "answer",
        }
        running = [gr.on([send.click, box.submit], answer, [box, chat, turns, chosen], **asking)]
        running += [example.click(answer, [example, chat, turns, chosen], **asking) for example in examples]
        gr.on(
            [send.click, box.submit, *(example.click for example in examples)],
            lambda: gr.Accordion(open=False),
            None,
            examples_panel,
            queue=False,
            show_progress="hidden",
            api_visibility="private",
        )
        gr.on(
            [clear.click, chat.clear],
            lambda: ("", [], render_sources(None, assistant.document), ()),
            cancels=running,
            queue=False,
            **common,
        )
    return page


def serve(assistant: Assistant, host: str, port: int) -> None:
    """Serve the chat until interrupted. Raises SettingsError when host and port cannot be used."""
    _check_free(host, port)
    page = build(assistant)
    try:
        _, address, _ = page.launch(
            server_name=host,
            server_port=port,
            share=False,
            quiet=True,
            inbrowser=False,
            prevent_thread_lock=True,
            ssr_mode=False,
            pwa=False,
            footer_links=[],
            theme=gr.themes.Default(font=FONTS, font_mono=MONOSPACED),
            css_paths=STYLE,
            app_kwargs={"middleware": [Middleware(ContentPolicy)]},
        )
    except OSError as exc:
        raise SettingsError(IN_USE.format(port=port, other=port + 1)) from exc
    print(f"{TITLE}: {address}", file=sys.stderr, flush=True)
    page.block_thread()


def _check_free(host: str, port: int) -> None:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OverflowError as exc:
        raise SettingsError(f"port {port} is not a port; give one from 1 to 65535 with --port N") from exc
    except OSError as exc:
        if exc.errno == errno.EADDRINUSE:
            raise SettingsError(IN_USE.format(port=port, other=port + 1)) from exc
        raise SettingsError(f"{host}:{port} cannot be served ({exc.strerror}); give another address or port, for example --host 127.0.0.1 --port 7860") from exc


class ContentPolicy:
    """Tells the browser to load nothing from another host, whatever a document or an answer holds."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_policy(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["Content-Security-Policy"] = CONTENT_POLICY
                headers["Referrer-Policy"] = "no-referrer"
            await send(message)

        await self.app(scope, receive, send_with_policy if scope["type"] == "http" else send)
