"""The web page in a real browser, as `pastelbot web --demo` serves it with the bundled checkpoint."""

import contextlib
import re
import shutil
import subprocess
import sys

import pytest
from helpers.demo import ended_with_children

pytest.importorskip("gradio", reason="the web extra is not installed")
playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = [pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine"), pytest.mark.long]

SECONDS = 60  # a busy machine paints slowly
PROMPT = "#prompt textarea"
DONE = "article[data-status=done]"


@pytest.fixture(scope="module")
def url(request):
    command = [sys.executable, "bot.py", "web", "--demo", "--no-browser"]
    process = subprocess.Popen(
        command, cwd=request.config.rootpath, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    with ended_with_children(process):
        line = process.stdout.readline()
        assert line.startswith("Pastelbot demo: http://127.0.0.1:"), line
        yield line.removeprefix("Pastelbot demo: ").strip()


@pytest.fixture(scope="module")
def browser():
    with playwright.sync_playwright() as tools:
        chromium = tools.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.fixture
def open_page(browser, url):
    """Return what opens the page; it may raise no error of its own."""
    errors, contexts = [], []

    def opened(*, width=1280, language="en"):
        context = browser.new_context(viewport={"width": width, "height": 800}, has_touch=width < 500)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(1000 * SECONDS)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(f"{url}{language}/")
        page.wait_for_selector(PROMPT)
        page.wait_for_selector("#jobs > *")
        return page

    yield opened
    for context in contexts:
        context.close()
    assert [] == errors


def written(page, prompt, **options):
    page.fill(PROMPT, prompt)
    for name, value in options.items():
        page.fill(f"#option-{name} input, #option-{name} textarea", value)


def painted(page, prompt):
    """Press Paint and wait for the picture."""
    page.click("#paint")
    job = page.locator(DONE, has_text=prompt)
    job.locator("img").first.evaluate("image => image.decode()")
    return job


def said_of_the_newest(page):
    """Return what the newest cancelled job says of itself."""
    return page.locator("article[data-status=cancelled] .error").inner_text()


def test_a_tag_is_completed_and_the_picture_is_painted_before_the_users_eyes(open_page):
    page = open_page()
    page.click(PROMPT)
    page.keyboard.type("1girl, red hai")
    page.locator("#completions button", has_text=re.compile("^red hair$")).wait_for()
    page.keyboard.press("Enter")
    assert "1girl, red hair" == page.input_value(PROMPT)
    page.keyboard.type(", smile")
    page.keyboard.press("Control+Enter")

    page.locator("img.preview").wait_for()
    assert re.search(r"Painting: \d+%", page.inner_text("#jobs [role=status]"))
    page.locator(DONE, has_text="1girl, red hair, smile").locator("img").evaluate("image => image.decode()")
    page.get_by_role("tab", name="History").click()
    page.locator("#history .thumb img").first.evaluate("image => image.decode()")


def test_the_same_seed_and_options_are_painted_as_they_were_set(open_page):
    page = open_page()
    written(page, "1girl, blue hair", seed="7", steps="8", count="2")
    job = painted(page, "1girl, blue hair")

    assert 2 == job.locator(".pictures img").count()
    assert "seed 7, 8" in job.inner_text()
    assert "8 steps" in job.inner_text()


def test_a_cancelled_picture_says_so(open_page):
    page = open_page()
    written(page, "1girl, cancelled", steps="60", count="4")
    page.click("#paint")
    page.locator("#jobs article", has_text="1girl, cancelled").get_by_role("button", name="Cancel").click()

    assert "Cancelled, not charged." == said_of_the_newest(page)


@pytest.mark.parametrize(
    ("prompt", "steps", "said"), [("", "", "The prompt is empty"), ("1girl", "many", "'many' is not")]
)
def test_a_refusal_is_a_sentence_and_what_was_typed_stays(open_page, prompt, steps, said):
    page = open_page()
    written(page, prompt, steps=steps)
    page.click("#paint")
    page.locator("#said .error", has_text=said).wait_for()

    assert "Not charged." in page.inner_text("#said")
    assert (prompt, steps) == (
        page.input_value(PROMPT),
        page.input_value("#option-steps textarea, #option-steps input"),
    )


def test_the_page_opened_anew_shows_what_is_painted_now(open_page):
    page = open_page()
    written(page, "1girl, reopened", steps="60", count="4")
    page.click("#paint")
    page.locator("#jobs article", has_text="1girl, reopened").wait_for()

    other = open_page()
    job = other.locator("#jobs article", has_text="1girl, reopened")
    job.wait_for()
    job.get_by_role("button", name="Cancel").click()
    assert "Cancelled, not charged." == said_of_the_newest(page)


@pytest.mark.parametrize("width", [390, 1280])
def test_nothing_is_wider_than_the_page(open_page, width):
    page = open_page(width=width)
    written(page, "1girl, grin")
    painted(page, "1girl, grin")

    assert page.evaluate("document.documentElement.scrollWidth") <= width
    picture, button = page.locator(f"{DONE} img").first.bounding_box(), page.locator("#paint").bounding_box()
    assert 0 <= picture["x"] < picture["x"] + picture["width"] <= width
    assert button["height"] >= 44


def test_the_page_speaks_japanese(open_page):
    page = open_page(language="ja")
    written(page, "")
    page.click("#paint")
    page.locator("#said .error", has_text="プロンプトが空です").wait_for()

    assert "生成する" == page.inner_text("#paint").strip()
    assert page.get_by_role("tab", name="履歴").is_visible()
    assert "ステップ" in page.inner_text("#option-steps")


def test_the_browser_asks_no_other_machine(open_page, url):
    asked = []
    page = open_page()
    page.on("request", lambda request: asked.append(request.url))
    page.reload()
    page.wait_for_selector("#jobs > *")

    with contextlib.suppress(playwright.TimeoutError):
        page.wait_for_load_state("networkidle", timeout=2000)
    assert [each for each in asked if not each.startswith((url, "data:", "blob:"))] == []


def test_a_picture_is_shared_looked_at_and_its_settings_are_used_again(open_page):
    page = open_page()
    page.on("dialog", lambda dialog: dialog.accept())
    written(page, "1girl, green hair", seed="11", steps="9")
    painted(page, "1girl, green hair").locator(".pictures img").click()
    page.locator("#viewer[open] .infotext").wait_for()
    page.get_by_role("button", name="Share").click()
    page.get_by_text("It is in the gallery now.").wait_for()

    other = open_page(width=390)
    other.get_by_role("tab", name="Gallery").click()
    other.locator("#gallery .card", has_text="green hair").locator(".thumb").click()
    other.get_by_role("button", name="Use these settings").click()
    other.wait_for_function(f"document.querySelector('{PROMPT}').value === '1girl, green hair'")
    other.wait_for_function("document.querySelector('#option-seed textarea, #option-seed input').value === '11'")
    settings = painted(page, "1girl, green hair").locator(".quiet").inner_text()
    assert "seed 11" in settings
    other.click("#paint")
    other.locator(DONE, has_text="1girl, green hair").wait_for()
    assert "9 steps" in other.locator(DONE).inner_text()


def test_a_dropped_picture_tells_its_settings_and_is_painted_again(open_page, url, tmp_path):
    page = open_page()
    written(page, "1boy, hat", seed="13")
    image = painted(page, "1boy, hat").locator(".pictures img").get_attribute("src")
    file = tmp_path / "hat.png"
    file.write_bytes(page.request.get(url + image.lstrip("/")).body())

    page.get_by_role("tab", name="PNG info").click()
    page.set_input_files("[data-drop=infotext]", file)
    page.wait_for_function("document.querySelector('#infotext textarea').value.startsWith('1boy, hat')")
    page.click("#recreate")
    assert "It is queued" in page.locator("#info-said .note").inner_text()


def test_a_foreign_or_huge_file_is_one_sentence(open_page, tmp_path):
    page = open_page()
    page.get_by_role("tab", name="PNG info").click()
    foreign, huge = tmp_path / "program.png", tmp_path / "huge.png"
    foreign.write_bytes(b"MZ a program")
    huge.write_bytes(b"\0" * (26 * 2**20))

    page.set_input_files("[data-drop=infotext]", huge)
    page.locator("[data-said=infotext]", has_text="too large: the limit is 25 MiB").wait_for()
    page.set_input_files("[data-drop=infotext]", foreign)
    page.locator("[data-said=infotext]", has_text="is not a readable picture").wait_for()
    assert "" == page.input_value("#infotext textarea")


def test_a_part_of_a_picture_is_drawn_on_and_painted_anew(open_page):
    page = open_page(width=390)
    written(page, "1girl, red scarf", seed="15")
    painted(page, "1girl, red scarf").locator(".pictures img").click()
    page.get_by_role("button", name="Paint over this picture").click()
    canvas = page.locator("#drawing canvas")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 3, box["y"] + box["height"] / 3)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 3, steps=4)
    page.mouse.up()
    page.fill("#strength textarea, #strength input", "0.6")
    written(page, "1girl, blue scarf")
    painted(page, "1girl, blue scarf").locator(".pictures img").click()

    page.locator("#viewer[open] .infotext").wait_for()
    infotext = page.input_value("#viewer .infotext")
    assert "Denoising strength: 0.6" in infotext
    assert "Mask blur: 4" in infotext


def test_a_grid_says_its_cost_before_it_is_painted(open_page):
    page = open_page()
    written(page, "1girl, grid", seed="3")
    page.get_by_role("button", name="X/Y grid").click()
    page.click("#grid-x input")
    page.get_by_role("option", name="Steps", exact=True).click()
    page.fill("#grid-x-values textarea, #grid-x-values input", "4, 5")
    page.click("#paint")
    asked = page.locator("#said .question")
    assert "That is 2 pictures and costs" in asked.inner_text()
    asked.get_by_role("button", name="Paint").click()

    assert page.locator(DONE, has_text="1girl, grid").locator("img").get_attribute("alt") == "1girl, grid"
