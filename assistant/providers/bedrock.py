"""Amazon Bedrock's Converse, by boto3, which is imported only when something is asked."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from typing import Any

from assistant.providers.http import whole
from assistant.providers.port import Completion, Failure, Limits, Prompt, ProviderFailed, Stop

STOPS = {
    "end_turn": Stop.END,
    "stop_sequence": Stop.END,
    "max_tokens": Stop.LENGTH,
    "model_context_window_exceeded": Stop.LENGTH,
    "guardrail_intervened": Stop.REFUSAL,
    "content_filtered": Stop.REFUSAL,
    "refusal": Stop.REFUSAL,
}
FAILURES = {
    "ThrottlingException": Failure.RATE_LIMITED,
    "ServiceUnavailableException": Failure.OVERLOADED,
    "ModelNotReadyException": Failure.OVERLOADED,
    "InternalServerException": Failure.SERVER_ERROR,
    "ModelErrorException": Failure.SERVER_ERROR,
    "ModelTimeoutException": Failure.TIMED_OUT,
}


def is_installed() -> bool:
    """Return whether the extra for AWS is there."""
    return find_spec("boto3") is not None


@cache
def _client(region: str, url: str, seconds: float) -> Any:
    import boto3
    from botocore.config import Config

    # One attempt: the job repeats, and counts.
    config = Config(connect_timeout=min(seconds, 5), read_timeout=seconds, retries={"total_max_attempts": 1})
    session = boto3.session.Session()
    return session.client("bedrock-runtime", region_name=region, endpoint_url=url or None, config=config)


@dataclass(frozen=True)
class Bedrock:
    model: str
    region: str
    url: str = ""
    name: str = "bedrock"

    def complete(self, prompt: Prompt, limits: Limits) -> Completion:
        """Return the model's answer. Raises ProviderFailed."""
        request = {
            "modelId": self.model,
            "system": [{"text": prompt.system}],
            "messages": [{"role": one.role, "content": [{"text": one.text}]} for one in prompt.messages],
            "inferenceConfig": {"maxTokens": limits.max_tokens},
        }
        return _completion(_within(self._client(limits), request, limits.seconds), self.model)

    def _client(self, limits: Limits) -> Any:
        from botocore.exceptions import BotoCoreError

        try:
            return _client(self.region, self.url, limits.seconds)
        except (BotoCoreError, ValueError) as error:
            raise ProviderFailed(Failure.REJECTED) from error


def _within(client: Any, request: Mapping[str, Any], seconds: float) -> Mapping[str, Any]:
    """Call in a thread: botocore bounds each read, not the whole."""
    results: list[Mapping[str, Any] | ProviderFailed] = []
    thread = threading.Thread(target=lambda: results.append(_call(client, request)), name="converse", daemon=True)
    thread.start()
    thread.join(seconds)
    if not results:
        raise ProviderFailed(Failure.TIMED_OUT, may_be_charged=True)
    if isinstance(results[0], ProviderFailed):
        raise results[0]
    return results[0]


def _call(client: Any, request: Mapping[str, Any]) -> Mapping[str, Any] | ProviderFailed:
    from botocore.exceptions import (
        BotoCoreError,
        ClientError,
        ConnectTimeoutError,
        EndpointConnectionError,
        NoCredentialsError,
        ParamValidationError,
        ReadTimeoutError,
    )

    try:
        answer: Mapping[str, Any] = client.converse(**request)
    except ClientError as error:
        code = str(error.response.get("Error", {}).get("Code", ""))
        status = whole(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode"))
        return ProviderFailed(
            FAILURES.get(code, Failure.SERVER_ERROR if status >= 500 else Failure.REJECTED), status=status
        )
    except (NoCredentialsError, ParamValidationError):
        return ProviderFailed(Failure.REJECTED)
    except BotoCoreError as error:
        failure = Failure.TIMED_OUT if isinstance(error, ReadTimeoutError) else Failure.UNREACHABLE
        is_unsent = isinstance(error, ConnectTimeoutError | EndpointConnectionError)
        return ProviderFailed(failure, may_be_charged=not is_unsent)
    return answer


def _completion(body: Mapping[str, Any], model: str) -> Completion:
    blocks, usage = body.get("output", {}).get("message", {}).get("content"), body.get("usage", {})
    if not isinstance(blocks, list):
        raise ProviderFailed(Failure.NOT_UNDERSTOOD, status=200, may_be_charged=True)
    return Completion(
        text="".join(str(block.get("text", "")) for block in blocks),
        tokens_in=whole(usage.get("inputTokens")),
        tokens_out=whole(usage.get("outputTokens")),
        model=model[:100],
        stop=STOPS.get(str(body.get("stopReason")), Stop.OTHER),
        tools_ignored=sum("toolUse" in block for block in blocks),
    )
