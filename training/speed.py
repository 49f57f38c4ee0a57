"""How fast the bundled model is, on one core, in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

PROGRAM = """
import json, sys, time
from pathlib import Path
begin = time.perf_counter()
from assistant.static import StaticModel
imported = time.perf_counter()
model = StaticModel.load(Path(sys.argv[1]))
model.encode(["warm"])
loaded = time.perf_counter()
queries, chunks = json.load(sys.stdin)
start = time.perf_counter()
for query in queries:
    model.encode([query])
asked = time.perf_counter()
model.encode(chunks)
done = time.perf_counter()
print(json.dumps({"imports_s": imported - begin, "load_s": loaded - imported,
                  "query_ms": (asked - start) / len(queries) * 1000, "chunks_per_s": len(chunks) / (done - asked)}))
"""


@dataclass(frozen=True)
class Speed:
    """Times of one run."""

    imports_s: float
    """Importing numpy, tokenizers and safetensors."""
    load_s: float
    """Loading the model and encoding a first text."""
    query_ms: float
    """Encoding one question, mean."""
    chunks_per_s: float


def measure_speed(folder: Path, queries: list[str], chunks: list[str]) -> Speed:
    """Time a model folder with one thread; the lists hold at least one text each."""
    environment = os.environ | {"TOKENIZERS_PARALLELISM": "false", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    result = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(folder)],
        input=json.dumps([queries, chunks]), capture_output=True, text=True, check=True, env=environment,
    )
    return Speed(**json.loads(result.stdout))
