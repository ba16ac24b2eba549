"""More ways in which people hand infotexts over: kind K of the cases from the field, and its neighbours."""

import json
import re

import pytest

from pastelbot.infotext import find_infotexts, read_request
from pastelbot.options.reading import read_negative

LINES = (
    "1girl, red hair",
    "Negative prompt: hat",
    "Steps: 12, Sampler: Euler a, CFG scale: 6, Seed: 77, Size: 128x192",
)
TEXT = "\n".join(LINES)
ONE = " ".join(LINES)


def each(before, after="", between="\n"):
    return between.join(f"{before}{line}{after}" for line in LINES)


FIELDS = LINES[2].split(", ")


def with_settings(line):
    return f"{LINES[0]}\n{LINES[1]}\n{line}"


PASTED = {
    "JSON's line breaks": TEXT.replace("\n", "\\n"),
    "a string of JSON": f'"{TEXT}"'.replace("\n", "\\n"),
    "JSON's line breaks of Windows": TEXT.replace("\n", "\\r\\n"),
    "an object of JSON": '{"parameters": "' + TEXT.replace("\n", "\\n") + '"}',
    "no-break spaces": TEXT.replace(": ", ":\u00a0"),
    "line separators": TEXT.replace("\n", "\u2028"),
    "vertical tabs": TEXT.replace("\n", "\v"),
    "HTML's line breaks": TEXT.replace("\n", "<br>"),
    "HTML's line breaks and lines": TEXT.replace("\n", "<br />\n"),
    "a paragraph of HTML": f"<p>{TEXT}</p>".replace("\n", "<br>\n"),
    "empty lines between": each("", between="\n\n"),
    "lines set in by four": each("    "),
    "lines set in by tabs": each("\t"),
    "blanks at the lines' ends": each("", "  "),
    "small print": each("-# "),
    "stars of a list": each("* "),
    "dots of a list": each("• "),
    "exiftool": f"Parameters                      : {TEXT}",
    "exiftool's comment": f"User Comment                    : {TEXT}",
    "identify": f"    parameters: {TEXT}",
    "the time that it took": f"{TEXT}\nTime taken: 5.1 sec.",
    "capitals": TEXT.replace("Negative prompt", "NEGATIVE PROMPT").replace("Steps", "STEPS"),
    "a code block in hidden text": f"||```{TEXT}```||",
    "bold in a quote": each("> **", "**"),
    "PNG info of the webui": f"parameters\n\n{TEXT}",
    "PNG info with what was done behind": f"{TEXT}\n\npostprocessing\n\nPostprocess upscale by: 4, Upscaler: None",
    "headings": f"Prompt\n{LINES[0]}\nNegative prompt\nhat\nOther metadata\n" + "\n".join(FIELDS),
    "bold headings": f"**Prompt**\n{LINES[0]}\n**Negative prompt**\nhat\n{LINES[2]}",
    "headings of Markdown": f"## Prompt\n{LINES[0]}\n\n## Negative prompt\nhat\n\n## Settings\n{LINES[2]}",
    "a list of fields": "\n- ".join([LINES[0], *FIELDS]).replace("\n", f"\n{LINES[1]}\n", 1),
    "values in code": f"{LINES[0]}\n{LINES[1]}\n" + ", ".join(re.sub(r": (.*)", r": `\1`", each) for each in FIELDS),
    "full-width colons": TEXT.replace(": ", "："),
    "full-width commas": with_settings(LINES[2].replace(", ", "，")),
    "bars between fields": with_settings(" | ".join(FIELDS)),
    "semicolons between fields": with_settings("; ".join(FIELDS)),
    "tabs between fields": with_settings("\t".join(FIELDS)),
    "settings broken by a mail program": TEXT.replace("Euler a", "Euler\na"),
    "twice": f"{TEXT}\n\n{TEXT}",
    "Discord's heading of a message": f"Hana — Today at 12:34\n{TEXT}",
    "Discord's heading on three lines": f"Hana\n — \nYesterday at 12:34 PM\n{TEXT}",
    "a mention and a link": f"<@123456789012345678>\nhttps://example.com/a.png\n{TEXT}",
    "a comma at the end": f"{TEXT},",
    "a full stop at the end": f"{TEXT}.",
    "the negative prompt first": f"{LINES[1]}\nPrompt: {LINES[0]}\n{LINES[2]}",
    "the settings first": f"{LINES[2]}\nPrompt: {LINES[0]}\n{LINES[1]}",
    "negative without prompt": TEXT.replace("Negative prompt", "Negative"),
    "negative with a hyphen": TEXT.replace("Negative prompt", "Negative-prompt"),
    "Chinese labels": f"正向提示词：{LINES[0]}\n反向提示词：hat\n{LINES[2]}",
    "Japanese labels": f"プロンプト：{LINES[0]}\nネガティブプロンプト：hat\n{LINES[2]}",
    "pictures before labels": f"🎨 Prompt: {LINES[0]}\n🚫 Negative prompt: hat\n⚙️ {LINES[2]}",
    "four backticks": f"````\n{TEXT}\n````",
    "tildes": f"~~~\n{TEXT}\n~~~",
    "colours of a terminal": f"```ansi\n\x1b[31m{LINES[0]}\x1b[0m\n{LINES[1]}\n{LINES[2]}\n```",
    "exiftool's dots": f"Parameters                      : {TEXT}".replace("\n", "."),
    "exiftool's JSON": json.dumps([{"SourceFile": "a.png", "Parameters": TEXT}]),
    "the webui's API": json.dumps({"images": ["QQ=="], "info": json.dumps({"seed": 77, "infotexts": [TEXT]})}),
    "quotes in quotes": each("> > "),
    "quotes in quotes, closer": each(">> > "),
    "quotes in quotes in one line": each("> > ", between=" "),
    "headings of one word": f"### Positive\n{LINES[0]}\n\n### Negative\nhat\n\n### Generation settings\n{LINES[2]}",
    "bold headings of one word": f"**Positive**\n{LINES[0]}\n**Negative**\nhat\n{LINES[2]}",
    "signs that are not seen, in words": TEXT.replace("Steps", "St\u200beps").replace("prompt", "\u00adprompt"),
    "signs that are not seen, at values": TEXT.replace("77", "77\u200b").replace(": ", ":\u200b "),
    "directions of writing": f"\u202a{TEXT}\u202c".replace("Seed", "\u2066Seed\u2069"),
    "narrow blanks": TEXT.replace(": ", ":\u202f"),
    "fields of an embed": "**Prompt**\n1girl, red hair\n**Negative Prompt**\nhat\n"
    + "\n".join(f"**{field.replace(': ', chr(42) * 2 + chr(10))}" for field in FIELDS),
    "a table": f"| Prompt | {LINES[0]} |\n| Negative prompt | hat |\n"
    + "\n".join(f"| {field.replace(': ', ' | ')} |" for field in FIELDS),
    "keys of the API": f"prompt: {LINES[0]}\nnegative_prompt: hat\nsteps: 12\nsampler_name: Euler a\ncfg_scale: 6\n"
    "seed: 77\nwidth: 128\nheight: 192",
    "a dictionary of Python": "{'prompt': '1girl, red hair', 'negative_prompt': 'hat', 'steps': 12, 'seed': 77, "
    "'sampler_name': 'Euler a', 'cfg_scale': 6, 'width': 128, 'height': 192}",
    "Discord's mark of a change": f"{TEXT} (edited)",
    "Discord's mark in Japanese": f"{TEXT}(編集済)",
    "Discord's heading of a bot": f"Pastelbot\nAPP\n — Today at 12:34\n{TEXT}",
    "Discord's time and name": f"[12:34]Hana: {TEXT}",
    "part of an address": TEXT.replace(" ", "%20").replace("\n", "%0A"),
    "a block of HTML": f"<pre><code>{TEXT}</code></pre>",
    "lines of HTML": f"<span>{LINES[0]}</span><br><span>{LINES[1]}</span><br><span>{LINES[2]}</span>",
    "numbers of lines": "\n".join(f"{n}. {line}" for n, line in enumerate(LINES, 1)),
    "circles of a list": each("◦ "),
    "strokes between fields": with_settings(" / ".join(FIELDS)),
    "equals signs": with_settings(LINES[2].replace(": ", "=")),
    "settings in parentheses": f"{LINES[0]}\n{LINES[1]}\n({LINES[2]})",
    "the negative prompt last": f"{LINES[0]}\n{LINES[2]}\n{LINES[1]}",
    "bold values": with_settings(re.sub(r": ([^,]*)", r": **\1**", LINES[2])),
    "a hidden value": TEXT.replace("77", "||77||"),
    "Chinese settings": f"提示词：{LINES[0]}\n负面提示词：hat\n"
    "步数：12，采样器：Euler a，CFG：6，种子：77，尺寸：128x192",
    "Japanese settings": f"プロンプト: {LINES[0]}\nネガティブ: hat\n"
    "ステップ: 12, サンプラー: Euler a, CFGスケール: 6, シード: 77, サイズ: 128x192",
    "a negative prompt without its colon": TEXT.replace("prompt:", "prompt"),
    "colours of differences": f"```diff\n+ {LINES[0]}\n- hat\n{LINES[2]}\n```",
    "plus and minus": f"+ {LINES[0]}\n- hat\n{LINES[2]}",
    "signs of yes and no": f"✅ {LINES[0]}\n\n❌ hat\n\n{LINES[2]}",
    "thumbs": f"👍: {LINES[0]}\n👎: hat\n{LINES[2]}",
    "Japanese quotes in quotes": f"「「{TEXT}」」",
    "InvokeAI 2's command": '"1girl, red hair [hat]" -s 12 -S 77 -W128 -H192 -C6.0 -A k_euler_a',
    "InvokeAI 2's command as typed": '!dream "1girl, red hair [hat]" -s 12 -S 77 -W 128 -H 192 -C 6 -A k_euler_a',
    "the webui's prompts from a file": '--prompt "1girl, red hair" --negative_prompt "hat" --width 128 --height 192 '
    '--seed 77 --steps 12 --cfg_scale 6 --sampler_name "Euler a"',
    "prompts from a file without quotes": "--prompt 1girl, red hair --negative_prompt hat --width 128 --height 192 "
    "--seed 77 --steps 12 --cfg_scale 6 --sampler_name Euler a",
    "a command on several lines": "python txt2img.py \\\n  --prompt='1girl, red hair' --plms \\\n  "
    "--negative-prompt=hat --ddim_steps 12 \\\n  --scale 6 --sampler euler_a --seed 77 --W 128 --H 192 --outdir out",
    "a command in a code block": '```bash\n--prompt "1girl, red hair" --negative_prompt hat --steps 12 '
    "--sampler_name 'Euler a' --cfg_scale 6 --seed 77 --width 128 --height 192\n```",
    "stable-diffusion.cpp's command": 'sd -m model.safetensors -p "1girl, red hair" -n "hat" --steps 12 '
    "--sampling-method euler_a --cfg-scale 6 -s 77 -W 128 -H 192 -v",
    "the webui's log": "prompt,seed,width,height,sampler,cfgs,steps,filename,negative_prompt,sd_model_name,"
    'sd_model_hash\n"1girl, red hair",77,128,192,Euler a,6.0,12,00001-77.png,hat,tiny,abcdef1234',
    "quotes of Python": f'"""{TEXT}"""',
    "a code block with an attribute": f"```text title=a\n{TEXT}\n```",
    "paragraphs of HTML": each("<p>", "</p>", ""),
    "items of HTML's lists": "<ul>" + each("<li>", "</li>", "") + "</ul>",
    "a quote with HTML's signs": each("&gt; "),
    "a quote with empty lines between": each("> ", between="\n\n"),
    "a name and an equals sign in each line": "prompt=1girl, red hair\nnegative_prompt=hat\nsteps=12\nsampler=Euler a\n"
    "cfg_scale=6\nseed=77\nsize=128x192",
    "a table with tabs": "Prompt\t1girl, red hair\nNegative prompt\that\nSteps\t12\nSampler\tEuler a\nCFG scale\t6\n"
    "Seed\t77\nSize\t128x192",
    "a table of Markdown with its rule": "| Prompt | 1girl, red hair |\n|:---|---|\n| Negative prompt | hat |\n"
    "| Steps | 12 |\n| Sampler | Euler a |\n| CFG scale | 6 |\n| Seed | 77 |\n| Size | 128x192 |",
    "a text of several lines in YAML": "parameters: |\n" + each("  "),
    "Japanese labels in brackets": f"【プロンプト】{LINES[0]}\n【ネガティブプロンプト】hat\n{LINES[2]}",
    "Russian labels": f"Промпт: {LINES[0]}\nНегативный промпт: hat\n{LINES[2]}",
    "Korean labels": f"프롬프트: {LINES[0]}\n네거티브 프롬프트: hat\n{LINES[2]}",
    "a German label": f"{LINES[0]}\nNegativer Prompt: hat\n{LINES[2]}",
    "a French label": f"{LINES[0]}\nPrompt négatif : hat\n{LINES[2]}",
    "a Spanish label": f"{LINES[0]}\nPrompt negativo: hat\n{LINES[2]}",
    "a mistyped label": f"{LINES[0]}\nNegative promt: hat\n{LINES[2]}",
    "an emoji of a server before it": f"<:ok:123456789012345678> {TEXT}",
    "a mention before it in the line": f"<@123456789012345678> {TEXT}",
    "a time and a channel before it": f"<t:1700000000:R> <#123456789012345678>\n{TEXT}",
    "a command as it was typed": f"/recreate infotext:{ONE}",
}


