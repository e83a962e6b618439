"""Settings, all from the environment; docs/operations.md has the table."""

from datetime import timedelta
from urllib.parse import urlsplit

import structlog
from csp.constants import NONE, SELF, UNSAFE_EVAL, UNSAFE_INLINE
from django.utils.translation import gettext_lazy as _

from core.db.conversions import quick_conversions
from core.server.loglines import OneLineRefusals, without_keys
from incident_response.admin_colors import COLORS
from incident_response.enum_names import ENUM_NAMES
from incident_response.variables import *

try:
    import MySQLdb  # noqa: F401
except ImportError:
    # No compiled driver: the pure-Python one stands in, slower to fetch.
    import pymysql

    pymysql.install_as_MySQLdb()

# --- The application ------------------------------------------------------------------------------------------------

INSTALLED_APPS = [
    "incident_response",
    "core",
    "users",
    "responders",
    "incidents",
    "intake",
    "alerts",
    "logs",
    "integrations",
    "paging",
    "notifications",
    "status_page",
    "reviews",
    "assistant",
    "remediation",
    "console",
    "unfold.apps.BasicAppConfig",
    "unfold.contrib.filters",
    "unfold.contrib.import_export",
    "incident_response.admin_site.AdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "auditlog",
    "axes",
    "corsheaders",
    "csp",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "import_export",
    "rest_framework",
]

MIDDLEWARE = [
    "incident_response.middleware.request_context",
    "incident_response.middleware.status_page",
    "incident_response.middleware.either_slash",
    "corsheaders.middleware.CorsMiddleware",
    "incident_response.middleware.endpoints",
    "django.middleware.security.SecurityMiddleware",
    "incident_response.middleware.compressed_pages",
    "csp.middleware.CSPMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "users.audit.during_request",
    "users.middleware.local_time",
    "users.middleware.busy_pages",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "incident_response.urls"
WSGI_APPLICATION = "incident_response.wsgi.application"
ASGI_APPLICATION = "incident_response.asgi.application"
TEST_RUNNER = "incident_response.testing.Runner"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

if STATUS_URL and (status_host := urlsplit(STATUS_URL).hostname):
    ALLOWED_HOSTS = [*ALLOWED_HOSTS, status_host]

# --- Database -------------------------------------------------------------------------------------------------------

if DATABASE["ENGINE"].endswith("sqlite3"):
    DATABASE["OPTIONS"] = {
        "timeout": 20,
        "transaction_mode": "IMMEDIATE",
        # FULL: what was committed is on disk. Fewer checkpoints than by default (1,000 pages) and a cache (kB) that
        # holds a batch: at a million alerts, a fifth more a second.
        "init_command": (
            "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; "
            "PRAGMA wal_autocheckpoint=8000; PRAGMA cache_size=-8000;"
        ),
    }
else:
    DATABASE["ENGINE"] = "core.db.mariadb"  # Django's, with an answer to each COMMIT
    DATABASE["OPTIONS"] = {
        "charset": "utf8mb4",
        "isolation_level": "read committed",
        # the second is what charts read many durations by (incidents.figures); MySQL's default would cut them
        "init_command": "SET sql_mode='STRICT_TRANS_TABLES,NO_ENGINE_SUBSTITUTION', group_concat_max_len=67108864",
        "connect_timeout": 5,
        "conv": quick_conversions(),
    }
    DATABASE["TEST"] = {"CHARSET": "utf8mb4", "COLLATION": "utf8mb4_unicode_ci"}
DATABASE["CONN_MAX_AGE"] = 600
# A server can be restarted under its connections; a file cannot.
DATABASE["CONN_HEALTH_CHECKS"] = not DATABASE["ENGINE"].endswith("sqlite3")
DATABASES = {"default": DATABASE}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- Time and language: stored and computed in UTC, shown in each person's own zone -----------------------------------

LANGUAGE_CODE = "en"  # of stored texts and the API; DEFAULT_LANGUAGE is that of people who chose none
LANGUAGES = [("en", "English"), ("de", "Deutsch"), ("fr", "Français"), ("es", "Español"), ("ja", "日本語")]
TIME_ZONE = "UTC"
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_I18N = True
USE_TZ = True
FORMAT_MODULE_PATH = ["incident_response.formats"]

# --- People and sessions ----------------------------------------------------------------------------------------------

AUTH_USER_MODEL = "users.User"
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "users.backends.EmailBackend"]
PASSWORD_HASHERS = ["users.hashing.BoundedPBKDF2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
PASSWORD_RESET_TIMEOUT = 3600
LOGIN_URL = "console:sign-in"
LOGIN_REDIRECT_URL = "console:dashboard"

AXES_FAILURE_LIMIT = LOGIN_FAILURE_LIMIT
AXES_COOLOFF_TIME = timedelta(minutes=LOGIN_LOCK_MINUTES)
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_ON_SUCCESS = True
AXES_USERNAME_CALLABLE = "users.lockout.sign_in_name"
AXES_HANDLER = "users.lockout.SignInHandler"
AXES_CLIENT_IP_CALLABLE = "core.api.clients.client_network"
AXES_LOCKOUT_CALLABLE = "users.lockout.locked_response"
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False  # so that Retry-After is true
AXES_ENABLE_ACCESS_FAILURE_LOG = False  # our handler writes it, with the full address
AXES_DISABLE_ACCESS_LOG = True  # it would open a cookie session for every API sign-in
AXES_SENSITIVE_PARAMETERS = ["code", "otp", "secret"]  # beside passwords: not kept with a failure
AXES_VERBOSE = False
AXES_ENABLE_ADMIN = False  # users.admin has these tables

SIMPLE_JWT = {
    "ACCESS_TOKEN_LIFETIME": timedelta(minutes=ACCESS_TOKEN_MINUTES),
    "REFRESH_TOKEN_LIFETIME": timedelta(days=REFRESH_TOKEN_DAYS),
    "ALGORITHM": "HS256",
    "SIGNING_KEY": SECRET_KEY,
    "LEEWAY": timedelta(seconds=10),  # clocks of several machines differ
}

# --- The API ----------------------------------------------------------------------------------------------------------

# How often one client address may ask, by the view's `throttle_scope`; counted per process.
RATES_PER_ADDRESS: dict[str, str] = {
    "register": "30/hour",
    "password_reset": "30/hour",
    "password_reset_confirm": "60/hour",
    "verify_email": "60/hour",
    "invitation": "60/hour",
    "sign_in_start": "600/hour",
    "subscribe": "30/hour",
}
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "users.authentication.SessionJWTAuthentication",
        "users.authentication.PersonalTokenAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["core.api.jsonio.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": [
        "core.api.jsonio.JSONParser",
        "rest_framework.parsers.MultiPartParser",
        "core.api.jsonio.FormParser",
    ],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "core.api.jsonio.AnyAccept",
    "DEFAULT_SCHEMA_CLASS": "core.api.schema.ProblemAutoSchema",
    "DEFAULT_PAGINATION_CLASS": "core.api.paging.KeysetPagination",
    "EXCEPTION_HANDLER": "core.api.problems.problem_response",
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
    "DATETIME_FORMAT": "iso-8601",
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
    "URL_FORMAT_OVERRIDE": None,
}

