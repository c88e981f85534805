// A workspace on Fly (the emulator, with containers) beside one on Docker: made, used in Chromium, stopped and started; then Fly is away
// and comes back; at the end nothing is left.
//   node two_providers.mjs --swarm build/dev/swarm --emulator build/dev/fly-emulator [--modules DIR] [--screenshots DIR]
import { createRequire } from 'node:module';
import fs from 'node:fs';
import path from 'node:path';

import { Person, testOptions } from '../workspace/person.mjs';
import { Server, check, say, waitFor } from '../workspace/server.mjs';
import { FlyEmulator } from './fly_emulator.mjs';

const options = testOptions({ emulator: { type: 'string' } });
const { chromium } = createRequire(path.resolve(options.modules, 'x.js'))('playwright-core');
const server = new Server(options.swarm);
const fly = new FlyEmulator(options.emulator, server.folder);
const workbench = '.monaco-workbench .part.editor';
let browser;
let shots = 0;
const shot = async (page, name) => { if (options.screenshots) await page.screenshot({ path: path.join(options.screenshots, `${++shots}-${name}.png`) }); };

async function signIn(page) {
  await page.fill('input[name=user]', 'admin');
  await page.fill('input[name=password]', server.password());
  await page.press('input[name=password]', 'Enter');
}

const inside = (name, ...words) => server.run('exec', name, '--', ...words);
async function providers() {
  const result = await server.run('status', '-o', 'json');
  const list = JSON.parse(result.stdout).providers;
  return Object.fromEntries(list.map((provider) => [provider.type ?? provider.provider ?? provider.name, provider]));
}
const healthOf = async (type) => (await providers())[type]?.status;

async function createOnBoth() {
  const onFly = await server.run('create', 'web1', '--provider', 'flyio', '--region', 'ams');
  check(onFly.code === 0 && onFly.stdout.trim() === `http://web1.localhost:${new URL(server.url).port}/`, 'create on Fly prints the URL', JSON.stringify(onFly));
  say(onFly.stderr.trim().split('\n').join(' | '));
  const onDocker = await server.run('create', 'here', '--provider', 'docker');
  check(onDocker.code === 0, 'create on Docker works beside it', JSON.stringify(onDocker));
  say(onDocker.stderr.trim().split('\n').join(' | '));
  await server.learnLabel('here');
  const both = await providers();
  check(both.docker?.status === 'healthy' && both.flyio?.status === 'healthy', 'status shows both providers', JSON.stringify(both));
  const state = await fly.state();
  check(state.apps === 1 && state.machines === 1 && state.volumes === 1, 'one app, one Machine, one volume', JSON.stringify(state));
  return onFly.stdout.trim();
}

async function workInBrowser(page, url) {
  await page.goto(url);
  await signIn(page);
  await page.waitForSelector(workbench, { timeout: 120000 });
  check(page.url().startsWith(url), 'VS Code opens through the gateway and the edge');
  const seen = await Person.typeInTerminal(page, 'echo made-in-$((40+2)) > ~/from-terminal.txt', async () => {
    const result = await inside('web1', 'cat', '/home/coder/from-terminal.txt');
    return result.code === 0 && result.stdout ? result : undefined;
  });
  check(seen?.stdout === 'made-in-42\n', 'the terminal works, and exec sees its file', JSON.stringify(seen));
  await shot(page, 'terminal');
}

async function stopAndStart(page, url) {
  const outside = await server.run('exec', 'web1', '--user', 'root', '--', 'touch', '/outside-of-the-volume');
  check(outside.code === 0, 'a file is made outside of the volume', JSON.stringify(outside));
  const stopped = await server.run('stop', 'web1');
  check(stopped.code === 0, 'stop works', JSON.stringify(stopped));
  await page.goto(url);
  check(/stopped/i.test(await page.textContent('body')), 'the URL says that it is stopped');
  const start = await server.run('start', 'web1');
  check(start.code === 0, 'start works', JSON.stringify(start));
  await page.waitForSelector(workbench, { timeout: 120000 }).catch(() => {});
  check(await page.$(workbench) !== null, 'the page continues automatically');
  const after = await inside('web1', 'cat', '/home/coder/from-terminal.txt');
  check(after.stdout === 'made-in-42\n', 'the file on the volume survived', JSON.stringify(after));
  check((await inside('web1', 'test', '-e', '/outside-of-the-volume')).code !== 0, 'what was outside of it is gone, as on Fly');
}

