"""The files of the docs page."""

import re

from edge.documents import SOURCES


def test_the_page_names_nothing_outside() -> None:
    """No file of the page refers to another origin, or carries code in its markup."""
    for file in SOURCES.iterdir():
        text = file.read_text("utf-8")
        assert not re.search(r"https?://|//cdn|@import|innerHTML|eval\(", text), file.name
    page = (SOURCES / "index.html").read_text("utf-8")
    assert not re.search(r"<style|\son\w+=|<script(?![^>]*src=)", page)
