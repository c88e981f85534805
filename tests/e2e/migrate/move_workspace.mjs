// A workspace moves from Docker to Fly (the emulator, with containers) and back, under an open tab: files, hard cases and unsaved text arrive,
// the tab continues automatically at the same URL, and nothing is left at the former place.
//   node move_workspace.mjs --swarm build/dev/swarm --emulator build/dev/fly-emulator [--modules DIR] [--screenshots DIR]
import fs from 'node:fs';
import path from 'node:path';

import { FlyEmulator } from '../fly/fly_emulator.mjs';
import { Person, testOptions, workbench } from '../workspace/person.mjs';
import { Server, check, say, waitFor } from '../workspace/server.mjs';

const options = testOptions({ emulator: { type: 'string' } });
const server = new Server(options.swarm);
const fly = new FlyEmulator(options.emulator, server.folder);
const person = new Person(options);

const inside = (...words) => server.run('exec', 'web1', '--', ...words);
const show = async () => JSON.parse((await server.run('show', 'web1', '-o', 'json')).stdout);
const text = async (page) => (await page.locator('.view-lines').allInnerTexts()).join('\n').replace(/\u00a0/g, ' ');

/// A listing by tools that are not ours: every path, type, mode, owner, time, size and content.
const listing = async () => {
  const script = `cd /home/coder && find . -path ./.local/share/code-server -prune -o -path ./.cache -prune -o -path ./.config -prune -o -printf '%P|%y|%m|%U|%G|%T@|%l|' ` +
    `-exec sh -c 'if [ -f "$1" ] && [ ! -L "$1" ]; then sha256sum <"$1" | cut -d" " -f1; else echo; fi' sh {} ';' | sort`;
  const result = await server.run('exec', 'web1', '--user', 'root', '--', 'sh', '-c', script);
  return result.code === 0 ? result.stdout : `failed: ${result.stderr}`;
};
// What VS Code itself does to the top folders while it runs is not what is compared, and a pipe is not moved.
const comparable = (lines) => lines.split('\n').filter((line) => !/^(\.bash_history)?\||^\.local|^project\/pipe\|/.test(line));
const differences = (before, after) => [...before.filter((line) => !after.includes(line)).map((line) => `- ${line}`),
  ...after.filter((line) => !before.includes(line)).map((line) => `+ ${line}`)].join('\n');

const hardCases = `set -e; cd /home/coder/project; git init -q repo; cd repo; git config user.email a@b.c; git config user.name a;
for i in 1 2 3; do echo $i >file$i; git add .; git commit -qm "commit $i"; done; cd ..;
head -c 50M /dev/urandom >big; mkdir -p deep/a/b/c; echo deep >deep/a/b/c/file; ln -s nowhere dangling; ln -s ../project loop; echo hard >one; ln one deep/two;
printf 'x' >"$(printf 'new\\nline')"; truncate -s 20M sparse; printf 'middle' | dd of=sparse bs=1 seek=9000000 conv=notrunc status=none;
chmod 4755 one; mkfifo pipe; printf 'raw' >"$(printf 'latin\\351')"; setfattr -n user.note -v kept deep/a 2>/dev/null || true`;

async function workBefore(page, url) {
  await page.goto(url);
  await Person.signIn(page, server.password());
  await page.waitForSelector(workbench, { timeout: 120000 });
  const made = await inside('bash', '-c', hardCases);
  check(made.code === 0, 'a project with a git repository and hard cases is made', JSON.stringify(made));
  const saved = await Person.typeInTerminal(page, 'echo saved-in-$((40+2)) > ~/saved.txt',
    async () => (await inside('cat', '/home/coder/saved.txt')).stdout === 'saved-in-42\n');
  check(saved, 'a file is saved from the terminal');
  await page.locator('.part.editor').dblclick({ position: { x: 300, y: 20 } });
  await page.waitForSelector('.monaco-editor .view-lines', { state: 'attached' });
  await page.keyboard.type('unsaved words that must survive');
  await waitFor('the typed text', async () => (await text(page)).includes('must survive'));
  // VS Code writes its backup of an unsaved editor about a second after the last key.
  await page.waitForTimeout(3000);
  await person.shot(page, 'before');
}

