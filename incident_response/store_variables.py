"""What an operator sets of log stores elsewhere, which detection rules search; see docs/operations.md."""

from incident_response.dotenv import env

SPLUNK_URL = env.text(
    "SPLUNK_URL",
    default="",
    help="Address of Splunk's management service, for detection rules that search it, such as https://splunk:8089.",
)
SPLUNK_TOKEN = env.text("SPLUNK_TOKEN", default="", help="Authentication token of a Splunk user who may only search.")
SPLUNK_CA = env.text(
    "SPLUNK_CA", default="", help="File with the certificate authority of Splunk's server, if it is your own."
)
SPLUNK_LAG_SECONDS = env.integer(
    "SPLUNK_LAG_SECONDS",
    default=60,
    minimum=0,
    maximum=3600,
    help="How long after its end a window is searched in Splunk: events may be indexed that late.",
)
LOKI_URL = env.text(
    "LOKI_URL",
    default="",
    help="Address of Loki, for detection rules that search it, such as https://loki.example.org.",
)
LOKI_USER = env.text(
    "LOKI_USER", default="", help="User of Loki, if it asks for one; on Grafana Cloud the number of the instance."
)
LOKI_PASSWORD = env.text("LOKI_PASSWORD", default="", help="Its password, or an access token of Grafana Cloud.")
LOKI_TOKEN = env.text("LOKI_TOKEN", default="", help="Bearer token of Loki, instead of user and password.")
LOKI_TENANT = env.text(
    "LOKI_TENANT", default="", help="Tenant (X-Scope-OrgID) whose lines are searched; several are joined by a bar."
)
LOKI_CA = env.text(
    "LOKI_CA", default="", help="File with the certificate authority of Loki's server, if it is your own."
)
LOKI_LAG_SECONDS = env.integer(
    "LOKI_LAG_SECONDS",
    default=60,
    minimum=0,
    maximum=3600,
    help="How long after its end a window is searched in Loki: lines may arrive that late.",
)
ELASTICSEARCH_URL = env.text(
    "ELASTICSEARCH_URL",
    default="",
    help="Address of Elasticsearch (7.10 or later) or OpenSearch (2.4 or later), for detection rules that search it.",
)
ELASTICSEARCH_API_KEY = env.text("ELASTICSEARCH_API_KEY", default="", help="Its API key, encoded.")
ELASTICSEARCH_USER = env.text("ELASTICSEARCH_USER", default="", help="User, instead of an API key.")
ELASTICSEARCH_PASSWORD = env.text("ELASTICSEARCH_PASSWORD", default="", help="Password of that user.")
ELASTICSEARCH_INDEX = env.text(
    "ELASTICSEARCH_INDEX", default="logs-*", help="Indices that rules search if their query names none."
)
ELASTICSEARCH_TIME_FIELD = env.text(
    "ELASTICSEARCH_TIME_FIELD", default="@timestamp", help="Field with the time of a document."
)
ELASTICSEARCH_CA = env.text(
    "ELASTICSEARCH_CA", default="", help="File with the certificate authority of its server, if it is your own."
)
ELASTICSEARCH_LAG_SECONDS = env.integer(
    "ELASTICSEARCH_LAG_SECONDS",
    default=60,
    minimum=0,
    maximum=3600,
    help="How long after its end a window is searched in Elasticsearch: documents may arrive that late.",
)
CLOUDWATCH_LOG_GROUPS = env.words(
    "CLOUDWATCH_LOG_GROUPS",
    default=[],
    help="CloudWatch log groups that rules search, by name or ARN; credentials come from AWS's own environment.",
)
CLOUDWATCH_REGION = env.text("CLOUDWATCH_REGION", default="", help="AWS region of these log groups.")
CLOUDWATCH_LAG_SECONDS = env.integer(
    "CLOUDWATCH_LAG_SECONDS",
    default=120,
    minimum=0,
    maximum=3600,
    help="How long after its end a window is searched in CloudWatch: events may arrive that late.",
)
CLOUDWATCH_ENDPOINT_URL = env.text(
    "CLOUDWATCH_ENDPOINT_URL", default="", help="Address of CloudWatch Logs, if not AWS's own."
)
