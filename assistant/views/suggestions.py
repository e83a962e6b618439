"""Routes of an incident's suggestions."""

from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from assistant.serializers.suggestions import GivenVerdictSerializer, SuggestionsSerializer, VerdictSerializer
from assistant.services.suggesting import suggestions_of
from assistant.services.verdicts import give_verdict
from core.api.idempotency import IdempotentWrites
from core.api.parameters import IDEMPOTENCY_KEY
from core.api.permissions import IsResponder
from core.api.problems import refuse_unknown_parameters
from incidents.views.lookup import INCIDENT_ID, incident_for
from users.authentication import person

SUGGESTION_ID = OpenApiParameter("suggestion_id", OpenApiTypes.STR, OpenApiParameter.PATH)


class SuggestionsView(APIView):
    """What is suggested about an incident."""

    @extend_schema(
        operation_id="suggestions_retrieve",
        summary=_("Get suggestions for an incident"),
        description=_("Reporters get similar incidents and likely duplicates among those they see, and the summary."),
        parameters=[INCIDENT_ID],
        responses=SuggestionsSerializer,
    )
    def get(self, request: Request, id: str) -> Response:
        refuse_unknown_parameters(request, set())
        found = suggestions_of(incident_for(request, id), person(request), timezone.now())
        return Response(SuggestionsSerializer(found).data)


class VerdictView(IdempotentWrites, APIView):
    """Whether a suggestion is useful."""

    permission_classes = [IsResponder]

    @extend_schema(
        operation_id="suggestion_verdict",
        summary=_("Say whether a suggestion is useful"),
        description=_("A later verdict of the same person replaces the earlier one."),
        parameters=[INCIDENT_ID, SUGGESTION_ID, IDEMPOTENCY_KEY],
        request=VerdictSerializer,
        responses=GivenVerdictSerializer,
    )
    def post(self, request: Request, id: str, suggestion_id: str) -> Response:
        serializer = VerdictSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        incident, by = incident_for(request, id), person(request)
        said = serializer.validated_data["is_useful"]
        verdict = give_verdict(incident, suggestion_id, by=by, is_useful=said, now=timezone.now())
        return Response(GivenVerdictSerializer(verdict).data)
