"""/quota and /admin quota: what people read about their work, and what admins set."""

import pytest
from discord import Permissions

from pastelbot.config import bundled
from pastelbot.options import default_work
from pastelbot.store.moderation.audit import AuditLog

WORK = default_work(bundled())
PICTURE = WORK / 1_000_000  # 1.6384


@pytest.fixture
def boss(studio):
    role = studio.guild.create_role("boss", permissions=Permissions(manage_guild=True))
    return studio.guild.add_member(studio.env.create_user("boss"), roles=[role])


def open_to_all(studio):
    command = studio.env.backend.find_command("admin", studio.guild.id, type=1)
    studio.guild.set_command_permissions(int(command["id"]), {studio.guild.default_role: True})


async def quota(studio, by=None):
    result = await (by or studio.hana).slash(studio.channel, "quota")
    assert result.response.ephemeral
    return result.response.content


async def admin(studio, by, name, **options):
    result = await by.slash(studio.channel, f"admin quota {name}", **options)
    assert result.response.ephemeral
    return result.response.content


async def test_it_tells_what_is_left_in_work_and_in_pictures(open_studio):
    studio = await open_studio(quota={"work_per_day": 10 * PICTURE, "saved_days": 3})
    await studio.imagine(count=3)
    midnight = int(studio.clock.now.replace(hour=0).timestamp()) + 86400

    assert (await quota(studio)).splitlines() == [
        "You have **7 usual pictures** left. Used today: 3 usual pictures.",
        "- Reserved for queued pictures: 3 usual pictures; what is not painted comes back.",
        f"- You get 10 usual pictures more <t:{midnight}:R>; what is not used is saved, up to 30 usual pictures.",
        (
            "-# A usual picture is one of the defaults: 1.6 MP-steps (pixels times steps, in millions). "
            "Left: 11.5 MP-steps."
        ),
    ]


async def test_what_is_painted_is_no_longer_reserved_but_stays_used(studio):
    await studio.imagine()
    await studio.finish()
    text = await quota(studio)

    assert "reserved" not in text
    assert "Used today: 1 usual picture." in text


async def test_what_is_cancelled_comes_back(open_studio):
    studio = await open_studio(quota={"work_per_day": 10 * PICTURE})
    result = await studio.imagine(count=3)
    await studio.hana.click(result.response, label="Cancel")

    assert "**10 usual pictures** left" in await quota(studio)
    assert "Used today: 0 usual pictures." in await quota(studio)


async def test_what_is_not_used_is_saved_up_to_the_cap(open_studio):
    studio = await open_studio(quota={"work_per_day": 4 * PICTURE, "saved_days": 2.5})
    await studio.imagine(count=3)
    left = []
    for _ in range(4):
        left.append((await quota(studio)).partition("**")[2].partition(" usual")[0])
        studio.clock.advance(days=1)

    assert left == ["1", "5", "9", "10"]
    full = "- That is as much as can be saved up; what you use comes back at 4 usual pictures a day."
    assert full in await quota(studio)


async def test_without_a_limit_it_says_so(open_studio):
    studio = await open_studio(quota={"work_per_day": 0})
    await studio.imagine(count=2)

    assert (await quota(studio)).startswith("There is no limit here. Used today: 2 usual pictures.")


async def test_the_price_is_shown_before_and_after(studio):
    result = await studio.imagine(count=2)
    assert result.response.content.endswith("\n-# costs 2 usual pictures")
    message = await studio.finish()

    assert message.content.endswith(" · 0.1 s · cost 2 usual pictures")


async def test_what_no_user_could_ever_save_up_is_refused_as_such(open_studio):
    studio = await open_studio(quota={"work_per_day": PICTURE, "saved_days": 1})
    text = (await studio.imagine(count=2)).response.content

    assert "That would cost 2 usual pictures, more than anybody here can save up (1): ask for fewer pictures" in text
    assert text.endswith("Not charged.")


async def test_servers_are_separate(open_studio):
    """What a user uses up in one server is there in another."""
    studio = await open_studio(quota={"work_per_day": PICTURE, "saved_days": 1})
    elsewhere, rin = studio.env.create_guild("Elsewhere"), studio.env.create_user("rin")
    here, there = studio.guild.add_member(rin), elsewhere.add_member(rin)
    await studio.imagine(by=here)

    assert (await studio.imagine(by=here)).response.ephemeral
    assert not (await studio.imagine(by=there, channel=elsewhere.create_text_channel("art"))).response.ephemeral


async def test_admins_set_what_each_user_gets(studio, boss):
    assert await admin(studio, boss, "server", work_per_day=2 * PICTURE) == "Everybody here has 3.3 MP-steps a day now."
    assert "**2 usual pictures** left" in await quota(studio)
    await admin(studio, boss, "server", work_per_day=0)

    assert "There is no limit here." in await quota(studio)


