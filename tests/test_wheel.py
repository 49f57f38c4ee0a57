"""A wheel of the project, in an empty environment, answers from any directory."""

import os
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

ROOT = Path(__file__).parent.parent


def test_the_wheel_holds_all_and_answers(tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(tmp_path), str(ROOT)], check=True, capture_output=True
    )
    wheel = next(tmp_path.glob("kubernetes_source_assistant-*.whl"))
    names = zipfile.ZipFile(wheel).namelist()
    for needed in ("corpus/terms.toml", "corpus/manifest.toml", "assistant/model/0_StaticEmbedding/model.safetensors", "assistant/web/style.css"):
        assert needed in names
    # The wheel alone is installed; its dependencies are those of this environment, put on the path.
    home = tmp_path / "env"
    venv.create(home, with_pip=False)
    packages = next(home.glob("lib/python*/site-packages"))
    zipfile.ZipFile(wheel).extractall(packages)
    (packages / "dependencies.pth").write_text(next(p for p in sys.path if p.endswith("site-packages")) + "\n")
    done = subprocess.run(
        [home / "bin" / "python", "-m", "assistant", "ask", "kubelet 是什么？"], cwd=tmp_path, capture_output=True,
        env=os.environ | {"ASSISTANT_INDEX": str(tmp_path / "index"), "PYTHONPATH": ""},
    )
    assert done.returncode == 0, done.stderr.decode()
    assert b"kubelet" in done.stdout and b"[1]" in done.stdout
