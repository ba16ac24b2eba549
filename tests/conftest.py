"""What all tests share."""

import pytest
from support import Clock, make_settings


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def settings(tmp_path):
    """Settings for the bundled checkpoint, with everything that is kept in a temporary folder."""
    return make_settings(tmp_path)
