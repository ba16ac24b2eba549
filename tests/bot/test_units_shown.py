"""Members read costs in usual pictures: the unit of work, MP-steps, is for details, admins and guides."""

import ast
from pathlib import Path

from helpers.translatable import LANGUAGES, PACKAGE

from pastelbot.bot import render
from pastelbot.records import GenerationRequest
from pastelbot.rules.cost import UNIT

ALLOWED = {
    "bot/features/admin/quota.py:grant",
    "bot/features/admin/texts.py:_figures",
    "bot/features/quota/texts.py:_details",  # the small line of /quota
    "bot/features/quota/texts.py:allowance_text",  # what admins read
    "rules/cost.py:text",
    "service/quotas.py:_check",  # what admins set and grant, and the audit trail
    "service/quotas.py:grant",
    "service/quotas.py:set_role",
    "service/quotas.py:set_server",
    "store/quotas.py:grant",
}


def uses(path: Path):
    """Return the functions of a module that write work with its unit, or as a bare number of it."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    return {function.name for function in functions if any(map(writes_the_unit, ast.walk(function)))}


def writes_the_unit(node):
    if isinstance(node, ast.Attribute) and ast.unparse(node) in {"cost.text", "cost.UNIT", "cost.number"}:
        return True
    if isinstance(node, ast.Name) and node.id == "UNIT":
        return True
    return isinstance(node, ast.Constant) and isinstance(node.value, str) and UNIT in node.value.split("`")[0]


def test_only_details_and_admins_have_the_unit():
    found = {
        f"{path.relative_to(PACKAGE).as_posix()}:{function}"
        for path in PACKAGE.rglob("*.py")
        for function in uses(path)
    }

    assert found == ALLOWED


def test_no_translation_writes_the_unit_itself():
    assert not [path.name for path in LANGUAGES.glob("*.toml") if UNIT in path.read_text(encoding="utf-8")]


def test_no_help_writes_the_unit_itself():
    assert not [path.name for path in (PACKAGE / "data").rglob("*.md") if UNIT in path.read_text(encoding="utf-8")]


async def test_a_member_reads_pictures_from_the_queue_to_the_refusal(open_studio):
    studio = await open_studio(quota={"work_per_day": 5 * 1.6384, "saved_days": 1})
    queued = (await studio.imagine(count=2)).response.content
    finished = await studio.finish()
    done = finished.content
    asked = (await studio.imagine("{red,blue} hair")).response.content
    refused = (await studio.imagine(count=4)).response.content
    quota = (await studio.hana.slash(studio.channel, "quota")).response.content
    made = (await studio.kenji.context_menu(studio.channel, "Who made this", finished)).response.content

    assert "costs 2 usual pictures" in queued
    assert "cost 2 usual pictures" in done
    assert "and costs 2 usual pictures" in asked
    assert "That would cost 4 usual pictures, and you have 3 left; 5 more come" in refused
    assert "cost 2 usual pictures" in made
    assert "You have **3 usual pictures** left" in quota
    shown = [queued, done, made, asked, refused, *(line for line in quota.splitlines() if not line.startswith("-# "))]
    assert UNIT not in "\n".join(shown)


def test_the_settings_line_has_the_cost_in_usual_pictures():
    usual = render.Usual(negative="", work=5_000_000)
    request = GenerationRequest(prompt="1girl", width=512, height=512, steps=20, seed=1)

    assert "cost 1.1 usual pictures" in render.settings_line(request, [1], 2.0, usual=usual)
