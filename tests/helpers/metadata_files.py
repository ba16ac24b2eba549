"""Pictures and texts with settings as each program writes them, drawn anew for each number: small, and many."""

import gzip
import io
import json
import random
import struct
from dataclasses import dataclass

from PIL import Image
from PIL.PngImagePlugin import PngInfo

_PROMPTS = (
    "1girl, red hair",
    "(masterpiece:1.2), best quality, [a|b], 1girl",
    "最高品質, 1girl, 赤い髪",
    "一个女孩",
    'a sign that says "Hello, you: there"',
    "a\\(b\\), c:\\d",
    "portrait, style: ink\nred hair, smile",
    "🎨 painting of a cat {detailed}",
    "a photo, Steps in the snow, Seed shop",
    "[a:b:0.5] AND c :0.5",
)
_NEGATIVES = ("hat", "", "(worst quality, low quality:1.4), bad hands", "lowres, 悪い手", 'text "x", logo: none')
# The webui's names, and what others call them.
_SAMPLERS = {
    "webui": ("Euler a", "Euler", "DPM++ 2M", "DPM++ SDE", "DPM++ 2M SDE", "Heun", "DDIM", "UniPC", "LMS", "DPM2 a"),
    "comfy": {
        "euler": "Euler", "euler_ancestral": "Euler a", "dpmpp_2m": "DPM++ 2M", "dpmpp_sde": "DPM++ SDE",
        "dpmpp_2m_sde_gpu": "DPM++ 2M SDE", "dpmpp_3m_sde": "DPM++ 3M SDE", "dpmpp_2s_ancestral": "DPM++ 2S a",
        "heun": "Heun", "lms": "LMS", "ddim": "DDIM", "uni_pc": "UniPC", "lcm": "LCM", "dpm_2_ancestral": "DPM2 a",
    },
    "novelai": {
        "k_euler": "Euler", "k_euler_ancestral": "Euler a", "k_dpmpp_2m": "DPM++ 2M", "k_dpmpp_sde": "DPM++ SDE",
        "k_dpmpp_2s_ancestral": "DPM++ 2S a", "k_dpmpp_2m_sde": "DPM++ 2M SDE", "ddim_v3": "DDIM", "plms": "PLMS",
    },
    "invokeai": {
        "euler": "Euler", "euler_a": "Euler a", "dpmpp_2m": "DPM++ 2M", "dpmpp_sde": "DPM++ SDE", "unipc": "UniPC",
        "ddim": "DDIM", "lms": "LMS", "heun": "Heun", "lcm": "LCM", "kdpm_2": "DPM2", "kdpm_2_a": "DPM2 a",
    },
    "old invokeai": {
        "k_euler": "Euler", "k_euler_a": "Euler a", "k_lms": "LMS", "k_heun": "Heun", "k_dpm_2": "DPM2",
        "k_dpm_2_a": "DPM2 a", "ddim": "DDIM", "plms": "PLMS", "k_dpmpp_2": "DPM++ 2M",
    },
    "easy": {
        "euler": "Euler", "euler_a": "Euler a", "heun": "Heun", "dpm2": "DPM2", "dpm2_a": "DPM2 a", "lms": "LMS",
        "ddim": "DDIM", "plms": "PLMS", "dpmpp_2m": "DPM++ 2M", "dpmpp_sde": "DPM++ SDE", "dpmpp_2s_a": "DPM++ 2S a",
        "unipc_snr": "UniPC", "unipc_tu_2": "UniPC",
    },
    "draw": {
        "Euler Ancestral": "Euler a", "DPM++ 2M Karras": "DPM++ 2M", "DPM++ SDE Karras": "DPM++ SDE", "DDIM": "DDIM",
        "PLMS": "PLMS", "UniPC": "UniPC", "LCM": "LCM", "DPM++ 2M Trailing": "DPM++ 2M", "Euler A Trailing": "Euler a",
        "DDIM Trailing": "DDIM", "DPM++ SDE AYS": "DPM++ SDE",
    },
}  # fmt: skip
_SCHEDULES = {"normal": "Normal", "karras": "Karras", "exponential": "Exponential", "simple": "Simple",
              "sgm_uniform": "SGM Uniform", "beta": "Beta"}  # fmt: skip
EACH = 20


@dataclass(frozen=True)
class Made:
    """A file, and what it says of how its picture was painted; a schedule of None may be any."""

    content: bytes
    prompt: str
    negative: str
    seed: int
    steps: int
    cfg: float
    sampler: str
    width: int
    height: int
    loras: dict[str, float]
    schedule: str | None = None


