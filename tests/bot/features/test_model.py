"""Choosing among several checkpoints: for one picture, and for all users."""

import hashlib

import numpy as np
import pytest
from discord import Permissions
from safetensors.numpy import save_file

from pastelbot.formats.hashes import all_hashes, old_hash
from pastelbot.store.moderation.audit import AuditLog

MORE = {
    "checkpoints": {"anything": {"path": "hub/anything"}, "Soft *one*": {"path": "bundled", "vae": "smooth"}},
    "vaes": {"smooth": "smooth.safetensors", "sharp": "sharp.safetensors"},
}


@pytest.fixture
async def studio(open_studio):
    """A studio with three checkpoints and two VAEs, and an admin who may manage the server."""
    opened = await open_studio(**MORE)
    await add_admin(opened)
    return opened


async def add_admin(studio):
    managers = studio.guild.create_role("managers", permissions=Permissions(manage_guild=True))
    studio.admin = studio.guild.add_member(studio.env.create_user("admin"), roles=[managers])


async def use(studio, name, by=None):
    return await (by or studio.admin).slash(studio.channel, "model use", name=name)


async def test_imagine_paints_with_the_checkpoint_and_vae_that_are_named(studio):
    await studio.imagine("1girl", checkpoint="anything", vae="sharp")
    await studio.painting()

    (request,) = studio.executor.painting.values()
    assert (request.checkpoint, request.vae) == ("anything", "sharp")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"checkpoint": "anythin"}, "no checkpoint 'anythin'. Did you mean anything?"),
        ({"vae": "blurry"}, "no VAE 'blurry'. Known are smooth, sharp."),
    ],
)
async def test_unknown_names_are_refused_with_those_that_there_are(studio, options, words):
    text = await studio.refused(await studio.imagine("1girl", **options))

    assert words in text
    assert text.endswith("Not charged.")


async def test_the_line_under_the_picture_names_them(studio):
    await studio.imagine("1girl", checkpoint="Soft *one*", vae="sharp")
    message = await studio.finish()

    assert r"clip skip 2 · Soft \*one\* · sharp" in message.content


async def test_both_are_completed(studio):
    names = await studio.hana.autocomplete(studio.channel, "imagine", "checkpoint", "", prompt="1girl")
    few = await studio.hana.autocomplete(studio.channel, "imagine", "checkpoint", "thing", prompt="1girl")
    vaes = await studio.hana.autocomplete(studio.channel, "imagine", "vae", "sh", prompt="1girl")

    assert [(choice["name"], choice["value"]) for choice in names] == [
        ("default (usual)", "default"),
        ("anything", "anything"),
        ("Soft *one*", "Soft *one*"),
    ]
    assert [choice["value"] for choice in few] == ["anything"]
    assert [choice["value"] for choice in vaes] == ["sharp"]


async def test_model_use_changes_what_paints_for_all_users_and_is_shown_and_logged(studio):
    """What was asked for before keeps its checkpoint."""
    await studio.imagine("before")
    result = await use(studio, "anything")
    await studio.imagine("after", by=studio.kenji)
    await studio.imagine("named", checkpoint="default")
    await studio.painting(3)

    assert result.response.ephemeral
    assert "**anything** paints from now on, in place of default" in result.response.content
    assert "all servers" in result.response.content
    painted = {request.prompt: request.checkpoint for request in studio.executor.painting.values()}
    assert painted == {"before": "default", "after": "anything", "named": "default"}
    (entry,) = [one for one in await audit(studio) if one.action == "model use"]
    assert (entry.user_id, entry.detail) == (studio.admin.id, "default -> anything")
    assert "paints already" in (await use(studio, "anything")).response.content


async def audit(studio):
    return await AuditLog(studio.bot.services.database).page(studio.guild.id, user_id=None, limit=10, skip=0)


async def test_the_choice_outlives_a_restart_but_not_its_checkpoint(studio):
    await use(studio, "anything")
    await studio.bot.close()
    await studio.restart()
    assert studio.bot.services.models.in_use == "anything"

    await studio.bot.close()
    studio.settings = studio.settings.model_copy(update={"checkpoints": {}})
    await studio.restart()
    assert studio.bot.services.models.in_use == "default"


async def test_a_reroll_keeps_the_checkpoint(studio):
    await studio.imagine("1girl")
    message = await studio.finish()
    await use(studio, "anything")
    await studio.hana.click(message, label="Reroll")
    await studio.painting()

    (request,) = studio.executor.painting.values()
    assert request.checkpoint == "default"


async def test_model_use_needs_manage_server(studio):
    for member in (studio.hana, studio.mod):
        result = await use(studio, "anything", by=member)

        assert result.response.ephemeral
        assert "needs the permission Manage Server" in result.response.content
    assert studio.bot.services.models.in_use == "default"


