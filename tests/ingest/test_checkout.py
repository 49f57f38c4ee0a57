"""A folder as a source: what is read, what is left out, what is read again."""

import os
import time
from pathlib import Path

import pytest

from assistant.assistant import Assistant
from assistant.errors import CorpusError, SettingsError
from assistant.settings import Settings
from ingest.patterns import Choice, left_out, matches
from ingest.pipeline import Report, ingest, list_sources, wanted_source
from tests.ingest.trees import FILES, write_tree


def take(settings: Settings, root: Path, name: str = "v1", **options: object) -> Report:
    return ingest(settings, sources=[wanted_source(root, name, options.pop("choice", None))], **options)  # type: ignore[arg-type]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(index=tmp_path / "index")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return write_tree(tmp_path / "kubernetes")


def test_every_chunk_is_a_span_of_its_file(settings: Settings, root: Path) -> None:
    take(settings, root)
    index = Assistant.open(settings).index
    kinds = set()
    for chunk in index.chunks:
        document = index.document(chunk)
        assert document.text[chunk.start : chunk.end] == chunk.text
        assert (document.line_at(chunk.start), document.line_at(max(chunk.start, chunk.end - 1))) == (chunk.start_line, chunk.end_line)
        assert all(chunk.start <= s.start < s.end <= chunk.end for s in chunk.segments)
        if chunk.source == "v1":
            kinds.add(chunk.kind)
            assert (root / chunk.path).read_bytes().decode() == document.text
    assert kinds == {"paragraph", "code", "package", "target"}


def test_what_is_read_of_each_kind(settings: Settings, root: Path) -> None:
    take(settings, root)
    index = Assistant.open(settings).index
    chunks = {(c.path, c.name): c for c in index.chunks if c.source == "v1"}
    assert "drive the\n// Kubelet binary." in chunks["pkg/kubelet/doc.go", "pkg/kubelet"].text
    assert chunks["cmd/kubelet/kubelet.go", "cmd/kubelet"].start_line == 5
    assert chunks["Makefile", "all"].note == "Build code." and chunks["Makefile", "clean"].note == "Remove what was built."
    assert chunks["Makefile", "quick-verify"].note == "Run the fast checks." and ("Makefile", "undocumented") not in chunks
    assert not any(path.startswith(("vendor/", "CHANGELOG/")) or "zz_generated" in path for path, _ in chunks)
    assert {d.path: d.language for d in index.documents}["docs/guide.zh.md"] == "zh"
    notes = [c for c in index.chunks if c.path == "docs/notes.rst"]
    assert [(c.text, c.headings[-1]) for c in notes] == [
        ("The first note is about leases.", "Notes"), ("The second note is about quotas.", "More")
    ]


def test_the_kind_is_recognised_and_said(settings: Settings, root: Path, tmp_path: Path) -> None:
    write_tree(tmp_path / "blog", {"post.md": "# A post\n\nOf mice and men.\n"})
    report = ingest(settings, sources=[wanted_source(root, "v1"), wanted_source(tmp_path / "blog")])
    assert [(s.name, s.kind, s.title) for s in list_sources(settings)][1:] == [("v1", "checkout", "k8s.io/kubernetes"), ("blog", "documents", "blog")]
    assert "v1: checkout k8s.io/kubernetes" in str(report) and "blog: documents blog" in str(report)


def test_defaults_are_switchable(settings: Settings, root: Path) -> None:
    report = str(take(settings, root))
    assert "1 changelog" in report and "2 other projects' code" in report
    assert not Assistant.open(settings).ask("xylophone", sources=["v1"]).answered
    report = take(settings, root, choice=Choice(include=("CHANGELOG-*.md",), exclude=("docs/**",)))
    assert (report.sources[0].added, report.sources[0].removed) == (1, 2)
    index = Assistant.open(settings).index
    assert "CHANGELOG/CHANGELOG-1.28.md" in {d.path for d in index.documents} and not any(d.path.startswith("docs/") for d in index.documents)
    assert index.source("v1").include == ("CHANGELOG-*.md",)


@pytest.mark.parametrize(
    ("path", "pattern", "fits"),
    [("a/b/c.md", "*.md", True), ("a/b/c.md", "a/*.md", False), ("a/b/c.md", "a/**", True), ("a/c.md", "a/**/c.md", True), ("A/C.MD", "a/*.md", True),
     ("x[1].md", "x[1].md", True), ("a\nb.md", "*.md", True)],
)
def test_patterns(path: str, pattern: str, fits: bool) -> None:
    assert matches(path, (pattern,)) is fits


def test_what_is_left_out_has_a_reason() -> None:
    assert left_out("vendor/a/README.md") == "other projects' code" and left_out("pkg/a/testdata/x.md") == "test data"
    assert left_out("CHANGELOG/README.md") is None and left_out("pkg/README.md") is None


def test_only_what_changed_is_read_again(settings: Settings, root: Path) -> None:
    take(settings, root)
    again = take(settings, root)
    assert not again.changed and str(again).startswith("nothing changed") and again.sources[0].added == again.sources[0].updated == 0
    (root / "test/README.md").write_text("# Tests\n\nThe tests were rewritten in Zig.\n")
    (root / "docs/notes.rst").unlink()
    write_tree(root, {"docs/new.md": "# New\n\nA new page on trombones.\n"})
    os.utime(root / "README.md", (1, 1))
    seen: list[str] = []
    report = take(settings, root, progress=lambda what, count: seen.append(what))
    assert (report.sources[0].added, report.sources[0].updated, report.sources[0].removed) == (1, 1, 1)
    index = Assistant.open(settings).index
    paths = {d.path: d.text for d in index.documents if d.source == "v1"}
    assert "docs/notes.rst" not in paths and "Zig" in paths["test/README.md"] and "docs/new.md" in paths
    assert index.records.folder("v1", "docs").files == ("guide.zh.md", "new.md")  # type: ignore[union-attr]


