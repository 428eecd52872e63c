// Pictures of the demo for the docs: `WARDROOM_BIN=… node screenshots.mjs [FOLDER]`. With a folder, every
// page in both themes and both widths, to be looked at; without, the few that the docs show.

import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { browser, page, root, start } from "./support/desk.mjs";

const ended = [];
const t = { after: (work) => ended.push(work) };
const { found } = await start(t, ["demo", "--listen", "127.0.0.1:0"], /(http:\/\/\S+)\/enter\?key=\w+/);
const origin = found[1];
const chrome = await browser(t);
const { tab, context } = await page(chrome);
await tab.goto(found[0]);
if (!/inbox/.test(tab.url())) await Promise.all([tab.waitForURL(/inbox/), tab.click("main form button")]);
const state = await context.storageState();

const first = async (path, selector = "tbody .row-title") => {
  await tab.goto(origin + path);
  return tab.locator(selector).first().getAttribute("href");
};
const finding = await first("/queue?q=kind%3Afinding%20is%3Aopen%20severity%3Ahigh%20rule%3Across-site-scripting");
const fixed = await first("/queue?q=kind%3Afinding%20state%3Aresolved%20rule%3Asql-injection");
const shots = {
  queue: "/queue", record: finding, fixed, metrics: "/metrics", board: "/board", surface: "/surface",
  inbox: "/inbox", rules: "/rules", rule: "/rules/sql-injection", program: "/program", kind: "/program/kinds/finding",
  admin: "/admin", people: "/admin/people", tokens: "/admin/tokens", account: "/account", jobs: "/jobs", new: "/records/new",
  proposed: "/queue?q=kind%3Afinding%20state%3Aproposed", groups: "/queue?q=kind%3Afinding%20group%3Afile",
  exception: await first("/queue?q=kind%3Aexception"), asset: await first("/queue?q=kind%3Aasset"), missing: "/nowhere",
};
const looks = {
  desktop: { viewport: { width: 1440, height: 900 } },
  dark: { viewport: { width: 1440, height: 900 }, colorScheme: "dark" },
  narrow: { viewport: { width: 390, height: 844 } },
};
const folder = process.argv[2];
const wanted = folder
  ? Object.keys(shots).flatMap((name) => Object.keys(looks).map((look) => [name, look]))
  : [["queue", "desktop"], ["record", "desktop"], ["metrics", "desktop"], ["board", "dark"], ["queue", "narrow"]];
const into = folder ?? join(root, "docs/images");
mkdirSync(into, { recursive: true });
for (const [name, look] of wanted) {
  const shot = await page(chrome, { ...looks[look], storageState: state });
  await shot.tab.goto(origin + shots[name]);
  await shot.tab.screenshot({ path: join(into, `${name}${look === "desktop" && !folder ? "" : `-${look}`}.png`) });
  await shot.context.close();
}
for (const work of ended.reverse()) await work();
