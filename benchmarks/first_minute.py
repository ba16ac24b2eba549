"""Measure a newcomer's first minute: from the demo's welcome to the first picture, in Chromium.

    .venv/bin/python benchmarks/first_minute.py [--ways keyboard mouse touch]

Three runs, each with a demo of its own that has just been started: with the keyboard, by mouse, and by touch at 390
pixels. Each types `/imagine`, completes two tags, sends, and waits until the picture is shown. The time begins when the
welcome is there, so it contains what is left of loading the checkpoint. The program ends with 1 where a prompt is not
exactly as it was meant. It needs the extras `demo` and `dev`, and Chromium.
"""

import argparse
import shutil
import sys
import time
from pathlib import Path

from playwright.sync_api import Locator, Page, sync_playwright

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from helpers.demo import running_demo

ROOT = Path(__file__).resolve().parents[1]
MEANT = "1girl, red hair, smile"
WIDTHS = {"keyboard": 1200, "mouse": 1200, "touch": 390}
PATIENCE = 120_000  # milliseconds


def main() -> int:
    """Print the seconds of each run; return 1 where a prompt is another one."""
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if chromium is None:
        print("There is no Chromium on this machine.")
        return 0
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--ways", nargs="+", choices=WIDTHS, default=list(WIDTHS))
    ways, prompts = parser.parse_args().ways, []
    with sync_playwright() as tools:
        for way in ways:
            with running_demo(ROOT) as (_process, url):
                browser = tools.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
                context = browser.new_context(viewport={"width": WIDTHS[way], "height": 800}, has_touch=way == "touch")
                page = context.new_page()
                page.set_default_timeout(PATIENCE)
                page.goto(url)
                page.wait_for_selector(".message")
                begun = time.monotonic()
                prompts.append(painted(page, way))
                print(f"{way}: {prompts[-1]!r} painted after {time.monotonic() - begun:.1f} s", flush=True)
                browser.close()
    return int(prompts != [MEANT] * len(ways))


def painted(page: Page, way: str) -> str:
    """Complete two tags, send, and wait for the picture; return the prompt that was sent."""
    press(page.locator("#text"), way)
    page.keyboard.type("/imagine ")
    for typed in ("1girl, red hai", ", smil"):
        page.keyboard.type(typed)
        offer = page.locator("#popup li[role=option]").first
        offer.wait_for()
        press(offer, way)
    prompt = page.input_value("#option-prompt")
    press(page.locator("#send"), way)
    message = page.locator(".message", has=page.locator("[data-custom^='pb:reroll']"))
    message.wait_for()
    message.locator(".picture img").evaluate("image => image.decode()")
    return prompt


def press(part: Locator, way: str) -> None:
    """Press a part of the page; with the keyboard, Enter takes the offer that is highlighted, or sends."""
    if way == "mouse":
        part.click()
    elif way == "touch":
        part.tap()
    elif part.get_attribute("id") != "text":
        part.page.keyboard.press("Enter")


if __name__ == "__main__":
    sys.exit(main())