def test_unchanged_files_are_not_opened(settings: Settings, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    take(settings, root)
    import ingest.checkout

    opened: list[str] = []
    read = ingest.checkout.read
    monkeypatch.setattr(ingest.checkout, "read", lambda r, path: opened.append(path) or read(r, path))
    (root / "test/README.md").write_text("# Tests\n\nThe tests were rewritten in Ada.\n")
    take(settings, root)
    assert set(opened) == {"test/README.md", "go.mod"}


def test_unchanged_chunks_are_not_embedded_again(settings: Settings, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    take(settings, root)
    from assistant.models import BundledEmbedder

    embedded: list[str] = []
    encode = BundledEmbedder.encode_passages
    monkeypatch.setattr(BundledEmbedder, "encode_passages", lambda self, texts: embedded.extend(texts) or encode(self, texts))
    (root / "test/README.md").write_text("# Tests\n\nThe tests were rewritten in Ada.\n")
    take(settings, root)
    assert len(embedded) == 1 and "Ada" in embedded[0]
    fresh = Settings(index=settings.index.with_name("fresh"))
    take(fresh, root)
    one, two = Assistant.open(settings).index, Assistant.open(fresh).index
    assert [c.id for c in one.chunks] == [c.id for c in two.chunks] and one.id == two.id
    assert abs(one.vectors() - two.vectors()).max() < 1e-6


def test_deleted_files_stop_answering_in_a_running_assistant(settings: Settings, root: Path) -> None:
    take(settings, root)
    assistant = Assistant.open(settings)
    question = "What does the workflow to add translations sketch?"
    assert assistant.ask(question, sources=["v1"]).citations[0].path.endswith("translations/README.md")
    (root / "staging/src/k8s.io/kubectl/pkg/util/i18n/translations/README.md").unlink()
    take(settings, root)
    assert not any("translations/README.md" in c.path for c in assistant.ask(question, sources=["v1"]).citations)


def test_sources_side_by_side_removed_and_refreshed(settings: Settings, root: Path, tmp_path: Path) -> None:
    other = write_tree(tmp_path / "other", FILES | {"test/README.md": "# Tests\n\nThe tests of the other version are here.\n"})
    take(settings, root)
    take(settings, other, "v2")
    assert [s.name for s in list_sources(settings)] == ["article", "v1", "v2"]
    (root / "cluster/README.md").write_text("# Cluster\n\nNow in maintenance mode.\n")
    assert not ingest(settings).changed  # the others stay as they were
    report = ingest(settings, refresh=True)
    assert {s.source.name: s.updated for s in report.sources} == {"v1": 1, "v2": 0}
    assert ingest(settings, remove=["v1"]).removed == ("v1",)
    assert [s.name for s in list_sources(settings)] == ["article", "v2"]
    with pytest.raises(SettingsError, match="holds no source 'v1'; it holds: v2"):
        ingest(settings, remove=["v1"])
    with pytest.raises(SettingsError, match="cannot be removed"):
        ingest(settings, remove=["article"])


def test_adding_a_source_changes_nothing_in_the_article(settings: Settings, root: Path) -> None:
    ingest(settings)
    before = Assistant.open(settings).search("调度器", sources=["article"])
    take(settings, root)
    after = Assistant.open(settings).search("调度器", sources=["article"])
    assert [(p.chunk, p.scores) for p in before] == [(p.chunk, p.scores) for p in after]


def test_a_rebuild_reads_the_sources_again(settings: Settings, root: Path) -> None:
    take(settings, root)
    (root / "cluster/README.md").write_text("# Cluster\n\nNow in maintenance mode.\n")
    assert ingest(settings, rebuild=True).sources[0].source.name == "v1"
    texts = {d.path: d.text for d in Assistant.open(settings).index.documents}
    assert "maintenance" in texts["cluster/README.md"]


def test_a_damaged_index_reads_its_sources_again_or_names_what_is_lost(settings: Settings, root: Path) -> None:
    take(settings, root)
    generation = (settings.index / "current").read_text().strip()
    (settings.index / "generations" / generation / "records.sqlite").write_bytes(b"")
    assert ingest(settings).sources[0].source.name == "v1"
    generation = (settings.index / "current").read_text().strip()
    (settings.index / "generations" / generation / "records.sqlite").write_bytes(b"")
    root.rename(root.with_name("moved"))
    report = ingest(settings)
    assert len(report.lost) == 1 and "v1" in report.lost[0] and [s.name for s in list_sources(settings)] == ["article"]


def test_names_and_folders_that_cannot_be_sources(settings: Settings, root: Path, tmp_path: Path) -> None:
    for name in ("article", "-x", "a/b", "a b"):
        with pytest.raises(SettingsError, match="cannot name a source"):
            wanted_source(root, name)
    with pytest.raises(CorpusError, match="is no folder"):
        take(settings, tmp_path / "nothing")
    with pytest.raises(CorpusError, match="is no folder"):
        take(settings, root / "README.md")


def test_a_small_change_is_quick(settings: Settings, root: Path) -> None:
    take(settings, root)
    begin = time.perf_counter()
    assert not take(settings, root).changed
    assert time.perf_counter() - begin < 3
