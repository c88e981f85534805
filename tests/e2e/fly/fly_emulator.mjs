// A fly-emulator of a test's own, on the docker backend: its data and ports outlive its process, so that it can be killed and come back. API and
// edge speak TLS, as Fly's do.
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import https from 'node:https';
import path from 'node:path';
import { docker, waitFor } from '../workspace/server.mjs';

export class FlyEmulator {
  constructor(program, folder) {
    this.program = path.resolve(program);
    this.folder = folder;
    this.data = path.join(folder, 'fly');
    this.log = path.join(folder, 'fly-emulator.log');
    this.token = 'FlyV1 fm2_end-to-end';
    this.listen = '127.0.0.1:0';
    this.edge = '127.0.0.1:0';
  }

  async start() {
    const log = fs.openSync(this.log, 'a');
    const printed = fs.fstatSync(log).size;
    this.process = spawn(this.program, ['--token', this.token, '--data', this.data, '--listen', this.listen, '--edge', this.edge, '--api-tls', '--edge-tls', '--regions', 'ams,fra', '--strict'],
      { stdio: ['ignore', log, log] });
    this.ended = new Promise((resolve) => this.process.on('exit', (code, signal) => resolve({ code, signal })));
    let gone = false;
    this.ended.then(() => { gone = true; });
    const text = () => fs.readFileSync(this.log, 'utf8').slice(printed);
    await waitFor('the emulator is ready', () => gone || /^ready$/m.test(text()), 30);
    if (gone) throw new Error(`the emulator ended at its start:\n${text()}`);
    this.listen = /Machines API +https:\/\/([\d.:]+)\/v1/.exec(text())[1];
    this.edge = `127.0.0.1:${/fly\.localhost:(\d+)/.exec(text())[1]}`;
    this.certificate = path.join(this.data, 'edge.pem');
    this.id = fs.readFileSync(path.join(this.data, 'emulator-id'), 'utf8').trim();
  }

  /// What [flyio] of swarm.toml must say.
  config(image) {
    return [
      '[flyio]',
      `apiToken = "${this.token}"`,
      `apiBaseUrl = "https://${this.listen}"`,
      `appUrl = "https://{app}.fly.localhost:${this.edge.split(':')[1]}"`,
      `caFile = "${this.certificate}"`,
      'regions = ["ams", "fra"]',
      `workspaceImage = "registry.fly.io/swarm/${image}"`,
      '',
    ].join('\n');
  }

  state() {
    return this.request('GET', '/emulator/state');
  }

  /// A request to its API, as Fly's customers make it: repeated later when the rate limit is reached.
  async request(method, path) {
    const [host, port] = this.listen.split(':');
    const options = { host, port, path, method, ca: fs.readFileSync(this.certificate), agent: false, headers: { Authorization: this.token } };
    for (;;) {
      const { status, text } = await new Promise((resolve, reject) => {
        https.request(options, async (response) => resolve({ status: response.statusCode, text: (await response.setEncoding('utf8').toArray()).join('') })).on('error', reject).end();
      });
      if (status !== 429) return JSON.parse(text);
      await new Promise((resolve) => setTimeout(resolve, 1000));
    }
  }

  /// All volumes, each with `app`. An app may be deleted in the meantime, with all of its volumes.
  async volumes() {
    const { apps } = await this.request('GET', '/v1/apps?org_slug=personal');
    const lists = await Promise.all(apps.map(async ({ name }) => {
      const response = await this.request('GET', `/v1/apps/${name}/volumes`);
      if (!Array.isArray(response) && !/not find|not found/i.test(response.error)) throw new Error(JSON.stringify(response));
      return Array.isArray(response) ? response.map((volume) => ({ ...volume, app: name })) : [];
    }));
    return lists.flat();
  }

  /// What Fly does once a day.
  async snapshotOfEachVolume() {
    return Promise.all((await this.volumes()).map(({ app, id }) => this.request('POST', `/v1/apps/${app}/volumes/${id}/snapshots`)));
  }

  async kill(signal = 'SIGKILL') {
    this.process.kill(signal);
    return this.ended;
  }

  /// What is at the Engine under our label.
  left() {
    const filter = ['--filter', `label=fly-emulator.id=${this.id}`];
    const lines = (text) => (text ? text.split('\n') : []);
    return {
      containers: lines(docker('ps', '-aq', ...filter)),
      networks: lines(docker('network', 'ls', '-q', ...filter)),
      volumes: lines(docker('volume', 'ls', '-q', ...filter)),
    };
  }

  async dispose() {
    if (!this.process) return;
    await this.kill('SIGTERM');
    if (process.exitCode) console.log(`--- the emulator's log\n${fs.readFileSync(this.log, 'utf8').slice(-4000)}`);
    if (!this.id) return;
    const left = this.left();
    for (const id of left.containers) docker('rm', '-f', id);
    for (const id of left.volumes) docker('volume', 'rm', id);
    for (const id of left.networks) docker('network', 'rm', id);
  }
}
