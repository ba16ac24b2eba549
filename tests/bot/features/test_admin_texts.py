"""What admins read fits into a message, however much there is of it."""

from datetime import timedelta

import pytest

from pastelbot.bot.components.review_buttons import review_view
from pastelbot.bot.features.admin import texts as admin_texts
from pastelbot.service.admin import Overview, Stats
from pastelbot.service.server_rules import Caps
from pastelbot.store.moderation.audit import AuditEntry
from pastelbot.store.moderation.blocks import Block
from pastelbot.store.quotas import Allowance
from pastelbot.store.stats import Figures

MOST = 2**63
CAPS = Caps(size=4096, steps=150, count=10, hires=0)


def test_everything_that_can_be_set_fits(clock):
    blocks = [
        Block(guild_id=MOST, user_id=MOST - number, until=clock() + timedelta(days=1), reason="*" * 200)
        for number in range(300)
    ]
    text = admin_texts.overview_text(
        Overview(
            server={"channels": {str(MOST - number): "deny" for number in range(200)}, "words": ["a"] * 500},
            places={MOST - number: CAPS for number in range(200)},
            roles={MOST - number: CAPS for number in range(200)},
            blocks=tuple(blocks),
            drained=True,
            drained_everywhere=False,
            limits=CAPS,
            quota=Allowance(per_day=MOST, saved=MOST, most_extra=MOST),
            role_quotas={MOST - number: Allowance(per_day=1, saved=1, most_extra=0) for number in range(200)},
            affixes=("*" * 1000, "*" * 1000),
        )
    )

    assert len(text) <= 2000
    assert "more lines" in text
    assert text.startswith("**The bot here:** drained")


def test_a_page_of_the_log_fits_and_nothing_in_it_is_markdown(clock):
    entry = AuditEntry(
        at=clock(),
        guild_id=MOST,
        user_id=MOST,
        action="block",
        target_id=MOST,
        job_id="0" * 12,
        detail="**@everyone** " * 80,
        prompt="||@here|| " * 400,
        status="cancelled",
    )
    text = admin_texts.log_text([entry] * 10, 1)

    assert len(text) <= 2000
    assert "@everyone" not in text
    assert "||" not in text


def test_the_log_names_channels_and_roles_and_escapes_what_people_wrote(clock):
    entries = [
        AuditEntry(at=clock(), guild_id=1, user_id=2, action="caps", detail="<#123>: size 5"),
        AuditEntry(at=clock(), guild_id=1, user_id=2, action="caps", detail="<@&45>: cleared"),
        AuditEntry(at=clock(), guild_id=1, user_id=2, action="block", target_id=3, detail="for 1h **<@99>** @everyone"),
    ]
    channel, role, block = admin_texts.log_text(entries, 1).splitlines()

    assert channel.endswith("changed caps: <#123>: size 5")
    assert role.endswith("changed caps: <@&45>: cleared")
    assert block.endswith("blocked <@3>: for 1h \\*\\*\\<@99>\\*\\* @\u200beveryone")


@pytest.mark.parametrize(
    ("changes", "end"),
    [
        ({"status": "leased"}, "asked for a picture ([being painted](https://discord.com/channels/1/5/6))"),
        ({"status": "queued", "message_id": None}, "asked for a picture (waiting)"),
        ({"status": "done", "action": "delete", "target_id": 3}, "deleted a picture of <@3> (done)"),
        ({"status": None}, "asked for a picture `0123456789ab`"),
    ],
)
def test_the_log_says_how_far_a_job_is_and_links_to_it(clock, changes, end):
    places = {"channel_id": 5, "message_id": 6, "action": "paint", "prompt": "1girl"} | changes
    entry = AuditEntry(at=clock(), guild_id=1, user_id=2, job_id="0123456789ab", **places)

    assert admin_texts.log_text([entry], 1).splitlines()[0].endswith(f"<@2> {end}")


def test_stats_fit():
    figures = Figures(jobs=MOST, done=MOST, failed=MOST, cancelled=MOST, withheld=MOST, people=MOST, work=MOST)
    stats = Stats(
        spans={"24 hours": figures, "7 days": figures, "30 days": figures},
        waiting=10_000,
        painting=4,
        drained=True,
        checkpoint="*" * 200,
        pictures_bytes=MOST,
        database_bytes=MOST,
        free_bytes=MOST,
    )

    assert len(admin_texts.stats_text(stats)) <= 2000


@pytest.mark.parametrize(
    ("jobs", "people", "said"),
    [(1, 1, "1 job of 1 person,"), (3, 1, "3 jobs of 1 person,"), (3, 2, "3 jobs of 2 people,")],
)
def test_stats_count_in_the_singular_too(jobs, people, said):
    figures = Figures(jobs=jobs, people=people)
    nothing = {"waiting": 0, "painting": 0, "pictures_bytes": 0, "database_bytes": 0, "free_bytes": 0}
    stats = Stats(spans={"24 hours": figures}, drained=False, checkpoint="", **nothing)

    assert f"**24 hours:** {said}" in admin_texts.stats_text(stats)


async def test_the_buttons_are_within_the_limits():
    for button in review_view("0123456789ab").children:
        assert len(button.custom_id) <= 100
        assert button.__discord_ui_compiled_template__.fullmatch(button.custom_id)
