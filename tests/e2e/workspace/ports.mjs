// A port of a workspace and three people, in Chromium: its owner, an editor who shares it, and a visitor without an account.
//   node tests/e2e/workspace/ports.mjs --swarm build/dev/swarm [--modules DIR] [--screenshots DIR]
import { node, portPrograms } from '../origins/programs.mjs';
import { Person, testOptions, workbench } from './person.mjs';
import { Server, check } from './server.mjs';

const options = testOptions();
const server = new Server(options.swarm);
const person = new Person(options);
const password = 'correct horse battery staple';
const address = () => server.url.replace('swarm.localhost', '3000.web1.localhost');

/// Beside the pages of port 3000: a WebSocket that stays open.
const program = `${portPrograms}
const crypto = require('crypto');
http.createServer((request, response) => {
  response.setHeader('Content-Type', 'text/html');
  response.end('<!doctype html><h1 id="port">public</h1>');
}).on('upgrade', (request, socket) => {
  const accept = crypto.createHash('sha1').update(request.headers['sec-websocket-key'] + '258EAFA5-E914-47DA-95CA-C5AB0DC85B11').digest('base64');
  socket.write('HTTP/1.1 101 Switching Protocols\\r\\nUpgrade: websocket\\r\\nConnection: Upgrade\\r\\nSec-WebSocket-Accept: ' + accept + '\\r\\n\\r\\n');
  socket.on('error', () => {});
}).listen(4000, '127.0.0.1');
`;

async function start() {
  const created = await server.run('create', 'web1', '--', node, '-e', program);
  check(created.code === 0, 'the owner has a workspace with programs on three ports', created.stderr);
  await server.learnLabel('web1');
}

async function signInAsBen(page) {
  await server.runWith({ input: `${password}\n` }, 'users', 'create', 'ben', '--password-stdin');
  await page.goto(server.url);
  await page.fill('input[name=user]', 'ben');
  await page.fill('input[name=password]', password);
  await page.press('input[name=password]', 'Enter');
  await page.waitForSelector('.who:has-text("ben")');
}

async function anEditorSharesThePort(page) {
  await page.goto(address());
  await page.waitForSelector('text=No such workspace');
  check(true, 'a port of another user looks like a missing workspace');
  await server.run('share', 'web1', 'ben');
  await page.goto(address());
  check(await page.locator('button').count() === 0, 'a viewer gets no button');
  await server.run('share', 'web1', 'ben', '--as', 'editor');
  await page.goto(address());
  await page.waitForSelector('button:has-text("Share port 3000")');
  await person.shot(page, 'port');
  check(true, 'an editor gets a page with a button');
  await page.click('button:has-text("Share port 3000")');
  await page.waitForSelector('#port');
  check(page.url() === `${address()}/`, 'which shares the port and opens it', page.url());
  const listed = await server.run('ports', 'web1');
  check(/3000\s+shared/.test(listed.stdout), '`swarm ports` shows it', listed.stdout);
}

async function vscodeShowsThePort(page) {
  const tab = await page.context().newPage();
  await tab.goto(server.url.replace('swarm.localhost', 'web1.localhost'));
  await tab.waitForSelector(workbench, { timeout: 240000 });
  const shared = await Person.simpleBrowserShows(tab, `${address()}/?in=frame`, /pages of 3000/);
  check(shared, 'the Simple Browser in the editor\'s VS Code shows the shared port');
  const closed = await Person.simpleBrowserShows(tab, `${address().replace('3000.', '8000.')}/?in=frame`, /Port 8000 is not shared/);
  check(closed, 'and why another port is closed');
  await person.shot(tab, 'simple-browser');
  await tab.close();
}

async function visitorsComeWhileItIsPublic() {
  const visitor = await (await person.browser.newContext()).newPage();
  const at = address().replace('3000.', '4000.');
  await visitor.goto(at);
  await visitor.waitForSelector('input[name=password]');
  check(true, 'a visitor has to sign in');
  check((await server.run('ports', 'web1', '4000', '--to', 'public')).code === 2, 'a public port needs an end');
  const opened = await server.run('ports', 'web1', '4000', '--to', 'public', '--for', '1h');
  check(opened.code === 0 && opened.stdout.trim() === `${at}/`, '`swarm ports --to public` prints its address', opened.stdout + opened.stderr);
  await visitor.goto(at);
  await visitor.waitForSelector('#port');
  const cookies = (await visitor.context().cookies()).filter(({ name }) => !name.endsWith('-mark') && !name.endsWith('-state'));
  check(cookies.length === 0, 'which opens without a sign-in', JSON.stringify(cookies));
  await visitor.evaluate(() => new Promise((resolve, reject) => {
    window.socket = new WebSocket(location.origin.replace('http', 'ws'));
    window.ended = new Promise((end) => { window.socket.onclose = end; });
    Object.assign(window.socket, { onopen: resolve, onerror: reject });
  }));
  await server.run('ports', 'web1', '4000', '--to', 'owner');
  await visitor.evaluate(() => window.ended.then(() => true));
  check(true, 'its open WebSocket ends with the level');
  await visitor.goto(at);
  await visitor.waitForSelector('input[name=password]');
  check(true, 'and a visitor has to sign in again');
}

try {
  await server.start();
  await start();
  const page = await person.open();
  await signInAsBen(page);
  await anEditorSharesThePort(page);
  await vscodeShowsThePort(page);
  await visitorsComeWhileItIsPublic();
} catch (error) {
  check(false, error.stack);
  await person.shotAll('failed');
} finally {
  await person.close();
  await server.dispose();
}
