"""Names of the rows by which a transaction is known to be committed; see `core.db.mariadb`."""

TABLE = "users_transactionmarker"


def marker_of(moment: float) -> str:
    """Return how markers of a moment (seconds since 1970) begin; they sort by time."""
    return f"{int(moment * 1000):012x}"
