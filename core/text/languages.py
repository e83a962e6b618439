"""Which language somebody reads."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, cast

from django.conf import settings
from django.utils import translation
from django.utils.functional import Promise, lazy
from django.utils.translation.trans_real import parse_accept_lang_header

STORED = "en"  # of texts that several people read in the database


def codes() -> list[str]:
    return [code for code, _name in settings.LANGUAGES]


def spoken(language: str) -> str:
    """Return the language to write in for a stored one: `de-AT` is `de`; what there is none of is the default."""
    known = codes()
    exact = language.lower().replace("_", "-")
    return next((code for code in (exact, exact.partition("-")[0]) if code in known), settings.DEFAULT_LANGUAGE)


def accepted(header: str) -> str:
    """Return the language that a browser asks for (Accept-Language), or the default."""
    known = codes()
    for tag, _quality in parse_accept_lang_header(header.lower()):
        if (code := tag.partition("-")[0]) in known:
            return code
    return settings.DEFAULT_LANGUAGE


def reading(language: str) -> AbstractContextManager[Any]:
    """Write in a person's language."""
    return translation.override(spoken(language))


def stored() -> AbstractContextManager[Any]:
    """Write in the language of stored texts."""
    return translation.override(STORED)


def later(write: Callable[[], str]) -> Promise:
    """Return a text that is written when it is read, in the language active then."""
    return cast("Promise", lazy(write, str)())
