"""Ingest: idempotent, killed at any point, mended."""

import json
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from assistant.assistant import Assistant
from assistant.errors import CorpusError, IndexMismatchError, IndexNotFoundError
from assistant.index import content_id, current_generation
from assistant.settings import Settings
from ingest.pipeline import ingest

ROOT = Path(__file__).parent.parent.parent


def test_a_second_ingest_changes_nothing(tmp_path: Path) -> None:
    settings = Settings(index=tmp_path / "index")
    assert ingest(settings).changed
    before = {path: path.stat().st_mtime_ns for path in settings.index.rglob("*.json")}
    report = ingest(settings)
    assert not report.changed and str(report).startswith("nothing changed")
    assert before == {path: path.stat().st_mtime_ns for path in settings.index.rglob("*.json")}


def test_no_index_is_named(tmp_path: Path) -> None:
    with pytest.raises(IndexNotFoundError, match="python -m ingest"):
        Assistant.open(Settings(index=tmp_path / "none"))


@pytest.mark.parametrize("name", ["manifest.json", "records.sqlite", "terms.json", "lexical-0-zh/size", "chroma/chroma.sqlite3"])
def test_a_damaged_index_is_named_and_mended(tmp_path: Path, name: str) -> None:
    settings = Settings(index=tmp_path)
    ingest(settings)
    victim = tmp_path / "generations" / str(current_generation(tmp_path)) / name
    victim.write_bytes(b"") if victim.suffix != ".sqlite3" else shutil.rmtree(victim.parent)
    with pytest.raises(IndexMismatchError, match="--rebuild"):
        Assistant.open(settings)
    assert ingest(settings).changed
    Assistant.open(settings)


def test_another_model_is_named(tmp_path: Path) -> None:
    settings = Settings(index=tmp_path)
    ingest(settings)
    path = tmp_path / "generations" / str(current_generation(tmp_path)) / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"embeddings": "other:768"}))
    with pytest.raises(IndexMismatchError, match=r"other:768.*--rebuild"):
        Assistant.open(settings)


def test_a_missing_corpus_file_is_named(tmp_path: Path, corpus_folder: Path) -> None:
    shutil.copytree(corpus_folder, tmp_path / "corpus")
    (tmp_path / "corpus" / "kubernetes-source-environment.en.md").unlink()
    with pytest.raises(CorpusError, match=r"kubernetes-source-environment\.en\.md"):
        ingest(Settings(index=tmp_path / "index"), corpus=tmp_path / "corpus")


@pytest.mark.parametrize("delay", [0.3, 0.6, 0.9, 1.1, 1.3, 1.5, 1.8])
def test_a_killed_rebuild_leaves_the_old_index_or_is_mended(tmp_path: Path, delay: float, corpus_folder: Path) -> None:
    settings = Settings(index=tmp_path / "index")
    ingest(settings)
    old = current_generation(settings.index)
    changed = tmp_path / "corpus"
    shutil.copytree(corpus_folder, changed)
    terms = changed / "terms.toml"
    terms.write_text(terms.read_text() + '\n[[term]]\nid = "made-up-term"\nkind = "tool"\nen = ["made-up-term"]\n')
    code = (
        "from pathlib import Path; from assistant.settings import Settings; from ingest.pipeline import ingest;"
        f"ingest(Settings(index=Path({str(settings.index)!r})), corpus=Path({str(changed)!r}))"
    )
    process = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT)
    time.sleep(delay)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assistant = Assistant.open(settings)
    assert assistant.ask("kubelet 是什么？").answered
    ingest(settings, corpus=changed)
    assert current_generation(settings.index) != old
    assert assistant.ask("kubelet 是什么？").index == content_id(str(current_generation(settings.index)))