async function move(page, words, name) {
  // The tab is complete once its extension polls the status; on a busy machine the extension starts a while after the workbench.
  await page.waitForResponse((response) => response.url().endsWith('/.swarm/status'), { timeout: 60000 });
  await page.evaluate(() => { window.beforeTheMove = true; });
  const began = Date.now();
  const seen = { bar: false, notification: false, dialog: false };
  let ended = false;
  const moving = server.runWith({ seconds: 300 }, 'migrate', 'web1', ...words).then((result) => { ended = true; return result; });
  while (!ended && await page.evaluate(() => window.beforeTheMove === true).catch(() => false)) {
    const shown = (await page.locator('body').innerText().catch(() => '')).replace(/\s+/g, ' ');
    if (!seen.bar && shown.includes('Moving to ')) { seen.bar = true; await person.shot(page, `${name}-moving`); }
    if (!seen.notification && shown.includes('This workspace is moving to ')) { seen.notification = true; await person.shot(page, `${name}-paused`); }
    seen.dialog ||= /Cannot reconnect/.test(shown);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const moved = await moving;
  // A small workspace has moved before the tab polls for the first time: only a slow move must be shown.
  if (words.includes('--limit')) check(seen.bar || seen.notification, 'the tab says that the workspace moves', JSON.stringify(seen));
  check(!seen.dialog, "and VS Code's own dialog did not come up");
  check(moved.code === 0, `swarm migrate ${words.join(' ')} works`, JSON.stringify(moved));
  check(moved.stdout.trim() === server.instanceUrl, 'it prints the same URL', moved.stdout);
  say(moved.stderr.trim().split('\n').join(' | '));
  say(`moved in ${((Date.now() - began) / 1000).toFixed(1)} s`);
  const back = await waitFor('the tab reloads', () => page.evaluate(() => window.beforeTheMove !== true).catch(() => false), 60).catch(() => false);
  check(back, 'the tab continues automatically');
  say(`the tab was back ${((Date.now() - began) / 1000).toFixed(1)} s after the command`);
  await page.waitForSelector(workbench, { timeout: 60000 }).catch(() => {});
  check(page.url().startsWith(server.instanceUrl), 'at the same URL', page.url());
  const unsaved = await waitFor('the unsaved text', async () => (await text(page)).includes('must survive'), 30).catch(() => false);
  check(unsaved, 'with the unsaved text');
  await person.shot(page, `${name}-back`);
}

async function workAfter(page, before, where) {
  const [was, is] = [comparable(before), comparable(await listing())];
  check(was.length > 50 && differences(was, is) === '', `every file is the same on ${where}: ${is.length} entries`, differences(was, is));
  check((await inside('git', '-C', '/home/coder/project/repo', 'fsck', '--full')).code === 0, 'git fsck finds nothing wrong');
  const hard = await inside('sh', '-c', 'cd /home/coder/project && [ one -ef deep/two ] && stat -c %b sparse');
  check(hard.code === 0 && Number(hard.stdout) < 2000, 'hard links are hard links, sparse files are sparse', JSON.stringify(hard));
  const trail = await Person.typeInTerminal(page, `echo 'on-${where}' >> ~/trail.txt`, async () => {
    const result = await inside('cat', '/home/coder/trail.txt');
    return result.code === 0 && result.stdout.includes(`on-${where}`);
  });
  check(trail, `the terminal works on ${where}`);
}

async function mistakes() {
  const same = await server.run('migrate', 'web1', '--to', 'docker');
  check(same.code === 1 && /already/.test(same.stderr), 'to where it is already: it says so', JSON.stringify(same));
  const absent = await server.run('migrate', 'absent', '--to', 'flyio');
  check(absent.code === 3, 'an absent instance: exit code 3', JSON.stringify(absent));
  const region = await server.run('migrate', 'web1', '--to', 'flyio', '--region', 'xyz');
  check(region.code === 1 && /"xyz"; it has ams, fra/.test(region.stderr), 'a region that Fly does not have: it names those that it has', JSON.stringify(region));
  const plan = await server.run('migrate', 'web1', '--to', 'flyio', '--region', 'ams', '--dry-run', '-o', 'json');
  const planned = plan.code === 0 ? JSON.parse(plan.stdout) : {};
  check(planned.fits === true && planned.files > 10 && planned.to?.region === 'ams', 'a dry run reports what would be moved', JSON.stringify(plan));
  check((await fly.state()).machines === 0 && (await show()).provider === 'docker', 'and none of it changed anything');
}

try {
  await fly.start();
  fs.mkdirSync(server.config, { recursive: true });
  fs.writeFileSync(path.join(server.config, 'swarm.toml'), fly.config(process.env.SWARM_TEST_IMAGE ?? 'swarm-workspace:latest'));
  await server.start();
  const created = await server.run('create', 'web1', '--provider', 'docker');
  check(created.code === 0, 'a workspace on Docker', JSON.stringify(created));
  server.instanceUrl = created.stdout.trim();
  await server.learnLabel('web1');
  const id = (await show()).id;
  const page = await person.open();
  await workBefore(page, server.instanceUrl);
  await mistakes();

  const before = await listing();
  await move(page, ['--to', 'flyio', '--region', 'ams', '--limit', '5M'], 'to-fly');
  const there = await show();
  check(there.id === id && there.provider === 'flyio' && there.region === 'ams' && there.status === 'running', 'the same instance, on Fly now', JSON.stringify(there));
  await workAfter(page, before, 'fly');
  const state = await fly.state();
  check(state.apps === 1 && state.machines === 1 && state.volumes === 1, 'one app, one Machine, one volume there', JSON.stringify(state));
  const left = server.left();
  check(left.containers.length === 0 && left.volumes.length === 0, 'the container and its volume are gone', JSON.stringify(left));

  const atFly = await listing();
  await move(page, ['--to', 'docker', '--keep-source'], 'to-docker');
  const again = await show();
  check(again.id === id && again.provider === 'docker' && again.status === 'running', 'and back on Docker', JSON.stringify(again));
  check(again.keptSource?.provider === 'flyio' && (await fly.state()).machines === 1, 'the place at Fly is kept', JSON.stringify(again));
  await workAfter(page, atFly, 'docker');

  const onDocker = await listing();
  await move(page, ['--back'], 'back');
  const last = await show();
  check(last.id === id && last.provider === 'flyio' && !last.keptSource, 'one command goes back to the kept place', JSON.stringify(last));
  await workAfter(page, onDocker, 'fly again');

  const deleted = await server.run('delete', 'web1', '--volumes', '--yes');
  check(deleted.code === 0, 'delete works', JSON.stringify(deleted));
  await waitFor('nothing at Fly', async () => (await fly.state()).apps === 0, 30).catch(() => {});
  check((await fly.state()).apps === 0 && Object.values(fly.left()).every((list) => list.length === 0), 'nothing is left at Fly', JSON.stringify(await fly.state()));
  check(Object.values(server.left()).every((list) => list.length === 0), 'nor on Docker', JSON.stringify(server.left()));
} catch (error) {
  await person.shotAll('at-the-failure');
  check(false, error.message, error.stack);
} finally {
  await person.close();
  await fly.dispose().catch((error) => check(false, error.message));
  await server.dispose();
}
