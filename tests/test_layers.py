"""Imports point downward only, and each heavy library has its few users."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "pastelbot"

LAYERS = [
    {"__init__", "errors", "similarity"},
    {"records", "choices"},
    {"paths"},
    {"config", "formats", "prompt", "i18n"},
    {"rules", "log"},
    {"infotext"},
    {"options"},
    {"diffusion", "store"},
    {"workshop", "tagging"},
    {"jobs"},
    {"service"},
    {"bot", "web"},
    {"app", "doctor"},
    {"run", "demo"},
    {"cli"},
    {"__main__"},
]

# The layers inside folders that have some, from below.
INNER_LAYERS = {
    "diffusion": [
        {"weights"},
        {"networks", "embeddings"},
        {"sampling", "conditioning", "lora", "image"},
        {"checkpoint"},
        {"backends"},
        {"engine"},
    ],
    "jobs": [{"queue"}, {"waiting_jobs"}, {"outcomes"}, {"dispatcher", "worker"}, {"tagger"}],
    "bot": [
        {"context", "plain_text"},
        {"localisation"},
        {"checks", "render", "responses", "sync"},
        {"attachments", "completions", "rates"},
        {"components"},
        {"messages"},
        {"features"},
        {"client"},
    ],
}

SOLE_USERS = {
    "torch": {"diffusion", "workshop"},
    "diffusers": {"diffusion", "workshop"},
    "transformers": {"diffusion", "workshop"},
    "aiosqlite": {"store"},
    "sqlite3": {"store"},
    "discord": {"bot", "run", "demo"},
    "typer": {"cli"},
    "prometheus_client": {"service"},
    "simcord": {"demo"},
    "onnxruntime": {"diffusion", "tagging"},
    "openvino": {"diffusion"},
    "gradio": {"web"},
    "fastapi": {"web"},
    "starlette": {"web"},
    "uvicorn": {"web"},
}

# Parts that only these import: the bot never merges.
ONLY_FOR = {"workshop": {"workshop", "cli"}}

HEAVY = {"gradio", "torch", "diffusers", "transformers", "simcord", "onnxruntime", "openvino"}

FILES = sorted(PACKAGE.rglob("*.py"))


def part_of(path):
    first = path.relative_to(PACKAGE).parts[0]
    return first.removesuffix(".py")


def imported(path):
    """Yield the dotted names of all modules that a file imports, those inside functions too."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            if node.module == "pastelbot":
                yield from (f"pastelbot.{alias.name}" for alias in node.names)
            else:
                yield node.module


def rank(part):
    return next(number for number, layer in enumerate(LAYERS) if part in layer)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_point_downward(path):
    name = str(path.relative_to(PACKAGE))
    own = part_of(path)
    for module in imported(path):
        top, *rest = module.split(".")
        if top == "pastelbot" and rest:
            target = rest[0] if rest[0] != "__version__" else "__init__"
            allowed = rank(target) < rank(own) or target == own
            assert allowed, f"{name} imports {module}"
            assert own in ONLY_FOR.get(target, {own}), f"{name} imports {module}"
        users = SOLE_USERS.get(top)
        assert users is None or own in users, f"{name} imports {top}"


@pytest.mark.parametrize("folder", INNER_LAYERS)
def test_imports_inside_a_folder_point_downward(folder):
    ranks = {part: number for number, layer in enumerate(INNER_LAYERS[folder]) for part in layer}
    for path in (PACKAGE / folder).rglob("*.py"):
        own = path.relative_to(PACKAGE / folder).parts[0].removesuffix(".py")
        for module in imported(path):
            *parents, target = module.split(".")[:3]
            if own in ranks and parents == ["pastelbot", folder] and target in ranks and target != own:
                assert ranks[target] < ranks[own], f"{path.relative_to(PACKAGE)} imports {module}"


