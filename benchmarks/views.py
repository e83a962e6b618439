"""The least that a view of this framework does: the yardstick for the real ones."""

from django.http import HttpRequest, HttpResponse
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView


class EmptyView(APIView):
    """Answers; nobody is asked who they are."""

    authentication_classes = []
    permission_classes = []

    def get(self, request: Request) -> Response:
        """Nothing but the framework."""
        return Response({"ok": True})


class TwelveFields(serializers.Serializer):
    """As many fields as a report has."""

    title = serializers.CharField(max_length=200)
    description = serializers.CharField(allow_blank=True)
    severity = serializers.ChoiceField(choices=["critical", "high", "medium", "low"])
    priority = serializers.ChoiceField(choices=["p1", "p2", "p3", "p4"])
    category = serializers.SlugField()
    location = serializers.CharField(max_length=200)
    services = serializers.ListField(child=serializers.SlugField())
    team = serializers.IntegerField(allow_null=True)
    assignee = serializers.IntegerField(allow_null=True)
    source = serializers.CharField(max_length=64)
    is_restricted = serializers.BooleanField()
    occurred_at = serializers.DateTimeField()


class PostView(APIView):
    """Validates twelve fields and gives them back."""

    authentication_classes = []
    permission_classes = []

    def post(self, request: Request) -> Response:
        """Nothing but the framework."""
        serializer = TwelveFields(data=request.data)
        serializer.is_valid(raise_exception=True)
        return Response(serializer.data)


def plain(request: HttpRequest) -> HttpResponse:
    """Less than which no view of Django's does."""
    return HttpResponse(b"ok")
