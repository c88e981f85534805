// A workspace of the image without an agent, for tests with a browser: code-server in a container, behind a few lines of proxy that stand in
// for the gateway.
import { execFile } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
export const docker = async (...words) => (await run('docker', words)).stdout.trim();

/// Waits for `condition`, whose call may never return: a page that is being left does not respond.
export async function waitFor(what, condition, seconds = 30) {
  const end = Date.now() + seconds * 1000;
  const pause = (milliseconds, value) => new Promise((resolve) => { setTimeout(resolve, milliseconds, value); });
  while (!(await Promise.race([condition(), pause(5000, false)]))) {
    if (Date.now() > end) throw new Error(`not within ${seconds} s: ${what}`);
    await pause(100);
  }
}

export class Workspace {
  // What the gateway says.
  moving = null; // of a move
  statusWhileDown = 'starting';
  pageDelay = 0; // ms until the page itself is answered: a slow line
  extensionIsThere = Promise.resolve(); // its script is handed out only then
  // What it received.
  requests = 0; // of the status, by the page's script and the extension
  extensionRequests = 0;
  statusCookie = '';
  readyAnswers = 0; // to the extension since the last start of a server
  readyAnswersBeforeThePage = 0; // when the page was last requested
  #generation = 0;
  #container = '';

  /// `options`: further ones of `docker create`.
  constructor(image, options = []) {
    this.folder = fs.mkdtempSync(path.join(os.tmpdir(), 'open-tab-'));
    fs.chmodSync(this.folder, 0o777);
    this.socket = path.join(this.folder, 'code-server.sock');
    this.image = image;
    this.options = options;
    this.gateway = http.createServer((request, response) => this.#answer(request, response)).on('upgrade', (...words) => this.#upgrade(...words));
  }

  async open() {
    this.#container = await docker('create', '--network', 'none', '--user', 'coder', '--env', 'HOME=/home/coder', '--volume', `${this.folder}:/run/swarm`,
      ...this.options, '--entrypoint', '/opt/swarm/bin/code-server', this.image, '--socket', '/run/swarm/code-server.sock');
    await this.startServer();
    await new Promise((resolve) => { this.gateway.listen(0, '127.0.0.1', resolve); });
    this.origin = `http://try.localhost:${this.gateway.address().port}`;
  }

  async startServer() {
    this.#generation += 1;
    this.readyAnswers = 0;
    await docker('start', this.#container);
    await waitFor('code-server answers', () => this.#answers());
  }

  async stopServer() {
    await docker('kill', this.#container);
    fs.rmSync(this.socket, { force: true });
  }

  async pauseServer() { await docker('pause', this.#container); }
  async continueServer() { await docker('unpause', this.#container); }

  /// The output of a shell in the container.
  async shell(script) { return docker('exec', '--user', 'coder', this.#container, 'sh', '-c', script); }

  async close() {
    this.gateway.close();
    this.gateway.closeAllConnections();
    if (this.#container) await docker('rm', '--force', '--volumes', this.#container);
    fs.rmSync(this.folder, { recursive: true, force: true });
  }

  #answers() {
    return new Promise((resolve) => {
      http.get({ socketPath: this.socket, path: '/healthz', timeout: 5000 }, (r) => { r.resume(); resolve(r.statusCode === 200); })
        .on('error', () => resolve(false)).on('timeout', function () { this.destroy(); });
    });
  }

  async #answer(request, response) {
    const isPage = request.headers['sec-fetch-dest'] === 'document';
    if (request.url === '/.swarm/status') {
      await this.#answerStatus(request, response);
      return;
    }
    if (request.url === '/.swarm/start' && request.method === 'POST') {
      this.statusWhileDown = 'starting';
      response.writeHead(303, { location: '/' }).end();
      await this.startServer();
      return;
    }
    if (isPage && this.statusWhileDown === 'stopped' && !(await this.#answers())) {
      response.writeHead(503, { 'content-type': 'text/html' }).end(`<h1>The page of a stopped workspace</h1>
<form method="post" action="/.swarm/start"><button>Start</button></form>
<script>setInterval(async () => { if ((await (await fetch('/.swarm/status')).json()).ready) location.reload(); }, 500);</script>`);
      return;
    }
    if (request.url.includes('healer.js')) await this.extensionIsThere;
    if (isPage) {
      this.readyAnswersBeforeThePage = this.readyAnswers;
      await new Promise((resolve) => { setTimeout(resolve, this.pageDelay); });
    }
    const upstream = http.request({ socketPath: this.socket, path: request.url, method: request.method, headers: request.headers }, (upstreamResponse) => {
      response.writeHead(upstreamResponse.statusCode, upstreamResponse.headers);
      upstreamResponse.pipe(response);
    });
    upstream.on('error', () => { if (!response.headersSent) response.writeHead(502); response.end(); });
    request.pipe(upstream);
  }

  async #answerStatus(request, response) {
    this.requests += 1;
    const byTheExtension = request.headers.accept === 'application/json'; // the page's script sends no Accept of its own
    if (byTheExtension) {
      this.extensionRequests += 1;
      this.statusCookie = request.headers.cookie ?? '';
    }
    const ready = await this.#answers();
    if (byTheExtension && ready) this.readyAnswers += 1;
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({
      instance: 'try', status: ready ? 'running' : this.statusWhileDown, ready, generation: String(this.#generation), moving: this.moving,
    }));
  }

  #upgrade(request, client, head) {
    const server = net.connect(this.socket);
    server.on('connect', () => {
      const lines = request.rawHeaders.reduce((all, word, i) => all + word + (i % 2 ? '\r\n' : ': '), `GET ${request.url} HTTP/1.1\r\n`);
      server.write(lines + '\r\n');
      server.write(head);
      client.pipe(server).pipe(client);
    });
    server.on('error', () => client.destroy());
    server.on('close', () => client.destroy());
    client.on('error', () => server.destroy());
  }
}
