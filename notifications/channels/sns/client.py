"""The client of Amazon SNS; boto3 is imported only when something is sent."""

from functools import cache
from typing import Any


@cache
def client_for(region: str, endpoint: str) -> Any:
    """Return the client of a region; `endpoint` replaces Amazon's address."""
    import boto3
    from botocore.config import Config

    # One attempt: the engine repeats, and counts.
    config = Config(connect_timeout=5, read_timeout=10, retries={"total_max_attempts": 1}, max_pool_connections=16)
    return boto3.session.Session().client("sns", region_name=region, endpoint_url=endpoint or None, config=config)
