"""Questions on a tree: answered exactly, cited, and never instead of the article's own answers."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from assistant.assistant import Assistant
from assistant.datamodels import Answer, Turn
from assistant.owners import groups_of
from assistant.paths import named_in
from assistant.places import compound
from assistant.recheck import recheck_answer
from assistant.settings import Settings
from ingest.pipeline import ingest, wanted_source
from tests.ingest.trees import FILES, write_tree

OLD = {path: text for path, text in FILES.items() if not path.startswith(("cmd/kubeadm", "staging/"))} | {
    "translations/README.md": "# Translations\n\nLanguage packs of the old version.\n", "WORKSPACE": "x\n"
}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tree(tmp_path_factory.mktemp("tree") / "kubernetes")


@pytest.fixture(scope="module")
def settings_of_tree(root: Path) -> Settings:
    settings = Settings(index=root.parent / "index")
    ingest(settings, sources=[wanted_source(root, "v1.28")])
    return settings


@pytest.fixture(scope="module")
def guide(settings_of_tree: Settings) -> Iterator[Assistant]:
    yield Assistant.open(settings_of_tree)


def cited(answer: Answer) -> list[tuple[str, str, int | None]]:
    return [(c.source, c.path, c.start_line) for c in answer.citations]


@pytest.mark.parametrize(
    ("question", "paths", "said"),
    [
        ("what is in `pkg/scheduler`?", ["pkg/scheduler"], ["`framework/`", "`README.md`", "`scheduler.go`", "assigns Pods to Nodes"]),
        ("pkg/scheduler 目录下有哪些内容？", ["pkg/scheduler"], ["`framework/`", "1 个目录、2 个文件"]),
        ("list what sits in build", ["build"], []),
        ("which components does `cmd` hold in this tree?", ["cmd"], ["`kubeadm/`", "`kubelet/`", "`kubectl/`"]),
        ("这个版本的 cmd 目录里有哪些组件？", ["cmd"], ["`kubeadm/`", "`kubelet/`"]),
        ("where does kubeadm live?", ["cmd/kubeadm"], ["`cmd/kubeadm`"]),
        ("kubeadm 的代码在哪个目录？", ["cmd/kubeadm"], ["`cmd/kubeadm`"]),
        ("where does the eviction code of the kubelet live?", ["pkg/kubelet/eviction"], ["`pkg/kubelet/eviction`"]),
        ("调度器的插件放在哪个目录？", ["pkg/scheduler/framework/plugins"], ["`pkg/scheduler/framework/plugins`"]),
        ("where is noderestriction?", ["plugin/pkg/admission/noderestriction"], []),
        ("location of the node restriction admission plugin", ["plugin/pkg/admission/noderestriction"], []),
        ("kubelet 里负责驱逐的代码放在哪个目录？", ["pkg/kubelet/eviction"], ["`pkg/kubelet/eviction`"]),
        ("Is there still a dockershim directory in the kubelet?", ["pkg/kubelet"], ["no `pkg/kubelet/dockershim`"]),
        ("I just cloned it. What top level directories will I see?", ["."], ["`cmd/`", "`pkg/`"]),
        ("is there still a `translations` directory?", [".", "staging/src/k8s.io/kubectl/pkg/util/i18n/translations"], ["no `translations`"]),
        ("根目录现在还有 translations 文件夹吗？", ["."], ["没有 `translations`"]),
        ("does pkg/kubelet/dockershim exist", ["pkg/kubelet"], ["no `pkg/kubelet/dockershim`"]),
        ("pkg/kubelet/dockershim 还在吗", ["pkg/kubelet"], ["没有 `pkg/kubelet/dockershim`"]),
        ("Is pkg/kubelet/eviction a real path?", ["pkg/kubelet/eviction"], ["`pkg/kubelet/eviction` is in v1.28"]),
        ("Is there a WORKSPACE file at the top level?", ["."], ["no `workspace`"]),
        ("what is pkg/scheduler/framework/plugins for?", ["pkg/scheduler/framework/plugins"], ["Every in-tree scheduling plugin"]),
        ("Is glusterfs still in pkg/scheduler/framework/plugins?", ["pkg/scheduler/framework/plugins"], ["no `pkg/scheduler/framework/plugins/glusterfs`"]),
        ("这个版本里还有 dockershim 吗？", [], ["没有 `dockershim`"]),
        ("does this checkout have a noderestriction of its own?", ["plugin/pkg/admission/noderestriction"], ["`plugin/pkg/admission/noderestriction` is in v1.28"]),
        ("which files does the kubelet's eviction code consist of?", ["pkg/kubelet/eviction"], []),
        ("does the tree have a BUILD.bazel", [], ["no `build.bazel`"]),
        ("kubeadm 还在 cmd 目录下吗？", ["cmd/kubeadm"], ["`cmd/kubeadm`"]),
        ("how many directories are in pkg/kubelet?", ["pkg/kubelet"], ["1 directory and 2 files"]),
        ("pkg/scheduler目录下有哪些内容？", ["pkg/scheduler"], ["1 个目录、2 个文件"]),
        ("pkg/scheduler里面都有什么", ["pkg/scheduler"], ["1 个目录、2 个文件"]),
        ("这个版本的cmd目录里有哪些组件？", ["cmd"], ["`kubeadm/`", "`kubelet/`"]),
        ("kubeadm的代码在哪个目录？", ["cmd/kubeadm"], ["`cmd/kubeadm`"]),
        ("pkg/kubelet/dockershim还在吗", ["pkg/kubelet"], ["没有 `pkg/kubelet/dockershim`"]),
        ("这个版本里还有dockershim吗？", [], ["没有 `dockershim`"]),
    ],
)
def test_the_tree_answers(guide: Assistant, question: str, paths: list[str], said: list[str]) -> None:
    answer = guide.ask(question)
    assert answer.answered and all(text in answer.answer for text in said), answer.answer
    assert {path for source, path, line in cited(answer) if source == "v1.28" and line is None} >= set(paths)
    assert {row["standing"] for row in recheck_answer(answer.to_json(), guide)} == {"exact"}
    for citation in answer.citations:
        if citation.start_line is None:
            assert citation.start_char is citation.end_char is citation.end_line is None
            folder = guide.index.records.folder(citation.source, citation.path)
            assert folder is not None and citation.quote == folder.listing and citation.sha256 == folder.sha256


def test_what_stands_in_a_directory_is_said_whole(guide: Assistant, root: Path) -> None:
    for folder in guide.index.records.folders("v1.28"):
        there = {f"{p.name}/" if p.is_dir() else p.name for p in (root / folder.path).iterdir()}
        assert set(folder.listing.split("\n")) == there
        if "/" in folder.path and folder.path.count("/") < 4:
            answer = guide.ask(f"what is in {folder.path}?", sources=["v1.28"])
            assert all(f"`{name}`" in answer.answer for name in there), answer.answer


def test_owners_and_their_aliases(guide: Assistant) -> None:
    answer = guide.ask("who owns pkg/kubelet?")
    assert all(text in answer.answer for text in ("`sig-node-approvers`", "`area/kubelet`", "`sig/node`", "`alice`", "`bob`"))
    assert "carol" not in answer.answer and "root-approver" not in answer.answer
    assert ("v1.28", "pkg/kubelet/OWNERS", 1) in cited(answer) and ("v1.28", "OWNERS_ALIASES", 2) in cited(answer)
    assert "root-approver" in guide.ask("谁负责维护 pkg/scheduler？").answer


def test_make_targets(guide: Assistant) -> None:
    answer = guide.ask("Which make targets are there?")
    assert [line for line in answer.answer.splitlines() if line.startswith("- ")] == [
        "- `make all`: Build code. [1]", "- `make quick-verify`: Run the fast checks. [2]", "- `make clean`: Remove what was built. [3]"
    ]
    assert all(c.path == "Makefile" and c.start_line for c in answer.citations)
    for question in ("make quick-verify 是做什么的？", "make quick-verify是做什么的？"):
        assert "Run the fast checks." in guide.ask(question, sources=["v1.28"]).answer


@pytest.mark.parametrize(
    "question",
    ["pkg/scheduler 一共多少行代码？", "What is the default timeout in build/run.sh?", "print the contents of /etc/passwd", "where is the moon?",
     "Which port does pkg/kubelet listen on?", "hack/verify.sh 的第二个参数填什么？"],
)
def test_what_a_listing_cannot_say_is_not_said(guide: Assistant, question: str) -> None:
    assert not any(c.start_line is None for c in guide.ask(question).citations)


def test_a_follow_up_names_the_directory(guide: Assistant) -> None:
    answer = guide.ask("pkg/kubelet 呢？", [Turn("pkg/scheduler 目录下有哪些内容？")])
    assert "`eviction/`" in answer.answer


def test_the_article_answers_as_without_a_tree(guide: Assistant, assistant: Assistant) -> None:
    for question in ("pkg 目录里放什么？", "Where is the test code?", "kubelet 是什么？", "How do I build only kubectl?", "哪个目录放语言包？"):
        alone, beside = assistant.ask(question), guide.ask(question)
        assert cited(beside)[0] == cited(alone)[0]  # further statements may be near ties, which the 8-bit states move a little
        assert alone.answer.split(" [")[0].removeprefix("- ") in beside.answer


def test_only_the_sources_asked_for_answer(guide: Assistant) -> None:
    question = "what is in the test folder?"
    assert {c.source for c in guide.ask(question).citations} == {"article", "v1.28"}
    assert {c.source for c in guide.ask(question, sources=["v1.28"]).citations} == {"v1.28"}
    assert {c.source for c in guide.ask(question, sources=["article"]).citations} == {"article"}
    gone = "is there a translations directory at the root?"
    assert {c.source for c in guide.ask(gone, sources=["v1.28"]).citations} == {"v1.28"} < {c.source for c in guide.ask(gone).citations}


def test_versions_that_disagree_are_told_apart(tmp_path: Path, root: Path) -> None:
    settings = Settings(index=tmp_path / "index")
    old = write_tree(tmp_path / "old", OLD)
    ingest(settings, sources=[wanted_source(root, "v1.28"), wanted_source(old, "v1.13")])
    guide = Assistant.open(settings)
    answer = guide.ask("is there a translations directory at the root?")
    assert "v1.28 has no `translations` at its top" in answer.answer and "`translations` is in v1.13" in answer.answer
    assert "The article lists `translations`" in answer.answer
    only = guide.ask("is there a translations directory in v1.13?")
    assert "v1.28" not in only.answer and "`translations` is in v1.13" in only.answer
    same = guide.search("assigns Pods to Nodes", sources=["v1.28", "v1.13"])
    assert len([p for p in same if p.chunk.text == "The scheduler assigns Pods to Nodes."]) == 1


def test_a_moved_directory_is_noticed(tmp_path: Path) -> None:
    settings = Settings(index=tmp_path / "index")
    root = write_tree(tmp_path / "kubernetes")
    ingest(settings, sources=[wanted_source(root, "v1")])
    guide = Assistant.open(settings)
    record = guide.ask("what is in pkg/kubelet?", sources=["v1"]).to_json()
    directory = next(c["id"] for c in record["citations"] if c["start_line"] is None)

    def standing() -> str:
        ingest(settings, sources=[wanted_source(root, "v1")])
        guide._follow_index()
        return next(str(row["standing"]) for row in recheck_answer(record, guide) if row["id"] == directory)

    write_tree(root, {"pkg/kubelet/extra.go": "package kubelet\n"})
    assert standing() == "exact"
    (root / "pkg/kubelet/OWNERS").unlink()
    assert standing() == "changed"
    (root / "pkg/kubelet").rename(root / "pkg/kublet")
    assert standing() == "missing"


def test_names_in_questions() -> None:
    def names(text: str) -> list[str]:
        return [named.text for named in named_in(text)]

    assert names("what is in `pkg/scheduler`?") == ["pkg/scheduler"]
    assert names("is ./build/run.sh there, and staging/src/k8s.io/api/?") == ["build/run.sh", "staging/src/k8s.io/api"]
    assert names("还有 translations 目录吗") == ["translations"] and names("the test folder") == ["test"]
    assert names("which directory is it") == [] and names("read/write and 1/2 of tcp/udp") == ["read/write"]


def test_owners_files() -> None:
    text = "# a remark\napprovers:\n  - one # first\n  - 'two'\nreviewers: []\nlabels: [a/b, c]\nfilters:\n  \".*\":\n    reviewers:\n    - three\noptions:\n  no_parent_owners: true\n"
    found = {group.key: group for group in groups_of(text)}
    assert {key: group.values for key, group in found.items()} == {"approvers": ("one", "two"), "labels": ("a/b", "c"), "reviewers": ("three",)}
    assert text[found["approvers"].start : found["approvers"].end] == "approvers:\n  - one # first\n  - 'two'"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("nodeshutdown", ("node", "shutdown")), ("tainttoleration", ("taint", "toleration")), ("topologymanager", ("topology", "manager")),
        ("controller", ()), ("eviction", ()), ("container", ()), ("cmd", ()),
    ],
)
def test_words_run_together_are_told_apart(name: str, words: tuple[str, ...]) -> None:
    assert compound(name) == words