class _Drawn:
    """What a file of a number says, before its program has written it."""

    def __init__(self, kind, number):
        self.random = random.Random(f"{kind} {number}")
        self.number = number
        self.prompt = _PROMPTS[number % len(_PROMPTS)]
        self.negative = self.random.choice(_NEGATIVES)
        self.seed = self.random.choice([0, 1, 77, 2**32 - 1, self.random.randrange(2**32)])
        self.steps = self.random.randint(1, 60)
        self.cfg = self.random.choice([1, 4.5, 7, 7.0, 12.25])
        self.width, self.height = (8 * self.random.randint(8, 160) for _ in range(2))
        self.loras = dict(self.random.sample([("soft light", 0.5), ("ink-v2", 1.0), ("b.1", -0.25)], number % 3))

    def one_of(self, names):
        return self.random.choice(sorted(names.items()))

    def made(self, content, sampler, **others):
        facts = {"prompt": self.prompt, "negative": self.negative, "loras": self.loras, **others}
        return Made(
            content=content, seed=self.seed, steps=self.steps, cfg=float(self.cfg), sampler=sampler,
            width=self.width, height=self.height, **facts,
        )  # fmt: skip


# What files hold texts in.


def png(chunks, image=None, *, how="tEXt"):
    """Return a PNG with chunks; "iTXt" and "zTXt" are other kinds of them, and objects become JSON."""
    info, file = PngInfo(), io.BytesIO()
    for name, value in chunks.items():
        text = value if isinstance(value, str) else json.dumps(value)
        if how == "iTXt" or not text.isascii():
            info.add_itxt(name, text)
        else:
            info.add_text(name, text, zip=how == "zTXt")
    (image or Image.new("RGB", (8, 8))).save(file, "PNG", pnginfo=info)
    return file.getvalue()


def commented(text, number):
    """Return a JPEG or WebP with a comment: EXIF in either order, and UTF-16 in either order, by the number."""
    content = b"UNICODE\0" + text.encode("utf-16-be" if number & 1 else "utf-16-le")
    return _with_exif(_exif({0x9286: content}, ">" if number & 2 else "<"), "WEBP" if number & 4 else "JPEG")


def _with_exif(exif, form):
    file = io.BytesIO()
    Image.new("RGB", (8, 8)).save(file, form, exif=exif)
    return file.getvalue()


def _exif(inner, order, outer=()):
    """Return EXIF with texts of type "undefined" in its inner directory, and of type "ASCII" in its outer one."""
    outer = dict(outer)
    count = len(outer) + bool(inner)
    at = 8 + 2 + 12 * count + 4
    entries, data = [], b""
    for tag, content in sorted(outer.items()):
        text = content + b"\0"
        entries.append(struct.pack(order + "HHII", tag, 2, len(text), at + len(data)))
        data += text + b"\0" * (len(text) % 2)
    if inner:
        start = at + len(data)
        entries.append(struct.pack(order + "HHII", 0x8769, 4, 1, start))
        ((tag, content),) = inner.items()
        data += struct.pack(order + "HHHIII", 1, tag, 7, len(content), start + 18, 0) + content
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "I", 8)
    return b"Exif\0\0" + head + struct.pack(order + "H", count) + b"".join(entries) + bytes(4) + data


def in_any(text, number):
    """Return a picture of any form with a text where the webui writes it, or a text file."""
    if number % 5 == 0:
        return text.encode("utf-8-sig" if number % 2 else "utf-8")
    if number % 5 == 1:
        return png({"parameters": text}, how=("tEXt", "iTXt", "zTXt")[number % 3])
    return commented(text, number)


def hidden_in_alpha(text, *, packed):
    """Return a PNG with a text in the lowest bits of its alpha channel, column by column."""
    content = gzip.compress(text.encode(), mtime=0) if packed else text.encode()
    data = (b"stealth_pngcomp" if packed else b"stealth_pnginfo") + struct.pack(">I", 8 * len(content)) + content
    bits = "".join(f"{byte:08b}" for byte in data)
    side = 8 * (int((len(bits) ** 0.5) / 8) + 1)
    alpha = bytes(254 + int(bit) for bit in bits.ljust(side * side, "0"))
    channel = Image.frombytes("L", (side, side), alpha).transpose(Image.Transpose.TRANSPOSE)
    image = Image.new("RGBA", (side, side), (200, 200, 200, 255))
    image.putalpha(channel)
    return png({}, image)


# The webui and its forks.

