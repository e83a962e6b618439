// Logs through OpenTelemetry's SDK. Arguments: the address, the key, the service, the words, the compression.
const { SeverityNumber } = require("@opentelemetry/api-logs");
const { OTLPLogExporter } = require("@opentelemetry/exporter-logs-otlp-http");
const { resourceFromAttributes } = require("@opentelemetry/resources");
const { BatchLogRecordProcessor, LoggerProvider } = require("@opentelemetry/sdk-logs");

const [address, key, service, words, compression] = process.argv.slice(2);
const exporter = new OTLPLogExporter({
  url: `${address}/v1/logs`,
  headers: { Authorization: `Bearer ${key}` },
  compression,
});
const provider = new LoggerProvider({
  resource: resourceFromAttributes({ "service.name": service, "host.name": "web-2" }),
  processors: [new BatchLogRecordProcessor({ exporter })],
});
const logger = provider.getLogger("shop");

logger.emit({ severityNumber: SeverityNumber.INFO, body: `${words}: started`, attributes: { attempt: 3 } });
logger.emit({
  severityNumber: SeverityNumber.FATAL,
  severityText: "FATAL",
  body: `${words}: cannot reach the database`,
  attributes: { "exception.type": "TimeoutError" },
});
provider.shutdown().catch((error) => {
  console.error(error);
  process.exit(1);
});
