// Wardroom in the browser: what makes a page quicker to work with. Every page reads and every action works
// without this file. Rules: text from the server goes in as text, never as markup, except a whole page of our
// own origin read by DOMParser (which runs no script); nothing is ever evaluated; no style is set here.

const $ = (selector, root = document) => root.querySelector(selector);
const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
const main = () => $("#main");
const make = (tag, className, text) => {
  const node = document.createElement(tag);
  if (className) node.className = className;
  if (text !== undefined) node.textContent = text;
  return node;
};

// Only addresses of this origin are followed, so that a reply cannot smuggle in `javascript:`.
const safeHref = (href) => {
  try {
    const url = new URL(href, location.href);
    return url.origin === location.origin ? url.href : null;
  } catch {
    return null;
  }
};

const getJson = async (path, query, signal) => {
  const reply = await fetch(`${path}?${new URLSearchParams(query)}`, { headers: { Accept: "application/json" }, signal });
  if (!reply.ok) throw new Error(`${path} answered ${reply.status}`);
  return reply.json();
};

// Runs the newest call only: a call within `wait` ms, or a slow answer to an older one, is dropped.
const latest = (wait, work) => {
  let timer, abort;
  return (...args) => {
    clearTimeout(timer);
    abort?.abort();
    abort = new AbortController();
    const { signal } = abort;
    timer = setTimeout(() => work(signal, ...args).catch(() => {}), wait);
  };
};

// ------------------------------------------------------------------ toasts

// The server puts the note into the page, where it can be read without script. Here it moves to the corner.
const TOAST_MS = 8000;
const toast = (node) => {
  const box = $("#toasts");
  if (!box) return;
  $$(":scope > *", box).slice(0, -2).forEach((old) => old.remove());
  box.append(node);
  let timer;
  const start = () => { timer = setTimeout(() => node.remove(), TOAST_MS); };
  const stop = () => clearTimeout(timer);
  node.addEventListener("pointerenter", stop);
  node.addEventListener("pointerleave", start);
  node.addEventListener("focusin", stop);
  node.addEventListener("focusout", start);
  start();
};
const say = (text, kind = "") => toast(make("div", `notice${kind ? ` notice-${kind}` : ""}`, text));
const liftToasts = (root) => $$("[data-toast]", root).forEach(toast);

// --------------------------------------------------- pages that come by fetch

const isDirty = (form) => [...form.elements].some((field) =>
  field.type === "hidden" || field.type === "submit" || field.matches("button, .pick, [data-pick-all]") ? false
    : field.type === "checkbox" || field.type === "radio" ? field.checked !== field.defaultChecked
    : field.tagName === "SELECT" ? [...field.options].some((option) => option.selected !== option.defaultSelected) && field.selectedIndex !== 0
    : "defaultValue" in field && field.value !== field.defaultValue);
const pageIsDirty = () => $$("form", main()).some(isDirty) || $$("details.menu[open] form", main()).length > 0;

// Something that finds the same element in the page that comes next.
const handleOf = (node) => {
  if (!node || node === document.body) return null;
  if (node.id) return `#${CSS.escape(node.id)}`;
  const row = node.closest("[data-row]");
  if (row) return `[data-row="${CSS.escape(row.dataset.row)}"] .row-title`;
  return node.name ? `[name="${CSS.escape(node.name)}"]` : null;
};

const swap = (text, address) => {
  const next = new DOMParser().parseFromString(text, "text/html");
  const fresh = $("#main", next);
  if (!fresh) return false;
  const focus = main().contains(document.activeElement) ? handleOf(document.activeElement) : null;
  const row = cursor()?.dataset.row;
  const open = $$("details[id][open]", main()).map((part) => part.id);
  const { scrollX, scrollY } = window;
  main().replaceWith(document.adoptNode(fresh));
  document.title = next.title;
  if (address && address !== location.href) history.replaceState(null, "", address);
  open.forEach((id) => document.getElementById(id)?.setAttribute("open", ""));
  if (row) setCursor($(`[data-row="${CSS.escape(row)}"]`), false);
  if (focus) ($(focus, main()) ?? main()).focus({ preventScroll: true });
  window.scrollTo(scrollX, scrollY);
  begin(main());
  return true;
};

const reload = async (address = location.href) => {
  const reply = await fetch(address, { headers: { Accept: "text/html" } });
  if (reply.ok && reply.headers.get("Content-Type")?.startsWith("text/html")) swap(await reply.text());
};