_EXTRAS = {
    "webui": (
        "Model hash: 6ce0161689, Model: v1-5",
        "VAE hash: 735e4c3a44, VAE: a.pt, Denoising strength: 0.55, Hires upscale: 1.5, Hires upscaler: Latent",
        'ADetailer model: face_yolov8n.pt, ADetailer prompt: "a, b: c", ADetailer confidence: 0.3',
        'ControlNet 0: "Module: canny, Model: control_canny [d14c016b], Weight: 1, Control Mode: Balanced"',
        "Clip skip: 2, ENSD: 31337, Tiling: True, Face restoration: CodeFormer",
        'Template: "{a|b}, c", Negative Template: hat, Wildcard prompt: "__a__"',
        'Lora hashes: "soft: aaaaaaaaaaaa, b.1: bbbbbbbbbbbb", TI hashes: "easy: cccccccccccc", Token merging: 0.5',
        "NGMS: 0.2, Refiner: other [aaaaaaaaaa], Refiner switch at: 0.8, Pad conds: True",
        "RNG: CPU, Dynamic thresholding enabled: True, Mimic scale: 7, Postprocess upscale by: 2",
    ),
    "forks": (
        "Version: f2.0.1v1.10.1-previous-659-gc055f2d4, Module 1: ae, Diffusion in Low Bits: Automatic",
        "Version: f1.0.4-v1.10.1RC-latest-2225, Beta schedule alpha: 0.6, Distilled CFG Scale: 3.5",
        "Parser: full parser, App: SD.Next, Version: 1b0e8fa, Pipeline: StableDiffusionPipeline, Operations: txt2img",
        "Backend: Diffusers, Batch: 4x1, Index: 0, Model: dream, Model hash: 879db523c3, Sampler options: karras",
        "freeu_enabled: True, sag_enabled: True, Emphasis: No norm, Eta: 0.7, Version: neo",
    ),
}  # fmt: skip


def _tagged(drawn):
    return "".join([drawn.prompt, *(f" <lora:{name}:{weight}>" for name, weight in drawn.loras.items())])


def _infotext(drawn, fields, *, prompt):
    negative = f"\nNegative prompt: {drawn.negative}" if drawn.negative else ""
    return f"{prompt}{negative}\n{fields}"


def _webui(drawn):
    sampler, schedule = drawn.random.choice(_SAMPLERS["webui"]), drawn.random.choice(["Karras", "Automatic", "Uniform"])
    old = drawn.number % 4 == 3 and schedule == "Karras"  # before version 1.9
    named = f"Sampler: {sampler} Karras" if old else f"Sampler: {sampler}, Schedule type: {schedule}"
    extra = _EXTRAS["webui"][drawn.number % len(_EXTRAS["webui"])]
    fields = (
        f"Steps: {drawn.steps}, {named}, CFG scale: {drawn.cfg}, Seed: {drawn.seed}, "
        f"Size: {drawn.width}x{drawn.height}, {extra}, Version: v1.10.1"
    )
    prompt = _tagged(drawn)
    return drawn.made(
        in_any(_infotext(drawn, fields, prompt=prompt), drawn.number), sampler, prompt=prompt, schedule=schedule
    )


def _forks(drawn):
    sampler, extra = drawn.random.choice(_SAMPLERS["webui"]), _EXTRAS["forks"][drawn.number % len(_EXTRAS["forks"])]
    size = f"{drawn.width}x{drawn.height}"
    fields = (
        f"Steps: {drawn.steps}, Size: {size}, Sampler: {sampler}, Seed: {drawn.seed}, CFG scale: {drawn.cfg}, {extra}"
        if "SD.Next" in extra or "Backend" in extra
        else f"Steps: {drawn.steps}, Sampler: {sampler}, Schedule type: Simple, CFG scale: {drawn.cfg}, "
        f"Seed: {drawn.seed}, Size: {size}, {extra}"
    )
    prompt = _tagged(drawn)
    return drawn.made(in_any(_infotext(drawn, fields, prompt=prompt), drawn.number), sampler, prompt=prompt)


