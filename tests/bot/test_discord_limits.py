"""What Discord would refuse and discord.py does not check: sizes, counts, and the shape of every request."""

from dataclasses import replace

import pytest
from helpers.discord_rules import DESCRIPTION, check_commands, check_limits, check_mentions, check_shape
from helpers.infotexts import png_with

from pastelbot.bot import render
from pastelbot.bot.components.job_buttons import JobButton, job_view
from pastelbot.bot.components.modals import EditModal, SeedModal
from pastelbot.jobs.waiting_jobs import Overview
from pastelbot.options import SAMPLER_CHOICES
from pastelbot.records import (
    Actor,
    BeingPainted,
    Ended,
    GenerationRequest,
    HiresFix,
    InLine,
    Job,
    JobStatus,
    Prompts,
)

USUAL = render.Usual(negative="lowres", work=1)
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


async def test_commands_are_checked(new_studio):
    """The studio holds every request against Discord's rules; this is the one that has the commands."""
    (commands,) = new_studio.sent("commands", "PUT")

    check_commands(commands)
    assert {"imagine", "queue", "quota", "help"} <= {command["name"] for command in commands}


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/commands", [{"name": "a", "description": "b" * 101}]),
        ("/commands", [{"name": "a", "description": "b", "description_localizations": {"ja": "b" * 101}}]),
        ("/commands", [{"name": "Upper", "description": "b"}]),
        ("/commands", [{"name": f"menu {number}", "type": 3} for number in range(6)]),
        ("/messages", {"content": "a" * 2001}),
        ("/callback", {"data": {"choices": [{"name": "a" * 101, "value": "a"}]}}),
        ("/messages", {"components": [{"type": 1, "components": [{"type": 2, "custom_id": "a", "label": "b" * 81}]}]}),
        ("/messages", {"embeds": [{"description": "a" * 4096}, {"description": "b" * 2000}]}),
    ],
)
def test_what_is_too_long_or_too_many_is_noticed(path, body):
    with pytest.raises(AssertionError):
        check_limits(path, body)


def test_what_discord_does_not_know_is_noticed():
    if not DESCRIPTION.is_file():
        pytest.skip("Discord's openapi.json is not beside the project")
    with pytest.raises(AssertionError):
        check_shape("PATCH", "/channels/1/messages/2", '{"content": 5}')
    with pytest.raises(AssertionError):
        check_shape("POST", "/channels/1/nonsense", "{}")


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


async def test_modals_about_a_message_are_within_the_limits(studio):
    """The studio holds what these menus answer against Discord's rules."""
    infotext = f"{LONG.prompt}\nNegative prompt: {LONG.negative_prompt}\nSteps: 20, Seed: 5, Size: 64x64"
    message = await studio.kenji.send(studio.channel, "look", attachments=[("a.png", png_with(infotext))])
    for menu in ("Remix", "Save prompt"):
        form = await studio.hana.context_menu(studio.channel, menu, message)
        assert form.modal["title"]


async def test_modals_are_within_the_limits():
    for modal in (SeedModal(LONG, None), EditModal(LONG, None)):
        shape = modal.to_dict()
        assert len(shape["title"]) <= 45
        assert len(shape["custom_id"]) <= 100
        assert 1 <= len(shape["components"]) <= 5
        for label in shape["components"]:
            field = label["component"]
            assert len(label["label"]) <= 45
            assert len(label.get("description", "")) <= 100
            options = field.get("options", [])
            assert len(options) <= 25
            assert all(len(option["label"]) <= 100 and len(option["value"]) <= 100 for option in options)
            assert len(field.get("value", "")) <= field.get("max_length", 0) <= 4000


def test_every_text_fits_into_a_message(job):
    texts = [
        render.status_text(InLine(job=job(), position=10**6), USUAL),
        render.status_text(BeingPainted(job=job(), step=1, steps=3), USUAL),
        render.status_text(Ended(job=job(JobStatus.FAILED)), USUAL),
        render.status_text(Ended(job=job(JobStatus.CANCELLED)), USUAL),
        render.result_text(job(), [2**32 - 1] * 10, USUAL),
        render.queue_text(
            Overview(running=[job()] * 20, queue=[job()] * 20, waiting=10_000), Actor(user_id=job().user_id)
        ),
    ]

    assert max(map(len, texts)) <= 2000
    assert "and 10,005 more" in texts[-1]
    assert "123456.7 s" in texts[-2]
    assert len(render.alt_text(LONG, 2**32 - 1)) <= 1024


