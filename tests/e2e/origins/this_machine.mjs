// On this machine, with the default configuration: what a workspace, another program on this machine, or a link may not do with a person's
// browser; and what ports of one workspace may.
//   node this_machine.mjs --swarm build/dev/swarm [--modules DIR] [--screenshots DIR]
import http from 'node:http';

import { Person, testOptions, workbench } from '../workspace/person.mjs';
import { Server, check, say } from '../workspace/server.mjs';
import { send, node, otherVscode, portPrograms, go } from './programs.mjs';

const options = testOptions();
const server = new Server(options.swarm);
const second = new Server(options.swarm);
const person = new Person(options);
let port;
const at = (host, path = '/') => `http://${host}.localhost:${port}${path}`;

/// Opens a port's page, by way of a sign-in where there is none yet: pages of the gateway go on to it.
async function openPort(page, host, path = '/') {
  await go(page, at(host, path));
  await page.waitForSelector('#port', { timeout: 60000 });
}

async function reachedAt(page) { return page.evaluate(async (url) => (await (await fetch(url, { credentials: 'include' })).json()), at('8000.dev', '/reached')); }

/// A code for `name` that belongs to another browser: signed in, and never in contact with the victim.
async function codeOfAnotherBrowser(name) {
  const login = await send(port, 'swarm.localhost', '/api/auth/login', {
    method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ user: 'admin', password: server.password() }),
  });
  const begun = await send(port, `${name}.localhost`, '/', { headers: { Accept: 'text/html' } });
  const sent = await send(port, 'swarm.localhost', new URL(begun.headers.location).pathname + new URL(begun.headers.location).search, {
    headers: { Accept: 'text/html', Cookie: login.cookies.join('; ') },
  });
  return sent.headers.location;
}

async function codesOfOthersAreRefused(page) {
  const response = await page.goto(await codeOfAnotherBrowser('dev'));
  check(response.status() === 403, 'a sign-in code that another browser fetched is refused', String(response.status()));
  const cookies = (await page.context().cookies()).filter(({ domain }) => domain === 'dev.localhost');
  check(cookies.length === 0, 'and leaves no cookie', JSON.stringify(cookies));
}

async function aLinkSignsIn(page) {
  const link = await server.run('open', 'dev', '--sign-in', '--print');
  await page.goto(link.stdout.trim());
  await page.waitForSelector(workbench, { timeout: 240000 });
  check(new URL(page.url()).hostname === 'dev.localhost', 'the one-time link of "swarm open --sign-in" leads to VS Code, signed in', page.url());
  const again = await (await person.browser.newContext()).newPage();
  check((await again.goto(link.stdout.trim())).status() === 403, 'and works once');
  await again.context().close();
}

async function otherProgramsGetNoCookie(page) {
  const seen = [];
  const program = http.createServer((request, response) => { seen.push(request.headers.cookie ?? ''); response.end('hello'); });
  await new Promise((resolve) => program.listen(0, '127.0.0.1', resolve));
  for (const host of ['localhost', '127.0.0.1']) await page.goto(`http://${host}:${program.address().port}/`);
  program.close();
  check(seen.length >= 2 && seen.every((cookie) => cookie === ''), 'a program on localhost:ANYPORT is sent no cookie', JSON.stringify(seen));
  await page.goto(`http://localhost:${port}/`);
  check(new URL(page.url()).hostname === 'swarm.localhost', 'localhost leads to swarm.localhost');
}

async function twoServersKeepTheirSessions(page) {
  await second.start();
  const other = new URL(second.url).port;
  await page.goto(second.url);
  await Person.signIn(page, second.password());
  await page.waitForURL(`http://swarm.localhost:${other}/`);
  await go(page, at('swarm'));
  check(page.url() === at('swarm'), 'signing in to a second server on this machine ends no session at the first', page.url());
}

