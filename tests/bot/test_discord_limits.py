"""What Discord would refuse and discord.py does not check: sizes, counts, and the shape of every request."""

import json
import re

import jsonschema
import pytest

from pastelbot.bot import render
from pastelbot.bot.views.buttons import JobButton, job_view
from pastelbot.bot.views.modals import EditModal, SeedModal
from pastelbot.drafting import SAMPLER_CHOICES
from pastelbot.records import (
    BeingPainted,
    Ended,
    GenerationRequest,
    HiresFix,
    InLine,
    Job,
    JobStatus,
)

LONG = GenerationRequest(
    prompt="@*🎨" * 1333,
    negative_prompt="b" * 4000,
    seed=2**32 - 1,
    hires=HiresFix(width=2048, height=2048),
    sampler="DPM++ 3M SDE",
    schedule="Exponential",
    cfg_scale=7.123456,
)


@pytest.fixture
def job(clock):
    def job(status=JobStatus.QUEUED):
        return Job(
            id="0123456789ab",
            user_id=2**63,
            request=LONG,
            status=status,
            created_at=clock(),
            reason="x" * 5000,
            seconds=123456.7,
        )

    return job


@pytest.fixture
def openapi(request):
    """Return Discord's own description of its interface, where it lies beside the project."""
    path = request.config.rootpath.parent / "shared" / "openapi.json"
    if not path.is_file():
        pytest.skip("Discord's openapi.json is not beside the project")
    return json.loads(path.read_text(encoding="utf-8"))


async def test_commands_are_within_the_limits(studio):
    commands = studio.sent("commands", "PUT")[0]

    assert {command["name"] for command in commands} == {"imagine", "recreate", "Recreate", "queue", "quota", "help"}
    typed = [command for command in commands if command.get("type", 1) == 1]
    assert all(1 <= len(command["name"]) <= 32 for command in commands)
    for command in typed:
        options = command.get("options", [])
        assert len(options) <= 25
        for part in (command, *options):
            assert re.fullmatch(r"[a-z_]{1,32}", part["name"])
            assert 1 <= len(part["description"]) <= 100
            assert len(part.get("choices", [])) <= 25
        assert all(len(choice["name"]) <= 100 for option in options for choice in option.get("choices", []))
        assert len(json.dumps(command)) <= 8000


def test_sampler_choices_are_within_the_limits():
    assert len(set(SAMPLER_CHOICES)) == len(SAMPLER_CHOICES) <= 25
    assert all(len(name) <= 100 for name in SAMPLER_CHOICES)


@pytest.mark.parametrize("status", list(JobStatus))
async def test_buttons_are_within_the_limits(job, status):
    buttons = job_view(job(status)).children

    assert 1 <= len(buttons) <= 25
    for button in buttons:
        assert len(button.item.label) <= 80
        assert len(button.custom_id) <= 100
        assert JobButton.__discord_ui_compiled_template__.fullmatch(button.custom_id)


async def test_modals_are_within_the_limits():
    for modal in (SeedModal(LONG, None), EditModal(LONG, None)):
        shape = modal.to_dict()
        assert len(shape["title"]) <= 45
        assert len(shape["custom_id"]) <= 100
        assert 1 <= len(shape["components"]) <= 5
        for label in shape["components"]:
            field = label["component"]
            assert len(label["label"]) <= 45
            assert len(field["value"]) <= field["max_length"] <= 4000


def test_every_text_fits_into_a_message(job):
    texts = [
        render.status_text(InLine(job=job(), position=10**6)),
        render.status_text(BeingPainted(job=job(), step=1, steps=3)),
        render.status_text(Ended(job=job(JobStatus.FAILED))),
        render.status_text(Ended(job=job(JobStatus.CANCELLED))),
        render.result_text(job(), [2**32 - 1] * 10),
        render.queue_text([job()] * 20, [job()] * 200),
    ]

    assert max(map(len, texts)) <= 2000
    assert "and 205 more" in texts[-1]
    assert texts[-2].endswith("123456.7 s")
    assert len(render.alt_text(LONG, 2**32 - 1)) <= 1024


@pytest.mark.parametrize(
    ("number", "text"), [(1, "1st"), (2, "2nd"), (3, "3rd"), (4, "4th"), (11, "11th"), (22, "22nd"), (113, "113th")]
)
def test_places_are_written_as_people_say_them(number, text):
    assert text == render.ordinal(number)


@pytest.mark.parametrize(
    ("step", "steps", "text"), [(0, 40, " 0%"), (20, 40, " 50%"), (41, 40, " 100%"), (0, 0, " 0%")]
)
def test_progress_is_a_bar_and_a_percentage(step, steps, text):
    shown = render.progress_text(step, steps)

    assert shown.endswith(text)
    assert shown.count("█") + shown.count("░") == 12


async def test_every_request_is_as_discord_describes_it(studio, openapi):
    """Everything that a bot's day holds is done once; each body is held against Discord's own schemas."""
    await a_day(studio)

    checked = set()
    for request in studio.env.http_requests:
        if request.json is None:
            continue
        template, schema = body_schema(openapi, request.method, request.path)
        errors = list(validator(openapi, schema).iter_errors(with_text_ids(request.json)))
        assert not errors, f"{request.method} {request.path}: {errors[0].message} in {request.json}"
        checked.add((request.method, template.rsplit("/", 1)[1]))
    assert checked == {
        ("PUT", "commands"),
        ("POST", "callback"),
        ("POST", "messages"),
        ("PATCH", "{message_id}"),
    }


async def a_day(studio):
    """Do what people do: paint, edit, cancel, delete, ask, and be refused."""
    first = await studio.imagine("1girl, @everyone", count=2, seed=7)
    (job_id,) = await studio.painting()
    studio.executor.progress(job_id, 10, 40)
    await studio.says("25%", first.response.id)
    message = await studio.finish()
    form = await studio.hana.click(message, label="Edit")
    await studio.hana.submit_modal(form, {"prompt": "1boy", "negative": "", "seed": ""})
    (job_id,) = await studio.painting()
    await studio.mod.delete(studio.channel.last_message)
    await studio.finish()
    again = await studio.hana.click(message, label="Reroll")
    await studio.hana.click(again.response, label="Cancel")
    await studio.says("**Cancelled**", again.response.id)
    await studio.hana.click(message, label="Seed")
    await studio.hana.click(message, label="Delete")
    await studio.imagine(" ")
    await studio.hana.autocomplete(studio.channel, "imagine", "size", "p", prompt="1girl")
    for name in ("queue", "quota", "help"):
        await studio.hana.slash(studio.channel, name)


def body_schema(openapi, method, path):
    """Return the path's template and the schema of its request's body."""
    for template, operations in openapi["paths"].items():
        pattern = re.sub(r"\{[^}]+\}", "[^/]+", template)
        if re.fullmatch(pattern, path) and method.lower() in operations and not template.endswith("@me"):
            return template, operations[method.lower()]["requestBody"]["content"]["application/json"]["schema"]
    pytest.fail(f"Discord has no {method} {path}")


def validator(openapi, schema):
    return jsonschema.Draft202012Validator({**schema, "components": openapi["components"]})


def with_text_ids(body):
    """Write discord.py's numbers for attachments and people as text: Discord takes both, its schemas only text."""
    if isinstance(body, dict):
        changed = {key: with_text_ids(value) for key, value in body.items()}
        if "filename" in body:
            changed["id"] = str(body["id"])
        if "users" in body:
            changed["users"] = [str(user) for user in body["users"]]
        return changed
    return [with_text_ids(value) for value in body] if isinstance(body, list) else body
