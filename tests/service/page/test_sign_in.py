from datetime import timedelta

import pytest
from helpers.support import make_settings

from pastelbot.errors import LimitError, NotAllowedError, NotFoundError, RequestError
from pastelbot.records import ON_PAGE, Actor
from pastelbot.service.page.passwords import FailedTries, hashed, matches
from pastelbot.service.page.sign_in import SignIn, Visitor
from pastelbot.store.database import Database
from pastelbot.store.web.sign_in import SignInStore

PASSWORD = "correct horse"  # noqa: S105 - of accounts that only this test has
MEMBER = Actor(user_id=7, guild_id=8, channel_id=9, places=(9, 10), role_ids=(3, 4), age_restricted=True)


@pytest.fixture
async def database(tmp_path):
    opened = await Database.open(tmp_path / "bot.sqlite3")
    yield opened
    await opened.close()


@pytest.fixture
def seconds():
    return [0.0]


@pytest.fixture
def sign_in(tmp_path, database, clock, seconds):
    tries = FailedTries(clock=lambda: seconds[0])
    return SignIn(make_settings(tmp_path), SignInStore(database), clock=clock, tries=tries)


async def everything_in(database):
    rows = [
        *await database.reader.all("SELECT * FROM web_accounts"),
        *await database.reader.all("SELECT * FROM web_tickets"),
    ]
    return str([tuple(row) for row in rows])


def test_a_password_is_hashed_with_a_salt_of_its_own():
    first, second = hashed(PASSWORD), hashed(PASSWORD)

    assert first != second
    assert PASSWORD not in first
    assert matches(PASSWORD, first)
    assert not matches("correct hors", first)


async def test_an_account_signs_in_by_its_password_alone(sign_in):
    assert not await sign_in.has_accounts()
    assert await sign_in.save_account("Hana", PASSWORD)

    visitor = await sign_in.by_password("hana", PASSWORD, address="::1")

    assert (visitor.name, visitor.actor.guild_id) == ("Hana", ON_PAGE)
    assert visitor.actor.user_id < -1
    for name, password in (("hana", "wrong pass"), ("kenji", PASSWORD), ("", "")):
        with pytest.raises(NotAllowedError, match="name or the password is wrong"):
            await sign_in.by_password(name, password, address="::1")


async def test_two_accounts_are_two_users_and_none_is_the_local_one(sign_in):
    for name in ("hana", "kenji"):
        await sign_in.save_account(name, PASSWORD)

    found = {(await sign_in.by_password(name, PASSWORD, address="")).actor.user_id for name in ("hana", "kenji")}

    assert 3 == len({*found, sign_in.local_user().actor.user_id})


async def test_a_new_password_signs_all_browsers_out(sign_in):
    await sign_in.save_account("hana", PASSWORD)
    token = await sign_in.begin_session(await sign_in.by_password("hana", PASSWORD, address=""))

    assert not await sign_in.save_account("HANA", "another one")

    assert await sign_in.visitor(token) is None
    assert (await sign_in.by_password("hana", "another one", address="")).name == "hana"


@pytest.mark.parametrize("name", ["", " ", "<b>", "a" * 33, "-hana", "a\nb\x00"])
async def test_odd_names_are_refused(sign_in, name):
    with pytest.raises(RequestError, match="account name"):
        await sign_in.save_account(name, PASSWORD)


@pytest.mark.parametrize("password", ["", "1234567", "a" * 201])
async def test_short_and_endless_passwords_are_refused(sign_in, password):
    with pytest.raises(RequestError, match=f"this one has {len(password)}"):
        await sign_in.save_account("hana", password)


async def test_ten_wrong_passwords_are_followed_by_pauses_that_grow(sign_in, seconds):
    await sign_in.save_account("hana", PASSWORD)
    for _try in range(10):
        with pytest.raises(NotAllowedError):
            await sign_in.by_password("hana", "wrong", address="a")

    with pytest.raises(LimitError, match="30 s"):
        await sign_in.by_password("hana", PASSWORD, address="b")  # of the name, wherever it comes from
    with pytest.raises(LimitError, match="30 s"):
        await sign_in.by_password("kenji", PASSWORD, address="a")  # of the address, whatever the name
    seconds[0] = 30.0
    with pytest.raises(NotAllowedError):
        await sign_in.by_password("hana", "wrong", address="c")
    with pytest.raises(LimitError, match="60 s"):
        await sign_in.by_password("hana", PASSWORD, address="c")
    seconds[0] = 90.0
    assert (await sign_in.by_password("hana", PASSWORD, address="c")).name == "hana"


def test_names_that_failed_are_remembered_in_bounded_memory():
    tries = FailedTries(most=2)
    for number in range(5):
        for _try in range(10):
            tries.failed(str(number))

    tries.check("0", "1", "2")
    with pytest.raises(LimitError):
        tries.check("4")


async def test_a_link_works_once_and_brings_the_rights_of_its_place(sign_in):
    token = await sign_in.new_link(Visitor(name="Hana", actor=MEMBER))

    visitor = await sign_in.by_link(token)

    assert visitor == Visitor(name="Hana", actor=MEMBER)
    assert await sign_in.visitor(await sign_in.begin_session(visitor)) == visitor
    with pytest.raises(NotAllowedError, match="was used or has expired"):
        await sign_in.by_link(token)


async def test_a_link_dies_after_ten_minutes_and_a_session_after_its_hours(sign_in, clock):
    visitor = Visitor(name="Hana", actor=MEMBER)
    link, session = await sign_in.new_link(visitor), await sign_in.begin_session(visitor)

    clock.now += timedelta(minutes=10)
    with pytest.raises(NotAllowedError):
        await sign_in.by_link(link)
    assert await sign_in.visitor(session) == visitor
    clock.now += timedelta(hours=12)
    assert await sign_in.visitor(session) is None


async def test_a_link_is_no_session_and_a_session_no_link(sign_in):
    visitor = Visitor(name="Hana", actor=MEMBER)

    assert await sign_in.visitor(await sign_in.new_link(visitor)) is None
    with pytest.raises(NotAllowedError):
        await sign_in.by_link(await sign_in.begin_session(visitor))


async def test_signing_out_ends_the_session(sign_in):
    token = await sign_in.begin_session(sign_in.local_user())

    await sign_in.end_session(token)

    assert await sign_in.visitor(token) is None


async def test_the_database_holds_neither_passwords_nor_tokens(sign_in, database):
    await sign_in.save_account("hana", PASSWORD)
    visitor = await sign_in.by_password("hana", PASSWORD, address="")
    tokens = [await sign_in.new_link(visitor), await sign_in.begin_session(visitor)]

    stored = await everything_in(database)

    assert not [secret for secret in (PASSWORD, *tokens) if secret in stored]


async def test_a_removed_account_is_signed_out_and_its_user_never_comes_again(sign_in):
    """What is kept of a removed user, such as a block, must not become the next account's."""
    await sign_in.save_account("hana", PASSWORD)
    removed = await sign_in.by_password("hana", PASSWORD, address="")
    token = await sign_in.begin_session(removed)
    assert [1] == [line.browsers for line in await sign_in.accounts()]

    await sign_in.remove_account("Hana")
    await sign_in.save_account("kenji", PASSWORD)

    assert await sign_in.visitor(token) is None
    assert ["kenji"] == [line.name for line in await sign_in.accounts()]
    assert (await sign_in.by_password("kenji", PASSWORD, address="")).actor.user_id != removed.actor.user_id
    with pytest.raises(NotFoundError, match="no account 'hana': `pastelbot web users` lists them"):
        await sign_in.remove_account("hana")
