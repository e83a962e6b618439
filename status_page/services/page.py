"""Configure the page itself; every change of what it shows is counted here."""

import hashlib
import io
import secrets
from collections.abc import Mapping, Sequence
from typing import Any
from zoneinfo import available_timezones

from django.conf import settings
from django.conf.locale import LANG_INFO
from django.db.models import F
from django.utils.translation import gettext as _
from PIL import Image

from core.actor import acting
from core.db.transactions import unit_of_work
from core.errors import Conflict, DomainError, TooLarge, UnsupportedMedia
from core.server.jobs import wake
from incidents.actors import By, person
from incidents.attachments import decoders
from incidents.attachments.kinds import GIF, HEAD_BYTES, JPEG, PNG, WEBP, Bomb, Damaged, recognise_kind
from status_page.audit import record_logo
from status_page.models import StatusPage
from status_page.models.page import ONLY
from status_page.permissions import require_admin
from status_page.services.checking import PAGE_TEXTS, known, require_valid, translations_of

FIELDS = (
    *("name", "about", "support_url", "languages", "time_zone", "translations"),
    *("is_private", "takes_subscribers"),
)
LANGUAGES = tuple(sorted(code for code, facts in LANG_INFO.items() if "name" in facts and len(code) <= 8))
MOST_LANGUAGES = 20
LOGO_SIZE = (480, 160)
LOGO_SIZES = (LOGO_SIZE, (240, 80), (120, 40))
LOGO_BYTES = 200_000
LOGO_KINDS = (PNG, JPEG, WEBP, GIF)
MAX_UPLOAD_BYTES = 5_000_000
KEY_BYTES = 24


def the_page() -> StatusPage:
    """Return the page, made when it is first needed."""
    page, _is_new = StatusPage.objects.get_or_create(pk=ONLY, defaults={"languages": [settings.LANGUAGE_CODE]})
    return page


def languages_of(page: StatusPage) -> list[str]:
    """Return the page's languages, the main one first."""
    return list(page.languages) or [settings.LANGUAGE_CODE]


def other_languages() -> list[str]:
    """Return the languages of translations: all but the main one."""
    return languages_of(the_page())[1:]


def changed() -> None:
    """Count a change of what the page shows, and have it written after this transaction."""
    if not StatusPage.objects.filter(pk=ONLY).update(revision=F("revision") + 1):
        the_page()
    wake("write_status_page")


@unit_of_work
def edit_page(*, by: By, changes: Mapping[str, Any]) -> StatusPage:
    """Change how the page presents itself. Raises DomainError, and Conflict for a private page without a key."""
    require_admin(by)
    page = _locked()
    values = known(changes, FIELDS)
    if "languages" in values:
        values["languages"] = _languages(values["languages"])
    if "translations" in values:
        others = values.get("languages", languages_of(page))[1:]
        values["translations"] = translations_of(values["translations"], PAGE_TEXTS, others)
    if "time_zone" in values and values["time_zone"] not in available_timezones():
        raise DomainError(_("This is not a time zone; try Europe/Berlin."), field="time_zone")
    for name, value in values.items():
        setattr(page, name, value)
    require_valid(page, set(values) - {"languages", "translations"})
    if page.is_private and not page.access_digest:
        raise Conflict(_("Create an access key first; without one nobody could open the page."), code="no_access_key")
    return _save(page, values, by)


@unit_of_work
def set_logo(*, by: By, data: bytes | None) -> StatusPage:
    """Show this picture beside the name, or none.

    Raises UnsupportedMedia unless it is PNG, JPEG, WebP or GIF by its content, TooLarge, DomainError if it is damaged.
    """
    require_admin(by)
    logo = _logo(data) if data else b""
    page = _locked()
    before, page.logo = bytes(page.logo), logo
    record_logo(page, before, by=person(by))
    return _save(page, ["logo"], by)


@unit_of_work
def new_access_key(*, by: By) -> str:
    """Replace the key that opens the private page; the key is shown this once."""
    require_admin(by)
    key = secrets.token_urlsafe(KEY_BYTES)
    page = _locked()
    page.access_digest = digest_of(key)
    _save(page, ["access_digest"], by)
    return key


def digest_of(key: str) -> str:
    """Return what is stored of an access key."""
    return hashlib.sha256(key.encode()).hexdigest()


def _locked() -> StatusPage:
    the_page()
    return StatusPage.objects.select_for_update().get(pk=ONLY)


def _save(page: StatusPage, names: Any, by: By) -> StatusPage:
    with acting(person(by)):
        page.save(update_fields=list(names))
    changed()
    page.refresh_from_db(fields=["revision"])
    return page


def _languages(codes: object) -> list[str]:
    if not isinstance(codes, Sequence) or isinstance(codes, str) or not codes:
        raise DomainError(_("Name at least one language."), field="languages")
    for code in codes:
        if code not in LANGUAGES:
            raise DomainError(_("%(code)s is not a language code; try en or de.") % {"code": code}, field="languages")
    if len(set(codes)) < len(codes) or len(codes) > MOST_LANGUAGES:
        raise DomainError(
            _("Name each language once, and at most %(limit)s.") % {"limit": MOST_LANGUAGES}, field="languages"
        )
    return list(codes)


def _logo(data: bytes) -> bytes:
    """Return the picture as PNG within the limits; it is decoded by a process of its own."""
    if len(data) > MAX_UPLOAD_BYTES:
        raise TooLarge(_("A logo may have at most 5 MB."), field="logo")
    kind = recognise_kind(data[:HEAD_BYTES])
    if kind not in LOGO_KINDS or kind is None:
        raise UnsupportedMedia(_("A logo is a PNG, JPEG, WebP or GIF picture."), field="logo")
    copy = io.BytesIO()
    try:
        decoders.make_copy(io.BytesIO(data), kind, copy)
    except (Bomb, Damaged) as error:
        raise DomainError(_("The picture is damaged or too large."), field="logo", code="damaged_file") from error
    copy.seek(0)
    with Image.open(copy, formats=("PNG", "JPEG", "WEBP", "GIF")) as picture:
        plain = picture.convert("RGBA" if picture.has_transparency_data else "RGB")
    for size in LOGO_SIZES:
        plain.thumbnail(size, Image.Resampling.LANCZOS)
        written = io.BytesIO()
        plain.save(written, "PNG", optimize=True)
        if written.tell() <= LOGO_BYTES:
            break
    return written.getvalue()
