"""The pages in a real browser: gates on every page, and journeys through them.

A module in `cases` holds `BrowserCase`s. They share one server with the demo in it and one Chromium; they may call
services, for this process works on the server's database.
"""