def _civitai(drawn):
    sampler = drawn.random.choice(_SAMPLERS["webui"])
    resources = [{"type": "checkpoint", "modelVersionId": 1, "modelName": "Some, Model", "modelVersionName": "v1: a"}]
    resources += [{"type": "lora", "weight": weight, "modelName": name} for name, weight in drawn.loras.items()]
    hashes = {"model": "1d1e459f9f", "vae": "2d2e459f9f", **{f"lora:{name}": "3d3e459f9f0a" for name in drawn.loras}}
    fields = (
        f"Steps: {drawn.steps}, Sampler: {sampler}, CFG scale: {drawn.cfg}, Seed: {drawn.seed}, "
        f"Size: {drawn.width}x{drawn.height}, Clip skip: 2, Created Date: 2024-10-05T01:01:01.1234567Z, "
    )
    listed = drawn.number % 2
    fields += f"Civitai resources: {json.dumps(resources)}, Civitai metadata: {{}}" if listed else (
        f"Hashes: {json.dumps(hashes)}, Version: v1.7.0"
    )  # fmt: skip
    prompt = drawn.prompt if listed else _tagged(drawn)
    return drawn.made(in_any(_infotext(drawn, fields, prompt=prompt), drawn.number), sampler, prompt=prompt)


def _civitais_graph(drawn):
    """Civitai's own generator: a graph in the comment, with a summary beside it."""
    name, sampler = drawn.one_of(_SAMPLERS["comfy"])
    graph = {
        "resource-stack": {"inputs": {"ckpt_name": "urn:air:sd1:checkpoint:civitai:4384@128713"},
                           "class_type": "CheckpointLoaderSimple"},
        "6": {"inputs": {"text": drawn.prompt, "parser": "A1111", "clip": ["resource-stack", 1]},
              "class_type": "smZ CLIPTextEncode"},
        "7": {"inputs": {"text": drawn.negative, "parser": "A1111", "clip": ["resource-stack", 1]},
              "class_type": "smZ CLIPTextEncode"},
        "5": {"inputs": {"width": drawn.width, "height": drawn.height, "batch_size": 1},
              "class_type": "EmptyLatentImage"},
        "11": {"inputs": {"seed": drawn.seed, "steps": drawn.steps, "cfg": drawn.cfg, "sampler_name": name,
                          "scheduler": "normal", "denoise": 1, "model": ["resource-stack", 0], "positive": ["6", 0],
                          "negative": ["7", 0], "latent_image": ["5", 0]}, "class_type": "KSampler"},
        "13": {"inputs": {"samples": ["11", 0], "vae": ["resource-stack", 2]}, "class_type": "VAEDecode"},
        "12": {"inputs": {"filename_prefix": "ComfyUI", "images": ["13", 0]}, "class_type": "SaveImage"},
        "extra": {"airs": ["urn:air:sd1:checkpoint:civitai:4384@128713"]},
        "extraMetadata": json.dumps({"prompt": drawn.prompt, "steps": drawn.steps}),
    }  # fmt: skip
    return drawn.made(commented(json.dumps(graph), drawn.number), sampler, loras={})


# ComfyUI and what runs on it.


class _Graph(dict):
    """A graph of nodes under construction: each call adds a node and returns the link to its first output."""

    def node(self, class_type, *, output=0, **inputs):
        key = str(len(self) + 3)
        self[key] = {"class_type": class_type, "inputs": inputs, "_meta": {"title": class_type}}
        return [key, output]


def _texts(graph, drawn, text, clip):
    """Return a text and its encoding, linked through nodes by the file's number."""
    way = drawn.number % 5
    if way == 1:
        text = graph.node("PrimitiveStringMultiline", value=text)
    elif way == 2:  # joined from two halves
        head, joint, tail = text.partition(", ")
        text = graph.node("StringConcatenate", string_a=head, string_b=tail, delimiter=joint)
    elif way == 3:
        text = graph.node("Reroute", **{"": graph.node("Text Multiline", text=text)})
    elif way == 4:  # the tool that joins texts of any number, with one of them
        text = graph.node("Text Concatenate", delimiter=", ", clean_whitespace="true", text_a=text)
    encoded = graph.node("CLIPTextEncode", text=text, clip=clip)
    if drawn.number % 3 == 1:
        encoded = graph.node("Reroute", **{"": encoded})
    return graph.node("ConditioningSetTimestepRange", conditioning=encoded, start=0, end=1) if way == 0 else encoded


