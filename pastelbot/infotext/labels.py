"""The labels of prompts and settings in every form that people and programs give them, in that of the webui.

On lines of their own, as headings, in other languages and signs; settings between other separators; in another order.
"""

import re
from collections.abc import Iterable, Sequence

_BEFORE = r"^(?:[^\w\n(<{\[\\:;'\"`/]|_){0,6}+"  # marks of headings, lists and bold text, and pictures
_NEGATIVE_WORDS = (
    "negative(?:[ _\xa0-]?prompts?)?",
    "negative (?:promts?|promtps?|promps?|propmts?|pormpts?)",  # as it is mistyped
    "negativer prompt",
    "prompt (?:n[ée]gatif|negativo)",
    "негативн(?:ый промпт|ый промт|ая подсказка|ый запрос)",
    "네거티브(?: ?프롬프트)?",
    "부정(?: ?프롬프트)?",
    "negs?(?:[ _]prompt)?",
    "np",
    "反向提示[词詞]",
    "[负負]面提示[词詞]",
    "ネガティブ(?:プロンプト)?",
)
_PROMPT_WORDS = (
    "(?:positive[ _-]?)?prompt",
    "positive",
    "pp?|pos",
    "parameters",
    r"(?:/\w+ )?infotext",
    "user ?comment",
    "(?:正[向面])?提示[词詞]",
    "(?:ポジティブ)?プロンプト",
    "呪文",
    "про(?:мпт|мт)",
    "(?:긍정 ?)?프롬프트",
)
_COLON = r"(?:[*_ \xa0]*+[:：]|[】〗』」][:：]?)[*_]*+"
_SEVERAL_LINES = r"(?:\s*+[|>][+-]?\s*+$)?"  # what begins them in YAML
_NEGATIVE = re.compile(rf"{_BEFORE}(?:{'|'.join(_NEGATIVE_WORDS)}){_COLON}{_SEVERAL_LINES}", re.IGNORECASE)
_POSITIVE = re.compile(rf"{_BEFORE}(?:{'|'.join(_PROMPT_WORDS)}){_COLON}\s*+{_SEVERAL_LINES}", re.IGNORECASE)
_BARE_NEGATIVE = re.compile(r"^Negative prompts? ++(?:[-–—=] )?(?=\S)", re.IGNORECASE)  # its colon was forgotten
# What stands before a prompt and before a negative prompt, as in a list of pros and cons, or in colours by `diff`.
_SIGNS = (("+ ", "- "), ("➕", "➖"), ("✅", "❌"), ("⭕", "❌"), ("👍", "👎"), ("🟢", "🔴"))
_BEHIND_SIGN = " :：\ufe0f"
# A heading that one word alone does not make.
_MARKED = r"^[ \t]{0,3}(?:#{1,6}[ \t]*+[*_]{0,3}|[*_]{2,3}|={2,}+ ?|-{2,}+ ?|\[)"
_NEGATIVE_HEADING = re.compile(
    rf"(?:{_BEFORE}\[?negative[ _-]?prompts?|{_MARKED}neg(?:ative)?s?)[*_# =~\]-]*+$", re.IGNORECASE
)
_POSITIVE_HEADING = re.compile(
    rf"(?:{_BEFORE}\[?(?:(?:positive[ _-]?)?prompts?|parameters)|{_MARKED}pos(?:itive)?s?)[*_# =~\]-]*+$", re.IGNORECASE
)
_OTHER_HEADING = re.compile(
    rf"{_BEFORE}\[?(?:(?:other |generation |image |sampl(?:er|ing) )?"
    r"(?:settings|metadata|details|param(?:eter)?s|info(?:rmation)?|data))[*_ :#=~\]-]*+$",
    re.IGNORECASE,
)
_MODES = ("txt2img", "img2img")  # which civitai writes under its heading
_RULE = re.compile(r"\s*(?:-{3,}|={3,}|~{3,})\s*$")
_SETTINGS = re.compile(r"\bSteps[*_`]{0,4}[:：][*_` \xa0]{0,4}\d", re.IGNORECASE)
_SEPARATOR = re.compile(r"(?:(?<!\s)\s*+[|;，、•·]\s*+|(?<!\s)\s++[/–—-]\s++|\t+)(?=[A-Z][\w -]{1,40}[:：])")
_IN_CODE = re.compile(r"(: ?)(`{1,2})([^`\n]*+)\2(?=,|$)")
_MARKED_VALUE = re.compile(
    r"(\b(?:Steps|Sampler|Schedule type|CFG scale|Seed|Size|Model|Model hash|Clip skip|VAE): ?)(\*\*|\|\||~~|__|\*)"
    r"([^,\n*|~]{1,80})\2(?=,|$)",
    re.IGNORECASE,
)
# How the first field shows the form of them all: so values with such signs in the webui's own form stay as they are.
_FORMS = (
    (re.compile(r"Steps：", re.IGNORECASE), re.compile(r"： *"), ": "),
    (re.compile(r"Steps:\s*+\d++(?: *+[|;，、•·\t]| [/–—-] )", re.IGNORECASE), _SEPARATOR, ", "),
    (re.compile(r"Steps: ?`", re.IGNORECASE), _IN_CODE, r"\1\3"),
    (_MARKED_VALUE, _MARKED_VALUE, r"\1\3"),
    (re.compile(r"Steps:\xa0|CFG\xa0scale", re.IGNORECASE), re.compile(r"\xa0"), " "),
)
# What Discord copies along with a message: its writer and time; and lines of mentions or links.
_HEADER = re.compile(
    r"\A(?:[^\n]{1,60}\n(?:(?:✓ ?)?(?:APP|BOT)\n)?)?[^\n]{0,60}— ?\n?[^\n]{0,40}\d{1,2}:\d\d[^\n]{0,6}\n"
    r"|\A\[\d{1,2}:\d\d(?: ?[AP]M)?\] ?[^\n:]{1,40}: ?"
    r"|\A(?:<@[!&]?\d+>|https?://\S+)[ \t]*+\n(?!Negative prompt:|Steps:)"
)


