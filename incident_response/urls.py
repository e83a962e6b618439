from csp.decorators import csp_replace
from django.conf import settings
from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path
from drf_spectacular.views import SpectacularSwaggerSplitView

from core.server import health, metrics
from incident_response import pages
from intake.http import sender_patterns
from notifications.pages import AnswerPage
from status_page.admission import admit
from users import pages as people

explored = csp_replace(settings.EXPLORER_SOURCES)

api: list[URLPattern | URLResolver] = [
    path("", include("users.urls")),
    path("", include("responders.urls")),
    path("", include("incidents.urls")),
    path("", include("logs.urls")),
    path("", include("alerts.urls")),
    path("", include("intake.urls")),
    path("", include("notifications.urls")),
    path("", include("paging.urls")),
    path("status/", include("status_page.urls")),
    path("", include("reviews.urls")),
    path("", include("assistant.urls")),
    path("", include("remediation.urls")),
    path("", include("console.api_urls")),
    path("system/info/", health.SystemInfoView.as_view(), name="system-info"),
]

urlpatterns = [
    path("", include("console.urls")),
    path("favicon.ico", pages.favicon, name="favicon"),
    path("forgotten-password/", people.ForgottenPasswordPage.as_view(), name="forgotten-password"),
    path("reset-password/", people.NewPasswordPage.as_view(), name="reset-password"),
    path("invitation/", people.InvitationPage.as_view(), name="invitation"),
    path("verify-email/", people.VerifyEmailPage.as_view(), name="verify-email-page"),
    path("status-access/", admit, name="status-access"),
    path("a/<str:token>/", AnswerPage.as_view(), name="answer"),
    path("status/", include("status_page.public_urls")),
    path("admin/", admin.site.urls),
    path("api/schema/", pages.SchemaView.as_view(), name="schema"),
    path("api/docs/", explored(SpectacularSwaggerSplitView.as_view()), name="docs"),
    path("api/redoc/", explored(pages.redoc), name="redoc"),
    path("api/v1/", include(api)),
    path("integrations/twilio/", include("notifications.channels.twilio.urls")),
    path("integrations/sms-gateway/", include("notifications.channels.smsgateway.urls")),
    *sender_patterns(),
    path("integrations/slack/", include("notifications.channels.slack.urls")),
    path("integrations/", include("notifications.channels.telegram.urls")),
    path("livez", health.livez, name="livez"),
    path("readyz", health.readyz, name="readyz"),
    path("health/", health.health, name="health"),
    path("health", health.summary, name="health-summary"),
    path("metrics", metrics.metrics, name="metrics"),
]

if settings.LEGACY_ROUTES:
    urlpatterns.insert(0, path("", include("incident_response.legacy.urls")))

handler400 = "incident_response.pages.bad_request"
handler403 = "incident_response.pages.forbidden"
handler404 = "incident_response.pages.not_found"
handler500 = "incident_response.pages.server_error"
