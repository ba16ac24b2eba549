"""Discord's rules for what a bot sends: its own description of the interface, and limits that are not in there.

Every studio holds what its bot has sent against them when it closes.
"""

import functools
import json
import re
from pathlib import Path

import jsonschema_rs

DESCRIPTION = Path(__file__).parents[3] / "shared" / "openapi.json"
NAME = re.compile(r"[-_\w]{1,32}")
MESSAGES = re.compile(r"/messages(?:/[^/]+)?$|/callback$|/webhooks/")


def check_requests(requests, owners):
    """Check the bodies of all requests; without Discord's description beside the project, the limits alone.

    `owners` are the people by the ids of their jobs.
    """
    for request in requests:
        if request.json is not None:
            check_shape(request.method, request.path, json.dumps(request.json))
            check_limits(request.path, request.json)
            check_mentions(request.path, request.json, owners)


@functools.cache
def check_shape(method, path, text):
    """Hold a body against Discord's own schema."""
    if not DESCRIPTION.is_file():
        return
    body = with_text_ids(json.loads(text))
    errors = list(validator(method, template_of(method, path)).iter_errors(body))
    assert not errors, f"{method} {path}: {errors[0].message} in {body}"


@functools.cache
def description():
    return json.loads(DESCRIPTION.read_text(encoding="utf-8"))


@functools.cache
def template_of(method, path):
    """Return the path of the description that this path is one of."""
    for template, operations in description()["paths"].items():
        pattern = re.sub(r"\{[^}]+\}", "[^/]+", template)
        if re.fullmatch(pattern, path) and method.lower() in operations and not template.endswith("@me"):
            return template
    raise AssertionError(f"Discord has no {method} {path}")


@functools.cache
def validator(method, template):
    described = description()
    schema = described["paths"][template][method.lower()]["requestBody"]["content"]["application/json"]["schema"]
    return jsonschema_rs.Draft202012Validator({**schema, "components": described["components"]})


def with_text_ids(body):
    """Write discord.py's numbers for attachments, people and rights as text: Discord takes both, its schemas one."""
    if isinstance(body, dict):
        changed = {key: with_text_ids(value) for key, value in body.items()}
        if "filename" in body:
            changed["id"] = str(body["id"])
        if "recipient_id" in body:
            changed["recipient_id"] = str(body["recipient_id"])
        if "fail_if_not_exists" in body:
            changed |= {key: str(value) for key, value in body.items() if key.endswith("_id")}
        if isinstance(body.get("users"), list):
            changed["users"] = [str(user) for user in body["users"]]
        return changed
    return [with_text_ids(value) for value in body] if isinstance(body, list) else body


def check_mentions(path, body, owners):
    """Check that a message says whom it notifies: no user, or with a job's nonce the job's owner."""
    if not MESSAGES.search(path) or ("/callback" in path and body["type"] not in {4, 7}):
        return
    message = body["data"] if "/callback" in path else body
    assert "allowed_mentions" in message, f"{path}: {message}"
    allowed = message["allowed_mentions"]
    assert not any(allowed.get(key) for key in ("parse", "roles", "replied_user")), message
    for person in allowed.get("users", []):
        job_id = str(message.get("nonce", "")).partition(":")[0]
        assert owners.get(job_id, person) == person, message
        assert job_id, message
    assert len(allowed.get("users", [])) <= 1, message


def check_limits(path, body):
    """Check sizes and counts that discord.py does not."""
    if "/commands" in path:
        check_commands(body)
    elif isinstance(body, dict):
        check_message(body.get("data") if "/callback" in path else body)


def check_commands(commands):
    """Check how many commands and menus there are, and their names, descriptions, options and translations."""
    assert len([command for command in commands if command.get("type", 1) == 1]) <= 100
    for kind in (2, 3):
        assert len([command for command in commands if command.get("type", 1) == kind]) <= 5
    for command in commands:
        if command.get("type", 1) == 1:
            assert size_of(command) <= 8000, f"/{command['name']} is too long"
            check_command(command, f"/{command['name']}")
        else:
            assert all(1 <= len(name) <= 32 for name in texts(command, "name"))


