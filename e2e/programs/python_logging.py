"""Logs through Python's own HTTPHandler. Arguments: host and port, the key, the words."""

import logging.handlers
import sys

host, key, words = sys.argv[1:]
handler = logging.handlers.HTTPHandler(host, "/api/v1/logs/", method="POST", credentials=("e2e", key))
logger = logging.getLogger("shop")
logger.setLevel(logging.DEBUG)
logger.addHandler(handler)

logger.info("%s: %d workers started", words, 4)
logger.error("%s: cannot reach %r & <others>", words, "the database")
