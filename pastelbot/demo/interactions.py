"""Interactions as Discord sends them: from what was done on the page to what the bot answers.

The simulator's own actors wait until the bot has nothing left to do, which a bot that paints in the background never
has; so these functions send the same events and wait for the answer alone, three seconds, as Discord does.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from pastelbot.demo.world import Member, Message, World
from pastelbot.errors import RequestError

_ANSWER_SECONDS = 3.0
_LOOK_SECONDS = 0.01
_COMMAND, _COMPONENT, _AUTOCOMPLETE, _MODAL = 2, 3, 4, 5  # interaction types
_MESSAGE_MENU = 3  # application command type
_USER, _CHANNEL, _ROLE, _ATTACHMENT = 6, 7, 8, 11  # option types
_TEXT, _ROW, _LABEL = 10, 1, 18  # component types that others are in, or that only show something
_FILE_UPLOAD, _CHECKBOX = 19, 23

Upload = tuple[str, bytes]
_Interaction: TypeAlias = Any  # of the simulator, an extra


@dataclass(frozen=True, kw_only=True)
class Place:
    """Who does something on the page, where, and in which language."""

    world: World
    member: Member
    channel_id: int
    language: str
    uploads: Mapping[str, Upload] = field(default_factory=dict)

    @property
    def actor(self) -> Member:
        """Return the simulator's handle: of a member, or of a user in direct messages."""
        return self.member if self.guild_id is not None else self.member.user

    @property
    def guild_id(self) -> int | None:
        """Return the server's id; None in direct messages."""
        guild_id: int | None = self.world.env.backend.channels[self.channel_id].guild_id
        return guild_id


async def use_command(place: Place, name: str, typed: Mapping[str, Any]) -> dict[str, Any]:
    """Use a slash command; raises RequestError where an option does not fit."""
    from simcord import interactions

    root = place.world.command(place.member, place.channel_id, name)
    leaf, nesting = interactions.walk_to_subcommand(root, name.split()[1:])
    values = {option["name"]: _value(place, name, option, typed) for option in _given(leaf, place, typed)}
    try:
        options, resolved = interactions.build_options(place.actor, name, leaf, values, channel_id=place.channel_id)
    except Exception as error:
        raise _not_fitting(error) from error
    data = _command_data(root, interactions.nest_options(root, nesting, options))
    return await _send(place, _COMMAND, data | ({"resolved": resolved} if resolved else {}))


