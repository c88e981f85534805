// A workspace moves from Docker to Fly (the emulator, with containers) and back while somebody has it open in Chromium, with unsaved text.
//   node moving.mjs --swarm build/dev/swarm --emulator build/dev/fly-emulator [--modules DIR] [--screenshots DIR]
import { createRequire } from 'node:module';
import fs from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { Server, check, docker, say, waitFor } from '../workspace/server.mjs';
import { FlyEmulator } from './fly_emulator.mjs';

const { values: options } = parseArgs({
  options: {
    swarm: { type: 'string' },
    emulator: { type: 'string' },
    modules: { type: 'string', default: process.env.SWARM_TEST_MODULES ?? 'node_modules' },
    screenshots: { type: 'string' },
  },
});
const { chromium } = createRequire(path.resolve(options.modules, 'x.js'))('playwright-core');
const server = new Server(options.swarm);
const fly = new FlyEmulator(options.emulator, server.folder);
const workbench = '.monaco-workbench .part.editor';
let browser;
let shots = 0;
const shot = async (page, name) => { if (options.screenshots) await page.screenshot({ path: path.join(options.screenshots, `${++shots}-${name}.png`) }); };
const inside = (name, ...words) => server.run('exec', name, '--', ...words);
const bodyText = async (page) => (await page.locator('body').innerText()).replace(/\s+/g, ' ');
const shown = async (name) => JSON.parse((await server.run('show', name, '-o', 'json')).stdout);

async function open(page, url) {
  await page.goto(url);
  await page.fill('input[name=user]', 'admin');
  await page.fill('input[name=password]', server.password());
  await page.press('input[name=password]', 'Enter');
  await page.waitForSelector(workbench, { timeout: 120000 });
  // The extension asks for the status: from here on a replaced server is noticed.
  await page.waitForResponse((response) => response.url().endsWith('/.swarm/status'), { timeout: 60000 });
}

async function typeInTerminal(page, line) {
  await page.keyboard.press('Control+Shift+Backquote');
  await page.waitForSelector('.terminal-wrapper.active .xterm-helper-textarea', { state: 'attached', timeout: 30000 });
  await page.waitForSelector('.terminal-wrapper.active .xterm-screen', { timeout: 30000 });
  await page.focus('.terminal-wrapper.active .xterm-helper-textarea');
  await page.keyboard.type(`${line}\n`, { delay: 5 });
}

/// Every file of the home, but what VS Code itself writes while it runs: by find, sha256sum and stat, and not by our own digest.
async function listing(name) {
  const script = 'cd /home/coder && find . -path ./.local/share/code-server -prune -o -path ./.cache -prune -o -name .bash_history -prune -o ' +
    "-printf '%P %y %m %u %g %T@ %l\\n' | sort && find . -path ./.local/share/code-server -prune -o -path ./.cache -prune -o -name .bash_history " +
    '-prune -o -type f -print0 | sort -z | xargs -0 sha256sum';
  const answer = await inside(name, 'bash', '-c', script);
  if (answer.code !== 0) throw new Error(JSON.stringify(answer));
  return answer.stdout;
}

async function fill(name) {
  const script = 'set -e; cd ~/project; mkdir -p "deep/er and/$(printf "new\\nline")"; echo saved >saved.txt; ln -s saved.txt link; ln saved.txt hard; ' +
    'for i in $(seq 300); do echo "$i" >"deep/$i"; done; head -c 30M /dev/urandom >big; truncate -s 50M sparse; git init -q . && ' +
    'git -c user.name=a -c user.email=a@b add saved.txt && git -c user.name=a -c user.email=a@b commit -qm one';
  const answer = await inside(name, 'bash', '-c', script);
  check(answer.code === 0, 'files of many kinds are made', JSON.stringify(answer));
}

