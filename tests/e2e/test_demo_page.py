"""The demo's page in a real browser, as newcomers use it."""

import shutil

import pytest
from helpers.demo import running_demo
from helpers.support import PATIENCE

pytest.importorskip("simcord", reason="the demo extra is not installed")
playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = [pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine"), pytest.mark.long]

PROMPT = "#option-prompt"
QUICK = " --steps 4 --nohires"  # a twentieth of the usual picture's processor time, where its size does not matter


@pytest.fixture(scope="module")
def url(request):
    with running_demo(request.config.rootpath) as (_process, address):
        yield address


@pytest.fixture(scope="module")
def japanese_url(request):
    """The address of a demo whose server is Japanese."""
    with running_demo(request.config.rootpath, "--language", "ja") as (_process, address):
        yield address


@pytest.fixture(scope="module")
def browser():
    with playwright.sync_playwright() as tools:
        chromium = tools.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.fixture
def errors():
    return []


@pytest.fixture
def open_page(browser, url, errors):
    """Return what opens a page as a member; no page may raise an error of its own."""
    contexts = []

    def opened(member="hana", *, width=1200, language="en", touch=False, at=url, locale="en-US"):
        viewport = {"width": width, "height": 800}
        context = browser.new_context(viewport=viewport, has_touch=touch, bypass_csp=True, locale=locale)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(1000 * PATIENCE)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(f"{at}?as={member}" + (f"&language={language}" if language else ""))
        page.wait_for_selector(".message")
        return page

    yield opened
    for context in contexts:
        context.close()
    assert [] == errors


def painted(page, prompt):
    """Wait until the newest message of a prompt has its picture, and return it."""
    message = page.locator(".message", has=page.locator("[data-custom^='pb:reroll']"), has_text=prompt).last
    message.wait_for()
    message.locator(".picture img").first.evaluate("image => image.decode()")
    return message


BOXES = """(message, parts) => {
    const top = message.getBoundingClientRect().y
    const found = [...message.querySelectorAll(parts)].map(each => each.getBoundingClientRect())
    return found.map(box => ({x: box.x, right: box.right, y: box.y - top, bottom: box.bottom - top}))
}"""


def boxes(message, parts):
    """Return where parts of a message are, in pixels below its top, all in one moment: the page follows what comes."""
    return message.evaluate(BOXES, parts)


def bottoms(message):
    """Return where the pictures of a message end."""
    return [box["bottom"] for box in boxes(message, ".picture")]


def answered(page, button):
    """Press a button and return the private message that answers: one that was not there, as it may replace another."""
    seen = page.locator(".message.private").evaluate_all("found => found.map(each => each.dataset.message)")
    button.click()
    new = page.locator(".message.private" + "".join(f":not([data-message='{each}'])" for each in seen))
    new.wait_for()
    return page.locator(f"[data-message='{new.get_attribute('data-message')}']")


def paint(page, prompt, quick=QUICK, **options):
    """Type a whole command and send it; `quick`: flags that make it short."""
    page.keyboard.type(f"/imagine {prompt}")
    page.keyboard.insert_text(quick)
    for name, value in options.items():
        page.focus("#add")
        page.keyboard.type(name)
        page.keyboard.press("Enter")
        page.keyboard.type(value)
    page.click("#send")


def typed(page, text):
    """Type a text and wait for what the bot offers."""
    page.keyboard.type(text)
    page.wait_for_selector("#popup li[role=option]")


def test_two_tags_completed_with_the_keyboard_are_painted_as_meant(open_page):
    page = open_page()
    page.keyboard.type("/imagine ")
    typed(page, "1girl, red hai")
    page.keyboard.press("Enter")
    typed(page, ", smil")
    page.keyboard.press("Enter")

    assert "1girl, red hair, smile" == page.input_value(PROMPT)
    page.keyboard.press("Enter")
    painted(page, "1girl, red hair, smile")


def unpainted(page):
    """Answer commands in the bot's place, and return the list to which what is sent is added."""
    sent = []

    def answer(route):
        sent.append(route.request.post_data)
        route.fulfill(json={})

    page.route("**/command", answer)
    return sent


@pytest.mark.parametrize("text", ["1girl, red hair", "1girl, Smile", "1girl,  smile ", "smile"])
def test_enter_sends_where_the_offer_is_what_is_typed(open_page, text):
    page = open_page()
    sent = unpainted(page)
    page.keyboard.type("/imagine ")
    typed(page, text)
    page.keyboard.press("Enter")
    page.wait_for_selector("#text")

    assert 1 == len(sent)
    assert f'"prompt":"{text}"' in sent[0]


def test_enter_sends_the_choice_that_is_typed_and_not_the_first_of_the_list(open_page):
    page = open_page()
    sent = unpainted(page)
    page.keyboard.type("/imagine 1girl")
    page.focus("#add")
    for text in ("sampler", "euler a"):
        typed(page, text)
        page.keyboard.press("Enter")
    page.wait_for_selector("#text")

    assert '"sampler":"Euler a"' in sent[0]


def test_escape_leaves_a_command_without_options(open_page):
    page = open_page()
    page.keyboard.type("/queue")
    page.keyboard.press("Enter")
    page.wait_for_selector(".command-name")
    page.keyboard.press("Escape")

    assert "text" == page.evaluate("document.activeElement.id")


def test_enter_pressed_before_the_offer_arrives_sends_nothing_unseen(open_page):
    page = open_page()
    page.keyboard.type("/imagine ")
    page.keyboard.type("1girl, red hai")
    page.keyboard.press("Enter")

    page.wait_for_function(f"document.querySelector('{PROMPT}').value === '1girl, red hair'")
    assert page.evaluate("document.activeElement.id") == "option-prompt"


@pytest.mark.parametrize(("width", "touch"), [(1200, False), (390, True)])
def test_a_tag_taken_by_mouse_or_touch_keeps_focus_and_caret(open_page, width, touch):
    page = open_page(width=width, touch=touch)
    page.locator("#text").tap() if touch else page.locator("#text").click()
    page.keyboard.type("/imagine ")
    typed(page, "1girl, red hai")
    offer = page.locator("#popup li[role=option]").first
    offer.tap() if touch else offer.click()
    page.keyboard.type(", smile, ")

    assert "1girl, red hair, smile, " == page.input_value(PROMPT)
    page.keyboard.type("pink background")
    page.locator("#send").tap() if touch else page.locator("#send").click()
    picture = painted(page, "smile, pink background").locator(".picture").bounding_box()
    assert picture["x"] >= 0
    assert picture["x"] + picture["width"] <= width


def test_the_picture_stands_before_the_buttons_and_the_page_follows(open_page):
    page = open_page()
    paint(page, "1girl, blue hair, glasses", quick=" --steps 4")
    message = painted(page, "1girl, blue hair, glasses")

    assert bottoms(message)[0] <= boxes(message, ".row")[0]["y"]
    assert message.locator(".row").last.bounding_box()["y"] < 800


def test_four_pictures_stand_two_by_two(open_page):
    page = open_page()
    paint(page, "1boy, grin", quick=" --steps 4", count="4")
    found = boxes(painted(page, "1boy, grin"), ".picture")

    assert 4 == len(found)
    assert (2, 2) == (len({round(box["x"]) for box in found}), len({round(box["y"]) for box in found}))


def test_a_preview_stays_until_the_next_is_loaded(open_page):
    page = open_page()
    paint(page, "1girl, wink", quick="")
    message = page.locator(".message", has_text="1girl, wink").last
    message.locator(".picture img").evaluate("image => image.decode()")
    page.evaluate(
        """() => { window.empty = 0; const look = () => {
            const image = document.querySelector('.message:last-child .picture img');
            if (!image || !image.naturalWidth) window.empty += 1;
            requestAnimationFrame(look); }; look(); }"""
    )
    painted(page, "1girl, wink")

    assert 0 == page.evaluate("window.empty")


def test_an_empty_prompt_offers_ready_ones_and_options_say_what_they_do(open_page):
    page = open_page()
    typed(page, "/imagine ")
    page.wait_for_selector("#popup li.title")
    assert "1girl, red hair, smile, pink background" == page.locator("#popup li[role=option]").first.inner_text()

    page.focus("#add")
    assert "What to avoid" in page.locator("#popup li[role=option]").first.inner_text()


def test_a_wrong_value_is_said_beside_what_was_typed(open_page):
    page = open_page()
    paint(page, "1girl", quick="", seed="many")

    page.wait_for_selector("#error:not([hidden])")
    assert "seed" in page.locator("#error").inner_text()
    assert ("1girl", "many") == (page.input_value(PROMPT), page.input_value("#option-seed"))


def test_more_opened_again_takes_the_place_of_the_panel_before(open_page):
    page = open_page()
    paint(page, "1girl, twintails")
    message = painted(page, "1girl, twintails")
    first = answered(page, message.get_by_text("More"))
    second = answered(page, message.get_by_text("More"))
    first.wait_for(state="detached")

    assert second.is_visible()


def test_edit_opens_the_form_with_the_prompt(open_page):
    page = open_page()
    paint(page, "1girl, ahoge")
    painted(page, "1girl, ahoge").get_by_text("Edit").click()

    page.wait_for_selector("#form[open]")
    assert "1girl, ahoge" == page.locator("#form textarea").first.input_value()
    page.locator("#form textarea").first.fill("1girl, bob cut")
    page.locator("#form [value=send]").click()
    painted(page, "1girl, bob cut")


@pytest.mark.parametrize("flags", ["", " --nohires"], ids=["vary", "hires"])
@pytest.mark.parametrize(("server", "language"), [("url", "en"), ("japanese_url", "ja")])
def test_on_a_phone_the_buttons_stand_in_one_row(open_page, server, language, flags, request):
    """The labels are in the server's language; at 390 pixels there is room for fonts that are a tenth wider."""
    page = open_page(width=390, touch=True, at=request.getfixturevalue(server), language=language)
    paint(page, f"1girl, short hair{flags}", quick=" --steps 4")
    message = painted(page, "1girl, short hair")
    row, *buttons = (box["right"] for box in boxes(message, ".row, .row button"))

    assert 4 == len(buttons)
    assert max(buttons) + 30 <= row
    page.set_viewport_size({"width": 360, "height": 800})
    assert 1 == len({round(box["y"]) for box in boxes(message, ".row button")})


LONG = "1girl, blue hair, " + ", ".join(["smile", "glasses", "short hair", "pink background"] * 20)


WORDS = ["smile", "glasses", "short hair", "pink background"] * 20
EACH = "{" + "|".join(", ".join(WORDS[first:] + WORDS[:first]) for first in range(4)) + "}"


@pytest.mark.parametrize(
    "prompt",
    [f"{LONG} --no hat, scarf", f"{LONG} --count 4 --nohires", f"1girl, blue hair, {EACH} --count 4 --nohires"],
    ids=["one", "four", "four prompts"],
)
def test_a_phone_shows_the_picture_with_its_text(open_page, prompt):
    page = open_page(width=400, touch=True)
    page.keyboard.type("/imagine ")
    page.fill(PROMPT, prompt)
    page.click("#send")
    message = painted(page, "1girl, blue hair")

    assert max(bottoms(message)) <= 700


def test_a_phone_shows_the_half_done_picture_with_its_text(open_page):
    page = open_page(width=400, touch=True)
    page.keyboard.type("/imagine ")
    page.fill(PROMPT, f"{LONG} --size portrait --steps 60 --count 4")
    page.click("#send")
    message = page.locator(".message", has=page.locator("img[alt^='Half-done']")).last
    message.locator(".picture img").evaluate("image => image.decode()")

    assert max(bottoms(message)) <= 700
    message.get_by_role("button", name="Cancel").click()


def test_a_phone_shows_shared_pictures_with_their_texts(open_page):
    page = open_page(width=400, touch=True)
    paint(page, "1girl, side ponytail")
    answered(page, painted(page, "1girl, side ponytail").get_by_text("More")).get_by_text("Share").click()
    page.locator(".message.private", has_text="Shared").last.wait_for()
    page.keyboard.type("/gallery ")
    page.wait_for_selector(".command-name")
    page.click("#send")
    gallery = page.locator(".message.private", has_text="newest").last
    gallery.locator(".picture img").first.evaluate("image => image.decode()")
    assert bottoms(gallery)[0] <= 700

    page.locator("#open-side").tap()
    page.get_by_role("button", name="# gallery").tap()
    post = page.locator(".message", has_text="1girl, side ponytail").last
    post.locator(".picture img").evaluate("image => image.decode()")
    assert max(bottoms(post)) <= 700


def test_a_phone_shows_a_grid_with_its_texts(open_page):
    page = open_page(width=400, touch=True)
    page.keyboard.type("/grid ")
    values = "smile, grin, frown, wink"
    for name, value in (("prompt", f"{LONG} --nohires --no hat, scarf"), ("x", "Prompt S/R"), ("x_values", values)):
        page.fill(f"#option-{name}", value)
    page.click("#send")
    page.locator(".message.private").get_by_role("button", name="Paint", exact=True).click()
    message = page.locator(".message", has=page.locator("[data-custom^='pb:reroll']"), has_text="grid 4x1").last
    message.locator(".picture img").evaluate("image => image.decode()")

    assert max(bottoms(message)) <= 700


@pytest.mark.parametrize(
    "command", ["help", "quota", "queue", "about", "settings show", "tags", "imagine --sede 5"], ids=lambda text: text
)
def test_a_phone_shows_answers_in_text_without_scrolling_sideways(open_page, command):
    page = open_page(width=400, touch=True)
    name, _, rest = command.partition(" --")
    before = page.locator(".message.private").count()
    page.keyboard.type(f"/{name} ")
    page.wait_for_selector(".command-name")
    if name in ("tags", "imagine"):
        page.keyboard.type("hair" if name == "tags" else f"1girl --{rest}")
    page.click("#send")
    answer = page.locator(".message.private").nth(before)
    answer.wait_for()

    assert answer.evaluate("message => message.scrollWidth <= message.clientWidth")
    assert page.evaluate("document.documentElement.scrollWidth <= 400")


def test_two_people_in_two_tabs_see_and_vote(open_page):
    hana, kenji = open_page("hana"), open_page("kenji")
    paint(hana, "1girl, freckles")
    answered(hana, painted(hana, "1girl, freckles").get_by_text("More")).get_by_text("Share").click()

    kenji.get_by_role("button", name="# gallery").click()
    kenji.locator(".message", has_text="1girl, freckles").get_by_text("Vote (0)").click()
    kenji.get_by_text("Vote (1)").wait_for()
    assert hana.get_by_role("button", name="# mods").count() == 0
    assert kenji.get_by_role("button", name="# mods").count() == 1


def test_a_private_picture_arrives_in_direct_messages(open_page):
    page = open_page()
    paint(page, "1girl, teeth", private="True")
    page.wait_for_selector("#channels button.unread")
    page.get_by_role("button", name="✉ Pastelbot", exact=True).click()

    assert "seed" in painted(page, "1girl, teeth").inner_text()


def test_a_command_of_the_server_is_said_to_work_there_in_direct_messages(open_page):
    page = open_page()
    page.get_by_role("button", name="✉ Pastelbot", exact=True).click()
    page.wait_for_function("state.world.elsewhere.length > 0")
    page.click("#text")
    page.keyboard.type("/gallery")
    page.keyboard.press("Enter")
    page.wait_for_selector("#error:not([hidden])")

    assert "/gallery works in the server's channels, not in direct messages." == page.locator("#error").inner_text()


def test_commands_are_written_with_a_slash_and_entries_of_menus_without(open_page):
    assert ["/imagine", "Recreate"] == open_page().evaluate("['imagine', 'Recreate'].map(calledAs)")


def test_changes_of_the_channel_that_was_left_are_not_shown(open_page):
    page, other = open_page(), open_page("kenji")
    page.route("**/world?*", lambda route: (page.wait_for_timeout(1500), route.continue_()))
    paint(other, "1girl, surprised")
    page.locator("#channels button", has_text="gallery").click()
    painted(other, "1girl, surprised")
    page.unroute_all(behavior="wait")

    page.wait_for_function("document.querySelector('#place').textContent === '# gallery'")
    assert 0 == page.locator(".message", has_text="1girl, surprised").count()


def test_apps_entries_stand_in_a_messages_menu(open_page):
    page = open_page()
    paint(page, "1girl, ponytail")
    message = painted(page, "1girl, ponytail")
    message.hover()
    message.locator(".more").click()
    answer = answered(page, page.get_by_role("menuitem", name="Who made this"))

    assert "Hana" in answer.inner_text()
    assert "1girl, ponytail" in answer.inner_text()


def test_japanese_throughout(open_page, japanese_url):
    page = open_page(language="ja", at=japanese_url)
    paint(page, "1girl, sad")

    assert "シード" in painted(page, "1girl, sad").inner_text()
    assert "# art" in page.locator("#place").inner_text()
    assert "送信" == page.locator("#send").inner_text()


def test_what_all_read_is_in_the_servers_language_and_what_one_reads_in_ones_own(open_page):
    page = open_page(language="ja")
    paint(page, "1girl, pout")
    message = painted(page, "1girl, pout")

    assert "seed" in message.inner_text()
    assert "この画像をどうしますか？" in answered(page, message.get_by_text("More")).inner_text()


@pytest.mark.parametrize(
    ("locale", "language", "greeting"),
    [("ja-JP", None, "ようこそ"), ("en-GB", None, "Welcome"), ("de-DE", None, "Welcome"), ("ja", "en", "Welcome")],
)
def test_the_first_page_is_in_the_browsers_language_unless_another_is_chosen(open_page, locale, language, greeting):
    page = open_page(language=language, locale=locale)

    assert greeting in page.locator(".message").first.inner_text()
    assert ("ja" if greeting == "ようこそ" else "en") == page.locator("html").get_attribute("lang")
    page.get_by_text("English" if greeting == "ようこそ" else "日本語").click()
    page.wait_for_selector(".message")
    assert greeting not in page.locator(".message").first.inner_text()


def test_each_member_finds_the_welcome_alone_at_first(request, browser):
    with running_demo(request.config.rootpath) as (_process, address):
        for member in ("hana", "kenji"):
            page = browser.new_page()
            page.goto(f"{address}?as={member}")
            page.wait_for_selector(".message")
            assert ["Welcome"] == [text[:7] for text in page.locator(".message .text").all_inner_texts()]
            page.close()


@pytest.mark.parametrize("typed_name", ["描", "imag"])
def test_a_command_is_offered_and_begun_by_its_japanese_and_its_english_name(open_page, typed_name):
    page = open_page(language="ja")
    typed(page, f"/{typed_name}")

    assert "/描く (/imagine)" in page.locator("#popup li[role=option]").first.inner_text()
    page.keyboard.press("Enter")
    assert page.locator(".command-name").inner_text().startswith("/描く")


@pytest.mark.parametrize("name", ["/描く ", "/描く\u3000", "/imagine ", "/設定 変更 "])
def test_a_command_typed_whole_is_begun_in_both_languages(open_page, name):
    page = open_page(language="ja")
    page.keyboard.type(f"{name}1girl")

    begun = "/設定 変更" if "設定" in name else "/描く"
    assert page.locator(".command-name").inner_text().startswith(begun)


@pytest.mark.parametrize(
    ("language", "sentence"),
    [("en", "seed: abc is not a whole number."), ("ja", "シード: 「abc」は整数ではありません。")],
)
def test_a_wrong_number_is_said_in_the_pages_language(open_page, language, sentence):
    page = open_page(language=language)
    paint(page, "1girl", quick="", seed="abc")

    page.wait_for_selector("#error:not([hidden])")
    assert sentence == page.locator("#error").inner_text()


def test_wide_digits_are_a_number(open_page):
    page = open_page(language="ja")
    paint(page, "1girl, tongue out", seed="１２３")

    assert "seed 123" in painted(page, "1girl, tongue out").inner_text()


@pytest.mark.parametrize(
    ("language", "text", "sentence", "offer"),
    [
        ("en", "/imagin 1girl", "There is no command /imagin. Did you mean /imagine?", "/imagine"),
        ("ja", "/絵描く 1girl", "/絵描く というコマンドはありません。 もしかして: /描く", "/描く"),
    ],
)
def test_a_command_that_does_not_exist_is_no_message_and_the_nearest_is_offered(
    open_page, language, text, sentence, offer
):
    page = open_page(language=language)
    page.keyboard.type(text)
    page.keyboard.press("Enter")
    page.wait_for_selector("#error:not([hidden])")

    assert sentence in page.locator("#error").inner_text()
    assert 0 == page.locator(".message", has_text=text).count()
    page.locator("#error").get_by_text(offer, exact=True).click()
    assert "1girl" == page.input_value(PROMPT)


def test_what_is_typed_behind_a_command_is_its_first_text(open_page):
    page = open_page()
    page.keyboard.type("/help nonsense")
    page.keyboard.press("Enter")

    answer = page.locator(".message.private", has_text="There is no command 'nonsense'")
    answer.wait_for()
    assert page.locator("#text").is_visible()


def test_what_has_no_place_in_a_command_is_not_left_out_unseen(open_page):
    page = open_page()
    page.keyboard.type("/imagine 1girl, beret")
    page.focus("#add")
    page.keyboard.type("smile")
    page.click("#send")
    page.wait_for_selector("#error:not([hidden])")

    assert "smile is no option of /imagine." == page.locator("#error").inner_text()
    assert ("1girl, beret", "smile") == (page.input_value(PROMPT), page.input_value("#add"))
    assert 0 == page.locator(".message", has_text="1girl, beret").count()


def test_a_command_far_from_all_others_offers_none(open_page):
    page = open_page()
    page.keyboard.type("/qwertyuiop")
    page.keyboard.press("Enter")
    page.wait_for_selector("#error:not([hidden])")

    assert "There is no command /qwertyuiop." == page.locator("#error").inner_text()


FITS = """field => {
    const style = getComputedStyle(field), pen = document.createElement('canvas').getContext('2d')
    pen.font = style.font
    return pen.measureText(field.placeholder).width + parseFloat(style.paddingLeft) * 2 <= field.clientWidth
}"""


@pytest.mark.parametrize("width", [390, 1200])
@pytest.mark.parametrize("language", ["en", "ja"])
def test_the_placeholders_are_shown_whole(open_page, language, width):
    page = open_page(width=width, touch=width == 390, language=language)
    assert page.locator("#text").evaluate(FITS)

    page.keyboard.type("/imagine ")
    assert page.locator("#add").evaluate(FITS)


def attached_to_option(page):
    """Begin a command with a file as option; return the selectors of what opens the choice, and of the field."""
    page.keyboard.type("/imagine ")
    page.focus("#add")
    page.keyboard.type("init")
    page.keyboard.press("Enter")
    return "#option-init", ".option:has(#option-init)"


def attached_to_message(_page):
    """Return the selectors of what opens the choice of a message's file, and of the file's field."""
    return "#bar > button:first-child", ".option.attached"


@pytest.mark.parametrize("attached", [attached_to_option, attached_to_message], ids=["option", "message"])
def test_the_cross_of_an_attached_file_stays_in_its_field(open_page, tmp_path, attached):
    page = open_page(width=390, touch=True)
    opening, shown = attached(page)
    picture = tmp_path / f"{'a_long_name_' * 6}.png"
    picture.write_bytes(b"a picture")
    with page.expect_file_chooser() as chosen:
        page.click(opening)
    chosen.value.set_files(picture)
    page.locator(shown, has_text="a_long_name").wait_for()
    field, cross = (page.locator(f"{shown}{part}").bounding_box() for part in ("", " .drop"))

    assert field["x"] + field["width"] <= 390
    assert field["x"] < cross["x"]
    assert cross["x"] + cross["width"] <= field["x"] + field["width"]
    assert field["y"] <= cross["y"]
    assert cross["y"] + cross["height"] <= field["y"] + field["height"]
