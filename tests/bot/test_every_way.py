"""Every way to a picture asks the access policy: commands, buttons, forms, questions, presets, the gallery."""

import discord
import pytest
from discord import Permissions
from helpers.gallery import button
from helpers.simulator import restrict_channels
from helpers.studio import job_of

from pastelbot.records import JobStatus

INFOTEXT = "1girl, nude\nSteps: 20, Sampler: Euler, CFG scale: 7, Seed: 5, Size: 448x640"


def typed(form):
    """Return what a form has in its fields when it opens."""
    fields = [label["component"] for label in form.modal["components"]]
    return {field["custom_id"]: field["value"] for field in fields if field.get("value") is not None}


async def answered(result):
    return result.followups[-1].content if result.followups else result.response.content


@pytest.fixture
async def begun(studio, monkeypatch):
    """All that could still paint "nude" later, begun where it was allowed; then the channel is restricted no more."""
    restrict_channels(monkeypatch)
    monkeypatch.setattr(discord.Interaction, "is_expired", lambda _interaction: True)  # so all questions stay
    await studio.imagine("1girl, nude", hires="off")
    message = await studio.finish()
    await studio.more(studio.hana, message, "Share")
    await studio.hana.slash(studio.channel, "prompt save", name="bad", prompt="1girl, nude")
    page = (await studio.kenji.slash(studio.channel, "gallery")).response
    return {
        "message": message,
        "asked": (await studio.imagine("{red,blue} hair, nude", by=studio.kenji)).response,
        "edit": await studio.kenji.click(message, label="Edit"),
        "seed": await studio.more(studio.kenji, message, "Seed"),
        "use": await studio.kenji.click(page, custom_id=button(page, "Use")),
        "remix": await studio.kenji.context_menu(studio.channel, "Remix", message),
        "vary": (await studio.more(studio.kenji, message, "Vary")).response,
        "hires": (await studio.kenji.click(message, label="Hires")).response,
    }


async def every_way(studio, begun):
    """Try all of it as kenji; return the answers by what was tried."""
    kenji, message = studio.kenji, begun["message"]
    ways = {"Reroll": await kenji.click(message, label="Reroll")}
    ways |= {label: await kenji.click(begun["hires"], label=label) for label in ("Faithful", "Creative")}
    ways |= {label: await kenji.click(begun["vary"], label=label) for label in ("Subtle", "Strong")}
    ways |= {name: await kenji.submit_modal(begun[name], typed(begun[name])) for name in ("edit", "use", "remix")}
    ways["seed"] = await kenji.submit_modal(begun["seed"], {"seed": "4"})
    ways["confirm"] = await kenji.click(begun["asked"], label="Paint")
    ways["imagine"] = await studio.imagine("1girl, n[u|u]de", by=kenji)
    ways["private"] = await studio.imagine("1girl, (nu:1.1)de", by=kenji, private=True)
    ways["negative"] = await studio.imagine("1girl", by=kenji, negative="(nude:-1)")
    ways["recreate"] = await kenji.slash(studio.channel, "recreate", infotext=INFOTEXT)
    return {name: await answered(result) for name, result in ways.items()}


async def test_no_way_leads_adult_tags_out_of_age_restricted_channels(studio, begun, monkeypatch):
    restrict_channels(monkeypatch, restricted=False)
    answers = await every_way(studio, begun)
    preset = await studio.hana.slash(studio.channel, "prompt use", name="bad")

    for way, answer in {**answers, "preset": await answered(preset)}.items():
        assert "The prompt has the adult tag `nude`" in answer or "use it in such a channel" in answer, way
        assert answer.endswith("Not charged."), way
    assert await studio.jobs.with_status(JobStatus.QUEUED, JobStatus.LEASED) == []


async def test_no_way_is_open_to_a_blocked_user_until_the_block_ends(studio, begun):
    role = studio.guild.create_role("bosses", permissions=Permissions(manage_guild=True))
    boss = studio.guild.add_member(studio.env.create_user("boss"), roles=[role])
    await boss.slash(studio.channel, "admin block", member=studio.kenji, duration="5m", reason="spam")
    answers = await every_way(studio, begun)
    earlier = await studio.imagine("1girl", by=studio.kenji, previous=job_of(begun["message"]))
    answers |= {"previous": await answered(earlier)}

    for way, answer in answers.items():
        assert "to take a break from painting until" in answer, way
        assert answer.endswith("Not charged."), way
    assert await studio.jobs.with_status(JobStatus.QUEUED, JobStatus.LEASED) == []

    studio.clock.advance(minutes=5, seconds=1)
    await studio.kenji.click(begun["asked"], label="Paint")
    assert len(await studio.jobs.with_status(JobStatus.QUEUED, JobStatus.LEASED)) == 2
