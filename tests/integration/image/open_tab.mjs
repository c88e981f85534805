// Tests the image in a real browser: VS Code opens ready to work, and a tab whose server was replaced recovers automatically.
// code-server runs in a container of the image without an agent; a few lines of proxy stand in for the gateway.
//   node tests/integration/image/open_tab.mjs [--image NAME] [--modules DIR] [--screenshots DIR]
// DIR is the node_modules that holds playwright-core. Needs Docker, Debian's chromium and Node >= 18.
import { execFileSync } from 'node:child_process';
import { createRequire } from 'node:module';
import fs from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';

const { values: options } = parseArgs({
  options: {
    image: { type: 'string', default: process.env.SWARM_TEST_IMAGE ?? 'swarm-workspace:latest' },
    modules: { type: 'string', default: process.env.SWARM_TEST_MODULES ?? 'node_modules' },
    screenshots: { type: 'string' },
  },
});
const { chromium } = createRequire(path.resolve(options.modules, 'x.js'))('playwright-core');

const sockets = fs.mkdtempSync(path.join(os.tmpdir(), 'open-tab-'));
fs.chmodSync(sockets, 0o777);
const socket = path.join(sockets, 'code-server.sock');
const docker = (...words) => execFileSync('docker', words, { encoding: 'utf8' }).trim();
const kSmallDisk = '/home/coder/small'; // a file system of its own
let container = '';
let generation = 0;
const started = Date.now();
const say = (text) => console.log(`[${((Date.now() - started) / 1000).toFixed(1).padStart(5)}s] ${text}`);

function check(condition, sentence) {
  say(`${condition ? 'ok  ' : 'FAIL'} ${sentence}`);
  if (!condition) process.exitCode = 1;
}

async function answers() {
  return new Promise((resolve) => {
    http.get({ socketPath: socket, path: '/healthz', timeout: 5000 }, (r) => { r.resume(); resolve(r.statusCode === 200); })
      .on('error', () => resolve(false)).on('timeout', function () { this.destroy(); });
  });
}

// The call itself may never return: a page that is being left does not respond.
async function waitFor(what, condition, seconds = 30) {
  const end = Date.now() + seconds * 1000;
  const pause = (milliseconds, value) => new Promise((resolve) => { setTimeout(resolve, milliseconds, value); });
  while (!(await Promise.race([condition(), pause(5000, false)]))) {
    if (Date.now() > end) throw new Error(`not within ${seconds} s: ${what}`);
    await pause(100);
  }
}

async function startServer() {
  docker('start', container);
  generation += 1;
  await waitFor('code-server answers', answers);
}

function stopServer() {
  docker('kill', container);
  fs.rmSync(socket, { force: true });
}

// What the gateway does, for one instance.
let requests = 0; // by the page's script and the extension
let extensionRequests = 0;
let pageDelay = 0; // ms until the page itself is answered: a slow line
let statusCookie = '';
let moving = null; // what the gateway says of a move
let statusWhileDown = 'starting';
let extensionIsThere = Promise.resolve(); // its script is handed out only then
const gateway = http.createServer(async (request, response) => {
  if (request.url === '/.swarm/status') {
    requests += 1;
    if (request.headers.accept === 'application/json') { // the page's script sends no Accept of its own
      extensionRequests += 1;
      statusCookie = request.headers.cookie ?? '';
    }
    const ready = await answers();
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ instance: 'try', status: ready ? 'running' : statusWhileDown, ready, generation: String(generation), moving }));
    return;
  }
  if (request.url === '/.swarm/start' && request.method === 'POST') {
    statusWhileDown = 'starting';
    response.writeHead(303, { location: '/' }).end();
    await startServer();
    return;
  }
  if (request.headers['sec-fetch-dest'] === 'document' && statusWhileDown === 'stopped' && !(await answers())) {
    response.writeHead(503, { 'content-type': 'text/html' }).end(`<h1>The page of a stopped workspace</h1>
<form method="post" action="/.swarm/start"><button>Start</button></form>
<script>setInterval(async () => { if ((await (await fetch('/.swarm/status')).json()).ready) location.reload(); }, 500);</script>`);
    return;
  }
  if (request.url.includes('healer.js')) await extensionIsThere;
  if (request.headers['sec-fetch-dest'] === 'document') await new Promise((resolve) => { setTimeout(resolve, pageDelay); });
  const upstream = http.request({ socketPath: socket, path: request.url, method: request.method, headers: request.headers }, (upstreamResponse) => {
    response.writeHead(upstreamResponse.statusCode, upstreamResponse.headers);
    upstreamResponse.pipe(response);
  });
  upstream.on('error', () => { if (!response.headersSent) response.writeHead(502); response.end(); });
  request.pipe(upstream);
});
gateway.on('upgrade', (request, client, head) => {
  const server = net.connect(socket);
  server.on('connect', () => {
    const lines = request.rawHeaders.reduce((all, word, i) => all + word + (i % 2 ? '\r\n' : ': '), `GET ${request.url} HTTP/1.1\r\n`);
    server.write(lines + '\r\n');
    server.write(head);
    client.pipe(server).pipe(client);
  });
  server.on('error', () => client.destroy());
  server.on('close', () => client.destroy());
  client.on('error', () => server.destroy());
});

