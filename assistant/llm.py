"""Language models through LangChain's `init_chat_model`: one switch for every provider.

The only module that imports LangChain's chat models; what a provider raises becomes a ModelError of
one line here, with every key taken out. Nothing here knows of questions or passages.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from assistant.errors import ModelError

EXTRAS = {"openai": "openai", "anthropic": "anthropic", "google_genai": "google", "ollama": "ollama"}
"""Providers whose package is an extra of this project."""
SECONDS = 60
RETRIES = 2
"""Tries again after a rate limit or a dropped connection, with the provider's own back-off."""
ERRORS = (
    ("openai", "OpenAIError"), ("anthropic", "AnthropicError"), ("google.genai.errors", "APIError"),
    ("ollama", "ResponseError"), ("httpx", "HTTPError"), ("langchain_core.exceptions", "LangChainException"),
)
"""Base of what each provider's package raises; looked up only where the package was imported."""
SECRET_NAME = re.compile(r"KEY|TOKEN|SECRET|PASSWORD")
SECRET = re.compile(r"\b(sk|gsk|AIza|xox|key)[-_A-Za-z0-9]{12,}|(?<=Bearer )\S+")


class ContextTooLongError(ModelError):
    """The passages do not fit the model; fewer may."""


@dataclass
class Reply:
    """A model's answer as it arrives; `usage` is filled when it has ended."""

    deltas: Iterator[str]
    usage: dict[str, int] = field(default_factory=dict)

    def __iter__(self) -> Iterator[str]:
        return self.deltas


@dataclass(frozen=True)
class LanguageModel:
    """A chat model and the name it was asked for by, 'provider:model'."""

    name: str
    chat: Any

    def ask(self, system: str, user: str) -> Reply:
        """Send one request; iterate the reply for its text. Raises ModelError while iterating."""
        reply = Reply(iter(()))
        reply.deltas = self._deltas(system, user, reply.usage)
        return reply

    def _deltas(self, system: str, user: str, usage: dict[str, int]) -> Iterator[str]:
        from langchain_core.messages import HumanMessage, SystemMessage

        finish = None
        try:
            for part in self.chat.stream([SystemMessage(system), HumanMessage(user)]):
                for name, count in (getattr(part, "usage_metadata", None) or {}).items():
                    if isinstance(count, int):
                        usage[name] = usage.get(name, 0) + count
                finish = part.response_metadata.get("finish_reason") or finish
                yield str(part.text)
        except provider_errors() as exc:
            raise translate(exc, self.name) from None  # the provider's text may hold a key
        if finish == "length" or (finish is None and self.name.startswith("openai:")):
            raise ModelError(f"{self.name}: the reply was cut off before its end; what stood before that is shown")


def load_language_model(spec: str) -> LanguageModel:
    """Make the model that `provider:model` names.

    Raises ModelError when the provider is unknown, its package or its key is missing.
    """
    from langchain.chat_models import init_chat_model  # half a second, and only with a model configured

    provider, _, model = spec.partition(":")
    if not model:
        raise ModelError(f"ASSISTANT_LLM is {spec!r}; give provider:model, for example openai:gpt-4o-mini or ollama:qwen3")
    options: dict[str, Any] = {"temperature": 0, "timeout": SECONDS, "max_retries": RETRIES}
    if provider == "openai":
        options["stream_usage"] = True
    if provider == "ollama":
        options = {"temperature": 0, "client_kwargs": {"timeout": SECONDS}}
    try:
        return LanguageModel(spec, init_chat_model(model, model_provider=provider, **options))
    except ImportError as exc:
        extra = EXTRAS.get(provider)
        advice = f"pip install '.[{extra}]' in the folder of this project" if extra else redact(str(exc))
        raise ModelError(f"the package for {provider!r} models is not installed; type: {advice}") from None
    except provider_errors() as exc:
        raise translate(exc, spec) from None


def provider_errors() -> tuple[type[BaseException], ...]:
    """What a provider's package may raise, of the packages that are imported."""
    found = [getattr(sys.modules[module], name, None) for module, name in ERRORS if module in sys.modules]
    return (OSError, ValueError, TypeError, KeyError, *(error for error in found if isinstance(error, type)))


def translate(exc: BaseException, name: str) -> ModelError:
    """Say in one line what went wrong and what to do; no key is ever in it."""
    status = getattr(exc, "status_code", None) or getattr(exc, "code", None)
    said = redact(" ".join(str(exc).split()))[:160]
    kind = type(exc).__name__
    if re.search(r"context.{0,20}(length|window|size)|maximum context|too many tokens|exceed\w* (the )?(available )?context", said, re.I):
        return ContextTooLongError(f"{name}: the passages do not fit the model's context")
    if status in (401, 403) or re.search(r"api[_ ]key|credential|authenticat", said, re.I):
        return ModelError(f"{name}: the provider refuses the key or there is none; set its key variable, for example OPENAI_API_KEY")
    if status == 404:
        return ModelError(f"{name}: the provider knows no such model; see its list of models and set ASSISTANT_LLM")
    if status == 429:
        return ModelError(f"{name}: too many requests or no quota left, also after {RETRIES} more tries; wait, or use another model")
    if "Timeout" in kind or isinstance(exc, TimeoutError):
        return ModelError(f"{name}: no answer within {SECONDS} seconds; try again, or use a smaller model")
    if "Connect" in kind or isinstance(exc, OSError):
        return ModelError(f"{name}: the provider cannot be reached; check the network and its address, for example OPENAI_BASE_URL")
    return ModelError(f"{name}: {kind}: {said or 'no reason given'}")


def redact(text: str, environment: Mapping[str, str] | None = None) -> str:
    """Take keys out of a text: the values of variables that hold one, and what looks like one."""
    for name, value in (os.environ if environment is None else environment).items():
        if SECRET_NAME.search(name.upper()) and len(value) > 5:
            text = text.replace(value, "•••")
    return SECRET.sub("•••", text)
