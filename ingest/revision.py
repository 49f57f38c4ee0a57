"""The revision of a checkout, read from its `.git` folder: commit, tag, remote, and whether files were modified.

Only files inside the given folder are read; a `.git` that points elsewhere (a worktree, a submodule)
is not followed. The git program is asked for two things that are not simple to read (modified
files, tags inside packs), and only where the repository's own settings cannot make it run anything.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from ingest.walk import read

COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
RUNS = re.compile(r"^\s*\[\s*(filter|include|includeif|extensions|alias|diff|merge)\b|\b(fsmonitor|worktree|hookspath|sshcommand|gitproxy)\b", re.I | re.M)
"""Settings of a repository that could make git run a program or look elsewhere."""
REMOTE = re.compile(r'^\s*\[remote "(?P<name>[^"\n]+)"\]\s*$(?P<body>(?:\n(?!\s*\[)[^\n]*)*)', re.M)
URL = re.compile(r"^\s*url\s*=\s*(\S+)\s*$", re.M)
GITHUB = re.compile(r"(?:https?://(?:[^@/\s]+@)?|ssh://git@|git@|git://)github\.com[/:](?P<path>[\w.-]+/[\w.-]+?)(?:\.git)?/?")
SECONDS = 20


@dataclass(frozen=True)
class Revision:
    """Where a checkout stands."""

    commit: str
    tag: str | None
    dirty: bool | None
    """Whether files that git knows were modified; None where that could not be told."""
    url: str | None
    """Permalink pattern with {path}, {start} and {end}; None unless the remote is on GitHub."""


def read_revision(root: Path) -> Revision | None:
    """Read the revision of a checkout; None when there is no `.git` folder in it or it has no commit."""
    folder = root / ".git"
    if folder.is_symlink() or not folder.is_dir():
        return None
    packed = _text(root, ".git/packed-refs")
    commit = _head(root, packed)
    if commit is None:
        return None
    config = _text(root, ".git/config")
    safe = not RUNS.search(config) and not (folder / "config.worktree").exists() and not (folder / "commondir").exists()
    tags = _tags(root, packed, commit) or (_git(root, "tag", "--points-at", "HEAD") or "").split() if safe else _tags(root, packed, commit)
    status = _git(root, "status", "--porcelain", "--untracked-files=no", "--ignore-submodules=all") if safe else None
    return Revision(commit, _best(tags), None if status is None else bool(status.strip()), permalinks(config, commit))


def permalinks(config: str, commit: str) -> str | None:
    """Pattern of the addresses of lines at a commit, from the remotes of a git configuration, `upstream` before `origin`."""
    remotes = {match["name"]: url[1] for match in REMOTE.finditer(config) if (url := URL.search(match["body"]))}
    for name in sorted(remotes, key=lambda name: (name != "upstream", name != "origin", name)):
        if match := GITHUB.fullmatch(remotes[name]):
            return f"https://github.com/{match['path']}/blob/{commit}/{{path}}#L{{start}}-L{{end}}"
    return None


def _head(root: Path, packed: str) -> str | None:
    head = _text(root, ".git/HEAD").strip()
    if not head.startswith("ref:"):
        return head if COMMIT.fullmatch(head) else None
    name = head.removeprefix("ref:").strip()
    if not re.fullmatch(r"refs/[^\s\\]+", name) or ".." in name:
        return None
    loose = _text(root, f".git/{name}").strip()
    if COMMIT.fullmatch(loose):
        return loose
    return next((line.split(" ", 1)[0] for line in packed.splitlines() if line.endswith(f" {name}") and COMMIT.match(line)), None)


def _tags(root: Path, packed: str, commit: str) -> list[str]:
    """Tags of a commit: loose ones, and packed ones, where `^` names what an annotated tag stands for."""
    found: list[str] = []
    name = ""
    for line in packed.splitlines():
        if line.startswith("^"):
            if line[1:] == commit and name:
                found.append(name)
        else:
            name = line.partition(" refs/tags/")[2]
            if name and line.startswith(commit):
                found.append(name)
    folder = root / ".git" / "refs" / "tags"
    if folder.is_dir() and not folder.is_symlink():
        for path in sorted(folder.iterdir())[:5_000]:
            if _text(root, f".git/refs/tags/{path.name}").strip() == commit:
                found.append(path.name)
    return found


def _best(tags: list[str]) -> str | None:
    """The tag to show: a release (`v1.28.0`) before a candidate (`v1.28.0-rc.1`) before any other."""
    return min(tags, key=lambda tag: (not re.fullmatch(r"v?\d+(\.\d+)+", tag), not re.match(r"v?\d", tag), tag), default=None)


def _text(root: Path, path: str) -> str:
    """A small file of the repository, '' when it cannot be read or lies behind a link."""
    if (root / path).parent.resolve() != (root.resolve() / path).parent:
        return ""
    data = read(root, path)
    return data.decode("utf-8", "replace") if isinstance(data, bytes) else ""


def _git(root: Path, *arguments: str) -> str | None:
    """What git prints; None without git or when it fails."""
    program = shutil.which("git")
    if program is None:
        return None
    settings = ["-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", "-c", "core.untrackedCache=false"]
    environment = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")} | {"GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0", "GIT_DIR": str(root / ".git"), "GIT_WORK_TREE": str(root)}
    try:
        done = subprocess.run(
            [program, *settings, *arguments], cwd=root, env=environment, capture_output=True, timeout=SECONDS, check=True, stdin=subprocess.DEVNULL
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.decode("utf-8", "replace")
