"""Descriptions in Discord's menus have one style: of commands a sentence with its stop, of options none."""


def described(commands, *, options=False):
    """Yield the name and each language's description of commands and groups, or of their options."""
    for each in commands:
        is_command = each.get("type", 1) in (1, 2)
        if is_command is not options and each.get("description"):
            texts = {"en": each["description"], **(each.get("description_localizations") or {})}
            yield from ((each["name"], language, text) for language, text in texts.items())
        yield from described(each.get("options") or [], options=options)


async def test_commands_and_groups_are_described_by_sentences_with_their_stops(new_studio):
    (commands,) = new_studio.sent("commands", "PUT")
    found = list(described(commands))

    assert {"en", "ja"} == {language for _name, language, _text in found}
    assert [each for each in found if not each[2].endswith("。" if each[1] == "ja" else ".")] == []


async def test_options_are_described_without_a_stop_at_the_end(new_studio):
    (commands,) = new_studio.sent("commands", "PUT")
    found = list(described(commands, options=True))

    assert len(found) > 200
    assert [each for each in found if each[2].endswith((".", "。"))] == []