const send = async (form, submitter) => {
  const data = new FormData(form, submitter);
  const method = (submitter?.getAttribute("formmethod") ?? form.method).toLowerCase();
  const address = new URL(submitter?.getAttribute("formaction") ?? form.getAttribute("action") ?? "", location.href);
  const request = { method, headers: { Accept: "text/html" } };
  if (method === "get") address.search = new URLSearchParams(data);
  // Files need multipart; all else goes as the browser would send it without script.
  else request.body = form.enctype === "multipart/form-data" ? data : new URLSearchParams(data);
  submitter?.setAttribute("aria-busy", "true");
  try {
    const reply = await fetch(address, request);
    const text = await reply.text();
    // 409 and 422 are pages to read too: they show what went wrong beside what was typed.
    if (!swap(text, reply.redirected || method === "get" ? reply.url : undefined)) location.assign(reply.url);
  } catch {
    say("Not sent: the server could not be reached. What you typed is still here.", "bad");
  } finally {
    submitter?.removeAttribute("aria-busy");
  }
};

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.matches("[data-theme-form]")) {
    event.preventDefault();
    const theme = event.submitter?.value;
    if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
    else delete document.documentElement.dataset.theme;
    fetch(form.action, { method: "post", body: new URLSearchParams(new FormData(form, event.submitter)) })
      .catch(() => say("The theme is set here, but could not be kept.", "warn"));
    form.closest("details")?.removeAttribute("open");
  } else if (form.matches("[data-enhance]") && !event.defaultPrevented) {
    event.preventDefault();
    send(form, event.submitter);
  }
});

// ------------------------------------------------------------- rows and marks

const rows = () => $$("[data-list] [data-row]", main());
const cursor = () => $("[data-row][data-cursor]", main());
const setCursor = (row, focus = true) => {
  if (!row) return;
  cursor()?.removeAttribute("data-cursor");
  row.dataset.cursor = "";
  if (focus) $(".row-title", row)?.focus({ preventScroll: true });
  if (focus) row.scrollIntoView({ block: "nearest" });
};
const move = (by) => {
  const all = rows();
  const at = all.indexOf(cursor());
  setCursor(all[at < 0 ? 0 : Math.min(all.length - 1, Math.max(0, at + by))]);
};

let lastPick = null;
const pick = (row, range) => {
  const box = row && $(".pick", row);
  if (!box) return;
  const all = rows();
  const from = all.findIndex((each) => each.dataset.row === lastPick);
  const to = all.indexOf(row);
  if (range && from >= 0) {
    all.slice(Math.min(from, to), Math.max(from, to) + 1).forEach((each) => { $(".pick", each).checked = true; });
  } else {
    box.checked = !box.checked;
  }
  lastPick = row.dataset.row;
  countPicks();
};
const countPicks = () => {
  const bulk = $("[data-bulk]", main());
  if (!bulk) return;
  const boxes = $$(".pick", main());
  const picked = boxes.filter((box) => box.checked).length;
  const all = bulk.elements.namedItem("all");
  if (all && picked < boxes.length) all.checked = false;
  const whole = $("[data-pick-all]", main());
  if (whole) {
    whole.checked = picked > 0 && picked === boxes.length;
    whole.indeterminate = picked > 0 && picked < boxes.length;
  }
  $("[data-bulk-count]", bulk).textContent = all?.checked ? `All ${bulk.dataset.total}` : String(picked);
};

document.addEventListener("change", (event) => {
  const { target } = event;
  if (target.matches("[data-pick-all]")) $$(".pick", main()).forEach((box) => { box.checked = target.checked; });
  if (target.matches("[data-bulk] [name=all]") && target.checked) $$(".pick", main()).forEach((box) => { box.checked = true; });
  if (target.matches("[data-pick-all], .pick, [data-bulk] [name=all]")) countPicks();
});
document.addEventListener("reset", (event) => { if (event.target.matches("[data-bulk]")) setTimeout(countPicks); });

// ------------------------------------------------------ clicks: copy, open, steps

