"""Logs through graypy. Arguments: the host, the port, the key, the words, whether to pack ("1" or "0")."""

import logging
import sys

import graypy

host, port, key, words, is_packed = sys.argv[1:]
path = f"/gelf?key={key}"
handler = graypy.GELFHTTPHandler(host, int(port), path=path, compress=is_packed == "1", localname="web-5")
logger = logging.getLogger("shop")
logger.setLevel(logging.DEBUG)
logger.addHandler(handler)

logger.info("%s: started", words, extra={"attempt": 3})
logger.error("%s: cannot reach the database", words)
