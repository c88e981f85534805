// Tests the image in a real browser: VS Code opens ready to work, and a tab whose server was replaced recovers automatically.
// Each scenario has a workspace of its own (workspace.mjs), and they run side by side: most of their time is spent waiting.
//   node tests/integration/image/open_tab.mjs [--image NAME] [--modules DIR] [--screenshots DIR] [SCENARIO...]
// DIR is the node_modules that holds playwright-core. Needs Docker, Debian's chromium and Node >= 18.
import { AsyncLocalStorage } from 'node:async_hooks';
import { createRequire } from 'node:module';
import path from 'node:path';
import { parseArgs } from 'node:util';

import { Workspace, waitFor } from './workspace.mjs';

const { values: options, positionals: chosen } = parseArgs({
  allowPositionals: true,
  options: {
    image: { type: 'string', default: process.env.SWARM_TEST_IMAGE ?? 'swarm-workspace:latest' },
    modules: { type: 'string', default: process.env.SWARM_TEST_MODULES ?? 'node_modules' },
    screenshots: { type: 'string' },
  },
});
const { chromium } = createRequire(path.resolve(options.modules, 'x.js'))('playwright-core');
const kAtATime = 4; // they wait most of the time
const kSmallDisk = '/home/coder/small'; // a file system of its own
const scenario = new AsyncLocalStorage(); // the name of the one that is running, for its output
const started = Date.now();
const say = (text) => console.log(`[${((Date.now() - started) / 1000).toFixed(1).padStart(5)}s] ${scenario.getStore()}: ${text}`);

function check(condition, sentence) {
  say(`${condition ? 'ok  ' : 'FAIL'} ${sentence}`);
  if (!condition) process.exitCode = 1;
}

/// Checks that `condition` becomes true in time.
const checkSoon = (sentence, condition, seconds = 30) => waitFor(sentence, condition, seconds).then(() => check(true, sentence), () => check(false, sentence));

const kEditor = '.monaco-workbench .part.editor';
const shot = async (page, name) => { if (options.screenshots) await page.screenshot({ path: path.join(options.screenshots, name + '.png') }); };
const visible = (page, selector) => page.locator(selector).first().isVisible();
const bodyText = async (page) => (await page.locator('body').innerText()).replace(/\s+/g, ' ');
const workbench = (page) => page.waitForSelector(kEditor, { timeout: 120_000 });
const isReloaded = (page) => page.evaluate(() => window.beforeReload !== true).catch(() => false);
const markPage = (page) => page.evaluate(() => { window.beforeReload = true; });
const hasText = async (page, text) => (await page.locator('.view-lines').allInnerTexts()).join('').replace(/\s/g, ' ').includes(text);

/// Waits until the extension polls: its second request from now.
async function extensionRuns(workspace) {
  const first = workspace.extensionRequests;
  await waitFor('the extension runs', () => workspace.extensionRequests > first + 1, 60);
}

async function typeInNewEditor(page, text) {
  await page.locator('.part.editor').dblclick({ position: { x: 700, y: 20 } });
  await page.waitForSelector('.monaco-editor .view-lines', { state: 'attached' });
  await page.keyboard.type(text);
}

