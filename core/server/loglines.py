import logging
import re
from http import HTTPStatus

from structlog.typing import WrappedLogger

# A source's key, unless it is a traceback's file, a logger's name or a page of the back office.
_IN_PATH = re.compile(
    r"(intake(?:/|%2f)+)(?!\w+\.py\b|(?<=/admin/intake/)[a-z]{1,20}/) *[^/\s\"'?#<>\\\[][^/\s\"'?#<>\\]*", re.IGNORECASE
)
# links that acknowledge, and those of subscribers
_ANSWER = re.compile(
    r"(/a(?:/|%2f)|/(?:confirm|manage|unsubscribe)(?:/|%2f))(?:[\w-]{30,}|[\w:%-]{30,})", re.IGNORECASE
)


_QUERY = re.compile(r"([?&](?:key|grant)=)[^&\s\"'#<>]+", re.IGNORECASE)  # what opens the status page


def without_keys(_logger: WrappedLogger, _method: str, line: str) -> str:
    """Remove keys in addresses, and answer links, from a line (structlog processor)."""
    return _QUERY.sub(r"\1…", _ANSWER.sub(r"\1…", _IN_PATH.sub(r"\1…", line)))


class OneLineRefusals(logging.Filter):
    """Log 4xx without traceback: they are the caller's doing."""

    def filter(self, record: logging.LogRecord) -> bool:
        status = getattr(record, "status_code", None)
        if (
            record.name.startswith("django.")
            and isinstance(status, int)
            and HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR
        ):
            record.exc_info = record.exc_text = None
            if record.levelno > logging.WARNING:
                record.levelno, record.levelname = logging.WARNING, logging.getLevelName(logging.WARNING)
        return True
