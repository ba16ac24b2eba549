"""A real worker with two checkpoints, a damaged one and a LoRA."""

import io
import json

import numpy as np
import pytest
from helpers.studio import SimulatedServer
from helpers.support import make_settings
from PIL import Image
from safetensors.numpy import save_file

from pastelbot import config
from pastelbot.config import WorkerOptions
from pastelbot.formats import pictures
from pastelbot.jobs.executors.process_executor import ProcessExecutor
from pastelbot.records import JobStatus

INSIDE = config.bundled_checkpoint()

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(not (INSIDE / "model_index.json").is_file(), reason="the bundled checkpoint is not there"),
]


@pytest.fixture
async def studio(tmp_path, clock):
    width = json.loads((INSIDE / "text_encoder" / "config.json").read_text(encoding="utf-8"))["hidden_size"]
    layer = "lora_te_text_model_encoder_layers_0_self_attn_q_proj"
    factors = {"lora_down.weight": np.ones((1, width)), "lora_up.weight": np.ones((width, 1))}
    (tmp_path / "loras").mkdir()
    save_file(
        {f"{layer}.{role}": factor.astype(np.float32) for role, factor in factors.items()},
        tmp_path / "loras" / "soft.safetensors",
    )
    (tmp_path / "damaged.safetensors").write_bytes(b"nothing of the kind")
    settings = make_settings(
        tmp_path,
        checkpoint={"loras": tmp_path / "loras"},
        checkpoints={"again": {"path": str(INSIDE)}, "damaged": {"path": str(tmp_path / "damaged.safetensors")}},
        worker={"checkpoints_in_memory": 1, "jobs_at_once": 4},
    )
    made = SimulatedServer(settings, clock, ProcessExecutor(WorkerOptions.of(settings)))
    await made.open()
    yield made
    await made.close()


async def picture_of(studio, result):
    message = await studio.says("-# seed", result.response.id)
    return await message.attachments[0].read()


async def test_a_mixed_queue_is_painted_and_a_damaged_checkpoint_fails_its_job_alone(studio):
    options = {"seed": 7, "steps": 3, "hires": "off"}
    plain = await studio.imagine("1girl, smile", **options)
    damaged = await studio.imagine("1girl, smile", checkpoint="damaged", **options)
    again = await studio.imagine("1girl, smile", checkpoint="again", **options)
    soft = await studio.imagine("1girl, smile <lora:soft:0.5>", **options)

    first, second, third = [await picture_of(studio, result) for result in (plain, again, soft)]
    assert pixels(first) == pixels(second) != pixels(third)
    assert 'Lora hashes: "soft: ' in pictures.read_infotext(third)
    await studio.says("could not be painted", damaged.response.id)
    (failed,) = await studio.jobs.with_status(JobStatus.FAILED)
    assert "checkpoint damaged cannot be loaded" in failed.reason
    assert str(studio.settings.storage.pictures.parent.parent) not in failed.reason
    assert studio.bot.services.dispatcher.loaded["again"].checkpoint_hash


def pixels(data):
    with Image.open(io.BytesIO(data)) as picture:
        return picture.tobytes()
