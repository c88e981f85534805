// The configurations of docs/deploy.md, run by the real nginx and Caddy in front of a server: sign-in, VS Code, WebSockets, addresses of
// clients, redirects.
//   node proxies.mjs --swarm build/dev/swarm [--modules DIR]
import { execFileSync, spawn } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import net from 'node:net';
import path from 'node:path';
import { createRequire } from 'node:module';
import { parseArgs } from 'node:util';
import { Person, recordTrouble, workbench } from '../../e2e/workspace/person.mjs';
import { Server, check, docker, say, waitFor } from '../../e2e/workspace/server.mjs';
import { go, node } from '../../e2e/origins/programs.mjs';

const { values: options } = parseArgs({
  options: { swarm: { type: 'string' }, modules: { type: 'string', default: process.env.SWARM_TEST_MODULES ?? 'node_modules' } },
});
const { chromium } = createRequire(path.resolve(options.modules, 'x.js'))('playwright-core');
const documentation = fs.readFileSync(path.join(import.meta.dirname, '../../../docs/deploy.md'), 'utf8');
const base = 'swarm.example.com';
const instance = `dev.${base}`;
const port = `8000--dev.${base}`;
const server = new Server(options.swarm);
const files = Object.fromEntries(['ca.pem', 'ca.key', 'swarm.pem', 'swarm.key', 'swarm.csr', 'extensions'].map((name) => [name, path.join(server.folder, name)]));

/// Port 8000 of the workspace: reports the fields of a request, echoes the frames of a WebSocket, and measures bodies.
const program = `
const http = require('http'), crypto = require('crypto');
const app = http.createServer((request, response) => {
  let bytes = 0;
  request.on('data', (piece) => { bytes += piece.length; });
  request.on('end', () => response.end(JSON.stringify({ headers: request.headers, bytes })));
});
app.on('upgrade', (request, socket) => {
  const accept = crypto.createHash('sha1').update(request.headers['sec-websocket-key'] + '258EAFA5-E914-47DA-95CA-C5AB0DC85B11').digest('base64');
  socket.write('HTTP/1.1 101 Switching Protocols\\r\\nConnection: Upgrade\\r\\nUpgrade: websocket\\r\\nSec-WebSocket-Accept: ' + accept + '\\r\\n\\r\\n');
  socket.on('data', (frame) => {
    if ((frame[0] & 15) !== 1) return socket.end();
    const size = frame[1] & 127, mask = frame.subarray(2, 6), text = frame.subarray(6, 6 + size).map((byte, i) => byte ^ mask[i % 4]);
    socket.write(Buffer.concat([Buffer.from([0x81, size]), text]));
  });
  socket.on('error', () => {});
});
app.listen(8000, '127.0.0.1');
`;

const openssl = (...words) => execFileSync('openssl', words, { stdio: 'ignore' });
function makeCertificates() {
  openssl('req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=Test CA', '-keyout', files['ca.key'], '-out', files['ca.pem']);
  openssl('req', '-newkey', 'rsa:2048', '-nodes', '-subj', `/CN=${base}`, '-keyout', files['swarm.key'], '-out', files['swarm.csr']);
  fs.writeFileSync(files.extensions, `subjectAltName=DNS:${base},DNS:*.${base}\n`);
  openssl('x509', '-req', '-in', files['swarm.csr'], '-CA', files['ca.pem'], '-CAkey', files['ca.key'], '-CAcreateserial', '-days', '2', '-extfile', files.extensions,
    '-out', files['swarm.pem']);
}

/// Ports that are free now.
async function freePorts(count) {
  const taken = [];
  for (let i = 0; i < count; ++i) {
    const listener = net.createServer();
    await new Promise((resolve) => listener.listen(0, '127.0.0.1', resolve));
    taken.push(listener);
  }
  const ports = taken.map((listener) => listener.address().port);
  await Promise.all(taken.map((listener) => new Promise((resolve) => listener.close(resolve))));
  return ports;
}
const [tlsPort, plainPort, serverPort] = await freePorts(3);

