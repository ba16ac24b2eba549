"""The texts of the demo's page: what it and its server say is there in each of its languages."""

import ast
import re

import pytest
from helpers.translatable import LANGUAGES, PACKAGE

PAGE = (PACKAGE / "data" / "demo" / "index.html").read_text(encoding="utf-8")
KEY = re.compile(r'(?:^\s*|[,{] )(\w+): "')


def words(language):
    """Return the keys of the page's texts in a language."""
    table = PAGE.partition("const WORDS = {")[2].partition("\n};")[0]
    own = table.partition(f"  {language}: {{\n")[2].partition("\n  },")[0]
    return [key for line in own.splitlines() for key in KEY.findall(line)]


def sentences(language):
    """Return the server's sentences that the page has in a language."""
    table = PAGE.partition("const SENTENCES = {")[2].partition("\n};")[0]
    own = table.partition(f"  {language}: {{\n")[2].partition("\n  },")[0]
    return set(re.findall(r'^\s*"([^"]+)": "[^"]+",$', own, re.MULTILINE))


def refusals():
    """Return what the server refuses with: those sentences that are the same each time."""
    for path in sorted((PACKAGE / "demo").glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "RequestError":
                yield from (each.value for each in node.args if isinstance(each, ast.Constant))


@pytest.mark.parametrize("language", sorted(path.stem for path in LANGUAGES.glob("*.toml")))
def test_the_page_has_all_texts_in_each_language(language):
    assert len(words("en")) > 40
    assert sorted(words("en")) == sorted(words(language))
    assert set(refusals()) == sentences(language)


def test_every_text_that_the_page_takes_is_there():
    taken = set(re.findall(r'\bsay\("(\w+)"', PAGE)) | set(re.findall(r'\? "(\w+)" : "\w+", option', PAGE))

    assert len(taken) > 30
    assert taken <= set(words("en"))
