from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from notifications.channels.push import vapid


class PushKeySerializer(serializers.Serializer[None]):
    """The key that browsers subscribe with."""

    key = serializers.CharField(help_text=_("The `applicationServerKey`; empty where push is not set up."))
    why_unusable = serializers.CharField(help_text=_("What the operator must set; empty if nothing."))


class PushKeyView(APIView):
    permission_classes = [IsAuthenticated]

    @extend_schema(
        operation_id="me_contact_methods_push_key",
        summary=_("Get the key that browsers subscribe to push with"),
        responses=PushKeySerializer,
    )
    def get(self, request: Request) -> Response:
        return Response({"key": vapid.public_key(), "why_unusable": vapid.why_unusable()})
