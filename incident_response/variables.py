"""What an operator sets; see docs/operations.md."""

import tomllib
from pathlib import Path

from incident_response.dotenv import BASE_DIR as BASE_DIR
from incident_response.dotenv import env as env
from incident_response.store_variables import *  # noqa: F403

VERSION: str = tomllib.loads((BASE_DIR / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]

SECRET_KEY = env.secret("SECRET_KEY", help="Signs sessions and tokens. Changing it signs everybody out.")
HISTORY_KEY = env.secret("HISTORY_KEY", help="Seals the timelines' digest chains. Never change it; back it up.")
DEBUG = env.boolean("DEBUG", default=False, help="Developer mode: detailed error pages, no transport security.")
PLAIN_HTTP = env.boolean(
    "PLAIN_HTTP", default=False, help="Serve without TLS (loopback only): no HTTPS redirect, HSTS or secure cookies."
)
ALLOWED_HOSTS = env.words(
    "ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"], help="Host names that the server answers."
)
DEFAULT_PUBLIC_URL = "http://127.0.0.1:8000"
PUBLIC_URL = env.text("PUBLIC_URL", default=DEFAULT_PUBLIC_URL, help="The server's public address, for links.")
STATUS_URL = env.text("STATUS_URL", default="", help="Address of the status page, if not /status/ below PUBLIC_URL.")
DEFAULT_LANGUAGE = env.text(
    "DEFAULT_LANGUAGE",
    default="en",
    choices=("en", "de", "fr", "es", "ja"),
    help="Language of messages in team channels, and of pages for browsers that ask for none of ours.",
)
DATABASE = env.database(
    "DATABASE_URL",
    default=f"sqlite:///{BASE_DIR / 'db.sqlite3'}",
    help="sqlite:///path/to/file or mysql://user:password@host:3306/name.",
)
MEDIA_ROOT = Path(env.text("MEDIA_ROOT", default=str(BASE_DIR / "media"), help="Where attachments are stored."))
STATUS_ROOT = Path(
    env.text("STATUS_ROOT", default=str(MEDIA_ROOT.parent / "status"), help="Where the status page is written.")
)
STATIC_ROOT = Path(env.text("STATIC_ROOT", default=str(BASE_DIR / "staticfiles"), help="Where static files are put."))
DATABASE_SECONDS = env.integer(
    "DATABASE_SECONDS",
    default=5,
    minimum=2,
    help="Seconds that web processes wait for a database statement; the worker waits six times as long.",
)
TRUSTED_PROXIES = env.integer(
    "TRUSTED_PROXIES", default=0, help="Reverse proxies in front of the server whose X-Forwarded-* headers are trusted."
)
CORS_ALLOWED_ORIGINS = env.words(
    "CORS_ALLOWED_ORIGINS", default=[], help="Origins of other web front ends that may call the API."
)
CSRF_TRUSTED_ORIGINS = env.words(
    "CSRF_TRUSTED_ORIGINS", default=[], help="Further origins (https://…) whose forms are accepted."
)
REGISTRATION_OPEN = env.boolean(
    "REGISTRATION_OPEN", default=True, help="Whether people may register themselves as reporters."
)
OIDC_PROVIDERS = env.identity_providers(
    "OIDC_PROVIDERS", help="Identity providers at which people may sign in (OpenID Connect), as a JSON list."
)
OIDC_REGISTRATION = env.boolean(
    "OIDC_REGISTRATION",
    default=True,
    help="Whether people unknown here become reporters by signing in at an identity provider.",
)
OIDC_EMAIL_DOMAINS = env.words(
    "OIDC_EMAIL_DOMAINS",
    default=[],
    help="Domains of addresses that identity providers may bring in, such as example.org; empty allows all.",
)
ACCESS_TOKEN_MINUTES = env.integer(
    "ACCESS_TOKEN_MINUTES", default=15, minimum=1, help="Lifetime of an access token, in minutes."
)
REFRESH_TOKEN_DAYS = env.integer(
    "REFRESH_TOKEN_DAYS", default=14, minimum=1, help="Lifetime of an unused session, in days."
)
LOGIN_FAILURE_LIMIT = env.integer(
    "LOGIN_FAILURE_LIMIT", default=10, minimum=1, help="Failed sign-ins of one address and client before a lock."
)
LOGIN_CLIENT_FAILURE_LIMIT = env.integer(
    "LOGIN_CLIENT_FAILURE_LIMIT",
    default=30,
    minimum=1,
    help="Failed sign-ins from one client, with any addresses, before it is locked.",
)
LOGIN_LOCK_MINUTES = env.integer(
    "LOGIN_LOCK_MINUTES", default=15, minimum=1, help="How long a sign-in lock lasts, in minutes."
)
EMAIL = env.email_server(
    "EMAIL_URL",
    default="consolemail://",
    help="smtp+tls://user:password@host:587 (STARTTLS) or smtps:// (TLS); consolemail:// prints instead.",
)
DEFAULT_FROM_EMAIL = env.text(
    "DEFAULT_FROM_EMAIL", default="incidents@localhost", help="Sender address of outgoing email."
)
INBOUND_ADDRESS = env.inbound_address(
    "INBOUND_ADDRESS",
    default="",
    help="Address at which replies, reports and bounces arrive; its server must accept plus-addresses.",
)
IMAP = env.imap_mailbox(
    "IMAP_URL", default="", help="Mailbox to poll for inbound mail: imaps://user:password@host:993/INBOX."
)
INBOUND_AUTHSERV_ID = env.text(
    "INBOUND_AUTHSERV_ID",
    default="",
    help="Name in the Authentication-Results of your own mail server; only senders it finds genuine are trusted.",
)
INBOUND_FROM = env.text(
    "INBOUND_FROM",
    default="accounts",
    choices=["nobody", "accounts", "anybody"],
    help="Whose mails open incidents: nobody, accounts (genuine senders only) or anybody; others are held.",
)
INBOUND_PER_HOUR = env.integer(
    "INBOUND_PER_HOUR", default=20, minimum=1, help="Mails per sender and hour that take effect; the rest are held."
)
INBOUND_RETENTION_DAYS = env.integer(
    "INBOUND_RETENTION_DAYS", default=90, minimum=1, help="How long inbound mails are kept, in days."
)
MAX_ATTACHMENT_BYTES = env.integer(
    "MAX_ATTACHMENT_BYTES", default=10 * 1024 * 1024, minimum=1, help="Largest attachment accepted, in bytes."
)
MAX_ATTACHMENTS = env.integer("MAX_ATTACHMENTS", default=20, minimum=1, help="Maximum number of files per request.")
X_ACCEL_PREFIX = env.text(
    "X_ACCEL_PREFIX", default="", help="nginx internal location that serves MEDIA_ROOT, such as /protected/."
)
S3_BUCKET = env.text("S3_BUCKET", default="", help="Keep attachments in this S3 bucket instead of MEDIA_ROOT.")
S3_ENDPOINT_URL = env.text("S3_ENDPOINT_URL", default="", help="Address of an S3-compatible store, if not AWS.")
S3_REGION = env.text("S3_REGION", default="", help="Region of the bucket.")
LEGACY_ROUTES = env.boolean(
    "LEGACY_ROUTES", default=False, help="Answer at the addresses of earlier systems too: see docs/legacy.md."
)
METRICS_TOKEN = env.text(
    "METRICS_TOKEN", default="", help="Bearer token for /metrics; while empty, /metrics is closed."
)
LOG_LEVEL = env.text(
    "LOG_LEVEL",
    default="INFO",
    choices=["DEBUG", "INFO", "WARNING", "ERROR"],
    help="Minimum level of the log lines written.",
)
LOG_FORMAT = env.text(
    "LOG_FORMAT", default="text", choices=["text", "json"], help="Format of the server's log: text or json."
)
WEB_PROCESSES = env.integer("WEB_PROCESSES", default=1, minimum=1, maximum=64, help="Web processes that `serve` runs.")
WEB_THREADS = env.integer(
    "WEB_THREADS", default=8, minimum=1, maximum=256, help="Requests that one web process handles at a time."
)
STOP_SECONDS = env.integer(
    "STOP_SECONDS", default=30, minimum=1, help="Seconds that running requests and jobs have to finish on shutdown."
)
ENGINE = env.text(
    "ENGINE",
    default="embedded",
    choices=["embedded", "celery"],
    help="What runs jobs: embedded (`manage.py worker`) or celery (Celery workers, and a broker).",
)
BROKER_URL = env.broker(
    "BROKER_URL",
    is_needed=ENGINE == "celery",
    help="Celery's broker: amqp://user:password@host:5672/vhost or redis://host:6379/0.",
)
STORM_INCIDENTS_PER_MINUTE = env.integer(
    "STORM_INCIDENTS_PER_MINUTE",
    default=30,
    minimum=0,
    help="Incidents that alerts of one route may open in a minute; the rest share one. 0: no limit.",
)
INTAKE_RETENTION_DAYS = env.integer(
    "INTAKE_RETENTION_DAYS", default=14, minimum=1, help="How long raw requests of senders are kept, in days."
)
ALERT_RETENTION_DAYS = env.integer(
    "ALERT_RETENTION_DAYS", default=365, minimum=1, help="How long resolved alerts are kept, in days."
)
LOG_RETENTION_DAYS = env.integer(
    "LOG_RETENTION_DAYS", default=30, minimum=1, help="How long log lines are kept, in days."
)
LOG_RETENTION_MB = env.integer(
    "LOG_RETENTION_MB", default=4096, minimum=1, help="Space for log lines, in megabytes; the oldest are deleted first."
)
OUTBOUND_ALLOW = env.networks(
    "OUTBOUND_ALLOW",
    help="Networks that addresses entered by users may lead to although they are not public, such as 10.20.0.0/16.",
)
REMEDIATION_LEASE_SECONDS = env.integer(
    "REMEDIATION_LEASE_SECONDS",
    default=120,
    minimum=2,
    help="Seconds after which a step whose worker ended counts as interrupted; a call takes 30 at most.",
)
SMS_PROVIDERS = env.words(
    "SMS_PROVIDERS",
    default=["twilio", "sns", "gateway"],
    help="Providers of SMS in the order they are tried; those not set up are skipped.",
)
VOICE_PROVIDERS = env.words(
    "VOICE_PROVIDERS", default=["twilio"], help="Providers of calls in the order they are tried."
)
SMS_COUNTRIES = env.words(
    "SMS_COUNTRIES", default=[], help="Countries (ISO codes, CH,DE) whose numbers are allowed; empty allows all."
)
SMS_INCLUDE_URL = env.boolean(
    "SMS_INCLUDE_URL", default=False, help="Put links into SMS; many carriers block SMS that hold one."
)
PHONE_DAILY_PER_NUMBER = env.integer(
    "PHONE_DAILY_PER_NUMBER", default=200, help="SMS and calls to one number a day (UTC). 0: no limit."
)
PHONE_DAILY_PER_PERSON = env.integer(
    "PHONE_DAILY_PER_PERSON", default=300, help="SMS and calls to one person a day (UTC). 0: no limit."
)
PHONE_DAILY_PER_COUNTRY = env.integer(
    "PHONE_DAILY_PER_COUNTRY", default=2000, help="SMS and calls to one country a day (UTC). 0: no limit."
)
TWILIO_API_URL = env.text("TWILIO_API_URL", default="https://api.twilio.com", help="Address of Twilio's REST API.")
TWILIO_ACCOUNT_SID = env.text("TWILIO_ACCOUNT_SID", default="", help="Twilio account for SMS and calls (AC…).")
TWILIO_AUTH_TOKEN = env.text(
    "TWILIO_AUTH_TOKEN", default="", help="Its primary auth token; also checks Twilio's signatures."
)
TWILIO_FROM = env.text("TWILIO_FROM", default="", help="Number that sends and calls, such as +15005550006.")
TWILIO_MESSAGING_SERVICE_SID = env.text(
    "TWILIO_MESSAGING_SERVICE_SID", default="", help="Messaging service (MG…) that sends SMS instead of TWILIO_FROM."
)
SNS_SMS_REGION = env.text(
    "SNS_SMS_REGION", default="", help="AWS region whose SNS sends SMS; credentials come from AWS's own environment."
)
SNS_SMS_SENDER = env.text("SNS_SMS_SENDER", default="", help="Sender ID of SMS by SNS, where a country allows one.")
SMS_GATEWAY_URL = env.text(
    "SMS_GATEWAY_URL", default="", help="Address of an SMS gateway with {to}, {text}, {id}, {coding} and {receipt_url}."
)
SMS_GATEWAY_METHOD = env.text("SMS_GATEWAY_METHOD", default="GET", choices=["GET", "POST"], help="Its HTTP method.")
SMS_GATEWAY_HEADERS = env.text("SMS_GATEWAY_HEADERS", default="", help="Its headers, as Name: value; Name: value.")
SMS_GATEWAY_BODY = env.text("SMS_GATEWAY_BODY", default="", help="Its body, with the same placeholders.")
SMS_GATEWAY_SUCCESS = env.text(
    "SMS_GATEWAY_SUCCESS", default="", help="Regular expression found in its answers to accepted SMS; empty: any 2xx."
)
SMS_GATEWAY_TOKEN = env.text(
    "SMS_GATEWAY_TOKEN", default="", help="Secret with which the gateway passes on SMS it receives; empty: none are."
)
KUBERNETES_URL = env.text(
    "KUBERNETES_URL",
    default="",
    help="Address of the cluster's API for runbooks, such as https://10.0.0.1:6443; in-cluster for the own cluster.",
)
KUBERNETES_TOKEN = env.text(
    "KUBERNETES_TOKEN", default="", help="Token of the cluster's API; while empty, the pod's service account is used."
)
KUBERNETES_CA = env.text(
    "KUBERNETES_CA", default="", help="File with the certificate authority of the cluster's API (PEM)."
)
SSM_REGION = env.text(
    "SSM_REGION", default="", help="AWS region of runbooks' SSM commands; credentials come from AWS's own environment."
)
SSM_ENDPOINT_URL = env.text("SSM_ENDPOINT_URL", default="", help="Address of SSM, if not AWS's own.")
SNS_ENDPOINT_URL = env.text("SNS_ENDPOINT_URL", default="", help="Address of SNS, if not AWS's own.")
VAPID_PRIVATE_KEY = env.text(
    "VAPID_PRIVATE_KEY",
    default="",
    help="Signs browser push, from `manage.py make_vapid_key`; a new one ends all subscriptions.",
)
VAPID_SUBJECT = env.text(
    "VAPID_SUBJECT", default="", help="Whom push services may write to, such as mailto:ops@example.org."
)
SLACK_BOT_TOKEN = env.text(
    "SLACK_BOT_TOKEN", default="", help="Token of the Slack app (xoxb-…), for messages to people and channels."
)
SLACK_SIGNING_SECRET = env.text(
    "SLACK_SIGNING_SECRET", default="", help="Signing secret of the Slack app, for its buttons and the command."
)
SLACK_API_URL = env.text("SLACK_API_URL", default="https://slack.com/api", help="Base address of Slack's Web API.")
TELEGRAM_BOT_TOKEN = env.text("TELEGRAM_BOT_TOKEN", default="", help="Token of the Telegram bot.")
TELEGRAM_WEBHOOK_SECRET = env.text(
    "TELEGRAM_WEBHOOK_SECRET",
    default="",
    help="Secret that was given to Telegram with the webhook, for the bot's buttons and commands.",
)
TELEGRAM_API_URL = env.text(
    "TELEGRAM_API_URL", default="https://api.telegram.org", help="Base address of Telegram's Bot API."
)
NOTIFICATION_LIMITS = env.limits(
    "NOTIFICATION_LIMITS",
    help="Most messages a channel sends, such as sms=60/min,voice=10/min; more are held until it is their turn.",
)
NOTIFICATION_RETENTION_DAYS = env.integer(
    "NOTIFICATION_RETENTION_DAYS",
    default=90,
    minimum=1,
    help="How long deliveries and inbox entries are kept, in days.",
)
DEADMAN_URL = env.text(
    "DEADMAN_URL",
    default="",
    help="Address that is requested every minute while paging works; whoever watches it tells when it stops.",
)
ASSISTANT_PROVIDER = env.text(
    "ASSISTANT_PROVIDER",
    default="",
    choices=["", "anthropic", "bedrock", "openai"],
    help="Who runs the language model: anthropic, bedrock or openai (any server that speaks its API); empty: no model.",
)
ASSISTANT_MODEL = env.text("ASSISTANT_MODEL", default="", help="The model's name at its provider.")
ASSISTANT_URL = env.text(
    "ASSISTANT_URL",
    default="",
    help="Base address of the provider's API, such as http://127.0.0.1:8080/v1; else its own.",
)
ASSISTANT_API_KEY = env.text(
    "ASSISTANT_API_KEY", default="", help="Key for anthropic and openai; bedrock uses AWS's own environment."
)
ASSISTANT_REGION = env.text("ASSISTANT_REGION", default="", help="AWS region of bedrock.")
ASSISTANT_PRICE_IN = env.amount(
    "ASSISTANT_PRICE_IN", default="0", help="USD for a million tokens that the model reads; 0: not counted in money."
)
ASSISTANT_PRICE_OUT = env.amount(
    "ASSISTANT_PRICE_OUT", default="0", help="USD for a million tokens that the model writes."
)
ASSISTANT_DAILY_BUDGET = env.amount(
    "ASSISTANT_DAILY_BUDGET",
    default="",
    help="Most the model may cost a day (UTC): USD, or tokens without prices; 0: nothing. "
    "Empty: 5 USD or 1,000,000 tokens.",
)
ASSISTANT_INCIDENT_BUDGET = env.amount(
    "ASSISTANT_INCIDENT_BUDGET",
    default="",
    help="Most it may cost for one incident: USD, or tokens without prices; 0: nothing. "
    "Empty: 0.50 USD or 100,000 tokens.",
)
ASSISTANT_SECONDS = env.integer(
    "ASSISTANT_SECONDS", default=30, minimum=1, maximum=100, help="Seconds that the model has for an answer."
)
ASSISTANT_JSON_MODE = env.boolean(
    "ASSISTANT_JSON_MODE", default=False, help="Ask servers of the openai kind for JSON; some do not know how."
)
ASSISTANT_AT_OPENING = env.boolean(
    "ASSISTANT_AT_OPENING", default=False, help="Ask the model about each new incident, without somebody's request."
)
ASSISTANT_RETENTION_DAYS = env.integer(
    "ASSISTANT_RETENTION_DAYS",
    default=400,
    minimum=1,
    help="How long questions to the model, their costs and answers are kept, in days.",
)
env.refuse_unknown_names()
