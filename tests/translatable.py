"""The texts that people read, as templates: from the code's syntax trees, and from the commands that Discord gets.

`python tests/translatable.py` prints those that a language has no translation for, ready to be filled in.
"""

import ast
import json
import sys
import tomllib
from pathlib import Path

PACKAGE = Path(__file__).parent.parent / "pastelbot"
LANGUAGES = PACKAGE / "data" / "languages"

# Only operators meet what is raised here, on the command line and in logs.
FOR_OPERATORS = {
    "workshop",
    "cli.py",
    "run.py",
    "demo.py",
    "describing.py",
    "painting.py",
    "config.py",
    "log.py",
    "app.py",
}
OPERATOR_ERRORS = {
    "CheckpointError",
    "ConfigError",
    "DatabaseError",
    "StartupError",
    "TaggerError",
    "ValueError",
    "TypeError",
}

# Calls whose texts go to the log, to the database or to a file's name.
SILENT = {"debug", "info", "warning", "error", "exception", "compile", "getattr", "Path", "get_logger", "RuntimeError"}


def errors():
    """Yield the template of every error that may be shown to a person, with the place of each."""
    for path in sorted(PACKAGE.rglob("*.py")):
        first = path.relative_to(PACKAGE).parts[0]
        if first in FOR_OPERATORS or first.startswith("cli"):
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            name = name_of(node.func) if isinstance(node, ast.Call) and node.args else ""
            if name.endswith("Error") and name not in OPERATOR_ERRORS:
                yield from ((text, place(path, node)) for text in templates(node.args[0]))


def texts_of_the_bot():
    """Yield the template of every sentence in the bot's own layer."""
    for path in sorted((PACKAGE / "bot").rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        silent = set(map(id, silent_nodes(tree)))
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant | ast.JoinedStr) and id(node) not in silent:
                yield from ((text, place(path, node)) for text in templates(node) if is_sentence(text))


def silent_nodes(tree):
    """Yield docstrings, what is logged, and the parts of f-strings, which are not texts of their own."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            yield node.value
        if isinstance(node, ast.JoinedStr):
            yield from (part for part in ast.walk(node) if part is not node and isinstance(part, ast.Constant))
        if isinstance(node, ast.Call) and name_of(node.func) in SILENT:
            yield from (part for argument in node.args for part in ast.walk(argument))
            yield from (part for keyword in node.keywords for part in ast.walk(keyword.value))


def is_sentence(text):
    """Tell words for people from identifiers and addresses."""
    letters = sum(character.isalpha() for character in text.replace("{}", ""))
    return letters > 2 and (" " in text.strip() or text[:1].isupper()) and not text.startswith(("pb:", "SELECT"))


def templates(node):
    """Return the texts that an expression may be, with {} for what is filled in."""
    match node:
        case ast.Constant(value=str(text)):
            return [text.replace("{", "{{").replace("}", "}}")]
        case ast.JoinedStr():
            return ["".join(templates(part)[0] if isinstance(part, ast.Constant) else "{}" for part in node.values)]
        case ast.IfExp():
            return [*templates(node.body), *templates(node.orelse)]
        case ast.BinOp(op=ast.Add()):
            rights = templates(node.right) or ["{}"]
            return [left + right for left in templates(node.left) or ["{}"] for right in rights]
    return []


def name_of(node):
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")


def place(path, node):
    return f"{path.relative_to(PACKAGE)}:{node.lineno}"


def words_of_commands(commands):
    """Return the names and the descriptions that Discord shows, of commands, options and choices."""
    names, descriptions = set(), set()
    for part in commands:
        names.add(part["name"])
        descriptions.add(part.get("description") or part["name"])
        inner_names, inner_descriptions = words_of_commands(part.get("options", []))
        names |= inner_names
        descriptions |= inner_descriptions
    return names, descriptions


def main(language):
    known = tomllib.loads((LANGUAGES / f"{language}.toml").read_text(encoding="utf-8"))["phrases"]
    for text, where in dict([*errors(), *texts_of_the_bot()]).items():
        if text not in known:
            sys.stdout.write(f'# {where}\n{json.dumps(text, ensure_ascii=False)} = ""\n')


if __name__ == "__main__":
    main(*sys.argv[1:] or ["ja"])
