"""The command line as people meet it: a process, its exit code and what it says."""

import json
import os
import struct
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from helpers.support import PATIENCE
from PIL import Image

from pastelbot import __version__, config
from pastelbot.cli.main import app, main

pytestmark = pytest.mark.long

ROOT = Path(__file__).parents[2]
CONV_IN = "model.diffusion_model.input_blocks.0.0.weight"
CROSS_ATTENTION = "model.diffusion_model.input_blocks.1.1.transformer_blocks.0.attn2.to_k.weight"


@pytest.fixture
def bot(tmp_path):
    """Return a function that runs `python bot.py` in an empty folder; its variables are all there are."""

    def bot(*arguments, **variables):
        clean = {name: value for name, value in os.environ.items() if not name.startswith("PASTELBOT_")}
        return subprocess.run(
            [sys.executable, ROOT / "bot.py", *map(str, arguments)],
            cwd=tmp_path,
            env=clean | variables,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )

    return bot


@pytest.fixture
def here(tmp_path, monkeypatch, capsys):
    """Return a function that does the same within this process, which is quicker."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("pastelbot.log.configure", lambda _settings: None)
    for name in [name for name in os.environ if name.startswith("PASTELBOT_")]:
        monkeypatch.delenv(name)

    def here(*arguments, **variables):
        monkeypatch.setattr(sys, "argv", ["bot.py", *map(str, arguments)])
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        with pytest.raises(SystemExit) as ended:
            main()
        shown = capsys.readouterr()
        return subprocess.CompletedProcess(arguments, ended.value.code, shown.out, shown.err)

    return here


def sentence(done):
    """Return the one sentence of a run that failed as it should."""
    assert done.returncode == 2, done.stderr
    assert done.stdout == ""
    (line,) = filter(None, done.stderr.splitlines())
    assert "Traceback" not in line
    return line.removeprefix("pastelbot: ")


def write_tensors(path, shapes, *, missing_bytes=0):
    """Write a safetensors file of zeros."""
    header, end = {}, 0
    for name, shape in shapes.items():
        size = 2
        for side in shape:
            size *= side
        header[name] = {"dtype": "F16", "shape": shape, "data_offsets": [end, end + size]}
        end += size
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + bytes(end - missing_bytes))
    return path


def test_version(bot):
    done = bot("--version")

    assert (0, f"pastelbot {__version__}\n", "") == (done.returncode, done.stdout, done.stderr)


def test_help_names_the_commands(bot):
    done = bot("--help")

    assert done.returncode == 0
    assert all(command in done.stdout for command in ("run", "demo", "imagine"))


@pytest.mark.parametrize("arguments", [["unknown"], ["run", "--unknown"], ["demo", "--port", "x"]])
def test_what_the_command_line_does_not_know(bot, arguments):
    done = bot(*arguments)

    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.splitlines()[-1].startswith("Error: ")
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("arguments", [[], ["run"]])
def test_a_missing_token_says_what_to_set_and_where(bot, arguments):
    said = sentence(bot(*arguments))

    assert said.startswith("There is no Discord token: set the environment variable PASTELBOT_TOKEN")
    assert "token_file under [discord]" in said


def test_an_empty_token_is_a_missing_one(here, tmp_path):
    (tmp_path / "token.txt").write_text(" \n")
    (tmp_path / "config.toml").write_text('[discord]\ntoken_file = "token.txt"\n')

    assert "There is no Discord token" in sentence(here(PASTELBOT_TOKEN=""))


def test_a_token_in_the_configuration_is_refused(here, tmp_path):
    (tmp_path / "config.toml").write_text('[discord]\ntoken = "secret-token"\n')
    said = sentence(here())

    assert "The token does not belong in the configuration" in said
    assert "secret-token" not in said


def test_a_mistyped_key_is_named_with_the_nearest_one(bot, tmp_path):
    (tmp_path / "config.toml").write_text("[limits]\nmax_step = 40\n")

    said = sentence(bot())
    assert "Unknown key limits.max_step in config.toml" in said
    assert "Did you mean max_steps?" in said


def test_a_mistyped_variable_is_named_with_the_nearest_one(here):
    assert "Did you mean PASTELBOT_LIMITS__MAX_STEPS?" in sentence(here(PASTELBOT_LIMITS__MAX_STEP="40"))


def test_a_broken_configuration_is_reported(here, tmp_path):
    (tmp_path / "config.toml").write_text("[limits\n")
    assert "is not valid TOML" in sentence(here())


def test_a_configuration_that_is_not_there_is_reported(here):
    assert "There is no configuration file nowhere.toml" in sentence(here("run", "--config", "nowhere.toml"))


@pytest.mark.parametrize(
    "arguments",
    [
        ["--config", "nowhere.toml"],
        ["--config", "nowhere.toml", "run"],
        ["-c", "nowhere.toml", "db", "check"],
        ["db", "check", "--config", "nowhere.toml"],
        ["--config", "other.toml", "db", "check", "-c", "nowhere.toml"],
        ["--config=nowhere.toml", "imagine", "1girl"],
    ],
)
def test_the_configuration_is_named_before_the_command_or_behind_it(here, arguments):
    """Where both are given, the nearer one counts."""
    assert "There is no configuration file nowhere.toml" in sentence(here(*arguments))


def test_a_command_without_a_configuration_says_so(here):
    assert sentence(here("--config", "c.toml", "demo")) == (
        "pastelbot demo reads no configuration: leave --config out."
    )


def test_an_unknown_default_is_refused_before_anything_starts(here, tmp_path):
    (tmp_path / "config.toml").write_text('[defaults]\nsampler = "Eulr a"\n')

    assert "Did you mean Euler a" in sentence(here())
    assert [path.name for path in tmp_path.iterdir()] == ["config.toml"]


def run_with_checkpoint(bot, path):
    return sentence(bot(PASTELBOT_TOKEN="x", PASTELBOT_CHECKPOINT__PATH=str(path)))  # noqa: S106 - not a real one


@pytest.mark.parametrize("path", ["missing.safetensors", "./missing.safetensors", "models/missing.safetensors"])
def test_a_missing_checkpoint_is_reported(here, path):
    """A name that ends like a file is a file: the hub is not asked for it."""
    assert f"{path!r} is not a file or folder here" in run_with_checkpoint(here, path)


def test_a_folder_that_is_no_checkpoint_is_reported(here, tmp_path):
    assert "has no model_index.json" in run_with_checkpoint(here, tmp_path)


@pytest.mark.parametrize(
    ("shapes", "kind"),
    [
        ({"conditioner.embedders.0.weight": [4, 4]}, "an SDXL checkpoint"),
        ({CONV_IN: [4, 4, 3, 3], CROSS_ATTENTION: [4, 1024]}, "a Stable Diffusion 2.x checkpoint"),
        ({CONV_IN: [4, 8, 3, 3]}, "an InstructPix2Pix model"),
        ({"lora_unet_mid.lora_down.weight": [4, 4]}, "a LoRA"),
        ({"decoder.conv_in.weight": [4, 4, 3, 3]}, "a VAE"),
        ({"some.weight": [4]}, "an unknown kind of file"),
    ],
)
def test_a_checkpoint_of_another_kind_is_reported(here, tmp_path, shapes, kind):
    said = run_with_checkpoint(here, write_tensors(tmp_path / "other.safetensors", shapes))

    assert f"other.safetensors is {kind}" in said
    assert "not a Stable Diffusion 1.x checkpoint" in said


def test_a_cut_off_checkpoint_is_reported(bot, tmp_path):
    path = write_tensors(tmp_path / "half.safetensors", {CONV_IN: [4, 4, 3, 3]}, missing_bytes=100)

    assert "is cut short: 100 bytes are missing. Download it again." in run_with_checkpoint(bot, path)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty: download it again"),
        (b"<html>404</html>", "is a web page"),
        (b"\xff" * 100, "is damaged or not a safetensors file"),
    ],
)
def test_a_damaged_checkpoint_is_reported(here, tmp_path, content, words):
    path = tmp_path / "damaged.safetensors"
    path.write_bytes(content)

    assert words in run_with_checkpoint(here, path)


@pytest.mark.parametrize(
    ("database", "reason"),
    [
        ("file/bot.sqlite3", "cannot be there"),
        ("folder", "cannot be opened for writing"),
        ("file", "is damaged (file is not a database)"),
    ],
)
def test_a_database_that_cannot_be_written_is_reported(here, tmp_path, database, reason):
    (tmp_path / "file").write_bytes(b"no database" * 100)
    (tmp_path / "folder").mkdir()
    said = sentence(
        here(
            PASTELBOT_TOKEN="x",  # noqa: S106
            PASTELBOT_CHECKPOINT__PATH="bundled",
            PASTELBOT_STORAGE__DATABASE=database,
        )
    )

    assert f"{database} {reason}" in said


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([""], "prompt is empty"),
        (["a" * 4001], "limit is 4,000"),
        (["1girl", "--size", "huge"], "is not a size"),
        (["1girl", "--sampler", "Eular a"], "Did you mean Euler a"),
        (["1girl", "--steps", "1000"], "over the cap of 60"),
    ],
)
def test_imagine_refuses_what_the_bot_would_refuse(here, arguments, words):
    assert words in sentence(here("imagine", *arguments))


@pytest.mark.parametrize("key", ["loras", "embeddings"])
def test_imagine_says_that_a_folder_is_not_there(here, key):
    """Before it refuses what would be in it; what the user wrote comes last."""
    done = here("imagine", "1girl <lora:soft:1>", f"--{key}", "nosuch")

    assert done.returncode == 2
    first, last = done.stderr.splitlines()
    assert first == f"note: checkpoint.{key}: there is no folder nosuch: make it, or correct its name"
    assert "There is no LoRA 'soft'" in last


def test_imagine_says_that_a_configured_folder_is_not_there(here, tmp_path):
    (tmp_path / "other.toml").write_text('[checkpoint]\nupscalers = "ups"\n[prompts]\nwildcards = "wild"\n')

    done = here("imagine", "", "--config", "other.toml")

    assert [line.split(": ")[1] for line in done.stderr.splitlines()[:2]] == [
        "checkpoint.upscalers",
        "prompts.wildcards",
    ]


INFOTEXT = "1girl\nSteps: 20, Sampler: Euler a, CFG scale: 7, Seed: 5, Size: 128x128"


def groups(command, path=()):
    """Yield every command that has others behind it, with its words."""
    if hasattr(command, "commands"):
        yield path, command
        for name, inner in command.commands.items():
            yield from groups(inner, (*path, name))


def test_no_line_of_help_is_cut_on_a_usual_terminal():
    for path, group in groups(typer.main.get_command(app)):
        room = 80 - 2 - 6 - max(map(len, group.commands))
        lines = {name: command.get_short_help_str(room) for name, command in group.commands.items()}
        assert {name: line for name, line in lines.items() if line.endswith("...")} == {}, path


MISSING = "'nofile' is not a file or folder here and no hub name."


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        (("merge", "nofile", "bundled", "o.safetensors", "--weight", 0.5), f"A: {MISSING}"),
        (("merge", "bundled", "bundled", "o", "--weight", 0.5, "--minus", "nofile"), f"--minus: {MISSING}"),
        (("convert", "nofile", "o.safetensors"), f"SOURCE: {MISSING}"),
        (("convert", "bundled", "o", "--precision", "fp8"), "--precision: there is no 'fp8'."),
        (("lora", "merge", "bundled", "o.safetensors", "--lora", "nofile:0.5"), f"--lora: {MISSING}"),
        (("lora", "extract", "bundled", "nofile", "o.safetensors"), f"TUNED: {MISSING}"),
    ],
)
def test_the_workshop_speaks_of_what_was_typed_and_not_of_recipes(here, typed, said):
    assert sentence(here(*typed)).startswith(said)


def test_info_refuses_a_text_that_is_no_infotext(here, tmp_path):
    (tmp_path / "note.txt").write_text("hello")
    (tmp_path / "picture.txt").write_text(INFOTEXT)

    assert sentence(here("info", "note.txt")).startswith("This is not an infotext")
    assert here("info", "picture.txt").stdout == INFOTEXT + "\n"


def test_an_upscaler_without_a_second_pass_is_refused(here):
    typed = here("imagine", "1girl", "--no-hires", "--hires-upscaler", "Foo")

    assert sentence(typed) == "--hires-upscaler belongs to the second pass: leave it out, or --no-hires."


needs_checkpoint = pytest.mark.skipif(
    not (config.bundled_checkpoint() / "model_index.json").is_file(), reason="the bundled checkpoint is not there"
)


@needs_checkpoint
def test_imagine_paints_without_discord(bot, tmp_path):
    done = bot("imagine", "1girl, blue hair, glasses", "--seed", 7, "--steps", 4, "--no-hires", "--out", "out.png")

    assert (done.returncode, done.stdout) == (0, "out.png\n"), done.stderr
    with Image.open(tmp_path / "out.png") as picture:
        assert (picture.format, picture.size) == ("PNG", (128, 128))
        assert "1girl, blue hair, glasses" in picture.info["parameters"]
        assert "Seed: 7" in picture.info["parameters"]
    assert "the seed is" not in done.stderr  # it was typed


@needs_checkpoint
def test_imagine_says_the_seed_that_was_drawn(bot, tmp_path):
    done = bot("imagine", "1girl", "--steps", 1, "--no-hires", "--out", "out.png")
    with Image.open(tmp_path / "out.png") as picture:
        seed = picture.info["parameters"].partition("Seed: ")[2].partition(",")[0]

    assert f"note: the seed is {seed}\n" in done.stderr


def test_an_interrupted_imagine_says_that_nothing_was_written(here, monkeypatch):
    def interrupted(*_arguments, **_options):
        raise KeyboardInterrupt

    monkeypatch.setattr("pastelbot.cli.generate.paint", interrupted)
    done = here("imagine", "1girl")

    assert (done.returncode, done.stderr) == (130, "note: stopped, and nothing was written\n")


def test_imagine_with_a_missing_checkpoint(bot):
    assert "./missing.safetensors" in sentence(bot("imagine", "1girl", "--checkpoint", "./missing.safetensors"))
