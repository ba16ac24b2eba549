import pytest

from pastelbot.errors import PromptError
from pastelbot.prompt import check, check_not_blank
from pastelbot.prompt.word_list import painted_texts


@pytest.mark.parametrize(
    "prompt", ["", "(a:1.2)", "((((", "[a:b", "a AND b :1.2.3", "<lora:x:1.2.3>", "(" * 5000, "a\\"]
)
def test_forgiven_prompts_pass(prompt):
    check(prompt)

    assert list(painted_texts(prompt, steps=20))


@pytest.mark.parametrize(("prompt", "position"), [("a (b:1.2.3)", 5), ("x AND (b:1..)", 9), ("[a:(b:1.2.3):0.5]", 6)])
def test_errors_are_named_with_their_place_in_the_whole_prompt(prompt, position):
    with pytest.raises(PromptError) as caught:
        check(prompt)

    assert position == caught.value.position


def test_an_error_only_the_hires_pass_would_meet_is_found():
    with pytest.raises(PromptError):
        check("[a:(b:1.2.3):25]", steps=20, hires_steps=20)


def test_and_divides_only_a_prompt_that_is_not_negative():
    check("(a AND b:1.2.3)")
    with pytest.raises(PromptError):
        check("(a AND b:1.2.3)", negative=True)


@pytest.mark.parametrize(
    "prompt", [", ,,", "BREAK", "AND", " AND ,", "{}", "{,}", "((()))", "[|]", "(,:1.3)", "[,::0.5]", "、，"]
)
def test_a_prompt_of_separators_alone_is_refused(prompt):
    with pytest.raises(PromptError, match="nothing but commas"):
        check_not_blank(prompt)


@pytest.mark.parametrize(
    "prompt", ["1girl", ":3", "^_^", "...", "!", "<lora:soft:0.8>", "AND a", "BREAKFAST", "(a:1.2)", "__hair__", "髪"]
)
def test_a_prompt_of_a_sign_or_a_lora_alone_is_painted(prompt):
    check_not_blank(prompt)