def comfyui_graph(drawn, name, schedule):
    """Return a prompt graph, of one of four samplers by the file's number."""
    graph = _Graph()
    loader = graph.node("CheckpointLoaderSimple", ckpt_name="sub\\some_model.safetensors")[0]
    model, clip = [loader, 0], [loader, 1]
    for lora, weight in drawn.loras.items():
        node = graph.node("LoraLoader", lora_name=f"style/{lora}.safetensors", strength_model=weight,
                          strength_clip=weight, model=model, clip=clip)  # fmt: skip
        model, clip = node, [node[0], 1]
    positive, negative = (_texts(graph, drawn, text, clip) for text in (drawn.prompt, drawn.negative))
    width = graph.node("PrimitiveInt", value=drawn.width) if drawn.number % 2 else drawn.width
    latent = graph.node("EmptyLatentImage", width=width, height=drawn.height, batch_size=1)
    seed = graph.node("Seed (rgthree)", seed=drawn.seed) if drawn.number % 3 == 2 else drawn.seed
    which = drawn.number % 4
    common = {"model": model, "positive": positive, "negative": negative, "latent_image": latent}
    if which == 0:
        samples = graph.node("KSampler", **common, seed=seed, steps=drawn.steps, cfg=drawn.cfg, sampler_name=name,
                             scheduler=schedule, denoise=1.0)  # fmt: skip
    elif which == 1:
        samples = graph.node("KSamplerAdvanced", **common, noise_seed=seed, steps=drawn.steps, cfg=drawn.cfg,
                             sampler_name=name, scheduler=schedule, add_noise="enable", start_at_step=0,
                             end_at_step=10000, return_with_leftover_noise="disable")  # fmt: skip
    else:
        sampler = graph.node("KSamplerSelect", sampler_name=name)
        sigmas = graph.node("BasicScheduler", model=model, scheduler=schedule, steps=drawn.steps, denoise=1.0)
        if which == 2:
            samples = graph.node("SamplerCustom", **common, add_noise=True, noise_seed=seed, cfg=drawn.cfg,
                                 sampler=sampler, sigmas=sigmas)  # fmt: skip
        else:
            guider = graph.node("CFGGuider", model=model, positive=positive, negative=negative, cfg=drawn.cfg)
            noise = graph.node("RandomNoise", noise_seed=seed)
            samples = graph.node("SamplerCustomAdvanced", noise=noise, guider=guider, sampler=sampler, sigmas=sigmas,
                                 latent_image=latent)  # fmt: skip
    picture = graph.node("VAEDecode", samples=samples, vae=[loader, 2])
    graph.node("SaveImage", filename_prefix="ComfyUI", images=picture)
    return dict(graph)


def _comfyui(drawn):
    name, sampler = drawn.one_of(_SAMPLERS["comfy"])
    schedule, meant = drawn.one_of(_SCHEDULES)
    graph = comfyui_graph(drawn, name, schedule)
    workflow = {"nodes": [], "links": [], "version": 0.4}
    content = png({"prompt": graph, "workflow": workflow})
    if drawn.number % 4 == 3:  # WebP: each in a tag of its own
        tags = {0x0110: b"prompt:" + json.dumps(graph).encode(), 0x010F: b"workflow:" + json.dumps(workflow).encode()}
        content = _with_exif(_exif({}, ">" if drawn.number & 4 else "<", tags), "WEBP")
    return drawn.made(content, sampler, schedule=meant, prompt=_tagged(drawn))


def _comfyuis_workflow(drawn):
    """The workflow alone, as it is in pictures that were saved without the prompt."""
    name, sampler = drawn.one_of(_SAMPLERS["comfy"])
    schedule, meant = drawn.one_of(_SCHEDULES)
    links, nodes = [], []

    def node(number, kind, widgets, inputs=(), outputs=1):
        given = []
        for each, source, slot in inputs:
            links.append([len(links) + 1, source, slot, number, len(given), "*"])
            given.append({"name": each, "type": "*", "link": len(links)})
        nodes.append({"id": number, "type": kind, "inputs": given, "widgets_values": widgets,
                      "outputs": [{"name": "*", "links": None}] * outputs})  # fmt: skip

    node(4, "CheckpointLoaderSimple", ["some_model.safetensors"], outputs=3)
    model, clip = (4, 0), (4, 1)
    for number, (lora, weight) in enumerate(drawn.loras.items(), 20):
        node(number, "LoraLoader", [f"{lora}.safetensors", weight, weight], [("model", *model), ("clip", *clip)], 2)
        model, clip = (number, 0), (number, 1)
    node(30, "PrimitiveNode", [drawn.prompt])
    node(6, "CLIPTextEncode", ["old text"], [("clip", *clip), ("text", 30, 0)])
    node(31, "Reroute", [], [("", 6, 0)])
    node(7, "CLIPTextEncode", [drawn.negative], [("clip", *clip)])
    node(5, "EmptyLatentImage", [drawn.width, drawn.height, 1])
    sources = [("model", *model), ("positive", 31, 0), ("negative", 7, 0), ("latent_image", 5, 0)]
    if drawn.number % 2:
        node(3, "KSampler", [drawn.seed, "randomize", drawn.steps, drawn.cfg, name, schedule, 1], sources)
    else:
        values = ["enable", drawn.seed, "fixed", drawn.steps, drawn.cfg, name, schedule, 0, 10000, "disable"]
        node(3, "KSamplerAdvanced", values, sources)
    node(8, "VAEDecode", [], [("samples", 3, 0), ("vae", 4, 2)])
    node(9, "SaveImage", ["ComfyUI"], [("images", 8, 0)], 0)
    content = png({"workflow": {"nodes": nodes, "links": links, "version": 0.4}})
    return drawn.made(content, sampler, schedule=meant, prompt=_tagged(drawn))