@pytest.mark.parametrize("name", PASTED)
def test_it_is_found_bare(name):
    found = list(find_infotexts(PASTED[name]))
    read = read_request(PASTED[name])

    assert len(found) == (2 if name == "twice" else 1)
    assert ("1girl, red hair", "hat") == (read.request.prompt, read.request.negative_prompt)
    assert (12, "Euler a", 6, 77, 128, 192) == (
        read.request.steps,
        read.request.sampler,
        read.request.cfg_scale,
        read.request.seed,
        read.request.width,
        read.request.height,
    )


@pytest.mark.parametrize("typed", ["Negative prompt: hat", "negative prompt:hat", " NEGATIVE PROMPT : hat", "hat"])
def test_a_negative_prompt_is_taken_without_its_label(typed):
    assert read_negative(typed) == "hat"


UNCHANGED = {
    "a prompt with JSON's line break": "1girl, \\n, hat\nSteps: 12, Sampler: Euler a, Seed: 77, Size: 128x192",
    "a prompt with HTML": "<br> tag, 1girl\nNegative prompt: <p>\nSteps: 12, Sampler: Euler a, Seed: 77, Size: 64x64",
    "a prompt with signs of other forms": "a; B: c | D: e\nNegative prompt: `f`：g\nSteps: 12, Seed: 1, Size: 64x64",
    "a prompt that is a link": "https://example.com\nSteps: 12, Sampler: Euler a, Seed: 77, Size: 128x192",
    "a prompt with a heading of one word": "negative\npositive\nSteps: 12, Sampler: Euler a, Seed: 77, Size: 128x192",
    "a prompt that begins as a quote": "> >_<, 1girl\nSteps: 12, Sampler: Euler a, Seed: 77, Size: 128x192",
    "a prompt with keys": "1girl, seed: 5\nsize: 3\nSteps: 12, Sampler: Euler a, Seed: 77, Size: 128x192",
    "a prompt with signs that are not seen": "1\u200bgirl\nSteps: 12, Sampler: Euler a, Seed: 77, Size: 128x192",
    "a prompt in HTML": "<p>1girl</p>\nSteps: 12, Sampler: Euler a, Seed: 77, Size: 128x192",
    "a prompt with equals signs": "a = b, c = d\nSteps: 12, Sampler: Euler a, Seed: 77, Size: 128x192",
    "a prompt that begins with a plus": "+ 1girl, hat\nred hair\nSteps: 12, Sampler: Euler a, Seed: 77, Size: 128x192",
    "a prompt with flags": "1girl -s 5 -S 7, hat\nSteps: 12, Sampler: Euler a, Seed: 77, Size: 128x192",
    "a prompt with a flag": "1girl --prompt hat --steps 3\nSteps: 12, Sampler: Euler a, Seed: 77, Size: 128x192",
    "a prompt of one line that speaks of it": "negative prompt hat\nSteps: 12, Sampler: Euler a, Seed: 77, Size: 64x64",
    "a prompt with equals signs in lines": "a=b\nsteps = few\nSteps: 12, Sampler: Euler a, Seed: 77, Size: 64x64",
    "a prompt that is a mention": "<@123>\nSteps: 12, Sampler: Euler a, Seed: 77, Size: 64x64",
    "a prompt with a tab": "a\tb\nsteps\tmany\nSteps: 12, Sampler: Euler a, Seed: 77, Size: 128x192",
    "a prompt with HTML's sign": "&gt;_&lt;, 1girl &gt; hat\nSteps: 12, Sampler: Euler a, Seed: 77, Size: 128x192",
    "a prompt with an emoji inside": "1girl, <:ok:123> hat\nSteps: 12, Sampler: Euler a, Seed: 77, Size: 128x192",
    "a prompt with lines of strokes": "a\n---\nb | c\n---|---\nSteps: 12, Sampler: Euler a, Seed: 77, Size: 128x192",
    "a prompt with a bullet": "• bullet, 1girl\nSteps: 12, Sampler: Euler a, Seed: 77, Size: 128x192",
}


