"""Send files such that browsers run nothing in them and guess no type."""

import contextlib
from urllib.parse import quote

from django.conf import settings
from django.core.files.storage import FileSystemStorage, default_storage
from django.http import FileResponse, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import get_conditional_response, patch_vary_headers
from django.utils.http import content_disposition_header

from incidents.attachments import storing
from incidents.attachments.kinds import EXTENSIONS_SERVED_AS, THUMBNAIL_MEDIA_TYPE
from incidents.models import Attachment

POLICY = "sandbox; default-src 'none'; frame-ancestors 'none'"


def serve_file(request: HttpRequest, attachment: Attachment) -> HttpResponseBase:
    """Send the safe copy: pictures inline, everything else as a download."""
    return _send_file(
        request,
        storing.served_file(attachment),
        media_type=attachment.served_media_type,
        name=attachment.name,
        tag=f"{attachment.sha256}-file",
        is_download=not attachment.is_picture,
    )


def serve_thumbnail(request: HttpRequest, attachment: Attachment) -> HttpResponseBase:
    return _send_file(
        request,
        storing.thumbnail_file(attachment),
        media_type=THUMBNAIL_MEDIA_TYPE,
        name=f"{attachment.name}.webp",
        tag=f"{attachment.sha256}-thumbnail",
        is_download=False,
    )


def serve_original(request: HttpRequest, attachment: Attachment) -> HttpResponseBase:
    """Send the uploaded bytes, always as a download."""
    is_text = attachment.served_media_type.startswith("text/")
    return _send_file(
        request,
        storing.original_file(attachment),
        # Without a charset: the original may be UTF-16.
        media_type="text/plain" if is_text else attachment.media_type,
        name=attachment.name,
        tag=attachment.sha256,
        is_download=True,
    )


def _send_file(
    request: HttpRequest, file: storing.StoredFile, *, media_type: str, name: str, tag: str, is_download: bool
) -> HttpResponseBase:
    response = get_conditional_response(request, etag=f'"{tag}"') or _content_response(file)
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


def _content_response(file: storing.StoredFile) -> HttpResponseBase:
    if not (settings.X_ACCEL_PREFIX and isinstance(default_storage, FileSystemStorage)):
        return FileResponse(storing.open_verified(file))
    # nginx answers 404 itself.
    with contextlib.suppress(storing.FileMissing):
        storing.open_verified(file).close()
    return HttpResponse(headers={"X-Accel-Redirect": f"{settings.X_ACCEL_PREFIX.rstrip('/')}/{quote(file.key)}"})


def served_name(name: str, media_type: str) -> str:
    """Return the name to save under; a text `report.html` becomes `report.html.txt`."""
    extensions = EXTENSIONS_SERVED_AS.get(media_type, ())
    _, dot, extension = name.rpartition(".")
    if not extensions or (dot and extension.lower() in extensions):
        return name
    return f"{name}.{extensions[0]}"
