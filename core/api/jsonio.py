import codecs
import uuid
from collections.abc import Iterable
from typing import Any

import orjson
from rest_framework import exceptions, parsers
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.utils.mediatypes import media_type_matches


def to_json(value: Any) -> bytes:
    """Return JSON bytes; datetimes as ISO 8601 in UTC with `Z`."""
    return orjson.dumps(
        value, default=_jsonable, option=orjson.OPT_UTC_Z | orjson.OPT_NAIVE_UTC | orjson.OPT_NON_STR_KEYS
    )


def _jsonable(value: Any) -> Any:
    if isinstance(value, (dict, uuid.UUID)):
        return dict(value) if isinstance(value, dict) else str(value)
    if isinstance(value, (list, tuple, set, frozenset)):
        return list(value)
    return str(value)


class JSONRenderer(BaseRenderer):
    """JSON, whatever `Accept` says."""

    media_type = "application/json"
    format = "json"
    charset = None
    render_style = "binary"

    def render(self, data: Any, accepted_media_type: str | None = None, renderer_context: Any = None) -> bytes:
        if data is None:
            return b""
        return to_json(data)


class AnyAccept(BaseContentNegotiation):
    """Content negotiation that never answers 406."""

    def select_parser(self, request: Request, parsers: Iterable[BaseParser]) -> BaseParser | None:
        for parser in parsers:
            if media_type_matches(parser.media_type, request.content_type):
                return parser
        return None

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        renderer = next(iter(renderers))
        return renderer, renderer.media_type


class JSONParser(BaseParser):
    """Strict JSON (RFC 8259): UTF-8, no NaN, no lone surrogates; skips a byte order mark."""

    media_type = "application/json"

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        try:
            return orjson.loads(stream.read().removeprefix(codecs.BOM_UTF8))
        except orjson.JSONDecodeError as error:
            raise exceptions.ParseError(f"The body is not valid JSON: {error}.") from error


class FormParser(parsers.FormParser):
    """Browser forms; JSON posing as one gets a helpful refusal."""

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        form = super().parse(stream, media_type, parser_context)
        if next(iter(form), "").lstrip().startswith(("{", "[")):
            raise exceptions.ParseError(
                "The body looks like JSON, but its Content-Type says it is a form. "
                "Send it with the header Content-Type: application/json.",
                code="json_as_form",
            )
        return form
