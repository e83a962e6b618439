"""Logs through OpenTelemetry's SDK. Arguments: the address, the key, the service, the words, the compression."""

import logging
import sys

from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.sdk._logs import LoggerProvider, LoggingHandler
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.resources import Resource

address, key, service, words, compression = sys.argv[1:]
provider = LoggerProvider(resource=Resource.create({"service.name": service, "host.name": "web-1"}))
exporter = OTLPLogExporter(
    endpoint=f"{address}/v1/logs",
    headers={"Authorization": f"Bearer {key}"},
    compression=Compression(compression),
)
provider.add_log_record_processor(BatchLogRecordProcessor(exporter))
logger = logging.getLogger("shop")
logger.setLevel(logging.DEBUG)
logger.addHandler(LoggingHandler(logger_provider=provider))

logger.info("%s: started", words, extra={"attempt": 3})
try:
    raise TimeoutError("no answer in 5 s")
except TimeoutError:
    logger.critical("%s: cannot reach the database", words, exc_info=True)
provider.shutdown()
