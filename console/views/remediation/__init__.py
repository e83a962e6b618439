"""Pages of runbooks, their runs, and what stops them."""
