"""Files on the page: what users drop is read by our own routes, and Gradio keeps, serves and fetches none."""

import asyncio
import io
import json

import pytest
from helpers.fake_executors import FakeExecutor
from helpers.support import make_settings
from helpers.web_page import web_page
from PIL import Image
from PIL.PngImagePlugin import PngInfo

pytest.importorskip("gradio", reason="the web extra is not installed")
from pastelbot.web.application import application, plain_application

INFOTEXT = "1girl\nSteps: 21, Sampler: Euler a, CFG scale: 6.5, Seed: 9, Size: 448x640"
FILE = {"path": "http://127.0.0.1:9/x.png", "meta": {"_type": "gradio.FileData"}}


@pytest.fixture
async def page(tmp_path, clock):
    settings = make_settings(tmp_path, web={"port": 0})
    async with web_page(settings, clock, FakeExecutor(), build=plain_application) as opened:
        yield opened


@pytest.fixture
async def whole_page(tmp_path, clock):
    """The page with Gradio in it, which takes a second or two, and makes event loops where none runs."""

    async def built(services, languages):
        return application(services, languages)

    settings = make_settings(tmp_path, web={"port": 0})
    async with web_page(settings, clock, FakeExecutor(), build=lambda *parts: asyncio.run(built(*parts))) as opened:
        yield opened


def png(text=None):
    file, info = io.BytesIO(), PngInfo()
    if text is not None:
        info.add_text("parameters", text)
    Image.new("RGB", (8, 8)).save(file, "PNG", pnginfo=info)
    return file.getvalue()


async def test_a_dropped_picture_has_its_infotext_read(page):
    async with page.browser() as browser:
        answer = await browser.post("/infotext", data=io.BytesIO(png(INFOTEXT)))

    assert await answer.json() == {"infotext": INFOTEXT}


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"MZ a program", "is not a readable picture"),
        (b"", "is empty"),
        (png(), "has no infotext"),
        (png(INFOTEXT)[:60], "picture"),
        (b"Steps: 1" + bytes(25 * 2**20), "This file is too large: the limit is 25 MiB."),
    ],
    ids=["a program", "nothing", "without settings", "cut off", "too large"],
)
async def test_a_foreign_file_is_one_sentence(page, tmp_path, content, sentence):
    async with page.browser() as browser:
        answer = await browser.post("/infotext", data=io.BytesIO(content))
        said = (await answer.json())["error"]

    assert answer.status == 400
    assert sentence in said
    assert str(tmp_path) not in said


async def test_a_picture_to_start_from_is_kept_under_a_token(page):
    async with page.browser() as browser:
        answer = await browser.post("/uploads", data=io.BytesIO(png()))

    kept = await answer.json()
    assert (kept["width"], kept["height"], len(kept["token"])) == (8, 8, 22)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"MZ a program", "This file cannot be read: send a PNG, JPEG or WebP file."),
        (b"", "This file cannot be read"),
        (bytes(10 * 2**20 + 1), "This file is too large: the limit is 10 MiB."),
    ],
    ids=["a program", "nothing", "too large"],
)
async def test_a_foreign_picture_to_start_from_is_one_sentence(page, content, sentence):
    async with page.browser() as browser:
        answer = await browser.post("/uploads", data=io.BytesIO(content))

    assert answer.status == 400
    assert sentence in (await answer.json())["error"]


async def test_gradio_takes_and_serves_no_files(whole_page, tmp_path):
    """Gradio lets everyone who can open the page read what others have uploaded, and the server fetch addresses."""
    secret = tmp_path / "secret.png"
    secret.write_bytes(png())
    async with whole_page.browser() as browser:
        assert (await browser.get("/en/")).status == 200
        asked = [
            await browser.post("/en/gradio_api/upload", data={"files": io.BytesIO(png())}),
            *[
                await browser.get(f"/en/{path}")
                for path in (
                    *(
                        "gradio_api/file=/etc/passwd",
                        f"gradio_api/file={secret}",
                        "gradio_api/file=http://127.0.0.1:9/",
                    ),
                    *(
                        "gradio_api/proxy=http://127.0.0.1:9/",
                        "gradio_api/deep_link?session_hash=a",
                        "monitoring/summary",
                    ),
                    *("gradio_api/info?all_endpoints=true", "gradio_api/openapi.json", "file=/etc/passwd"),
                )
            ],
            await browser.post("/en/gradio_api/component_server", json={}),
            await browser.post("/en/gradio_api/run/paint", json={"data": []}),
        ]

    assert {answer.status for answer in asked} == {404}


@pytest.mark.parametrize(
    "body", [{"data": [FILE]}, {"data": [[FILE]]}, {"data": FILE}, {}, [], None], ids=lambda body: json.dumps(body)[:30]
)
async def test_an_event_names_no_file(page, body):
    async with page.browser() as browser:
        answer = await browser.post("/en/gradio_api/queue/join", json=body)

    assert answer.status == 400


async def test_an_endless_event_is_refused(page):
    async def endless():
        while True:
            yield b" " * 2**16
            await asyncio.sleep(0)

    async with page.browser() as browser:
        assert (await browser.post("/en/gradio_api/queue/join", data=endless())).status == 413


async def test_what_the_form_sends_reaches_gradio(whole_page):
    async with whole_page.browser() as browser:
        event = {"data": [""], "fn_index": 0, "session_hash": "abc", "event_data": None, "trigger_id": None}
        answer = await browser.post("/en/gradio_api/queue/join", json=event)

        assert answer.status == 200
        assert "event_id" in await answer.json()
