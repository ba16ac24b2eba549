"""What questions and answers are about: their words, each in one form."""

import re

# Words that say nothing of what is asked.
_IDLE = re.compile(
    "a|an|and|any|at|can|could|do|does|for|get|give|have|how|i|in|is|it|its|make|me|my|not|of|on|one|or|paint|painted|"
    "picture|please|so|something|that|the|them|this|to|under|use|want|what|where|which|with|you|your"
)
# Other words for those of the answers.
_SAME = {
    "big": "bigger",
    "larger": "bigger",
    "large": "bigger",
    "upscale": "bigger",
    "enlarge": "bigger",
    "wide": "landscape",
    "wider": "landscape",
    "horizontal": "landscape",
    "portrait": "tall",
    "vertical": "tall",
    "without": "avoid",
    "remove": "avoid",
    "exclude": "avoid",
    "several": "four",
    "multiple": "four",
    "stop": "cancel",
    "abort": "cancel",
    "secret": "hide",
    "hidden": "hide",
    "repeat": "again",
    "reproduce": "again",
}
_SHORT = 3  # letters of words whose last s is no plural
_PAIR = re.compile("(?![ぁ-ゟ]{2})[0-9ぁ-ヿ一-鿿]{2}")


def words_of(text: str) -> set[str]:
    """Return the words of a text that say what it is about.

    Japanese has no blanks: pairs of signs stand for words, where not both of them are hiragana.
    """
    found = [word.removesuffix("s") if len(word) > _SHORT else word for word in re.findall("[a-z]+", text.casefold())]
    pairs = {text[place : place + 2] for place in range(len(text) - 1) if _PAIR.match(text, place)}
    return {_SAME.get(word, word) for word in found if not _IDLE.fullmatch(word)} | pairs