CORS_URLS_REGEX = r"^/api/"
CORS_ALLOW_HEADERS = ["accept", "authorization", "content-type", "idempotency-key", "if-match", "x-request-id"]
CORS_EXPOSE_HEADERS = ["etag", "idempotent-replayed", "location", "retry-after", "x-request-id"]

SPECTACULAR_SETTINGS = {
    "TITLE": "Incident Response",
    "DESCRIPTION": "Report, work, resolve and measure incidents. Errors are RFC 9457 problem documents. "
    "Endpoints that accept JSON also accept form data.",
    "VERSION": VERSION,
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SERVE_AUTHENTICATION": [],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "COMPONENT_SPLIT_REQUEST": True,
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "SORT_OPERATIONS": False,
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "intake.schema.add_endpoints",
    ],
    "ENUM_NAME_OVERRIDES": ENUM_NAMES,
}

# --- Files ------------------------------------------------------------------------------------------------------------

STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
MEDIA_URL = ""  # attachments are private
ATTACHMENT_STORAGE: dict[str, object] = (
    {
        "BACKEND": "storages.backends.s3.S3Storage",
        "OPTIONS": {
            "bucket_name": S3_BUCKET,
            "endpoint_url": S3_ENDPOINT_URL or None,
            "region_name": S3_REGION or None,
            "default_acl": "private",
            "file_overwrite": False,
        },
    }
    if S3_BUCKET
    else {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": str(MEDIA_ROOT)}}
)
STORAGES = {
    "default": ATTACHMENT_STORAGE,
    "staticfiles": {"BACKEND": "incident_response.static_files.Storage"},
}
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = DEBUG
FILE_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FILES = MAX_ATTACHMENTS + 1  # one more than allowed, so that our error is the one people read

# --- Mail -------------------------------------------------------------------------------------------------------------

EMAIL_BACKEND = EMAIL["EMAIL_BACKEND"]
EMAIL_HOST = EMAIL.get("EMAIL_HOST") or "localhost"
EMAIL_PORT = EMAIL.get("EMAIL_PORT") or 25
EMAIL_HOST_USER = EMAIL.get("EMAIL_HOST_USER") or ""
EMAIL_HOST_PASSWORD = EMAIL.get("EMAIL_HOST_PASSWORD") or ""
EMAIL_USE_TLS = EMAIL.get("EMAIL_USE_TLS", False)
EMAIL_USE_SSL = EMAIL.get("EMAIL_USE_SSL", False)
EMAIL_TIMEOUT = 10

# --- Transport and browser security -----------------------------------------------------------------------------------

SECURE_TRANSPORT = not (DEBUG or PLAIN_HTTP)
SECURE_SSL_REDIRECT = SECURE_TRANSPORT
# Probes do not follow redirects.
SECURE_REDIRECT_EXEMPT = [r"^livez$", r"^readyz$", r"^health/?$", r"^metrics$"]
SECURE_HSTS_SECONDS = 31_536_000 if SECURE_TRANSPORT else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_TRANSPORT
SECURE_HSTS_PRELOAD = SECURE_TRANSPORT
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if TRUSTED_PROXIES else None
SESSION_COOKIE_SECURE = SECURE_TRANSPORT
SESSION_COOKIE_HTTPONLY = True
CSRF_COOKIE_SECURE = SECURE_TRANSPORT
CSRF_FAILURE_VIEW = "incident_response.pages.csrf_failure"
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "img-src": [SELF, "data:", "blob:"],
        "style-src": [SELF],
        "script-src": [SELF],
        "worker-src": [SELF, "blob:"],
        "object-src": [NONE],
        "frame-ancestors": [NONE],
        "base-uri": [SELF],
        "form-action": [SELF],
    },
}
# The admin's front end (Alpine.js) evaluates expressions in its markup, and styles by attribute; the API explorers
# write styles too. Nothing else may.
ADMIN_SOURCES = {"script-src": [SELF, UNSAFE_EVAL], "style-src": [SELF, UNSAFE_INLINE]}
EXPLORER_SOURCES = {"style-src": [SELF, UNSAFE_INLINE]}

