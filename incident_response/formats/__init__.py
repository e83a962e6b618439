"""How moments read on our pages, by language (`FORMAT_MODULE_PATH`)."""
