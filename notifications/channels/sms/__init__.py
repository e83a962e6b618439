"""SMS: to people on call, with codes to answer by."""
