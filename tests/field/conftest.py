"""The small checkpoint, the command line and the whole bot, as the cases from the field use them."""

from pathlib import Path

import pytest
from helpers.field_cases import KINDS, PAINTING, open_jobs, what_is_painted
from helpers.studio import SimulatedServer
from helpers.support import make_settings
from safetensors.torch import load_file, save_file
from typer.testing import CliRunner

from pastelbot.cli.main import app
from pastelbot.errors import PastelError
from pastelbot.workshop.recipes.recipe import single_step
from pastelbot.workshop.recipes.runner import run_recipe


@pytest.fixture(scope="session")
def tiny(tmp_path_factory):
    """Return the recordings' small checkpoint, built as Stable Diffusion 1.x, as a folder and as a file."""
    folder = Path(__file__).parents[1] / "golden" / "data" / "tiny-sd"
    file = tmp_path_factory.mktemp("tiny") / "tiny.safetensors"
    run_recipe(single_step("it", {"operation": "convert", "source": str(folder)}, file))
    return folder, file


@pytest.fixture
def make(tiny, tmp_path):
    """Return a function that writes a variant of the small checkpoint under a name."""

    def make_it(kind, name=None):
        path = tmp_path / (name or f"{kind}.safetensors")
        save_file({key: it.contiguous().clone() for key, it in KINDS[kind](load_file(tiny[1])).items()}, path)
        return path

    return make_it


@pytest.fixture
def pastelbot(tmp_path, monkeypatch):
    """Return a function that gives a command, and returns its exit code and all that it printed."""
    monkeypatch.chdir(tmp_path)

    def run_it(*words):
        done = CliRunner().invoke(app, [*map(str, words)])
        if isinstance(done.exception, PastelError):  # the program prints it as one line
            return 1, str(done.exception)
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
        return done.exit_code, done.output

    return run_it


@pytest.fixture
def imagine(pastelbot, tiny):
    """Return a function that paints with a checkpoint, by default the small one."""

    def imagine_it(prompt="1girl", *more, model=tiny[1], out="o.png"):
        return pastelbot("imagine", prompt, "--checkpoint", model, *PAINTING, "--out", out, *more)

    return imagine_it


@pytest.fixture
async def bot(tmp_path, clock):
    """Return a function that gives a member's command to the whole bot, and returns what it says and would paint."""
    servers = []

    async def ask(command, *, settings=None, **options):
        if not servers:
            servers.append(SimulatedServer(make_settings(tmp_path, **(settings or {})), clock))
            await servers[0].open()
        (server,) = servers
        before = await open_jobs(server)
        if command == "menu":
            answer = await server.hana.context_menu(
                server.channel, "Recreate", await server.kenji.send(server.channel, options["infotext"])
            )
        else:
            answer = await server.hana.slash(server.channel, command, **options)
        said = [each.content for each in (answer.response, *(answer.followups or ())) if each is not None]
        return "\n".join([*said, await what_is_painted(server, before)])

    yield ask
    for server in servers:
        await server.close()
