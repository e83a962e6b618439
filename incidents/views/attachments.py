"""The files of incidents: listing, adding, removing, and sending them."""

from django.core.files.uploadedfile import UploadedFile
from django.http.response import HttpResponseBase
from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import exceptions
from rest_framework import status as http
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ViewSet

from core.api.idempotency import IdempotentWrites
from core.api.listing import page_parameters
from core.api.paging import Key, page_of
from core.api.parameters import IDEMPOTENCY_KEY
from core.api.problems import refuse
from core.api.schema import paged
from core.errors import NotFound, PermissionRefused
from incidents.attachments import serving
from incidents.attachments.inspecting import FIELD
from incidents.models import Attachment, Incident
from incidents.permissions import require_comment
from incidents.serializers.attachments import AttachmentSerializer, FilesSerializer, serialize_attachment
from incidents.services import attaching
from incidents.views.lookup import INCIDENT_ID, incident_for
from incidents.views.uploads import FilesParser, StoresFiles
from users.authentication import person

FILE_ID = OpenApiParameter("id", OpenApiTypes.INT, OpenApiParameter.PATH)
UPLOAD_ERRORS = {
    "413": "A file is too large; the problem names it.",
    "415": "A file's type is not accepted; the problem names it.",
    "503": "The file store is unavailable, or too many pictures are being processed; nothing was stored.",
}
SENDING_ERRORS = {
    "500": "The stored file has been altered (`file_altered`); it is not served.",
    "503": "The file store is unavailable, or has lost the file.",
}
PICTURE_TYPES = ("image/jpeg", "image/png", "image/webp", "image/gif")
SERVED_TYPES = (*PICTURE_TYPES, "application/pdf", "text/plain")
RETRY_SECONDS = 2


class ThumbnailNotReady(exceptions.NotFound):
    """The worker has not come by yet."""

    default_detail = "The thumbnail is still being made; ask again in a moment."
    default_code = "thumbnail_not_ready"
    wait = RETRY_SECONDS


class IncidentAttachmentViewSet(StoresFiles, IdempotentWrites, ViewSet):
    """The files of an incident, and adding some."""

    parser_classes = [FilesParser]
    orderings = {"id": [Key("id")], "created_at": [Key("created_at")]}
    default_ordering = "id"
    schema_errors = UPLOAD_ERRORS

    @extend_schema(
        operation_id="attachments_list",
        summary=_("List an incident's files"),
        parameters=[INCIDENT_ID, *page_parameters()],
        responses=paged(AttachmentSerializer),
    )
    def list(self, request: Request, id: str) -> Response:
        """The files of an incident, in the order they came."""
        attachments = incident_for(request, id).attachments.all()
        return page_of(attachments, request, self, lambda rows: [serialize_attachment(row, request) for row in rows])

    @extend_schema(
        operation_id="attachments_create",
        summary=_("Attach files to an incident"),
        parameters=[INCIDENT_ID, IDEMPOTENCY_KEY],
        request={"multipart/form-data": FilesSerializer},
        responses={201: AttachmentSerializer(many=True)},
    )
    def create(self, request: Request, id: str) -> Response:
        """Attach up to 20 files, in the multipart field `attachments`; all of them are stored or none."""
        incident = incident_for(request, id)
        files = self.stored if self.stored is not None else attaching.inspect(_files(request))
        attachments = attaching.attach(incident, files, by=person(request))
        return Response([serialize_attachment(row, request) for row in attachments], status=http.HTTP_201_CREATED)

    def prepare(self, request: Request, id: str) -> None:
        """Look at the files and store them; not for those who may not attach any."""
        require_comment(person(request), incident_for(request, id))
        self.stored = attaching.store(attaching.inspect(_files(request)))


class AttachmentViewSet(IdempotentWrites, ViewSet):
    """Attachments by id."""

    lookup_url_kwarg = "id"
    lookup_value_regex = r"\d+"
    schema_errors: dict[str, str] = {}

    @extend_schema(
        operation_id="attachments_destroy",
        summary=_("Delete a file"),
        parameters=[FILE_ID, IDEMPOTENCY_KEY],
        responses={204: None},
    )
    def destroy(self, request: Request, id: str) -> Response:
        attaching.remove(_attachment_for(request, id), by=person(request))
        return Response(status=http.HTTP_204_NO_CONTENT)

    @extend_schema(
        operation_id="attachments_file",
        summary=_("Get a file's safe copy"),
        parameters=[FILE_ID],
        responses={(200, media_type): OpenApiTypes.BINARY for media_type in SERVED_TYPES},
    )
    @action(detail=True, schema_errors=SENDING_ERRORS)
    def file(self, request: Request, id: str) -> HttpResponseBase:
        """Pictures without EXIF and upright, to look at; PDF and text (as UTF-8) to download."""
        return serving.serve_file(request._request, _attachment_for(request, id))

    @extend_schema(
        operation_id="attachments_thumbnail",
        summary=_("Get a picture's thumbnail"),
        parameters=[FILE_ID],
        responses={(200, "image/webp"): OpenApiTypes.BINARY},
    )
    @action(detail=True, schema_errors=SENDING_ERRORS)
    def thumbnail(self, request: Request, id: str) -> HttpResponseBase:
        """At most 320 × 320 pixels. Until it is made: 404 `thumbnail_not_ready` with `Retry-After`."""
        attachment = _attachment_for(request, id)
        if attachment.thumbnail_key:
            return serving.serve_thumbnail(request._request, attachment)
        if attachment.thumbnail_due_at:
            raise ThumbnailNotReady
        raise NotFound(f"{attachment.name} has no thumbnail.", code="no_thumbnail")

    @extend_schema(
        operation_id="attachments_original",
        summary=_("Get a file as it was uploaded"),
        parameters=[FILE_ID],
        responses={(200, "*/*"): bytes},
    )
    @action(detail=True, schema_errors=SENDING_ERRORS)
    def original(self, request: Request, id: str) -> HttpResponseBase:
        """The upload, byte for byte, location data included; for responders and administrators, as a download."""
        attachment = _attachment_for(request, id)
        caller = person(request)
        if not (caller.is_responder or caller.is_admin):
            raise PermissionRefused(
                "Originals may reveal location and author; only responders and administrators can get them."
            )
        return serving.serve_original(request._request, attachment)


def _files(request: Request) -> "list[UploadedFile[bytes]]":
    files = [file for name in request.FILES for file in request.FILES.getlist(name)]
    if not files:
        refuse(FIELD, "Send one or more files in the multipart field attachments.", "required")
    return files


def _attachment_for(request: Request, id: str) -> Attachment:
    """The attachment of an incident the caller sees; NotFound whether it is absent or invisible."""
    attachment = Attachment.objects.filter(pk=int(id) if len(id) <= 18 else 0).select_related("incident").first()
    visible = Incident.objects.visible_to(person(request))
    if attachment is None or not visible.filter(pk=attachment.incident_id).exists():
        raise NotFound("This file does not exist, or you do not have access to it.")
    return attachment
