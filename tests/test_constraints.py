"""The two files of known-good versions agree, but for what Gradio asks for."""

from pathlib import Path

ROOT = Path(__file__).parent.parent


def versions(name):
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
    return dict(line.split("==") for line in lines if not line.startswith("#"))


def test_the_web_page_differs_by_its_own_packages_and_pillow_alone():
    plain, web = versions("constraints.txt"), versions("constraints-web.txt")

    assert {name for name in plain if web.get(name) != plain[name]} == {"pillow"}
    assert int(web["pillow"].split(".")[0]) < 13  # what Gradio 6 takes
    assert web["gradio"].startswith("6.")
    assert "gradio" not in plain
