from pathlib import Path
from typing import get_args

import pytest

from pastelbot import config
from pastelbot.errors import ConfigError


def write(tmp_path, text):
    path = tmp_path / "config.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_example_lists_every_key_with_its_default(request):
    """config.example.toml is the defaults, written down; commented keys are those whose default is nothing."""
    example = request.config.rootpath / "config.example.toml"

    loaded = config.load(example, environ={})

    assert config.load(environ={}).model_copy(update={"storage": loaded.storage, "source": example}) == loaded
    text = example.read_text(encoding="utf-8")
    for section in ("discord", "checkpoint", "storage", "defaults", "limits", "quota", "worker", "log"):
        for key in type(getattr(loaded, section)).model_fields:
            assert f"{key} =" in text, f"{section}.{key} is missing"


def test_environment_overrides_the_file(tmp_path):
    path = write(tmp_path, "[limits]\nmax_steps = 30\n")

    settings = config.load(path, environ={"PASTELBOT_LIMITS__MAX_STEPS": "40", "HOME": "elsewhere"})

    assert settings.limits.max_steps == 40


def test_paths_start_at_the_file(tmp_path):
    path = write(tmp_path, "[storage]\ndatabase = 'bot.sqlite3'\n")

    assert tmp_path / "bot.sqlite3" == config.load(path, environ={}).storage.database


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[limits]\nmax_step = 3\n", ["limits.max_step", "max_steps"]),
        ("[limit]\nmax_steps = 3\n", ["limit", "limits"]),
        ("[sizes.tiny]\nfirst = '64x64'\nhire = '128x128'\n", ["hire", "hires"]),
        ("[limits]\nmax_steps = 'many'\n", ["limits.max_steps", "many"]),
        ("[limits]\nmax_steps = 0\n", ["limits.max_steps", "0"]),
        ("[sizes.tiny]\nfirst = 'small'\nhires = '128x128'\n", ["sizes.tiny.first", "small"]),
        ("[defaults]\nsize = 'poster'\n", ["poster", "portrait"]),
        ("[limits\n", ["TOML", "line 1"]),
        ("[discord]\ntoken = 'abc'\n", ["PASTELBOT_TOKEN", "token_file"]),
        ("token = 'abc'\n", ["PASTELBOT_TOKEN"]),
        ("[discord]\ntoken_file = 'nowhere.txt'\n", ["nowhere.txt"]),
    ],
)
def test_mistakes_are_named(tmp_path, text, words):
    """An error names the key, what is wrong with it and, for a typo, the nearest valid key."""
    with pytest.raises(ConfigError) as caught:
        config.load(write(tmp_path, text), environ={})

    for word in words:
        assert word in str(caught.value)


ALL_WRONG = """
stray = 3
[limit]
a = 1
[limits]
max_step = 3
max_steps = "many"
max_cfg = 0
max_prompt = 2.5
[sizes.tiny]
first = "450x64"
hires = "128x128"
[sizes.poster]
hire = "128x128"
[defaults]
size = "tniy"
hires = "perhaps"
noise_source = "NW"
[checkpoint]
device = "cuda0"
name = ""
loras = 3
[checkpoints.a]
vae = "b"
[house]
operators = ["me", 3]
adult_ratings = "explicit"
[log]
level = "inof"
[discord]
token = "abc"
"""
SAID = (
    "The token does not belong in the configuration",
    "The environment variable PASTELBOT_LIMITS__MAX_GIRD is unknown. Did you mean PASTELBOT_LIMITS__MAX_GRID?",
    "PASTELBOT_LIMITS__MAX_CHUNKS in the environment must be a whole number, not 'lots'.",
    "Unknown key stray in {}.",
    "Unknown section limit in {}. Did you mean limits?",
    "Unknown key limits.max_step in {}. Did you mean max_steps?",
    "limits.max_steps in {} must be a whole number, not 'many'.",
    "limits.max_cfg in {} must be at least 1, not 0.",
    "limits.max_prompt in {} must be a whole number, not 2.5.",
    "sizes.tiny.first in {} is wrong: '450x64' cannot be painted: both sides must be multiples of 8, and at least 64.",
    "sizes.poster.first in {} is missing: write first = ... there.",
    "sizes.poster.hires in {} is missing: write hires = ... there.",
    "Unknown key sizes.poster.hire in {}. Did you mean hires?",
    "defaults.size 'tniy' is not one of [sizes]: tiny, poster. Did you mean tiny?",
    "defaults.hires in {} must be true or false, not 'perhaps'.",
    "defaults.noise_source in {} must be NV or CPU, not 'NW'. Did you mean NV?",
    "checkpoint.device in {} is wrong: 'cuda0' is not a device; these are auto, cuda, cuda:1, mps and cpu.",
    "checkpoint.name in {} must be a text that is not empty, not ''.",
    "checkpoint.loras in {} must be a path in quotes, not 3.",
    "checkpoints.a.path in {} is missing: write path = ... there.",
    "house.operators, entry 1, in {} must be a whole number, not 'me'.",
    "house.adult_ratings in {} must be a list in square brackets, not 'explicit'.",
    "log.level in {} must be debug, info, warning or error, not 'inof'. Did you mean info?",
    "defaults.sampler is wrong",
)