const shot = async (page, name) => { if (options.screenshots) await page.screenshot({ path: path.join(options.screenshots, name + '.png') }); };
const visible = (page, selector) => page.locator(selector).first().isVisible();

const bodyText = async (page) => (await page.locator('body').innerText()).replace(/\s+/g, ' ');

// A move, as the gateway reports it: the tab shows it, and continues at another server without user action.
async function moves(page) {
  const move = (step, stepText, percent, paused) => ({ to: 'Fly.io (ams)', step, stepText, percent, paused, secondsLeft: 7 });
  await page.locator('.part.editor').dblclick({ position: { x: 700, y: 20 } });
  await page.waitForTimeout(1000);
  await page.keyboard.type('written just before the move');
  await page.evaluate(() => { window.beforeReload = true; });
  moving = move('copy', 'copying the files', 45, false);
  await waitFor('the status bar shows the move', async () => (await bodyText(page)).includes('Moving to Fly.io (ams) … 45 %'), 10);
  check((await page.locator('.notification-toast').count()) === 0, 'while a move copies there is no notification');
  await page.keyboard.type(' and while it copies');
  await shot(page, '6-moving');
  moving = move('pause', 'stopping VS Code at the old place', 80, true);
  stopServer();
  const toast = page.locator('.notification-toast', { hasText: 'This workspace is moving to Fly.io (ams)' });
  await toast.waitFor({ timeout: 10_000 }).then(() => check(true, 'a notification says that it moves once it is paused'),
    () => check(false, 'a notification says that it moves once it is paused'));
  moving = move('verify', 'comparing every file', 90, true);
  await waitFor('the notification follows the move', async () => /unsaved text is kept · 90 %, comparing every file/.test(await bodyText(page)), 10);
  await page.keyboard.type(' and in the pause');
  await shot(page, '6-move-paused');
  check((await page.locator('.monaco-dialog-box').count()) === 0, 'no dialog blocks the tab');
  await startServer();
  moving = move('retire source', 'tidying up the old place', 99, false);
  const before = Date.now();
  await waitFor('the tab goes on at the new place', () => page.evaluate(() => window.beforeReload !== true).catch(() => false), 30);
  const took = (Date.now() - before) / 1000;
  check(took < 4, `the tab was reloaded ${took.toFixed(1)} s after the new place answered`);
  await page.waitForSelector('.monaco-workbench .part.editor', { timeout: 60_000 });
  moving = null;
  const sentence = 'written just before the move and while it copies and in the pause';
  await waitFor('what was typed is there', async () => (await page.locator('.view-lines').allInnerTexts()).join('').replace(/\s/g, ' ').includes(sentence), 30)
    .then(() => check(true, 'unsaved text of before, during and in the pause of the move is there'),
      () => check(false, 'unsaved text of before, during and in the pause of the move is there'));
  await waitFor('the tab says where it is now', async () => (await bodyText(page)).includes('This workspace is now on Fly.io (ams).'), 10)
    .then(() => check(true, 'the tab says where the workspace is now'), () => check(false, 'the tab says where the workspace is now'));
  await waitFor('the move is no longer shown', async () => !/[Mm]oving/.test(await bodyText(page)), 20);
  await shot(page, '6-moved');
  check((await page.locator('.monaco-dialog-box').count()) === 0, 'no dialog is left');
}

