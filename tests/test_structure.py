"""The package's structure in figures, each with its goal; `python tests/test_structure.py` prints them."""

import ast
import re
import subprocess
import sys
import tomllib
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "pastelbot"

MOST_AT_THE_ROOT = 8
MOST_IN_A_FOLDER = 15
LONGEST_FUNCTION = 50
MOST_MARKS = 1.0  # of noqa, in 1,000 lines
MOST_SWITCHED_OFF = 2.0  # the same, and what pyproject.toml switches off for whole files and would be marked
MOST_LONELY_NAMES = 20
MOST_PRIVATE_WORDS = 5

# Words that the project's own language had where the field has standard terms. The section `[house]` of the
# configuration, its keys and the command of that name stay: they are in files and habits of users.
PRIVATE_WORDS = re.compile(
    r"(?<!\[)(?<!server )(?<![\"'.])\bhouse\b(?![.\]\"':])|\b(somebody|nobody|whoever|any more|Tell whether)\b",
    re.IGNORECASE,
)
# What programs and Discord reach by these names, and functions that hand others over to them.
ENTRIES = {"main", "setup", "register"}
REGISTERING = {"command", "callback", "context_menu"}


class Module:
    """A module's syntax tree, and what it takes from other modules of the package."""

    def __init__(self, name, path):
        self.name, self.path = name, path
        self.text = path.read_text(encoding="utf-8")
        self.tree = ast.parse(self.text)
        self.is_package = path.name == "__init__.py"

    def imports(self):
        """Yield (module, name or None, alias) of everything that is imported from the package, anywhere."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == PACKAGE.name:
                yield from ((node.module, alias.name, alias.asname or alias.name) for alias in node.names)
            elif isinstance(node, ast.Import):
                yield from ((alias.name, None, alias.asname) for alias in node.names)


@cache
def modules():
    """Return the package's modules by their dotted names."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        name = ".".join((PACKAGE.name, *path.relative_to(PACKAGE).with_suffix("").parts)).removesuffix(".__init__")
        found[name] = Module(name, path)
    return found


def imported_modules(module):
    """Return which modules of the package a module imports, for type checking and inside functions too."""
    found = set()
    for place, name, _alias in module.imports():
        inner = f"{place}.{name}"
        found.add(inner if inner in modules() else place)
    return found & set(modules()) - {module.name}


def modules_in_circles():
    """Return the modules that import themselves by way of others."""
    edges = {name: imported_modules(module) for name, module in modules().items()}
    return [name for name in edges if name in reached_from(edges, name)]


def reached_from(edges, start):
    seen, waiting = set(), list(edges[start])
    while waiting:
        step = waiting.pop()
        if step not in seen:
            seen.add(step)
            waiting += edges[step]
    return seen


def modules_at_the_root():
    return [path.name for path in PACKAGE.glob("*.py") if path.name != "__init__.py"]


def modules_by_folder():
    """Return how many modules each folder holds directly."""
    folders = [PACKAGE, *(path for path in PACKAGE.rglob("*") if path.is_dir())]
    sizes = {
        str(folder.relative_to(ROOT)): sum(path.name != "__init__.py" for path in folder.glob("*.py"))
        for folder in folders
    }
    return {folder: size for folder, size in sizes.items() if size}


