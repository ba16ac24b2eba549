"""What may take long with a file or a text from a stranger is done in threads: the event loop answers all users."""

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "pastelbot"

# They take pictures, infotexts and prompts apart, or list folders. None of them waits for anything.
LONG = {
    *("read_infotext", "read_request", "read_fields", "parse_infotext", "with_line_breaks"),
    *("size_of", "open_flat", "flattened", "make_sheet", "attachments"),
    *("draft", "amend", "check_request", "check_content", "painted_texts"),
    *("load_wildcards", "upscaler_files", "read_tag_file"),
}
ASYNC_CODE = sorted([*PACKAGE.joinpath("bot").rglob("*.py"), *PACKAGE.joinpath("service").rglob("*.py")])


def on_the_loop(function):
    """Yield what an async function does itself, without the functions and lambdas inside it."""
    waiting = list(function.body)
    while waiting:
        node = waiting.pop()
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            yield node
            waiting += ast.iter_child_nodes(node)


def called(tree):
    """Yield the names of functions that async functions call themselves."""
    for function in ast.walk(tree):
        if isinstance(function, ast.AsyncFunctionDef):
            for node in on_the_loop(function):
                if isinstance(node, ast.Call):
                    yield getattr(node.func, "attr", getattr(node.func, "id", ""))


@pytest.mark.parametrize("path", ASYNC_CODE, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_nothing_long_is_called_on_the_loop(path):
    assert LONG.isdisjoint(called(ast.parse(path.read_text(encoding="utf-8"))))


def test_a_call_on_the_loop_is_noticed():
    tree = ast.parse("async def f():\n  x = await to_thread(size_of)\n  if size_of(x): pass")

    assert "size_of" in called(tree)