def _swarmui(drawn):
    name, sampler = drawn.one_of(_SAMPLERS["comfy"])
    schedule, meant = drawn.one_of(_SCHEDULES)
    params = {
        "prompt": drawn.prompt, "negativeprompt": drawn.negative, "model": "OfficialStableDiffusion/some_model",
        "seed": drawn.seed, "steps": drawn.steps, "cfgscale": drawn.cfg, "aspectratio": "Custom",
        "width": drawn.width, "height": drawn.height, "sampler": name, "scheduler": schedule,
        "swarm_version": "0.9.3.1", "date": "2024-11-10", "generation_time": "0.00 (prep) and 2.31 (gen) seconds",
    }  # fmt: skip
    if drawn.loras:
        as_lists = drawn.number % 2
        names, weights = list(drawn.loras), [str(weight) for weight in drawn.loras.values()]
        params |= {"loras": names if as_lists else ",".join(names),
                   "loraweights": weights if as_lists else ",".join(weights)}  # fmt: skip
    models = [{"name": "some_model.safetensors", "param": "model", "hash": "0x" + "ab" * 32}]
    text = json.dumps({"sui_image_params": params, "sui_extra_data": {"date": "a"}, "sui_models": models}, indent=2)
    content = png({"parameters": text}) if drawn.number % 3 else commented(text, drawn.number)
    return drawn.made(content, sampler, schedule=meant, prompt=_tagged(drawn))


# Others.


def _novelai(drawn):
    name, sampler = drawn.one_of(_SAMPLERS["novelai"])
    schedule = drawn.random.choice([None, "karras", "exponential", "polyexponential", "native"])
    comment = {
        "prompt": drawn.prompt, "steps": drawn.steps, "height": drawn.height, "width": drawn.width, "scale": drawn.cfg,
        "uncond_scale": 1.0, "cfg_rescale": 0.0, "seed": drawn.seed, "n_samples": 1, "noise_schedule": schedule,
        "sampler": name, "sm": False, "uc": drawn.negative, "request_type": "PromptGenerateRequest",
        "v4_prompt": {"caption": {"base_caption": drawn.prompt, "char_captions": []}, "use_coords": False},
        "reference_strength": 0.6, "lora_unet_weights": None,
    }  # fmt: skip
    if drawn.number % 4 == 0:  # the first version
        old = ("steps", "sampler", "seed", "scale", "uc", "width", "height")
        comment = {key: value for key, value in comment.items() if key in old} | {"strength": 0.69, "noise": 0.667}
    chunks = {
        "Title": "AI generated image", "Description": drawn.prompt, "Software": "NovelAI",
        "Source": "Stable Diffusion F1022D28", "Generation time": "3.5", "Comment": json.dumps(comment),
    }  # fmt: skip
    if drawn.number % 4 == 1:
        content = hidden_in_alpha(json.dumps(chunks), packed=True)
    elif drawn.number % 4 == 2:
        content = commented(json.dumps(chunks), 4 + drawn.number % 4)
    else:
        content = png(chunks)
    return drawn.made(content, sampler, loras={})


def _invokeai(drawn):
    name, sampler = drawn.one_of(_SAMPLERS["invokeai"])
    karras = drawn.number % 2 and name in ("euler", "dpmpp_2m", "dpmpp_sde", "lms", "heun")
    models = [{"key": "k", "hash": "blake3:ab", "name": each, "base": "sd-1", "type": "lora"} for each in drawn.loras]
    old = [{"model_name": each, "base_model": "sd-1"} for each in drawn.loras]
    loras = [
        {"model": new, "weight": weight} if drawn.number % 2 else {"lora": older, "weight": weight}
        for new, older, weight in zip(models, old, drawn.loras.values(), strict=True)
    ]
    data = {
        "generation_mode": "txt2img", "positive_prompt": drawn.prompt, "negative_prompt": drawn.negative,
        "width": drawn.width, "height": drawn.height, "seed": drawn.seed, "rand_device": "cpu", "cfg_scale": drawn.cfg,
        "cfg_rescale_multiplier": 0, "steps": drawn.steps, "scheduler": name + "_k" * bool(karras), "clip_skip": 0,
        "model": {"key": "k", "name": "some_model", "base": "sd-1", "type": "main"}, "loras": loras, "controlnets": [],
        "app_version": "5.4.2",
    }  # fmt: skip
    chunks = {"invokeai_metadata": data, "invokeai_graph": {"nodes": {}, "edges": []}}
    return drawn.made(png(chunks), sampler, prompt=_tagged(drawn), schedule="Karras" if karras else None)


