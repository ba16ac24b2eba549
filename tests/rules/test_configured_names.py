"""Names in the configuration that no table of Pastelbot has."""

import pytest

from pastelbot import config
from pastelbot.rules.configured_names import unknown_names


@pytest.mark.parametrize(
    ("defaults", "said"),
    [
        ({"sampler": "Eulr a"}, "Did you mean Euler a"),
        ({"hires_upscaler": "Latnt"}, "Did you mean Latent"),
    ],
)
def test_a_default_that_is_not_there_is_named_with_the_nearest(defaults, said):
    (mistake,) = unknown_names(config.bundled(defaults=defaults))

    assert mistake.startswith(f"defaults.{next(iter(defaults))} is wrong: ")
    assert said in mistake


def test_what_is_there_is_no_mistake(tmp_path):
    (tmp_path / "4x.pth").touch()
    defaults = {"sampler": "DPM++ 2M Karras", "hires_upscaler": "4x"}

    assert not list(unknown_names(config.bundled(defaults=defaults, checkpoint={"upscalers": tmp_path})))
