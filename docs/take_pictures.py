"""Take the guides' pictures anew: drive the demo in Chromium and photograph what it shows.

`make pictures` runs it; it needs the `demo` and `dev` extras and a Chromium. Every picture shows the real bot with the
bundled checkpoint.
"""

import contextlib
import importlib.util
import io
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, FloatRect, Locator, Page, ViewportSize, sync_playwright

ROOT = Path(__file__).resolve().parents[1]
IMAGES = ROOT / "docs" / "images"
PROMPT = "1girl, red hair, smile, pink background"
SECONDS = 120
SIZE: ViewportSize = {"width": 1000, "height": 760}


def main() -> None:
    """Take all pictures."""
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    with demo() as url, sync_playwright() as tools:
        browser = tools.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        hana, kenji = opened(browser, url, "hana"), opened(browser, url, "kenji")
        take_painting(hana)
        take_forms(hana)
        take_gallery(hana, kenji)
        take_block(kenji, hana)
        browser.close()
    if importlib.util.find_spec("gradio") is not None:
        take_web_page(chromium)


def take_web_page(chromium: str | None) -> None:
    """Take the web page on a desk and on a phone; needs the `web` extra."""
    with program("web", "--demo") as url, sync_playwright() as tools:
        browser = tools.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        pictures = []
        for size, scheme in (((1280, 860), "light"), ((390, 860), "dark")):
            width, height = size
            page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=scheme)
            page.set_default_timeout(SECONDS * 1000)
            page.goto(f"{url}en/")
            page.fill("#prompt textarea", PROMPT)
            page.fill("#option-seed input, #option-seed textarea", "7")
            page.click("#paint")
            unfinished = page.locator("article:not([data-status=done])")
            unfinished.first.wait_for()
            unfinished.first.wait_for(state="detached")
            page.locator("article[data-status=done] .pictures img").first.evaluate("image => image.decode()")
            page.mouse.move(0, 0)
            pictures.append(page.screenshot())
        beside("web-page.webp", *pictures)
        browser.close()


def demo() -> contextlib.AbstractContextManager[str]:
    """Run the demo on a simulated Discord."""
    return program("demo")


