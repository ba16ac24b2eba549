"""The page's routes over HTTP: who is let in, what is painted, and who sees it."""

import asyncio
import dataclasses
import io
import zipfile

import pytest
from helpers.fake_executors import FakeExecutor
from helpers.support import PATIENCE, eventually, make_settings
from helpers.web_page import next_event, web_page

pytest.importorskip("gradio", reason="the web extra is not installed")
from pastelbot.errors import LimitError, NotAllowedError, NotFoundError, StartupError
from pastelbot.i18n.languages import Languages
from pastelbot.options import GenerationOptions
from pastelbot.records import Actor, JobStatus
from pastelbot.service.page.sign_in import Visitor
from pastelbot.web.application import plain_application
from pastelbot.web.painting import paint
from pastelbot.web.server import PageServer

PASSWORD = "correct horse"  # noqa: S105 - of accounts that only this test has
RED = GenerationOptions(prompt="1girl, red hair", seed=5, hires=False)
TEXT = {"Accept": "text/html"}


@pytest.fixture
def executor():
    return FakeExecutor()


@pytest.fixture
async def open_page(tmp_path, clock, executor):
    opened = []

    async def open_it(*, with_executor=None, **web):
        settings = make_settings(tmp_path, web={"port": 0, **web})
        page = web_page(settings, clock, with_executor or executor, build=plain_application)
        opened.append(page)
        return await page.__aenter__()

    yield open_it
    for page in reversed(opened):
        await page.__aexit__(None, None, None)


@pytest.fixture
async def page(open_page):
    return await open_page()


async def local(page):
    return page.services.sign_in.local_user()


async def signed_in(page, session, visitor):
    session.session.cookie_jar.update_cookies({"pastelbot_session": await page.services.sign_in.begin_session(visitor)})


async def painted(page, executor, visitor, options=RED):
    """Paint something for a user and return its job."""
    await paint(page.services, visitor, options, locale="en")
    await eventually(lambda: executor.painting)
    (job_id,) = executor.painting
    executor.finish(job_id)

    async def is_done():
        return (await page.services.jobs.job(job_id)).status is JobStatus.DONE

    await eventually(is_done)
    return await page.services.jobs.job(job_id)


async def test_a_local_page_needs_no_sign_in_and_speaks_the_browsers_language(page):
    async with page.browser(**{"Accept-Language": "ja-JP,ja;q=0.9,en;q=0.5"}) as browser:
        answer = await browser.get("/")
        head = await (await browser.get("/me?language=ja")).text()

    assert (answer.status, answer.headers["Location"]) == (307, "/ja/")
    assert "日本語" in head
    assert "sign-out" not in head


@pytest.mark.parametrize("path", ["/", "/me", "/events", "/history", "/picture/abc/0", "/complete?prompt=a"])
async def test_a_page_for_others_shows_nothing_without_sign_in(open_page, path):
    page = await open_page(always_sign_in=True)
    async with page.browser() as browser:
        shown = await browser.get(path, headers=TEXT)
        asked = await browser.get(path)

        assert (shown.status, shown.headers["Location"]) == (303, "/sign-in")
        assert asked.status == 401
        assert (await asked.json())["error"].startswith("You are signed out")


@pytest.mark.parametrize("host", ["evil.example", "192.168.0.5"])
async def test_a_page_without_sign_in_answers_no_other_name(page, host):
    """A site can give its own name this machine's address, and read the page of the user who opens it."""
    async with page.browser(Host=f"{host}:7860") as browser:
        answer = await browser.get("/me")

        assert answer.status == 403
        assert "this machine alone" in (await answer.json())["error"]


async def test_what_another_page_sends_is_refused(page, executor):
    job = (await submitted(page, executor))[0]
    async with page.browser(Origin="https://evil.example") as browser:
        answer = await browser.post(f"/jobs/{job}/cancel")

    assert answer.status == 403
    assert executor.painting


async def submitted(page, executor, options=RED):
    await paint(page.services, await local(page), options, locale="en")
    await eventually(lambda: executor.painting)
    return list(executor.painting)


async def test_a_password_signs_in_and_the_button_out(open_page):
    page = await open_page(always_sign_in=True)
    await page.services.sign_in.save_account("Hana", PASSWORD)
    async with page.browser() as browser:
        wrong = await browser.post("/sign-in", data={"name": "Hana", "password": "wrong pass"})
        assert wrong.status == 403
        assert "The name or the password is wrong" in await wrong.text()

        right = await browser.post("/sign-in", data={"name": "hana", "password": PASSWORD})
        cookie = right.headers["Set-Cookie"]
        assert right.status == 303
        assert "HttpOnly" in cookie
        assert "SameSite=lax" in cookie
        assert "Hana" in await (await browser.get("/me")).text()

        await browser.post("/sign-out")
        assert (await browser.get("/me")).status == 401


