"""A checkpoint's networks in the form that is exported: tensors in, one tensor out, nothing that depends on a size."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from pastelbot.diffusion.networks.unet import UNet2DConditionModel, UpsampleThenResize
from pastelbot.diffusion.networks.vae import AutoencoderKL

TOKENS = 77  # of one chunk

# The UNet asks whether a side can be halved so often; none can, so that it always passes the size to its layers.
_ALWAYS_ODD = 30


class TextLayers(nn.Module):
    """A text encoder that gives all its layers, each through the last normalisation: clip skip is picking one.

    `learnt` (n, 77, width) holds learnt vectors where it is a number; elsewhere the tokens' own count.
    """

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        # transformers has no types
        self.text: Any = getattr(model, "text_model", model)
        mask = torch.full((TOKENS, TOKENS), torch.finfo(self.dtype).min, dtype=self.dtype).triu(1)
        self.register_buffer("causal", mask.view(1, 1, TOKENS, TOKENS), persistent=False)

    @property
    def dtype(self) -> torch.dtype:
        """Return the number format in which it computes."""
        return cast("torch.dtype", self.text.final_layer_norm.weight.dtype)

    def forward(self, input_ids: Tensor, learnt: Tensor | None = None) -> Tensor:
        """Return the layers (layers + 1, n, 77, width) of tokens (n, 77), the embeddings first."""
        hidden = self.text.embeddings.token_embedding(input_ids)
        if learnt is not None:
            hidden = torch.where(torch.isnan(learnt), hidden, learnt)
        hidden = hidden + self.text.embeddings.position_embedding.weight
        layers = [hidden]
        for layer in self.text.encoder.layers:
            found = layer(layers[-1], self.causal)
            layers.append(found[0] if isinstance(found, tuple) else found)
        return cast("Tensor", self.text.final_layer_norm(torch.stack(layers)))


class UnetCall(nn.Module):
    """A UNet for any size: nothing in its graph asks whether a side is even."""

    def __init__(self, unet: UNet2DConditionModel) -> None:
        super().__init__()
        self.unet = unet
        unet.num_upsamplers = _ALWAYS_ODD
        for block in unet.up_blocks:
            for name, layer in enumerate(block.upsamplers or ()):
                if isinstance(layer, UpsampleThenResize):
                    block.upsamplers[name] = _AlwaysResize(layer.conv)

    def forward(self, sample: Tensor, timestep: Tensor, encoder_hidden_states: Tensor) -> Tensor:
        """Return the prediction (n, 4, height, width) for latents, timesteps (n) and conditionings (n, tokens, dim)."""
        return cast("Tensor", self.unet(sample, timestep, encoder_hidden_states, return_dict=False)[0])


class _AlwaysResize(nn.Module):
    def __init__(self, conv: nn.Conv2d) -> None:
        super().__init__()
        self.conv = conv

    def forward(self, hidden_states: Tensor, output_size: Sequence[int] | None = None) -> Tensor:
        doubled = self.conv(functional.interpolate(hidden_states, scale_factor=2.0, mode="nearest"))
        if output_size is None:
            raise AssertionError("the UNet did not pass the size to its layers")
        return functional.interpolate(doubled, size=tuple(output_size), mode="nearest")


class EncodeCall(nn.Module):
    """A VAE's way from an image to the mean and log variance of its latents."""

    def __init__(self, vae: AutoencoderKL) -> None:
        super().__init__()
        self.encoder, self.quant_conv = vae.encoder, vae.quant_conv or nn.Identity()

    def forward(self, sample: Tensor) -> Tensor:
        """Return (n, 8, height / 8, width / 8) for images (n, 3, height, width) in -1 to 1."""
        return cast("Tensor", self.quant_conv(self.encoder(sample)))


class DecodeCall(nn.Module):
    """A VAE's way from unscaled latents to an image."""

    def __init__(self, vae: AutoencoderKL) -> None:
        super().__init__()
        self.decoder, self.post_quant_conv = vae.decoder, vae.post_quant_conv or nn.Identity()

    def forward(self, latent_sample: Tensor) -> Tensor:
        """Return images (n, 3, 8 height, 8 width), about -1 to 1, for latents (n, 4, height, width)."""
        return cast("Tensor", self.decoder(self.post_quant_conv(latent_sample)))


@dataclass(frozen=True, eq=False)
class FusedAttention:
    """Attention as one operator of ONNX Runtime, which never holds the whole matrix: a large picture's has gigabytes.

    It takes the place of diffusers' own attention processor while a graph is traced, and computes nothing then.
    """

    def __call__(
        self,
        attn: Any,  # noqa: ANN401 - diffusers has no types
        hidden_states: Tensor,
        encoder_hidden_states: Tensor | None = None,
        attention_mask: Tensor | None = None,
        temb: Tensor | None = None,
        **_unused: object,
    ) -> Tensor:
        """Return what a layer of diffusers gives for (n, tokens, dim) or (n, channels, height, width)."""
        if attention_mask is not None or temb is not None:
            raise AssertionError("Stable Diffusion 1.x masks no attention")
        flat = hidden_states.flatten(2).transpose(1, 2) if hidden_states.ndim == 4 else hidden_states
        if attn.group_norm is not None:
            flat = attn.group_norm(flat.transpose(1, 2)).transpose(1, 2)
        context = flat if encoder_hidden_states is None else encoder_hidden_states
        query, key, value = attn.to_q(flat), attn.to_k(context), attn.to_v(context)
        mixed = torch.onnx.ops.symbolic(
            "com.microsoft::MultiHeadAttention",
            (query, key, value),
            {"num_heads": attn.heads},
            dtype=query.dtype,
            shape=query.shape,
            version=1,
        )
        result = attn.to_out[0](mixed)
        if hidden_states.ndim == 4:
            result = result.transpose(1, 2).reshape(hidden_states.shape)
        if attn.residual_connection:
            result = result + hidden_states
        return cast("Tensor", result / attn.rescale_output_factor)
