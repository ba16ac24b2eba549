"""The original names of tensors, on networks of Stable Diffusion 1.5's size without their numbers."""

import pytest
import torch

from pastelbot.diffusion.networks.unet import UNet2DConditionModel
from pastelbot.diffusion.networks.vae import AutoencoderKL
from pastelbot.diffusion.weights import ldm
from pastelbot.formats.identify import SD1, identify
from pastelbot.formats.layout.tables import TEXT_PREFIX, UNET_PREFIX, VAE_PREFIX

HALF = "model.diffusion_model.middle_block.1.transformer_blocks.0.attn2.to_k.weight"


def original_names(tensors, modules, prefix):
    """Return tensors of diffusers' names under the original ones: the tables the other way round."""
    resnet = {new: old for old, new in ldm.RESNET.items()}
    attention = {new: old for old, new in ldm.VAE_ATTENTION.items()}
    named = {}
    for old, new, kind in modules:
        for known, tensor in tensors.items():
            if not known.startswith(new + "."):
                continue
            place, _, parameter = known.removeprefix(new + ".").rpartition(".")
            if kind == "resnet":
                vae = prefix == VAE_PREFIX
                place = place.replace("conv_shortcut", "nin_shortcut") if vae else resnet[place]
            if kind == "attention":
                place = attention[place]
            convolution = kind == "attention" and tensor.dim() == 2
            name = prefix + ".".join(filter(None, (old, place, parameter)))
            named[name] = tensor[..., None, None] if convolution else tensor
    return named


@pytest.fixture(scope="module")
def unet():
    """Return Stable Diffusion 1.5's UNet, which is what diffusers makes by itself but for the conditioning's size."""
    with torch.device("meta"):
        return UNet2DConditionModel(cross_attention_dim=768, attention_head_dim=8)


@pytest.fixture(scope="module")
def vae():
    """Return its VAE."""
    with torch.device("meta"):
        return AutoencoderKL(
            block_out_channels=(128, 256, 512, 512),
            down_block_types=("DownEncoderBlock2D",) * 4,
            up_block_types=("UpDecoderBlock2D",) * 4,
            layers_per_block=2,
        )


def test_every_unet_tensor_is_found_under_its_original_name(unet):
    """686 tensors, there and back."""
    original = original_names(unet.state_dict(), ldm.unet_modules(), UNET_PREFIX)
    renamed = ldm.unet_tensors(original)

    assert len(original) == 686
    assert tuple(original[HALF].shape) == (1280, 768)
    assert {name: tensor.shape for name, tensor in renamed.items()} == {
        name: tensor.shape for name, tensor in unet.state_dict().items()
    }


def test_unet_configuration_is_read_from_the_tensors(unet):
    """A UNet of the inferred configuration is the same one."""
    with torch.device("meta"):
        inferred = UNet2DConditionModel.from_config(ldm.unet_config(unet.state_dict()))

    assert {
        key: inferred.config[key] for key in ("block_out_channels", "attention_head_dim", "cross_attention_dim")
    } == {
        "block_out_channels": [320, 640, 1280, 1280],
        "attention_head_dim": 8,
        "cross_attention_dim": 768,
    }
    assert inferred.state_dict().keys() == unet.state_dict().keys()


@pytest.mark.parametrize("prefix", [VAE_PREFIX, ""])
def test_every_vae_tensor_is_found_under_its_original_name(vae, prefix):
    """248 tensors, from a whole checkpoint or from a VAE file of its own."""
    original = original_names(vae.state_dict(), ldm.vae_modules(), VAE_PREFIX)
    original = {name.replace(VAE_PREFIX, prefix): tensor for name, tensor in original.items()}
    renamed = ldm.vae_tensors(original)

    assert len(original) == 248
    assert {name: tensor.shape for name, tensor in renamed.items()} == {
        name: tensor.shape for name, tensor in vae.state_dict().items()
    }
    with torch.device("meta"):
        inferred = AutoencoderKL.from_config(ldm.vae_config(renamed))
    assert inferred.state_dict().keys() == vae.state_dict().keys()


def test_text_encoder_configuration_is_read_from_the_tensors():
    """ViT-L/14: 12 heads of 64; what early checkpoints leave out of the names does not matter."""
    layers = {f"encoder.layers.{layer}.mlp.fc1.weight": (3072, 768) for layer in range(12)}
    shapes = {
        "embeddings.token_embedding.weight": (49408, 768),
        "embeddings.position_embedding.weight": (77, 768),
        "embeddings.position_ids": (1, 77),
        **layers,
    }
    for start in ("text_model.", ""):
        tensors = {f"{TEXT_PREFIX}{start}{name}": torch.empty(shape, device="meta") for name, shape in shapes.items()}
        text = ldm.text_tensors(tensors)
        config = ldm.text_config(text)

        assert "embeddings.position_ids" not in text
        assert (config["num_attention_heads"], config["num_hidden_layers"], config["intermediate_size"]) == (
            12,
            12,
            3072,
        )


def test_whole_checkpoint_is_known_for_what_it_is(unet, vae):
    """The names say so."""
    tensors = original_names(unet.state_dict(), ldm.unet_modules(), UNET_PREFIX)
    tensors |= original_names(vae.state_dict(), ldm.vae_modules(), VAE_PREFIX)
    shapes = {name: tuple(tensor.shape) for name, tensor in tensors.items()}

    assert identify({**shapes, "cond_stage_model.transformer.text_model.final_layer_norm.bias": (768,)}) == SD1
