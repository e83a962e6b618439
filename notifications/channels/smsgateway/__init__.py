"""Any SMS gateway that is reached over HTTP: templates, receipts, replies."""