/// Moves web1 while `page` has it open with `sentence` in an unsaved editor, and sees the tab come back by itself.
async function move(page, words, to, sentence) {
  await page.evaluate(() => { window.beforeReload = true; });
  const seen = { bar: false, notification: false, dialog: false };
  let ended = false;
  const migrating = server.runWith({ seconds: 300 }, 'migrate', 'web1', ...words).finally(() => { ended = true; });
  while (!ended && await page.evaluate(() => window.beforeReload === true).catch(() => false)) {
    const text = await bodyText(page).catch(() => '');
    if (!seen.bar && text.includes(`Moving to ${to} …`)) { seen.bar = true; await shot(page, 'moving'); }
    if (!seen.notification && text.includes(`This workspace is moving to ${to}`)) { seen.notification = true; await shot(page, 'paused'); }
    if (/Cannot reconnect/.test(text)) seen.dialog = true;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const moved = await migrating;
  say(moved.stderr.trim().split('\n').join(' | '));
  check(moved.code === 0 && moved.stdout.trim() === new URL(page.url()).origin + '/', 'migrate works, and prints the same URL', JSON.stringify(moved));
  check(seen.bar, `the tab said that it is moving to ${to}`);
  say(`notification of the pause seen: ${seen.notification}; VS Code's own dialog seen: ${seen.dialog}`);
  await waitFor('the tab comes back by itself', () => page.evaluate(() => window.beforeReload !== true).catch(() => false), 30);
  await page.waitForSelector(workbench, { timeout: 120000 });
  await waitFor('the unsaved text is there', async () => (await page.locator('.view-lines').allInnerTexts()).join('').replace(/\s/g, ' ').includes(sentence), 60);
  check(true, 'the tab came back by itself with its unsaved text');
  await shot(page, 'moved');
  const marker = `made-after-moving-to-${to.replace(/\W/g, '')}`;
  await typeInTerminal(page, `echo ${marker} >>~/after.txt`);
  await waitFor('the terminal works', async () => (await inside('web1', 'cat', '/home/coder/after.txt')).stdout.includes(marker));
  check(true, 'the terminal works there');
}

async function toFlyAndBack(page) {
  await fill('web1');
  await page.locator('.part.editor').dblclick({ position: { x: 300, y: 20 } });
  await page.waitForSelector('.monaco-editor .view-lines', { state: 'attached' });
  const sentence = 'unsaved words that move along';
  await page.keyboard.type(sentence);
  const container = docker('ps', '-q', '--filter', `label=swarm.instance=${(await shown('web1')).id}`);
  const plan = await server.run('migrate', 'web1', '--to', 'flyio', '--region', 'ams', '--dry-run');
  check(plan.code === 0 && /Docker → Fly\.io \(ams\)/.test(plan.stdout), 'a dry run tells the plan', JSON.stringify(plan));
  say(plan.stdout.trim().split('\n').join(' | '));
  const before = await listing('web1');
  await move(page, ['--to', 'flyio', '--region', 'ams', '--limit', '8M'], 'Fly.io (ams)', sentence);
  const there = await shown('web1');
  check(there.provider === 'flyio' && there.region === 'ams' && there.status === 'running', 'it is at Fly', JSON.stringify(there));
  const after = await listing('web1');
  const sameButMarker = (text) => text.split('\n').filter((line) => !line.includes('after.txt') && !/^ d /.test(line)).join('\n');
  check(sameButMarker(after) === sameButMarker(before), 'every file is the same, as find and sha256sum see it');
  check((await inside('web1', 'git', '-C', '/home/coder/project', 'fsck')).code === 0, 'git fsck agrees');
  await waitFor('the container is gone', () => !docker('ps', '-aq', '--filter', `id=${container}`), 30);
  check(true, 'the container is gone from Docker');

  await move(page, ['--to', 'docker', '--keep-source'], 'Docker', sentence);
  const back = await shown('web1');
  check(back.provider === 'docker' && back.keptSource?.provider === 'flyio', 'it is at Docker again, and the place at Fly is kept', JSON.stringify(back));
  await move(page, ['--back'], 'Fly.io (ams)', sentence);
  const again = await shown('web1');
  check(again.provider === 'flyio', 'one command leads back', JSON.stringify(again));
  check(again.id === there.id && again.url === there.url && again.owner === there.owner, 'id, URL and owner never changed');
  const last = await listing('web1');
  check(sameButMarker(last) === sameButMarker(before), 'and every file is still the same');
}

try {
  await fly.start();
  fs.mkdirSync(server.config, { recursive: true });
  fs.writeFileSync(path.join(server.config, 'swarm.toml'), fly.config(process.env.SWARM_TEST_IMAGE ?? 'swarm-workspace:latest'));
  await server.start();
  const created = await server.run('create', 'web1', '--provider', 'docker');
  check(created.code === 0, 'create works', JSON.stringify(created));
  await server.learnLabel('web1');
  browser = await chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
  });
  const page = await (await browser.newContext({ viewport: { width: 1280, height: 800 } })).newPage();
  await open(page, created.stdout.trim());
  await toFlyAndBack(page);
  const deleted = await server.run('delete', 'web1', '--volumes', '--yes');
  check(deleted.code === 0, 'delete works', JSON.stringify(deleted));
  await waitFor('nothing is left', async () => (await fly.state()).apps === 0 && Object.values(server.left()).every((list) => list.length === 0), 30).catch(() => {});
  const state = await fly.state();
  check(state.apps === 0 && state.machines === 0 && state.volumes === 0, 'nothing is left at Fly', JSON.stringify(state));
  check(Object.values(server.left()).every((list) => list.length === 0), 'and nothing at Docker', JSON.stringify(server.left()));
} catch (error) {
  for (const page of browser?.contexts().flatMap((context) => context.pages()) ?? []) await shot(page, 'at-the-failure').catch(() => {});
  check(false, error.message, error.stack);
} finally {
  if (browser) await browser.close();
  await fly.dispose().catch((error) => check(false, error.message));
  await server.dispose();
}
