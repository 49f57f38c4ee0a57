# make chat    install, build the index, serve the chat
# make ask Q="kubelet 是什么？"
# make test    every test

PYTHON ?= python3
BIN := .venv/bin
export GRADIO_ANALYTICS_ENABLED := False
export HF_HUB_DISABLE_TELEMETRY := 1

.PHONY: chat ask install test evals

chat: install
	$(BIN)/python -m ingest
	$(BIN)/python -m assistant web $(ARGS)

ask: install
	@$(BIN)/python -m assistant ask "$(Q)"

install: .venv/installed

.venv/installed: requirements.lock pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements.lock
	touch $@

test: install
	$(BIN)/python -m pytest -q

evals: install
	$(BIN)/python -m evals --split dev
