// A swarm server of a test's own: its data, credentials and port are in a temporary folder, and all that it made at the Engine goes with it.
import { execFile, execFileSync, spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

export async function waitFor(what, condition, seconds = 60) {
  const end = Date.now() + seconds * 1000;
  for (;;) {
    const value = await condition();
    if (value) return value;
    if (Date.now() > end) throw new Error(`not within ${seconds} s: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

const started = Date.now();
export const say = (text) => console.log(`[${((Date.now() - started) / 1000).toFixed(1).padStart(5)}s] ${text}`);
export function check(condition, sentence, detail = '') {
  say(`${condition ? 'ok  ' : 'FAIL'} ${sentence}`);
  if (!condition) {
    if (detail) console.log(detail);
    process.exitCode = 1;
  }
}

export const docker = (...words) => execFileSync('docker', words, { encoding: 'utf8' }).trim();

export class Server {
  constructor(swarm) {
    this.swarm = path.resolve(swarm);
    this.folder = fs.mkdtempSync(path.join(os.tmpdir(), 'swarm-e2e-'));
    this.config = path.join(this.folder, 'config', 'swarm');
    this.environment = {
      ...process.env,
      XDG_CONFIG_HOME: path.join(this.folder, 'config'),
      XDG_DATA_HOME: path.join(this.folder, 'data'),
      SWARM_WORKSPACE_IMAGE: process.env.SWARM_TEST_IMAGE ?? 'swarm-workspace:latest',
      SWARM_URL: '',
      SWARM_TOKEN: '',
    };
    this.listen = '127.0.0.1:0';
    this.flags = [];  // further ones of `serve`
  }

  async start() {
    const credentials = path.join(this.config, 'credentials.json');
    fs.rmSync(credentials, { force: true });
    this.log = fs.openSync(path.join(this.folder, 'serve.log'), 'a');
    this.process = spawn(this.swarm, ['serve', '--listen', this.listen, ...this.flags], { env: this.environment, stdio: ['ignore', this.log, this.log] });
    this.ended = new Promise((resolve) => this.process.on('exit', (code, signal) => resolve({ code, signal })));
    let gone = false;
    this.ended.then(() => { gone = true; });
    await waitFor('the server wrote its credentials', () => gone || fs.existsSync(credentials), 30);
    if (gone) throw new Error(`the server ended at its start:\n${this.logText()}`);
    this.url = JSON.parse(fs.readFileSync(credentials, 'utf8')).url;
    if (this.listen.endsWith(':0')) this.listen = `127.0.0.1:${new URL(this.url).port}`;
  }

  token() { return JSON.parse(fs.readFileSync(path.join(this.config, 'credentials.json'), 'utf8')).token; }
  logText() { return fs.readFileSync(path.join(this.folder, 'serve.log'), 'utf8'); }
  password() { return fs.readFileSync(path.join(this.config, 'admin-password'), 'utf8').trim(); }

  /// Runs the CLI; never throws: { code, stdout, stderr }.
  run(...words) { return this.runWith({}, ...words); }
  runWith({ input = '', environment = {}, seconds = 120 }, ...words) {
    return new Promise((resolve) => {
      const child = execFile(this.swarm, words, { env: { ...this.environment, ...environment }, timeout: seconds * 1000, maxBuffer: 64 << 20 },
        (error, stdout, stderr) => resolve({ code: error ? (error.code ?? 'killed') : 0, stdout, stderr }));
      child.stdin.on('error', () => {});
      child.stdin.end(input);
    });
  }

  async kill(signal = 'SIGTERM') {
    this.process.kill(signal);
    return this.ended;
  }

  /// Learns from a container of the instance `name` which label marks what this server makes. Waits until that container is there.
  async learnLabel(name) {
    const { id } = JSON.parse((await this.run('show', name, '-o', 'json')).stdout);
    const container = await waitFor(`${name} has a container`, async () => docker('ps', '-aq', '--filter', `label=swarm.instance=${id}`));
    this.label = `swarm.id=${docker('inspect', '--format', '{{index .Config.Labels "swarm.id"}}', container)}`;
  }

  /// What is at the Engine under our label.
  left() {
    const filter = ['--filter', `label=${this.label}`];
    const lines = (text) => (text ? text.split('\n') : []);
    return {
      containers: lines(docker('ps', '-aq', ...filter)),
      networks: lines(docker('network', 'ls', '-q', ...filter)),
      volumes: lines(docker('volume', 'ls', '-q', ...filter)),
    };
  }

  async dispose() {
    const left = this.label ? this.left() : { containers: [], networks: [], volumes: [] };
    await this.kill();
    for (const id of left.containers) docker('rm', '-f', id);
    for (const id of left.volumes) docker('volume', 'rm', id);
    for (const id of left.networks) docker('network', 'rm', id);
    if (process.exitCode) console.log(`--- the server's log\n${this.logText().slice(-8000)}`);
    fs.rmSync(this.folder, { recursive: true, force: true });
  }
}
