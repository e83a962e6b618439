"""Amazon SNS; boto3 is imported only when something is sent."""

from collections.abc import Mapping
from functools import cache
from importlib.util import find_spec
from typing import Any

from django.conf import settings

from notifications.channels.port import Failed

NAME = "sns"
_PASSING = {
    *("Throttling", "ThrottlingException", "Throttled", "ThrottledException", "RequestLimitExceeded"),
    *("InternalError", "InternalErrorException", "InternalFailure", "ServiceUnavailable"),
    *("KMSThrottling", "KMSThrottlingException"),
}


def is_installed() -> bool:
    """Return whether the extra for AWS is there."""
    return find_spec("boto3") is not None


@cache
def client_for(region: str, endpoint: str) -> Any:
    """Return the client of a region; `endpoint` replaces Amazon's address."""
    import boto3
    from botocore.config import Config

    # One attempt: the engine repeats, and counts.
    config = Config(connect_timeout=5, read_timeout=10, retries={"total_max_attempts": 1}, max_pool_connections=16)
    return boto3.session.Session().client("sns", region_name=region, endpoint_url=endpoint or None, config=config)


def publish(region: str, request: Mapping[str, Any], *, dead: Mapping[str, str]) -> str:
    """Return the id of what was published; `dead` explains the codes that disable an address. Raises Failed."""
    from botocore.exceptions import BotoCoreError, ClientError, ConnectTimeoutError, EndpointConnectionError

    try:
        answer = client_for(region, settings.SNS_ENDPOINT_URL).publish(**request)
    except ClientError as error:
        raise refusal(error.response, dead) from error
    except BotoCoreError as error:
        name = type(error).__name__
        raise Failed(
            f"Amazon SNS did not answer ({name}).",
            is_permanent=name in ("NoCredentialsError", "PartialCredentialsError"),
            provider=NAME,
            may_have_arrived=not isinstance(error, ConnectTimeoutError | EndpointConnectionError),
        ) from error
    return str(answer["MessageId"])


def refusal(response: Mapping[str, Any], dead: Mapping[str, str]) -> Failed:
    """Return the failure that Amazon's error stands for."""
    code = str(response.get("Error", {}).get("Code", ""))
    status = response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    if meaning := dead.get(code):
        return Failed(f"Amazon SNS: {meaning} ({code}).", disables=True, provider=NAME)
    return Failed(
        f"Amazon SNS refused the message: {code or status}.",
        is_permanent=code not in _PASSING and status != 429 and status < 500,
        provider=NAME,
        may_have_arrived=status >= 500,
    )
