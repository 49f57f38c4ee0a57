"""One arrow between packages; one library in one module; heavy imports only where they are needed."""

import ast
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
HOMES = {
    "chromadb": {"assistant/store.py"},
    "gradio": {"assistant/web/__init__.py"},
    "sentence_transformers": {"assistant/models.py"},
    "bm25s": {"assistant/lexical.py"},
    "markdown_it": {"ingest/markdown.py"},
    "langchain": {"assistant/llm.py"},
    "langchain_core": {"assistant/llm.py", "assistant/adapters.py"},
    "langchain_text_splitters": {"evals/baseline.py"},
    "sqlite3": {"assistant/records.py", "assistant/cache.py"},
    "huggingface_hub": {"assistant/models.py"},
    "rapidfuzz": {"assistant/query.py", "assistant/paths.py"},
    "spellchecker": {"assistant/query.py"},
    "opencc": {"assistant/text.py"},
    "rjieba": {"assistant/text.py"},
    "tokenizers": {"assistant/static.py", "assistant/crossencoder.py"},
    "onnxruntime": {"assistant/crossencoder.py"},
}


def imports(package: str) -> list[tuple[str, str]]:
    """(file, top-level module imported) of every import in a package."""
    found = []
    for path in sorted((ROOT / package).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else [a.name for a in getattr(node, "names", [])]
            if isinstance(node, ast.Import | ast.ImportFrom):
                found += [(path.relative_to(ROOT).as_posix(), name.split(".")[0]) for name in names]
    return found


def test_arrows_point_one_way() -> None:
    assert {file for file, name in imports("assistant") if name in ("ingest", "evals")} == {"assistant/cli.py"}
    assert [file for file, name in imports("ingest") if name == "evals"] == []


def test_each_library_has_one_home() -> None:
    for package in ("assistant", "ingest", "evals"):
        for file, name in imports(package):
            assert file in HOMES.get(name, {file}), f"{file} imports {name}"


def loaded_after(code: str, settings_index: Path) -> set[str]:
    program = f"{code}\nimport sys; print(' '.join(sys.modules), file=sys.stderr)"
    result = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT,
        env={"PATH": "", "ASSISTANT_INDEX": str(settings_index), "HOME": str(settings_index)},
    )
    return set(result.stderr.split())


def test_help_is_light_and_a_question_never_loads_torch(settings) -> None:  # type: ignore[no-untyped-def]
    assert not {"torch", "chromadb", "gradio", "numpy"} & loaded_after("import assistant.cli", settings.index)
    asked = loaded_after("import assistant.cli; assistant.cli.main(['ask', 'kubelet 是什么？'])", settings.index)
    assert "chromadb" in asked and not {"torch", "gradio", "transformers"} & asked