def test_all_mistakes_are_said_at_once_and_in_plain_words(tmp_path):
    path = write(tmp_path, ALL_WRONG)
    environ = {"PASTELBOT_LIMITS__MAX_GIRD": "3", "PASTELBOT_LIMITS__MAX_CHUNKS": "lots"}

    with pytest.raises(ConfigError) as caught:
        config.load(path, environ=environ, checks=[lambda _settings: ["defaults.sampler is wrong"]])

    first, *mistakes = str(caught.value).split("\n- ")
    assert first == f"There are {len(SAID)} mistakes in the configuration ({path}):"
    for said in SAID:
        assert any(each.startswith(said.format(path)) for each in mistakes), said


def test_a_size_with_mistakes_can_still_be_named(tmp_path):
    """One mistake is one sentence: nothing that follows from it is added."""
    text = "[sizes.tiny]\nfirst = 'small'\nhires = '128x128'\n[defaults]\nsize = 'tiny'\n"

    with pytest.raises(ConfigError) as caught:
        config.load(write(tmp_path, text), environ={})

    assert str(caught.value).startswith("sizes.tiny.first in ")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["limits = 3\n", "sizes = 3\n", "checkpoints = 3\n", "sizes.tiny = 3\n"])
def test_a_value_in_the_place_of_a_section_is_said(tmp_path, text):
    with pytest.raises(ConfigError, match="must be a section with keys, not 3"):
        config.load(write(tmp_path, text), environ={})


def test_mistyped_variable_is_named():
    with pytest.raises(ConfigError, match="PASTELBOT_LIMITS__MAX_STEPS"):
        config.load(environ={"PASTELBOT_LIMITS__MAX_STEP": "3"})


def test_missing_file_says_what_to_copy(tmp_path):
    with pytest.raises(ConfigError, match=r"config\.example\.toml"):
        config.load(tmp_path / "config.toml", environ={})


def test_token_comes_from_the_environment_or_a_file(tmp_path):
    (tmp_path / "token.txt").write_text("from-file\n", encoding="utf-8")
    path = write(tmp_path, "[discord]\ntoken_file = 'token.txt'\n")

    from_file = config.load(path, environ={})
    from_environment = config.load(path, environ={"PASTELBOT_TOKEN": " from-env "})

    assert from_file.token.get_secret_value() == "from-file"
    assert from_environment.token.get_secret_value() == "from-env"
    assert "from-env" not in repr(from_environment)
    assert config.load(environ={}).token is None


def test_bundled_checkpoint_brings_its_sizes():
    """The bundled checkpoint is small; what the operator sets still wins."""
    settings = config.load(environ={"PASTELBOT_CHECKPOINT__PATH": "bundled", "PASTELBOT_DEFAULTS__CFG": "3"})

    assert settings.sizes[settings.defaults.size].first == "128x128"
    assert settings.defaults.cfg == 3
    assert settings.defaults.negative_prompt != config.Settings().defaults.negative_prompt


def test_more_checkpoints_have_names_of_their_own(tmp_path):
    """Files beside the configuration are found there; hub names stay as they are."""
    (tmp_path / "a.safetensors").touch()
    text = "[checkpoint]\nloras = 'loras'\n[checkpoints.a]\npath = 'a.safetensors'\nvae = 'b'\n[vaes]\nb = 'hub/b'\n"
    settings = config.load(write(tmp_path, text), environ={})

    assert settings.checkpoint_names == ("default", "a")
    assert settings.checkpoint.loras == tmp_path / "loras"
    assert settings.checkpoints["a"].path == str(tmp_path / "a.safetensors")
    assert (settings.checkpoints["a"].vae, settings.vaes["b"]) == ("b", "hub/b")


def path_keys():
    """Yield the section and name of every key that is a path."""
    for section, field in config.Settings.model_fields.items():
        for key, inner in getattr(field.annotation, "model_fields", {}).items():
            if Path in (inner.annotation, *get_args(inner.annotation)):
                yield section, key


@pytest.mark.parametrize(("section", "key"), list(path_keys()))
def test_every_relative_path_starts_beside_the_file(tmp_path, section, key):
    (tmp_path / "here").write_text("a.b.c\n", encoding="utf-8")
    settings = config.load(write(tmp_path, f"[{section}]\n{key} = 'here'\n"), environ={})

    assert getattr(getattr(settings, section), key) == tmp_path / "here"


def test_the_checkpoint_and_its_vae_are_found_beside_the_file(tmp_path):
    for name in ("a.safetensors", "b.safetensors", "bundled"):
        (tmp_path / name).touch()
    text = "[checkpoint]\npath = '{}'\nvae = '{}'\n"
    files = config.load(write(tmp_path, text.format("a.safetensors", "b.safetensors")), environ={}).checkpoint
    names = config.load(write(tmp_path, text.format("bundled", "hub/b")), environ={}).checkpoint

    assert (files.path, files.vae) == (str(tmp_path / "a.safetensors"), str(tmp_path / "b.safetensors"))
    assert (names.path, names.vae) == ("bundled", "hub/b")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[checkpoints.a]\npaht = 'x'\npath = 'y'\n", ["checkpoints.a.paht", "path"]),
        ("[checkpoints.a]\nvae = 'x'\n", ["checkpoints.a.path"]),
        ("[checkpoints.default]\npath = 'x'\n", ["checkpoints.default"]),
        ("[worker]\ncheckpoints_in_memory = 0\n", ["worker.checkpoints_in_memory"]),
    ],
)
def test_mistakes_about_checkpoints_are_named(tmp_path, text, words):
    with pytest.raises(ConfigError) as caught:
        config.load(write(tmp_path, text), environ={})

    assert all(word in str(caught.value) for word in words)
