"""The web page in a real browser with two accounts and a LoRA, served alone as `pastelbot web` does."""

import shutil
import subprocess
import sys

import pytest
import torch
from helpers.demo import ended_with_children
from safetensors.torch import save_file

pytest.importorskip("gradio", reason="the web extra is not installed")
playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = [pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine"), pytest.mark.long]

SECONDS = 60  # a busy machine paints slowly
PROMPT = "#prompt textarea"
PASSWORD = "correct horse"  # noqa: S105 - of accounts that only this test has
CONFIG = """
[checkpoint]
path = "bundled"
loras = "loras"
[monitoring]
port = 0
[web]
always_sign_in = true
"""


@pytest.fixture(scope="module")
def url(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("page")
    (folder / "config.toml").write_text(CONFIG, encoding="utf-8")
    (folder / "loras").mkdir()
    metadata = {"ss_output_name": "ink", "modelspec.title": "Ink drawings", "ss_base_model_version": "sd_v1"}
    layer = {
        f"lora_unet_mid_block_attentions_0_proj_in.lora_{half}.weight": torch.ones(2, 2) for half in ("down", "up")
    }
    save_file(layer, folder / "loras" / "ink.safetensors", metadata)
    program = [sys.executable, str(request.config.rootpath / "bot.py"), "web"]
    configured = ["--config", str(folder / "config.toml")]
    for name in ("hana", "kenji"):
        added = [*program, "adduser", name, *configured]
        subprocess.run(added, input=f"{PASSWORD}\n", text=True, check=True, cwd=folder, capture_output=True)
    command = [*program, "--port", "0", *configured]
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    with ended_with_children(process):
        line = process.stdout.readline()
        assert line.startswith("Pastelbot: http://127.0.0.1:"), line
        yield line.removeprefix("Pastelbot: ").strip()


@pytest.fixture
def signed_in(url):
    """Return what signs an account in, in a browser of its own, and returns its page; no page may raise an error."""
    errors = []
    with playwright.sync_playwright() as tools:
        chromium = tools.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])

        def opened(name, password=PASSWORD):
            page = chromium.new_context(viewport={"width": 390, "height": 800}, locale="en-US").new_page()
            page.set_default_timeout(1000 * SECONDS)
            page.on("pageerror", lambda error: errors.append(str(error)))
            page.goto(url)
            page.fill("[name=name]", name)
            page.fill("[name=password]", password)
            page.get_by_role("button", name="Sign in").click()
            return page

        yield opened
        chromium.close()
    assert [] == errors


def test_a_wrong_password_is_a_sentence_and_the_page_stays_closed(signed_in):
    page = signed_in("hana", "wrong")

    assert "name or the password is wrong" in page.get_by_role("alert").inner_text()
    assert 0 == page.locator(PROMPT).count()


def test_a_shared_picture_is_voted_for_by_another_account_and_the_vote_taken_back(signed_in):
    hana = signed_in("hana")
    hana.fill(PROMPT, "1girl, silver hair")
    hana.fill("#option-steps input, #option-steps textarea", "4")
    hana.click("#paint")
    hana.locator("article[data-status=done] .pictures img").click()
    hana.get_by_role("button", name="Share").click()
    hana.get_by_text("It is in the gallery now.").wait_for()

    kenji = signed_in("kenji")
    kenji.get_by_role("tab", name="Gallery").click()
    card = kenji.locator("#gallery .card", has_text="silver hair")
    card.get_by_role("button", name="♥ 0").click()
    kenji.get_by_text("Your vote counts.").wait_for()
    card.get_by_role("button", name="♥ 1").click()
    kenji.get_by_text("Your vote is taken back.").wait_for()
    card.get_by_role("button", name="♥ 0").wait_for()
    hana.get_by_role("tab", name="Gallery").click()
    own = hana.locator("#gallery .card", has_text="silver hair")
    own.get_by_text("♥ 0").wait_for()
    assert 0 == own.get_by_role("button", name="♥").count()


def test_a_lora_of_the_browser_is_put_behind_what_the_prompt_says(signed_in):
    page = signed_in("hana")
    page.fill(PROMPT, "1girl, hat")
    page.get_by_role("tab", name="LoRAs").click()
    card = page.locator("#loras .card", has_text="ink")
    assert "Ink drawings" in card.inner_text()
    card.get_by_role("button", name="Use").click()

    page.locator(PROMPT).wait_for()
    assert "1girl, hat <lora:ink:1>" == page.input_value(PROMPT)