// The server is replaced while the page is being loaded: at once, when VS Code does not even start its extensions any more, or a while later.
async function replacedBeforeTheExtensionIsThere(browser, origin, afterMilliseconds) {
  let letCome;
  extensionIsThere = new Promise((resolve) => { letCome = resolve; });
  const page = await (await browser.newContext({ viewport: { width: 1280, height: 800 } })).newPage();
  await page.goto(origin + '/', { timeout: 120_000 });
  await page.waitForSelector('.monaco-workbench .part.editor', { timeout: 120_000 });
  await page.waitForTimeout(afterMilliseconds);
  await page.evaluate(() => { window.beforeReload = true; });
  stopServer();
  pageDelay = 5000;
  await startServer();
  letCome();
  const when = `replaced ${afterMilliseconds} ms after the workbench appeared`;
  await waitFor(`the tab goes on, its server ${when}`, () => page.evaluate(() => window.beforeReload !== true).catch(() => false), 20)
    .then(() => check(true, `a tab continues automatically, its server ${when}`), () => check(false, `a tab continues automatically, its server ${when}`));
  pageDelay = 0;
  await page.waitForSelector('.monaco-workbench .part.editor', { timeout: 120_000 });
  await page.evaluate(() => { window.beforeReload = true; });
  const first = requests;
  await waitFor('the status is polled repeatedly', () => requests >= first + 8, 60);
  check(await page.evaluate(() => window.beforeReload === true), 'it reloads once');
  check((await page.locator('.monaco-dialog-box').count()) === 0, 'no dialog is left');
  await shot(page, `8-replaced-early-${afterMilliseconds}`);
  await page.context().close();
}

// The workspace is stopped: the tab says so and starts it on request; otherwise it changes to the gateway's page before VS Code's dialog.
async function stopped(browser, origin) {
  statusWhileDown = 'stopped';
  const page = await (await browser.newContext({ viewport: { width: 1280, height: 800 } })).newPage();
  const open = async () => {
    await page.goto(origin + '/', { timeout: 120_000 });
    await page.waitForSelector('.monaco-workbench .part.editor', { timeout: 120_000 });
    const first = extensionRequests;
    await waitFor('the extension runs', () => extensionRequests > first + 1, 60);
  };
  const typed = async (text, sentence) => waitFor(sentence, async () => (await page.locator('.view-lines').allInnerTexts()).join('').replace(/\s/g, ' ').includes(text), 30)
    .then(() => check(true, sentence), () => check(false, sentence));
  await open();
  await page.locator('.part.editor').dblclick({ position: { x: 700, y: 20 } });
  await page.waitForSelector('.monaco-editor .view-lines', { state: 'attached' });
  await page.keyboard.type('typed before the stop');
  await page.evaluate(() => { window.beforeReload = true; });
  stopServer();
  const toast = page.locator('.notification-toast', { hasText: 'This workspace is stopped.' });
  await toast.waitFor({ timeout: 20_000 }).then(() => check(true, 'a tab says that its workspace is stopped'), () => check(false, 'a tab says that its workspace is stopped'));
  await shot(page, '10-stopped');
  await page.locator('.notification-toast .monaco-button:has-text("Start"), form button').first().click(); // on a slow machine the tab has changed
  await waitFor('the tab goes on', () => page.evaluate(() => window.beforeReload !== true).catch(() => false), 60)
    .then(() => check(true, 'Start in the tab starts it, and the tab goes on'), () => check(false, 'Start in the tab starts it, and the tab goes on'));
  await page.waitForSelector('.monaco-workbench .part.editor', { timeout: 120_000 });
  await typed('typed before the stop', 'with the text that was typed');
  const first = extensionRequests;
  await waitFor('the extension runs', () => extensionRequests > first + 1, 60);
  statusWhileDown = 'stopped';
  stopServer();
  let dialogs = 0;
  await waitFor("the gateway's page", async () => {
    dialogs += await page.locator('.monaco-dialog-box').count().catch(() => 0);
    return (await page.locator('h1', { hasText: 'The page of a stopped workspace' }).count()) > 0;
  }, 60).then(() => check(true, "without Start the tab changes to the gateway's page"), () => check(false, "without Start the tab changes to the gateway's page"));
  check(dialogs === 0, 'before VS Code shows a dialog');
  await shot(page, '10-stopped-page');
  await startServer();
  await page.waitForSelector('.monaco-workbench .part.editor', { timeout: 120_000 });
  await typed('typed before the stop', 'the text that was typed is there after a later start');
  statusWhileDown = 'starting';
  await page.context().close();
}

