"""The commands as people know them: what was sent to Discord once is still there under its name, and means the same.

Commands, options and choices may be added, and descriptions may become clearer. A name, a type, a translation of a
name or a choice that is out there stays, and nothing that could be left out becomes required.
"""

import json
from pathlib import Path

RECORD = Path(__file__).parent / "data" / "commands.json"

_KEPT = ("type", "name_localizations", "channel_types", "default_member_permissions", "dm_permission", "nsfw")
_RANGES = (("min_value", min), ("min_length", min), ("max_value", max), ("max_length", max))


def recorded(command):
    """Return what of a command, or of an option, a record keeps."""
    kept = {key: command[key] for key in ("name", *_KEPT) if command.get(key) is not None}
    kept |= {key: command[key] for key, _wider in _RANGES if command.get(key) is not None}
    if command.get("required"):
        kept["required"] = True
    if command.get("choices"):
        kept["choices"] = [
            {key: choice[key] for key in ("name", "value", "name_localizations") if choice.get(key) is not None}
            for choice in command["choices"]
        ]
    if command.get("options"):
        kept["options"] = [recorded(option) for option in command["options"]]
    return kept


def broken(then, now, path):
    """Yield what of a recorded command is not as it was."""
    yield from (f"{path}: {key}" for key in _KEPT if then.get(key) != now.get(key))
    for key, wider in _RANGES:
        if key in now and (key not in then or wider(then[key], now[key]) != now[key]):
            yield f"{path}: {key} is narrower"
    if now.get("required") and not then.get("required"):
        yield f"{path}: is required now"
    choices = now.get("choices", [])
    if choices and "choices" not in then:
        yield f"{path}: anything could be typed"
    yield from (f"{path}: choice {choice['name']}" for choice in then.get("choices", []) if choice not in choices)
    yield from missing(then.get("options", []), now.get("options", []), path)


def missing(then, now, path):
    """Yield what of the recorded commands or options is no longer there, or not as it was."""
    there = {each["name"]: each for each in now}
    for each in then:
        inner = f"{path} {each['name']}".strip()
        yield from broken(each, there[each["name"]], inner) if each["name"] in there else [f"{inner}: is gone"]
    known = {each["name"] for each in then}
    yield from (
        f"{path} {each['name']}: is new, and required"
        for each in now
        if each["name"] not in known and each.get("required")
    )


async def test_all_recorded_commands_are_there_as_they_were(new_studio):
    then = json.loads(RECORD.read_text(encoding="utf-8"))
    (commands,) = new_studio.sent("commands", "PUT")
    now = [recorded(command) for command in commands]

    assert list(missing(then, now, "")) == []


def unrecorded(then, now):
    """Yield what is new since the record, ready to be added to it."""
    there = {each["name"]: each for each in then}
    for each in now:
        if each["name"] not in there:
            yield json.dumps(each, ensure_ascii=False)
        else:
            yield from unrecorded(there[each["name"]].get("options", []), each.get("options", []))


async def test_all_that_is_sent_is_recorded(new_studio):
    """What is not in the record can be renamed tomorrow."""
    then = json.loads(RECORD.read_text(encoding="utf-8"))
    (commands,) = new_studio.sent("commands", "PUT")

    assert list(unrecorded(then, [recorded(command) for command in commands])) == []


def orders(then, now, path=""):
    """Yield where the options that were there before are in another order."""
    there = {each["name"]: each for each in now}
    for each in then:
        inner = f"{path} {each['name']}".strip()
        before = [option["name"] for option in each.get("options", [])]
        after = [option["name"] for option in there[each["name"]].get("options", []) if option["name"] in before]
        if before != after:
            yield f"{inner}: {after}"
        yield from orders(each.get("options", []), there[each["name"]].get("options", []), inner)


async def test_options_are_in_the_order_that_people_know(new_studio):
    then = json.loads(RECORD.read_text(encoding="utf-8"))
    (commands,) = new_studio.sent("commands", "PUT")

    assert list(orders(then, commands)) == []


async def test_what_would_break_a_user_is_found(new_studio):
    (commands,) = new_studio.sent("commands", "PUT")
    then = [recorded(command) for command in commands]

    def problems(change):
        now = json.loads(json.dumps(then))
        change({command["name"]: command for command in now})
        return list(missing(then, now, ""))

    def options(commands):
        return {option["name"]: option for option in commands["imagine"]["options"]}

    assert problems(lambda commands: commands["imagine"].update(name="paint")) == ["imagine: is gone"]
    assert problems(lambda commands: options(commands)["seed"].update(type=3)) == ["imagine seed: type"]
    assert problems(lambda commands: options(commands)["seed"].update(required=True)) == [
        "imagine seed: is required now"
    ]
    assert problems(lambda commands: commands["gallery"]["options"][0]["choices"].pop(0)) == [
        "gallery view: choice newest"
    ]
    assert problems(
        lambda commands: commands["queue"].update(options=[{"name": "a", "type": 3, "required": True}])
    ) == ["queue a: is new, and required"]
    assert problems(lambda commands: options(commands)["steps"].update(max_value=2)) == [
        "imagine steps: max_value is narrower"
    ]