async def test_the_eleventh_wrong_password_waits(open_page):
    page = await open_page(always_sign_in=True)
    await page.services.sign_in.save_account("Hana", PASSWORD)
    async with page.browser() as browser:
        for _try in range(10):
            await browser.post("/sign-in", data={"name": "Hana", "password": "wrong pass"})
        late = await browser.post("/sign-in", data={"name": "Hana", "password": PASSWORD})

        assert late.status == 429
        assert "Too many wrong passwords: try again in" in await late.text()


async def test_a_link_asks_first_signs_in_once_and_then_says_why_not(open_page):
    """Programs that look at links, such as Discord's, must not use them up."""
    page = await open_page(always_sign_in=True)
    member = Visitor(name="Hana <3", actor=Actor(user_id=7, guild_id=8, channel_id=9))
    link = f"/link/{await page.services.sign_in.new_link(member)}"
    async with page.browser() as browser, page.browser() as other:
        assert "Sign in" in await (await browser.get(link)).text()
        await browser.post(link)
        assert "Hana &lt;3" in await (await browser.get("/me")).text()

        late = await other.post(link)
        assert late.status == 403
        assert "was used or has expired" in await late.text()


async def test_a_picture_is_painted_shown_and_kept(page, executor):
    async with page.browser() as browser, browser.stream("/events") as stream:
        assert "Your pictures appear here." in (await next_event(stream))["html"]
        (job_id,) = await submitted(page, executor)
        executor.progress(job_id, 10, 20, preview=b"\xff\xd8jpeg")
        seen = ""
        while "data:image/jpeg" not in seen:
            seen = (await next_event(stream))["html"]
        assert "Painting: 50%" in seen
        executor.finish(job_id)
        while 'data-status="done"' not in seen:
            said = await next_event(stream)
            seen = said["html"]

        assert said["done"] == job_id
        assert f"/picture/{job_id}/0" in seen
        assert "seed 5" in seen
        picture = await browser.get(f"/picture/{job_id}/0")
        small = await browser.get(f"/picture/{job_id}/0?small=1")
        assert (picture.content_type, small.content_type) == ("image/png", "image/webp")
        assert f"/picture/{job_id}/0?small=1" in await (await browser.get("/history")).text()


async def test_a_cancelled_job_costs_nothing(page, executor):
    (job_id,) = await submitted(page, executor)
    before = await page.services.quotas.state((await local(page)).actor)
    async with page.browser() as browser, browser.stream("/events") as stream:
        assert (await browser.post(f"/jobs/{job_id}/cancel")).status == 200
        seen = ""
        while 'data-status="cancelled"' not in seen:
            seen = (await next_event(stream))["html"]
        again = await browser.post(f"/jobs/{job_id}/cancel")

    assert "Cancelled, not charged." in seen
    assert (await page.services.quotas.state((await local(page)).actor)).state.balance.left > before.state.balance.left
    assert "There is nothing left to cancel" in (await again.json())["error"]


async def test_a_job_survives_a_restart_and_is_shown_afterwards(open_page, executor):
    first = await open_page()
    (job_id,) = await submitted(first, executor)
    await first.services.dispatcher.close()
    await first.services.database.close()

    newer = FakeExecutor()
    second = await open_page(with_executor=newer)
    await eventually(lambda: job_id in newer.painting)
    newer.finish(job_id)
    async with second.browser() as browser:

        async def is_in_the_history():
            return job_id in await (await browser.get("/history")).text()

        await eventually(is_in_the_history)


async def test_users_see_and_end_their_own_pictures_alone(open_page, executor):
    page = await open_page(always_sign_in=True)
    visitors = []
    for name in ("hana", "kenji"):
        await page.services.sign_in.save_account(name, PASSWORD)
        visitors.append(await page.services.sign_in.by_password(name, PASSWORD, address=""))
    job = await painted(page, executor, visitors[0])
    async with page.browser() as hana, page.browser() as kenji:
        await signed_in(page, hana, visitors[0])
        await signed_in(page, kenji, visitors[1])

        assert (await hana.get(f"/picture/{job.id}/0")).status == 200
        assert (await kenji.get(f"/picture/{job.id}/0")).status == 404
        assert job.id not in await (await kenji.get("/history")).text()
        refused = await kenji.post(f"/jobs/{job.id}/delete")
        assert "another user's picture" in (await refused.json())["error"]
        assert (await hana.post(f"/jobs/{job.id}/delete")).status == 200
        assert (await hana.get(f"/picture/{job.id}/0")).status == 404


