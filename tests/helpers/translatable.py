"""The texts that people read, as templates: from the code's syntax trees, and from the commands that Discord gets.

`python tests/helpers/translatable.py` prints those that a language has no translation for, ready to be filled in.
"""

import ast
import json
import re
import sys
import tomllib
from pathlib import Path

from pastelbot.options import SAMPLER_CHOICES
from pastelbot.rules.samplers import SCHEDULES

PACKAGE = Path(__file__).parents[2] / "pastelbot"
LANGUAGES = PACKAGE / "data" / "languages"
COMMANDS = Path(__file__).parents[1] / "bot" / "data" / "commands.json"  # as Discord gets them; a test holds it
# What is the same in every language.
PROPER_NAMES = {*SAMPLER_CHOICES, *SCHEDULES, "1.25x", "1.5x", "1.75x", "2x"}

# Only operators meet what is said here: on the command line, in logs, and where the bot does not start.
FOR_OPERATORS = (
    "__main__.py",
    "app.py",
    "bot/messages/alert_messages.py",
    "cli",
    "config",
    "demo",
    "doctor",
    "i18n",
    "log.py",
    "prompt/tags/vocabulary.py",
    "rules/configured_names.py",
    "run.py",
    "service/monitoring",
    "service/personal_data/exporting.py",
    "service/tags/source.py",
    "store/tags/sets.py",
    "formats/contact_sheets.py",
    "formats/layout",
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
    *("TypeVar", "ParamSpec", "cast", "compile", "getattr", "Path", "PurePosixPath", "convert", "save"),
    *("execute", "executemany", "execute_fetchall", "executescript", "endswith", "startswith", "split", "removeprefix"),
}
SILENT_KEYWORDS = {"action", "custom_id", "example", "filename", "nonce", "template"}
# Names of samplers, the database's keys, the file that explains an export, and headers and markup of the web page.
SILENT_CONSTANTS = {"__all__", "UNIT", "_IN_USE", "_README", "_POLICY", "_PAGE", "_HEAD", "_FONTS", "_CACHED"}
# In these layers only what is raised, and what is named below, is shown to people.
ONLY_ERRORS = (
    "choices.py",
    "diffusion",
    "formats/exported.py",
    "formats/file_forms.py",
    "formats/hub",
    "formats/identify.py",
    "formats/layout",
    "formats/network_files.py",
    "formats/texts/picture_texts.py",
    "formats/texts/trainer_notes.py",
    "formats/precheck.py",
    "formats/programs",
    "infotext",
    "jobs",
    "prompt",
    "records",
    "rules/grids.py",
    "rules/sampling/sampler_names.py",
    "rules/samplers.py",
    "rules/sampling",
    "formats/inpainting",
    "store",
)
ALSO_SHOWN = {
    "rules/grids.py": {"KINDS"},
    "rules/sampling/init_options.py": {"INIT_OPTIONS"},
    "diffusion/lora/library.py": {"notes"},
    "diffusion/image/img2img.py": {"notes"},
    "jobs/dispatcher.py": {"Dispatcher"},
    "jobs/outcomes.py": {"Outcomes"},
    "jobs/executors/process_executor.py": {"_receive", "_interruption"},
    "choices.py": {"nearest_names"},
    "formats/network_files.py": {"refusal"},
    "prompt/attention.py": {"_number"},
    "prompt/expansion.py": {"expand"},
    "prompt/wildcard_lists.py": {"lines"},
    "infotext/networks.py": {
        *("rename", "with_loras_here", "_with_resources", "_without_hypernetworks"),
        *("unknown_tags", "_readable"),
    },
    "infotext/reader.py": {"_Fields", "_sampler", "_hires_sampler", "_noise_source", "_emphasis", "_ignored"},
    "store/quotas.py": {"_refusal"},
}
# Parts of syntax that are keys, types and patterns.
SILENT_FIELDS = {
    ast.Dict: ("keys",),
    ast.Subscript: ("slice",),
    ast.Compare: ("left", "comparators"),
    ast.match_case: ("pattern",),
    ast.FunctionDef: ("returns",),
    ast.AsyncFunctionDef: ("returns",),
    ast.arg: ("annotation",),
    ast.AnnAssign: ("annotation",),
    ast.ClassDef: ("bases", "keywords"),
}
NAMES_IN_INFOTEXTS = {
    "Hires sampler",
    "Hires schedule type",
    "Lanczos",
    "Denoising strength",
    "Schedule type",
    "Emphasis",
    "Old prompt editing timelines",
    "Noise source",
}
AUDIT_ACTIONS = {"quota server", "quota role", "quota grant", "model use"}
NOT_TEXTS = {
    "PastelBot",
    "Pastelbot",
    "English",
    "{} <lora:{}:{}>",
    "README.txt",
    ", VAE {}",
    *NAMES_IN_INFOTEXTS,
    *AUDIT_ACTIONS,
}


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
    also = ALSO_SHOWN.get(name, set())
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and name_of(node.func).endswith("Error"):
            yield from node.args[:1]
        elif getattr(node, "name", None) in also or assigned(node) in also:
            yield node


