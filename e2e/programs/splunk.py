"""Logs through splunk-handler. Arguments: the host, the port, the key, the words."""

import logging
import sys

from splunk_handler import SplunkHandler

host, port, key, words = sys.argv[1:]
# The host name is told: that of this machine says nothing.
handler = SplunkHandler(host=host, port=port, token=key, index="main", protocol="http", verify=False, hostname="web-3")
handler.setFormatter(logging.Formatter("%(levelname)s %(message)s"))
logger = logging.getLogger("shop")
logger.setLevel(logging.DEBUG)
logger.addHandler(handler)

logger.info("%s: started", words)
logger.error("%s: cannot reach the database", words)
# It hands in what waits when the program ends: one body of objects with nothing between them.
