"""More graphs of ComfyUI, kind J of the cases from the field: what a picture was painted with is followed or said."""

import json

import pytest

from pastelbot.errors import RequestError
from pastelbot.formats.programs.table import translated
from pastelbot.infotext import read_request


def node(kind, **inputs):
    return {"class_type": kind, "inputs": inputs}


def sampler(**inputs):
    usual = {"seed": 77, "steps": 12, "cfg": 6.0, "sampler_name": "euler_ancestral", "scheduler": "normal"}
    links = {"model": ["4", 0], "positive": ["6", 0], "negative": ["7", 0], "latent_image": ["5", 0]}
    return node("KSampler", **(usual | {"denoise": 1.0} | links | inputs))


def read(size=(128, 192), **nodes):
    graph = {
        "3": sampler(),
        "4": node("CheckpointLoaderSimple", ckpt_name="sd\\anything-v4.5.safetensors"),
        "5": node("EmptyLatentImage", width=128, height=192, batch_size=1),
        "6": node("CLIPTextEncode", text="1girl, red hair", clip=["4", 1]),
        "7": node("CLIPTextEncode", text="hat", clip=["4", 1]),
        "8": node("VAEDecode", samples=["3", 0], vae=["4", 2]),
        "9": node("SaveImage", images=["8", 0]),
    } | {name.removeprefix("n"): made for name, made in nodes.items()}
    return read_request(translated({"prompt": json.dumps(graph)}, size, "it"))


def prompts(found):
    return found.request.prompt, found.request.negative_prompt


@pytest.mark.parametrize("layer", [-2, "-2"])
def test_the_layers_that_are_left_out_are_read(layer):
    nodes = {
        "n6": node("CLIPTextEncode", text="1girl", clip=["10", 0]),
        "n10": node("CLIPSetLastLayer", stop_at_clip_layer=layer, clip=["4", 1]),
    }

    assert 2 == read(**nodes).request.clip_skip
    assert 1 == read().request.clip_skip


@pytest.mark.parametrize(("name", "vae"), [("sub/kl-f8.safetensors", "kl-f8"), ("Baked VAE", ""), ("None", "")])
def test_a_vae_of_its_own_is_read(name, vae):
    nodes = {"n8": node("VAEDecode", samples=["3", 0], vae=["10", 0]), "n10": node("VAELoader", vae_name=name)}

    assert vae == read(**nodes).vae


@pytest.mark.parametrize(
    ("written", "plain"),
    [
        ("embedding:EasyNegative, hat", "EasyNegative, hat"),
        ("(embedding:bad-hands.pt:1.2)", "(bad-hands:1.2)"),
        ("embedding:sub/neg.safetensors", "neg"),
        ("embedding:sub\\neg", "neg"),
        ("an embedding: cat", "an embedding: cat"),
    ],
)
def test_embeddings_are_named_as_the_webui_names_them(written, plain):
    assert ("1girl, red hair", plain) == prompts(read(n7=node("CLIPTextEncode", text=written, clip=["4", 1])))


def test_a_negative_prompt_is_never_taken_for_the_prompt():
    with pytest.raises(RequestError, match="made with ComfyUI, but says too little"):
        read(n6=node("SomeEncoder", words=5))


@pytest.mark.parametrize(
    "encoder",
    [
        node("CLIPTextEncodeFlux", clip_l="1girl, red hair", t5xxl="1girl", guidance=3.5),
        node("CLIPTextEncodeSDXL", text_l="1girl, red hair", clip=["4", 1]),
        node("CLIPTextEncode", text=["10", 0]),
        node("CLIPTextEncode", text=["11", 0]),
    ],
)
def test_prompts_of_other_nodes_are_read(encoder):
    nodes = {
        "n10": node("SDXLPromptStyler", text_positive="1girl, red hair", text_negative="hat", style="anime"),
        "n11": node("Prompts", positive_prompt="1girl, red hair", negative_prompt="hat"),
    }

    assert ("1girl, red hair", "hat") == prompts(read(n6=encoder, **nodes))


LORAS = {
    "efficiency's loader": (
        {
            "n4": node(
                "Efficient Loader",
                ckpt_name="a.safetensors",
                lora_name="soft.pt",
                lora_model_strength=0.8,
                lora_clip_strength=0.7,
            )
        },
        " <lora:soft:0.7:0.8>",
    ),
    "one of a stack that is off": (
        {
            "n3": sampler(model=["11", 0]),
            "n11": node("CR Apply LoRA Stack", model=["4", 0], lora_stack=["10", 0]),
            "n10": node(
                "CR LoRA Stack",
                switch_1="On",
                lora_name_1="soft.safetensors",
                model_weight_1=0.8,
                clip_weight_1=0.8,
                switch_2="Off",
                lora_name_2="other.safetensors",
                model_weight_2=1,
                clip_weight_2=1,
            ),
        },
        " <lora:soft:0.8>",
    ),
    "tags in a text": (
        {"n3": sampler(model=["10", 0]), "n10": node("LoraTagLoader", model=["4", 0], text="x <lora:soft:0.8> y")},
        " <lora:soft:0.8>",
    ),
}


