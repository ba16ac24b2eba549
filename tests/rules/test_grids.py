import pytest

from pastelbot.errors import RequestError
from pastelbot.options.reading import read_grid
from pastelbot.records import GenerationRequest, HiresFix, InitImage
from pastelbot.rules import grids

BASE = GenerationRequest(prompt="mksks style, 1girl, <lora:soft:0.5>", negative_prompt="blurry", seed=7, count=4)


def grid_of(x, y=None, base=BASE):
    axes = [grids.read_axis(*axis) if axis is not None else None for axis in (x, y)]
    return base.replace(grid=grids.make_grid(*axes))


@pytest.mark.parametrize(
    ("kind", "text", "values"),
    [
        ("seed", "1, 2,3", ["1", "2", "3"]),
        ("steps", "1-5", ["1", "2", "3", "4", "5"]),
        ("steps", "5-1", ["5", "4", "3", "2", "1"]),
        ("steps", "20-40 (+10)", ["20", "30", "40"]),
        ("steps", "20-45(+10), 7", ["20", "30", "40", "7"]),
        ("steps", "10-20 [3]", ["10", "15", "20"]),
        ("steps", "3-17 [5]", ["3", "6", "10", "13", "17"]),
        ("steps", "0-1 [4]", ["0", "0", "0", "1"]),
        ("steps", "10-1 (-3)", ["10", "7", "4", "1"]),
        ("cfg", "5-6 (+0.3)", ["5", "5.3", "5.6", "5.9"]),
        ("cfg", "4-7 [3]", ["4", "5.5", "7"]),
        ("cfg", "1-2 (+0.5)", ["1", "1.5", "2"]),
        ("cfg", "3-1 (-1)", ["3", "2", "1"]),
        ("cfg", "7.50", ["7.5"]),
        ("sampler", "Euler a, DPM++ 2M Karras", ["Euler a", "DPM++ 2M Karras"]),
        ("prompt", 'red, "a, b", ', ["red", "a, b", ""]),
        ("matrix", "red | blue, hat |", ["", "red", "blue, hat", "red, blue, hat"]),
    ],
)
def test_values_are_lists_and_ranges(kind, text, values):
    assert list(grids.read_axis(kind, text).values) == values


@pytest.mark.parametrize(
    ("kind", "text", "words"),
    [
        ("size", "1", "cannot change 'size'"),
        ("steps", "", "has no values"),
        ("steps", "a", "is neither a number"),
        ("steps", "1.5", "is not whole"),
        ("cfg", "nan", "is neither a number"),
        ("cfg", "inf", "is neither a number"),
        ("steps", "1-5 (-1)", "never comes to an end"),
        ("steps", "1-5 (+0)", "never comes to an end"),
        ("steps", "1-1000000000", "the cap is 50"),
        ("steps", "1-9 [99999999]", "ask for 1 to 50"),
        ("prompt", ", a", "cannot be empty"),
        ("matrix", " | ", "has no values"),
        ("matrix", "a|b|c|d|e|f", "6 parts has 64 pictures"),
        ("prompt", "a," * 2001, "the limit is 4,000"),
        ("seed", "1e99999", "too large"),
        ("seed", "1e999999999999999999", "too large"),
        ("cfg", "123456789012345678901234567890.125", "too large"),
        ("seed", "1-9999999999999999999999999", "too large"),
        ("seed", f"1-3 [{'9' * 3000}]", "is neither a number"),
    ],
)
def test_what_cannot_be_read_says_so(kind, text, words):
    with pytest.raises(RequestError, match=words.replace("(", r"\(")):
        grids.read_axis(kind, text)


def test_cells_are_rows_of_y_and_columns_of_x():
    cells = grids.pictures_of(grid_of(("steps", "10,20,30"), ("cfg", "5,7")))

    first, second = [(10, 5.0), (20, 5.0), (30, 5.0)], [(10, 7.0), (20, 7.0), (30, 7.0)]
    assert [(cell.steps, cell.cfg_scale) for cell in cells] == [*first, *second]
    assert all(cell.seed == 7 and cell.count == 1 and cell.grid is None for cell in cells)


def test_a_request_without_a_grid_is_its_own_picture():
    assert grids.pictures_of(BASE) == [BASE]


def test_words_of_the_prompt_are_replaced_and_taken_away():
    cells = grids.pictures_of(grid_of(("prompt", '"mksks style, ",""')))

    assert [cell.prompt for cell in cells] == ["mksks style, 1girl, <lora:soft:0.5>", "1girl, <lora:soft:0.5>"]
    assert grids.labels(grids.read_axis("prompt", '"mksks style, ",""')) == ["mksks style", "(without)"]


@pytest.mark.parametrize(
    ("tag", "expected"),
    [
        ("<lora:x:0.5:dyn=8>", "<lora:x:2:dyn=8>"),
        ("<lora:x:0.5:1:8>", "<lora:x:2:dyn=8>"),
        ("<lora:x:0.5:lbw=OUTALL:stop=10>", "<lora:x:2:lbw=OUTALL:stop=10>"),
        ("<lora:x:lbw=1,0:0.5>", "<lora:x:2:lbw=1,0>"),
        ("<lora:x:te=0.2:unet=0.4:dyn=4>", "<lora:x:2:dyn=4>"),
        ("<lyco:x>", "<lyco:x:2>"),
        ("<hypernet:x:1>", "<hypernet:x:1>"),
    ],
)
def test_the_weight_of_a_lora_leaves_its_other_parts(tag, expected):
    base = BASE.replace(prompt=f"a <lora:y:1> {tag} b")

    (cell,) = grids.pictures_of(grid_of(("lora weight", "2"), base=base))

    assert cell.prompt == f"a <lora:y:2> {expected} b"