@contextlib.contextmanager
def program(*arguments: str) -> Iterator[str]:
    """Run a demo and yield its address."""
    command = [sys.executable, str(ROOT / "bot.py"), *arguments, "--no-browser"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield (process.stdout or io.StringIO()).readline().removeprefix("Pastelbot demo: ").strip()
        finally:
            process.terminate()


def opened(browser: Browser, url: str, member: str) -> Page:
    """Open the page as a member, in dark colours."""
    page = browser.new_page(viewport=SIZE, color_scheme="dark")
    page.set_default_timeout(SECONDS * 1000)
    page.goto(f"{url}?as={member}&language=en")
    page.wait_for_selector(".message")
    return page


def take_painting(page: Page) -> None:
    """Take the completion, a picture while and after it is painted, and the page as a whole."""
    page.keyboard.type("/imagine 1girl, pony")
    page.wait_for_selector("#popup li[role=option]")
    saved("completion.webp", photo(page, page.locator("#popup"), page.locator("#composer")))
    page.fill("#option-prompt", PROMPT)
    add(page, seed="7")
    page.click("#send")
    message = page.locator(".message", has_text=PROMPT).last
    message.locator(r"text=/[4-9]\d%/").wait_for()
    painting = photo(page, message)
    beside("imagine.webp", painting, photo(page, finished(page, PROMPT)))
    saved("demo.png", page.screenshot())


def take_forms(page: Page) -> None:
    """Take a grid, the quota, and the form behind Edit."""
    use(
        page,
        "grid",
        prompt=PROMPT,
        x="Prompt S/R",
        x_values="red hair, blue hair, green hair",
        y="CFG Scale",
        y_values="2, 7",
    )
    page.locator(".message.private").get_by_role("button", name="Paint", exact=True).click()
    saved("grid.webp", photo(page, finished(page, "grid 3x2").locator(".picture")))
    use(page, "quota")
    saved("quota.webp", photo(page, page.locator(".message.private", has_text="Used today").last))
    page.get_by_role("button", name="Edit").first.click()
    page.wait_for_selector("#form[open]")
    saved("edit.webp", photo(page, page.locator("#form")))
    page.keyboard.press("Escape")


def take_gallery(hana: Page, kenji: Page) -> None:
    """Take the gallery with a vote, as Kenji sees it."""
    share(hana, hana.locator(".message", has_text=PROMPT).filter(has=hana.locator("[data-custom^='pb:more']")).first)
    hana.locator(".message.private", has_text="Shared").last.wait_for()
    use(hana, "imagine", prompt="1girl, blue hair, ponytail, glasses")
    share(hana, finished(hana, "1girl, blue hair"))
    kenji.set_viewport_size({"width": 1000, "height": 1300})
    use(kenji, "gallery")
    page = kenji.locator(".message.private", has_text="pictures: 2").last
    page.get_by_text("Vote (0)").first.click()
    page.get_by_text("Vote (1)").wait_for()
    saved("gallery.webp", photo(kenji, page))
    kenji.set_viewport_size(SIZE)


def share(page: Page, message: Locator) -> None:
    """Share the picture of a message."""
    message.get_by_role("button", name="More", exact=True).last.click()
    button = page.locator(".message.private [data-custom^='pb:share']").last
    button.click()
    button.wait_for(state="detached")


def take_block(kenji: Page, hana: Page) -> None:
    """Take a block: as the moderator who sets it, and as the user who is told."""
    use(kenji, "admin block", member="@Hana", duration="2h", reason="spam")
    said = kenji.locator(".message.private", has_text="spam").last
    said.wait_for()
    use(hana, "imagine", prompt="1girl")
    told = hana.locator(".message.private", has_text="spam").last
    told.wait_for()
    beside("block.webp", photo(kenji, said), photo(hana, told))


def use(page: Page, command: str, **options: str) -> None:
    """Use a slash command."""
    page.focus("#text")
    page.keyboard.type(f"/{command} ")
    page.wait_for_selector(".command-name")
    add(page, **options)
    page.click("#send")
    page.wait_for_selector("#text, #error:visible")
    if page.locator("#error").is_visible():
        sys.exit(f"/{command}: {page.inner_text('#error')}")


def add(page: Page, **options: str) -> None:
    """Fill options in, adding those that have no field yet."""
    for name, value in options.items():
        field = page.locator(f"#option-{name}")
        if not field.count():
            page.focus("#add")
            page.keyboard.type(name)
            page.keyboard.press("Enter")
        field.fill(value)


def finished(page: Page, words: str) -> Locator:
    """Wait for the picture of the newest message that has these words, and return the message."""
    message = page.locator(".message", has=page.locator("[data-custom^='pb:more']"), has_text=words).last
    message.wait_for()
    message.locator(".picture img").first.evaluate("image => image.decode()")
    page.wait_for_timeout(500)
    return message


def photo(page: Page, *parts: Locator) -> bytes:
    """Return a picture of some parts of the page that stand below each other."""
    boxes: list[FloatRect] = []
    while len(boxes) < len(parts):  # a message that is just drawn anew has no place
        parts[0].scroll_into_view_if_needed()
        page.wait_for_timeout(300)
        boxes = [box for part in parts if (box := part.bounding_box()) is not None]
    left, top = (min(box[side] for box in boxes) for side in ("x", "y"))
    right, bottom = (max(box[side] + box[size] for box in boxes) for side, size in (("x", "width"), ("y", "height")))
    return page.screenshot(clip={"x": left, "y": top, "width": right - left, "height": bottom - top})


def beside(name: str, *pictures: bytes) -> None:
    """Save pictures beside each other."""
    images = [Image.open(io.BytesIO(each)) for each in pictures]
    sheet = Image.new("RGB", (sum(each.width for each in images), max(each.height for each in images)), "#201d28")
    left = 0
    for image in images:
        sheet.paste(image, (left, 0))
        left += image.width
    sheet.save(IMAGES / name, quality=85)


def saved(name: str, picture: bytes) -> None:
    """Save a picture in the format of its name."""
    Image.open(io.BytesIO(picture)).convert("RGB").save(IMAGES / name, quality=85)


if __name__ == "__main__":
    main()
