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

# Only operators meet what is said here: on the command line, in logs, and where the bot does not start.
FOR_OPERATORS = (
    "__main__.py",
    "app.py",
    "cli",
    "config.py",
    "demo.py",
    "describing.py",
    "languages.py",
    "log.py",
    "painting.py",
    "prompt/vocabulary.py",
    "run.py",
    "service/exporting.py",
    "service/tag_source.py",
    "store/database.py",
    "store/tag_sets.py",
    "sheets.py",
    "tagging",
    "workshop",
)
# Errors that are bugs or the operator's, and calls whose texts go to the log, the database or nowhere.
OPERATOR_ERRORS = {
    "AssertionError",
    "CheckpointError",
    "ConfigError",
    "DatabaseError",
    "KeyError",
    "RuntimeError",
    "StartupError",
    "TaggerError",
    "TypeError",
    "ValueError",
}
SILENT = {
    *OPERATOR_ERRORS,
    *("debug", "info", "warning", "error", "exception", "get_logger"),
    *("TypeVar", "ParamSpec", "cast", "compile", "getattr", "Path", "PurePosixPath", "convert"),
    *("execute", "executemany", "execute_fetchall", "executescript", "endswith", "startswith", "split", "removeprefix"),
}
# In these layers only what is raised, and what is named below, is shown to people.
ONLY_ERRORS = ("diffusion", "records.py", "jobs", "store", "network_files.py", "prompt", "grids.py", "names.py")
ALSO_SHOWN = {
    "grids.py": ("KINDS",),
    "jobs/dispatcher.py": ("_lost", "_tick"),
    "jobs/process_executor.py": ("_hear",),
    "names.py": ("nearest_names",),
    "network_files.py": ("refusal",),
    "prompt/attention.py": (),
    "prompt/expansion.py": (),
    "prompt/infotext/reader.py": (),
    "store/quotas.py": ("_refusal",),
}
NOT_TEXTS = {"PastelBot", "RGB", "WEBP", "NV"}


def texts():
    """Yield the template of every text that may be shown to a person, with the place of each."""
    for path in sorted(PACKAGE.rglob("*.py")):
        name = path.relative_to(PACKAGE).as_posix()
        if not name.startswith(FOR_OPERATORS):
            tree = ast.parse(path.read_text(encoding="utf-8"))
            for node in shown_nodes(tree, name):
                yield from ((text, f"{name}:{node.lineno}") for text in templates(node) if is_text(text))


def shown_nodes(tree, name):
    """Yield the expressions of a module that may be texts for people, outermost first."""
    silent = set(map(id, silent_nodes(tree)))
    for part in parts(tree, name):
        for node in ast.walk(part):
            if isinstance(node, ast.Constant | ast.JoinedStr) and id(node) not in silent:
                yield node


def parts(tree, name):
    """Yield what to look at in a module: all of it, or what is raised and what is known to be shown."""
    if not name.startswith(ONLY_ERRORS):
        yield tree
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Raise | ast.Return) and is_error(node):
            yield node
        named = ALSO_SHOWN.get(name)
        if named is not None and (not named or getattr(node, "name", None) in named or assigned(node) in named):
            yield node


def is_error(node):
    call = node.exc if isinstance(node, ast.Raise) else node.value
    return isinstance(call, ast.Call) and name_of(call.func).endswith("Error")


def assigned(node):
    return node.targets[0].id if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) else None


def silent_nodes(tree):
    """Yield what nobody reads: docstrings, logs, types, keys, comparisons, and the parts of whole texts."""
    for node in ast.walk(tree):
        match node:
            case ast.Expr(value=ast.Constant()):
                yield node.value
            case ast.JoinedStr():
                yield from (part for part in ast.walk(node) if part is not node and isinstance(part, ast.Constant))
            case ast.Call() if name_of(node.func) in SILENT:
                yield from everything_in([*node.args, *(keyword.value for keyword in node.keywords)])
            case ast.Subscript():
                yield from everything_in([node.slice])
            case ast.Dict():
                yield from (key for key in node.keys if isinstance(key, ast.Constant))
            case ast.Compare():
                yield from everything_in([node.left, *node.comparators])
            case ast.match_case():
                yield from ast.walk(node.pattern)
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                yield from everything_in([node.returns])
            case ast.arg() | ast.AnnAssign():
                yield from everything_in([node.annotation])
            case ast.ClassDef():
                yield from everything_in([*node.bases, *(keyword.value for keyword in node.keywords)])
            case ast.Assign() if assigned(node) == "__all__":
                yield from everything_in([node.value])


def everything_in(nodes):
    return (part for node in nodes if node is not None for part in ast.walk(node))


def is_text(text):
    """Tell words for people from identifiers, SQL and addresses."""
    plain = text.replace("{}", "")
    letters = sum(character.isalpha() for character in plain)
    if text in NOT_TEXTS or letters < 3 or text.startswith(("SELECT", "UPDATE", "INSERT", "DELETE", "http", "pb:")):
        return False
    return " " in text.strip() or (text[:1].isupper() and not text.isupper())


def templates(node):
    """Return the text that an expression is, with {} for what is filled in."""
    match node:
        case ast.Constant(value=str(text)):
            return [text.replace("{", "{{").replace("}", "}}")]
        case ast.JoinedStr():
            return ["".join(templates(part)[0] if isinstance(part, ast.Constant) else "{}" for part in node.values)]
    return []


def name_of(node):
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")


def missing(phrases, known=None):
    """Return the templates without a translation, with their places; a text of several lines may have one for each."""
    found = {}
    for text, where in texts() if known is None else known:
        lines = [line for line in text.split("\n") if is_text(line)]
        if text not in phrases:
            found |= {line: where for line in lines if line not in phrases}
    return found


def words_of_commands(commands):
    """Return the names and the descriptions that Discord shows, of commands, options and choices."""
    names, descriptions = set(), set()
    for part in commands:
        names.add(part["name"])
        if part.get("description"):
            descriptions.add(part["description"])
        inner_names, inner_descriptions = words_of_commands(part.get("options", []))
        names |= inner_names | {choice["name"] for choice in part.get("choices", [])}
        descriptions |= inner_descriptions
    return names, descriptions


def main(language):
    phrases = tomllib.loads((LANGUAGES / f"{language}.toml").read_text(encoding="utf-8"))["phrases"]
    for text, where in missing(phrases).items():
        sys.stdout.write(f'# {where}\n{json.dumps(text, ensure_ascii=False)} = ""\n')


if __name__ == "__main__":
    main(*sys.argv[1:] or ["ja"])
