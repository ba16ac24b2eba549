"""What a recorded case asks for, as a request, and which cases Pastelbot cannot be asked for yet."""

from golden_cases import cases, folder

from pastelbot.choices import MASK_FILLINGS, RESIZE_MODES
from pastelbot.formats.network_files import LoraFiles
from pastelbot.prompt.lora_tags import rename_loras
from pastelbot.prompt.styles import read_styles, with_styles
from pastelbot.records import GenerationRequest, HiresFix, InitImage, Mask, SamplingOptions

# The recordings were made on a CPU, where the webui's "GPU" noise is torch's CPU generator.
SOURCES = {"GPU": "CPU"}
# What a case may have, besides its prompts, without being out of reach.
SETTINGS = {
    *("prompt", "negative_prompt", "seed", "width", "height", "steps", "sampler_name", "scheduler", "cfg_scale"),
    *("batch_size", "n_iter", "subseed", "subseed_strength", "seed_resize_from_w", "seed_resize_from_h"),
    *(
        "enable_hr",
        "denoising_strength",
        "hr_resize_x",
        "hr_resize_y",
        "hr_scale",
        "hr_second_pass_steps",
        "hr_upscaler",
    ),
    *("hr_sampler_name", "hr_scheduler", "hr_cfg", "hr_prompt", "hr_negative_prompt"),
    *("resize_mode", "mask_blur", "mask_blur_x", "mask_blur_y", "inpainting_fill", "inpainting_mask_invert"),
    *("inpaint_full_res", "inpaint_full_res_padding", "mask_round", "styles", "tiling"),
}
OPTIONS = {
    "CLIP_stop_at_last_layers",
    "eta_noise_seed_delta",
    "randn_source",
    "emphasis",
    "ESRGAN_tile",
    "ESRGAN_tile_overlap",
    "img2img_fix_steps",
    "img2img_color_correction",
    "upscaler_for_img2img",
}


# The webui's options of sampling -> fields of SamplingOptions.
SAMPLING = {
    "eta_ancestral": "eta",
    "eta_ddim": "eta_ddim",
    "s_churn": "churn",
    "s_tmin": "churn_least",
    "s_tmax": "churn_most",
    "s_noise": "noise",
    "sigma_min": "sigma_least",
    "sigma_max": "sigma_most",
    "rho": "rho",
    "beta_dist_alpha": "beta_alpha",
    "beta_dist_beta": "beta_beta",
    "use_old_karras_scheduler_sigmas": "old_karras",
    "always_discard_next_to_last_sigma": "discard_next_to_last",
    "sgm_noise_multiplier": "sgm_noise",
    "skip_early_cond": "skip_early",
    "s_min_uncond": "guided_from",
    "s_min_uncond_all": "guided_from_all",
    "pad_cond_uncond": "pad_conditionings",
    "pad_cond_uncond_v0": "pad_conditionings_v0",
    "comma_padding_backtrack": "comma_backtrack",
    "enable_quantization": "quantized",
    "use_downcasted_alpha_bar": "downcast_alphas",
    "sd_noise_schedule": "noise_schedule",
    "uni_pc_variant": "unipc_variant",
    "uni_pc_skip_type": "unipc_spacing",
    "uni_pc_order": "unipc_order",
    "initial_noise_multiplier": "first_noise",
    "img2img_extra_noise": "extra_noise",
    "hires_fix_use_firstpass_conds": "first_networks",
}


def out_of_reach(case):
    """Return why a case cannot be asked for, "" where it can."""
    settings = case["settings"]
    unknown = [*sorted(settings.keys() - SETTINGS), *sorted(case["opts"].keys() - OPTIONS - SAMPLING.keys())]
    return f"not asked for: `{'`, `'.join(unknown)}`" if unknown else ""


def reached(name):
    """Return the cases of a table that can be asked for."""
    return [case for case in cases(name) if not out_of_reach(case)]