async function flyIsAway(page, url) {
  const [container] = fly.left().containers;
  await fly.kill('SIGKILL');
  await waitFor('status says that Fly is unavailable', async () => await healthOf('flyio') === 'unavailable', 60);
  check(await healthOf('docker') === 'healthy', 'Fly is reported as unavailable, and Docker as healthy');
  const status = await server.run('status');
  check(/flyio.*unavailable/.test(status.stdout) && /docker.*healthy/.test(status.stdout), 'in the human-readable output too', status.stdout);
  say(status.stdout.trim().split('\n').join(' | '));
  const listed = await server.run('list');
  say(listed.stdout.trim().split('\n').join(' | '));
  check(/web1/.test(listed.stdout) && /here/.test(listed.stdout), 'the instance on Fly is still listed', listed.stdout);
  check(/web1: flyio cannot be reached; this was its state .* ago/.test(listed.stderr), 'with the age of what is known', listed.stderr);
  await shot(page, 'fly-away');
  const stop = await server.run('stop', 'here');
  const start = await server.run('start', 'here');
  check(stop.code === 0 && start.code === 0, 'stop and start on Docker work during the outage', JSON.stringify([stop, start]));
  check((await inside('here', 'echo', 'alive')).stdout === 'alive\n', 'and so does what runs there');
  const refused = await server.run('create', 'web2', '--provider', 'flyio', '--region', 'ams', '--timeout', '30');
  check(refused.code !== 0 && /Fly/.test(refused.stderr), 'a create on Fly fails and says whose fault it is', JSON.stringify(refused));
  say(refused.stderr.trim().split('\n').pop());
  await server.run('delete', 'web2', '--volumes', '--yes');

  await fly.start();
  await waitFor('Fly is healthy again', async () => await healthOf('flyio') === 'healthy', 60);
  check(await healthOf('docker') === 'healthy', 'both are healthy again');
  await waitFor('web1 is running again', async () => {
    const result = await server.run('show', 'web1', '-o', 'json');
    return result.code === 0 && JSON.parse(result.stdout).status === 'running';
  });
  check(fly.left().containers[0] === container, 'the Machine has run all the time, in the same container');
  check((await inside('web1', 'cat', '/home/coder/from-terminal.txt')).stdout === 'made-in-42\n', 'with its files');
  await page.goto(url);
  await page.waitForSelector(workbench, { timeout: 120000 }).catch(() => {});
  check(await page.$(workbench) !== null, 'and VS Code opens');
}

async function deleteBoth() {
  const deleted = await server.run('delete', 'web1', 'here', '--volumes', '--yes');
  check(deleted.code === 0, 'delete works', JSON.stringify(deleted));
  await waitFor('the app is gone at Fly', async () => (await fly.state()).apps === 0, 30).catch(() => {});
  const state = await fly.state();
  check(state.apps === 0 && state.machines === 0 && state.volumes === 0 && state.ips === 0, 'nothing is left at Fly', JSON.stringify(state));
  await waitFor('the Engine has nothing of it', async () => Object.values(fly.left()).every((list) => list.length === 0), 30).catch(() => {});
  check(Object.values(fly.left()).every((list) => list.length === 0), 'no container, volume or network of the emulator is left', JSON.stringify(fly.left()));
  check(Object.values(server.left()).every((list) => list.length === 0), 'and none of the Docker provider', JSON.stringify(server.left()));
}

try {
  await fly.start();
  fs.mkdirSync(server.config, { recursive: true });
  fs.writeFileSync(path.join(server.config, 'swarm.toml'), fly.config(process.env.SWARM_TEST_IMAGE ?? 'swarm-workspace:latest'));
  await server.start();
  const url = await createOnBoth();
  browser = await chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
  });
  const page = await (await browser.newContext({ viewport: { width: 1280, height: 800 } })).newPage();
  await workInBrowser(page, url);
  await stopAndStart(page, url);
  await flyIsAway(page, url);
  await deleteBoth();
} catch (error) {
  for (const page of browser?.contexts().flatMap((context) => context.pages()) ?? []) await shot(page, 'at-the-failure').catch(() => {});
  check(false, error.message, error.stack);
} finally {
  if (browser) await browser.close();
  await fly.dispose().catch((error) => check(false, error.message));
  await server.dispose();
}
