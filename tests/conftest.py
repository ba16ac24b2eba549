"""What all tests share."""

import hypothesis
import pytest
from helpers.support import Clock, make_settings

# The same examples every time, however slow the machine is.
hypothesis.settings.register_profile("house", deadline=None, derandomize=True, database=None)
hypothesis.settings.load_profile("house")


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def settings(tmp_path):
    """Settings for the bundled checkpoint, with everything that is kept in a temporary folder."""
    return make_settings(tmp_path)