async def test_where_there_are_operators_only_they_change_it(open_studio):
    studio = await open_studio(**MORE)
    await add_admin(studio)
    await studio.bot.close()
    moderation = studio.settings.moderation.model_copy(update={"operators": (studio.hana.id,)})
    studio.settings = studio.settings.model_copy(update={"house": moderation})
    await studio.restart()

    assert "Only the bot's operators" in (await use(studio, "anything")).response.content
    assert "paints from now on" in (await use(studio, "anything", by=studio.hana)).response.content


async def test_model_use_refuses_unknown_names(studio):
    text = (await use(studio, "anythin")).response.content

    assert "no checkpoint 'anythin'. Did you mean anything?" in text


async def test_model_list_shows_all_of_them(studio):
    result = await studio.hana.slash(studio.channel, "model list")

    assert result.response.ephemeral
    assert result.response.content.splitlines() == [
        "🎨 **default**: bundled (usual)",
        "- **anything**: hub/anything",
        r"- **Soft \*one\***: bundled, VAE smooth",
        "VAEs: smooth, sharp",
    ]


async def test_with_one_checkpoint_requests_name_none(open_studio):
    studio = await open_studio()
    await studio.imagine("1girl")
    await studio.painting()

    (request,) = studio.executor.painting.values()
    assert request.checkpoint == ""


@pytest.fixture
async def rich(open_studio, tmp_path):
    """A studio with a LoRA, an embedding, and a second checkpoint that is a file here."""
    (tmp_path / "loras").mkdir()
    (tmp_path / "embeddings").mkdir()
    tensors = {"a": np.zeros(2)}
    save_file(tensors, tmp_path / "loras" / "soft_light.safetensors", {"sshs_model_hash": "ab" * 32})
    save_file(tensors, tmp_path / "embeddings" / "easynegative.safetensors")
    save_file(tensors, tmp_path / "other.safetensors")
    save_file({"vae": np.ones(3)}, tmp_path / "sharp_v2.safetensors")
    return await open_studio(
        checkpoint={"loras": tmp_path / "loras", "embeddings": tmp_path / "embeddings"},
        checkpoints={"other": {"path": str(tmp_path / "other.safetensors")}},
        vaes={"smooth": "models/smooth.vae.pt", "sharp": str(tmp_path / "sharp_v2.safetensors")},
    )


INFOTEXT = (
    "1girl{tags}\nSteps: 12, Sampler: Euler a, CFG scale: 6, Seed: 7, Size: 128x192, RNG: CPU, Clip skip: 2{more}"
)


async def recreate(studio, *, tags="", more=""):
    result = await studio.hana.slash(studio.channel, "recreate", infotext=INFOTEXT.format(tags=tags, more=more))
    await studio.painting()
    (request,) = studio.executor.painting.values()
    return request, [line for note in result.followups for line in note.content.splitlines()[1:]]


async def test_recreate_takes_the_checkpoint_of_the_hash(rich, tmp_path):
    digest = hashlib.sha256((tmp_path / "other.safetensors").read_bytes()).hexdigest()
    request, notes = await recreate(rich, more=f", Model hash: {digest[:10]}, Model: elsewhere, VAE: smooth.vae.pt")

    assert (request.checkpoint, request.vae) == ("other", "smooth")
    assert notes == []


async def test_recreate_takes_the_loaded_checkpoint_without_asking_the_disk(rich):
    request, notes = await recreate(rich, more=", Model hash: 0000000000, Model: fake")

    assert request.checkpoint == "default"
    assert notes == []


async def test_recreate_tells_what_is_not_here(rich):
    more = (
        ", Model hash: ffffffffff, Model: lost, VAE: odd.pt, "
        'Lora hashes: "gone: 0123456789ab, Soft Light: cdcdcdcdcdcd", '
        'TI hashes: "EasyNegative: aaaaaaaaaa, badhands: bbbbbbbbbb"'
    )
    request, notes = await recreate(rich, tags="<lora:gone:0.5><lora:Soft Light:0.3:te=1>, smile", more=more)

    assert request.prompt == "1girl<lora:soft_light:0.3:te=1>, smile"
    assert notes == [
        "- It was painted with lost (ffffffffff); here fake (0000000000) paints.",
        "- The LoRA gone (0123456789ab) is not here: it is left out.",
        "- The LoRA Soft Light (cdcdcdcdcdcd) is not here: soft_light is used.",
        "- The embedding badhands is not here.",
        "- It was painted with the VAE odd.pt, which is not here.",
    ]


async def test_recreate_finds_a_lora_by_its_hash_and_tells_another_version(rich):
    request, notes = await recreate(
        rich,
        tags="<lora:renamed:0.5><lora:soft_light:1>",
        more=', Lora hashes: "renamed: abababababab, soft_light: cdcdcdcdcdcd"',
    )

    assert request.prompt == "1girl<lora:soft_light:0.5><lora:soft_light:1>"
    assert notes == [
        "- The LoRA renamed (abababababab) is not here: soft_light is used.",
        "- The LoRA soft_light is another version here: abababababab instead of cdcdcdcdcdcd.",
    ]