async def test_a_change_counts_at_once_and_what_was_used_stays_used(studio, boss):
    await admin(studio, boss, "server", work_per_day=4 * PICTURE)
    await studio.imagine(count=3)
    await admin(studio, boss, "server", work_per_day=2 * PICTURE)
    assert "**0 usual pictures** left" in await quota(studio)
    await admin(studio, boss, "server", work_per_day=6 * PICTURE)

    assert "**3 usual pictures** left" in await quota(studio)


async def test_the_most_generous_role_counts_instead_of_the_server(studio, boss):
    roles = [studio.guild.create_role(name) for name in ("regular", "patron")]
    member = studio.guild.add_member(studio.env.create_user("patron"), roles=roles)
    await admin(studio, boss, "server", work_per_day=PICTURE)
    for role, pictures in zip(roles, (2, 5), strict=True):
        text = await admin(studio, boss, "role", role=role, work_per_day=f"{pictures * PICTURE:.4f}")
        assert text.startswith(f"<@&{role.id}> has ")
    assert "**5 usual pictures** left" in await quota(studio, member)
    assert "**1 usual picture** left" in await quota(studio)

    await admin(studio, boss, "role", role=roles[1], work_per_day="Clear")
    assert "**2 usual pictures** left" in await quota(studio, member)


async def test_the_operators_cap_holds_whatever_admins_set(open_studio):
    studio = await open_studio(quota={"work_per_day": PICTURE, "max_work_per_day": 3 * PICTURE, "saved_days": 1})
    role = studio.guild.create_role("boss", permissions=Permissions(manage_guild=True))
    boss = studio.guild.add_member(studio.env.create_user("boss"), roles=[role])
    for work in (0, 1000):
        assert "4.9 MP-steps a day" in await admin(studio, boss, "server", work_per_day=work)
        assert "**3 usual pictures** left" in await quota(studio)

    text = await admin(studio, boss, "grant", member=studio.hana, work=1000)
    assert "Grants to one person may add up to 4.9 MP-steps, and 0 MP-steps of earlier ones are left." in text


async def test_grants_are_used_after_the_allowance_and_come_back(open_studio):
    studio = await open_studio(quota={"work_per_day": PICTURE, "saved_days": 1})
    role = studio.guild.create_role("boss", permissions=Permissions(manage_guild=True))
    boss = studio.guild.add_member(studio.env.create_user("boss"), roles=[role])
    text = await admin(studio, boss, "grant", member=studio.hana, work=3 * PICTURE, reason="won the **contest**")
    assert text == f"4.9 MP-steps more for {studio.hana.mention}. They can paint about 4 pictures like the default now."

    first = await studio.imagine(count=2)
    answer = await quota(studio)
    assert "**2 usual pictures** left" in answer
    assert "- Granted to you, and used last: 2 usual pictures." in answer
    assert f"- Granted by <@{boss.id}> on <t:" in answer
    assert ": 3 usual pictures: won the" in answer
    assert "won the \\*\\*contest\\*\\*" in answer
    await studio.hana.click(first.response, label="Cancel")
    assert "**4 usual pictures** left" in await quota(studio)
    await studio.imagine(count=4)
    studio.clock.advance(days=1)
    assert "**1 usual picture** left" in await quota(studio)


async def test_admins_look_at_others(studio, boss):
    await studio.imagine(by=studio.kenji)
    text = await admin(studio, boss, "show", member=studio.kenji)

    assert text.startswith(f"{studio.kenji.mention}\nYou have **")
    assert "Used today: 1 usual picture." in text
    assert (await admin(studio, boss, "show")).startswith(boss.mention)


@pytest.mark.parametrize("text", ["lots", "-1", "nan", "inf", "1e9", ""])
async def test_what_is_no_amount_is_refused(studio, boss, text):
    role = studio.guild.create_role("regular")
    answer = await admin(studio, boss, "role", role=role, work_per_day=text or " ")

    assert "is not a valid amount of work: type a number from 0 to 10,000,000, or clear." in answer


async def test_a_grant_of_nothing_is_refused(studio, boss):
    assert "must be more than 0" in await admin(studio, boss, "grant", member=studio.hana, work=0)


async def test_only_admins_may(studio):
    open_to_all(studio)
    for name, options in (
        ("show", {}),
        ("server", {"work_per_day": 5}),
        ("role", {"role": studio.guild.create_role("regular"), "work_per_day": "5"}),
        ("grant", {"member": studio.hana, "work": 5}),
    ):
        assert "may manage the server" in await admin(studio, studio.hana, name, **options)


async def test_what_admins_do_is_written_down(studio, boss):
    role = studio.guild.create_role("regular")
    await admin(studio, boss, "server", work_per_day=100)
    await admin(studio, boss, "role", role=role, work_per_day="clear")
    await admin(studio, boss, "grant", member=studio.hana, work=30, reason="thanks")

    log = await AuditLog(studio.bot.services.database).page(studio.guild.id)
    assert [(entry.user_id, entry.action, entry.target_id, entry.detail) for entry in log] == [
        (boss.id, "quota grant", studio.hana.id, "30.0 MP-steps: thanks"),
        (boss.id, "quota role", role.id, "cleared"),
        (boss.id, "quota server", None, "100 MP-steps a day"),
    ]