document.addEventListener("click", async (event) => {
  const { target } = event;
  const box = target.closest(".pick");
  if (box) {
    const row = box.closest("[data-row]");
    if (event.shiftKey && lastPick) { box.checked = !box.checked; pick(row, true); box.checked = true; countPicks(); }
    lastPick = row?.dataset.row ?? null;
  }
  const opener = target.closest("[data-open]");
  if (opener) { closeMenus(); openDialog(opener.dataset.open); }
  const go = target.closest("[data-step-go]");
  if (go) step(Number(go.dataset.stepGo));
  const link = target.closest(".steps a");
  if (link) stepTo($$(".steps a", main()).indexOf(link));
  const copy = target.closest("[data-copy], [data-copy-from]");
  if (copy) {
    // Line numbers are drawn by the style sheet, so the text is only code.
    const text = copy.dataset.copy ?? $(copy.dataset.copyFrom)?.textContent ?? "";
    await navigator.clipboard.writeText(text).then(() => say("Copied.", "good"), () => say("The browser did not allow copying.", "warn"));
  }
  $$("details.menu[open]").filter((menu) => !menu.contains(target)).forEach((menu) => menu.removeAttribute("open"));
});

const closeMenus = () => {
  const open = $$("details.menu[open]");
  open.forEach((menu) => { menu.removeAttribute("open"); if (menu.contains(document.activeElement)) $("summary", menu).focus(); });
  return open.length > 0;
};
const openMenu = (selector) => {
  // In a list the act is on the picked rows; with none picked, on the row at the cursor.
  if ($("[data-bulk]", main()) && !$(".pick:checked", main())) { if (!cursor()) move(0); pick(cursor(), false); }
  const menu = $(selector, main());
  if (!menu) return false;
  closeMenus();
  menu.open = true;
  (menu.querySelector(".menu-body :is(a, button, input:not([type=hidden]), select, textarea)") ?? $("summary", menu)).focus();
  return true;
};
// Arrow keys within an open menu.
document.addEventListener("keydown", (event) => {
  if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
  const menu = event.target.closest?.("details.menu[open]");
  if (!menu || event.target.matches("input, select, textarea")) return;
  const items = $$(".menu-item", menu);
  if (!items.length) return;
  event.preventDefault();
  const at = items.indexOf(document.activeElement);
  items[(at + (event.key === "ArrowDown" ? 1 : -1) + items.length) % items.length].focus();
});

// ------------------------------------------------------------- the code path

const stepTo = (index) => {
  const links = $$(".steps a", main());
  if (!links.length) return;
  const at = Math.min(links.length - 1, Math.max(0, index));
  links.forEach((link, i) => (i === at ? link.setAttribute("aria-current", "step") : link.removeAttribute("aria-current")));
  $$("[data-here]", main()).forEach((line) => line.removeAttribute("data-here"));
  const line = $(links[at].getAttribute("href"), main());
  if (!line) return;
  line.dataset.here = "";
  line.scrollIntoView({ block: "nearest" });
};
const step = (by) => {
  const at = $$(".steps a", main()).findIndex((link) => link.hasAttribute("aria-current"));
  stepTo(at < 0 ? 0 : at + by);
};

// ------------------------------------- lists to choose from: palette, completion

// One combobox after the ARIA Authoring Practices: the focus stays in the box, aria-activedescendant says
// which option is chosen. `draw` makes an option's element, `take` acts on the chosen one.
const combobox = (input, list, load, draw, take) => {
  let items = [], at = -1;
  const show = (on) => { input.setAttribute("aria-expanded", String(on)); if (list.id !== "palette-list") list.hidden = !on; };
  const choose = (index) => {
    $$("[role=option]", list).forEach((option, i) => option.setAttribute("aria-selected", String(i === index)));
    at = index;
    const option = $$("[role=option]", list)[index];
    if (!option) return input.removeAttribute("aria-activedescendant");
    input.setAttribute("aria-activedescendant", option.id);
    option.scrollIntoView({ block: "nearest" });
  };
  const close = () => { items = []; list.replaceChildren(); show(false); choose(-1); };
  const refresh = latest(60, async (signal) => {
    items = await load(input, signal);
    if (signal.aborted) return;
    const nodes = [];
    let group = null, holder = list;
    list.replaceChildren();
    items.forEach((item, i) => {
      if (item.group && item.group !== group) {
        group = item.group;
        holder = make("div");
        holder.setAttribute("role", "group");
        holder.setAttribute("aria-label", group);
        const title = make("div", "palette-group", group);
        title.setAttribute("aria-hidden", "true");
        holder.append(title);
        list.append(holder);
      }
      const option = draw(item);
      option.id = `${list.id}-${i}`;
      option.setAttribute("role", "option");
      option.tabIndex = -1;
      holder.append(option);
      nodes.push(option);
      option.addEventListener("mousedown", (event) => event.preventDefault());
      option.addEventListener("click", (event) => { event.preventDefault(); take(item, close); });
    });
    show(nodes.length > 0);
    choose(list.id === "palette-list" && nodes.length ? 0 : -1);
  });
  input.setAttribute("role", "combobox");
  input.setAttribute("aria-controls", list.id);
  input.setAttribute("aria-autocomplete", "list");
  show(false);
  input.addEventListener("input", refresh);
  input.addEventListener("blur", () => { if (list.id !== "palette-list") setTimeout(close, 100); });
  input.addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    const last = items.length - 1;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (!items.length) return refresh();
      choose(event.key === "ArrowDown" ? (at >= last ? 0 : at + 1) : at <= 0 ? last : at - 1);
    } else if ((event.key === "Enter" || (event.key === "Tab" && list.id !== "palette-list")) && at >= 0) {
      event.preventDefault();
      take(items[at], close);
    } else if (event.key === "Escape" && list.id !== "palette-list" && !list.hidden) {
      event.preventDefault();
      event.stopPropagation();
      close();
    }
  });
  return { refresh, close };
};