async def test_a_lora_that_is_nearly_named_is_used_and_noted(rich):
    result = await rich.imagine("1girl <lora:Soft Light:0.5>")
    await rich.painting()

    (note,) = result.followups
    assert note.ephemeral
    assert "There is no LoRA 'Soft Light': soft_light is used." in note.content


async def test_a_lora_that_is_not_here_is_refused(rich):
    text = await rich.refused(await rich.imagine("1girl <lora:hard:0.5>"))

    assert "no LoRA 'hard'. Known are soft\\_light." in text


def short(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()[:10]


@pytest.mark.parametrize("written", ["other", "Other", "other.safetensors", "OTHER.SAFETENSORS", "o-ther"])
async def test_recreate_takes_the_checkpoint_of_the_name_where_there_is_no_hash(rich, written):
    request, notes = await recreate(rich, more=f", Model: {written}")

    assert ("other", []) == (request.checkpoint, notes)


async def test_recreate_takes_the_loaded_checkpoint_by_its_name(rich):
    request, notes = await recreate(rich, more=", Model: FAKE")

    assert ("default", []) == (request.checkpoint, notes)


async def test_a_checkpoint_that_is_not_here_is_said_without_a_hash_too(rich):
    _request, notes = await recreate(rich, more=", Model: elsewhere")

    assert ["- It was painted with elsewhere; here fake (0000000000) paints."] == notes


async def test_a_checkpoint_of_the_same_name_is_taken_and_another_version_said(rich):
    request, notes = await recreate(rich, more=", Model: other, Model hash: eeeeeeeeee")

    assert "other" == request.checkpoint
    assert ["- The checkpoint other is another version here than eeeeeeeeee."] == notes


@pytest.mark.parametrize(
    "hash_of",
    [
        lambda path: short(path).upper(),
        lambda path: hashlib.sha256(path.read_bytes()).hexdigest(),
        old_hash,
    ],
    ids=["capitals", "whole", "old"],
)
async def test_recreate_takes_the_checkpoint_of_a_hash_in_every_spelling(rich, tmp_path, hash_of):
    request, notes = await recreate(rich, more=f", Model hash: {hash_of(tmp_path / 'other.safetensors')}")

    assert ("other", []) == (request.checkpoint, notes)


@pytest.mark.parametrize("number", [0, 1, 2], ids=["AutoV2", "AutoV3", "AutoV1"])
async def test_every_hash_finds_checkpoint_vae_and_embedding(rich, tmp_path, number):
    checkpoint, vae, embedding = (
        all_hashes(tmp_path / name)[number][:12]
        for name in ("other.safetensors", "sharp_v2.safetensors", "embeddings/easynegative.safetensors")
    )
    hashes = f'{{"model": "{checkpoint}", "vae": "{vae}", "embed:Neg_One": "{embedding}"}}'
    request, notes = await recreate(rich, tags=", (neg_one:1.2), neg_ones", more=f", Hashes: {hashes}")

    assert ("other", "sharp", "1girl, (easynegative:1.2), neg_ones") == (
        request.checkpoint,
        request.vae,
        request.prompt,
    )
    assert ["- The embedding Neg_One is not here: easynegative is used."] == notes


async def test_civitais_hashes_find_checkpoint_and_loras(rich, tmp_path):
    checkpoint, lora = short(tmp_path / "other.safetensors"), short(tmp_path / "loras" / "soft_light.safetensors")
    more = f', Hashes: {{"model": "{checkpoint}", "lora:renamed": "{lora}"}}'
    request, notes = await recreate(rich, tags="<lora:renamed:0.5>", more=more)

    assert ("other", "1girl<lora:soft_light:0.5>") == (request.checkpoint, request.prompt)
    assert [f"- The LoRA renamed ({lora}) is not here: soft_light is used."] == notes


async def test_civitais_resources_are_used_where_they_are_here_and_said(rich):
    resources = (
        '[{"type":"lora","weight":0.8,"modelName":"Soft Light"},{"type":"lora","weight":0.5,"modelName":"Soft: style"}]'
    )
    request, notes = await recreate(rich, more=f", Civitai resources: {resources}, Civitai metadata: {{}}")

    assert "1girl <lora:soft_light:0.8>" == request.prompt
    assert notes == [
        "- Civitai lists the LoRA Soft Light (0.8): soft_light is used.",
        "- Civitai lists the LoRA Soft: style (0.5), which is not here: it is left out.",
    ]


@pytest.mark.parametrize("written", ["smooth.vae.pt", "smooth", "Smooth.VAE", "SMOOTH.vae.pt"])
async def test_recreate_takes_the_vae_in_every_spelling(rich, written):
    request, _notes = await recreate(rich, more=f", VAE: {written}")

    assert "smooth" == request.vae
