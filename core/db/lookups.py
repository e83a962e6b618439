"""Ways to compare columns that Django does not have."""

from typing import Any

from django.db.models import CharField, TextField
from django.db.models.lookups import Exact


@CharField.register_lookup
@TextField.register_lookup
class Exactly(Exact):
    """`column__exactly=text`: the same bytes, whatever the database's collation takes for equal.

    MySQL's collations take `halle a ` for `Hälle A`. There the column is compared as they have it, which an index
    answers, and those found byte by byte.
    """

    lookup_name = "exactly"

    def get_rhs_op(self, connection: Any, rhs: str) -> str:
        """As Django compares for equality."""
        return f"= {rhs}"

    def as_mysql(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:
        """The comparison that an index answers, and the one that is meant."""
        column, of_column = self.process_lhs(compiler, connection)
        text, of_text = self.process_rhs(compiler, connection)
        both = [*of_column, *of_text]
        return f"({column} = {text} AND CAST({column} AS BINARY) = CAST({text} AS BINARY))", both + both
