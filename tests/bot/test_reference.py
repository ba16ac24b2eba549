"""The reference pages say what the program has: docs/build_reference.py writes them anew."""

import sys
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture
def build_reference(monkeypatch):
    monkeypatch.syspath_prepend(str(DOCS))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    import build_reference as program

    return program


async def test_the_pages_are_as_they_would_be_written_now(open_studio, build_reference):
    studio = await open_studio(tagger={"enabled": True})
    found = build_reference.pages(studio.bot.tree)

    assert sorted(found) == sorted(path.name for path in (DOCS / "reference").glob("*.md"))
    for name, text in found.items():
        assert (DOCS / "reference" / name).read_text(encoding="utf-8") == text, f"run docs/build_reference.py: {name}"
