"""What users do: commands and buttons, as Discord sends them to the bot."""

from simulation.fake_discord import APPLICATION, ART, GUILD, MODS, member, user

PEOPLE = (101, 102, 103)
MODERATOR = 900
_ALL = str(2**40 - 1)
_NONE = str(0x8000 | 0x400 | 0x800)
PROMPTS = ("1girl", "1girl, red hair", "{cat,dog} ears", "sky, {a,b,c}")


class Users:
    """The people of the server; `send` takes an event of Discord's gateway to the bot."""

    def __init__(self, random, discord, trace):
        self.random = random
        self.discord = discord
        self.trace = trace

    def imagine(self, send):
        """Ask for a picture, or for several."""
        options = {"prompt": self.random.choice(PROMPTS), "count": self.random.choice((1, 1, 1, 2, 3))}
        if self.random.random() < 0.15:
            options["private"] = True
        if self.random.random() < 0.1:
            options["seed"] = self.random.randint(1, 3)
        self.command(send, self.random.choice(PEOPLE), "imagine", **options)

    def command(self, send, person, *names, **options):
        """Type a command; the names of groups come before its own."""
        data = {"name": names[-1], "type": 1, "options": [_option(*each) for each in options.items()]}
        for depth, name in enumerate(reversed(names[:-1])):
            data["type"] = 1 + (depth > 0)
            data = {"name": name, "type": 1, "options": [data]}
        data |= {"id": "1", "type": 1, "guild_id": str(GUILD), "resolved": _resolved(options)}
        self._send(send, 2, person, ART, data)

    def click(self, send):
        """Press a button of any message that is there: mostly one's own."""
        there = [each for each in self.discord.messages.values() if each.custom_ids and not each.deleted]
        there = [each for each in there if each.channel_id not in self.discord.closed]
        if not there:
            return
        message = self.random.choice(there[-12:])
        custom_id = self.random.choice(message.custom_ids)
        if ":edit:" in custom_id or ":seed:" in custom_id:
            return
        person = MODERATOR if message.channel_id == MODS else self._owner(message)
        if self.random.random() < 0.1:
            person = self.random.choice((*PEOPLE, MODERATOR))
        if ":delete:" in custom_id or ":remove:" in custom_id:
            self.discord.to_delete.add(message.job_id)
        data = {"custom_id": custom_id, "component_type": 2}
        times = 2 if self.random.random() < 0.15 else 1
        self._send(send, 3, person, message.channel_id, data, message=message, times=times)

    def _owner(self, message):
        if message.channel_id // 10 in PEOPLE:
            return message.channel_id // 10
        answered = [each.user_id for each in self.discord.interactions.values() if each.answer == message.id]
        return answered[0] if answered else self.random.choice(PEOPLE)

    def _send(self, send, kind, person, channel, data, *, message=None, times=1):
        one = self.discord.interaction(person, channel, message.id if message is not None else None)
        sent = data["name"] if "name" in data else data["custom_id"]
        self.trace("user", person, sent, *(["twice"] if times > 1 else []))
        body = {
            "id": str(one.id),
            "application_id": str(APPLICATION),
            "type": kind,
            "data": data,
            "channel_id": str(channel),
            "token": one.token,
            "version": 1,
            "app_permissions": _ALL,
            "locale": "en-US",
            "entitlements": [],
            "authorizing_integration_owners": {},
            "attachment_size_limit": 10 * 2**20,
            **({"message": self.discord.payload(message)} if message is not None else {}),
            **self._place(person, channel),
        }
        for _time in range(times):
            send("INTERACTION_CREATE", body)

    @staticmethod
    def _place(person, channel):
        if channel // 10 in PEOPLE:
            return {"user": user(person), "channel": {"id": str(channel), "type": 1, "recipients": [user(person)]}}
        rights = _ALL if person == MODERATOR else _NONE
        return {
            "guild_id": str(GUILD),
            "guild_locale": "en-US",
            "member": {**member(person), "permissions": rights},
            "channel": {"id": str(channel), "type": 0, "name": "art", "position": 0, "permission_overwrites": []},
        }


def _option(name, value):
    """Return an option as Discord sends it: a truth value, a person, a whole number, a number or a text."""
    if isinstance(value, bool):
        return {"name": name, "type": 5, "value": value}
    if value in PEOPLE:
        return {"name": name, "type": 6, "value": str(value)}
    kind = {int: 4, float: 10}.get(type(value), 3)
    return {"name": name, "type": kind, "value": value}


def _resolved(options):
    people = [value for value in options.values() if value in PEOPLE]
    return {
        "users": {str(number): user(number) for number in people},
        "members": {str(number): {**member(number), "permissions": _NONE} for number in people},
    }