/// A folder on a disk of its own fills up, and is emptied again.
async function warnsOfAFullDisk(browser, origin) {
  const page = await (await browser.newContext({ viewport: { width: 1280, height: 800 } })).newPage();
  await page.goto(`${origin}/?folder=${kSmallDisk}`, { timeout: 120_000 });
  await page.waitForSelector('.monaco-workbench .part.editor', { timeout: 120_000 });
  const bar = page.locator('.statusbar-item[id*="swarm.disk"]');
  const shows = async (text) => (await bar.count()) > 0 && (await bar.first().isVisible()) && (await bar.first().innerText()).includes(text);
  docker('exec', '--user', 'coder', container, 'sh', '-c', `head -c 19M /dev/zero >${kSmallDisk}/fill`);
  await waitFor('the status bar shows what is left of the disk', () => shows('1 MB left'), 60)
    .then(() => check(true, 'the status bar shows that a disk is nearly full'), () => check(false, 'the status bar shows that a disk is nearly full'));
  const toast = page.locator('.notification-toast', { hasText: `The disk with ${kSmallDisk} is nearly full` });
  check(await toast.first().isVisible(), 'and a notification says so');
  await shot(page, '9-full-disk');
  docker('exec', container, 'rm', `${kSmallDisk}/fill`);
  await waitFor('the warning ends', async () => (await bar.count()) === 0 || !(await bar.first().isVisible()), 60)
    .then(() => check(true, 'the warning ends with its cause'), () => check(false, 'the warning ends with its cause'));
  await page.context().close();
}

