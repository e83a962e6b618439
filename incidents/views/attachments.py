"""The files of incidents: listing, adding, removing, and sending them."""

from django.core.files.uploadedfile import UploadedFile
from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import exceptions
from rest_framework import status as http
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.api.idempotency import IdempotentWrites
from core.api.paging import Key, page_of
from core.api.problems import refuse
from core.api.schema import paged
from core.errors import NotFound, PermissionRefused
from incidents.attachments import serving
from incidents.attachments.inspecting import FIELD
from incidents.models import Attachment, Incident
from incidents.permissions import require_comment
from incidents.serializers.attachments import AttachmentSerializer, FilesSerializer
from incidents.services import attaching
from incidents.views.incidents import IDEMPOTENCY_KEY, PAGE_PARAMETERS, person
from incidents.views.lookup import incident_for
from incidents.views.uploads import FilesParser, StoresFiles

ID = OpenApiParameter("id", OpenApiTypes.STR, OpenApiParameter.PATH, description="Number or reference.")
UPLOAD_ERRORS = {
    "413": "A file is too large; the problem names it.",
    "415": "A file is of a kind that is not accepted; the problem names it.",
    "503": "The file store takes no files now, or too many pictures are being looked at; nothing was stored.",
}
SENDING_ERRORS = {
    "500": "The stored file is not what was stored any more (`file_altered`); it is not served.",
    "503": "The file store does not answer, or has lost the file.",
}
PICTURE_TYPES = ("image/jpeg", "image/png", "image/webp", "image/gif")
SERVED_TYPES = (*PICTURE_TYPES, "application/pdf", "text/plain")
RETRY_SECONDS = 2


class ThumbnailNotReady(exceptions.NotFound):
    """The worker has not come by yet."""

    default_detail = "The thumbnail is still being made; ask again in a moment."
    default_code = "thumbnail_not_ready"
    wait = RETRY_SECONDS


class IncidentAttachmentsView(StoresFiles, IdempotentWrites, APIView):
    """The files of an incident, and adding some."""

    parser_classes = [FilesParser]
    orderings = {"id": [Key("id")], "created_at": [Key("created_at")]}
    default_ordering = "id"
    schema_errors = UPLOAD_ERRORS

    @extend_schema(
        operation_id="attachments_list",
        summary="List the files of an incident",
        parameters=[ID, *PAGE_PARAMETERS[:2]],
        responses=paged(AttachmentSerializer),
    )
    def get(self, request: Request, id: str) -> Response:
        """The files of an incident, in the order they came."""
        attachments = incident_for(request, id).attachments.all()
        return page_of(attachments, request, self, lambda rows: _shown(rows, request))

    @extend_schema(
        operation_id="attachments_create",
        summary="Attach files to an incident",
        parameters=[ID, IDEMPOTENCY_KEY],
        request={"multipart/form-data": FilesSerializer},
        responses={201: AttachmentSerializer(many=True)},
    )
    def post(self, request: Request, id: str) -> Response:
        """Attach up to 20 files, in the multipart field `attachments`; all of them are stored or none."""
        incident = incident_for(request, id)
        files = self.stored if self.stored is not None else attaching.inspect(_files(request))
        attachments = attaching.attach(incident, files, by=person(request))
        return Response(_shown(attachments, request), status=http.HTTP_201_CREATED)

    def prepare(self, request: Request, id: str) -> None:
        """Look at the files and store them; not for those who may not attach any."""
        require_comment(person(request), incident_for(request, id))
        self.stored = attaching.store(attaching.inspect(_files(request)))


class AttachmentView(IdempotentWrites, APIView):
    """One file."""

    @extend_schema(operation_id="attachments_destroy", summary="Remove a file", responses={204: None})
    def delete(self, request: Request, id: int) -> Response:
        attaching.remove(_attachment_for(request, id), by=person(request))
        return Response(status=http.HTTP_204_NO_CONTENT)


class AttachmentFileView(APIView):
    """The copy that is safe to look at."""

    schema_errors = SENDING_ERRORS

    @extend_schema(
        operation_id="attachments_file",
        summary="Get the copy of a file that is safe to look at",
        responses={(200, media_type): OpenApiTypes.BINARY for media_type in SERVED_TYPES},
    )
    def get(self, request: Request, id: int) -> HttpResponseBase:
        """Pictures without EXIF and upright, to look at; PDF and text (as UTF-8) to download."""
        return serving.serve_file(request._request, _attachment_for(request, id))


class AttachmentThumbnailView(APIView):
    """The small picture."""

    schema_errors = SENDING_ERRORS

    @extend_schema(
        operation_id="attachments_thumbnail",
        summary="Get the small picture of a file",
        responses={(200, "image/webp"): OpenApiTypes.BINARY},
    )
    def get(self, request: Request, id: int) -> HttpResponseBase:
        """At most 320 × 320 pixels. Until it is made: 404 `thumbnail_not_ready` with `Retry-After`."""
        attachment = _attachment_for(request, id)
        if attachment.thumbnail_key:
            return serving.serve_thumbnail(request._request, attachment)
        if attachment.thumbnail_due_at:
            raise ThumbnailNotReady
        raise NotFound(f"{attachment.name} has no thumbnail.", code="no_thumbnail")


class AttachmentOriginalView(APIView):
    """The evidence."""

    schema_errors = SENDING_ERRORS

    @extend_schema(
        operation_id="attachments_original",
        summary="Get a file as it came",
        responses={(200, "*/*"): bytes},
    )
    def get(self, request: Request, id: int) -> HttpResponseBase:
        """What came, byte for byte, position data and all; for responders and administrators, as a download."""
        attachment = _attachment_for(request, id)
        caller = person(request)
        if not (caller.is_responder or caller.is_admin):
            raise PermissionRefused("Originals may tell where and by whom; they are for responders and administrators.")
        return serving.serve_original(request._request, attachment)


def _files(request: Request) -> "list[UploadedFile[bytes]]":
    """The files of the request in their order, whatever field they came in."""
    files = [file for name in request.FILES for file in request.FILES.getlist(name)]
    if not files:
        refuse(FIELD, "Send one or more files in the multipart field attachments.", "required")
    return files


def _attachment_for(request: Request, id: int) -> Attachment:
    """The attachment of an incident the caller sees; NotFound whether it is absent or invisible."""
    attachment = Attachment.objects.filter(pk=id).select_related("incident").first()
    visible = Incident.objects.visible_to(person(request))
    if attachment is None or not visible.filter(pk=attachment.incident_id).exists():
        raise NotFound("There is no such file here, or it is not yours to see.")
    return attachment


def _shown(attachments: list[Attachment], request: Request) -> list[dict[str, object]]:
    return list(AttachmentSerializer(attachments, many=True, context={"request": request}).data)
