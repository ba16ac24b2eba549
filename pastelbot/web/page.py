"""The page itself, built once for each language: Gradio's fields around what `page.js` keeps up to date."""

import gradio

from pastelbot.i18n.languages import Languages
from pastelbot.service.page.uploads import Uploads
from pastelbot.service.services import Services
from pastelbot.web.tabs.info_tab import InfoTab
from pastelbot.web.tabs.paint_tab import PaintTab
from pastelbot.web.visits import Visits

_CACHED_SECONDS = 3600


def build_page(
    services: Services, visits: Visits, uploads: Uploads, languages: Languages, locale: str
) -> gradio.Blocks:
    """Return the page in one language."""
    translate = languages.translator(locale)
    page: gradio.Blocks = gradio.Blocks(
        title="Pastelbot", analytics_enabled=False, delete_cache=(_CACHED_SECONDS, _CACHED_SECONDS), fill_width=True
    )
    with page:
        gradio.HTML('<header id="head" data-fragment="/me"></header><div id="notice" role="alert"></div>')
        with gradio.Tabs(elem_id="tabs"):
            with gradio.Tab(translate("Paint")):
                PaintTab(services, visits, uploads, languages, locale).build(page)
            with gradio.Tab(translate("History")):
                gradio.HTML('<div id="history" class="thumbs" data-fragment="/history?pages=1"></div>')
            with gradio.Tab(translate("Gallery")):
                gradio.HTML('<div id="gallery" class="thumbs" data-fragment="/gallery?page=0"></div>')
            with gradio.Tab(translate("LoRAs")):
                gradio.HTML('<div id="loras" class="thumbs" data-fragment="/loras?pages=1"></div>')
            with gradio.Tab(translate("PNG info")):
                InfoTab(services, visits, languages, locale).build()
    page.queue(default_concurrency_limit=None, api_open=False)
    return page