@pytest.mark.parametrize("name", UNCHANGED)
def test_what_the_prompt_itself_has_stays(name):
    prompt = UNCHANGED[name].partition("\nNegative prompt:")[0].partition("\nSteps:")[0]

    assert prompt == read_request(UNCHANGED[name]).request.prompt


SETTINGS = {
    "prompt": LINES[0], "negative_prompt": "hat", "steps": 12, "sampler_name": "Euler a", "cfg_scale": 6, "seed": 77,
    "width": 128, "height": 192,
}  # fmt: skip
ARGUMENTS = (
    f'prompt="{LINES[0]}", negative_prompt="hat", steps=12, sampler="Euler a", cfg_scale=6, seed=77, size="128x192"'
)
COLUMNS = ",".join(SETTINGS)
SURROUNDED = {
    "short labels": f"p: {LINES[0]}\nnp: hat\n{LINES[2]}",
    "a short label of the negative prompt": f"{LINES[0]}\nNP: hat\n{LINES[2]}",
    "tags of both prompts": f"<prompt>{LINES[0]}</prompt>\n<negative_prompt>hat</negative_prompt>\n{LINES[2]}",
    "one tag around all": f"<parameters>\n{TEXT}\n</parameters>",
    "a tag in one line": f"<infotext>{ONE}</infotext>",
    "braces and a label": f"{{Prompt: {TEXT}}}",
    "braces in one line": f"{{Prompt: {', '.join(LINES)}}}",
    "square brackets": f"[{TEXT}]",
    "parentheses": f"({TEXT})",
    "a cell of a table": f'00001.png,"{TEXT}"',
    "a table of semicolons": f'file;infotext\n00001.png;"{TEXT}"',
    "a table of settings": f'{COLUMNS}\n"{LINES[0]}",hat,12,Euler a,6,77,128,192',
    "a quote of a quote": f"> hana wrote:\n{each('> > ')}\n> nice!",
    "a title": f"# My picture\n{TEXT}",
    "headings with rules": f"Prompt\n------\n{LINES[0]}\n\nNegative prompt\n=====\nhat\n\nSettings\n---\n{LINES[2]}",
    "headings between rules": f"=== Prompt ===\n{LINES[0]}\n=== Negative ===\nhat\n=== Settings ===\n{LINES[2]}",
    "sections": f"[Prompt]\n{LINES[0]}\n[Negative prompt]\nhat\n[Settings]\n{LINES[2]}",
    "hidden text among words": f"settings: ||{TEXT}|| enjoy",
    "an introduction": f"Hi all, here are my settings:\n\n{TEXT}",
    "an introduction in the same line": f"My settings: {TEXT}",
    "a code block that does not end": f"here:\n```\n{TEXT}",
    "a chat": "\n".join(f"[20:15] hana: {line}" for line in LINES),
    "civitai's marks": "\n".join(["Prompt", "txt2img", LINES[0], "Negative Prompt", "hat", *FIELDS]),
    "slashes in one line": f"{LINES[0]} / {LINES[1]} / {LINES[2].replace(', ', ' / ')}",
    "a dash for the colon": f"{LINES[0]}\nNegative prompt - hat\n{LINES[2]}",
    "Japanese separators": f"{LINES[0]}\n{LINES[1]}\n{LINES[2].replace(': ', '：').replace(', ', '、')}",
    "settings first": f"{LINES[2]}\n{LINES[0]}\n{LINES[1]}",
    "signs that are not seen at the ends": each("", "\u200b"),
    "HTML's entities": TEXT.replace("\n", "&#10;"),
    "both prompts in YAML": f"prompt: |\n  {LINES[0]}\nnegative_prompt: >-\n  hat\n" + "\n".join(FIELDS),
    "TOML": "\n".join(f"{key} = {json.dumps(value)}" for key, value in SETTINGS.items()),
    "JSON in a code block": f"```json\n{json.dumps(SETTINGS, indent=2)}\n```",
    "a list of JSON": json.dumps([SETTINGS]),
    "a request of the API": f"curl -X POST http://127.0.0.1:7860/sdapi/v1/txt2img -d '{json.dumps(SETTINGS)}'",
    "a call of Python": f"pipe({ARGUMENTS})",
    "a command": f"/imagine prompt:{LINES[0]} negative:hat steps:12 sampler:Euler a cfg_scale:6 seed:77 size:128x192",
}


@pytest.mark.parametrize("name", SURROUNDED)
def test_what_stands_around_it_is_left_out(name):
    asked = read_request(SURROUNDED[name]).request

    assert ("1girl, red hair", "hat", 12, "Euler a") == (
        asked.prompt, asked.negative_prompt, asked.steps, asked.sampler,
    )  # fmt: skip
    assert (6, 77, 128, 192) == (asked.cfg_scale, asked.seed, asked.width, asked.height)


@pytest.mark.parametrize(
    "prompt", ["(1girl:1.2), (hat)", "[hat]", "{a|b}", "time: 12", "a\n\nb", "@hana, 1girl", "|", '"a", "b"']
)
def test_what_only_looks_so_is_a_prompt(prompt):
    assert prompt == read_request(f"{prompt}\n{LINES[1]}\n{LINES[2]}").request.prompt
