// Every page of the demo: accessible in both themes and both widths, readable without script, and
// quiet under the content security policy.

import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import test from "node:test";
import { browser, page, start } from "../support/desk.mjs";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

/** Signs in with the demo's link. */
const enter = async (t) => {
  const { found } = await start(t, ["demo", "--listen", "127.0.0.1:0"], /(http:\/\/\S+)\/enter\?key=\w+/);
  const origin = found[1];
  const chrome = await browser(t);
  const first = await page(chrome);
  await first.tab.goto(found[0]);
  if (!/inbox/.test(first.tab.url())) await Promise.all([first.tab.waitForURL(/inbox/), first.tab.click("main form button")]);
  return { origin, chrome, state: await first.context.storageState(), tab: first.tab };
};

/** Addresses of every kind of page, found by following the desk's own links. */
const addresses = async (tab, origin) => {
  const pages = ["/inbox", "/inbox?part=late", "/queue", "/queue?q=nothing%20like%20this", "/queue?q=sevrity%3Ahigh", "/queue?q=kind%3Afinding%20group%3Afile", "/board", "/surface", "/metrics", "/rules", "/program", "/account", "/jobs", "/admin", "/records/new", "/records/F-99999", "/nowhere"];
  const one = async (from, selector) => {
    await tab.goto(origin + from);
    const found = tab.locator(selector).first();
    if (await found.count()) pages.push(await found.getAttribute("href"));
  };
  await one("/queue", "tbody .row-title");
  await one("/queue?q=kind%3Afinding%20state%3Aresolved", "tbody .row-title");
  await one("/queue?q=kind%3Aexception", "tbody .row-title");
  await one("/queue?q=kind%3Aasset", "tbody .row-title");
  await one("/queue?q=kind%3Aperson", "tbody .row-title");
  await one("/rules", "main a[href^='/rules/']");
  await one("/program", "main a[href^='/program/kinds/']");
  await one("/program", "main a[href^='/program/files/']");
  await one("/admin", "main a[href^='/admin/']");
  return pages;
};

test("every page is accessible and quiet", { timeout: 600_000 }, async (t) => {
  const { origin, chrome, state, tab } = await enter(t);
  const pages = await addresses(tab, origin);
  assert.ok(pages.length >= 24, pages.join(" "));
  for (const [name, options] of [
    ["light", { colorScheme: "light" }],
    ["dark", { colorScheme: "dark" }],
    ["narrow", { colorScheme: "light", viewport: { width: 390, height: 844 } }],
  ]) {
    await t.test(name, async () => {
      const { tab, errors } = await page(chrome, { ...options, storageState: state });
      for (const address of pages) {
        await tab.goto(origin + address);
        // Outside of the page's policy, as an extension would be.
        await tab.evaluate(axe);
        const { violations } = await tab.evaluate((tags) => window.axe.run({ runOnly: tags }), TAGS);
        assert.deepEqual(violations.map((v) => `${address}: ${v.id}: ${v.nodes[0].html}`), []);
        const wide = await tab.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
        assert.ok(wide <= 0, `${address} is ${wide} px too wide`);
      }
      assert.deepEqual(errors, []);
    });
  }
});

test("pages can be read and acted on without script", { timeout: 120_000 }, async (t) => {
  const { origin, chrome, state } = await enter(t);
  const { tab } = await page(chrome, { javaScriptEnabled: false, storageState: state });
  await tab.goto(`${origin}/queue?q=kind%3Afinding%20state%3Aconfirmed`);
  const before = await tab.locator("tbody [data-row]").count();
  assert.ok(before > 2);
  const rows = tab.locator("tbody [data-row] .pick");
  await rows.nth(0).check();
  await rows.nth(1).check();
  await tab.locator("[data-act] > summary").click();
  await tab.locator("[data-act] button:has-text('Dismiss')").click();
  assert.match(await tab.textContent("h1"), /2 records/);
  await tab.selectOption("main select", { index: 1 });
  await tab.fill("#because", "Both lists are made by the page itself.");
  await tab.locator("main form .btn-primary").click();
  assert.match(await tab.textContent("[data-toast]"), /2 records changed/);
  await tab.locator("[data-undo] button").click();
  assert.match(await tab.textContent("[data-toast]"), /Undone on 2/);
});

test("two people edit one record: the second is told, nothing is lost", { timeout: 120_000 }, async (t) => {
  const { origin, chrome, state, tab: first } = await enter(t);
  await first.goto(`${origin}/queue?q=kind%3Afinding%20state%3Aconfirmed`);
  const href = await first.locator("tbody .row-title").first().getAttribute("href");
  await first.goto(origin + href);
  const { tab: second } = await page(chrome, { storageState: state, javaScriptEnabled: false });
  await second.goto(origin + href);
  await first.locator("[data-fact=team] summary").click();
  await first.selectOption("#set-team", "platform");
  await first.locator("[data-fact=team] .btn-primary").click();
  await first.waitForSelector("[data-fact=team]:has-text('platform')");
  await second.locator("[data-fact=exposure] summary").click();
  await second.selectOption("#set-exposure", "internal");
  await second.locator("[data-fact=exposure] .btn-primary").click();
  assert.match(await second.textContent("h1"), /changed this record while you were editing/);
});
