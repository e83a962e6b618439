"""Answers that carry a file. The browser is told to run nothing in it, to guess no type, and to ask us each time."""

import contextlib
from urllib.parse import quote

from django.conf import settings
from django.core.files.storage import FileSystemStorage, default_storage
from django.http import FileResponse, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import get_conditional_response, patch_vary_headers
from django.utils.http import content_disposition_header

from incidents.attachments import verifying
from incidents.attachments.names import served_name
from incidents.attachments.storing import FileMissing
from incidents.attachments.verdicts import THUMBNAIL_MEDIA_TYPE
from incidents.attachments.verifying import StoredFile
from incidents.models import Attachment

POLICY = "sandbox; default-src 'none'; frame-ancestors 'none'"


def served_file(request: HttpRequest, attachment: Attachment) -> HttpResponseBase:
    """The copy for everybody: pictures to look at, everything else to download."""
    return _send(
        request,
        verifying.served(attachment),
        media_type=attachment.served_media_type,
        name=attachment.name,
        tag=f"{attachment.sha256}-file",
        is_download=not attachment.is_picture,
    )


def thumbnail(request: HttpRequest, attachment: Attachment) -> HttpResponseBase:
    """The small picture; the caller has seen to it that there is one."""
    return _send(
        request,
        verifying.thumbnail(attachment),
        media_type=THUMBNAIL_MEDIA_TYPE,
        name=f"{attachment.name}.webp",
        tag=f"{attachment.sha256}-thumbnail",
        is_download=False,
    )


def original(request: HttpRequest, attachment: Attachment) -> HttpResponseBase:
    """What came, byte for byte, and never to be opened in the browser."""
    is_text = attachment.served_media_type.startswith("text/")
    return _send(
        request,
        verifying.original(attachment),
        # Without a charset for text: it may be UTF-16, and its bytes are not touched.
        media_type="text/plain" if is_text else attachment.media_type,
        name=attachment.name,
        tag=attachment.sha256,
        is_download=True,
    )


def _send(
    request: HttpRequest, file: StoredFile, *, media_type: str, name: str, tag: str, is_download: bool
) -> HttpResponseBase:
    response = get_conditional_response(request, etag=f'"{tag}"') or _with_content(file)
    if response.status_code == 200:
        response["Content-Type"] = media_type
        known = "text/plain; charset=utf-8" if media_type.startswith("text/") else media_type
        response["Content-Disposition"] = content_disposition_header(is_download, served_name(name, known)) or "inline"
    response["ETag"] = f'"{tag}"'
    response["Cache-Control"] = "private, no-cache"
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = POLICY
    response["Cross-Origin-Resource-Policy"] = "same-origin"
    patch_vary_headers(response, ["Authorization", "Cookie"])
    return response


def _with_content(file: StoredFile) -> HttpResponseBase:
    """The file, once all of it was found to be what was stored: what differs is not even begun to be sent."""
    if not (settings.X_ACCEL_PREFIX and isinstance(default_storage, FileSystemStorage)):
        return FileResponse(verifying.opened(file))
    # nginx may have a file that we cannot read, and says so itself where it has none.
    with contextlib.suppress(FileMissing):
        verifying.opened(file).close()
    return HttpResponse(headers={"X-Accel-Redirect": f"{settings.X_ACCEL_PREFIX.rstrip('/')}/{quote(file.key)}"})