const drawOption = (text, hint, href) => {
  const node = make(href ? "a" : "div", "option", text);
  if (href) node.href = href;
  if (hint) node.append(make("span", "option-hint", hint));
  return node;
};

const search = $("#search");
if (search) {
  const wordAt = (box) => {
    const at = box.selectionStart ?? box.value.length;
    const start = box.value.lastIndexOf(" ", at - 1) + 1;
    const end = box.value.indexOf(" ", at);
    return { start, end: end < 0 ? box.value.length : end, at };
  };
  combobox(search, $("#search-list"),
    (box, signal) => getJson("/complete", { q: box.value, at: wordAt(box).at }, signal),
    (item) => drawOption(item.text, item.hint),
    (item, close) => {
      const { start, end } = wordAt(search);
      const tail = search.value.slice(end);
      search.setRangeText(item.text + (tail.startsWith(" ") ? "" : " "), start, end, "end");
      close();
    });
}

const paletteBox = $("#palette-q");
const palette = paletteBox && combobox(paletteBox, $("#palette-list"),
  async (box, signal) => (await getJson("/palette", { q: box.value }, signal)).filter((item) => safeHref(item.href)),
  (item) => drawOption(item.title, item.hint, safeHref(item.href)),
  (item) => location.assign(safeHref(item.href)));

const openDialog = (id) => {
  const dialog = document.getElementById(id);
  if (!dialog || dialog.open) return;
  $("#menu:popover-open")?.hidePopover();
  dialog.showModal();
  if (id === "palette") { paletteBox.select(); palette.refresh(); }
};
$$("dialog").forEach((dialog) => dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); }));

// ------------------------------------------------------------------ keyboard

const GOALS = { i: "inbox", q: "queue", b: "board", s: "surface", m: "metrics" };
let waiting = 0; // until when the second key of a pair counts
const keys = {
  "?": () => openDialog("keys"),
  "/": () => search?.focus(),
  j: () => move(1),
  k: () => move(-1),
  x: () => pick(cursor() ?? (move(0), cursor()), false),
  X: () => pick(cursor(), true),
  o: () => $(".row-title", cursor() ?? make("i"))?.click(),
  e: () => openMenu("[data-act]") || openMenu("[data-act-bar] details.menu"),
  a: () => openMenu("[data-assign]") || openMenu("[data-fact=owner] details.menu"),
  l: () => openMenu("[data-labels]") || openMenu("[data-fact=labels] details.menu"),
  c: () => { const box = $("[data-comment]", main()); box?.focus(); box?.scrollIntoView({ block: "center" }); },
  u: () => $$("[data-undo]").at(-1)?.requestSubmit(),
  "]": () => step(1), n: () => step(1),
  "[": () => step(-1), p: () => step(-1),
};
keys.Enter = keys.o;