/// The first visit: what is there, and what is not.
async function opensReadyToWork(workspace, page) {
  await page.context().addCookies([{ name: 'session', value: 'of-this-instance', url: workspace.origin, httpOnly: true, sameSite: 'Lax' }]);
  const foreign = new Set();
  page.on('request', (request) => { const host = new URL(request.url()).host; if (host && !host.startsWith('try.localhost')) foreign.add(host); });
  if (process.env.OPEN_TAB_DEBUG) page.on('console', (message) => say('console: ' + message.text().slice(0, 300)));
  await page.goto(workspace.origin + '/', { timeout: 120_000 });
  await workbench(page);
  say('the workbench is up');
  await waitFor('the web extension requests the status', () => workspace.extensionRequests > 0, 60);
  check(workspace.statusCookie.includes('session='), 'the extension sends the cookie of the instance');
  await page.waitForTimeout(1500); // for a request of the page's script in progress
  const byThePage = workspace.requests - workspace.extensionRequests;
  await page.waitForTimeout(3000);
  check(workspace.requests - workspace.extensionRequests === byThePage, "the page's script stops polling once the extension polls");
  await shot(page, '1-opened');
  check(page.url().includes('folder=') && page.url().includes('project'), `a first visit opens the project folder (${page.url().replace(workspace.origin, '')})`);
  const settings = JSON.parse(await page.locator('#vscode-workbench-web-configuration').getAttribute('data-settings'));
  check(settings.productConfiguration.proxyEndpointTemplate === '//{{port}}.{{host}}/', 'ports open at an origin of their own');
  check(!(await visible(page, '.part.auxiliarybar')), 'there is no chat side bar');
  check(!(await visible(page, '.gettingStartedContainer')), 'there is no welcome walkthrough');
  check(!(await visible(page, '.part.banner')), 'there is no trust banner');
  check((await page.locator('.notification-toast').count()) === 0, 'there is no notification');
  check(foreign.size === 0, `the browser contacts no other host (${[...foreign].join(' ')})`);

  await page.keyboard.press('Control+Shift+Backquote');
  await page.waitForSelector('.terminal-wrapper.active .xterm-screen', { timeout: 120_000 });
  const opened = page.locator('.tab', { hasText: 'opened-from-terminal.txt' });
  // Its shell may take a moment on a busy machine, and what is typed before the keyboard is the terminal's is lost: typed again.
  for (let turn = 0; turn < 8 && !await opened.isVisible(); ++turn) {
    await page.click('.terminal-wrapper.active .xterm-screen');
    await page.keyboard.type('code opened-from-terminal.txt\n');
    await opened.waitFor({ timeout: 10_000 }).catch(() => {});
  }
  check(await opened.isVisible(), 'a terminal opens, and "code FILE" in it opens the file');
  await shot(page, '1-terminal');
}

async function healsAnOpenTab(workspace, page) {
  await page.goto(workspace.origin + '/', { timeout: 120_000 });
  await workbench(page);
  await extensionRuns(workspace);
  await typeInNewEditor(page, 'unsaved words that must survive');
  await page.waitForTimeout(2000);
  await shot(page, '2-typed');
  check(await hasText(page, 'survive'), 'an untitled editor has the text');

  await markPage(page);
  await workspace.stopServer();
  say('the server is killed');
  await page.waitForSelector('#swarm\\.swarm-workspace\\.swarm\\.connection, .statusbar-item[id*="swarm.connection"]', { timeout: 120_000 });
  await page.waitForTimeout(12_000);
  await shot(page, '3-away');
  check(await page.evaluate(() => window.beforeReload === true), 'while there is no server the tab waits');
  await page.locator('.monaco-editor .view-lines').first().click();
  await page.keyboard.press('Control+End');
  await page.keyboard.type(' the outage too');
  await page.waitForTimeout(3000);
  await shot(page, '3-typed-while-away');
  workspace.pageDelay = 5000; // a page that is requested again too early would start over and never load
  await workspace.startServer();
  say('another server answers');
  await waitFor('the tab reloads', () => isReloaded(page), 30);
  workspace.pageDelay = 0;
  await workbench(page);
  await checkSoon('unsaved text is back', () => hasText(page, 'survive'));
  await checkSoon('text typed during the outage is back', () => hasText(page, 'survive the outage too'));
  await shot(page, '4-healed');
}

/// A short outage of the same server must not reload anything.
async function survivesAShortOutage(workspace, page) {
  await page.goto(workspace.origin + '/', { timeout: 120_000 });
  await workbench(page);
  await extensionRuns(workspace);
  await markPage(page);
  await workspace.pauseServer();
  await page.waitForTimeout(12_000);
  await workspace.continueServer();
  await page.waitForTimeout(8000);
  await shot(page, '5-paused');
  check(await page.evaluate(() => window.beforeReload === true), 'an outage of the same server reloads nothing');
}

