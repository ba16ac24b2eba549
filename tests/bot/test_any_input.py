"""Whatever a user types or pastes is painted or refused in a sentence: nothing unexpected, nothing free of cost."""

import json
import random
from dataclasses import asdict

import pytest

from pastelbot.bot import render
from pastelbot.errors import PastelError
from pastelbot.options import GenerationOptions
from pastelbot.records import Actor, JobOptions
from pastelbot.rules import cost
from pastelbot.store.jobs.rows import _REQUEST

TYPED = """1girl --seed --steps --ar 3:2 --no --hires 2x 5 -1 --cfg —size 640x448 portrait { } , | __hair_color__ __x__
( ) [ ] : 1.2 <lora:a:1> \\ " “ -- # BREAK AND 0.5 --count --preset --denoise --clip-skip --sampler --style --spoiler é
--negative none --vae nan inf 1e9 🎨 @everyone --lora a:0.5 --strength --schedule Karras :: [a:b:3] (a:1e5) ²"""
SIGNS = ["\n", "\0", "\ud83d", "Euler a", "9" * 5000]
PASTED = """Steps|Sampler|CFG scale|Seed|Size|Model hash|Clip skip|ENSD|Hires upscale|Hires resize|Hires steps
Hires prompt|Hires upscaler|Denoising strength|Variation seed|Variation seed strength|Seed resize from|Hires sampler
Schedule type|VAE|Lora hashes|Hypernet|First pass size|Version|RNG|Emphasis|Hires CFG Scale|Size-1|Model"""
WORDS, FIELDS = TYPED.split(), PASTED.replace("\n", "|").split("|")
VALUES = ["0", "-1", "20", "7.5", "nan", "inf", "1e400", "9" * 400, "512x512", "0x0", "999999x1", "64x64", "0x512", "x"]
VALUES += [
    "Euler a",
    "Karras",
    "Latent",
    '"a, b"',
    '"half \\ud83d"',
    "v1.2.3",
    '"foo: bar"',
    "",
    "1.5",
    "0.3",
    "٣",
    "²",
]


@pytest.fixture
def actor(studio):
    return Actor(user_id=5, guild_id=studio.guild.id, channel_id=studio.channel.id, places=(studio.channel.id,))


def check(request):
    assert cost.work(request) > 0
    assert request == _REQUEST.validate_json(json.dumps(asdict(request)))
    render.settings_line(request, [request.seed], usual=render.Usual(negative="", work=1))


async def test_any_prompt(studio, actor):
    chance, painted = random.Random(7), 0
    for _ in range(300):
        glue = chance.choice((" ", ", ", ""))
        prompt = glue.join(chance.choice(WORDS * 3 + SIGNS) for _ in range(chance.randrange(1, 12)))
        try:
            built = await studio.bot.services.builder.build(actor, GenerationOptions(prompt=prompt))
        except PastelError:
            continue
        painted += 1
        for request in built.requests:
            check(request)

    assert 30 < painted < 270


async def test_any_infotext(studio, actor):
    chance, painted, builder = random.Random(7), 0, studio.bot.services.builder
    for _ in range(500):
        names = chance.sample(FIELDS, chance.randrange(3, 12))
        fields = ", ".join(f"{name}: {chance.choice(VALUES)}" for name in names)
        try:
            built, _notes = await builder.recreate(
                actor, f"1girl <lora:a:1>\nNegative prompt: x\n{fields}", JobOptions()
            )
        except PastelError:
            continue
        painted += 1
        check(built.requests[0])

    assert 30 < painted < 470
