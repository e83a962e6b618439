"""Logs through python-logging-loki. Arguments: the address, the key, the words."""

import logging
import sys

from logging_loki import LokiHandler

address, key, words = sys.argv[1:]
handler = LokiHandler(
    url=f"{address}/loki/api/v1/push", tags={"service_name": "loki-shop"}, auth=("e2e", key), version="1"
)
logger = logging.getLogger("shop")
logger.setLevel(logging.DEBUG)
logger.addHandler(handler)

logger.info("%s: started", words)
logger.error("%s: cannot reach the database", words, extra={"tags": {"host": "web-4"}})
