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

export class Person {
  /// `modules` holds playwright-core; `screenshots` is a folder, or nothing.
  constructor({ modules, screenshots }) {
    this.chromium = createRequire(path.resolve(modules, 'x.js'))('playwright-core').chromium;
    this.screenshots = screenshots;
    this.shots = 0;
  }

  async open() {
    this.browser = await this.chromium.launch({
      executablePath: '/usr/bin/chromium',
      args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
    });
    return (await this.browser.newContext({ viewport: { width: 1280, height: 800 } })).newPage();
  }

  async shot(page, name) {
    if (this.screenshots) await page.screenshot({ path: path.join(this.screenshots, `${++this.shots}-${name}.png`) });
  }

  async shotAll(name) {
    for (const page of this.browser?.contexts().flatMap((context) => context.pages()) ?? []) await this.shot(page, name).catch(() => {});
  }

  async close() { if (this.browser) await this.browser.close(); }

  static async signIn(page, password) {
    await page.fill('input[name=user]', 'admin');
    await page.fill('input[name=password]', password);
    await page.press('input[name=password]', 'Enter');
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
