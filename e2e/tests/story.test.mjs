// The story of one finding, from the scan to its proven close, in a browser.

import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { application, browser, commit, folder, page, serve, setUp, wardroom } from "../support/desk.mjs";

test("a finding goes from scan to proven close, and nothing can be altered unseen", { timeout: 240_000 }, async (t) => {
  const here = folder(t);
  const [app, store] = [join(here, "app"), join(here, "desk.db")];
  application(app);
  const desk = await serve(t, store);
  const link = desk.said.match(/http:\/\/\S+\/setup\?key=\w+/)[0];
  const chrome = await browser(t);
  const { tab, errors } = await page(chrome);
  const go = (path) => tab.goto(desk.origin + path);

  await t.test("the first person sets the desk up", async () => {
    await setUp(tab, link);
    assert.match(await tab.textContent("h1"), /Inbox/);
    await go("/queue");
    assert.match(await tab.textContent("main"), /No records yet|Nothing matches/);
  });

  let token;
  await t.test("a token is made, and shown once", async () => {
    const made = wardroom(["admin", "token", "--store", store, "ci"]);
    assert.equal(made.status, 0, made.err);
    token = made.out.trim();
    assert.ok(token.length > 40);
  });

  const scan = () => wardroom(["scan", app, "--send", desk.origin, "--repository", "harbour/office", "--fail-on", "never", "--format", "csv", "--no-cache"], { env: { WARDROOM_TOKEN: token } });

  await t.test("a scan comes in, and the same again writes nothing", async () => {
    const first = scan();
    assert.match(first.err, /66 opened/);
    const again = scan();
    assert.match(again.err, /nothing was written/);
    await go("/queue");
    assert.equal(await tab.locator("tbody [data-row]").count(), 50);
    assert.match(await tab.textContent(".pager"), /1 to 50 of 66/);
  });

  let id;
  await t.test("triage by keyboard: search, choose, assign, confirm", async () => {
    await go("/queue");
    await tab.keyboard.press("/");
    await tab.keyboard.press("End");
    await tab.keyboard.type(" rule:sql-injection file:app/services/berth_search.rb");
    await Promise.all([tab.waitForURL(/berth_search/), tab.keyboard.press("Enter")]);
    const row = tab.locator("tbody [data-row]").first();
    id = await row.getAttribute("data-row");
    await tab.keyboard.press("j");
    await tab.keyboard.press("x");
    assert.ok(await row.locator(".pick").isChecked());
    await tab.keyboard.press("a");
    await Promise.all([tab.waitForResponse(/\/bulk|\/queue/), tab.click("[data-assign] button:has-text('Mara Voss')")]);
    await tab.waitForSelector(".cell-owner:has-text('mara')");
    await tab.keyboard.press("j");
    await tab.keyboard.press("x");
    await tab.keyboard.press("e");
    await tab.click("[data-act] button:has-text('Confirm')");
    await tab.waitForSelector(".cell-state:has-text('Confirmed')");
    await tab.keyboard.press("j");
    await Promise.all([tab.waitForURL(new RegExp(`/records/${id}$`)), tab.keyboard.press("Enter")]);
    assert.match(await tab.textContent(".record-meta"), /High/);
  });

  await t.test("the path is walked step by step", async () => {
    const steps = await tab.locator(".steps li").count();
    assert.ok(steps >= 3, `${steps} steps`);
    await tab.keyboard.press("]");
    await tab.keyboard.press("]");
    assert.equal(await tab.locator(".path [data-here]").count(), 1);
  });

  await t.test("a comment with a mention, a label, an undo", async () => {
    await tab.keyboard.press("c");
    await tab.keyboard.type("I can read other people's berths with this, @mara. `%' OR 1=1` <img src=x onerror=alert(1)>");
    await tab.click("form[action$=comments] .btn-primary");
    await tab.waitForSelector(".comment:has-text('other people')");
    assert.equal(await tab.locator(".comment img").count(), 0);
    await tab.keyboard.press("l");
    await tab.fill("#labels", "search");
    await tab.click("form[action$=labels] .btn-primary");
    await tab.waitForSelector(".tag:has-text('search')");
    await tab.keyboard.press("u");
    await tab.waitForSelector(".tag:has-text('search')", { state: "detached" });
    await go("/inbox?part=mentioned");
    assert.match(await tab.textContent("main"), new RegExp(id));
  });

  await t.test("the score is worked out as it is chosen", async () => {
    await go(`/records/${id}`);
    const form = tab.locator("form[data-cvss='3.1']");
    for (const choice of ["AV:N", "AC:L", "PR:N", "UI:N", "S:U", "C:H", "I:H", "A:H"]) {
      const [name, value] = choice.split(":");
      await form.locator(`label:has(input[name=${name}][value=${value}])`).click();
    }
    await tab.waitForFunction(() => document.querySelector("form[data-cvss='3.1'] [data-cvss-score]").textContent === "9.8");
    await form.locator("button:has-text('Save score')").click();
    await tab.waitForSelector(".record-meta .sev-critical");
    assert.match(await tab.textContent(".rail"), /Mitigate/);
  });

  let before;
  const open = async () => {
    await go("/queue?q=kind:finding is:open");
    return Number((await tab.textContent(".head .second")).match(/\d+/)[0]);
  };
  await t.test("the code is mended, the next scan closes the finding with proof", async () => {
    before = await open();
    const file = join(app, "app/services/berth_search.rb");
    const text = readFileSync(file, "utf8");
    const mended = text.replace(`scope.where("name ILIKE '%#{@term}%'")`, `scope.where("name ILIKE ?", "%#{Berth.sanitize_sql_like(@term)}%")`);
    assert.notEqual(mended, text);
    writeFileSync(file, mended);
    const fixed = commit(app, "Bind the search term");
    await go(`/records/${id}`);
    const sent = scan();
    assert.match(sent.err, /1 gone, 1 resolved/);
    // The open page hears of it by itself.
    await tab.waitForSelector(".state-done", { timeout: 10_000 });
    const said = await tab.textContent(".notice-good");
    assert.ok(said.includes(fixed), said);
    assert.match(said, /complete scan/);
    assert.match(await tab.textContent(".rail"), /met in/);
  });

  await t.test("the clock has stopped and the figures moved", async () => {
    assert.equal(await open(), before - 1);
    await go("/metrics");
    assert.equal((await tab.locator("main svg").count()) > 0, true);
    assert.deepEqual(errors, []);
  });

  await t.test("the log is whole, and one byte changed by hand is named", async () => {
    const whole = wardroom(["audit", "verify", "--store", store]);
    assert.equal(whole.status, 0, whole.out);
    assert.match(whole.out, /nothing was changed/);
    const proof = join(here, "proof.json");
    assert.equal(wardroom(["audit", "prove", id, "--store", store, "--output", proof]).status, 0);
    const key = wardroom(["audit", "key", "--store", store]).out.trim();
    assert.equal(wardroom(["audit", "check", proof, "--key", key]).status, 0);
    await desk.stop();
    const bytes = readFileSync(store);
    const at = bytes.indexOf("other people's berths");
    assert.ok(at > 0, "the comment stands in the file");
    bytes[at] ^= 1;
    writeFileSync(store, bytes);
    const found = wardroom(["audit", "verify", "--store", store]);
    assert.equal(found.status, 1, found.out + found.err);
    assert.match(found.out, new RegExp(`event \\d+.*${id}.*changed`, "i"));
  });
});