async def complete(place: Place, name: str, option: str, typed: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the bot offers for an option that is being typed."""
    from simcord import interactions

    root = place.world.command(place.member, place.channel_id, name)
    leaf, nesting = interactions.walk_to_subcommand(root, name.split()[1:])
    others = {key: value for key, value in typed.items() if key != option}
    values: dict[str, Any] = {}
    for each in _given(leaf, place, others):
        try:
            values[each["name"]] = _value(place, name, each, others)
        except RequestError:
            continue  # what is still being typed does not matter to other options
    options, _ = interactions.build_options(place.actor, name, leaf, values, partial=True, channel_id=place.channel_id)
    declared = {each["name"]: each for each in leaf["options"]}[option]
    focused = {"name": option, "type": declared["type"], "value": str(typed.get(option, "")), "focused": True}
    data = _command_data(root, interactions.nest_options(root, nesting, [*options, focused]))
    return await _send(place, _AUTOCOMPLETE, data)


async def use_menu(place: Place, name: str, message_id: int) -> dict[str, Any]:
    """Use an entry of *Apps* on a message."""
    message = place.world.message(place.member, place.channel_id, message_id)
    root = place.world.command(place.member, place.channel_id, name, menu=True)
    data = {
        "id": root["id"],
        "name": name,
        "type": _MESSAGE_MENU,
        "target_id": str(message_id),
        "resolved": {"messages": {str(message_id): place.world.payload(message)}},
    }
    return await _send(place, _COMMAND, data)


async def use_component(place: Place, message_id: int, custom_id: str, values: list[str] | None) -> dict[str, Any]:
    """Press a button, or choose from a list; raises RequestError where it is gone."""
    from simcord.components import walk_components

    message = place.world.message(place.member, place.channel_id, message_id)
    found = [each for each in walk_components(message.components) if each.get("custom_id") == custom_id]
    if not found or found[0].get("disabled"):
        raise RequestError("This button is gone.")
    data = {"custom_id": custom_id, "component_type": found[0]["type"], "id": found[0].get("id", 0)}
    if values is not None:
        data["values"] = values
    return await _send(place, _COMPONENT, data, message=message)


async def submit_modal(place: Place, interaction_id: int, values: Mapping[str, Any]) -> dict[str, Any]:
    """Send a form that the bot showed; raises RequestError where it is no longer open."""
    from simcord.components import validate_modal

    shown = place.world.env.backend.interactions.get(interaction_id)
    if shown is None or shown.modal is None or shown.modal_consumed or shown.user_id != place.member.id:
        raise RequestError("This form is no longer open.")
    form = validate_modal(shown.modal)
    resolved: dict[str, Any] = {}
    components = [_submitted(place, node, values, resolved) for node in form["components"]]
    shown.modal_consumed = True
    message = None
    if shown.source_message_id is not None:
        message = place.world.message(place.member, shown.channel_id, shown.source_message_id)
    data = {"custom_id": form["custom_id"], "components": components}
    return await _send(place, _MODAL, data | ({"resolved": resolved} if resolved else {}), message=message)


async def _send(place: Place, kind: int, data: dict[str, Any], *, message: Message | None = None) -> dict[str, Any]:
    """Send an interaction to the bot and return its answer as far as it is not a message."""
    from simcord import interactions

    backend = place.world.env.backend
    record, payload = interactions.base_payload(
        backend, type=kind, channel_id=place.channel_id, guild_id=place.guild_id, user_id=place.member.id, data=data
    )
    payload["locale"] = place.language
    if place.guild_id is not None:
        payload["guild_locale"] = place.world.language
    if message is not None:
        payload["message"] = place.world.payload(message)
        record.source_message_id = message.id
    backend.emit("INTERACTION_CREATE", payload)
    await _answered(record)
    if record.modal is not None:
        return {"modal": record.modal, "interaction": str(record.id)}
    return {"choices": record.autocomplete_choices or []} if kind == _AUTOCOMPLETE else {}


async def _answered(record: _Interaction) -> None:
    waited = 0.0
    while not record.responded:
        if waited >= _ANSWER_SECONDS:
            raise RequestError("The application did not respond.")
        await asyncio.sleep(_LOOK_SECONDS)
        waited += _LOOK_SECONDS


def _command_data(root: Mapping[str, Any], options: list[dict[str, Any]]) -> dict[str, Any]:
    return {"id": root["id"], "name": root["name"], "type": root.get("type", 1), "options": options}


def _given(leaf: Mapping[str, Any], place: Place, typed: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the options that were filled in."""
    filled = {*typed, *place.uploads}
    return [option for option in leaf.get("options") or [] if option["name"] in filled]


def _value(place: Place, command: str, option: Mapping[str, Any], typed: Mapping[str, Any]) -> object:
    """Return an option's value as the simulator takes it; raises RequestError where it does not fit."""
    from simcord import interactions

    name = option["name"]
    if option["type"] == _ATTACHMENT:
        return place.uploads[name]
    try:
        if option["type"] in {_USER, _CHANNEL, _ROLE}:
            return _entity(place.world, option["type"], int(typed[name]))
        return interactions.parse_option_input(command, dict(option), typed[name])
    except Exception as error:
        raise _not_fitting(error) from error


def _entity(world: World, kind: int, number: int) -> object:
    """Return the simulator's handle of a user, channel or role."""
    from simcord.builders import ChannelHandle, RoleHandle

    backend = world.env.backend
    if kind == _CHANNEL:
        return ChannelHandle(world.env, world.guild, backend.get_channel(number))
    if kind == _ROLE:
        return RoleHandle(world.env, world.guild, backend.get_role(world.guild.id, number))
    return world.member(backend.get_user(number).name)


def _not_fitting(error: Exception) -> RequestError:
    from simcord.backend.errors import BackendError, SetupError

    if not isinstance(error, BackendError | SetupError):
        raise error
    return RequestError(str(error))


def _submitted(
    place: Place, node: Mapping[str, Any], values: Mapping[str, Any], resolved: dict[str, Any]
) -> dict[str, Any]:
    """Return a part of a form as Discord sends it back."""
    kind, base = node["type"], {"type": node["type"], "id": node["id"]}
    if kind == _TEXT:
        return base
    if kind == _ROW:
        return base | {"components": [_submitted(place, each, values, resolved) for each in node["components"]]}
    if kind == _LABEL:
        return base | {"component": _submitted(place, node["component"], values, resolved)}
    custom_id = node["custom_id"]
    if kind == _FILE_UPLOAD:
        return base | {"custom_id": custom_id, "values": _uploaded(place, custom_id, resolved)}
    value = values.get(custom_id)
    if isinstance(value, list):
        return base | {"custom_id": custom_id, "values": value}
    return base | {"custom_id": custom_id, "value": bool(value) if kind == _CHECKBOX else value or ""}


def _uploaded(place: Place, custom_id: str, resolved: dict[str, Any]) -> list[str]:
    from simcord.interactions import store_interaction_attachment

    if custom_id not in place.uploads:
        return []
    name, content = place.uploads[custom_id]
    backend = place.world.env.backend
    return [store_interaction_attachment(backend, place.channel_id, name, content, resolved)]
