// A user at the browser: Chromium, signing in, the terminal, and screenshots on request.
import { createRequire } from 'node:module';
import path from 'node:path';
import { parseArgs } from 'node:util';

export const workbench = '.monaco-workbench .part.editor';

/// The command line of a test with a browser; `more`: further options, as of parseArgs().
export const testOptions = (more = {}) => parseArgs({
  options: {
    swarm: { type: 'string', default: 'build/dev/swarm' },
    modules: { type: 'string', default: process.env.SWARM_TEST_MODULES ?? 'node_modules' },
    screenshots: { type: 'string' },
    ...more,
  },
}).values;

/// Records what goes wrong in a page; returns a function that describes the page and the last 40 records, for a test that fails.
export function recordTrouble(page) {
  const records = [];
  const add = (text) => { if (records.push(`${new Date().toISOString()} ${text.slice(0, 300)}`) > 40) records.shift(); };
  page.on('console', (message) => { if (['error', 'warning'].includes(message.type())) add(`console: ${message.text()}`); });
  page.on('pageerror', (error) => add(`exception: ${error.message}`));
  page.on('requestfailed', (request) => add(`failed: ${request.url()} ${request.failure()?.errorText}`));
  page.on('response', (response) => { if (response.status() >= 400) add(`${response.status()}: ${response.url()}`); });
  page.on('framenavigated', (frame) => { if (frame === page.mainFrame()) add(`at ${frame.url()}`); });
  return async () => {
    const text = await page.evaluate(() => document.body?.innerText).catch((error) => error.message);
    return `${page.url()}\n${String(text).slice(0, 1000)}\n${records.join('\n')}`;
  };
}

export class Person {
  /// `modules` holds playwright-core; `screenshots` is a folder, or nothing.
  constructor({ modules, screenshots }) {
    this.chromium = createRequire(path.resolve(modules, 'x.js'))('playwright-core').chromium;
    this.screenshots = screenshots;
    this.shots = 0;
  }

  /// A page in a browser session of its own.
  async open() {
    this.browser ??= await this.chromium.launch({
      executablePath: '/usr/bin/chromium',
      args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
    });
    return (await this.browser.newContext({ viewport: { width: 1280, height: 800 } })).newPage();
  }

  async shot(page, name) {
    if (this.screenshots) await page.screenshot({ path: path.join(this.screenshots, `${++this.shots}-${name}.png`) });
  }

  async shotAll(name) {
    for (const page of this.browser?.contexts().flatMap((context) => context.pages()) ?? []) {
      console.log(`open: ${page.url()}`);
      await this.shot(page, name).catch(() => {});
    }
  }

  async close() { if (this.browser) await this.browser.close(); }

  static async signIn(page, password, user = 'admin') {
    await page.fill('input[name=user]', user);
    await page.fill('input[name=password]', password);
    await page.press('input[name=password]', 'Enter');
  }

  /// Opens a workspace from the list of workspaces in a tab, and waits for VS Code and its extension.
  static async openWorkspace(page, name) {
    await page.context().addInitScript(() => {
      new BroadcastChannel('swarm-workspace').onmessage = () => { window.swarmExtensionIsUp = true; };
    });
    const tab = await page.context().newPage();
    await tab.goto(await page.getAttribute(`a:has-text("${name}")`, 'href'));
    await tab.waitForSelector(workbench, { timeout: 240000 });
    await tab.waitForFunction(() => window.swarmExtensionIsUp === true, undefined, { timeout: 120000 });
    return tab;
  }

  /// Opens `url` in the Simple Browser of VS Code, and returns whether its frame shows `text` in time.
  static async simpleBrowserShows(page, url, text) {
    // VS Code knows the command once it has read its extensions.
    const command = page.locator('.quick-input-list .monaco-list-row', { hasText: 'Simple Browser' });
    for (const end = Date.now() + 120000; Date.now() < end && !(await command.count());) {
      await page.keyboard.press('Escape');
      await page.keyboard.press('F1');
      await page.waitForSelector('.quick-input-widget input');
      await page.keyboard.type('Simple Browser: Show');
      await command.first().waitFor({ timeout: 3000 }).catch(() => {});
    }
    await page.keyboard.press('Enter');
    await page.waitForSelector('.quick-input-widget input[placeholder*="http"]', { timeout: 60000 });
    await page.keyboard.type(url);
    await page.keyboard.press('Enter');
    const shows = async () => {
      for (const frame of page.frames())
        if (frame.url().startsWith(new URL(url).origin) && text.test(await frame.textContent('body').catch(() => ''))) return true;
      return false;
    };
    for (const end = Date.now() + 60000; Date.now() < end && !(await shows());) await page.waitForTimeout(250);
    return shows();
  }

  /// Types `line` until `isDone` answers something, and gives that; nothing: it never did. A terminal's shell may take a moment, above all
  /// after a reload, and what is typed before it is there can be lost.
  static async typeInTerminal(page, line, isDone) {
    for (let turn = 0; turn < 6; ++turn) {
      if (!(await page.locator('.terminal-wrapper.active').count())) await page.keyboard.press('Control+`');
      await page.waitForSelector('.terminal-wrapper.active .xterm-helper-textarea', { state: 'attached', timeout: 30000 });
      await page.waitForSelector('.terminal-wrapper.active .xterm-screen', { timeout: 30000 });
      await page.focus('.terminal-wrapper.active .xterm-helper-textarea');
      await page.keyboard.type(`${line}\n`, { delay: 5 });
      for (const end = Date.now() + 10000; Date.now() < end; await page.waitForTimeout(200)) {
        const result = await isDone();
        if (result) return result;
      }
    }
    return undefined;
  }
}