async function portsOfOneWorkspaceWorkTogether(page) {
  await openPort(page, '3000.dev');
  check(/pages of 3000\.dev/.test(await page.textContent('h1')), 'a port has an address below its workspace');
  await page.goto(`http://3000--dev.localhost:${port}/`);
  await page.waitForSelector('#port');
  check(page.url() === at('3000.dev'), 'its former address leads there', page.url());
  const call = await page.evaluate(async (url) => {
    const response = await fetch(url, { method: 'PUT', credentials: 'include', headers: { 'Content-Type': 'application/json' }, body: '{}' });
    return response.json();
  }, at('8000.dev', '/call'));
  check(call.method === 'PUT' && call.cookie === '', 'it calls another port of the workspace, without our cookies', JSON.stringify(call));
  check((await reachedAt(page)).preflights > 0, 'preflight included');
  const refused = await page.evaluate(async (url) => (await fetch(url, { method: 'PUT', credentials: 'omit' })).status, at('8000.dev', '/call'));
  check(refused === 401, 'without its cookie it can read that it is not signed in', String(refused));
}

async function simpleBrowserShowsAPort(page) {
  await go(page, at('dev'));
  await page.waitForSelector(workbench, { timeout: 240000 });
  const shown = await Person.simpleBrowserShows(page, at('3000.dev', '/?in=frame'), /pages of 3000\.dev/);
  check(shown, 'the Simple Browser of VS Code shows a port', page.frames().map((frame) => frame.url()).join(' '));
  await person.shot(page, 'simple-browser');
}

async function otherWorkspacesReachNothing(page) {
  const before = await (async () => { await openPort(page, '3000.dev'); return reachedAt(page); })();
  await openPort(page, '3000.proj');
  await page.evaluate(async (url) => {
    await fetch(url, { method: 'POST', mode: 'no-cors', credentials: 'include' }).catch(() => {});
    await new Promise((resolve) => {
      const socket = new WebSocket(url.replace('http', 'ws'));
      socket.onerror = socket.onclose = socket.onopen = resolve;
    });
    const frame = document.createElement('iframe');
    frame.src = url;
    await new Promise((resolve) => { frame.onload = frame.onerror = resolve; document.body.append(frame); });
  }, at('8000.dev', '/attack'));
  await openPort(page, '3000.dev');
  const after = await reachedAt(page);
  check(JSON.stringify(after.reached) === JSON.stringify(before.reached), 'a page of another workspace reaches nothing of this one', JSON.stringify(after));
}

async function linksChooseNoFolder(page) {
  await go(page, at('swarm'));
  await page.evaluate((url) => { location.href = url; }, at('dev', '/?folder=/tmp'));
  await page.waitForSelector(workbench, { timeout: 240000 });
  check(!page.url().includes('folder=/tmp'), 'a link from another site opens VS Code, and not the folder that it names', page.url());
}

/// What the owner of a workspace leaves in a browser: workers, caches, storage.
async function leaveThingsBehind(page) {
  const replaced = await server.runWith({ input: otherVscode }, 'exec', 'proj', '--user', 'root', '--', 'sh', '-c',
    'cat > /opt/swarm/bin/code-server; chmod 755 /opt/swarm/bin/code-server; pkill -KILL -f "[c]ode-server/out/node/entry.js"');
  check(replaced.code === 0, 'the owner of "proj" puts another program in the place of VS Code', JSON.stringify(replaced));
  for (const end = Date.now() + 60000; Date.now() < end; await page.waitForTimeout(300)) {
    await page.goto(at('proj')).catch(() => {});
    if (await page.title().catch(() => '') === 'other') break;
  }
  check(await page.title() === 'other', 'which answers at its host');
  const tried = await page.evaluate(async () => {
    const register = (script, scope) => navigator.serviceWorker.register(script, { scope }).then(() => 'registered', (error) => error.name);
    const folder = '/stable-0/static/out/vs/workbench/contrib/webview/browser/pre/';
    const results = {
      own: await register('/evil.js', '/'),
      webviewForAll: await register(folder + 'service-worker.js', '/'),
      webview: await register(folder + 'service-worker.js', folder),
      page: await register('/_static/out/browser/serviceWorker.js', '/'),
    };
    localStorage.setItem('left', 'behind');
    await (await caches.open('left')).put('/left', new Response('behind'));
    await navigator.serviceWorker.ready;
    return results;
  });
  check(tried.own !== 'registered', 'a service worker of its own does not register', JSON.stringify(tried));
  check(tried.webviewForAll !== 'registered', 'nor does one at the place of VS Code\'s for the whole host', JSON.stringify(tried));
  check(tried.webview === 'registered', 'the test has one in the folder of webviews', JSON.stringify(tried));
  await page.reload();
  check(await page.title() === 'other', 'the worker of the page is the gateway\'s, whatever the workspace serves', await page.title());
}

