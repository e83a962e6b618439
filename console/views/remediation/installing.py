"""How an agent gets onto its machine; its key is typed in there, and stands in no command."""

import shlex
from urllib.parse import urljoin, urlsplit

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import path, reverse
from django.views.decorators.http import require_safe

from remediation.models import Agent
from remediation.services.agents import configuration

FOLDER = settings.BASE_DIR / "agent"
FILES = ("incident_agent.py", "incident-agent.service")
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
INSTALL = """\
(
set -eu
/usr/bin/python3 -c 'import tomllib, cryptography'
read -rsp 'Key of the agent: ' key
id -u incident-agent >/dev/null 2>&1 || useradd --system --shell /usr/sbin/nologin incident-agent
curl -fsSo /usr/local/lib/incident_agent.py {program}
curl -fsSo /etc/systemd/system/incident-agent.service {unit}
mkdir -p /etc/incident-agent
printf %s "$key" | install -m 600 -o incident-agent /dev/stdin /etc/incident-agent/key
install -b -m 644 /dev/stdin /etc/incident-agent/agent.toml <<'END'
{configuration}
[commands.about]
argv = ["/usr/bin/uname", "-a"]
END
systemctl daemon-reload
systemctl enable incident-agent
systemctl restart incident-agent
)"""
REPLACE = """\
(
set -eu
read -rsp 'New key of the agent: ' key
printf %s "$key" | install -m 600 -o incident-agent /dev/stdin /etc/incident-agent/key
systemctl restart incident-agent
)"""


def installation(agent: Agent) -> str:
    """Return what installs and starts the agent, for root's bash."""
    program, unit = (shlex.quote(_address(name)) for name in FILES)
    return INSTALL.format(program=program, unit=unit, configuration=configuration(agent))


def is_reachable() -> bool:
    """Return whether other machines' agents would use this server's address."""
    parts = urlsplit(settings.PUBLIC_URL)
    return parts.scheme == "https" and parts.hostname not in LOOPBACK


def _address(name: str) -> str:
    return urljoin(settings.PUBLIC_URL, reverse("console:agent-file", args=[name]))


@require_safe
def file(request: HttpRequest, name: str) -> HttpResponse:
    """Send a file of the agent, which holds no secret, to whoever installs one."""
    if name not in FILES:
        raise Http404
    return HttpResponse((FOLDER / name).read_bytes(), content_type="text/plain; charset=utf-8")


urlpatterns = [path("agents/files/<str:name>", file, name="agent-file")]
