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
    } catch (error) {
      const said = document.createElement("p");
      said.className = "empty";
      said.textContent = error.message;
      element.replaceChildren(said);
    }
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
    if (button.dataset.ask && !confirm(button.dataset.ask)) return;
    button.disabled = true;
    try {
      const said = await (await ask(button.dataset.post, { method: "POST" })).json();
      if (said.notice) notice(said.notice);
      if (button.dataset.reload) reload(button.dataset.reload);
      const asked = button.closest(".question");
      if (asked) asked.replaceChildren();
      if (said.leave) location.assign("/");
      if (button.closest("dialog")) viewer.close();
    } catch (error) { notice(error.message); }
    button.disabled = false;
  }
  // A picture with its settings, above the page.
  const viewer = document.createElement("dialog");
  viewer.id = "viewer";
  viewer.dataset.fragment = "";
  viewer.dataset.loaded = "1";
  async function look(path) {
    await load(viewer, path);
    if (!viewer.open) viewer.showModal();
  }

  // Settings into the form: by Gradio's own fields, which the page hides, as Gradio alone can fill the others.
  function use(infotext) {
    fill(find("#bring textarea, #bring input"), infotext);
    setTimeout(() => find("#bring-button").click(), 50);
    viewer.close();
    find("#tabs [role=tab]").click();
    scrollTo({ top: 0, behavior: "smooth" });
  }

  function insert(tag) {
    const prompt = find("#prompt textarea");
    fill(prompt, prompt.value.trim() ? `${prompt.value.trimEnd()} ${tag}` : tag);
    find("#tabs [role=tab]").click();
    prompt.focus();
  }

  document.addEventListener("click", (event) => {
    const target = event.target.closest("[data-post], [data-load], [data-view], [data-use], [data-over], [data-tool], [data-insert], [data-close], #use-infotext");
    if (event.target === viewer) viewer.close();
    if (!target || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    if (target.id === "use-infotext") use(find("#infotext textarea").value);
    else if ("post" in target.dataset) press(target);
    else if ("load" in target.dataset) load(target.closest("[data-fragment]"), target.dataset.load);
    else if ("view" in target.dataset) look(target.dataset.view);
    else if ("over" in target.dataset) over(target.dataset.over);
    else if ("insert" in target.dataset) insert(target.dataset.insert);
    else if ("tool" in target.dataset) tool(target.dataset.tool);
    else if ("use" in target.dataset) use(target.closest("dialog").querySelector(".infotext").value);
    else viewer.close();
  });
  document.addEventListener("submit", (event) => {
    const path = event.target.dataset.search;
    if (!path) return;
    event.preventDefault();
    load(event.target.closest("[data-fragment]"), `${path}&${new URLSearchParams(new FormData(event.target))}`);
  });

  // Files go to routes of the page's own; those that are too large are refused before they travel.
  const said = (purpose, text) => { const place = find(`[data-said="${purpose}"]`); if (place) place.textContent = text; };
  async function send(path, file, most) {
    const limit = most / 1024 / 1024;
    if (file.size > most) throw new Error(language === "ja"
      ? `ファイルが大きすぎます。上限は ${limit} MiB です。` : `This file is too large: the limit is ${limit} MiB.`);
    return (await ask(path, { method: "POST", body: file, headers: { Accept: "application/json", "Content-Type": "application/octet-stream" } })).json();
  }
  function fill(field, value) {
    field.value = value;
    field.dispatchEvent(new Event("input", { bubbles: true }));
  }
  const drops = {
    async infotext(file) { fill(find("#infotext textarea"), (await send("/infotext", file, 25 * 1024 * 1024)).infotext); },
  };

  // A picture to start from: it is uploaded at once, its mask when Paint is pressed.
  const START = 10 * 1024 * 1024, drawing = new Drawing();
  const token = (name, value) => fill(find(`#${name}-token textarea, #${name}-token input`), value);
  drops.start = async (file) => {
    const sent = await send("/uploads", file, START);
    await drawing.show(find("#drawing"), file);
    token("start", sent.token);
    tool("draw");
    find("#start").hidden = false;
  };
  async function over(address) {
    viewer.close();
    find("#tabs [role=tab]").click();
    said("start", "");
    try {
      await drops.start(await (await ask(address)).blob());
      find("#start").scrollIntoView({ block: "center", behavior: "smooth" });
    } catch (error) { notice(error.message); }
  }
  function tool(name) {
    if (name === "undo") drawing.undo();
    else if (name === "clear") drawing.clear();
    else if (name === "away") {
      token("start", "");
      token("mask", "");
      find("#drawing").replaceChildren();
      find("#start").hidden = true;
      drawing.changed = false;
    } else {
      drawing.erasing = name === "erase";
      for (const each of document.querySelectorAll("[data-tool]")) each.setAttribute("aria-pressed", String(each.dataset.tool === name));
    }
  }
  document.addEventListener("input", (event) => { if (event.target.id === "brush") drawing.brush = Number(event.target.value); });
  document.addEventListener("click", async (event) => {
    const paint = event.target.closest("#paint");
    if (!paint || !drawing.changed) return;
    event.stopImmediatePropagation();
    try {
      const mask = await drawing.mask();
      token("mask", mask ? (await send("/uploads", mask, START)).token : "");
      setTimeout(() => paint.click(), 80);
    } catch (error) {
      drawing.changed = true;
      notice(error.message);
    }
  }, true);
  document.addEventListener("change", async (event) => {
    const { drop } = event.target.dataset, file = event.target.files?.[0];
    if (!drop || !file) return;
    said(drop, "");
    try { await drops[drop](file); } catch (error) { said(drop, error.message); }
    event.target.value = "";
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
  const begin = () => { document.documentElement.lang = language; document.body.append(viewer); appeared(); follow(); };
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", begin); else begin();
})();
