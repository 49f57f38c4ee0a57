"""Hostile trees: nothing outside the folder is read, nothing stops the ingest, and every file left alone has its reason."""

import os
import sys
from pathlib import Path

import pytest

from assistant.assistant import Assistant
from assistant.settings import Settings
from ingest.pipeline import Report, ingest, wanted_source
from ingest.walk import DEEPEST, LARGEST, read, text_of, walk
from tests.ingest.trees import write_tree

SECRET = "the secret word is saxophone"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/secret.md").write_text(f"# Secret\n\n{SECRET}\n")
    (tmp_path / "outside/OWNERS").write_text("approvers:\n- saxophone\n")
    return write_tree(tmp_path / "tree", {"README.md": "# Tree\n\nAn honest page about clarinets.\n"})


def take(tmp_path: Path) -> tuple[Report, Assistant]:
    settings = Settings(index=tmp_path / "index")
    report = ingest(settings, sources=[wanted_source(tmp_path / "tree", "t")])
    return report, Assistant.open(settings)


def reasons(report: Report) -> dict[str, str]:
    return {visit.path: visit.reason for visit in report.sources[0].skipped}


def stored(assistant: Assistant) -> str:
    records = assistant.index.records
    return "\n".join([*(d.text for d in records.documents("t")), *(f.listing for f in records.folders("t"))])


def test_links_lead_nowhere(root: Path, tmp_path: Path) -> None:
    (root / "file.md").symlink_to(tmp_path / "outside/secret.md")
    (root / "relative.md").symlink_to("../outside/secret.md")
    (root / "folder").symlink_to(tmp_path / "outside")
    (root / "loop").symlink_to(root)
    (root / "self").symlink_to("self")
    (root / "sub").mkdir()
    (root / "sub/up").symlink_to("..")
    (root / "OWNERS").symlink_to(tmp_path / "outside/OWNERS")
    (root / "go.mod").symlink_to(tmp_path / "outside/secret.md")
    (root / ".git").symlink_to(tmp_path / "outside")
    report, assistant = take(tmp_path)
    assert "saxophone" not in stored(assistant) and report.sources[0].source.title == "tree"
    assert {"file.md", "folder", "loop", "self"} <= set(assistant.index.records.folder("t", ".").files)  # type: ignore[union-attr]
    assert read(root, "file.md") == os.strerror(40).lower() if sys.platform == "linux" else isinstance(read(root, "file.md"), str)


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser reads everything")
def test_unreadable_files_and_folders_are_rows(root: Path, tmp_path: Path) -> None:
    write_tree(root, {"locked.md": "x\n", "closed/a.md": "y\n"})
    (root / "locked.md").chmod(0)
    (root / "closed").chmod(0)
    try:
        report, _ = take(tmp_path)
    finally:
        (root / "closed").chmod(0o700)
    assert reasons(report) == {"locked.md": "permission denied", "closed": "permission denied"}