def test_every_lora_gets_the_weight():
    base = BASE.replace(prompt="a <lora:x:0.5:1> <LORA:y> (b:1.2)")
    cells = grids.pictures_of(grid_of(("lora weight", "0, 0.75"), base=base))

    assert [cell.prompt for cell in cells] == [
        "a <lora:x:0> <LORA:y:0> (b:1.2)",
        "a <lora:x:0.75> <LORA:y:0.75> (b:1.2)",
    ]


def test_the_denoising_strength_is_the_hires_fix_or_the_start_picture():
    cells = grids.pictures_of(grid_of(("denoise", "0.4,0.6"), base=BASE.replace(hires=HiresFix())))
    assert [cell.hires.denoising_strength for cell in cells] == [0.4, 0.6]

    cells = grids.pictures_of(grid_of(("denoise", "0.4,0.6"), base=BASE.replace(init=InitImage.of(b"x"))))
    assert [cell.init.denoising_strength for cell in cells] == [0.4, 0.6]


def test_a_sampler_brings_its_schedule():
    cells = grids.pictures_of(grid_of(("sampler", "Euler a, DPM++ 2M Karras")))

    assert [(cell.sampler, cell.schedule) for cell in cells] == [("Euler a", "Automatic"), ("DPM++ 2M", "Karras")]


@pytest.mark.parametrize(
    ("axis", "base", "words"),
    [
        (("denoise", "0.5"), BASE, "needs the hires fix"),
        (("lora weight", "1"), BASE.replace(prompt="1girl"), "needs a LoRA"),
        (("prompt", "cat,dog"), BASE, "no 'cat' to replace"),
        (("sampler", "Eular"), BASE, "Euler"),
    ],
)
def test_what_does_not_fit_the_request_says_so(axis, base, words):
    with pytest.raises(RequestError, match=words):
        grids.pictures_of(grid_of(axis, base=base))


def test_two_axes_of_one_kind_are_refused():
    with pytest.raises(RequestError, match="Both axes change steps"):
        grid_of(("steps", "1"), ("steps", "2"))


def test_the_infotext_says_what_the_webui_says():
    grid = grid_of(("steps", "10,20"), ("prompt", "mksks style, soft")).grid

    assert grids.describe(grid) == (
        'Script: X/Y/Z plot, X Type: Steps, X Values: "10, 20", Y Type: Prompt S/R, Y Values: "mksks style, soft"'
    )


@pytest.mark.parametrize(("parts", "columns", "rows"), [("a", 2, 1), ("a|b", 2, 2), ("a|b|c", 4, 2), ("a|b|c|d", 4, 4)])
def test_a_prompt_matrix_is_the_webuis_sheet(parts, columns, rows):
    """Part k is in picture n where bit k of n is set, counted row by row; all have one seed."""
    request = grid_of(("matrix", parts), base=BASE.replace(prompt="1girl"))
    names = parts.split("|")
    expected = [
        ", ".join(["1girl", *(name for k, name in enumerate(names) if n >> k & 1)]) for n in range(2 ** len(names))
    ]

    assert (columns, rows) == (len(request.grid.x.values), len(request.grid.y.values) if request.grid.y else 1)
    assert expected == [cell.prompt for cell in grids.pictures_of(request)]
    assert {7} == {cell.seed for cell in grids.pictures_of(request)}


def test_a_prompt_matrix_may_have_parts_on_both_axes():
    request = grid_of(("matrix", "a"), ("matrix", "b"), base=BASE.replace(prompt="1girl"))

    assert ["1girl", "1girl, a", "1girl, b", "1girl, a, b"] == [cell.prompt for cell in grids.pictures_of(request)]
    assert ["(without)", "a"] == grids.labels(request.grid.x)


def test_columns_change_a_prompt_before_rows_do():
    """As in the webui, where the words of the rows may be looked for in those of the columns."""
    request = grid_of(("prompt", "1girl, cat"), ("prompt", "cat, dog"), base=BASE.replace(prompt="1girl, cat"))

    assert ["1girl, cat", "cat, cat", "1girl, dog", "dog, dog"] == [cell.prompt for cell in grids.pictures_of(request)]


def test_the_axes_of_an_infotext_are_typed_again():
    grid = read_grid("cfg", "5, 7", "prompt", "red, blue")
    one = read_grid("lora weight", "0.5", None, None)

    assert grids.typed_axes(f"Steps: 8, {grids.describe(grid)}") == {"X": ("cfg", "5, 7"), "Y": ("prompt", "red, blue")}
    assert grids.typed_axes(f"Steps: 8, {grids.describe(one)}") == {"X": ("lora weight", "0.5")}
    assert grids.typed_axes("X Type: Nothing known, X Values: 5, Steps: 8") == {}
