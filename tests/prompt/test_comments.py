from pastelbot.prompt.comments import strip_comments


def test_comments_end_with_their_line():
    assert strip_comments("a # b\n# c\nd") == "a \nd"


def test_text_without_comments_stays():
    assert strip_comments("a\n\nb") == "a\n\nb"