/// A move, as the gateway reports it: the tab shows it, and continues at another server without user action.
async function moves(workspace, page) {
  const move = (step, stepText, percent, paused) => ({ to: 'Fly.io (ams)', step, stepText, percent, paused, secondsLeft: 7 });
  await page.goto(workspace.origin + '/', { timeout: 120_000 });
  await workbench(page);
  await extensionRuns(workspace);
  await typeInNewEditor(page, 'written just before the move');
  await markPage(page);
  workspace.moving = move('copy', 'copying the files', 45, false);
  await waitFor('the status bar shows the move', async () => (await bodyText(page)).includes('Moving to Fly.io (ams) … 45 %'), 10);
  check((await page.locator('.notification-toast').count()) === 0, 'while a move copies there is no notification');
  await page.keyboard.type(' and while it copies');
  await shot(page, '6-moving');
  workspace.moving = move('pause', 'stopping VS Code at the old place', 80, true);
  await workspace.stopServer();
  await checkSoon('a notification says that it moves once it is paused',
    () => page.locator('.notification-toast', { hasText: 'This workspace is moving to Fly.io (ams)' }).first().isVisible(), 10);
  workspace.moving = move('verify', 'comparing every file', 90, true);
  await waitFor('the notification follows the move', async () => /unsaved text is kept · 90 %, comparing every file/.test(await bodyText(page)), 10);
  await page.keyboard.type(' and in the pause');
  await shot(page, '6-move-paused');
  check((await page.locator('.monaco-dialog-box').count()) === 0, 'no dialog blocks the tab');
  await workspace.startServer();
  workspace.moving = move('retire source', 'tidying up the old place', 99, false);
  await waitFor('the tab goes on at the new place', () => isReloaded(page), 30);
  check(workspace.readyAnswersBeforeThePage === 1, `the tab was reloaded at the first answer of the new place (${workspace.readyAnswersBeforeThePage})`);
  await workbench(page);
  workspace.moving = null;
  await checkSoon('unsaved text of before, during and in the pause of the move is there',
    () => hasText(page, 'written just before the move and while it copies and in the pause'));
  await checkSoon('the tab says where the workspace is now', async () => (await bodyText(page)).includes('This workspace is now on Fly.io (ams).'), 10);
  await waitFor('the move is no longer shown', async () => !/[Mm]oving/.test(await bodyText(page)), 20);
  await shot(page, '6-moved');
  check((await page.locator('.monaco-dialog-box').count()) === 0, 'no dialog is left');
}

/// The server is replaced while the page is being loaded: at once, when VS Code does not even start its extensions any more, or a while later.
const replacedAfter = (milliseconds) => async (workspace, page) => {
  let letCome;
  workspace.extensionIsThere = new Promise((resolve) => { letCome = resolve; });
  await page.goto(workspace.origin + '/', { timeout: 120_000 });
  await workbench(page);
  await page.waitForTimeout(milliseconds);
  await markPage(page);
  await workspace.stopServer();
  workspace.pageDelay = 5000;
  await workspace.startServer();
  letCome();
  await checkSoon(`a tab continues automatically, its server replaced ${milliseconds} ms after the workbench appeared`, () => isReloaded(page), 20);
  workspace.pageDelay = 0;
  await workbench(page);
  await markPage(page);
  const first = workspace.requests;
  await waitFor('the status is polled repeatedly', () => workspace.requests >= first + 8, 60);
  check(!(await isReloaded(page)), 'it reloads once');
  check((await page.locator('.monaco-dialog-box').count()) === 0, 'no dialog is left');
  await shot(page, `7-replaced-early-${milliseconds}`);
};

/// The workspace is stopped: the tab says so and starts it on request; otherwise it changes to the gateway's page before VS Code's dialog.
async function isStopped(workspace, page) {
  await page.goto(workspace.origin + '/', { timeout: 120_000 });
  await workbench(page);
  await extensionRuns(workspace);
  await typeInNewEditor(page, 'typed before the stop');
  await markPage(page);
  workspace.statusWhileDown = 'stopped';
  await workspace.stopServer();
  await checkSoon('a tab says that its workspace is stopped',
    () => page.locator('.notification-toast', { hasText: 'This workspace is stopped.' }).first().isVisible(), 20);
  await shot(page, '8-stopped');
  await page.locator('.notification-toast .monaco-button:has-text("Start"), form button').first().click(); // on a slow machine the tab has changed
  await checkSoon('Start in the tab starts it, and the tab goes on', () => isReloaded(page), 60);
  await workbench(page);
  await checkSoon('with the text that was typed', () => hasText(page, 'typed before the stop'));
  await extensionRuns(workspace);
  workspace.statusWhileDown = 'stopped';
  await workspace.stopServer();
  let dialogs = 0;
  await checkSoon("without Start the tab changes to the gateway's page", async () => {
    dialogs += await page.locator('.monaco-dialog-box').count().catch(() => 0);
    return (await page.locator('h1', { hasText: 'The page of a stopped workspace' }).count()) > 0;
  }, 60);
  check(dialogs === 0, 'before VS Code shows a dialog');
  await shot(page, '8-stopped-page');
  await workspace.startServer();
  await workbench(page);
  await checkSoon('the text that was typed is there after a later start', () => hasText(page, 'typed before the stop'));
}