def functions_by_length():
    """Return every function's length in lines, those inside it included."""
    return {
        f"{module.name}.{node.name}": node.end_lineno - node.lineno + 1
        for module in modules().values()
        for node in ast.walk(module.tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }


def marks_in_a_thousand_lines():
    lines = sum(len(module.text.splitlines()) for module in modules().values())
    return 1000 * sum(module.text.count("# noqa") for module in modules().values()) / lines


def switched_off_in_a_thousand_lines():
    """Return how often rules are broken that are switched off at a line or for a whole file of the package.

    The linter counts without both; rules that are off everywhere, with the reason in pyproject.toml, do not count.
    """
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["ruff"]["lint"]
    options = ["--isolated", "--line-length=120", "--target-version=py311", "--ignore-noqa", "--output-format=concise"]
    chosen = [f"--select={','.join(settings['select'])}", f"--ignore={','.join(settings['ignore'])}"]
    found = subprocess.run(
        [sys.executable, "-m", "ruff", "check", "--no-cache", "--exit-zero", *options, *chosen, str(PACKAGE)],
        capture_output=True,
        text=True,
        check=True,
    )
    lines = sum(len(module.text.splitlines()) for module in modules().values())
    return 1000 * len(re.findall(r"^\S+\.py:\d+:", found.stdout, re.MULTILINE)) / lines


def public_names(module):
    """Yield a module's public functions, classes and constants.

    Left out are those that are registered with Discord, the command line or the bot, and the types of what public
    functions take and give: who calls them has those without naming them.
    """
    others = ENTRIES | handed_over(module) | types_in_signatures(module)
    for node in module.tree.body:
        yield from (name for name in bound_names(node) if not name.startswith("_") and name not in others)


def handed_over(module):
    entries = [node for node in module.tree.body if getattr(node, "name", None) in ENTRIES]
    return {name.id for entry in entries for name in ast.walk(entry) if isinstance(name, ast.Name)}


def types_in_signatures(module):
    found = set()
    for node in ast.walk(module.tree):
        match node:
            case (
                ast.FunctionDef(args=arguments, returns=returns) | ast.AsyncFunctionDef(args=arguments, returns=returns)
            ) if not node.name.startswith("_") or node.name == "__init__":
                found |= names_in(returns).union(*(names_in(part) for part in ast.walk(arguments) if is_typed(part)))
            case ast.AnnAssign(annotation=annotation):
                found |= names_in(annotation)
    return found


def is_typed(node):
    return isinstance(node, ast.arg) and node.annotation is not None


def names_in(node):
    """Return the names in an annotation, those in quotes too."""
    if node is None:
        return set()
    texts = [part.value for part in ast.walk(node) if isinstance(part, ast.Constant) and isinstance(part.value, str)]
    names = {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}
    return names.union(*(re.findall(r"\w+", text) for text in texts))


def bound_names(node):
    match node:
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
            return [] if any(is_registering(decorator) for decorator in node.decorator_list) else [node.name]
        case ast.Assign(value=ast.Call(func=function)) if last_name(function) in ("get_logger", "TypeVar", "ParamSpec"):
            return []
        case ast.Assign():
            return [target.id for target in node.targets if isinstance(target, ast.Name)]
        case ast.AnnAssign(target=ast.Name(id=name)):
            return [name]
    return []


def is_registering(decorator):
    return isinstance(decorator, ast.Call) and last_name(decorator.func) in REGISTERING


def last_name(node):
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")


def used_names(module):
    """Yield (module, name) of what a module takes from others, imported or reached as an attribute of a module."""
    aliases = {}
    for place, name, alias in module.imports():
        if name is not None and f"{place}.{name}" in modules():
            aliases[alias] = f"{place}.{name}"
        elif name is not None:
            yield place, name
        elif alias is not None:
            aliases[alias] = place
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in aliases:
            yield aliases[node.value.id], node.attr


def names_read(module):
    return {node.id for node in ast.walk(module.tree) if isinstance(node, ast.Name)}


def lonely_names():
    """Return the public names of modules that no other module uses; what a package re-exports is used where that is."""
    used = {use for module in modules().values() if not module.is_package for use in used_names(module)}
    packages = [module for module in modules().values() if module.is_package]
    for package in sorted(packages, key=lambda module: module.name):
        for place, name, alias in package.imports():
            if (package.name, alias) in used or alias in names_read(package):
                used.add((place, name))
    return [
        f"{module.name}.{name}"
        for module in modules().values()
        for name in public_names(module)
        if (module.name, name) not in used
    ]


def private_words():
    """Return how often the code and the documentation say words that the field has others for."""
    tests = (path for path in (ROOT / "tests").rglob("*.py") if path != Path(__file__))
    files = [*PACKAGE.rglob("*.py"), *tests, *(ROOT / "docs").rglob("*.md"), ROOT / "README.md"]
    return sum(len(PRIVATE_WORDS.findall(path.read_text(encoding="utf-8"))) for path in files)


def test_no_module_imports_itself_by_way_of_others():
    assert modules_in_circles() == []


def test_few_modules_at_the_root():
    assert len(modules_at_the_root()) <= MOST_AT_THE_ROOT


def test_no_folder_is_a_heap():
    assert {folder: size for folder, size in modules_by_folder().items() if size > MOST_IN_A_FOLDER} == {}


def test_functions_fit_on_a_page():
    assert {name: size for name, size in functions_by_length().items() if size > LONGEST_FUNCTION} == {}


def test_rules_of_the_linter_are_rarely_switched_off():
    assert marks_in_a_thousand_lines() <= MOST_MARKS


def test_rules_that_are_off_for_whole_files_are_counted_too():
    assert switched_off_in_a_thousand_lines() <= MOST_SWITCHED_OFF


def test_public_means_used_by_others():
    names = lonely_names()

    assert len(names) <= MOST_LONELY_NAMES, "\n".join(names)


def test_words_are_those_of_the_field():
    assert private_words() <= MOST_PRIVATE_WORDS


def main():
    folder, size = max(modules_by_folder().items(), key=lambda item: item[1])
    function, length = max(functions_by_length().items(), key=lambda item: item[1])
    names = lonely_names()
    off = round(switched_off_in_a_thousand_lines(), 1)
    rows = [
        ("modules in import circles", len(modules_in_circles()), 0),
        ("modules at the root", len(modules_at_the_root()), MOST_AT_THE_ROOT),
        (f"modules in {folder}", size, MOST_IN_A_FOLDER),
        (f"lines of {function}", length, LONGEST_FUNCTION),
        ("noqa in 1,000 lines", round(marks_in_a_thousand_lines(), 1), MOST_MARKS),
        ("rules broken at lines or in files where they are off, in 1,000 lines", off, MOST_SWITCHED_OFF),
        ("public names that no other module uses", len(names), MOST_LONELY_NAMES),
        ("private words", private_words(), MOST_PRIVATE_WORDS),
    ]
    for what, found, goal in rows:
        sys.stdout.write(f"{what}: {found} (goal {goal}){'' if found <= goal else '  <- missed'}\n")
    if "--names" in sys.argv:
        sys.stdout.write("\n".join(["", *names, ""]))


if __name__ == "__main__":
    main()
