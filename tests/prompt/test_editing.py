import pytest

from pastelbot.errors import PromptError
from pastelbot.prompt.editing import prompt_schedule


def test_forms_are_found_inside_text_and_each_other():
    expected = [(1, "a b e"), (2, "a b e"), (3, "a c e"), (4, "a d e")]

    assert expected == prompt_schedule("a [b:[c|d]:0.5] e", 4)


@pytest.mark.parametrize("text", ["[a:b]", "[a:b:c]", "(a|b)", "a | b", "[a:b:0.5", "a:b:0.5]", "[(a:b:0.5]", "a\\"])
def test_what_is_not_quite_a_form_is_text(text):
    assert prompt_schedule(text, 20) == [(20, text)]


def test_a_form_inside_a_bracket_that_is_none_still_counts():
    assert prompt_schedule("((a][:b:c [d:3]", 20) == [(3, "((a][:b:c "), (20, "((a][:b:c d")]


def test_a_stray_bar_makes_the_whole_prompt_text():
    assert prompt_schedule("a | [b:c:5]", 20) == [(20, "a | [b:c:5]")]


def test_a_switch_changes_after_its_step():
    assert prompt_schedule("[a:b:0.5]", 20) == [(10, "a"), (20, "b")]
    assert prompt_schedule("[b:3]", 20) == [(3, ""), (20, "b")]
    assert prompt_schedule("[a:b:0]", 20) == [(20, "b")]
    assert prompt_schedule("[a:b:30]", 20) == [(20, "a")]


def test_the_hires_pass_counts_on_from_the_first():
    assert prompt_schedule("[a:b:0.5]", 20, 12) == [(12, "b")]
    assert prompt_schedule("[a:b:1.5]", 20, 12) == [(6, "a"), (12, "b")]
    assert prompt_schedule("[a:b:25]", 20, 12) == [(5, "a"), (12, "b")]


def test_options_take_turns():
    assert [text for _, text in prompt_schedule("[a|b|c]", 4)] == ["a", "b", "c", "a"]
    assert [text for _, text in prompt_schedule("[fe|]male", 2)] == ["female", "male"]


def test_depth_costs_no_stack():
    deep = "[a:" * 5000 + "b" + ":5]" * 5000

    assert prompt_schedule(deep, 20) != [(5, ""), (20, "b")]  # the outermost switch shows `a` first
    assert prompt_schedule(deep, 20)[-1].text == "b"
    assert prompt_schedule("(" * 5000 + ")" * 5000, 20) == [(20, "(" * 5000 + ")" * 5000)]


def test_a_step_beyond_all_numbers_is_an_error():
    with pytest.raises(PromptError, match="too large"):
        prompt_schedule("[a:b:1e999]", 20)
