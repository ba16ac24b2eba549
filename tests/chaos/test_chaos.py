"""A slice of the real kills: real processes and sockets, and a Discord that outlives them."""

from chaos.campaign import Lives, campaign


async def test_killed_bots_lose_nothing():
    async with Lives.started() as lives, Lives.started() as rival:
        counted = await campaign(1, 5, lives, rival)

    assert counted["jobs"] > 0