def request_of(case):
    """Return the request that a recorded case's settings and options mean."""
    settings, options = case["settings"], case["opts"]
    source = options.get("randn_source", "GPU")
    prompt, negative_prompt = styled(settings)
    return GenerationRequest(
        prompt=prompt,
        negative_prompt=negative_prompt,
        width=settings["width"],
        height=settings["height"],
        seed=settings["seed"],
        count=settings.get("batch_size", 1) * settings.get("n_iter", 1),
        steps=settings["steps"],
        cfg_scale=settings["cfg_scale"],
        sampler=settings["sampler_name"],
        schedule=settings.get("scheduler") or "Automatic",
        clip_skip=options.get("CLIP_stop_at_last_layers", 2),
        hires=hires_of(settings) if settings.get("enable_hr") else None,
        init=init_of(case) if case.get("kind") else None,
        subseed=settings.get("subseed", 0),
        subseed_strength=settings.get("subseed_strength", 0),
        seed_resize_width=max(0, settings.get("seed_resize_from_w", 0)),
        seed_resize_height=max(0, settings.get("seed_resize_from_h", 0)),
        eta_noise_seed_delta=options.get("eta_noise_seed_delta", 31337),
        noise_source=SOURCES.get(source, source),
        emphasis=options.get("emphasis", "Original"),
        sampling=SamplingOptions(
            tiling=settings.get("tiling", False),
            **{field: options[name] for name, field in SAMPLING.items() if name in options},
        ),
    )


def styled(settings):
    """Return a case's prompts inside the styles that it names; unknown ones are left out, as in the webui."""
    prompts = settings["prompt"], settings.get("negative_prompt", "")
    if "styles" not in settings:
        return prompts
    known = {style.name: style for style in read_styles((folder() / "styles.csv").read_text(encoding="utf-8"))}
    return with_styles(*prompts, [known[name] for name in settings["styles"] if name in known])


def hires_of(settings):
    """Return the hires fix of a recorded case's settings."""
    return HiresFix(
        width=settings.get("hr_resize_x", 0),
        height=settings.get("hr_resize_y", 0),
        scale=settings.get("hr_scale", 2),
        steps=settings.get("hr_second_pass_steps", 0),
        denoising_strength=settings.get("denoising_strength", 0.75),
        upscaler=settings.get("hr_upscaler") or "Latent",
        sampler=settings.get("hr_sampler_name"),
        schedule=settings.get("hr_scheduler"),
        cfg_scale=settings.get("hr_cfg"),
        prompt=settings.get("hr_prompt") or None,
        negative_prompt=settings.get("hr_negative_prompt") or None,
    )


def without_missing(request, loras):
    """Return a request without the LoRAs that are not in a folder, as `/recreate` makes it of an infotext."""
    files = LoraFiles(loras)
    return request.replace(prompt=rename_loras(request.prompt, lambda name: name if files.find(name) else None))


def init_of(case):
    """Return the picture that a recorded case starts from."""
    settings, options = case["settings"], case["opts"]
    return InitImage(
        content=(folder() / case["init"]).read_bytes(),
        denoising_strength=settings.get("denoising_strength", 0.75),
        resize_mode=RESIZE_MODES[settings.get("resize_mode", 0)],
        mask=mask_of(case) if "mask" in case else None,
        upscaler=options.get("upscaler_for_img2img") or "None",
        exact_steps=options.get("img2img_fix_steps", False),
        corrected=options.get("img2img_color_correction", False),
    )


def mask_of(case):
    """Return where a recorded case is painted."""
    settings = case["settings"]
    blur = settings.get("mask_blur", 4)
    return Mask(
        content=(folder() / case["mask"]).read_bytes(),
        blur_x=settings.get("mask_blur_x", blur),
        blur_y=settings.get("mask_blur_y", blur),
        inverted=bool(settings.get("inpainting_mask_invert", 0)),
        filling=MASK_FILLINGS[settings.get("inpainting_fill", 0)],
        only_masked=settings.get("inpaint_full_res", True),
        padding=settings.get("inpaint_full_res_padding", 0),
        rounded=settings.get("mask_round", True),
    )