def calls_of_the_store(path):
    """Yield the names from `pastelbot.store` that a file calls and that take or open a database."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    stores = {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("pastelbot.store")
        for alias in node.names
        if alias.name.endswith("Store") or alias.name in {"AuditLog", "Database", "Pauses", "PictureFiles", "TagSets"}
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            owner = node.func.value if isinstance(node.func, ast.Attribute) else node.func
            if isinstance(owner, ast.Name) and owner.id in stores:
                yield owner.id


def test_stores_are_made_in_the_composition_root_alone():
    """The command line has databases of its own, for commands that run without the bot."""
    made = {
        str(path.relative_to(PACKAGE)): set(calls_of_the_store(path))
        for path in FILES
        if part_of(path) not in {"store", "cli"} and any(calls_of_the_store(path))
    }

    assert set(made) == {"app.py", "run.py"}
    assert made["run.py"] == {"Database"}


def test_the_audit_log_has_one_writer():
    users = {
        str(path.relative_to(PACKAGE))
        for path in FILES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and any(alias.name == "AuditLog" for alias in node.names)
    }

    assert users == {"app.py", "service/audit.py"}


def test_only_the_checker_says_that_requests_were_checked():
    """What `submit` takes is a Checked, so no way leads past the access policy and the limits."""
    made = {
        str(path.relative_to(PACKAGE))
        for path in FILES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and getattr(node.func, "id", getattr(node.func, "attr", "")) == "Checked"
    }

    assert made == {"service/requests/checking.py"}


def test_every_module_has_a_layer():
    known = {part for layer in LAYERS for part in layer}

    assert {part_of(path) for path in FILES} - known == set()


def module_imports():
    """Return the package's modules that each module imports."""
    modules = {".".join(["pastelbot", *path.relative_to(PACKAGE).with_suffix("").parts]): path for path in FILES}
    return {
        name: {
            found
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            if isinstance(node, ast.ImportFrom)
            for found in (node.module, *(f"{node.module}.{alias.name}" for alias in node.names))
            if found in modules
        }
        for name, path in modules.items()
    }


def test_no_module_outside_the_bot_imports_itself_by_way_of_others():
    graph = {name: found for name, found in module_imports().items() if not name.startswith("pastelbot.bot.")}
    while leaves := [name for name, found in graph.items() if not found & graph.keys()]:
        for name in leaves:
            del graph[name]

    assert sorted(graph) == []


def imports_between_parts():
    """Yield (folder, part, other part): the modules and folders in a folder, and which of them import which.

    An `__init__.py` stands for its folder.
    """
    for name, found in module_imports().items():
        own = name.removesuffix(".__init__").split(".")
        for other in (module.removesuffix(".__init__").split(".") for module in found):
            shared = next((at for at, (a, b) in enumerate(zip(own, other, strict=False)) if a != b), None)
            if shared is not None:
                yield ".".join(own[:shared]), own[shared], other[shared]


def parts_in_circles(imports):
    """Return those of (folder, part, other part) that are part of a circle, or lead to one."""
    graph = {}
    for folder, part, other in imports:
        graph.setdefault((folder, part), set()).add((folder, other))
    while leaves := [part for part, others in graph.items() if not others & graph.keys()]:
        for part in leaves:
            del graph[part]
    return sorted(f"{folder}.{part}" for folder, part in graph)


def test_no_folder_imports_another_one_that_imports_it():
    """Folders count as one with what is in them, so a module cannot stand both above and below a folder."""
    assert parts_in_circles(imports_between_parts()) == []


def test_circles_between_folders_are_found():
    assert parts_in_circles([("store", "jobs", "files"), ("store", "files", "jobs")]) == ["store.files", "store.jobs"]
    assert parts_in_circles([("store", "jobs", "files"), ("bot", "files", "jobs")]) == []


@pytest.mark.parametrize("module", ["pastelbot.bot.client", "pastelbot.app", "pastelbot.cli.main", "pastelbot.run"])
def test_bot_process_loads_no_torch(module):
    """The process that talks to Discord starts without torch, diffusers, transformers or ONNX Runtime."""
    code = f"import sys, {module}; print(*{HEAVY} & set(sys.modules))"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == ""
