// Programs of this machine, as a person runs them.
import { execFile, spawn } from 'node:child_process';

export class Programs {
  constructor(environment) {
    this.environment = environment;
    this.children = [];
  }

  /// Runs a program to its end; never throws: { code, stdout, stderr }.
  run(program, words, { input = '', environment = {}, seconds = 60 } = {}) {
    return new Promise((resolve) => {
      const child = execFile(program, words, { env: { ...this.environment, ...environment }, timeout: seconds * 1000, maxBuffer: 64 << 20 },
        (error, stdout, stderr) => resolve({ code: error ? (error.code ?? 'killed') : 0, stdout, stderr }));
      child.stdin.on('error', () => {});
      child.stdin.end(input);
    });
  }

  /// In the background, until end().
  keep(program, words, environment = {}) {
    const child = spawn(program, words, { env: { ...this.environment, ...environment }, stdio: ['ignore', 'pipe', 'pipe'] });
    child.text = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => { child.text += data; });
    child.ended = new Promise((resolve) => child.on('exit', (code) => resolve(code)));
    this.children.push(child);
    return child;
  }

  end() { for (const child of this.children) child.kill(); }
}
