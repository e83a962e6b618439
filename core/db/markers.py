"""How the rows are named by which a transaction is known to have been committed; see `core.db.mariadb`."""

TABLE = "users_transactionmarker"


def marker_of(moment: float) -> str:
    """How the markers of a moment (seconds since 1970) begin: those of later ones are greater, so that old ones lie
    together."""
    return f"{int(moment * 1000):012x}"
