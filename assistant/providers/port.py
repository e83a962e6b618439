"""What a provider of a language model is given and gives back: text only, never tools."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol


class Stop(StrEnum):
    """Why the model stopped writing."""

    END = "end"
    LENGTH = "length"
    REFUSAL = "refusal"
    OTHER = "other"


class Failure(StrEnum):
    """Why there is no answer."""

    RATE_LIMITED = "rate_limited"
    OVERLOADED = "overloaded"
    SERVER_ERROR = "server_error"
    TIMED_OUT = "timed_out"
    UNREACHABLE = "unreachable"
    REJECTED = "rejected"  # key, model or request
    NOT_UNDERSTOOD = "not_understood"


PASSING = frozenset(
    {Failure.RATE_LIMITED, Failure.OVERLOADED, Failure.SERVER_ERROR, Failure.TIMED_OUT, Failure.UNREACHABLE}
)


@dataclass(frozen=True)
class Message:
    """`role` is user or assistant."""

    role: str
    text: str


@dataclass(frozen=True)
class Prompt:
    system: str
    messages: tuple[Message, ...]
    schema: Mapping[str, Any]


@dataclass(frozen=True)
class Limits:
    seconds: float
    max_tokens: int


@dataclass(frozen=True)
class Completion:
    """`tools_ignored` counts calls of tools in the answer: none was offered, none is carried out."""

    text: str
    tokens_in: int
    tokens_out: int
    model: str
    stop: Stop
    tools_ignored: int = 0


class ProviderFailed(Exception):
    """No answer. The message holds nothing that the provider said, which may repeat the prompt or the key."""

    def __init__(
        self, failure: Failure, *, status: int = 0, retry_after: float | None = None, may_be_charged: bool = False
    ) -> None:
        super().__init__(f"{failure.value}{f' ({status})' if status else ''}")
        self.failure = failure
        self.status = status
        self.retry_after = retry_after  # seconds
        self.may_be_charged = may_be_charged

    @property
    def is_passing(self) -> bool:
        return self.failure in PASSING


class Provider(Protocol):
    @property
    def name(self) -> str: ...

    @property
    def model(self) -> str: ...

    def complete(self, prompt: Prompt, limits: Limits) -> Completion:
        """Return the model's answer. Raises ProviderFailed."""
        ...
