"""What makes the console installable, and what it shows without a network: nothing of anybody's."""

import hashlib

from django.conf import settings
from django.contrib.staticfiles.finders import find
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render, resolve_url
from django.templatetags.static import static
from django.urls import path, reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from console.reporting.form import ReportForm, limits
from console.reporting.texts import texts

FILES = (
    *("console/tokens.css", "console/base.css", "console/plain.css", "console/report.css", "console/icons.svg"),
    *("console/dom.js", "console/report.js", "console/report_files.js", "console/report_queue.js", "favicon.svg"),
)
PUSH = "console/service_worker_push.js"
GROUND = {"light": "#f7f8fa", "dark": "#0e1116"}
ICONS = ((192, "any"), (512, "any"), (512, "maskable"))


@require_safe
def manifest(request: HttpRequest) -> HttpResponse:
    icons = [
        {"src": static(f"console/icon-{purpose}-{size}.png"), "sizes": f"{size}x{size}", "type": "image/png"}
        | {"purpose": purpose}
        for size, purpose in ICONS
    ]
    body = {
        "id": "/",
        "name": _("Incident Response"),
        "short_name": _("Incidents"),
        "start_url": reverse("console:incidents"),
        "scope": "/",
        "display": "standalone",
        "background_color": GROUND["light"],
        "theme_color": GROUND["light"],
        "icons": [{"src": static("favicon.svg"), "sizes": "any", "type": "image/svg+xml"}, *icons],
        "shortcuts": [{"name": _("Report"), "url": reverse("console:report")}],
    }
    response = JsonResponse(body, content_type="application/manifest+json")
    response["Cache-Control"] = "max-age=3600"
    return response


@require_safe
def service_worker(request: HttpRequest) -> HttpResponse:
    """Return the script that serves the shell without a network; its bytes change when the shell does."""
    shell = [reverse("console:offline"), reverse("console:report-shell"), *map(static, FILES)]
    bodies = [page(request).content for page in (offline, report_shell)]
    version = hashlib.sha256(b"\n".join([*(url.encode() for url in shell), *bodies])).hexdigest()[:12]
    context = {
        "shell": shell,
        "version": version,
        "is_frozen": not shell[-1].endswith(FILES[-1]),  # named by content
        "queue": static("console/report_queue.js"),
        "push": static(PUSH) if find(PUSH) else "",
    }
    response = render(request, "console/shell/service_worker.js", context, content_type="text/javascript")
    response["Cache-Control"] = "no-cache"
    response["Service-Worker-Allowed"] = "/"
    return response


@require_safe
def offline(request: HttpRequest) -> HttpResponse:
    return _public(render(request, "console/shell/offline.html"))


@require_safe
def report_shell(request: HttpRequest) -> HttpResponse:
    """Show the report form as everybody may see it."""
    context = {
        "form": ReportForm(user=None),
        "limits": limits(),
        "texts": texts(),
        "person_key": "",
        "sign_in_url": f"{resolve_url(settings.LOGIN_URL)}?{urlencode({'next': reverse('console:report')})}",
    }
    return _public(render(request, "console/shell/report.html", context))


def _public(response: HttpResponse) -> HttpResponse:
    response["Cache-Control"] = "no-cache"
    return response


urlpatterns = [
    path("manifest.webmanifest", manifest, name="manifest"),
    path("service-worker.js", service_worker, name="service-worker"),
    path("offline/", offline, name="offline"),
    path("report/shell/", report_shell, name="report-shell"),
]
