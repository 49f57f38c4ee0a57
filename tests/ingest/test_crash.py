"""Killed, out of room, two at once, read meanwhile: the old index answers until the new one is whole."""

import os
import resource
import shutil
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from filelock import FileLock

from assistant.assistant import Assistant
from assistant.errors import SettingsError
from assistant.index import current_generation
from assistant.settings import Settings
from ingest.pipeline import ingest, wanted_source
from tests.ingest.trees import FILES, write_tree

ROOT = Path(__file__).parent.parent.parent
QUESTION = "Which word is played in the orchestra pit?"
POINTS = (
    ("ingest.pipeline._write", "before"), ("assistant.generation.write_records", "before"), ("assistant.records._chunk_rows", "after"),
    ("assistant.generation.write_records", "after"), ("assistant.store.VectorStore.create", "after"), ("assistant.lexical.LexicalIndex.build", "before"),
    ("assistant.generation._write_json", "before"), ("assistant.generation._write_json", "after"), ("assistant.generation._point_to", "before"),
    ("os.replace", "before"), ("os.replace", "after"), ("shutil.rmtree", "before"), ("assistant.generation._point_to", "after"),
)
KILLER = """
import importlib, os, signal, sys
point, when, root, index = sys.argv[1:5]
module, _, name = point.rpartition(".")
owner = importlib.import_module(module) if module in ("os", "shutil") or module.count(".") == 1 and not module.split(".")[-1][0].isupper() else None
if owner is None:
    home, _, cls = module.rpartition(".")
    owner = getattr(importlib.import_module(home), cls)
call = getattr(owner, name)
def deadly(*a, **k):
    if when == "before": os.kill(os.getpid(), signal.SIGKILL)
    result = call(*a, **k)
    os.kill(os.getpid(), signal.SIGKILL)
    return result
setattr(owner, name, deadly)
from pathlib import Path
from assistant.settings import Settings
from ingest.pipeline import ingest, wanted_source
ingest(Settings(index=Path(index)), sources=[wanted_source(Path(root), "v1")])
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return write_tree(tmp_path / "tree", FILES)


@pytest.fixture
def settings(tmp_path: Path, root: Path) -> Settings:
    settings = Settings(index=tmp_path / "index")
    ingest(settings)  # a generation that the next but one removes
    ingest(settings, sources=[wanted_source(root, "v1")])
    return settings


def change(root: Path) -> None:
    write_tree(root, {"docs/pit.md": "# Pit\n\nThe word that is played in the orchestra pit is bassoon.\n"})


@pytest.mark.parametrize(("point", "when"), POINTS)
def test_killed_at_every_step(settings: Settings, root: Path, point: str, when: str) -> None:
    old = current_generation(settings.index)
    change(root)
    arguments = [sys.executable, "-c", KILLER, point, when, str(root), str(settings.index)]
    process = subprocess.run(arguments, cwd=ROOT, capture_output=True, text=True, check=False)
    assert process.returncode == -signal.SIGKILL, process.stderr
    assistant = Assistant.open(settings)
    assistant.index.check()
    assert assistant.ask("kubelet 是什么？").answered
    new = current_generation(settings.index) != old
    assert any("bassoon" in d.text for d in assistant.index.documents) == new
    report = ingest(settings, sources=[wanted_source(root, "v1")])
    assert report.changed != new
    assert "bassoon" in assistant.ask(QUESTION, sources=["v1"]).answer
    assert len(list((settings.index / "generations").iterdir())) <= 3


@pytest.mark.parametrize("room", [200_000, 1_000_000])
def test_a_full_disk_is_named_and_the_old_index_answers(settings: Settings, root: Path, room: int) -> None:
    old = current_generation(settings.index)
    change(root)
    write_tree(root, {f"docs/filler{n}.md": f"# Filler {n}\n\n" + f"Sentence {n} of the filler text. " * 400 for n in range(120)})

    def little_room() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (room, room))

    process = subprocess.run(
        [sys.executable, "-m", "ingest", "--source", str(root), "--name", "v1", "--index", str(settings.index)],
        cwd=ROOT, capture_output=True, text=True, check=False, preexec_fn=little_room,
    )
    assert process.returncode == 1 and process.stderr.strip().splitlines()[-1].startswith("Error: the index in"), process.stderr
    assert current_generation(settings.index) == old
    assert Assistant.open(settings).ask("kubelet 是什么？").answered
    assert ingest(settings, sources=[wanted_source(root, "v1")]).changed


def test_a_second_ingest_waits_or_says_who_holds_the_lock(settings: Settings, root: Path) -> None:
    change(root)
    with FileLock(settings.index / "lock"), pytest.raises(SettingsError, match=r"another ingest holds .*lock; wait"):
        ingest(settings, sources=[wanted_source(root, "v1")], wait=0.2)
    commands = [[sys.executable, "-m", "ingest", "--source", str(root), "--name", name, "--index", str(settings.index)] for name in ("one", "two")]
    processes = [subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) for command in commands]
    assert [process.wait(timeout=100) for process in processes] == [0, 0]
    for process in processes:
        process.communicate()
    assert {s.name for s in Assistant.open(settings).index.sources} == {"article", "v1", "one", "two"}


def test_readers_never_see_half_an_index(settings: Settings, root: Path) -> None:
    assistant, wrong, stop = Assistant.open(settings), [], threading.Event()

    def read() -> None:
        while not stop.is_set():
            answer = assistant.ask("kubelet 是什么？", sources=["article"])
            if not answer.answered:
                wrong.append(answer)
            fresh = Assistant.open(settings)
            texts = " ".join(d.text for d in fresh.index.documents if d.path.startswith("docs/round"))
            if sorted(texts.split("round ")[1:]) and len({part.split()[0] for part in texts.split("round ")[1:]}) != 1:
                wrong.append(texts)

    thread = threading.Thread(target=read)
    thread.start()
    try:
        for number in range(4):
            write_tree(root, {f"docs/round{name}.md": f"# R\n\nThis is round {number} of the test.\n{name}\n" for name in "abc"})
            ingest(settings, sources=[wanted_source(root, "v1")])
    finally:
        stop.set()
        thread.join()
    assert wrong == []
    time.sleep(0.01)
    assert os.path.exists(settings.index / "current")


def test_many_threads_open_a_new_index_at_once(settings: Settings, tmp_path: Path) -> None:
    for number in range(6):
        copy = shutil.copytree(settings.index, tmp_path / f"copy{number}")
        together = threading.Barrier(8)

        def ask(copy: Path = copy, together: threading.Barrier = together) -> bool:
            together.wait()
            return Assistant.open(Settings(index=copy)).ask("kubelet 是什么？").answered

        with ThreadPoolExecutor(8) as pool:
            assert all(f.result() for f in [pool.submit(ask) for _ in range(8)])


def test_an_index_that_is_gone_is_let_go(settings: Settings, tmp_path: Path) -> None:
    copy = shutil.copytree(settings.index, tmp_path / "copy")
    assert Assistant.open(Settings(index=copy)).ask("kubelet 是什么？").answered
    shutil.rmtree(copy)
    assert Assistant.open(settings).ask("kubelet 是什么？").answered
    held = [name for name in os.listdir("/proc/self/fd") if str(copy) in os.path.realpath(f"/proc/self/fd/{name}")] if os.path.isdir("/proc/self/fd") else []
    assert not [name for name in held if "chroma" in os.path.realpath(f"/proc/self/fd/{name}")]
