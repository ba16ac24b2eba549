"""A Discord of one server in memory: messages, nonces, interactions and their tokens, as far as the bot uses them.

What it forgets and how long it remembers follows Discord's documentation: an interaction is to be answered within three
seconds and its token works for fifteen minutes; a nonce is compared with those of the last few minutes.
"""

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime

EPOCH_MS = 1420070400000
NONCE_SECONDS = 150.0
ANSWER_SECONDS = 3.0
TOKEN_SECONDS = 900.0
APPLICATION = 4242
GUILD = 7000
ART, MODS, SECOND = CHANNELS = 7001, 7002, 7003
_JOB = re.compile(r"pb:(?:review:)?[a-z]+:([0-9a-f]{12})")
_EPHEMERAL = 64


class ApiError(Exception):
    """Discord's refusal: an HTTP status, and a code of its own."""

    def __init__(self, status, code, text):
        super().__init__(text)
        self.status, self.code, self.text = status, code, text


def unknown(what, code):
    return ApiError(404, code, f"Unknown {what}")


@dataclass(kw_only=True)
class Message:
    """A message of the bot; `pictures` are the contents of its files, `posted` all files that it ever had."""

    id: int
    channel_id: int
    at: float
    content: str = ""
    components: list = field(default_factory=list)
    pictures: tuple = ()
    nonce: str | None = None
    ephemeral: bool = False
    deleted: bool = False
    reference: int | None = None

    @property
    def custom_ids(self):
        return [item.get("custom_id", "") for row in self.components for item in row.get("components", [])]

    @property
    def job_id(self):
        """The job whose buttons it has, or None."""
        found = [match[1] for custom_id in self.custom_ids if (match := _JOB.match(custom_id))]
        return found[0] if found else None

    @property
    def asks_moderators(self):
        return any("review:" in custom_id for custom_id in self.custom_ids)


@dataclass(kw_only=True)
class Interaction:
    """What a user did, and how it was answered."""

    id: int
    token: str
    user_id: int
    channel_id: int
    at: float
    source: int | None = None
    answered: bool = False
    answer: int | None = None


