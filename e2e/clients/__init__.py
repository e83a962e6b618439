"""One module for each client; see the package above."""