async function run() {
  container = docker('create', '--network', 'none', '--user', 'coder', '--env', 'HOME=/home/coder', '--volume', `${sockets}:/run/swarm`,
    '--tmpfs', `${kSmallDisk}:size=20m,uid=1000,gid=1000`, '--entrypoint', '/opt/swarm/bin/code-server', options.image, '--socket', '/run/swarm/code-server.sock');
  await startServer();
  await new Promise((resolve) => gateway.listen(0, '127.0.0.1', resolve));
  const origin = `http://try.localhost:${gateway.address().port}`;
  const browser = await chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
  });
  try {
    const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
    await context.addCookies([{ name: 'session', value: 'of-this-instance', url: origin, httpOnly: true, sameSite: 'Lax' }]);
    const page = await context.newPage();
    const foreign = new Set();
    page.on('request', (request) => { const host = new URL(request.url()).host; if (host && !host.startsWith('try.localhost')) foreign.add(host); });
    if (process.env.OPEN_TAB_DEBUG) page.on('console', (message) => say('console: ' + message.text().slice(0, 300)));
    await page.goto(origin + '/', { timeout: 120_000 });
    await page.waitForSelector('.monaco-workbench .part.editor', { timeout: 120_000 });
    say('the workbench is up');
    await waitFor('the web extension requests the status', () => extensionRequests > 0, 60);
    check(statusCookie.includes('session='), 'the extension sends the cookie of the instance');
    await page.waitForTimeout(1500); // for a request of the page's script in progress
    const byThePage = requests - extensionRequests;
    await page.waitForTimeout(3000);
    check(requests - extensionRequests === byThePage, "the page's script stops polling once the extension polls");
    await shot(page, '1-opened');
    check(page.url().includes('folder=') && page.url().includes('project'), `a first visit opens the project folder (${page.url().replace(origin, '')})`);
    const settings = JSON.parse(await page.locator('#vscode-workbench-web-configuration').getAttribute('data-settings'));
    check(settings.productConfiguration.proxyEndpointTemplate === '//{{port}}.{{host}}/', 'ports open at an origin of their own');
    check(!(await visible(page, '.part.auxiliarybar')), 'there is no chat side bar');
    check(!(await visible(page, '.gettingStartedContainer')), 'there is no welcome walkthrough');
    check(!(await visible(page, '.part.banner')), 'there is no trust banner');
    check((await page.locator('.notification-toast').count()) === 0, 'there is no notification');
    check(foreign.size === 0, `the browser contacts no other host (${[...foreign].join(' ')})`);

    await page.locator('.part.editor').dblclick({ position: { x: 300, y: 20 } });
    await page.waitForSelector('.monaco-editor .view-lines', { state: 'attached' });
    await page.keyboard.type('unsaved words that must survive');
    await page.waitForTimeout(2000);
    await shot(page, '2-typed');
    check((await page.locator('.view-lines').first().innerText()).includes('survive'), 'an untitled editor has the text');

    await page.evaluate(() => { window.beforeReload = true; });
    stopServer();
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
    const before = Date.now();
    pageDelay = 5000; // a page that is requested again too early would start over and never load
    await startServer();
    say('another server answers');
    await waitFor('the tab reloads', () => page.evaluate(() => window.beforeReload !== true).catch(() => false), 30);
    say(`the tab reloaded ${((Date.now() - before) / 1000).toFixed(1)} s after the start`);
    pageDelay = 0;
    await page.waitForSelector('.monaco-workbench .part.editor', { timeout: 120_000 });
    await waitFor('the unsaved text is back', async () => (await page.locator('.view-lines').allInnerTexts()).join('').includes('survive'), 30)
      .then(() => check(true, 'unsaved text is back'), () => check(false, 'unsaved text is back'));
    await waitFor('the text that was typed during the outage is back', async () => (await page.locator('.view-lines').allInnerTexts()).join('').replace(/\s/g, ' ').includes('survive the outage too'), 30)
      .then(() => check(true, 'text typed during the outage is back'), () => check(false, 'text typed during the outage is back'));
    await shot(page, '4-healed');

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
    await shot(page, '5-terminal');

    await moves(page);

    // A short outage of the same server must not reload anything.
    await page.evaluate(() => { window.beforeReload = true; });
    docker('pause', container);
    await page.waitForTimeout(12_000);
    docker('unpause', container);
    await page.waitForTimeout(8000);
    await shot(page, '6-paused');
    check(await page.evaluate(() => window.beforeReload === true), 'an outage of the same server reloads nothing');
    await context.close();

    for (const milliseconds of [0, 700, 3000]) await replacedBeforeTheExtensionIsThere(browser, origin, milliseconds);

    await stopped(browser, origin);

    await warnsOfAFullDisk(browser, origin);

    docker('exec', container, 'sh', '-c', `echo '{"workbench.startupEditor": "welcomePage"}' >~/.local/share/code-server/User/settings.json`);
    const other = await (await browser.newContext({ viewport: { width: 1280, height: 800 } })).newPage();
    await other.goto(origin + '/?folder=/home/coder', { timeout: 120_000 });
    await other.locator('.gettingStartedContainer').first().waitFor({ timeout: 90_000 })
      .then(() => check(true, "a person's own settings override the defaults"), () => check(false, "a person's own settings override the defaults"));
    await shot(other, '7-own-settings');
    check((await other.locator('.monaco-dialog-box').count()) === 0, 'VS Code does not ask for trust in the home');

    // A link may name any folder: its content (such as git's core.fsmonitor) runs only once the user trusts it. The folder is outside of the
    // home, because VS Code scans the folders of a trusted one for repositories.
    docker('exec', container, 'sh', '-c', `mkdir /tmp/elsewhere && cd /tmp/elsewhere && git init -q && git config core.fsmonitor 'touch /tmp/ran; false' && touch file`);
    const led = await (await browser.newContext({ viewport: { width: 1280, height: 800 } })).newPage();
    await led.goto(origin + '/?folder=/tmp/elsewhere', { timeout: 120_000 });
    await led.locator('.monaco-dialog-box', { hasText: /trust/i }).waitFor({ timeout: 90_000 })
      .then(() => check(true, 'another folder needs an answer to the question of trust'), () => check(false, 'another folder needs an answer to the question of trust'));
    await shot(led, '8-trust');
    const ran = () => docker('exec', container, 'sh', '-c', 'test -e /tmp/ran && echo ran || echo not');
    check(ran() === 'not', 'and nothing of it has run');
    await led.locator('.monaco-dialog-box .monaco-button', { hasText: /^Yes/i }).click();
    await waitFor('what it says runs once it is trusted', () => ran() === 'ran', 60)
      .then(() => check(true, 'trusted, git runs in it'), () => check(false, 'trusted, git runs in it'));
  } finally {
    await browser.close();
  }
}

try {
  await run();
} finally {
  gateway.close();
  gateway.closeAllConnections();
  if (container) docker('rm', '--force', '--volumes', container);
  fs.rmSync(sockets, { recursive: true, force: true });
}
