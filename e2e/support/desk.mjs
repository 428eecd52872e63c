// A real server over a store in a temporary folder, and a real browser in front of it.

import { spawn, spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

export const root = join(dirname(fileURLToPath(import.meta.url)), "../..");

// The program under test, built by `cargo xtask e2e`, which says where it is.
export const binary = process.env.WARDROOM_BIN;
if (!binary || !existsSync(binary)) throw new Error("WARDROOM_BIN names no program; run `cargo xtask e2e`");

const browserPath = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome", process.env.CHROMIUM]
  .find((path) => path && existsSync(path));
if (!browserPath) throw new Error("no Chromium is installed (Debian: apt-get install chromium); CHROMIUM may name one");

/** A folder that goes with the test. */
export const folder = (t) => {
  const path = mkdtempSync(join(tmpdir(), "wardroom-e2e-"));
  t.after(() => rmSync(path, { recursive: true, force: true }));
  return path;
};

/** Runs the program to its end; status and what it said. */
export const wardroom = (args, options = {}) => {
  const env = { ...process.env, ...options.env, XDG_CACHE_HOME: join(tmpdir(), "wardroom-e2e-cache") };
  const done = spawnSync(binary, args, { encoding: "utf8", ...options, env });
  return { status: done.status, out: done.stdout, err: done.stderr };
};

/** Starts a server and waits until it says something that matches. */
export const start = (t, args, wanted) => new Promise((resolve, reject) => {
  const child = spawn(binary, args, { stdio: ["ignore", "pipe", "pipe"] });
  let said = "";
  const stop = () => new Promise((done) => {
    if (child.exitCode !== null) return done();
    child.once("exit", done);
    child.kill("SIGTERM");
  });
  t.after(stop);
  const hear = (chunk) => {
    said += chunk;
    const found = said.match(wanted);
    if (found) resolve({ found, stop, said: () => said });
  };
  child.stdout.on("data", hear);
  child.stderr.on("data", hear);
  child.once("exit", (code) => reject(new Error(`the server ended with ${code}: ${said}`)));
});

/** A server with nobody in it: its origin and the link of the first set-up. */
export const serve = async (t, store) => {
  const { found, stop } = await start(t, ["serve", "--store", store, "--listen", "127.0.0.1:0"], /serving .* on (http:\/\/\S+)/s);
  return { origin: found[1], said: found.input, stop };
};

/** A browser that complains about every error on a page. */
export const browser = async (t) => {
  const chrome = await chromium.launch({
    executablePath: browserPath,
    args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
  });
  t.after(() => chrome.close());
  return chrome;
};

/** A page whose console errors are collected. A refused form answers 409 or 422, which browsers log. */
export const page = async (chrome, options = {}) => {
  const context = await chrome.newContext({ viewport: { width: 1440, height: 900 }, ...options });
  const tab = await context.newPage();
  const errors = [];
  tab.on("console", (message) => {
    if (message.type() === "error" && !/status of 4(04|09|22)/.test(message.text())) errors.push(message.text());
  });
  tab.on("pageerror", (error) => errors.push(String(error)));
  return { tab, context, errors };
};

/** Sets the first administrator up, and leaves the page signed in. */
export const setUp = async (tab, link) => {
  await tab.goto(link);
  await tab.fill("[name=login]", "mara");
  await tab.fill("[name=name]", "Mara Voss");
  await tab.fill("[name=password]", "a harbour at dawn 7");
  await tab.fill("[name=again]", "a harbour at dawn 7");
  await Promise.all([tab.waitForURL(/inbox/), tab.click("main form .btn-primary")]);
};

/** The example application in a git repository of its own. */
export const application = (into) => {
  cpSync(join(root, "examples/harbour"), into, { recursive: true });
  git(into, "init", "--quiet", "--initial-branch=main");
  commit(into, "The harbour office");
};

export const git = (cwd, ...args) => {
  const done = spawnSync("git", ["-c", "user.name=Noor", "-c", "user.email=noor@harbour.example", ...args], { cwd, encoding: "utf8" });
  if (done.status !== 0) throw new Error(`git ${args[0]}: ${done.stderr}`);
  return done.stdout.trim();
};

export const commit = (cwd, message) => {
  git(cwd, "add", "--all");
  git(cwd, "commit", "--quiet", "--message", message);
  return git(cwd, "rev-parse", "HEAD");
};
