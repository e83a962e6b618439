"""Take files out of multipart forms."""

from typing import Any

from django.http import UnreadablePostError
from django.utils.http import parse_header_parameters
from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser

from core.errors import StorageUnavailable
from incidents.services.attaching import StoredFiles
from incidents.views.multipart import read_form


class StoresFiles:
    """Delete the files that a write with an `Idempotency-Key` stored before a transaction that then failed.

    A mixin, left of a DRF view.
    """

    stored: StoredFiles | None = None
    failure: Exception | None = None

    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        """Respond, then keep or delete the stored files."""
        try:
            return super().dispatch(request, *args, **kwargs)  # type: ignore[misc]  # the view's
        finally:
            if self.stored is not None:
                self.stored.written.settle(self.failure)

    def handle_exception(self, exc: Exception) -> Any:
        """Note the failure."""
        self.failure = exc
        return super().handle_exception(exc)  # type: ignore[misc]  # the view's


class FilesParser(BaseParser):
    """Parse multipart forms, reporting every failure as a problem."""

    media_type = "multipart/form-data"

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        """Return the form's data and files."""
        boundary = str(parse_header_parameters(media_type or "")[1].get("boundary", ""))
        if not boundary:
            raise ParseError("The Content-Type names no boundary of the form's parts.")
        try:
            return read_form(stream, boundary)
        except UnreadablePostError as error:
            raise ParseError("The body broke off.") from error
        except OSError as error:
            raise StorageUnavailable("The server has no space for these files; try again later.") from error
