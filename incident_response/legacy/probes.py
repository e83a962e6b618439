"""`/test-slack`, `/test-splunk` and `/test-ai`: whether a service is set up and answers, as far as this is known."""

from typing import Any

from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from assistant.services import provider
from core.api.permissions import IsAdmin
from core.errors import DomainError
from incident_response.legacy import splunk
from incident_response.legacy.base import Legacy
from notifications.channels.port import channel_of
from notifications.models import RoomChannel
from notifications.services.testing import test_room
from users.authentication import person

SLACK = "slack"


def answer(*, is_well: bool, message: str, **more: Any) -> Response:
    """Return what earlier systems' users read: 200, and whether it worked in `status`."""
    status = "success" if is_well else "error"
    return Response({"status": status, "message": message, "timestamp": timezone.now(), **more})


class SlackProbe(Legacy, APIView):
    """Send a test message to each Slack channel."""

    permission_classes = [IsAdmin]

    def post(self, request: Request) -> Response:
        rooms = RoomChannel.objects.filter(kind=SLACK).order_by("pk")
        tried = [_test(room, request) for room in rooms]
        queued = sum(one["slack_sent"] for one in tried)
        channel = channel_of(SLACK)
        missing = channel.why_unusable() if channel is not None else ""
        said = [f"Queued a test message for {queued} of {len(tried)} channels." if tried else "There is no channel."]
        return answer(
            is_well=queued > 0 and queued == len(tried),
            message=" ".join(filter(None, [*said, missing])),
            slack_sent=queued > 0,
            slack_configured=not missing,
            channels=tried,
        )


class SplunkProbe(Legacy, APIView):
    """Search Splunk for one event of the last minute."""

    permission_classes = [IsAdmin]

    def get(self, request: Request) -> Response:
        return self.post(request)

    def post(self, request: Request) -> Response:
        failure = splunk.failure(timezone.now())
        message = failure or "Splunk answered."
        return answer(is_well=not failure, message=message, splunk_connected=not failure)


class ModelProbe(Legacy, APIView):
    """Say whether a model is set up, without asking it anything: that would cost."""

    permission_classes = [IsAdmin]

    def post(self, request: Request) -> Response:
        chosen = provider.configured()
        if chosen is None:
            said = "No language model is set up (ASSISTANT_PROVIDER); suggestions come from the history alone."
            return answer(is_well=False, message=said, ai_available=False)
        switch = provider.the_switch()
        is_well = switch.is_enabled and not provider.is_open(switch, timezone.now())
        said = "The language model is asked when somebody wants its opinion."
        if not is_well:
            said = (
                "The language model is paused after failures." if switch.is_enabled else "An administrator stopped it."
            )
        facts = {"provider": chosen.name, "model": chosen.model, "last_failure": switch.last_failure or None}
        return answer(is_well=is_well, message=said, ai_available=is_well, **facts)


def _test(room: RoomChannel, request: Request) -> dict[str, Any]:
    try:
        delivery = test_room(room, by=person(request))
    except DomainError as error:
        return {"id": room.pk, "name": room.name, "slack_sent": False, "message": error.message}
    return {"id": room.pk, "name": room.name, "slack_sent": True, "delivery": delivery.pk}
