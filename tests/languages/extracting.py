"""What the program says: every text marked for translation, in Python and in templates."""

import ast
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from babel.messages.catalog import Catalog
from babel.messages.extract import extract
from django.utils.translation.template import templatize

from tests.house.sources import ROOT, sources

KEYWORDS = {
    **dict.fromkeys(("_", "_lazy", "gettext", "gettext_lazy", "gettext_noop", "Sentence")),
    **dict.fromkeys(("ngettext", "ngettext_lazy"), (1, 2)),
    **dict.fromkeys(("pgettext", "pgettext_lazy"), ((1, "c"), 2)),
    **dict.fromkeys(("npgettext", "npgettext_lazy"), ((1, "c"), 2, 3)),
}
STRING = r"""u?'(?:[^'\\]|\\.)*'|u?"(?:[^"\\]|\\.)*\""""
CALL = re.compile(rf"(?<![\w.])(_|n?p?gettext)\(((?:\s*(?:{STRING})\s*,?)+)(?:\s*count)?\)")


@dataclass(frozen=True)
class Found:
    """A text where it stands: `plural` and `context` are empty where there is none."""

    path: str
    text: str
    plural: str = ""
    context: str = ""
    comments: tuple[str, ...] = ()


def in_python(path: str, source: str) -> Iterator[Found]:
    """Yield the texts of a module."""
    if "gettext" not in source and "Sentence(" not in source:
        return
    found = extract("python", io.BytesIO(source.encode()), KEYWORDS, ("Translators:",), {"encoding": "utf-8"})
    for _line, message, comments, context in found:
        text, plural = message if isinstance(message, tuple) else (message, "")
        yield Found(path, text, plural, context or "", tuple(comments))


def in_template(path: str, source: str) -> Iterator[Found]:
    """Yield the texts of a template, as Django's own tool finds them."""
    for name, arguments in CALL.findall(templatize(source, origin=path)):
        texts = list(ast.literal_eval(f"({arguments.rstrip(', ')},)"))
        context = texts.pop(0) if "p" in name else ""
        yield Found(path, texts[0], texts[1] if len(texts) > 1 else "", context)


def problems_in(path: str, source: str) -> Iterator[str]:
    """Yield the calls of gettext whose text no tool can read."""
    if "gettext" not in source and "Sentence(" not in source:
        return
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in KEYWORDS:
            known = len(node.args) - (node.func.id.lstrip("p").startswith(("n", "pn")))
            if not all(isinstance(one, ast.Constant) for one in node.args[:known]):
                yield f"{path}:{node.lineno}: not a literal: {ast.unparse(node)}"


def templates() -> Iterator[tuple[str, str]]:
    """Yield path and text of every template."""
    for folder in (ROOT / "templates", *sorted(ROOT.glob("*/templates"))):
        for path in sorted((*folder.rglob("*.html"), *folder.rglob("*.txt"))):
            yield str(path.relative_to(ROOT)), path.read_text(encoding="utf-8")


@cache
def texts() -> tuple[Found, ...]:
    """Return every text of the program."""
    modules = [found for one in sources().values() for found in in_python(one.path, one.text)]
    return (*modules, *(found for path, source in templates() for found in in_template(path, source)))


def extraction(found: tuple[Found, ...]) -> Catalog:
    """Return the texts as a catalogue without translations, in an order that an added text does not change."""
    places: dict[tuple[str, str], list[Found]] = {}
    for one in found:
        places.setdefault((one.context, one.text), []).append(one)
    catalogue = Catalog()
    order = sorted(places.items(), key=lambda item: (min(one.path for one in item[1]), item[0][1], item[0][0]))
    for (context, text), group in order:
        plural = next((one.plural for one in group if one.plural), "")
        catalogue.add(
            (text, plural) if plural else text,
            locations=[(path, None) for path in sorted({one.path for one in group})],
            auto_comments=sorted({comment for one in group for comment in one.comments}),
            context=context or None,
        )
    return catalogue


def problems() -> list[str]:
    """Return what keeps texts of the program from being translated."""
    found = [fault for one in sources().values() for fault in problems_in(one.path, one.text)]
    plurals: dict[tuple[str, str], set[str]] = {}
    for one in texts():
        if one.plural:
            plurals.setdefault((one.context, one.text), set()).add(one.plural)
    found += [f"two plurals of one text: {sorted(several)}" for several in plurals.values() if len(several) > 1]
    return found