/// The same at a port, where any program may have a worker: its script is also in the browser's cache.
async function leaveThingsBehindAtAPort(page) {
  await openPort(page, '3000.proj');
  await page.goto(at('3000.proj', '/kept'));
  await page.evaluate(async () => {
    await fetch('/worker.js');
    await navigator.serviceWorker.register('/worker.js', { updateViaCache: 'all' });
    await navigator.serviceWorker.ready;
    localStorage.setItem('left', 'behind');
  });
  await page.goto(at('3000.proj', '/mine'));
  check(await page.title() === 'OWNED', 'a service worker responds at a port of "proj"', await page.title());
}

/// No request reaches the server before the worker's last response; the browser then requests the worker's script.
async function theWorkerOfAPortIsGone(page) {
  const titles = [];
  for (const end = Date.now() + 30000; Date.now() < end && titles.at(-1) !== ''; await page.waitForTimeout(300)) {
    await go(page, at('3000.proj', '/mine'));
    titles.push(await page.title() === 'OWNED' ? 'OWNED' : '');
  }
  check(titles.at(-1) === '', 'the worker that a former "proj" registered at a port is gone', JSON.stringify(titles));
  await go(page, at('3000.proj', '/kept'));
  check(!(await page.content()).includes('pages of'), 'and so are its pages in the cache', await page.content());
  const left = await page.evaluate(async () => ({
    storage: localStorage.getItem('left'), workers: (await navigator.serviceWorker.getRegistrations()).length,
  }));
  check(left.storage === null && left.workers === 0, 'and its storage', JSON.stringify(left));
}

async function nothingOfAFormerInstanceSurvives(page) {
  check((await server.run('delete', 'proj', '--volumes', '--yes')).code === 0, '"proj" is deleted');
  check((await server.run('create', 'proj')).code === 0, 'and made again');
  await go(page, at('proj'));
  await page.waitForSelector(workbench, { timeout: 240000 });
  const left = await page.evaluate(async () => ({
    storage: localStorage.getItem('left'), caches: (await caches.keys()).includes('left'),
    workers: (await navigator.serviceWorker.getRegistrations()).map(({ scope }) => scope).filter((scope) => scope.includes('stable-0')),
  }));
  check(left.storage === null && !left.caches && left.workers.length === 0, 'nothing that the former one left in the browser is there any more', JSON.stringify(left));
}

try {
  await server.start();
  port = Number(new URL(server.url).port);
  check(server.url === `http://swarm.localhost:${port}`, 'the server is at swarm.localhost', server.url);
  for (const name of ['dev', 'proj']) {
    const made = await server.run('create', name, '--', node, '-e', portPrograms);
    check(made.code === 0, `a workspace ${name} with programs on two ports`, JSON.stringify(made));
    if (name === 'dev') await server.learnLabel('dev');
  }
  const page = await person.open();
  for (const step of [codesOfOthersAreRefused, aLinkSignsIn, otherProgramsGetNoCookie, twoServersKeepTheirSessions,
    portsOfOneWorkspaceWorkTogether, otherWorkspacesReachNothing, linksChooseNoFolder, simpleBrowserShowsAPort, leaveThingsBehind,
    leaveThingsBehindAtAPort, nothingOfAFormerInstanceSurvives, theWorkerOfAPortIsGone]) {
    say(`-- ${step.name}`);
    await step(page);
  }
} catch (error) {
  await person.shotAll('at-the-failure');
  check(false, error.message, error.stack);
} finally {
  await person.close();
  if (second.process) await second.dispose();
  await server.dispose();
}
