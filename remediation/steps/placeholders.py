"""Fill `{parameter}` in specs, escaped for where it stands; `{{` and `}}` are braces. Pure."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from django.utils.translation import gettext as _

PLACE = re.compile(r"\{\{|\}\}|\{([a-z][a-z0-9_]*)\}|[{}]")
WHOLE = re.compile(r"\{([a-z][a-z0-9_]*)\}")
SLASH = re.compile(r"[/\\]")
DOTS = frozenset({".", ".."})


def names_in(value: Any) -> Iterator[str]:
    """Yield the names of all placeholders in a text, a list or an object."""
    if isinstance(value, str):
        yield from (match[1] for match in PLACE.finditer(value) if match[1])
    elif isinstance(value, Mapping):
        for key, one in value.items():
            yield from names_in(key)
            yield from names_in(one)
    elif isinstance(value, list | tuple):
        for one in value:
            yield from names_in(one)


def fault_of(value: Any, known: frozenset[str]) -> str:
    """Return what is wrong with the placeholders of a text, a list or an object; empty if nothing is."""
    texts = list(_texts(value))
    if any(match[0] in "{}" for text in texts for match in PLACE.finditer(text)):
        return _("A brace is written {{ or }}; a placeholder is the name of a parameter in braces.")
    unknown = sorted({name for text in texts for name in names_in(text)} - known)
    return _("There is no parameter %(name)s.") % {"name": unknown[0]} if unknown else ""


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, one in value.items():
            yield from _texts(key)
            yield from _texts(one)
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _texts(one)


def word(value: Any) -> str:
    """Return a parameter as text: true and false as JSON writes them."""
    return ("true" if value else "false") if isinstance(value, bool) else str(value)


def in_text(text: str, values: Mapping[str, Any]) -> str:
    """Fill a text that nothing parses: an element of argv, a header, a name. Raises ValueError."""
    return _filled(text, values, word)


def in_json(value: Any, values: Mapping[str, Any]) -> Any:
    """Fill texts and names of a JSON value; a text that is one placeholder becomes the parameter with its type."""
    if isinstance(value, str):
        if (match := WHOLE.fullmatch(value)) and match[1] in values:
            return values[match[1]]
        return in_text(value, values)
    if isinstance(value, Mapping):
        return {in_text(key, values): in_json(one, values) for key, one in value.items()}
    return [in_json(one, values) for one in value] if isinstance(value, list | tuple) else value


def in_url(url: str, values: Mapping[str, Any]) -> str:
    """Fill the path and the query of an address, each value percent-encoded whole. Raises ValueError for dots.

    A value stays within its segment or its query parameter.
    """
    filled = _filled(url, values, lambda value: quote(word(value), safe=""))
    # decoded: some servers take %2F for a slash before they resolve dots
    if any(segment in DOTS for segment in SLASH.split(unquote(urlsplit(filled).path))):
        raise ValueError(_("A value would lead out of the address's path."))
    return filled


def _filled(text: str, values: Mapping[str, Any], escape: Callable[[Any], str]) -> str:
    def fill(match: re.Match[str]) -> str:
        if match[1] is None:
            return match[0][0]
        if match[1] not in values:
            raise ValueError(f"There is no parameter {match[1]}.")
        return escape(values[match[1]])

    return PLACE.sub(fill, text)
