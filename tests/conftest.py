"""Shared fixtures: a real index in a temporary folder; sockets to other machines are refused."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from assistant.assistant import Assistant
from assistant.settings import Settings
from ingest.pipeline import ingest

LOOPBACK = ("127.", "::1", "localhost")


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    connect = socket.socket.connect

    def refuse(self: socket.socket, address: object) -> None:
        if isinstance(address, tuple) and not str(address[0]).startswith(LOOPBACK):
            raise AssertionError(f"a connection to {address} was tried")
        connect(self, address)  # type: ignore[arg-type]

    monkeypatch.setattr(socket.socket, "connect", refuse)


@pytest.fixture(scope="session")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    settings = Settings(index=tmp_path_factory.mktemp("index"))
    ingest(settings)
    return settings


@pytest.fixture(scope="session")
def assistant(settings: Settings) -> Iterator[Assistant]:
    yield Assistant.open(settings)


@pytest.fixture
def corpus_folder() -> Path:
    from ingest.corpus import bundled_folder

    return bundled_folder()