# --- The admin site ---------------------------------------------------------------------------------------------------

UNFOLD = {
    "SITE_TITLE": _("Incident Response"),
    "SITE_HEADER": _("Incident Response"),
    "SITE_SUBHEADER": _("Back office"),
    "SITE_SYMBOL": "emergency",
    "SHOW_HISTORY": "incident_response.admin_site.shows_history",
    "SHOW_VIEW_ON_SITE": False,
    "SHOW_BACK_BUTTON": True,
    "DASHBOARD_CALLBACK": "incidents.admin.home.home_context",
    "STYLES": ["incident_response.admin_site.stylesheet"],
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": "incident_response.admin_site.favicon"}],
    "SIDEBAR": {"navigation": "incident_response.admin_site.navigation"},
    "COLORS": COLORS,
}
IMPORT_EXPORT_IMPORT_PERMISSION_CODE = "add"
IMPORT_EXPORT_EXPORT_PERMISSION_CODE = "view"
IMPORT_EXPORT_SKIP_ADMIN_LOG = True

# --- Audit of configuration -------------------------------------------------------------------------------------------

AUDITLOG_INCLUDE_ALL_MODELS = False
AUDITLOG_DISABLE_ON_RAW_SAVE = True

# --- Log lines --------------------------------------------------------------------------------------------------------

_shared_processors: list[structlog.typing.Processor] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]
structlog.configure(
    processors=[*_shared_processors, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
    logger_factory=structlog.stdlib.LoggerFactory(),
    cache_logger_on_first_use=True,
)
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "lines": {
            "()": structlog.stdlib.ProcessorFormatter,
            "foreign_pre_chain": _shared_processors,
            "processors": [
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                (
                    structlog.processors.JSONRenderer()
                    if LOG_FORMAT == "json"
                    else structlog.dev.ConsoleRenderer(colors=False)
                ),
                without_keys,
            ],
        },
    },
    "filters": {"refusals": {"()": OneLineRefusals}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "lines", "filters": ["refusals"]}},
    "root": {"handlers": ["stderr"], "level": LOG_LEVEL},
    "loggers": {
        "django": {"handlers": [], "level": LOG_LEVEL, "propagate": True},
        "django.server": {"handlers": [], "propagate": True},
        "axes": {"level": "WARNING"},
        "uvicorn.access": {"level": "WARNING"},
        "python_multipart": {"level": "ERROR"},  # the sender gets the error
        # two lines a message
        "celery.worker.strategy": {"level": "WARNING"},
        "celery.app.trace": {"level": "WARNING"},
        "fontTools": {"level": "WARNING"},  # forty lines a PDF, with the characters in it
        "httpx2": {"level": "WARNING"},  # it would log addresses, which may hold a secret
    },
}
