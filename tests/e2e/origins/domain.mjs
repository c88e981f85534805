// On a domain, with the server's own TLS: workspaces are of one site there, and one of them attacks another.
//   node domain.mjs --swarm build/dev/swarm [--modules DIR] [--screenshots DIR]
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { createRequire } from 'node:module';

import { Person, testOptions, workbench } from '../workspace/person.mjs';
import { Server, check, say, waitFor } from '../workspace/server.mjs';
import { node, portPrograms, go } from './programs.mjs';

const options = testOptions();
const domain = 'swarm.example.test';
const server = new Server(options.swarm);
const { chromium } = createRequire(path.resolve(options.modules, 'x.js'))('playwright-core');
let port;
let browser;
const at = (host, rest = '/') => `https://${host ? `${host}.` : ''}${domain}:${port}${rest}`;

/// A certificate of its own authority; the flags of a server that uses it.
function makeCertificate() {
  const [key, certificate] = ['key.pem', 'certificate.pem'].map((file) => path.join(server.folder, file));
  execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', `/CN=${domain}`, '-addext',
    `subjectAltName=DNS:${domain},DNS:*.${domain},IP:127.0.0.1`, '-keyout', key, '-out', certificate], { stdio: 'ignore' });
  server.environment.SWARM_CA_FILE = certificate;
  return ['--base-domain', domain, '--tls-certificate', certificate, '--tls-key', key];
}

/// Opens a port's page, by way of a sign-in where there is none yet: pages of the gateway go on to it.
async function openPort(page, host) {
  await go(page, at(host));
  await page.waitForSelector('#port', { timeout: 60000 });
}

async function reached(page) {
  await openPort(page, '3000--mine');
  return page.evaluate(async (url) => (await (await fetch(url, { credentials: 'include' })).json()), at('8000--mine', '/reached'));
}

async function signsIn(page) {
  await go(page, at('mine'));
  await Person.signIn(page, server.password());
  await page.waitForSelector(workbench, { timeout: 240000 });
  check(page.url().startsWith(at('mine')), 'signing in leads to VS Code', page.url());
  const cookies = await page.context().cookies();
  check(cookies.every(({ name, secure, domain: its }) => !name.includes('swarm-') || (name.startsWith('__Host-') && secure && !its.startsWith('.'))),
    'every cookie of the server is __Host- and of one host only', JSON.stringify(cookies));
  const response = await go(page, at(''));
  check(/max-age=\d/.test(response.headers()['strict-transport-security'] ?? ''), 'browsers are instructed to use https only');
  // As VS Code's Live Preview: a page of its host, whose policy admits the port in a frame, and no other.
  await go(page, at('mine', '/healthz'));
  await page.evaluate(({ origin, url }) => {
    document.head.append(Object.assign(document.createElement('meta'), { httpEquiv: 'Content-Security-Policy', content: `frame-src ${origin}` }));
    const frame = document.createElement('iframe');
    frame.sandbox = 'allow-scripts allow-forms allow-same-origin';
    frame.src = url;
    document.body.append(frame);
  }, { origin: new URL(at('8000--mine')).origin, url: at('8000--mine', '/live?a=b') });
  const live = () => page.frames().find((one) => one.url() === at('8000--mine', '/live?a=b'));
  const shown = await waitFor('the frame', async () => live() && /GET/.test(await live().textContent('body').catch(() => '')), 30).catch(() => false);
  check(shown, "a port opens in a frame of VS Code, whose policy admits only the port", page.frames().map((one) => one.url()).join(' '));
  await go(page, at('8000--mine'));
  await page.waitForFunction(() => document.body.textContent.includes('GET'));
  for (const host of ['3000--mine', '3000.mine', '3000--evil']) await openPort(page, host);
  check(/pages of 3000--evil/.test(await page.textContent('h1')), 'ports are opened by the same sign-in');
}

async function portsOfOneWorkspaceWorkTogether(page) {
  await openPort(page, '3000--mine');
  const call = await page.evaluate(async (url) => (await (await fetch(url, {
    method: 'PUT', credentials: 'include', headers: { 'Content-Type': 'application/json' }, body: '{}' })).json()), at('8000--mine', '/call'));
  check(call.method === 'PUT' && call.cookie === '', 'ports of one workspace call each other', JSON.stringify(call));
  await page.evaluate((url) => new Promise((resolve) => {
    const frame = document.createElement('iframe');
    frame.src = url;
    frame.onload = resolve;
    document.body.append(frame);
  }), at('8000--mine', '/framed'));
  const frame = page.frames().find((one) => one.url() === at('8000--mine', '/framed'));
  check(frame && /GET/.test(await frame.textContent('body')), 'and show each other in frames', page.frames().map((one) => one.url()).join(' '));
}