def check_command(part, path):
    """Check a command, group or option, and what is inside it."""
    for name in texts(part, "name"):
        assert NAME.fullmatch(name), f"{path}: {name!r}"
        assert name == name.lower(), f"{path}: {name!r}"
    for text in texts(part, "description"):
        assert 1 <= len(text) <= 100, f"{path}: {text!r}"
    assert len(part.get("choices", [])) <= 25, path
    for choice in part.get("choices", []):
        assert all(1 <= len(name) <= 100 for name in texts(choice, "name")), path
        assert len(str(choice["value"])) <= 100, path
    options = part.get("options", [])
    assert len(options) <= 25, path
    for language in (None, "ja"):
        names = [(option.get("name_localizations") or {}).get(language, option["name"]) for option in options]
        assert len(set(names)) == len(names), f"{path}: {names}"
    for option in options:
        check_command(option, f"{path} {option['name']}")


def texts(part, key):
    """Return a text and its translations."""
    return [part[key], *(part.get(f"{key}_localizations") or {}).values()]


def size_of(part):
    """Count what Discord counts for its 8,000 characters: the longest language of each name and description."""
    own = sum(max(map(len, texts(part, key))) for key in ("name", "description") if part.get(key))
    choices = sum(
        max(map(len, texts(choice, "name"))) + len(str(choice["value"])) for choice in part.get("choices", [])
    )
    return own + choices + sum(map(size_of, part.get("options", [])))


def check_message(data):
    """Check a message, an answer, a list of completions or a modal."""
    if not data:
        return
    if "choices" in data:
        assert len(data["choices"]) <= 25
        for choice in data["choices"]:
            assert 1 <= len(choice["name"]) <= 100, choice
            assert len(str(choice["value"])) <= 100, choice
    assert len(data.get("content") or "") <= 2000, data["content"]
    assert len(data.get("title") or "") <= 45, data["title"]
    assert len(data.get("attachments") or []) <= 10
    embeds = data.get("embeds") or []
    assert len(embeds) <= 10
    assert sum(map(check_embed, embeds)) <= 6000
    new_kind = bool((data.get("flags") or 0) & 1 << 15)
    components = data.get("components") or []
    assert len(components) <= (40 if new_kind else 5)
    assert sum(map(check_component, components)) <= 4000 or not new_kind


def check_embed(embed):
    """Return the characters of an embed."""
    parts = [
        (embed.get("title"), 256),
        (embed.get("description"), 4096),
        ((embed.get("footer") or {}).get("text"), 2048),
        ((embed.get("author") or {}).get("name"), 256),
    ]
    assert len(embed.get("fields", [])) <= 25
    for field in embed.get("fields", []):
        assert field["name"]
        assert field["value"]
        parts += [(field["name"], 256), (field["value"], 1024)]
    for text, limit in parts:
        assert len(text or "") <= limit, text
    return sum(len(text or "") for text, _ in parts)


def check_component(part):
    """Check a component and what is inside it; return the characters of its texts."""
    is_modal_label = part["type"] == 18
    for key, limit in {"custom_id": 100, "placeholder": 150, "label": 45 if is_modal_label else 80}.items():
        assert len(part.get(key) or "") <= limit, part
    if part["type"] == 18:
        assert len(part.get("description") or "") <= 100, part
    if part["type"] == 4:
        assert len(part.get("value") or "") <= min(4000, part.get("max_length", 4000)), part
    if part["type"] == 2 and part.get("style") not in {5, 6}:
        assert part.get("label") or part.get("emoji"), part
        assert part["custom_id"], part
    options = part.get("options", [])
    assert len(options) <= 25, part
    for option in options:
        assert all(1 <= len(str(option.get(key) or " ")) <= 100 for key in ("label", "value", "description")), option
    assert len({option["value"] for option in options}) == len(options), part
    inner = [*part.get("components", []), *(part[key] for key in ("component", "accessory") if part.get(key))]
    if part["type"] == 1:
        assert 1 <= len(inner) <= 5, part
    if part["type"] == 12:
        assert 1 <= len(part["items"]) <= 10, part
    return len(part.get("content") or "") + sum(map(check_component, inner))
