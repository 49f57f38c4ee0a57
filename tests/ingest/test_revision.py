"""The revision of a checkout, from `.git` folders made by hand and by git."""

import shutil
import subprocess
from pathlib import Path

import pytest

from assistant.datamodels import Source
from ingest.pipeline import ingest, wanted_source
from ingest.revision import permalinks, read_revision
from tests.ingest.trees import write_tree

A, B = "a" * 40, "b" * 40
CONFIG = '[core]\n\tbare = false\n[remote "origin"]\n\turl = git@github.com:somebody/kubernetes.git\n[remote "upstream"]\n\turl = https://github.com/kubernetes/kubernetes\n'


def git_folder(root: Path, files: dict[str, str]) -> Path:
    return write_tree(root, {f".git/{path}": text for path, text in ({"config": CONFIG, "HEAD": "ref: refs/heads/main\n"} | files).items()})


def test_loose_and_packed_references(tmp_path: Path) -> None:
    loose = read_revision(git_folder(tmp_path / "loose", {"refs/heads/main": f"{A}\n", "refs/tags/v1.28.0": f"{A}\n", "refs/tags/v1.28.0-rc.1": f"{A}\n"}))
    assert loose is not None and (loose.commit, loose.tag) == (A, "v1.28.0")
    packed = f"# pack-refs with: peeled fully-peeled sorted\n{B} refs/heads/main\n{A} refs/tags/v1.0.0\n^{B}\n{A} refs/tags/v0.9\n"
    found = read_revision(git_folder(tmp_path / "packed", {"packed-refs": packed}))
    assert found is not None and (found.commit, found.tag) == (B, "v1.0.0")
    detached = read_revision(git_folder(tmp_path / "detached", {"HEAD": f"{B}\n"}))
    assert detached is not None and (detached.commit, detached.tag) == (B, None)


def test_what_is_no_revision(tmp_path: Path) -> None:
    assert read_revision(tmp_path) is None
    assert read_revision(git_folder(tmp_path / "new", {})) is None
    assert read_revision(git_folder(tmp_path / "bad", {"HEAD": "ref: ../../outside\n"})) is None
    (tmp_path / "worktree").mkdir()
    (tmp_path / "worktree/.git").write_text(f"gitdir: {tmp_path / 'bad/.git'}\n")
    assert read_revision(tmp_path / "worktree") is None
    write_tree(tmp_path / "outside", {"main": f"{A}\n"})
    folder = git_folder(tmp_path / "linked", {})
    (folder / ".git/refs").mkdir()
    (folder / ".git/refs/heads").symlink_to(tmp_path / "outside")
    assert read_revision(folder) is None


@pytest.mark.parametrize(
    ("url", "repository"),
    [("https://github.com/kubernetes/kubernetes.git", "kubernetes/kubernetes"), ("git@github.com:me/k8s.git", "me/k8s"),
     ("ssh://git@github.com/me/k8s", "me/k8s"), ("https://user:secret@github.com/me/k8s", "me/k8s")],
)
def test_permalinks(url: str, repository: str) -> None:
    pattern = permalinks(f'[remote "origin"]\n\turl = {url}\n', A)
    source = Source("v1", "checkout", "k8s", A, url=pattern)
    assert source.permalink("build/README.md", 27, 30) == f"https://github.com/{repository}/blob/{A}/build/README.md#L27-L30"
    assert source.permalink("pkg/a b#c", 1, 1) == f"https://github.com/{repository}/blob/{A}/pkg/a%20b%23c#L1-L1"
    assert source.permalink("pkg") == f"https://github.com/{repository}/tree/{A}/pkg" and source.permalink(".") == f"https://github.com/{repository}/tree/{A}"
    assert "secret" not in str(pattern)


def test_other_remotes_give_no_links() -> None:
    assert permalinks('[remote "origin"]\n\turl = https://example.com/me/k8s.git\n', A) is None and permalinks("", A) is None
    assert str(permalinks(CONFIG, A)).startswith("https://github.com/kubernetes/kubernetes/blob/")


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
def test_a_repository_made_by_git(tmp_path: Path) -> None:
    root = write_tree(tmp_path / "kubernetes")

    def git(*arguments: str) -> str:
        command = ["git", "-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "init.defaultBranch=main", *arguments]
        return subprocess.run(command, cwd=root, check=True, capture_output=True, text=True).stdout.strip()

    git("init", "-q")
    git("remote", "add", "origin", "https://github.com/kubernetes/kubernetes.git")
    git("add", ".")
    git("commit", "-q", "-m", "first")
    git("tag", "-a", "v1.28.0", "-m", "release")
    revision = read_revision(root)
    assert revision is not None and (revision.commit, revision.tag, revision.dirty) == (git("rev-parse", "HEAD"), "v1.28.0", False)
    (root / "README.md").write_text("changed\n")
    assert read_revision(root).dirty is True  # type: ignore[union-attr]
    git("checkout", "-q", "README.md")
    git("gc", "-q")
    assert read_revision(root) == revision
    marker = tmp_path / "ran"
    git("config", "filter.evil.clean", f"touch {marker}; cat")
    (root / ".gitattributes").write_text("* filter=evil\n")
    (root / "README.md").write_text("changed again\n")
    assert read_revision(root).dirty is None and not marker.exists()  # type: ignore[union-attr]
    git("config", "--unset", "filter.evil.clean")
    git("config", "core.fsmonitor", f"touch {marker}; false")
    assert read_revision(root).dirty is None and not marker.exists()  # type: ignore[union-attr]


def test_citations_carry_links(tmp_path: Path) -> None:
    from assistant.assistant import Assistant
    from assistant.settings import Settings

    root = git_folder(write_tree(tmp_path / "kubernetes"), {"refs/heads/main": f"{A}\n"})
    settings = Settings(index=tmp_path / "index")
    report = ingest(settings, sources=[wanted_source(root, "v1")])
    assert "revision aaaaaaaaaaaa" in str(report)
    guide = Assistant.open(settings)
    lines = guide.ask("What does the workflow to add translations sketch?", sources=["v1"]).citations[0]
    assert lines.url == f"https://github.com/kubernetes/kubernetes/blob/{A}/{lines.path}#L{lines.start_line}-L{lines.end_line}"
    folder = guide.ask("what is in pkg/kubelet/eviction?").citations[0]
    assert folder.url == f"https://github.com/kubernetes/kubernetes/tree/{A}/pkg/kubelet/eviction"
    assert all(c.url is None for c in guide.ask("kubelet 是什么？").citations if c.source == "article")
