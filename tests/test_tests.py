"""What every test must have: something that can fail."""

import ast
import re
import time
from collections import Counter
from pathlib import Path
from types import SimpleNamespace

import pytest

FOLDER = Path(__file__).parent
# Calls that fail a test; a helper that asserts says so in its name.
FAILING = {"raises", "fail", "warns"}
ASSERTING = ("assert_", "check_", "eventually")


def cases_of(text):
    """Yield the functions of a file that pytest runs as tests."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
            yield node


def can_fail(test):
    return any(isinstance(node, ast.Assert) or called(node) for node in ast.walk(test))


def called(node):
    """Return whether a node calls what fails where a claim does not hold."""
    if not isinstance(node, ast.Call):
        return False
    name = getattr(node.func, "attr", getattr(node.func, "id", ""))
    return name in FAILING or name.startswith(ASSERTING)


def test_every_test_asserts_something():
    idle = [
        f"{path.relative_to(FOLDER)}::{test.name}"
        for path in FOLDER.rglob("test_*.py")
        for test in cases_of(path.read_text(encoding="utf-8"))
        if not can_fail(test)
    ]

    assert idle == []


def taken_from_tests(path):
    """Return the test modules in other folders that a file imports: pytest finds them only where they run too."""
    nodes = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    modules = {node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module}
    return {name for name in modules if name.startswith("test_") and not path.with_name(f"{name}.py").exists()}


def test_each_file_runs_alone():
    """What several files need is in `helpers`."""
    assert {str(path): names for path in FOLDER.rglob("*.py") if (names := taken_from_tests(path))} == {}


def test_each_file_has_a_name_of_its_own():
    """Folders of tests are no packages, so pytest takes two files of one name for the same module."""
    names = Counter(path.name for path in FOLDER.rglob("test_*.py"))

    assert [name for name, times in names.items() if times > 1] == []


def test_each_test_has_the_same_name_in_every_process(request):
    """Tests are handed out by name: one named after a tensor, or after an object's address, ends a run in several."""
    named = {item.nodeid for item in request.session.items}

    assert sorted(name for name in named if re.search(r"tensor\(|\bat 0x[0-9a-f]{6}", name)) == []


@pytest.fixture
def shared(request):
    """What all tests share: the conftest of this folder."""
    return request.config.pluginmanager.get_plugin(str(FOLDER / "conftest.py"))


def run_until(moment):
    return SimpleNamespace(getoption={"until": moment}.__getitem__)


def test_a_run_whose_time_is_over_skips_what_is_left(shared):
    with pytest.raises(pytest.skip.Exception, match="the time given to this run was over"):
        shared.pytest_runtest_setup(SimpleNamespace(config=run_until(time.time() - 1)))


@pytest.mark.parametrize("moment", [None, time.time() + 86_400], ids=["no end", "tomorrow"])
def test_a_run_with_time_left_skips_nothing(moment, shared):
    assert shared.pytest_runtest_setup(SimpleNamespace(config=run_until(moment))) is None


@pytest.mark.parametrize(("moment", "expected"), [(None, ["long", "b", "a"]), (0, ["b", "a", "long"])])
def test_long_tests_come_first_unless_the_run_has_an_end(moment, expected, shared):
    items = [SimpleNamespace(name=name, get_closest_marker={name: name}.get) for name in ("b", "long", "a")]

    shared.pytest_collection_modifyitems(run_until(moment), items)

    assert [item.name for item in items] == expected


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("assert value", True),
        ("with pytest.raises(ValueError): read()", True),
        ("await eventually(done)", True),
        ("check_picture(value)", True),
        ("read()", False),
        ("value = read()", False),
    ],
)
def test_a_test_that_cannot_fail_is_recognized(body, expected):
    (test,) = cases_of(f"async def test_it():\n    {body}\n")

    assert can_fail(test) is expected