class FakeDiscord:
    """The server's side; `now` is the true time in seconds since 1970, which no clock of the bot can move."""

    def __init__(self, now):
        self.now = now
        self.messages = {}
        self.interactions = {}
        self.commands = []
        self.closed = set()  # channels of a server that the bot was put out of
        self.out_of_reach = set()  # jobs of a time when the bot was out of the server
        self.to_delete = set()  # jobs whose button that deletes was pressed
        self.deleted = set()  # jobs whose message a user deleted, by hand or with the button
        self.texts = {}  # every text that a job's message ever showed, in order
        self.picture_posts = {}  # job -> ids of messages that ever showed its picture
        self.nonce_seconds = NONCE_SECONDS
        self._number = 0

    def snowflake(self):
        self._number += 1
        return (int(self.now() * 1000 - EPOCH_MS) << 22) | (self._number & 0x3FFFFF)

    # What users and the tests see.

    def visible(self, *, job_id=None, reviews=False):
        """Return the messages that are there, in order; of one job, those that show it."""
        return [
            message
            for message in self.messages.values()
            if not message.deleted
            and not message.ephemeral
            and (job_id is None or (message.job_id == job_id and message.asks_moderators == reviews))
        ]

    def interaction(self, user_id, channel_id, source=None):
        """Return a new interaction."""
        number = self.snowflake()
        one = Interaction(
            id=number, token=f"token-{number}", user_id=user_id, channel_id=channel_id, at=self.now(), source=source
        )
        self.interactions[number] = one
        return one

    # Messages.

    def create(self, channel_id, body, files, *, ephemeral=False):
        """Take a new message, or return that which had the same nonce."""
        self.check_channel(channel_id)
        nonce = body.get("nonce")
        if nonce is not None and body.get("enforce_nonce"):
            for message in self.messages.values():
                there = (message.nonce, message.channel_id) == (str(nonce), channel_id)
                if there and self.now() - message.at < self.nonce_seconds:
                    return message
        message = Message(
            id=self.snowflake(),
            channel_id=channel_id,
            at=self.now(),
            nonce=None if nonce is None else str(nonce),
            ephemeral=ephemeral,
            reference=int((body.get("message_reference") or {}).get("message_id") or 0) or None,
        )
        self.messages[message.id] = message
        self.change(message, body, files)
        return message

    def change(self, message, body, files):
        """Write a message's parts that the body names."""
        if "content" in body:
            message.content = body["content"] or ""
        if "components" in body:
            message.components = body["components"] or []
        if "attachments" in body:
            kept = [each for each in body["attachments"] or [] if str(each.get("id")) in files]
            message.pictures = tuple(files[str(each["id"])] for each in kept)
        elif files:
            message.pictures = tuple(files.values())
        job_id = message.job_id
        if job_id is not None and not message.ephemeral and not message.asks_moderators:
            self.texts.setdefault(job_id, []).append(message.content)
            if message.pictures and "seed" in message.content:
                posts = self.picture_posts.setdefault(job_id, [])
                if message.id not in posts:
                    posts.append(message.id)

    def message(self, channel_id, message_id):
        self.check_channel(channel_id)
        message = self.messages.get(message_id)
        if message is None or message.deleted or message.channel_id != channel_id:
            raise unknown("Message", 10008)
        return message

    def check_channel(self, channel_id):
        if channel_id in self.closed:
            raise ApiError(403, 50001, "Missing Access")

    # Interactions.

    def respond(self, number, body, files):
        """Take the first answer to an interaction; return the message it made or changed, or None."""
        one = self.interactions.get(number)
        if one is None or self.now() - one.at > ANSWER_SECONDS:
            raise unknown("interaction", 10062)
        if one.answered:
            raise ApiError(400, 40060, "Interaction has already been acknowledged.")
        one.answered = True
        kind, data = body["type"], body.get("data") or {}
        if kind in (4, 5):
            ephemeral = bool(data.get("flags", 0) & _EPHEMERAL)
            message = self.create(one.channel_id, {**data, "nonce": None}, files, ephemeral=ephemeral)
            one.answer = message.id
            return message
        if kind == 7 and one.source in self.messages:
            self.change(self.messages[one.source], data, files)
        if kind in (6, 7):
            one.answer = one.source
            return self.messages.get(one.source)
        return None

    def by_token(self, token):
        one = next((each for each in self.interactions.values() if each.token == token), None)
        if one is None or self.now() - one.at > TOKEN_SECONDS:
            raise unknown("Webhook", 10015)
        return one

    def original(self, token):
        one = self.by_token(token)
        message = self.messages.get(one.answer)
        if message is None or message.deleted:
            raise unknown("Message", 10008)
        return message

    def follow_up(self, token, body, files):
        one = self.by_token(token)
        if not one.answered:
            raise unknown("Webhook", 10015)
        ephemeral = bool(body.get("flags", 0) & _EPHEMERAL)
        return self.create(one.channel_id, {**body, "nonce": None}, files, ephemeral=ephemeral)

    # What is sent over the wire.

    def payload(self, message):
        """Return a message as Discord describes it."""
        at = datetime.fromtimestamp(message.at, tz=UTC).isoformat()
        return {
            "id": str(message.id),
            "channel_id": str(message.channel_id),
            "author": user(APPLICATION, bot=True),
            "content": message.content,
            "timestamp": at,
            "edited_timestamp": None,
            "tts": False,
            "mention_everyone": False,
            "mentions": [],
            "mention_roles": [],
            "attachments": [attachment(number, size) for number, size in enumerate(map(len, message.pictures))],
            "embeds": [],
            "pinned": False,
            "type": 0,
            "components": message.components,
            "flags": _EPHEMERAL * message.ephemeral,
            **({"nonce": message.nonce} if message.nonce is not None else {}),
        }


def attachment(number, size):
    address = f"https://cdn.invalid/{number}.png"
    return {"id": str(number + 1), "filename": f"{number}.png", "size": size, "url": address, "proxy_url": address}


def user(number, *, bot=False):
    return {
        "id": str(number),
        "username": f"user{number}",
        "discriminator": "0",
        "global_name": None,
        "avatar": None,
        "bot": bot,
    }


def member(number, *, roles=()):
    return {
        "user": user(number),
        "roles": [str(role) for role in roles],
        "joined_at": "2020-01-01T00:00:00+00:00",
        "deaf": False,
        "mute": False,
        "flags": 0,
    }


def guild():
    """Return the server as the gateway describes it."""
    channels = [
        {"id": str(number), "type": 0, "name": name, "position": 0, "permission_overwrites": [], "nsfw": False}
        for number, name in ((ART, "art"), (MODS, "mods"), (SECOND, "second"))
    ]
    everyone = {
        "id": str(GUILD),
        "name": "@everyone",
        "permissions": str(2**40 - 1),
        "position": 0,
        "color": 0,
        "colors": {"primary_color": 0},
        "hoist": False,
        "managed": False,
        "mentionable": False,
        "flags": 0,
    }
    return {
        "id": str(GUILD),
        "name": "server",
        "owner_id": "1",
        "roles": [everyone],
        "emojis": [],
        "features": [],
        "channels": channels,
        "members": [member(APPLICATION)],
        "threads": [],
        "stickers": [],
        "voice_states": [],
        "presences": [],
        "stage_instances": [],
        "soundboard_sounds": [],
        "member_count": 9,
        "large": False,
        "preferred_locale": "en-US",
        "premium_tier": 0,
        "verification_level": 0,
        "nsfw_level": 0,
        "afk_timeout": 300,
        "default_message_notifications": 0,
        "explicit_content_filter": 0,
        "mfa_level": 0,
        "system_channel_flags": 0,
        "premium_progress_bar_enabled": False,
        "guild_scheduled_events": [],
    }
