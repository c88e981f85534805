// What a new user does: sign in, see the workbench, use the terminal, find the file from the command line, stop, start, delete.
//   node new_user.mjs --swarm build/dev/swarm [--modules DIR] [--screenshots DIR]
import { createRequire } from 'node:module';
import path from 'node:path';

import { Person, testOptions } from './person.mjs';
import { Server, check, say, waitFor } from './server.mjs';

const options = testOptions();
const { chromium } = createRequire(path.resolve(options.modules, 'x.js'))('playwright-core');
const server = new Server(options.swarm);
let browser;
let shots = 0;
const shot = async (page, name) => { if (options.screenshots) await page.screenshot({ path: path.join(options.screenshots, `${++shots}-${name}.png`) }); };
const workbench = '.monaco-workbench .part.editor';

async function signIn(page) {
  await page.fill('input[name=user]', 'admin');
  await page.fill('input[name=password]', server.password());
  await shot(page, 'sign-in');
  await page.press('input[name=password]', 'Enter');
}

try {
  await server.start();
  const created = await server.run('create', 'first');
  check(created.code === 0 && created.stdout.trim() === `http://first.localhost:${new URL(server.url).port}/`, 'create prints the URL', JSON.stringify(created));
  check(/\d\.\d\d s/.test(created.stderr), 'and each step with its time', created.stderr);
  say(created.stderr.trim().split('\n').join(' | '));
  const url = created.stdout.trim();
  await server.learnLabel('first');

  browser = await chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
  });
  const page = await (await browser.newContext({ viewport: { width: 1280, height: 800 } })).newPage();
  await page.goto(url);
  check(new URL(page.url()).hostname === 'swarm.localhost', 'a stranger is sent to the sign-in page');
  await signIn(page);
  await page.waitForSelector(workbench, { timeout: 120000 });
  check(page.url().startsWith(url), 'after signing in, the workbench is at the instance\'s own URL');
  await shot(page, 'workbench');

  const seen = await Person.typeInTerminal(page, 'echo made-in-$((40+2)) > ~/from-terminal.txt', async () => {
    const result = await server.run('exec', 'first', '--', 'cat', '/home/coder/from-terminal.txt');
    return result.code === 0 && result.stdout ? result : undefined;
  });
  check(seen?.stdout === 'made-in-42\n', 'exec sees the file that the terminal made', JSON.stringify(seen));
  await shot(page, 'terminal');

  // An unsaved editor, and a VS Code that dies under the open tab.
  await page.keyboard.press('Control+`');
  await page.keyboard.press('Control+Alt+N');
  await page.waitForSelector('.tab.active:has-text("Untitled-1")', { timeout: 30000 });
  await page.waitForSelector('.editor-instance .monaco-editor', { timeout: 30000 });
  await page.click('.editor-instance .monaco-editor .view-lines');
  await page.keyboard.type('this text is not saved yet');
  await page.waitForFunction(() => document.body.textContent.replace(/\u00a0/g, ' ').includes('this text is not saved yet'));
  // VS Code keeps unsaved text a second after the last key.
  await page.waitForTimeout(1500);
  await page.evaluate(() => { window.beforeTheServerDied = true; });
  const killed = await server.run('exec', 'first', '--user', 'root', '--', 'sh', '-c', 'pkill -KILL -f [c]ode-server/out/node/entry.js');
  check(killed.code === 0, 'VS Code\'s server is killed inside', JSON.stringify(killed));
  await page.waitForFunction(() => !window.beforeTheServerDied, undefined, { timeout: 60000, polling: 200 }).catch(() => {});
  await page.waitForSelector(workbench, { timeout: 120000 });
  check(await page.evaluate(() => !window.beforeTheServerDied), 'the open tab reloads automatically');
  const back = await page.waitForFunction(() => document.body.textContent.replace(/\u00a0/g, ' ').includes('this text is not saved yet'), undefined, { timeout: 30000 }).then(() => true, () => false);
  check(back, 'and its unsaved editor comes back');
  await shot(page, 'healed');

  const stopped = await server.run('stop', 'first');
  check(stopped.code === 0, 'stop works', JSON.stringify(stopped));
  const second = await page.context().newPage();
  await second.goto(url);
  check(/stopped/i.test(await second.textContent('body')), 'the URL says that it is stopped');
  await shot(second, 'stopped');
  const start = server.run('start', 'first');
  await second.waitForSelector(workbench, { timeout: 120000 }).catch(() => {});
  check(await second.$(workbench) !== null, 'the page continues automatically when it starts');
  check((await start).code === 0, 'start works', JSON.stringify(await start));
  const after = await server.run('exec', 'first', '--', 'cat', '/home/coder/from-terminal.txt');
  check(after.stdout === 'made-in-42\n', 'the file is still there after stop and start', JSON.stringify(after));

  const deleted = await server.run('delete', 'first', '--yes');
  check(deleted.code === 0, 'delete works', JSON.stringify(deleted));
  const left = server.left();
  check(left.containers.length === 0 && left.networks.length === 0, 'no container and no network is left', JSON.stringify(left));
  check(left.volumes.length === 1, 'the persistent volume was kept', JSON.stringify(left));
  check((await server.run('show', 'first')).code === 3, 'the instance is gone (exit code 3)');
  // In a tab of its own: the open ones load another page when they notice the end, which would abort this load.
  const unknown = await (await page.context().newPage()).goto(url);
  check(unknown.status() === 404, 'and its URL is unknown');

  const kept = await server.run('volumes');
  const name = kept.stdout.split('\n')[1]?.split(/\s+/)[0];
  check(/\(deleted\)/.test(kept.stdout) && /\/home\/coder/.test(kept.stdout), 'the kept volume is reported', kept.stdout);
  check((await server.run('volumes', 'delete', name, '--yes')).code === 0 && server.left().volumes.length === 0, 'and can be deleted', name);
  check((await server.run('volumes', 'delete', name, '--yes')).code === 3, 'a volume that is not there is not found (exit code 3)');
} catch (error) {
  for (const page of browser?.contexts().flatMap((context) => context.pages()) ?? []) await shot(page, 'at-the-failure').catch(() => {});
  check(false, error.message, error.stack);
} finally {
  if (browser) await browser.close();
  await server.dispose();
}