document.addEventListener("keydown", (event) => {
  if ((event.metaKey || event.ctrlKey) && !event.altKey && event.key.toLowerCase() === "k") {
    event.preventDefault();
    return openDialog("palette");
  }
  if (event.metaKey || event.ctrlKey || event.altKey || event.isComposing || $("dialog[open]")) return;
  const field = event.target.closest?.("input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]");
  if (event.key === "Escape") {
    if (!closeMenus() && field) field.blur();
    return;
  }
  if (field) return;
  // Enter on a link or a button is the browser's own affair.
  if (event.key === "Enter" && event.target.closest?.("a, button, summary, input")) return;
  if (waiting > event.timeStamp) {
    waiting = 0;
    const link = GOALS[event.key] && $(`.nav a[href*="${GOALS[event.key]}"]`);
    if (link) { event.preventDefault(); return link.click(); }
  }
  if (event.key === "g") { waiting = event.timeStamp + 1200; return; }
  const run = Object.hasOwn(keys, event.key) && keys[event.key];
  if (run) { event.preventDefault(); run(); }
});

// -------------------------------------------------------------- live updates

const stale = new Set();
const noteStale = () => {
  const pill = $("[data-live]", main());
  if (!pill || !stale.size) return;
  $("[data-live-count]", pill).textContent = String(stale.size);
  pill.hidden = false;
  pill.setAttribute("role", "status");
  stale.forEach((id) => $(`[data-row="${CSS.escape(id)}"]`, main())?.setAttribute("data-changed", ""));
};
const staleRecord = () => {
  if ($("[data-stale]", main())) return;
  const note = make("p", "notice notice-warn", "This record has changed. Your typing is kept until you load it again. ");
  note.dataset.stale = "";
  note.setAttribute("role", "status");
  const link = make("a", "", "Load it again");
  link.href = location.href;
  note.append(link);
  main().prepend(note);
};
const onLive = (event) => {
  let message;
  try { message = JSON.parse(event.data); } catch { return; }
  const ids = Array.isArray(message.records) ? message.records.map(String) : [];
  const here = main()?.dataset.record;
  if (here && ids.includes(here)) (pageIsDirty() ? staleRecord() : reload().catch(() => {}));
  if ($("[data-live]", main())) { ids.forEach((id) => stale.add(id)); noteStale(); }
  const job = $("[data-job]", main());
  if (job && ids.includes(job.dataset.job.split("/").pop())) reload(job.dataset.job).catch(() => {});
};
if ($("[data-live], [data-record], [data-job]") && "EventSource" in window) {
  const stream = new EventSource("/live");
  stream.addEventListener("message", onLive);
  window.addEventListener("pagehide", () => stream.close());
}

// --------------------------------------------------------------------- CVSS

// The server works out the score; here the choices and the text are kept the same. The form names its
// version, and its radio buttons the metrics in their order.
const SEVERITIES = ["critical", "high", "medium", "low", "info"];
const beginCvss = (form) => {
  const text = form.elements.namedItem("vector");
  const error = $("[data-cvss-error]", form);
  const order = [...new Set($$("input[type=radio]", form).map((radio) => radio.name))];
  const ask = latest(80, async (signal) => {
    if (!text.value.trim()) return;
    const reply = await getJson("/cvss", { vector: text.value.trim() }, signal);
    error.textContent = reply.error ?? "";
    error.hidden = !reply.error;
    text.setAttribute("aria-invalid", String(Boolean(reply.error)));
    if (reply.error) return;
    $("[data-cvss-score]", form).textContent = Number(reply.score).toFixed(1);
    const word = SEVERITIES.includes(reply.severity) ? reply.severity : "info";
    $("[data-cvss-severity]", form).replaceChildren(make("span", `sev sev-${word}`, word[0].toUpperCase() + word.slice(1)));
  });
  form.addEventListener("input", (event) => {
    if (event.target === text) {
      text.value.split("/").forEach((part) => {
        const [name, value] = part.split(":");
        if (order.includes(name)) $$(`input[type=radio][name="${name}"]`, form).forEach((radio) => { radio.checked = radio.value === value; });
      });
    } else if (event.target.type === "radio") {
      const chosen = order.map((name) => [name, form.elements.namedItem(name)?.value]).filter(([, value]) => value);
      // A vector with a metric missing has no score yet.
      if (chosen.length === order.length) text.value = `CVSS:${form.dataset.cvss}/${chosen.map((pair) => pair.join(":")).join("/")}`;
    }
    ask();
  });
};

// --------------------------------------------------------------------- begin

// What each fresh <main> needs; called for the page and after every swap.
const begin = (root) => {
  liftToasts(root);
  $$("[data-cvss]", root).forEach(beginCvss);
  countPicks();
  stale.clear();
};
begin(document);