@pytest.mark.parametrize("letter", ["m", "髪"])
@pytest.mark.parametrize("several", [False, True])
def test_the_prompt_leaves_a_phone_room_for_the_picture_in_every_state(job, letter, several):
    request = LONG.replace(prompt=letter * 1000, negative_prompt="lowres")
    if several:
        request = request.replace(count=4, prompts=(Prompts(prompt=letter * 1000, negative_prompt="lowres"),) * 4)
    of = replace(job(), request=request, reason="")
    texts = [
        render.status_text(InLine(job=of, position=1), USUAL),
        render.status_text(BeingPainted(job=of, step=1, steps=3), USUAL),
        render.status_text(Ended(job=replace(of, status=JobStatus.CANCELLED)), USUAL),
        render.result_text(of, [5], USUAL),
    ]

    width = 2 if letter == "髪" else 1
    for text in texts:
        lines = [line.count(letter) * width for line in text.splitlines() if letter * 9 in line]
        assert sum(-(-columns // 40) for columns in lines) <= 9, "rows of a phone"


@pytest.mark.parametrize(
    ("number", "text"), [(1, "1st"), (2, "2nd"), (3, "3rd"), (4, "4th"), (11, "11th"), (22, "22nd"), (113, "113th")]
)
def test_places_are_written_as_people_say_them(job, number, text):
    assert f"{text} in line" in render.status_text(InLine(job=job(), position=number), USUAL)


@pytest.mark.parametrize(("seconds", "minutes"), [(None, []), (20.0, []), (30.0, [1]), (89.0, [1]), (400.0, [7])])
def test_the_time_left_is_in_minutes(job, seconds, minutes):
    shown = render.status_text(BeingPainted(job=job(), step=1, steps=40, seconds_left=seconds), USUAL).splitlines()

    assert shown[2:] == [f"-# about {each} min left" for each in minutes]


@pytest.mark.parametrize(("step", "steps", "text"), [(0, 40, " 0%"), (20, 40, " 6%"), (41, 40, " 100%"), (0, 0, " 0%")])
def test_progress_is_a_bar_and_a_percentage(job, step, steps, text):
    shown = render.status_text(BeingPainted(job=job(), step=step, steps=steps), USUAL).splitlines()[0]

    assert shown.endswith(text)
    assert shown.count("█") + shown.count("░") == 12


@pytest.mark.parametrize(
    "message",
    [
        {"content": "hello"},
        {"content": "@everyone", "allowed_mentions": {"parse": ["everyone"]}},
        {"content": "<@&5>", "allowed_mentions": {"parse": [], "roles": [5]}},
        {"content": "<@1>", "allowed_mentions": {"parse": [], "replied_user": True}},
        {"content": "<@1>", "allowed_mentions": {"parse": [], "users": [1]}},
        {"content": "<@2>", "allowed_mentions": {"parse": [], "users": [2]}, "nonce": "a:ready"},
        {"content": "<@1><@2>", "allowed_mentions": {"parse": [], "users": [1, 2]}, "nonce": "a:ready"},
    ],
)
def test_no_message_may_notify_any_user_but_a_jobs_owner(message):
    owner = {"content": "<@1>", "allowed_mentions": {"parse": [], "users": [1]}, "nonce": "a:ready"}
    check_mentions("/channels/3/messages", owner, {"a": 1})
    for path, body in (
        ("/channels/3/messages", message),
        ("/channels/3/messages/4", message),
        ("/webhooks/3/token", message),
        ("/webhooks/3/token/messages/@original", message),
        ("/interactions/3/token/callback", {"type": 4, "data": message}),
        ("/interactions/3/token/callback", {"type": 7, "data": message}),
    ):
        with pytest.raises(AssertionError):
            check_mentions(path, body, {"a": 1})