def _old_invokeai(drawn):
    name, sampler = drawn.one_of(_SAMPLERS["old invokeai"])
    prompt = drawn.prompt.replace("[", "").replace("]", "")
    # Square brackets hold what is not to be painted.
    negative = drawn.negative.replace('"', "")
    together = f"{prompt} [{negative}]" if negative else prompt
    image = {
        "prompt": [{"prompt": together, "weight": 1.0}], "steps": drawn.steps, "cfg_scale": drawn.cfg, "threshold": 0,
        "perlin": 0, "height": drawn.height, "width": drawn.width, "seed": drawn.seed, "seamless": False,
        "hires_fix": False, "type": "txt2img", "postprocessing": None, "sampler": name, "variations": [],
    }  # fmt: skip
    data = {"model": "stable diffusion", "model_weights": "some_model", "model_hash": "cc" * 32,
            "app_id": "invoke-ai/InvokeAI", "app_version": "2.3.0", "image": image}  # fmt: skip
    line = f'"{together}" -s {drawn.steps} -S {drawn.seed} -W {drawn.width} -H {drawn.height} -C {drawn.cfg} -A {name}'
    chunks = {"Dream": line} if drawn.number % 2 else {"Dream": line, "sd-metadata": data}
    return drawn.made(png(chunks), sampler, prompt=prompt, negative=negative, loras={})


def _fooocus(drawn):
    name, sampler = drawn.one_of(_SAMPLERS["comfy"])
    schedule, meant = drawn.one_of(_SCHEDULES)
    loras = [[each, weight, "cafe012345"] for each, weight in drawn.loras.items()]
    data = {
        "adm_guidance": "(1.5, 0.8, 0.3)", "base_model": "some_model", "base_model_hash": "aabbccddee", "clip_skip": 2,
        "full_negative_prompt": [drawn.negative, "more"], "full_prompt": [drawn.prompt, "style"],
        "guidance_scale": drawn.cfg, "loras": loras, "metadata_scheme": "fooocus", "negative_prompt": drawn.negative,
        "performance": "Speed", "prompt": drawn.prompt, "prompt_expansion": "", "refiner_model": "None",
        "refiner_switch": 0.5, "resolution": f"({drawn.width}, {drawn.height})", "sampler": name, "scheduler": schedule,
        "seed": str(drawn.seed), "sharpness": 2, "steps": drawn.steps, "styles": "[]", "vae": "Default (model)",
        "version": "Fooocus v2.5.0",
    }  # fmt: skip
    data |= {f"lora_combined_{n}": f"{each} : {weight}" for n, (each, weight) in enumerate(drawn.loras.items(), 1)}
    which = drawn.number % 3
    if which == 2:  # its other scheme: the webui's form, with LoRAs beside the prompt
        fields = (
            f"Steps: {drawn.steps}, Sampler: {sampler}, Seed: {drawn.seed}, Size: {drawn.width}x{drawn.height}, "
            f"CFG scale: {drawn.cfg}, Sharpness: 2, Performance: Speed, Model: some_model, Model hash: aabbccddee"
        )
        if drawn.loras:
            hashes = ", ".join(f"{each}: cafe012345" for each in drawn.loras)
            weights = ", ".join(f"{each}: {weight}" for each, weight in drawn.loras.items())
            fields += f', Lora hashes: "{hashes}", Lora weights: "{weights}"'
        text = _infotext(drawn, fields + ", Version: Fooocus v2.5.0", prompt=drawn.prompt)
        content = png({"parameters": text, "fooocus_scheme": "a1111"})
        return drawn.made(content, sampler, prompt=_tagged(drawn))
    text = json.dumps(data)
    content = png({"parameters": text, "fooocus_scheme": "fooocus"}) if which else commented(text, drawn.number)
    return drawn.made(content, sampler, schedule=meant, prompt=_tagged(drawn))