async function aSiblingReachesNothing(page) {
  const before = await reached(page);
  await openPort(page, '3000--evil');
  const seen = await page.evaluate(async (urls) => {
    await fetch(urls.port, { method: 'POST', mode: 'no-cors', credentials: 'include' }).catch(() => {});
    const form = Object.assign(document.createElement('form'), { method: 'post', action: urls.port, target: 'sink' });
    const sink = Object.assign(document.createElement('iframe'), { name: 'sink' });
    document.body.append(sink, form);
    form.submit();
    const opened = await new Promise((resolve) => {
      const socket = new WebSocket(urls.port.replace('https', 'wss'));
      socket.onopen = () => resolve(true);
      socket.onerror = () => resolve(false);
    });
    const vscode = await new Promise((resolve) => {
      const socket = new WebSocket(urls.vscode.replace('https', 'wss'));
      socket.onopen = () => resolve(true);
      socket.onerror = () => resolve(false);
    });
    const script = await new Promise((resolve) => {
      const element = Object.assign(document.createElement('script'), { src: urls.port, onload: () => resolve(true), onerror: () => resolve(false) });
      document.body.append(element);
    });
    for (const url of [urls.port, urls.vscode]) {
      const frame = Object.assign(document.createElement('iframe'), { src: url, referrerPolicy: 'no-referrer' });
      await new Promise((resolve) => { frame.onload = frame.onerror = resolve; document.body.append(frame); });
    }
    return { opened, vscode, script };
  }, { port: at('8000--mine', '/attack'), vscode: at('mine') });
  check(!seen.opened && !seen.vscode && !seen.script, 'a sibling opens no WebSocket and loads no script', JSON.stringify(seen));
  const shown = [];
  for (const frame of page.frames()) shown.push(await frame.evaluate(() => document.body?.innerText ?? '').catch(() => ''));
  check(!shown.some((text) => /"method"/.test(text)) && !(await page.locator(workbench).count()), 'and shows nothing of another workspace in a frame', JSON.stringify(shown));
  const after = await reached(page);
  check(!after.reached.some((one) => one.includes('/attack')) && before.reached.length === after.reached.length, 'nothing of it reached the workspace', JSON.stringify(after.reached));
}

async function plantedCookiesNeitherSignInNorLockOut(page) {
  await openPort(page, '3000--evil');
  const session = (await page.context().cookies()).find(({ name, domain: its }) => its === domain && /^__Host-swarm-[0-9a-f]+$/.test(name)).name;
  const planted = await page.evaluate(({ name, site }) => {
    document.cookie = `${name}=planted; Domain=${site}; Path=/; Secure`;
    document.cookie = `${name.toLowerCase()}=planted; Domain=${site}; Path=/; Secure`;
    for (let i = 0; i < 8; ++i) document.cookie = `large${i}=${'x'.repeat(3900)}; Domain=${site}; Path=/; Secure; Max-Age=34560000`;
    return document.cookie;
  }, { name: session, site: domain });
  check(!planted.includes('__Host-'), 'no sibling plants the session\'s cookie', planted.slice(0, 200));
  check(planted.includes('large7'), 'the test has planted cookies that no program takes', planted.slice(0, 100));
  const signed = await go(page, at(''));
  check(signed.status() === 200 && /Workspaces/.test(await page.textContent('h1')), 'the base host does not mind them', String(signed.status()));
  // VS Code's server refuses heads of this size; its refusal has no page, so the browser shows one of its own.
  const statuses = [];
  page.on('response', (response) => { if (response.url() === at('mine')) statuses.push(response.status()); });
  await page.goto(at('mine')).catch(() => {});
  // It comes later, and would abort the next navigation.
  await waitFor('the browser shows a page of its own', async () => page.url() === 'chrome-error://chromewebdata/');
  check(statuses.includes(431), 'VS Code refuses them', statuses.join(' '));
  await go(page, at('mine'));
  check(![431, 400].includes(statuses.at(-1)) && !(await page.context().cookies(at('mine'))).some(({ name }) => name.startsWith('large')),
    'once, for they are removed with that', statuses.join(' '));
}

try {
  server.flags = makeCertificate();
  await server.start();
  port = new URL(server.url).port;
  const base = { SWARM_URL: `https://${server.listen}`, SWARM_TOKEN: server.token() };
  for (const name of ['mine', 'evil']) {
    const made = await server.runWith({ environment: base }, 'create', name, '--', node, '-e', portPrograms);
    check(made.code === 0 && made.stdout.trim() === at(name), `a workspace ${name}`, JSON.stringify(made));
  }
  Object.assign(server.environment, base);
  await server.learnLabel('mine');
  const vite = await server.run('exec', 'mine', '--', 'printenv', '__VITE_ADDITIONAL_SERVER_ALLOWED_HOSTS');
  check(vite.stdout.trim() === `.${domain}`, 'development servers built on Vite know the host names', JSON.stringify(vite));
  browser = await chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update',
      '--disable-sync', `--host-resolver-rules=MAP *.example.test 127.0.0.1`],
  });
  const page = await (await browser.newContext({ ignoreHTTPSErrors: true })).newPage();
  for (const step of [signsIn, portsOfOneWorkspaceWorkTogether, aSiblingReachesNothing, plantedCookiesNeitherSignInNorLockOut]) {
    say(`-- ${step.name}`);
    await step(page);
  }
} catch (error) {
  check(false, error.message, error.stack);
} finally {
  if (browser) await browser.close();
  await server.dispose();
  process.exit();
}
