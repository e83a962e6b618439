"""Route that has a language model asked about an incident."""

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema
from rest_framework import status as http
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from assistant.serializers.asking import ModelCallSerializer, QuestionSerializer
from assistant.services.asking import ask
from core.api.idempotency import IdempotentWrites
from core.api.parameters import IDEMPOTENCY_KEY
from core.api.permissions import IsResponder
from incidents.views.lookup import INCIDENT_ID, incident_for
from users.authentication import person


class AskView(IdempotentWrites, APIView):
    """Questions to the language model."""

    permission_classes = [IsResponder]

    @extend_schema(
        operation_id="suggestions_ask",
        summary=_("Ask the language model about an incident"),
        description=_(
            "A worker asks; the answer appears among the suggestions. 409 says why nothing can be asked now, such as "
            "`model_off` or `model_paused_budget`. Restricted incidents are never sent."
        ),
        parameters=[INCIDENT_ID, IDEMPOTENCY_KEY],
        request=QuestionSerializer,
        responses={202: ModelCallSerializer},
    )
    def post(self, request: Request, id: str) -> Response:
        serializer = QuestionSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        call = ask(incident_for(request, id), task=serializer.validated_data["task"], by=person(request))
        return Response(ModelCallSerializer(call).data, status=http.HTTP_202_ACCEPTED)
