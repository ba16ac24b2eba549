"""Refusals are shown as they are meant: Discord's markdown changes nothing in them, whatever was typed."""

import ast
import re

import pytest
from helpers.translatable import FOR_OPERATORS, OPERATOR_ERRORS, PACKAGE, name_of

from pastelbot.bot.plain_text import plain_sentence
from pastelbot.i18n.languages import Languages

# Typed by a user: where `repr` quotes it, where it stands in code, and where nothing marks it.
BARE = r"<lora:x> {2$$a|b} __name__ *b* _i_ @everyone ~~s~~ ||h|| [a](http://x) \* #"
CODE_TOO = rf"""{BARE} <@7> <t:1:R> 'a' "b" #"""
HOSTILE = {"bare": BARE, "code": CODE_TOO, "quoted": f"{CODE_TOO} `c`"}
NAMED = {"_refusal", "refusal", "nearest_names", "_not_allowed", "_for_adults", "_unknown"}  # these word refusals
REPR = ord("r")
CODE = re.compile(r"`([^`]+)`")
READ = re.compile(  # as Discord reads: what comes first counts
    r"\\(?P<sign>[^0-9A-Za-z\s])|`(?P<code>[^`]+)`|(?P<meant><(?:@[!&]?|#)\d+>|<t:\d+:[A-Za-z]>)|.", re.DOTALL
)
SIGNS = re.compile(r"[\\*_~|`\[<]|://|@(?:everyone|here)|^\s*(?:#|>|[-+]\s)", re.MULTILINE)


def refusals():
    """Yield what is raised and shown to users, as expressions."""
    for path in sorted(PACKAGE.rglob("*.py")):
        if path.relative_to(PACKAGE).as_posix().startswith(FOR_OPERATORS):
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and name_of(node.func).endswith("Error"):
                yield from node.args[:1] if name_of(node.func) not in OPERATOR_ERRORS else ()
            elif isinstance(node, ast.FunctionDef) and node.name in NAMED:
                yield from (inner.value for inner in ast.walk(node) if isinstance(inner, ast.Return))


def sentences():
    """Return the sentences of refusals, each as its parts: texts, and what kind of value stands where."""
    found = {}
    for refusal in refusals():
        for node in ast.walk(refusal) if refusal is not None else ():
            parts = list(parts_of(node))
            if " " in "".join(part for part, kind in parts if not kind):
                found["".join(part or "{}" for part, _ in parts)] = parts
    return found


def parts_of(node):
    match node:
        case ast.Constant(value=str(text)):
            yield text, ""
        case ast.JoinedStr():
            code = False
            for part in node.values:
                if isinstance(part, ast.Constant):
                    code ^= part.value.count("`") % 2 == 1
                    yield part.value, ""
                else:
                    yield "", "quoted" if part.conversion == REPR else "code" if code else "bare"


def filled(parts, values):
    """Return a sentence with values for its placeholders, quoted as it quotes them."""
    value = iter(values)
    return "".join(text if not kind else repr(next(value)) if kind == "quoted" else next(value) for text, kind in parts)


def visible(written):
    """Return what Discord shows of a text, and what of it may have a meaning: all but code and what is meant."""
    shown, live = [], []
    for found in READ.finditer(written):
        shown.append(found["sign"] or found["code"] or found[0])
        live.append("x" if found["sign"] or found["code"] or found["meant"] else found[0])
    return "".join(shown).replace("\u200b", ""), "".join(live)


SENTENCES = sentences()


@pytest.mark.parametrize("language", ["en", "ja"])
def test_no_refusal_is_changed_by_markdown(language):
    translate = Languages.shipped().translator(language)
    wrong = {}
    for template, parts in SENTENCES.items():
        kinds = [kind for _, kind in parts if kind]
        marks = [f"value{number}x" for number, _ in enumerate(kinds)]
        intended = CODE.sub(r"\1", translate(filled(parts, marks)))
        for mark, kind in zip(marks, kinds, strict=True):
            intended = intended.replace(mark, HOSTILE[kind])
        shown, live = visible(plain_sentence(translate(filled(parts, [HOSTILE[kind] for kind in kinds]))))
        if shown != intended or SIGNS.search(live):
            wrong[template] = shown
    assert wrong == {}
