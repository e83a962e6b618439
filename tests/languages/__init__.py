"""Catalogues of translations, and what keeps them complete; docs/languages.md says how they are used."""
