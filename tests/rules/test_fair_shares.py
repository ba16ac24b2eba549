"""Users share the engine's work alike, whatever the size and number of their jobs."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from pastelbot.rules.timing.fair_shares import FairShares, NextTurn, decoding_effort, denoising_effort, in_slots


def turn(job_id, effort=10, *, decodes=False):
    """Return a next turn of the owner whose letter the job's name begins with."""
    return NextTurn(job_id=job_id, owner=ord(job_id[0]), effort=effort, decodes=decodes)


def run(shares, turns, count):
    """Return how much effort each owner got in so many turns of the same jobs."""
    spent = Counter()
    for _ in range(count):
        chosen = shares.choose(turns)
        assert chosen
        for each in turns:
            spent[each.owner] += each.effort if each.job_id in chosen else 0
    return spent


def test_who_is_alone_advances_with_everything():
    jobs = [turn(f"a{number}", effort) for number, effort in enumerate([1, 50, 7, 9, 9, 9])]

    assert FairShares(2).choose(jobs) == {job.job_id for job in jobs}


def test_nobody_advances_without_jobs():
    assert FairShares(2).choose([]) == set()


def test_a_newcomer_holds_a_slot_and_one_of_the_others_jobs_is_paused():
    holding = in_slots([turn("a1"), turn("a2"), turn("a3"), turn("a4"), turn("b1")], 4)

    assert [[job.job_id for job in mine] for mine in holding.values()] == [["a1", "a2", "a3"], ["b1"]]


def test_each_owner_holds_a_slot_even_beyond_their_number():
    holding = in_slots([turn("a1"), turn("a2"), turn("b1"), turn("c1")], 2)

    assert [[job.job_id for job in mine] for mine in holding.values()] == [["a1"], ["b1"], ["c1"]]


def test_equal_jobs_of_several_owners_advance_together():
    """So they still share a batch."""
    shares, jobs = FairShares(4), [turn("a1"), turn("b1"), turn("c1")]

    assert [shares.choose(jobs) for _ in range(3)] == [{"a1", "b1", "c1"}] * 3


def test_a_small_job_goes_ahead_until_it_has_had_as_much_as_a_large_one():
    shares, jobs = FairShares(4), [turn("a1", 30), turn("b1", 10)]

    assert [shares.choose(jobs) for _ in range(6)] == [{"b1"}, {"b1"}, {"a1", "b1"}] * 2


def test_of_two_that_would_decode_one_does_and_the_other_in_the_next_turn():
    shares, jobs = FairShares(4), [turn("a1", decodes=True), turn("b1", decodes=True)]

    assert [shares.choose(jobs) for _ in range(4)] == [{"a1"}, {"b1"}, {"a1"}, {"b1"}]


def test_credit_is_not_kept_from_before():
    """A user who was alone in between begins anew, like the newcomer."""
    shares = FairShares(4)
    run(shares, [turn("a1", 30), turn("b1", 10)], 2)
    shares.choose([turn("a1", 30)])

    assert shares.choose([turn("a1", 30), turn("c1", 10)]) == {"c1"}


def test_effort_grows_with_rows_and_faster_than_the_pixels():
    assert denoising_effort(128 * 128, 4) == 2 * denoising_effort(128 * 128, 2)
    assert denoising_effort(1280 * 960, 2) > 4 * denoising_effort(640 * 480, 2)
    assert decoding_effort(512 * 512) > denoising_effort(512 * 512, 2)


JOBS = st.lists(st.tuples(st.sampled_from("abcd"), st.integers(1, 1000)), min_size=1, max_size=12)


@given(JOBS, st.integers(1, 6), st.integers(1, 300))
def test_owners_never_differ_by_more_than_a_turn(jobs, slots, count):
    """What two owners got differs at most by what the jobs in their slots take in one turn."""
    turns = [turn(f"{owner}{number}", effort) for number, (owner, effort) in enumerate(jobs)]
    spent = run(FairShares(slots), turns, count)
    largest = max(sum(each.effort for each in mine) for mine in in_slots(turns, slots).values())

    assert max(spent.values()) - min(spent.values()) <= largest or len(spent) == 1


@given(st.integers(1, 50), st.integers(1, 40), st.integers(100, 2000), st.integers(1, 4))
def test_a_small_job_waits_for_at_most_as_much_as_it_has_itself(effort, steps, large, hogs):
    """Beside any number of another user's large jobs."""
    shares = FairShares(4)
    others = [turn(f"a{number}", large) for number in range(hogs)]
    for _ in range(3):
        shares.choose(others)
    mine, theirs = 0, 0
    while mine < steps:
        chosen = shares.choose([*others, turn("b1", effort)])
        mine += "b1" in chosen
        theirs += large * len(chosen - {"b1"})

    assert theirs <= effort * steps
