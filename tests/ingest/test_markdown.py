"""Chunks are spans of their documents and follow their structure."""

from assistant.datamodels import Chunk, Document
from ingest.corpus import bundled_folder, read_corpus
from ingest.markdown import chunk_markdown

DOCUMENTS = read_corpus(bundled_folder()).documents
CHUNKS = {document.path: chunk_markdown(document) for document in DOCUMENTS}


def entry(name: str) -> Chunk:
    return next(c for c in CHUNKS["kubernetes-source-environment.md"] if c.kind == "entry" and c.name == name)


def test_every_chunk_and_segment_is_a_span() -> None:
    for document in DOCUMENTS:
        for chunk in CHUNKS[document.path]:
            assert document.text[chunk.start : chunk.end] == chunk.text
            assert chunk.segments
            for segment in chunk.segments:
                assert chunk.start <= segment.start < segment.end <= chunk.end
                assert document.text[segment.start : segment.end].strip() == document.text[segment.start : segment.end]


def test_ids_are_unique_and_stable() -> None:
    ids = [chunk.id for chunks in CHUNKS.values() for chunk in chunks]
    assert len(set(ids)) == len(ids)
    assert ids == [chunk.id for document in DOCUMENTS for chunk in chunk_markdown(document)]


def test_both_languages_are_cut_alike() -> None:
    shapes = [[(c.kind, c.start_line, c.end_line, len(c.segments), c.name) for c in chunks if c.name != "."] for chunks in CHUNKS.values()]
    assert shapes[0] == shapes[1]


def test_the_source_tree_becomes_entries() -> None:
    run = entry("build/run.sh")
    assert (run.start_line, run.note) == (19, "在容器中运行该脚本，后面可接多个命令：make, make cross 等")
    assert entry("pkg").children[:2] == ("pkg/kubeapiserver", "pkg/kubectl") and len(entry("pkg").children) == 8
    assert entry("plugin/pkg/auth").note == "鉴权" and entry("pkg/watch").note is None


def test_a_list_keeps_its_lead_in() -> None:
    lists = [c for c in CHUNKS["kubernetes-source-environment.en.md"] if c.kind == "list" and c.start_line == 126]
    assert lists[0].segments[0].kind == "lead" and {s.item for s in lists[0].segments[1:]} == {0, 1, 2}


def test_markdown_of_all_kinds() -> None:
    text = "---\nt: x\n---\n# A\r\n<!-- no -->\nOne e.g. this. Two!\n\n- a\n  - b\n\n        c\n\n| h | i |\n|---|---|\n| 1 | 2 |\n\nRun it:\n```sh\n$ make all\n```\n"
    document = Document("s", "a.md", "en", text)
    chunks = chunk_markdown(document)
    assert [c.kind for c in chunks] == ["paragraph", "list", "list", "code", "table", "paragraph", "code"]
    assert all(document.text[c.start : c.end] == c.text for c in chunks)
    assert [text[s.start : s.end] for s in chunks[0].segments] == ["One e.g. this.", "Two!"]
    assert [[(s.kind, text[s.start : s.end]) for s in chunk.segments] for chunk in chunks[1:4]] == [
        [("lead", "Two!"), ("item", "a")], [("lead", "a"), ("item", "b")], [("lead", "b"), ("command", "c")]
    ]
    assert [text[s.start : s.end] for s in chunks[-1].segments] == ["Run it:", "make all"]
