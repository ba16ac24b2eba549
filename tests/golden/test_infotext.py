import dataclasses
import itertools
from operator import attrgetter

from golden_requests import reached, request_of

from pastelbot.diffusion.image.img2img import prepare_init
from pastelbot.infotext import (
    Infotext,
    format_infotext,
    parse_infotext,
    read_fields,
    read_request,
)
from pastelbot.infotext.webui import SAME_SAMPLER, SAME_SCHEDULE
from pastelbot.prompt.comments import strip_comments
from pastelbot.prompt.extra_networks import extract_networks
from pastelbot.rules.samplers import normalise

# What networks were used, and that a velocity was predicted, is known only where they are loaded.
CASES = [
    case
    for table in ("images.json", "images_more.json")
    for case in reached(table)
    if not case.get("networks") and not case.get("model")
]

kind_of = attrgetter("kind")


def shown_sampler(fields):
    """Return the sampler and schedule that the webui shows for parsed fields."""
    return normalise(fields.get("Sampler"), fields.get("Schedule type"), convert_automatic=True)


def shown_hires_sampler(fields):
    """Return the same for the hires pass; what the fields already say of the first pass is "Use same ..."."""
    sampler, schedule = fields.get("Sampler"), fields.get("Schedule type")
    hires_sampler, hires_schedule = fields.get("Hires sampler"), fields.get("Hires schedule type")
    choice = normalise(
        sampler if hires_sampler in (None, SAME_SAMPLER) else hires_sampler,
        schedule if hires_schedule in (None, SAME_SCHEDULE) else hires_schedule,
        convert_automatic=True,
    )
    return (
        SAME_SAMPLER if choice.sampler == sampler else choice.sampler,
        SAME_SCHEDULE if choice.schedule == schedule else choice.schedule,
    )


def test_parsed_fields_are_the_recorded_ones(recorded):
    for case in recorded("parse_infotext.json"):
        fields = parse_infotext(case["infotext"])

        assert case["params"] == fields, case["infotext"]
        assert case["sampler"] == list(shown_sampler(fields)), case["infotext"]
        assert case["hr"] == list(shown_hires_sampler(fields)), case["infotext"]


def test_written_infotexts_are_the_recorded_ones(recorded):
    content = recorded("infotext.json")
    program = {key: content[key] for key in ("model", "model_hash", "version")}
    for case in [*content["cases"], *CASES]:
        for index, expected in enumerate(case["infotexts"]):
            assert expected == written(case, index, program), case["name"]


def test_a_picture_is_described_alike_after_reading(recorded):
    """An infotext read into a request and written again says the same, as does the list of its fields."""
    content = recorded("infotext.json")
    program = {"checkpoint": content["model"], "checkpoint_hash": content["model_hash"], "version": content["version"]}
    for case in [*content["cases"], *CASES]:
        if case["settings"].get("enable_hr") and not case["settings"].get("hr_upscaler"):
            continue  # the text does not name the upscaler, ours will
        for text in case["infotexts"]:
            read = read_request(text)
            request = read.request if "RNG: " in text else read.request.replace(noise_source="GPU")
            request = request.replace(init=read.init)

            assert text == format_infotext(request, **program), case["name"]
            assert text == read_fields(text).format()
            assert len(read.notes) == (read.init is not None)  # that the picture is not there
            assert read.missing == ()


def test_overridden_settings_reach_the_request(recorded):
    names = {
        "CLIP_stop_at_last_layers": "clip_skip",
        "eta_noise_seed_delta": "eta_noise_seed_delta",
        "randn_source": "noise_source",
        "emphasis": "emphasis",
    }
    for case in recorded("parse_infotext.json"):
        request = read_request(case["infotext"]).request
        for _, setting, value in case["overrides"] or ():
            if setting in names:
                assert value == getattr(request, names[setting]), case["infotext"]


def test_sampler_names_mean_what_is_recorded(recorded):
    for case in recorded("samplers.json"):
        choice = normalise(case["sampler"], case["scheduler"], convert_automatic=case["convert_automatic"])

        assert case["result"] == list(choice), case


def test_comments_networks_and_quotes_are_the_recorded_ones(recorded):
    cases = recorded("prompt_misc.json")
    for text, expected in cases["strip_comments"]:
        assert expected == strip_comments(text)
    for value, expected in cases["quote"]:
        assert f"Note: {expected}" == Infotext(fields={"Note": str(value)}).format()
    for text, expected in cases["unquote"]:
        assert expected == read_fields(f"Steps: 20, Seed: 5, Size: 64x64, Note: {text}").fields.get("Note", "")
    for case in cases["extra_networks"]:
        extracted = extract_networks(case["text"])

        assert case["prompt"] == extracted.prompt
        assert case["nets"] == {
            kind: [{"items": list(tag.items), "positional": list(tag.positional), "named": tag.named} for tag in tags]
            for kind, tags in itertools.groupby(sorted(extracted.tags, key=kind_of), key=kind_of)
        }


def written(case, index, program):
    request = request_of(case).replace(noise_source=case["opts"].get("randn_source", "GPU"))
    if request.hires is not None and not case["settings"].get("hr_upscaler"):
        request = request.replace(hires=dataclasses.replace(request.hires, upscaler=""))
    if request.init is not None:
        plain = dataclasses.replace(request.init, upscaler="None")  # whose models are not loaded here
        request = request.replace(init=prepare_init(plain, (request.width, request.height)).done)
    return format_infotext(
        request,
        index=index,
        checkpoint=program["model"],
        checkpoint_hash=program["model_hash"],
        version=program["version"],
    )
