"""Taking files out of multipart bodies."""

from typing import Any

from django.core.exceptions import RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent
from django.http import UnreadablePostError
from django.utils.http import parse_header_parameters
from rest_framework.exceptions import ParseError
from rest_framework.parsers import MultiPartParser

from core.errors import DomainError, StorageUnavailable, TooLarge
from incidents.attachments.inspecting import FIELD
from incidents.services.attaching import StoredFiles
from incidents.views.multipart import RewrittenForm


class StoresFiles:
    """Mixin, left of a DRF view: files that a write with an `Idempotency-Key` stored before its transaction began are
    deleted again where nothing came of it."""

    stored: StoredFiles | None = None
    failure: Exception | None = None

    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        """Answer, and see what became of the files."""
        try:
            return super().dispatch(request, *args, **kwargs)  # type: ignore[misc]  # the view's
        finally:
            if self.stored is not None:
                self.stored.settle(self.failure)

    def handle_exception(self, exc: Exception) -> Any:
        """Remember what went wrong."""
        self.failure = exc
        return super().handle_exception(exc)  # type: ignore[misc]  # the view's


class FilesParser(MultiPartParser):
    """Multipart whose every failure is told as a problem, and which refuses a body that was cut off.

    Django takes the end of the body for the end of the last file, so that half a log would look whole.
    """

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        _, parameters = parse_header_parameters(media_type or "")
        form: Any = RewrittenForm(stream, str(parameters.get("boundary", "")))
        inner = f"multipart/form-data; boundary={form.boundary}" if parameters.get("boundary") else media_type
        try:
            parsed = super().parse(form, inner, parser_context)
        except TooManyFilesSent as error:
            raise DomainError("Too many files came at once.", field=FIELD, code="too_many_files") from error
        except TooManyFieldsSent as error:
            raise DomainError("Too many form fields came at once.", code="too_many_fields") from error
        except RequestDataTooBig as error:
            raise TooLarge("The form's fields are too large.") from error
        except UnreadablePostError as error:
            raise ParseError("The body broke off.") from error
        except OSError as error:
            raise StorageUnavailable("There is no room to take these files in; try again later.") from error
        if form.is_begun and not form.is_closed:
            for _, files in parsed.files.lists():
                for file in files:
                    file.close()
            raise ParseError("The body broke off before its end; nothing was stored.")
        form.name_files(parsed.files)
        return parsed
