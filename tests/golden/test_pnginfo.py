"""The webui's PNG, JPEG and WebP files as it saves them: what is read is what the webui reads."""

import pytest
from golden_cases import cases, folder

from pastelbot.formats.pictures import read_infotext

FILES = cases("pnginfo.json")


@pytest.mark.parametrize("case", FILES, ids=lambda case: case["file"])
def test_an_infotext_is_read_from_a_file_as_the_webui_reads_it(case):
    path = folder() / case["file"]

    assert case["read"] == read_infotext(path) == read_infotext(path.read_bytes())