async def test_a_member_paints_with_the_quota_of_their_server(page, executor):
    member = Visitor(name="Hana", actor=Actor(user_id=7, guild_id=8, channel_id=9, places=(9,)))
    elsewhere = Visitor(name="Hana", actor=Actor(user_id=7, guild_id=80))
    before = await page.services.quotas.state(member.actor)

    job = await painted(page, executor, member)

    assert job.on_page
    assert job.reply.guild_id == 8
    assert (await page.services.quotas.state(member.actor)).state.balance.left < before.state.balance.left
    fresh = await page.services.quotas.state(elsewhere.actor)
    assert fresh.state.balance.left == before.state.balance.left


async def test_jobs_beyond_the_limit_are_refused_and_not_charged(page):
    visitor = await local(page)
    for _ in range(page.services.settings.limits.waiting_per_user):
        await paint(page.services, visitor, RED, locale="en")
    before = await page.services.quotas.state(visitor.actor)

    with pytest.raises(LimitError, match="which is the limit"):
        await paint(page.services, visitor, RED, locale="en")

    assert await page.services.quotas.state(visitor.actor) == before


async def test_a_prompt_cannot_break_out_of_the_page(page, executor):
    job = await painted(page, executor, await local(page), RED.replace(prompt='"><script>alert(1)</script>'))
    async with page.browser() as browser, browser.stream("/events") as stream:
        shown = (await next_event(stream))["html"] + await (await browser.get("/history")).text()

    assert job.id in shown
    assert "<script" not in shown


async def test_tags_are_completed(page):
    async with page.browser() as browser:
        found = await (await browser.get("/complete", params={"prompt": "1girl, red hai"})).json()

    assert "1girl, red hair" in [each["value"] for each in found]


async def test_a_taken_port_is_one_sentence(page):
    port = int(page.address.rpartition(":")[2])
    settings = page.services.settings
    taken = settings.model_copy(update={"web": settings.web.model_copy(update={"port": port})})

    with pytest.raises(StartupError, match=f"port {port}: .*Choose another port or host"):
        await PageServer(
            dataclasses.replace(page.services, settings=taken), Languages.shipped(), build=plain_application
        ).start()


async def test_a_stream_ends_when_its_browser_is_signed_out(open_page):
    page = await open_page(always_sign_in=True)
    await page.services.sign_in.save_account("hana", PASSWORD)
    visitor = await page.services.sign_in.by_password("hana", PASSWORD, address="")
    async with page.browser() as browser:
        await signed_in(page, browser, visitor)
        async with browser.stream("/events") as stream:
            await next_event(stream)
            await page.services.sign_in.save_account("hana", "another password")
            page.services.page_jobs.changed(visitor.actor.user_id)

            assert await asyncio.wait_for(stream.content.read(), PATIENCE) in {b"\n", b""}


async def shared_entry(page, executor, visitor):
    """Paint and share a picture; return its entry's id."""
    job = await painted(page, executor, visitor)
    async with page.browser() as browser:
        await signed_in(page, browser, visitor)
        answer = await browser.post(f"/jobs/{job.id}/share/0")
        assert "in the gallery now" in (await answer.json())["notice"]
    return (await page.services.gallery.shared(job.id))[0]


@pytest.fixture
async def two(open_page):
    """A page with two local accounts."""
    page = await open_page(always_sign_in=True)
    visitors = []
    for name in ("hana", "kenji"):
        await page.services.sign_in.save_account(name, PASSWORD)
        visitors.append(await page.services.sign_in.by_password(name, PASSWORD, address=""))
    return page, *visitors


