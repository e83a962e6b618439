"""How much prose stands in the code, and whether docstrings say what a function does.

Words are those of docstrings and comments, split at white space; a comment that only steers a tool (`noqa`, `type:`)
has none. Lines of code are those that are neither blank, nor only comment, nor docstring.
"""

import ast
import io
import re
import tokenize
from pathlib import Path

from tests.house.sources import Source, functions

# Verbs in their base form; what is not there is not taken for one.
VERBS = set((Path(__file__).parent / "verbs.txt").read_text(encoding="utf-8").split())
STEERING = re.compile(r"#\s*(noqa|type:|pragma|fmt:|mypy:)")
DOCUMENTED = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
SILENT = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}
AFTER_NOUNS = {"of", "is", "are", "was", "were", "has", "have"}  # "Count of …", "Name is …"


def words_and_code(source: Source) -> tuple[int, int]:
    """Return the words of prose and the lines of code."""
    words, prose = 0, set[int]()
    for node in ast.walk(source.tree):
        if isinstance(node, DOCUMENTED) and (text := ast.get_docstring(node)):
            words += len(text.split())
            prose.update(range(node.body[0].lineno, (node.body[0].end_lineno or 0) + 1))
    code = set[int]()
    for token in tokenize.generate_tokens(io.StringIO(source.text).readline):
        if token.type == tokenize.COMMENT and not STEERING.match(token.string):
            words += len(token.string.lstrip("#: ").split())
        elif token.type not in SILENT:
            code.update(range(token.start[0], token.end[0] + 1))
    return words, len(code - prose)


def docstrings(source: Source) -> list[tuple[int, str, str]]:
    """Return each function's docstring with its line and the function's qualified name."""
    found = ((node.lineno, name, ast.get_docstring(node)) for name, node in functions(source.tree))
    return [(line, name, text) for line, name, text in found if text]


def begins_with_verb(text: str) -> bool:
    """Return whether the first word is a verb in its base form, and is not used as a noun there."""
    first, second = [*text.split(), ""][:2]
    return first.rstrip(".") in VERBS and second.strip(",.;:") not in AFTER_NOUNS
