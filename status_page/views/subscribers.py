"""Routes of subscribers."""

from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ViewSet

from core.api.idempotency import IdempotentWrites
from core.api.permissions import IsAdmin
from core.errors import NotFound
from status_page.filters import SUBSCRIBERS
from status_page.models import Subscriber
from status_page.serializers.subscribers import (
    ImportedSerializer,
    ImportSerializer,
    NewSubscriberSerializer,
    SubscriberPageSerializer,
    SubscriberSerializer,
    request_of,
    serialize_subscriber,
)
from status_page.services.subscribing import end_by_admin, import_subscribers, key_of, subscribe
from users.authentication import person

ID = OpenApiParameter("subscriber_id", OpenApiTypes.INT, OpenApiParameter.PATH)


class SubscriberViewSet(IdempotentWrites, ViewSet):
    """Who is told of updates by mail."""

    permission_classes = [IsAdmin]
    lookup_url_kwarg = "subscriber_id"
    lookup_value_regex = "[0-9]{1,18}"

    @extend_schema(
        operation_id="status_subscribers_list",
        summary=_("List subscribers of the status page"),
        parameters=SUBSCRIBERS.parameters,
        responses=SubscriberPageSerializer,
    )
    def list(self, request: Request) -> Response:
        return SUBSCRIBERS.page(request, Subscriber.objects.all, asker=None).respond(serialize_subscriber)

    @extend_schema(
        operation_id="status_subscribers_create",
        summary=_("Add a subscriber"),
        description=_(
            "A mail asks the address to confirm, unless `is_confirmed`. A known address is left as it is until "
            "somebody confirms."
        ),
        request=NewSubscriberSerializer,
        responses={201: SubscriberSerializer},
    )
    def create(self, request: Request) -> Response:
        form = NewSubscriberSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        wanted = request_of(form.validated_data)
        if form.validated_data["is_confirmed"]:
            import_subscribers([wanted], by=person(request), now=timezone.now())
            found = Subscriber.objects.prefetch_related("components").get(email_key=key_of(wanted.email))
        else:
            found = subscribe(wanted, now=timezone.now())
        return Response(serialize_subscriber(found), status=201)

    @extend_schema(
        operation_id="status_subscribers_retrieve",
        summary=_("Get a subscriber"),
        parameters=[ID],
        responses=SubscriberSerializer,
    )
    def retrieve(self, request: Request, subscriber_id: str) -> Response:
        return Response(serialize_subscriber(_found(subscriber_id)))

    @extend_schema(
        operation_id="status_subscribers_destroy",
        summary=_("Unsubscribe an address"),
        description=_("Nothing more is sent to it, and an import does not add it again within 30 days."),
        parameters=[ID],
        responses={204: None},
    )
    def destroy(self, request: Request, subscriber_id: str) -> Response:
        end_by_admin(_found(subscriber_id), by=person(request), now=timezone.now())
        return Response(status=204)

    @extend_schema(
        operation_id="status_subscribers_import",
        summary=_("Import confirmed subscribers"),
        description=_("All or none; known addresses are left as they are, so that who unsubscribed stays so."),
        request=ImportSerializer,
        responses={200: ImportedSerializer},
    )
    @action(detail=False, methods=["post"], url_path="import", url_name="import")
    def import_many(self, request: Request) -> Response:
        form = ImportSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        wanted = [request_of(values) for values in form.validated_data["subscribers"]]
        created = import_subscribers(wanted, by=person(request), now=timezone.now())
        return Response({"created": created, "known": len({key_of(one.email) for one in wanted}) - created})


def _found(number: str) -> Subscriber:
    found = Subscriber.objects.prefetch_related("components").filter(pk=int(number)).first()
    if found is None:
        raise NotFound(gettext("Subscriber %(id)s does not exist.") % {"id": number})
    return found
