"""A slice of the real kills: real processes and sockets, and a Discord that outlives them."""

import pytest
from chaos.campaign import Lives, campaign
from chaos.endurance import growth


async def test_killed_bots_lose_nothing():
    async with Lives.started() as lives, Lives.started() as rival:
        counted = await campaign(1, 5, lives, rival)

    assert counted["jobs"] > 0


def test_growth_is_counted_from_the_second_look_on():
    assert growth([(0, 90, 20), (500, 150, 25), (1000, 151, 25), (1500, 152, 25)]) == pytest.approx((2, 0))
    assert growth([(0, 90, 20)]) == (0, 0)
