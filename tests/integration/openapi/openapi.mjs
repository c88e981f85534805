// The API's description against the server that gives it: linters, every response and documented request by JSON Schema, and a generated client.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

import { check, say, Server } from '../../e2e/workspace/server.mjs';
import { Description } from './description.mjs';
import './resolve.mjs';
import { Walk, walkAll } from './walk.mjs';

const here = path.dirname(fileURLToPath(import.meta.url));
const { values } = parseArgs({ options: { swarm: { type: 'string' } } });
const modules = process.env.SWARM_TEST_MODULES;

/// Runs a tool: { failed, output }.
function run(tool, words, options) {
  try {
    return { failed: false, output: execFileSync(path.join(modules, '.bin', tool), words, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], ...options }) };
  } catch (error) {
    return { failed: true, output: `${error.stdout}${error.stderr}` || error.message };
  }
}

function lint(file, folder) {
  for (const name of ['redocly.yaml', 'spectral.yaml', '.redocly.lint-ignore.yaml']) fs.copyFileSync(path.join(here, name), path.join(folder, name));
  const env = { ...process.env, REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true' };
  const redocly = run('redocly', ['lint', '--format=json', file], { cwd: folder, env });
  const totals = redocly.failed ? {} : JSON.parse(redocly.output).totals;
  check(totals.errors === 0 && totals.warnings === 0, 'Redocly finds neither errors nor warnings', redocly.output);
  const spectral = run('spectral', ['lint', '--fail-severity=warn', '--ruleset', 'spectral.yaml', file], { cwd: folder });
  check(!spectral.failed, 'Spectral finds neither errors nor warnings', spectral.output);
}

/// Another user's service on this machine, which is not a provider and answers with text that others must not read.
async function service() {
  const made = { requests: [], secret: 'the service keeps this to itself' };
  made.server = http.createServer((request, response) => {
    made.requests.push(request.url);
    response.writeHead(500, { 'Content-Type': 'text/html' });
    response.end(`<html><title>${made.secret}</title>${made.secret}`);
  });
  await new Promise((resolve) => made.server.listen(0, '127.0.0.1', resolve));
  made.port = made.server.address().port;
  made.url = `http://127.0.0.1:${made.port}`;
  return made;
}

function compile(file, folder) {
  const generated = run('openapi-typescript', [file, '-o', 'api.d.ts'], { cwd: folder });
  check(!generated.failed, 'openapi-typescript makes types of it', generated.output);
  fs.copyFileSync(path.join(here, 'client.ts'), path.join(folder, 'client.ts'));
  const compiled = run('tsc', ['--strict', '--exactOptionalPropertyTypes', '--target', 'es2022', '--module', 'nodenext', '--lib', 'es2022,dom',
    'client.ts'], { cwd: folder });
  check(!compiled.failed, 'a client for {name: "x"} compiles strictly', compiled.output);
}

function runClient(folder, server, token) {
  try {
    execFileSync(process.execPath, ['--import', path.join(here, 'resolve.mjs'), 'client.js'],
      { cwd: folder, encoding: 'utf8', env: { ...process.env, SWARM_URL: server.url, SWARM_TOKEN: token } });
    check(true, 'and changes only what it names');
  } catch (error) {
    check(false, 'and changes only what it names', `${error.stdout}${error.stderr}`);
  }
}

const server = new Server(values.swarm);
server.flags = ['--fake-provider'];
const endpoints = { forbidden: await service(), allowed: await service() };
fs.mkdirSync(server.config, { recursive: true });
fs.writeFileSync(path.join(server.config, 'swarm.toml'), `[api]\nvalidateAddresses = ["127.0.0.1:${endpoints.allowed.port}"]\n`);
try {
  await server.start();
  const { token } = JSON.parse(fs.readFileSync(path.join(server.config, 'credentials.json'), 'utf8'));
  const response = await fetch(`${server.url}/api/openapi.json`, { headers: { Authorization: `Bearer ${token}` } });
  const document = await response.json();
  const folder = path.join(server.folder, 'lint');
  fs.mkdirSync(folder);
  const file = path.join(folder, 'openapi.json');
  fs.writeFileSync(file, JSON.stringify(document, null, 2));
  say(`${Object.keys(document.paths).length} paths, ${Object.keys(document.components.schemas).length} schemas`);

  const description = new Description(document);
  const { events, examples, broken } = await walkAll(new Walk(description, server.url, token), server.password(), endpoints);
  check(events > 2, 'every event is as described');
  check(description.judgeExamples() > 15, 'every example of a response is right');
  check(examples > 10, `all ${examples} documented requests are right, and taken`);
  check(broken > 30, `all ${broken} requests that the description refuses are refused`);
  const missed = [...description.seen].filter(([, statuses]) => statuses.size === 0).map(([id]) => id);
  check(missed.length === 0, 'every response of a walk through all routes is as described', `not walked: ${missed.join(', ')}`);
  lint('openapi.json', folder);
  compile('openapi.json', folder);
  runClient(folder, server, token);
} catch (error) {
  check(false, 'the walk went to its end', error.stack);
} finally {
  await server.kill();
  for (const { server: listener } of Object.values(endpoints)) listener.close();
  if (process.exitCode) say(`the server's log:\n${server.logText().slice(-4000)}`);
  fs.rmSync(server.folder, { recursive: true, force: true });
}