def test_a_file_that_fails_to_read_is_a_row(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_tree(root, {"bad.md": "x\n"})
    import ingest.walk

    opened = os.open

    def failing(path: object, *rest: int, **options: object) -> int:
        if str(path).endswith("bad.md"):
            raise PermissionError(13, "Permission denied")
        return opened(path, *rest, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(ingest.walk.os, "open", failing)
    report, assistant = take(tmp_path)
    assert reasons(report) == {"bad.md": "permission denied"} and "clarinets" in stored(assistant)
    assert "skipped 'bad.md': permission denied" in str(report)


def test_odd_bytes(root: Path, tmp_path: Path) -> None:
    (root / "nul.md").write_bytes(b"# A\n\nnul \0 byte\n")
    (root / "latin.md").write_bytes("# B\n\nna\u00efve\n".encode("latin-1"))
    (root / "utf16.txt").write_bytes("caf\u00e9 society".encode("utf-16"))
    (root / "crlf.md").write_bytes(b"# C\r\n\r\nOne line.\r\nAnother line.\r\n\r\n- item one\r\n- item two\r\n")
    (root / "bare.md").write_bytes(b"# D\n\nOne\rtwo\rthree words here.\n\nThe last paragraph of it.\n")
    (root / "bom.md").write_bytes("\ufeff# E\n\nA page that begins with a mark.\n".encode())
    (root / "empty.md").write_bytes(b"")
    (root / "image.png").write_bytes(bytes(range(256)))
    with (root / "huge.md").open("wb") as file:
        file.truncate(200_000_000)
    os.mkfifo(root / "pipe.md")
    report, assistant = take(tmp_path)
    assert reasons(report) == {
        "nul.md": "binary (it holds a NUL byte)", "latin.md": "not UTF-8 (byte 8)", "utf16.txt": "binary (it holds a NUL byte)",
        "huge.md": f"200,000,000 bytes, more than the {LARGEST:,} that are read",
    }
    index = assistant.index
    for chunk in index.chunks:
        document = index.document(chunk)
        assert document.text[chunk.start : chunk.end] == chunk.text
        if chunk.source == "t":
            assert (root / chunk.path).read_bytes().decode() == document.text
    lines = {(c.path, c.text): (c.start_line, c.end_line) for c in index.chunks if c.source == "t"}
    assert lines["crlf.md", "One line.\r\nAnother line."] == (3, 4)
    assert lines["bare.md", "The last paragraph of it."] == (5, 5)
    assert next(c for c in index.chunks if c.path == "bom.md").headings[-1] == "E"


NAMES = ["with space.md", "new\nline.md", "quote'\".md", "<b>html<b>.md", "中文 文档.md", "back\\slash.md", "semi;rm -rf.md", "%s{path}.md", "-dash.md", "#hash?.md"]


def test_odd_names(root: Path, tmp_path: Path) -> None:
    for number, name in enumerate(NAMES):
        write_tree(root, {f"odd/{name}": f"# N\n\nThe unusual word of file {number} is piccolo{number}.\n"})
    with open(os.fsencode(root) + b"/bad-\xff.md", "wb") as file:
        file.write(b"# X\n\nnever read\n")
    report, assistant = take(tmp_path)
    assert list(reasons(report).values()) == ["its name is not UTF-8"] and str(report)
    index = assistant.index
    assert set(index.records.folder("t", "odd").files) == set(NAMES)  # type: ignore[union-attr]
    from assistant.recheck import recheck_answer

    for number, name in enumerate(NAMES):
        answer = assistant.ask(f"What is the unusual word of file piccolo{number}?", sources=["t"])
        assert answer.answered and answer.citations[0].path == f"odd/{name}"
        assert [row["standing"] for row in recheck_answer(answer.to_json(), assistant)] == ["exact"] * len(answer.citations)


def test_deep_nesting_ends(root: Path, tmp_path: Path) -> None:
    path = root
    for _ in range(DEEPEST + 20):
        path = path / "d"
        path.mkdir()
    (path / "deep.md").write_text(f"# Deep\n\n{SECRET}\n")
    report, assistant = take(tmp_path)
    assert list(reasons(report).values()) == [f"deeper than {DEEPEST} directories"]
    assert assistant.index.records.folder_count("t") == DEEPEST + 1


@pytest.mark.parametrize("text", ["[" * 20_000, "> " * 5_000 + "x", "- " * 2_000 + "x", "*a_ " * 20_000, "`" * 30_000, "| " * 20_000, "<!-- " * 10_000, "#" * 5 + " x\n" * 5_000])
def test_markdown_bombs_end_soon(root: Path, tmp_path: Path, text: str) -> None:
    write_tree(root, {"bomb.md": f"# B\n\n{text}\n"})
    report, assistant = take(tmp_path)
    assert report.seconds < 20 and "clarinets" in stored(assistant)


def test_a_walk_sees_what_is_there(root: Path) -> None:
    write_tree(root, {"a/b/c.md": "x", "a/d.md": "y", ".git/config": "z"})
    walked = walk(root)
    assert [folder.path for folder in walked.folders] == [".", "a", "a/b"]
    assert [found.path for found in walked.files] == ["README.md", "a/d.md", "a/b/c.md"] and walked.problems == ()
    assert text_of(b"ok") == ("ok", "") and text_of(b"\xff")[0] is None