_MENTIONS = re.compile(r"\A(?:(?:<(?:@[!&]?|#|t:|a?:\w{1,32}:)\d++(?::\w)?>)\s*+)++(?!Negative prompt:|Steps:)(?=\S)")


def without_header(text: str) -> str:
    """Return a text without what Discord copies before a message, and without mentions or links before it."""
    text = _MENTIONS.sub("", text)
    for _ in range(3):
        text = _HEADER.sub("", text, count=1)
    return text


def labelled(lines: Sequence[str]) -> list[str]:
    """Return the lines of an infotext with the webui's labels, the prompt's left out, and its order of the parts."""
    lines = _without_headings([_settings(line) if _SETTINGS.search(line) else line for line in lines])
    lines = [_NEGATIVE.sub("Negative prompt:", line) for line in lines]
    if not any(line.startswith("Negative prompt:") for line in lines):
        lines = _negative_found(lines)
    return _in_order(lines)


def _negative_found(lines: list[str]) -> list[str]:
    """Return lines with the label of a negative prompt, where that has a sign instead, or no colon."""
    filled = [number for number, line in enumerate(lines) if line.strip()]
    settings = next((place for place, number in enumerate(filled) if _SETTINGS.search(lines[number])), 0)
    if settings < 2:
        return lines
    first, last = filled[0], filled[settings - 1]
    if _BARE_NEGATIVE.match(lines[last]):
        return [*lines[:last], _BARE_NEGATIVE.sub("Negative prompt: ", lines[last]), *lines[last + 1 :]]
    for wanted, unwanted in _SIGNS:
        negative = [number for number in filled[1:settings] if lines[number].startswith(unwanted)]
        if lines[first].startswith(wanted) and len(negative) == 1:
            changed = {
                first: lines[first].removeprefix(wanted).lstrip(_BEHIND_SIGN),
                negative[0]: f"Negative prompt: {lines[negative[0]].removeprefix(unwanted).lstrip(_BEHIND_SIGN)}",
            }
            return [changed.get(number, line) for number, line in enumerate(lines)]
    return lines


def without_label(lines: list[str]) -> list[str]:
    """Return an infotext's lines without what stands before the label of its prompt, and without the label.

    A negative prompt that stands before it goes behind it.
    """
    for number, line in enumerate(lines):
        if label := _POSITIVE.match(line):
            start = next((n for n, each in enumerate(lines[:number]) if each.startswith("Negative prompt:")), number)
            return [line[label.end() :], *lines[number + 1 :], *lines[start:number]]
    return lines


def _settings(line: str) -> str:
    """Return a line of settings with the webui's separators, and its values bare."""
    for sign, pattern, replacement in _FORMS:
        if sign.search(line):
            line = pattern.sub(replacement, line)
    return line.rstrip(" .;:")


def _without_headings(lines: Sequence[str]) -> list[str]:
    """Return lines whose headings of prompts, each on a line of its own, are labels of what follows."""
    kept: list[str] = []
    heading, has_headings = "", False
    for number, line in enumerate(lines):
        if (_RULE.match(line) and (heading or has_headings)) or (heading and line.strip() in _MODES):
            continue
        if heading and line.strip():
            kept.append(heading + line.strip())
            heading, has_headings = "", True
        elif _NEGATIVE_HEADING.match(line) and lines[number + 1 :]:
            heading = "Negative prompt: "
        elif not has_headings and _POSITIVE_HEADING.match(line) and lines[number + 1 :]:
            heading = "Prompt: "
        elif not (has_headings and _OTHER_HEADING.match(line)) and not (heading and not line.strip()):
            kept.append(line)
    return kept


def _in_order(lines: list[str]) -> list[str]:
    """Return lines with the settings last, where the only ones come before both prompts."""
    settings = [number for number, line in enumerate(lines) if _SETTINGS.search(line)]
    first = next((number for number, line in enumerate(lines) if line.strip()), 0)
    behind = lines[first + 1 :]
    is_label = re.compile(rf"{_POSITIVE.pattern}|(?-i:Negative prompt:)", re.IGNORECASE)
    if settings == [first] and any(map(is_label.match, behind)) and not re.match("Negative", "".join(behind).strip()):
        return [*behind, lines[first]]
    return _negative_first(lines, settings[0]) if len(settings) == 1 else lines


def _negative_first(lines: list[str], settings: int) -> list[str]:
    """Return lines with the only negative prompt before the settings, where it comes after them."""
    at = next((number for number, line in enumerate(lines) if line.startswith("Negative prompt:")), 0)
    if at <= settings:
        return lines
    end = next((number for number in range(at, len(lines)) if not lines[number].strip()), len(lines))
    return [*lines[:settings], *lines[at:end], lines[settings], *lines[settings + 1 : at], *lines[end:]]


def joined_wraps(lines: Iterable[str]) -> list[str]:
    """Return lines in which settings that a program has broken at a blank are one again."""
    kept: list[str] = []
    for line in lines:
        is_rest = kept and re.match(r"Steps: \d+,", kept[-1]) and re.match(r"[^:,\n]{0,40}+, \w[\w ]+: ", line)
        if is_rest:
            kept[-1] = f"{kept[-1]} {line.strip()}"
        else:
            kept.append(line)
    return kept
