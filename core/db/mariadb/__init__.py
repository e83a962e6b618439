"""Django's MySQL backend, with commits of known outcome."""