/// The configuration below a heading of the document, with the ports and files of this test. Each substitution has to find its text.
function documented(heading, substitutions) {
  const section = documentation.split(/^## /m).find((text) => text.startsWith(`${heading}\n`));
  let text = /^```\w+\n([\s\S]*?)^```$/m.exec(section)[1];
  for (const [from, to] of Object.entries({ '127.0.0.1:7420': `127.0.0.1:${serverPort}`, ...substitutions })) {
    if (!text.includes(from)) throw new Error(`"${heading}" of docs/deploy.md does not contain ${from}`);
    text = text.replaceAll(from, to);
  }
  return text;
}
const certificate = { '/etc/ssl/swarm.pem': files['swarm.pem'], '/etc/ssl/swarm.key': files['swarm.key'] };
const caddyPorts = `http_port ${plainPort}\n    https_port ${tlsPort}\n    admin off\n    skip_install_trust`;

class Proxy {
  constructor(name, folder, command) {
    this.name = name;
    this.folder = folder;
    this.output = '';
    this.process = spawn(command[0], command.slice(1), { env: { ...process.env, HOME: folder, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder } });
    for (const stream of [this.process.stdout, this.process.stderr]) stream.on('data', (piece) => { this.output += piece; });
    this.ended = new Promise((resolve) => this.process.on('exit', resolve));
    this.ended.then(() => { this.gone = true; });
  }

  async isUp() {
    for (const number of [tlsPort, plainPort])
      await waitFor(`${this.name} listens`, () => this.gone || new Promise((resolve) => {
        const socket = net.connect(number, '127.0.0.1');
        socket.on('connect', () => resolve(socket.destroy()));
        socket.on('error', () => resolve(false));
        socket.on('close', (failed) => resolve(!failed));
      }));
    if (this.gone) throw new Error(`${this.name} ended: ${this.output}`);
  }

  async stop() {
    this.process.kill('SIGTERM');
    await this.ended;
  }
}

function startNginx() {
  const folder = fs.mkdtempSync(path.join(server.folder, 'nginx-'));
  const text = documented('nginx', { ...certificate, 'listen 443': `listen 127.0.0.1:${tlsPort}`, 'listen 80': `listen 127.0.0.1:${plainPort}` });
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((kind) => `${kind}_temp_path ${folder}/${kind};`).join(' ');
  const file = path.join(folder, 'nginx.conf');
  fs.writeFileSync(file, `daemon off; worker_processes 1; pid ${folder}/pid; error_log stderr;\nevents {}\nhttp { access_log off; ${temporary}\n${text}}\n`);
  return new Proxy('nginx', folder, ['/usr/sbin/nginx', '-c', file, '-e', 'stderr', '-p', folder]);
}

function startCaddy(name, text) {
  const folder = fs.mkdtempSync(path.join(server.folder, 'caddy-'));
  const file = path.join(folder, 'Caddyfile');
  fs.writeFileSync(file, text);
  return new Proxy(name, folder, ['caddy', 'run', '--config', file, '--adapter', 'caddyfile']);
}
const startCaddyWithFiles = () => startCaddy('Caddy', `{\n    ${caddyPorts}\n}\n${documented('Caddy: a wildcard certificate', certificate)}`);
/// Caddy's own authority stands for the public one.
function startCaddyOnDemand() {
  const made = startCaddy('Caddy, on demand', documented('Caddy: certificates on demand', { 'email you@example.com': `local_certs\n    ${caddyPorts}` }));
  made.authority = path.join(made.folder, 'caddy/pki/authorities/local/root.crt');
  return made;
}

/// A request by way of the proxy from the address 127.0.0.2; { status, headers, text, cookies }.
function ask(host, target, { method = 'GET', headers = {}, body = '', ca, plain = false } = {}) {
  return new Promise((resolve, reject) => {
    const request = (plain ? http : https).request({
      host: '127.0.0.1', port: plain ? plainPort : tlsPort, localAddress: '127.0.0.2', servername: host, ca, path: target, method, agent: false,
      headers: { Host: plain ? host : `${host}:${tlsPort}`, ...headers },
    }, (response) => {
      let text = '';
      response.on('data', (piece) => { text += piece; });
      response.on('end', () => resolve({ status: response.statusCode, headers: response.headers, text }));
    });
    request.on('error', reject);
    request.end(body);
  });
}

async function checkBrowser(browser, proxy) {
  const page = await (await browser.newContext({ ignoreHTTPSErrors: true })).newPage();
  const trouble = recordTrouble(page);
  // Chromium gives up what is under way when a container's network comes or goes, the form of the sign-in too: it is then tried again.
  for (let turn = 0; ; ++turn) {
    await go(page, `https://${instance}:${tlsPort}/`);
    if (await page.locator('input[name=password]').count()) await Person.signIn(page, server.password());
    if (await page.waitForSelector(workbench, { timeout: 80000 }).catch(() => false)) break;
    if (turn === 2) throw new Error(`VS Code does not appear: ${await trouble()}\n${docker('ps', '-a', '--filter', `label=${server.label}`)}`);
  }
  check(page.url().startsWith(`https://${instance}:${tlsPort}/`), `${proxy.name}: signing in leads to VS Code`, page.url());
  await go(page, `https://${port}:${tlsPort}/`);
  await page.waitForFunction(() => document.body.textContent.includes('x-forwarded-for'));
  const echoed = await page.evaluate((url) => new Promise((resolve) => {
    const socket = new WebSocket(url);
    socket.onopen = () => socket.send('hello');
    socket.onmessage = ({ data }) => resolve(data);
    socket.onclose = () => resolve('closed');
  }), `wss://${port}:${tlsPort}/`);
  check(echoed === 'hello', `${proxy.name}: a WebSocket of the browser passes`, echoed);
  const cookies = (await page.context().cookies(`https://${port}:${tlsPort}/`)).map(({ name, value }) => `${name}=${value}`).join('; ');
  await page.context().close();
  return cookies;
}

async function checkProxy(browser, proxy) {
  await proxy.isUp();
  const cookie = await checkBrowser(browser, proxy);
  const ca = fs.readFileSync(proxy.authority ?? files['ca.pem']);
  const size = 8 << 20;
  const response = await ask(port, '/upload', { method: 'POST', ca, body: Buffer.alloc(size), headers: { Cookie: cookie, Origin: `https://${port}:${tlsPort}`, 'X-Forwarded-For': '192.0.2.66' } });
  const seen = response.status === 200 ? JSON.parse(response.text) : { headers: {} };
  check(seen.bytes === size, `${proxy.name}: a large body passes`, `${response.status} ${response.text.slice(0, 300)}`);
  // The proxy's own address, as the server saw it, comes last.
  check(seen.headers['x-forwarded-for'] === '127.0.0.2, 127.0.0.1', `${proxy.name}: the workspace sees the client's own address, not one that the client claims`,
    seen.headers['x-forwarded-for']);
  check(seen.headers['x-forwarded-proto'] === 'https' && seen.headers['x-forwarded-host'] === `${port}:${tlsPort}`, `${proxy.name}: and how it was reached`,
    JSON.stringify(seen.headers));
  const redirect = await ask(instance, '/a?b=c', { plain: true });
  check([301, 308].includes(redirect.status) && new RegExp(`^https://${instance}(:${tlsPort})?/a\\?b=c$`).test(redirect.headers.location),
    `${proxy.name}: http:// leads to https://`, `${redirect.status} ${redirect.headers.location}`);
  const secure = await ask(base, '/login', { ca });
  check(secure.status === 200 && /max-age/.test(secure.headers['strict-transport-security']), `${proxy.name}: browsers are instructed to use https alone`, String(secure.status));
  const unknown = await ask(base, `/api/tls/ask?domain=${instance}`, { ca });
  check(unknown.status === 404, `${proxy.name}: its clients do not learn which workspaces exist`, `${unknown.status} ${unknown.text}`);
  const session = (await server.run('sessions')).stdout;
  check(session.includes('admin'), `${proxy.name}: the command line reaches the server beside it`, session);
}

/// No handshake for a host that the server does not know.
async function checkRefusals() {
  for (const host of [`other.${base}`, `8000--other.${base}`, 'evil.example']) {
    const refused = await ask(host, '/', { ca: fs.readFileSync(files['ca.pem']) }).then((response) => String(response.status), (error) => error.code ?? error.message);
    check(/^ERR_SSL|ECONNRESET|EPROTO/.test(refused), `Caddy, on demand: no certificate for ${host}`, refused);
  }
}

let browser;
let proxy;
try {
  makeCertificates();
  fs.mkdirSync(server.config, { recursive: true });
  fs.writeFileSync(path.join(server.config, 'swarm.toml'), `${/^ {4}(\[server\]\n) {4}(trustedProxies.*\n)/m.exec(documentation).slice(1).join('')}`);
  server.listen = `127.0.0.1:${serverPort}`;
  Object.assign(server.environment, { SWARM_PUBLIC_URL: `https://${base}:${tlsPort}` });
  await server.start();
  Object.assign(server.environment, { SWARM_URL: `http://${server.listen}`, SWARM_TOKEN: server.token() });
  const made = await server.run('create', 'dev', '--', node, '-e', program);
  check(made.code === 0, 'a workspace', JSON.stringify(made));
  await server.learnLabel('dev');
  browser = await chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update',
      '--disable-sync', '--host-resolver-rules=MAP *.example.com 127.0.0.1'],
  });
  for (const start of [startNginx, startCaddyWithFiles, startCaddyOnDemand]) {
    proxy = start();
    say(`-- ${proxy.name}`);
    await checkProxy(browser, proxy);
    if (start === startCaddyOnDemand) await checkRefusals();
    await proxy.stop();
  }
} catch (error) {
  check(false, error.message, error.stack);
} finally {
  if (browser) await browser.close();
  if (proxy) await proxy.stop();
  if (process.exitCode && proxy) console.log(`--- ${proxy.name}\n${proxy.output.slice(-4000)}`);
  await server.dispose();
  process.exit();
}
