"""The catalogues as files: `locale/<language>/LC_MESSAGES/django.po`, and the `.mo` that the program reads."""

import io
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from tests.house.sources import ROOT

FOLDER = ROOT / "locale"
# Dates and names would change with every run.
HEADER = """msgid ""
msgstr ""
"Language: {language}\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=UTF-8\\n"
"Content-Transfer-Encoding: 8bit\\n"
"Plural-Forms: {plural_forms}\\n"

"""


# As Django's own catalogues count; Unicode's third form (millions) is for numbers in words.
PLURAL_FORMS = {
    "de": "nplurals=2; plural=(n != 1);",
    "es": "nplurals=2; plural=(n != 1);",
    "fr": "nplurals=2; plural=(n > 1);",
    "ja": "nplurals=1; plural=0;",
}


def languages() -> list[str]:
    """Return the languages that have a catalogue."""
    return sorted(path.parent.parent.name for path in FOLDER.glob("*/LC_MESSAGES/django.po"))


def source_path(language: str) -> Path:
    return FOLDER / language / "LC_MESSAGES" / "django.po"


def compiled_path(language: str) -> Path:
    return source_path(language).with_suffix(".mo")


def read(language: str) -> Catalog:
    """Return the catalogue of a language; an empty one where there is none yet."""
    path = source_path(language)
    return parse(path.read_bytes(), language) if path.exists() else empty(language)


def empty(language: str) -> Catalog:
    """Return a catalogue of a language that has no texts yet."""
    catalogue = Catalog(language)
    catalogue.mime_headers = [("Plural-Forms", PLURAL_FORMS[language])]
    return catalogue


def parse(text: bytes, language: str) -> Catalog:
    return read_po(io.BytesIO(text), locale=language, abort_invalid=True)


def updated(known: Catalog, extraction: Catalog, language: str) -> Catalog:
    """Return the extraction with the known translations; what is no longer said is left out."""
    result = empty(language)
    for message in extraction:
        if not message.id:
            continue
        earlier = known.get(message.id, message.context)
        entry = result.add(
            message.id,
            locations=message.locations,
            auto_comments=message.auto_comments,
            user_comments=earlier.user_comments if earlier else (),
            context=message.context,
        )
        if earlier and isinstance(earlier.id, tuple) == isinstance(message.id, tuple):
            entry.string = earlier.string
    return result


def strings(message: Message) -> list[str]:
    """Return the translations of a message, one for each plural form."""
    return list(message.string) if isinstance(message.string, tuple | list) else [message.string]


def po_bytes(catalogue: Catalog) -> bytes:
    """Return the text of a `.po` file."""
    body = io.BytesIO()
    write_po(body, catalogue, width=0, omit_header=True, include_lineno=False, ignore_obsolete=True)
    header = HEADER.format(language=catalogue.locale_identifier, plural_forms=catalogue.plural_forms)
    return header.encode() + body.getvalue().lstrip(b"\n")


def mo_bytes(catalogue: Catalog) -> bytes:
    """Return what the program reads; the same translations make the same bytes."""
    compiled = _Compiled(catalogue.locale_identifier)
    compiled.forms = catalogue.plural_forms
    for message in catalogue:
        if message.id and not message.fuzzy and all(strings(message)):
            compiled.add(message.id, message.string, context=message.context)
    body = io.BytesIO()
    write_mo(body, compiled)
    return body.getvalue()


def write(language: str, catalogue: Catalog) -> None:
    """Write both files of a language."""
    source_path(language).parent.mkdir(parents=True, exist_ok=True)
    source_path(language).write_bytes(po_bytes(catalogue))
    compiled_path(language).write_bytes(mo_bytes(catalogue))


def allowed_copies(language: str) -> set[str]:
    """Return the texts that are said alike in English and the language."""
    return _lines(FOLDER / language / "same.txt")


def awaited() -> set[str]:
    """Return the texts that wait for translators, in any language."""
    return _lines(FOLDER / "awaited.txt")


def to_line(text: str) -> str:
    """Return a text as one line of a list."""
    return text.replace("\\", "\\\\").replace("\n", "\\n")


def from_line(line: str) -> str:
    return "\\".join(part.replace("\\n", "\n") for part in line.split("\\\\"))


def write_lines(path: Path, texts: set[str]) -> None:
    path.write_text("".join(f"{to_line(text)}\n" for text in sorted(texts)), encoding="utf-8")


def _lines(path: Path) -> set[str]:
    if not path.exists():
        return set()
    return {from_line(line) for line in path.read_text(encoding="utf-8").split("\n") if line}


class _Compiled(Catalog):
    forms = ""

    @property
    def mime_headers(self) -> list[tuple[str, str]]:
        return [("Content-Type", "text/plain; charset=UTF-8"), ("Plural-Forms", self.forms)]
