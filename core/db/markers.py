TABLE = "core_transactionmarker"


def marker_of(moment: float) -> str:
    """Return the sortable prefix of a moment's markers (Unix seconds)."""
    return f"{int(moment * 1000):012x}"
