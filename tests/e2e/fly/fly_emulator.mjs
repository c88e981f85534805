// A fly-emulator of a test's own, on the docker backend: its data and ports outlive its process, so that it can be killed and come back.
import { spawn } from 'node:child_process';
import fs from 'node:fs';
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
    this.process = spawn(this.program, ['--token', this.token, '--data', this.data, '--listen', this.listen, '--edge', this.edge, '--regions', 'ams,fra', '--strict'],
      { stdio: ['ignore', log, log] });
    this.ended = new Promise((resolve) => this.process.on('exit', (code, signal) => resolve({ code, signal })));
    let gone = false;
    this.ended.then(() => { gone = true; });
    const text = () => fs.readFileSync(this.log, 'utf8').slice(printed);
    await waitFor('the emulator is ready', () => gone || /^ready$/m.test(text()), 30);
    if (gone) throw new Error(`the emulator ended at its start:\n${text()}`);
    this.listen = /Machines API +http:\/\/([\d.:]+)\/v1/.exec(text())[1];
    this.edge = `127.0.0.1:${/fly\.localhost:(\d+)/.exec(text())[1]}`;
    this.id = fs.readFileSync(path.join(this.data, 'emulator-id'), 'utf8').trim();
  }

  /// What [flyio] of swarm.toml must say.
  config(image) {
    return [
      '[flyio]',
      `apiToken = "${this.token}"`,
      `apiBaseUrl = "http://${this.listen}"`,
      `appUrl = "http://{app}.fly.localhost:${this.edge.split(':')[1]}"`,
      'regions = ["ams", "fra"]',
      `workspaceImage = "registry.fly.io/swarm/${image}"`,
      '',
    ].join('\n');
  }

  async state() { return (await fetch(`http://${this.listen}/emulator/state`)).json(); }

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
