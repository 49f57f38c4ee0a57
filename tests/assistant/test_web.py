"""The chat: its HTML by itself, then the served page in a real browser."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from assistant.datamodels import Answer, Citation, Declined, Document, Statement, Turn
from assistant.errors import ModelError, SettingsError
from assistant.settings import Settings
from assistant.web import serve
from assistant.web.sources import EMPTY, plain_markdown, render_sources, safe_markdown

ROOT = Path(__file__).parents[2]
SECONDS = 60
CHROMIUM = shutil.which("chromium")
CHROMIUM_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="chromium is not on PATH")

HOSTILE = '<img src="http://elsewhere.invalid/a.png" onerror="window.hacked = 1"><script>window.hacked = 1</script>'
ENGLISH = Document(
    "article", "a.en.md", "en", "one\ntwo\nthree\nfour is *cited* here\nfive\nsix\nseven\n", renders="a.md"
)
CHINESE = Document("article", "a.md", "zh", "一\n二\n三\n第四行在此\n五\n六\n七\n")
TRAP = Document("<b>evil</b>", "x/<i>.md", "en", f"before {HOSTILE}\ncited {HOSTILE}\nafter\n")
DOCUMENTS = {(document.source, document.path): document for document in (ENGLISH, CHINESE, TRAP)}


def read_document(source: str, path: str) -> Document:
    return DOCUMENTS[source, path]


def cite(document: Document, quote: str, original: Citation | None = None, url: str | None = None) -> Citation:
    start = document.text.index(quote)
    end = start + len(quote)
    lines = document.line_at(start), document.line_at(end - 1)
    return Citation(
        1, document.source, document.path, *lines, start, end, quote, ("Top", "A & B"), document.sha256, url, original
    )


def answer_with(*citations: Citation, declined: Declined | None = None, text: str = "It is so [1]") -> Answer:
    statements = (Statement(text, (1,), "supported"),) if citations else ()
    answered = declined is None
    return Answer("q", "q", "en", answered, "extractive", text, statements, citations, declined, "i", {})


def test_passage_is_shown_in_context_with_cited_characters_marked() -> None:
    html = render_sources(answer_with(cite(ENGLISH, "*cited*", cite(CHINESE, "第四行"))), read_document)
    assert "a.en.md:4<" in html and "four is <mark>*cited*</mark> here" in html
    shown = re.findall(r'class="number">(\d+)<', html)
    assert shown == ["2", "3", "4", "5", "6"] * 2
    assert "a.md:4<" in html and "<mark>第四行</mark>在此" in html
    assert "Top › A &amp; B" in html and "[1]" in html


def test_citation_of_several_lines_and_of_first_and_last_line() -> None:
    html = render_sources(answer_with(cite(ENGLISH, ENGLISH.text[:-1])), read_document)
    assert "a.en.md:1-7<" in html
    assert re.findall(r'class="number">(\d+)<', html) == [str(n) for n in range(1, 8)]
    assert html.count("<mark>") == 7 and "context" not in html


def test_nothing_from_a_document_is_markup() -> None:
    trap = cite(TRAP, f"cited {HOSTILE}", url='javascript:alert("1")')
    for html in (
        render_sources(answer_with(trap), read_document),
        render_sources(answer_with(declined=Declined("not_covered", (HOSTILE,), (trap,))), read_document),
    ):
        assert "<script" not in html and "<img" not in html and "<i>" not in html and "<b>" not in html
        assert "javascript:" not in html
        assert "&lt;script&gt;" in html


def test_link_only_for_web_addresses() -> None:
    url = "https://github.com/kubernetes/kubernetes/blob/v1.28/a.md#L4"
    assert f'href="{url}"' in render_sources(answer_with(cite(ENGLISH, "four", url=url)), read_document)


def test_changed_or_missing_document_shows_the_quote_alone() -> None:
    known = cite(ENGLISH, "four")
    changed = Citation(1, "article", "a.en.md", 4, 4, 14, 18, "old words", (), "0" * 64)
    gone = Citation(2, "article", "gone.md", 4, 4, 14, 18, "gone words", (), known.sha256)
    html = render_sources(answer_with(changed, gone), read_document)
    assert "<mark>old words</mark>" in html and "<mark>gone words</mark>" in html and 'class="number"' not in html


def test_directory_has_no_lines() -> None:
    directory = Citation(1, "k8s", "cmd/kubelet", None, None, None, None, "", (), "0" * 64)
    html = render_sources(answer_with(directory), read_document)
    assert "<code>cmd/kubelet</code> (directory)" in html and "k8s" in html and "mark>" not in html


def test_declined_answer_shows_what_is_missing_and_the_nearest() -> None:
    declined = Declined("not_covered", ("port",), (cite(ENGLISH, "four"),))
    html = render_sources(answer_with(declined=declined), read_document)
    assert 'class="declined"' in html and "<code>port</code>" in html and "Nearest passages" in html
    assert render_sources(None, read_document) == EMPTY


def test_markdown_of_people_and_answers_is_harmless() -> None:
    assert plain_markdown("a*b* <x> ![i](http://h/)") == r"a\*b\* \<x\> \!\[i\]\(http\:\/\/h\/\)"
    assert plain_markdown("    1. code") == "\N{NO-BREAK SPACE}" * 4 + r"1\. code"
    assert safe_markdown("<b> ![i](u) `<dir> ![x](y)` [1]") == "&lt;b> !\\[i](u) `<dir> ![x](y)` [1]"
    assert safe_markdown("```\n<dir>\n```\n<dir>") == "```\n<dir>\n```\n&lt;dir>"


def test_port_in_use_is_named() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(SettingsError, match=f"port {port} is in use; give another with --port {port + 1}"):
            serve(Scripted(), "127.0.0.1", port)  # type: ignore[arg-type]


class Scripted:
    """An assistant that says what the question names."""

    sources = ()

    def __init__(self) -> None:
        self.histories: list[list[str]] = []

    def document(self, source: str, path: str) -> Document:
        return read_document(source, path)

    def stream(self, question: str, history: Sequence[Turn] = (), sources: object = None) -> Iterator[Answer]:
        self.histories.append([turn.question for turn in history])
        if question == "fail":
            raise ModelError("the model <b>sleeps</b>; wake it")
        if question == "decline":
            declined = Declined("not_covered", ("port",), (cite(ENGLISH, "four is *cited* here"),))
            yield answer_with(declined=declined, text="The material does not say.")
            return
        yield answer_with(text="It")
        trap = f"It {HOSTILE} ![i](http://elsewhere.invalid/b.png) `make <all>` [1]"
        yield answer_with(cite(TRAP, f"cited {HOSTILE}"), cite(ENGLISH, "four", cite(CHINESE, "第四行")), text=trap)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(port: int, process: subprocess.Popen[str] | None = None) -> None:
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        if process is not None and process.poll() is not None:
            pytest.fail(f"the server ended with {process.returncode}: {process.stderr and process.stderr.read()}")
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.1)
    pytest.fail("the server did not start")


@pytest.fixture(scope="module")
def scripted() -> Iterator[tuple[str, Scripted]]:
    assistant = Scripted()
    port = free_port()
    threading.Thread(target=serve, args=(assistant, "127.0.0.1", port), daemon=True).start()
    wait_for(port)
    yield f"http://127.0.0.1:{port}/", assistant


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    from ingest.pipeline import ingest

    index = tmp_path_factory.mktemp("web") / "index"
    ingest(Settings(index=index))
    port = free_port()
    program = (
        "from assistant.assistant import Assistant; from assistant.settings import Settings;"
        "from assistant.web import serve;"
        f"serve(Assistant.open(Settings.from_environment()), '127.0.0.1', {port})"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env={**os.environ, "ASSISTANT_INDEX": str(index), "ASSISTANT_LLM": ""},
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    )
    try:
        wait_for(port, process)
        yield f"http://127.0.0.1:{port}/"
    finally:
        process.terminate()
        process.wait(timeout=SECONDS)


@pytest.fixture(scope="module")
def browser():  # type: ignore[no-untyped-def]  # playwright is imported only where chromium is there
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with sync_api.sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_ARGUMENTS)
        yield started
        started.close()


class Visit:
    """A page, and the hosts it asked."""

    def __init__(self, browser, address: str, width: int = 1280, height: int = 900) -> None:  # type: ignore[no-untyped-def]
        self.page = browser.new_page(viewport={"width": width, "height": height})
        self.page.set_default_timeout(SECONDS * 1000)
        self.hosts: set[str | None] = set()
        self.page.on("request", lambda request: self.hosts.add(urlsplit(request.url).hostname))
        self.page.goto(address)

    def ask(self, question: str) -> None:
        self.page.locator("#question textarea").fill(question)
        self.page.locator("#send").click()

    @property
    def outside(self) -> set[str | None]:
        return self.hosts - {"127.0.0.1", None}

    @property
    def is_wider_than_screen(self) -> bool:
        return bool(self.page.evaluate("document.documentElement.scrollWidth > window.innerWidth"))


@needs_chromium
def test_chinese_question_is_answered_with_its_sources(browser, address: str) -> None:  # type: ignore[no-untyped-def]
    visit = Visit(browser, address)
    visit.ask("kube-apiserver 的作用是什么？")
    visit.page.locator("#chat .bot", has_text="[1]").first.wait_for()
    source = visit.page.locator("#sources li").first
    source.wait_for()
    assert re.search(r"kubernetes-source-environment(\.en)?\.md:\d+", source.locator(".location").first.inner_text())
    assert source.locator("mark").first.inner_text()
    assert visit.outside == set()
    visit.page.close()


@needs_chromium
def test_phone_has_no_sideways_scroll(browser, address: str) -> None:  # type: ignore[no-untyped-def]
    visit = Visit(browser, address, width=390, height=844)
    assert not visit.is_wider_than_screen
    visit.page.locator("#examples button", has_text="kubectl").click()
    visit.page.locator("#sources li, #sources .declined").first.wait_for()
    assert not visit.is_wider_than_screen
    chat, sources = visit.page.locator("#chat").bounding_box(), visit.page.locator("#sources").bounding_box()
    assert sources["y"] >= chat["y"] + chat["height"]
    visit.page.close()


@needs_chromium
def test_hostile_texts_are_shown_not_run(browser, scripted: tuple[str, Scripted]) -> None:  # type: ignore[no-untyped-def]
    visit = Visit(browser, scripted[0])
    visit.ask(HOSTILE + " ![i](http://elsewhere.invalid/c.png)")
    visit.page.locator("#chat .bot", has_text="make <all>").first.wait_for()
    visit.page.locator("#sources li").first.wait_for()
    assert "<script>" in visit.page.locator("#chat .user").first.inner_text()
    assert "<script>" in visit.page.locator("#sources").inner_text()
    assert visit.page.evaluate("window.hacked") is None
    assert visit.page.locator("#chat .message img, #sources img").count() == 0
    assert visit.outside == set()
    visit.page.close()


@needs_chromium
def test_history_errors_decline_and_clear(browser, scripted: tuple[str, Scripted]) -> None:  # type: ignore[no-untyped-def]
    address, assistant = scripted
    visit = Visit(browser, address)
    visit.ask("decline")
    visit.page.locator("#sources .declined").wait_for()
    visit.page.locator("#sources .sources-nearest li").wait_for()
    visit.ask("fail")
    visit.page.locator("#chat .bot", has_text="the model <b>sleeps</b>; wake it").first.wait_for()
    visit.ask("last")
    visit.page.locator("#sources li").first.wait_for()
    assert assistant.histories[-3:] == [[], ["decline"], ["decline"]]
    visit.page.locator("#clear").click()
    visit.page.locator("#sources .sources-empty").wait_for()
    assert visit.page.locator("#chat .bot").count() == 0
    visit.ask("again")
    visit.page.locator("#sources li").first.wait_for()
    assert assistant.histories[-1] == []
    visit.page.close()
