from typing import Any

from django.db.models import CharField, TextField
from django.db.models.lookups import Exact


@CharField.register_lookup
@TextField.register_lookup
class Exactly(Exact):
    """`column__exactly=text`: the same bytes; the index narrows by collation first."""

    lookup_name = "exactly"

    def get_rhs_op(self, connection: Any, rhs: str) -> str:
        return f"= {rhs}"

    def as_mysql(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:
        column, of_column = self.process_lhs(compiler, connection)
        text, of_text = self.process_rhs(compiler, connection)
        both = [*of_column, *of_text]
        return f"({column} = {text} AND CAST({column} AS BINARY) = CAST({text} AS BINARY))", both + both