/// A folder on a disk of its own fills up, and is emptied again.
async function warnsOfAFullDisk(workspace, page) {
  await page.goto(`${workspace.origin}/?folder=${kSmallDisk}`, { timeout: 120_000 });
  await workbench(page);
  const bar = page.locator('.statusbar-item[id*="swarm.disk"]');
  const shows = async (text) => (await bar.count()) > 0 && (await bar.first().isVisible()) && (await bar.first().innerText()).includes(text);
  await workspace.shell(`head -c 19M /dev/zero >${kSmallDisk}/fill`);
  await checkSoon('the status bar shows that a disk is nearly full', () => shows('1 MB left'), 60);
  const toast = page.locator('.notification-toast', { hasText: `The disk with ${kSmallDisk} is nearly full` });
  check(await toast.first().isVisible(), 'and a notification says so');
  await shot(page, '9-full-disk');
  await workspace.shell(`rm ${kSmallDisk}/fill`);
  await checkSoon('the warning ends with its cause', async () => (await bar.count()) === 0 || !(await bar.first().isVisible()), 60);
}

async function takesOwnSettings(workspace, page) {
  await workspace.shell(`mkdir -p ~/.local/share/code-server/User && echo '{"workbench.startupEditor": "welcomePage"}' >~/.local/share/code-server/User/settings.json`);
  await page.goto(workspace.origin + '/?folder=/home/coder', { timeout: 120_000 });
  await checkSoon("a person's own settings override the defaults", () => visible(page, '.gettingStartedContainer'), 90);
  await shot(page, '10-own-settings');
  check((await page.locator('.monaco-dialog-box').count()) === 0, 'VS Code does not ask for trust in the home');
}

/// A link may name any folder: its content (such as git's core.fsmonitor) runs only once the user trusts it. The folder is outside of the
/// home, because VS Code scans the folders of a trusted one for repositories.
async function runsNothingOfAnotherFolder(workspace, page) {
  await workspace.shell(`mkdir /tmp/elsewhere && cd /tmp/elsewhere && git init -q && git config core.fsmonitor 'touch /tmp/ran; false' && touch file`);
  await page.goto(workspace.origin + '/?folder=/tmp/elsewhere', { timeout: 120_000 });
  await checkSoon('another folder needs an answer to the question of trust', () => page.locator('.monaco-dialog-box', { hasText: /trust/i }).first().isVisible(), 90);
  await shot(page, '11-trust');
  const hasRun = async () => (await workspace.shell('test -e /tmp/ran && echo ran || echo not')) === 'ran';
  check(!(await hasRun()), 'and nothing of it has run');
  await page.locator('.monaco-dialog-box .monaco-button', { hasText: /^Yes/i }).click();
  await checkSoon('trusted, git runs in it', hasRun, 60);
}

const scenarios = { // the longest first
  healsAnOpenTab,
  isStopped,
  replacedAfter3000: replacedAfter(3000),
  replacedAfter700: replacedAfter(700),
  replacedAtOnce: replacedAfter(0),
  moves,
  survivesAShortOutage,
  warnsOfAFullDisk,
  opensReadyToWork,
  runsNothingOfAnotherFolder,
  takesOwnSettings,
};

async function run(name, browser) {
  const workspace = new Workspace(options.image, ['--tmpfs', `${kSmallDisk}:size=20m,uid=1000,gid=1000`]);
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
  const page = await context.newPage();
  say('begins');
  try {
    await workspace.open();
    await scenarios[name](workspace, page);
  } catch (error) {
    check(false, error.stack);
    await shot(page, `failed-${name}`).catch(() => {});
  } finally {
    await context.close();
    await workspace.close();
  }
  say('ended');
}

const waiting = chosen.length ? chosen : Object.keys(scenarios);
const browser = await chromium.launch({
  executablePath: '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
});
try {
  await Promise.all(Array.from({ length: kAtATime }, async () => {
    for (let name = waiting.shift(); name; name = waiting.shift()) await scenario.run(name, run, name, browser);
  }));
} finally {
  await browser.close();
}