def assigned(node):
    return node.targets[0].id if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) else None


def silent_nodes(tree):
    """Yield what no user reads: docstrings, logs, types, keys, comparisons, and the parts of whole texts."""
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            yield from (part for part in node.values if isinstance(part, ast.Constant))
        yield from everything_in(silent_parts(node))


def silent_parts(node):
    """Return the parts of a node in which no text is one for people."""
    match node:
        case ast.Expr(value=ast.Constant()):
            return [node.value]
        case ast.Call() if name_of(node.func) in SILENT:
            return [*node.args, *(keyword.value for keyword in node.keywords)]
        case ast.Call():
            return [keyword.value for keyword in node.keywords if keyword.arg in SILENT_KEYWORDS]
        case ast.Subscript(ctx=ast.Store()):  # sentences may be kept in order, and once, as the keys of a dict
            return []
        case ast.Assign() if assigned(node) in SILENT_CONSTANTS:
            return [node.value]
    return [part for field in SILENT_FIELDS.get(type(node), ()) for part in listed(getattr(node, field))]


def listed(part):
    return part if isinstance(part, list) else [part]


def everything_in(nodes):
    return (part for node in nodes if node is not None for part in ast.walk(node))


# Markup of the web page: the texts in it are translated before they are put there.
MARKUP = re.compile(
    r"(\{\})*<(a|article|button|div|figure|form|header|img|input|label|p|section|small|span|textarea)[ >]"
)


def is_text(text):
    """Return whether a text is words for users instead of identifiers, SQL and addresses."""
    plain = text.replace("{}", "")
    letters = sum(character.isalpha() for character in plain)
    if (
        MARKUP.match(text)
        or text in NOT_TEXTS
        or letters < 3
        or text.startswith(("SELECT", "UPDATE", "INSERT", "DELETE", "http", "pb:"))
    ):
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


def missing(known):
    """Return the templates that are not among those known, with their places; of texts of several lines the lines."""
    found = {}
    for text, where in texts():
        if text not in known:
            found |= {line: where for line in text.split("\n") if is_text(line) and line not in known}
    return found


def every_template():
    """Return everything in the code that may be a text, or a line of one."""
    found = set()
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            for text in templates(node):
                found |= {text, *text.split("\n")}
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


def missing_names(known):
    """Return the names of commands, options, choices and menus that are not among those known."""
    names, _descriptions = words_of_commands(json.loads(COMMANDS.read_text(encoding="utf-8")))
    return sorted(names - PROPER_NAMES - set(known))


def tables_of(language):
    """Return the words and phrases of a language; one without a file has none."""
    path = LANGUAGES / f"{language}.toml"
    found = tomllib.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return found.get("words", {}), found.get("phrases", {})


def main(language):
    """Print what a language lacks, as the tables of its file."""
    words, phrases = tables_of(language)
    sys.stdout.write("[words]\n")
    for name in missing_names({*words, *phrases}):
        sys.stdout.write(f'{json.dumps(name, ensure_ascii=False)} = ""\n')
    sys.stdout.write("\n[phrases]\n")
    for text, where in missing({*words, *phrases}).items():
        sys.stdout.write(f'# {where}\n{json.dumps(text, ensure_ascii=False)} = ""\n')


if __name__ == "__main__":
    main(*sys.argv[1:] or ["ja"])