async def test_a_shared_picture_is_seen_and_voted_for_by_others(two, executor):
    page, hana, kenji = two
    entry_id = await shared_entry(page, executor, hana)
    async with page.browser() as browser:
        await signed_in(page, browser, kenji)
        assert f"/shared/{entry_id}/vote" in await (await browser.get("/gallery")).text()
        assert (await browser.get(f"/shared/{entry_id}/picture")).content_type == "image/png"
        assert "Seed: 5" in await (await browser.get(f"/shared/{entry_id}/view")).text()

        first = await (await browser.post(f"/shared/{entry_id}/vote")).json()
        assert "♥ 1" in await (await browser.get("/gallery?view=top")).text()
        second = await (await browser.post(f"/shared/{entry_id}/vote")).json()

        assert (first["notice"], second["notice"]) == ("Your vote counts.", "Your vote is taken back.")
        refused = await browser.post(f"/shared/{entry_id}/unshare")
        assert "another user's picture" in (await refused.json())["error"]


async def test_the_author_takes_a_picture_out_and_it_is_private_again(two, executor):
    page, hana, kenji = two
    entry_id = await shared_entry(page, executor, hana)
    async with page.browser() as mine, page.browser() as other:
        await signed_in(page, mine, hana)
        await signed_in(page, other, kenji)
        own = await mine.post(f"/shared/{entry_id}/vote")
        assert "your own picture" in (await own.json())["error"]
        assert (await mine.post(f"/shared/{entry_id}/unshare")).status == 200

        gone = await other.get(f"/shared/{entry_id}/picture")
        assert gone.status == 400
        assert "no longer in the gallery" in (await gone.json())["error"]
        assert f"/shared/{entry_id}" not in await (await mine.get("/gallery")).text()


async def test_the_gallery_of_another_server_is_not_there(page, executor):
    entry_id = await shared_entry(page, executor, await local(page))
    member = Visitor(name="Kenji", actor=Actor(user_id=7, guild_id=8, channel_id=9, places=(9,)))
    async with page.browser() as browser:
        await signed_in(page, browser, member)

        for path in ("picture", "view"):
            assert (await browser.get(f"/shared/{entry_id}/{path}")).status == 400
        assert f"/shared/{entry_id}" not in await (await browser.get("/gallery")).text()


async def test_the_gallery_is_searched_and_has_pages(page, executor):
    for number in range(5):
        await share_one(page, executor, RED.replace(prompt=f"1girl, hat {number}", seed=number))
    async with page.browser() as browser:
        first = await (await browser.get("/gallery")).text()
        second = await (await browser.get("/gallery?page=1")).text()
        found = await (await browser.get("/gallery", params={"text": "hat 3"})).text()

    assert (first.count('class="card"'), second.count('class="card"'), found.count('class="card"')) == (4, 1, 1)
    assert "1 / 2" in first
    assert "hat 3" in found


async def share_one(page, executor, options):
    visitor = await local(page)
    job = await painted(page, executor, visitor, options)
    await page.services.gallery.share(visitor.actor, job.id, 0)


@pytest.mark.parametrize("path", ["/jobs/{}/view/0", "/jobs/{}/view/7", "/picture/{}/7"])
async def test_pictures_of_others_and_those_that_are_not_there_cannot_be_viewed(two, executor, path):
    page, hana, kenji = two
    job = await painted(page, executor, hana)
    async with page.browser() as browser:
        await signed_in(page, browser, kenji)

        assert (await browser.get(path.format(job.id))).status in {400, 404}


async def test_a_user_downloads_their_own_data_and_deletes_it(two, executor):
    page, hana, kenji = two
    mine, others = await painted(page, executor, hana), await painted(page, executor, kenji)
    async with page.browser() as browser:
        await signed_in(page, browser, hana)
        shown = await (await browser.get("/my-data")).text()
        async with browser.stream("/my-data/1") as answer:
            archive = zipfile.ZipFile(io.BytesIO(await answer.read()))
        names = " ".join(archive.namelist())
        assert (await browser.get("/my-data/2")).status == 400
        told = await (await browser.post("/my-data/forget")).json()

        assert (await browser.get("/me")).status == 401
    assert 'href="/my-data/1"' in shown
    assert mine.id in names
    assert others.id not in names + str(archive.read("jobs.json"))
    assert told == {"notice": "Everything is deleted.", "leave": True}
    assert (await page.services.jobs.job(others.id)).id == others.id
    with pytest.raises(NotFoundError):
        await page.services.jobs.job(mine.id)
    with pytest.raises(NotAllowedError):
        await page.services.sign_in.by_password("hana", PASSWORD, address="")


async def test_the_lora_browser_escapes_what_is_searched_for(page):
    async with page.browser() as browser:
        shown = await (await browser.get("/loras", params={"text": "<b>"})).text()

    assert "There is no such LoRA here." in shown
    assert "&lt;b&gt;" in shown
    assert "<b>" not in shown
