"""Bodies of senders that choose their format: JSON, a form, or XML."""

import re
from dataclasses import replace
from typing import Any
from xml.etree.ElementTree import Element, ParseError, TreeBuilder

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser

from alerts.reading.forms import form
from core.text.encodings import marked_as, unmarked
from intake.requests import MAX_DEPTH, IntakeError, IntakeRequest, exact_json

MOST_ELEMENTS = 20_000
_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")
_XML_HEAD = re.compile(rb"<\?xml[^>]*\?>")
_LOOKS_LIKE_FORM = re.compile(rb"[A-Za-z_][\w.\-\[\]%+]{0,200}=", re.ASCII)


def read_body(request: IntakeRequest) -> Any:
    """Return the body as JSON values, recognised by its first characters rather than its Content-Type.

    A form becomes an object of texts, or the JSON in its only field `payload`. XML: attributes as "@name", mixed text
    as "#text", repeated elements as lists; namespaces dropped. Raises IntakeError.
    """
    body = unmarked(request.body).strip()
    if body.startswith(b"<"):
        # a byte order mark overrides XML's own encoding
        return _from_xml(_XML_HEAD.sub(b"", body, count=1) if marked_as(request.body) else body)
    if body[:1] not in (b"{", b"[") and (request.media_type in _FORMS or _LOOKS_LIKE_FORM.match(body)):
        return _from_form(form(replace(request, body=body)))
    return request.json


def _from_form(fields: dict[str, str]) -> Any:
    payload = fields.get("payload", "")
    return exact_json(payload.encode()) if len(fields) == 1 and payload.lstrip()[:1] in ("{", "[") else fields


def _from_xml(body: bytes) -> Any:
    try:
        parser = DefusedXMLParser(target=_Bounded(), forbid_dtd=True)
        parser.feed(body)
        root = parser.close()
    except DefusedXmlException as error:
        raise IntakeError("XML with a DOCTYPE, entities or references is not accepted.") from error
    except (ParseError, ValueError, LookupError) as error:
        raise IntakeError(f"The body is not well-formed XML: {error}.") from error
    return _value(root, is_root=True)


class _Bounded(TreeBuilder):
    """Gives up on a tree too large or too deep."""

    def __init__(self) -> None:
        super().__init__()
        self.depth = self.count = 0

    def start(self, tag: Any, attrs: Any, /) -> Any:
        self.depth, self.count = self.depth + 1, self.count + 1
        if self.depth > MAX_DEPTH:
            raise IntakeError(f"The body is nested deeper than {MAX_DEPTH} levels.")
        if self.count > MOST_ELEMENTS:
            raise IntakeError(f"The body has more than {MOST_ELEMENTS:,} elements.")
        return super().start(tag, attrs)

    def end(self, tag: str, /) -> Element:
        self.depth -= 1
        return super().end(tag)


def _value(element: Element, *, is_root: bool = False) -> Any:
    said = (element.text or "").strip()
    if not is_root and not len(element) and not element.attrib:
        return said
    found: dict[str, list[Any]] = {}
    for child in element:
        found.setdefault(_local(child.tag), []).append(_value(child))
    value: dict[str, Any] = {f"@{_local(name)}": text for name, text in element.attrib.items()}
    value |= {name: inner[0] if len(inner) == 1 else inner for name, inner in found.items()}
    return {**value, "#text": said} if said else value


def _local(name: str) -> str:
    return name.rpartition("}")[2]
