// Keeps up to date what Gradio does not: the user's jobs, parts of the page that the server writes, and tag completion.
"use strict";
(() => {
  const language = location.pathname.split("/")[1] === "ja" ? "ja" : "en";
  const find = (selector) => document.querySelector(selector);
  const addressed = (path) => `${path}${path.includes("?") ? "&" : "?"}language=${language}`;

  async function ask(path, options = {}) {
    const response = await fetch(addressed(path), { headers: { Accept: "application/json, text/html;q=0.5" }, ...options });
    if (response.ok) return response;
    const text = await response.text();
    let sentence = text;
    try { sentence = JSON.parse(text).error || text; } catch { /* not ours */ }
    throw new Error(sentence);
  }

  function notice(text) {
    const place = find("#notice");
    if (!place) return;
    place.textContent = text;
    clearTimeout(notice.timer);
    notice.timer = setTimeout(() => { place.textContent = ""; }, 9000);
  }

  // Parts that the server writes: loaded when they appear, and again when something in them has changed.
  async function load(element, path) {
    element.dataset.fragment = path;
    element.dataset.loaded = "1";
    try {
      element.innerHTML = await (await ask(path)).text();
    } catch (error) { notice(error.message); }
  }
  const reload = (selector) => { const element = find(selector); if (element) load(element, element.dataset.fragment); };

  // The user's jobs, as a stream that the browser takes up again by itself.
  let shown = null, done = null;
  function follow() {
    const source = new EventSource(addressed("/events"));
    source.onmessage = (event) => {
      const said = JSON.parse(event.data);
      shown = said.html;
      show();
      if (done !== null && said.done !== done) reload("#history");
      done = said.done;
    };
    source.onerror = () => { if (source.readyState === EventSource.CLOSED) setTimeout(follow, 3000); };
  }
  function show() {
    const place = find("#jobs");
    if (place && shown !== null && place.dataset.shown !== shown) {
      place.dataset.shown = shown;
      place.innerHTML = shown;
    }
  }

  async function press(button) {
    button.disabled = true;
    try {
      const said = await (await ask(button.dataset.post, { method: "POST" })).json();
      if (said.notice) notice(said.notice);
      if (button.dataset.reload) reload(button.dataset.reload);
    } catch (error) { notice(error.message); }
    button.disabled = false;
  }
  document.addEventListener("click", (event) => {
    const button = event.target.closest("button[data-post], [data-load]");
    if (!button) return;
    event.preventDefault();
    if (button.dataset.post) press(button);
    else load(button.closest("[data-fragment]"), button.dataset.load);
  });

  // Completion of the tag before the caret, as a row of buttons under the prompt; what stands behind the caret stays.
  let offers = [], chosen = 0, box = null, asked = 0;
  const isPrompt = (element) => element instanceof HTMLTextAreaElement && element.closest("#prompt");

  function close() {
    asked += 1;
    offers = [];
    draw();
  }
  function draw() {
    find("#completions")?.replaceChildren(...offers.map((offer, number) => {
      const item = document.createElement("button");
      item.type = "button";
      item.textContent = offer.label;
      item.setAttribute("role", "option");
      item.setAttribute("aria-selected", String(number === chosen));
      item.addEventListener("pointerdown", (event) => { event.preventDefault(); });
      item.addEventListener("click", () => take(number));
      return item;
    }));
    find("#completions [aria-selected=true]")?.scrollIntoView({ block: "nearest", inline: "nearest" });
  }
  function take(number) {
    const rest = box.value.slice(box.selectionStart), begun = offers[number].value;
    box.value = begun + rest;
    box.setSelectionRange(begun.length, begun.length);
    box.dispatchEvent(new Event("input", { bubbles: true }));
    box.focus();
    close();
  }
  async function complete(element) {
    const mine = asked += 1;
    const before = element.value.slice(0, element.selectionStart);
    const from = Math.max(0, before.length - 90);  // a completion holds the end of a long prompt alone
    const cut = from && before.indexOf(",", from) + 1;
    const kept = before.slice(0, cut), typed = before.slice(cut);
    if (!typed.trim()) { close(); return; }
    let found;
    try { found = await (await ask(`/complete?prompt=${encodeURIComponent(typed)}`)).json(); } catch { return; }
    if (mine !== asked || document.activeElement !== element) return;
    box = element;
    offers = found.slice(0, 12).map((each) => ({ value: kept + each.value, label: tail(each.name) }))
      .filter((each) => each.value !== before);
    chosen = 0;
    draw();
  }
  const tail = (text) => text.slice(text.lastIndexOf(",", text.length - 2) + 1).trim();
  let typing;
  document.addEventListener("input", (event) => {
    if (!isPrompt(event.target) || !event.isTrusted) return;
    clearTimeout(typing);
    const element = event.target;
    typing = setTimeout(() => complete(element), 120);
  });
  document.addEventListener("keydown", (event) => {
    if (!isPrompt(event.target)) return;
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      close();
      find("#paint")?.click();
      return;
    }
    if (!offers.length) return;
    const keys = { ArrowDown: 1, ArrowUp: -1 };
    if (event.key in keys) {
      chosen = (chosen + keys[event.key] + offers.length) % offers.length;
      draw();
    } else if (event.key === "Enter" || event.key === "Tab") take(chosen);
    else if (event.key === "Escape") close();
    else return;
    event.preventDefault();
    event.stopImmediatePropagation();
  }, true);
  function appeared() {
    for (const element of document.querySelectorAll("[data-fragment]:not([data-loaded])")) load(element, element.dataset.fragment);
    show();
  }
  new MutationObserver(appeared).observe(document.documentElement, { childList: true, subtree: true });
  const begin = () => { document.documentElement.lang = language; appeared(); follow(); };
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", begin); else begin();
})();
