from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.api.idempotency import IdempotentWrites
from core.db.clock import database_now
from notifications.filters import INBOX
from notifications.models import Notification
from notifications.serializers.inbox import (
    InboxSerializer,
    ReadSerializer,
    UnreadSerializer,
    serialize_notification,
)
from notifications.services import inbox
from users.authentication import person
from users.models import User


class InboxView(APIView):
    """Your inbox, newest first."""

    @extend_schema(
        operation_id="me_notifications_list",
        summary=_("List your inbox"),
        parameters=INBOX.parameters,
        responses=InboxSerializer,
    )
    def get(self, request: Request) -> Response:
        me = person(request)
        pages = INBOX.page(request, lambda: Notification.objects.filter(user=me), asker=me.pk)
        visible = inbox.visible_incidents(me, pages.rows)
        response = pages.respond(lambda row: serialize_notification(row, is_visible=row.incident_id in visible))
        response.data["unread"] = unread_of(me)
        return response


class ReadView(IdempotentWrites, APIView):
    """What you have read."""

    @extend_schema(
        operation_id="me_notifications_read",
        summary=_("Mark entries of your inbox as read"),
        request=ReadSerializer,
        responses={200: UnreadSerializer},
    )
    def post(self, request: Request) -> Response:
        form = ReadSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        me = person(request)
        ids = None if form.validated_data["all"] else form.validated_data["ids"]
        inbox.mark_read(me, database_now(), ids)
        return Response({"unread": unread_of(me)})


def unread_of(user: User) -> int:
    return Notification.objects.unread().filter(user=user).count()