def _easy_diffusion(drawn):
    name, sampler = drawn.one_of(_SAMPLERS["easy"])
    data = {
        "prompt": drawn.prompt, "seed": drawn.seed, "width": drawn.width, "height": drawn.height,
        "num_inference_steps": drawn.steps, "guidance_scale": drawn.cfg, "sampler_name": name, "clip_skip": False,
        "use_stable_diffusion_model": "some_model", "use_vae_model": "None", "negative_prompt": drawn.negative,
        "use_lora_model": list(drawn.loras), "lora_alpha": list(drawn.loras.values()), "tiling": "none",
    }  # fmt: skip
    if len(drawn.loras) == 1:
        data |= {"use_lora_model": data["use_lora_model"][0], "lora_alpha": data["lora_alpha"][0]}
    if not drawn.loras:
        del data["use_lora_model"], data["lora_alpha"]
    which = drawn.number % 4
    if which == 0:
        content = png({key: str(value) for key, value in data.items()})
    elif which == 1:
        content = commented(json.dumps(data), drawn.number)
    elif which == 2:
        content = json.dumps(data).encode()
    else:
        drawn.prompt = data["prompt"] = drawn.prompt.replace("\n", " ")  # this form has a line for each
        lines = (f"{label}: {data[key]}" for key, label in _EASY_LABELS.items() if key in data)
        content = "\n".join(lines).encode()
    return drawn.made(content, sampler, prompt=_tagged(drawn))


_EASY_LABELS = {
    "prompt": "Prompt", "width": "Width", "height": "Height", "seed": "Seed", "num_inference_steps": "Steps",
    "guidance_scale": "Guidance Scale", "sampler_name": "Sampler", "negative_prompt": "Negative Prompt",
    "use_stable_diffusion_model": "Stable Diffusion model", "use_lora_model": "LoRA model",
    "lora_alpha": "LoRA Strength",
}  # fmt: skip


def _draw_things(drawn):
    name, sampler = drawn.one_of(_SAMPLERS["draw"])
    data = {
        "c": drawn.prompt, "uc": drawn.negative, "model": "some_model_f16.ckpt", "sampler": name, "scale": drawn.cfg,
        "seed": drawn.seed, "seed_mode": "Scale Alike", "size": f"{drawn.width}x{drawn.height}", "steps": drawn.steps,
        "strength": 1, "lora": [{"model": f"{each}.ckpt", "weight": weight} for each, weight in drawn.loras.items()],
        "v2": {"width": 1, "steps": 3}, "profile": {"duration": 1.5},
    }  # fmt: skip
    text = json.dumps(data)
    content = png({"XML:com.adobe.xmp": _xmp(text, drawn)}, how="iTXt") if drawn.number % 2 else commented(
        text, drawn.number // 2
    )  # fmt: skip
    return drawn.made(content, sampler, prompt=_tagged(drawn))


def _xmp(text, drawn):
    described = (
        f"{drawn.prompt}\n-{drawn.negative}\nSteps: {drawn.steps}, Sampler: Euler Ancestral, Guidance Scale: 1, "
    )
    described += f"Seed: {drawn.seed}, Size: 64x64, Model: some_model_f16.ckpt, Strength: 1.0"
    escaped, described = (
        each.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;") for each in (text, described)
    )
    return (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="XMP Core 6.0.0">\n<rdf:RDF><rdf:Description rdf:about="">\n'
        f'<exif:UserComment>\n<rdf:Alt>\n<rdf:li xml:lang="x-default">{escaped}</rdf:li>\n</rdf:Alt>\n'
        f'</exif:UserComment>\n<dc:description>\n<rdf:Alt>\n<rdf:li xml:lang="x-default">{described}</rdf:li>\n'
        "</rdf:Alt>\n</dc:description>\n</rdf:Description></rdf:RDF></x:xmpmeta>"
    )


KINDS = {
    "webui": _webui,
    "its forks": _forks,
    "civitai": _civitai,
    "civitai's generator": _civitais_graph,
    "ComfyUI": _comfyui,
    "ComfyUI's workflow": _comfyuis_workflow,
    "SwarmUI": _swarmui,
    "NovelAI": _novelai,
    "InvokeAI": _invokeai,
    "InvokeAI 2": _old_invokeai,
    "Fooocus": _fooocus,
    "Easy Diffusion": _easy_diffusion,
    "Draw Things": _draw_things,
}


def make(kind, number):
    """Return the file of a number, always the same."""
    return KINDS[kind](_Drawn(kind, number))
