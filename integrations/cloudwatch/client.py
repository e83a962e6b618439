"""CloudWatch Logs; boto3 is imported only when something is searched."""

from collections.abc import Mapping
from functools import cache
from importlib.util import find_spec
from typing import Any

from django.conf import settings

from logs.sources.http import BUSY, NO_ACCESS, REFUSED, STRANGE, UNREACHABLE, clipped
from logs.sources.outside import StoreFailed

TITLE = "CloudWatch"
CONNECT_SECONDS, READ_SECONDS = 3, 10
ACCESS = "AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, CLOUDWATCH_REGION"
_WRONG = {"MalformedQueryException", "InvalidParameterException", "ValidationException"}
_NO_ACCESS = {
    *("AccessDeniedException", "AccessDenied", "UnrecognizedClientException", "InvalidClientTokenId"),
    *(
        "InvalidSignatureException",
        "SignatureDoesNotMatch",
        "IncompleteSignature",
        "MissingAuthenticationTokenException",
    ),
}
_CREDENTIALS = {"NoCredentialsError", "PartialCredentialsError"}
# Said of a window before the group was made, or after its lines were deleted.
_NO_SUCH_TIME = "log groups creation time"


def is_installed() -> bool:
    """Return whether the extra for AWS is there."""
    return find_spec("boto3") is not None


@cache
def client_for(region: str, endpoint: str) -> Any:
    """Return the client of a region; `endpoint` replaces Amazon's address."""
    import boto3
    from botocore.config import Config

    # One attempt: the rule's engine repeats, and counts.
    config = Config(connect_timeout=CONNECT_SECONDS, read_timeout=READ_SECONDS, retries={"total_max_attempts": 1})
    return boto3.session.Session().client("logs", region_name=region, endpoint_url=endpoint or None, config=config)


def call(operation: str, request: Mapping[str, Any], *, needs: str) -> dict[str, Any]:
    """Return an answer that has the member `needs`. Raises StoreFailed."""
    from botocore.exceptions import BotoCoreError, ClientError
    from botocore.parsers import ResponseParserError

    try:
        client = client_for(settings.CLOUDWATCH_REGION, settings.CLOUDWATCH_ENDPOINT_URL)
        answer: dict[str, Any] = getattr(client, operation)(**request)
    except ClientError as error:
        raise refusal(error.response) from error
    except (BotoCoreError, ResponseParserError) as error:
        name = type(error).__name__
        if name in _CREDENTIALS:
            said = NO_ACCESS.say(store=TITLE, status=name, settings=ACCESS)
            raise StoreFailed(said, is_permanent=True) from error
        raise StoreFailed(UNREACHABLE.say(store=TITLE, reason=name)) from error
    if needs not in answer:  # botocore makes an empty answer of half a one
        raise StoreFailed(STRANGE.say(store=TITLE, detail=f"no {needs}"))
    return answer


def refusal(response: Mapping[str, Any]) -> StoreFailed:
    """Return the failure that Amazon's error stands for."""
    code = str(response.get("Error", {}).get("Code", ""))
    message = clipped(str(response.get("Error", {}).get("Message") or _compile_error(response) or code))
    status = response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    if code in _NO_ACCESS or status in (401, 403):
        return StoreFailed(NO_ACCESS.say(store=TITLE, status=code, settings=ACCESS), is_permanent=True)
    if code in _WRONG and _NO_SUCH_TIME not in message:
        return StoreFailed(REFUSED.say(store=TITLE, detail=message), is_permanent=True)
    return StoreFailed(BUSY.say(store=TITLE, status=code or status, detail=message))


def _compile_error(response: Mapping[str, Any]) -> str:
    return str(response.get("queryCompileError", {}).get("message", ""))