@pytest.mark.parametrize("form", LORAS)
def test_loras_have_the_weights_that_they_were_used_with(form):
    nodes, tags = LORAS[form]

    assert f"1girl, red hair{tags}" == read(**nodes).request.prompt


def test_a_pipe_of_model_and_prompts_is_followed():
    loader = {"ckpt_name": "any.safetensors", "clip_skip": -2, "positive": "1girl", "negative": "hat"}
    loader |= {"empty_latent_width": 64, "empty_latent_height": 96}
    steps = {"seed": 77, "steps": 12, "cfg": 6.0, "sampler_name": "euler_ancestral", "scheduler": "normal"}
    nodes = {"n4": node("easy fullLoader", **loader), "n3": node("easy fullkSampler", pipe=["4", 0], **steps)}
    found = read(size=None, **nodes)

    assert ("1girl", "hat") == prompts(found)
    assert (64, 96, 2, "any") == (
        found.request.width,
        found.request.height,
        found.request.clip_skip,
        found.checkpoint,
    )


@pytest.mark.parametrize("kind", ["Karras", "Exponential", "Polyexponential"])
def test_a_node_of_a_schedule_is_one(kind):
    links = {"model": ["4", 0], "positive": ["6", 0], "negative": ["7", 0], "latent_image": ["5", 0]}
    nodes = {
        "n3": node("SamplerCustom", noise_seed=77, cfg=6.0, sampler=["10", 0], sigmas=["11", 0], **links),
        "n10": node("KSamplerSelect", sampler_name="euler_ancestral"),
        "n11": node(f"{kind}Scheduler", steps=12, rho=7.0),
    }
    found = read(**nodes).request

    assert (kind, "Euler a", 12) == (found.schedule, found.sampler, found.steps)


ENLARGED = {
    "latents": (
        {"n20": node("LatentUpscale", samples=["3", 0], upscale_method="nearest-exact", width=256, height=384)},
        ("Latent (nearest-exact)", 256, 384, 2),
    ),
    "latents by a factor": (
        {"n20": node("LatentUpscaleBy", samples=["3", 0], upscale_method="bilinear", scale_by=1.5)},
        ("Latent", 0, 0, 1.5),
    ),
    "a model": (
        {
            "n20": node("VAEEncode", pixels=["22", 0]),
            "n22": node("ImageUpscaleWithModel", upscale_model=["23", 0], image=["24", 0]),
            "n23": node("UpscaleModelLoader", model_name="4x-UltraSharp.pth"),
            "n24": node("VAEDecode", samples=["3", 0], vae=["4", 2]),
        },
        ("4x-UltraSharp", 0, 0, 2),
    ),
    "pixels": (
        {
            "n20": node("VAEEncode", pixels=["22", 0]),
            "n22": node("ImageScaleBy", upscale_method="lanczos", scale_by=2, image=["24", 0]),
            "n24": node("VAEDecode", samples=["3", 0], vae=["4", 2]),
        },
        ("Lanczos", 0, 0, 2),
    ),
}


@pytest.mark.parametrize("size", [None, (256, 384)])
@pytest.mark.parametrize("form", ENLARGED)
def test_a_second_sampler_is_a_hires_fix(form, size):
    """Before, it was said to be painted over another picture, in the second one's settings."""
    again = {"seed": 78, "steps": 10, "cfg": 5.0, "sampler_name": "dpmpp_2m", "scheduler": "karras", "denoise": 0.5}
    nodes, (upscaler, width, height, scale) = ENLARGED[form]
    nodes |= {
        "n6": node("CLIPTextEncode", text="1girl, red hair", clip=["4", 1]),
        "n21": sampler(latent_image=["20", 0], **again),
        "n8": node("VAEDecode", samples=["21", 0], vae=["4", 2]),
    }
    found = read(size=size, **nodes)
    fix = found.request.hires

    assert (77, 12, 128, 192) == (found.request.seed, found.request.steps, found.request.width, found.request.height)
    assert (upscaler, 10, 0.5, "DPM++ 2M", "Karras", 5) == (
        fix.upscaler,
        fix.steps,
        fix.denoising_strength,
        fix.sampler,
        fix.schedule,
        fix.cfg_scale,
    )
    assert (fix.width, fix.height) == (size or (width, height))
    assert size or fix.scale == scale
    assert found.init is None


def test_a_sampler_that_goes_on_without_noise_is_the_same_pass():
    advanced = {"noise_seed": 77, "steps": 12, "start_at_step": 0, "end_at_step": 8, "add_noise": "enable"}
    links = {"model": ["4", 0], "positive": ["6", 0], "negative": ["7", 0]}
    names = {"cfg": 6.0, "sampler_name": "euler_ancestral", "scheduler": "normal"}
    rest = advanced | {"noise_seed": 0, "start_at_step": 8, "end_at_step": 99, "add_noise": "disable"}
    nodes = {
        "n3": node("KSamplerAdvanced", latent_image=["5", 0], **advanced, **links, **names),
        "n21": node("KSamplerAdvanced", latent_image=["3", 0], **rest, **links, **names),
        "n8": node("VAEDecode", samples=["21", 0], vae=["4", 2]),
    }
    found = read(**nodes).request

    assert (77, 12, None) == (found.seed, found.steps, found.hires)
