"""The article against Kubernetes v1.28: every verdict, as checked by hand against the list of its paths.

`data/v1.28-paths.txt` holds the top of that tree and every path that ends in a name the article uses;
`data/drift-v1.28.tsv` the verdicts: line, kind, name, verdict, where it is now.
"""

import json
from pathlib import Path

import pytest

from assistant.assistant import Assistant
from assistant.settings import Settings
from ingest.__main__ import main
from ingest.pipeline import check_drift, ingest, wanted_source
from tests.ingest.trees import touch_paths, write_tree

DATA = Path(__file__).parent / "data"
FULL = Path(__file__).parent.parent.parent.parent / "shared" / "data" / "kubernetes-v1.28-tree.txt.gz"
EXPECTED = [tuple(line.split("\t")) for line in (DATA / "drift-v1.28.tsv").read_text(encoding="utf-8").splitlines()]
MAKEFILE = "OUT_DIR ?= _output\nall:\n\thack/make-rules/build.sh $(WHAT)\ncross:\n\thack/cross.sh\n"
README = "# Build\n\nThe script copies from `_output/dockerized/bin`; a local build writes to `_output/bin`.\n"


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """An index with those paths of v1.28, and a Makefile and README that say what the article's commands need."""
    folder = tmp_path_factory.mktemp("drift")
    root = touch_paths(folder / "kubernetes", DATA / "v1.28-paths.txt")
    write_tree(root, {"Makefile": MAKEFILE, "build/README.md": README})
    settings = Settings(index=folder / "index")
    ingest(settings, sources=[wanted_source(root, "v1.28")])
    return settings


def rows(settings: Settings, name: str = "v1.28") -> list[tuple[str, ...]]:
    return [(str(c.claim.line), c.claim.kind, c.claim.name, c.verdict, c.now or "") for c in check_drift(settings, name)[1]]


def test_every_verdict_on_v1_28(settings: Settings) -> None:
    assert rows(settings) == EXPECTED


def test_gone_and_moved_are_true_of_the_whole_tree(settings: Settings) -> None:
    if not FULL.is_file():
        pytest.skip("the list of all paths of v1.28 is not beside this checkout")
    import gzip

    with gzip.open(FULL, "rt", encoding="utf-8") as file:
        paths = {line.strip().rstrip("/") for line in file}
    for _, kind, name, verdict, now in EXPECTED:
        if kind == "path":
            assert (name in paths) == (verdict == "holds") and (not now or now in paths)
        if kind == "method" and verdict == "gone":
            assert not [path for path in paths if path.rpartition("/")[2] in ("WORKSPACE", "BUILD", "BUILD.bazel", "MODULE.bazel", ".bazelrc")]


def test_a_cited_line_carries_its_note(settings: Settings) -> None:
    assistant = Assistant.open(settings)
    now = "staging/src/k8s.io/kubectl/pkg/util/i18n/translations"
    for question, note in (
        ("translations 目录里放什么？", f"`translations` 不在 v1.28 的这个位置：现在是 `{now}`"),
        ("What does the translations directory hold?", f"`translations` is not in v1.28: now `{now}`"),
        ("Kubernetes 有哪几种构建方式？", "v1.28 里没有 Bazel 文件"),
    ):
        cited = [c for c in assistant.ask(question).citations if c.source == "article"]
        assert note in [c.note for c in cited], (question, cited)
    assert all(c.note is None for c in assistant.ask("kube-scheduler 的作用是什么？").citations)


def test_a_tree_with_bazel_files_raises_no_alarm(tmp_path: Path) -> None:
    root = touch_paths(tmp_path / "kubernetes", DATA / "v1.28-paths.txt")
    write_tree(root, {"WORKSPACE": "workspace()\n", "translations/BUILD": "files\n"})
    settings = Settings(index=tmp_path / "index")
    ingest(settings, sources=[wanted_source(root, "old")])
    verdicts = {(kind, name): verdict for _, kind, name, verdict, _ in rows(settings, "old")}
    assert verdicts["method", "Bazel"] == verdicts["path", "translations"] == "holds"
    assert verdicts["target", "all"] == "cannot tell"  # its Makefile is empty


def test_another_project_is_not_held_against_the_article(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_tree(tmp_path / "other", {"src/main.go": "package main\n", "README.md": "# Other\n\nAnother project altogether.\n", "go.mod": "module x\n"})
    settings = Settings(index=tmp_path / "index")
    ingest(settings, sources=[wanted_source(tmp_path / "other")])
    assert Assistant.open(settings).index.line_notes == {}
    assert main(["drift", "--index", str(settings.index)]) == 1
    assert "no Kubernetes tree" in capsys.readouterr().err
    assert main(["drift", "--source", "v9", "--index", str(settings.index)]) == 1
    assert "the index holds: other" in capsys.readouterr().err


def test_the_command_prints_tables_and_json(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["drift", "--index", str(settings.index)]) == 0
    out = capsys.readouterr()
    assert "translations\tmoved to staging/src/k8s.io/kubectl/pkg/util/i18n/translations" in out.out and "1 gone" in out.err
    assert main(["drift", "--json", "--source", "v1.28", "--index", str(settings.index)]) == 0
    records = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert len(records) == len(EXPECTED) and {r["verdict"] for r in records} == {"holds", "moved", "gone", "cannot tell"}
