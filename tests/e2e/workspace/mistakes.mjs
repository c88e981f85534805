// The first mistakes of a new user, from the command line: each gets a clear sentence and the right exit code, and nothing is lost.
//   node mistakes.mjs --swarm build/dev/swarm
import fs from 'node:fs';
import path from 'node:path';
import { spawn, spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';
import { Server, check, docker, waitFor } from './server.mjs';

const { values: options } = parseArgs({ options: { swarm: { type: 'string' } } });
const server = new Server(options.swarm);

/// The verb must end with this code and say something that matches.
async function expect(sentence, code, pattern, ...words) { return expectWith({}, sentence, code, pattern, ...words); }
async function expectWith(how, sentence, code, pattern, ...words) {
  const result = await server.runWith(how, ...words);
  check(result.code === code && pattern.test(result.stderr + result.stdout), sentence, JSON.stringify(result));
  return result;
}

try {
  await expect('without a server, the CLI says that nothing answers, and what to do', 1, /refused.*scripts\/up/i, 'list', '--url', 'http://127.0.0.1:1');
  await server.start();
  const token = JSON.parse(fs.readFileSync(path.join(server.config, 'credentials.json'), 'utf8')).token;
  check((fs.statSync(path.join(server.config, 'credentials.json')).mode & 0o777) === 0o600, 'the credentials are readable by their owner only');
  check((fs.statSync(path.join(server.config, 'admin-password')).mode & 0o777) === 0o600, 'and so is the password');

  const secondServer = spawnSync(server.swarm, ['serve', '--listen', '127.0.0.1:0'], { env: server.environment, encoding: 'utf8', timeout: 30000 });
  check(secondServer.status === 1 && /another|already|lock/i.test(secondServer.stderr), 'a second server on the same data folder refuses', secondServer.stderr);
  const password = server.password();
  const elsewhere = { ...server.environment, XDG_DATA_HOME: path.join(server.folder, 'other-data') };
  const otherData = spawn(server.swarm, ['serve', '--listen', '127.0.0.1:0'], { env: elsewhere, stdio: 'ignore' });
  const its = path.join(server.folder, 'other-data', 'swarm');
  await waitFor('the second server keeps its own files', () => ['admin-password', 'credentials.json'].every((file) => fs.existsSync(path.join(its, file))), 30);
  otherData.kill('SIGTERM');
  await new Promise((resolve) => otherData.on('exit', resolve));
  check(server.password() === password && JSON.parse(fs.readFileSync(path.join(server.config, 'credentials.json'), 'utf8')).token === token,
    'a second server with the same configuration folder leaves the first one\'s password and credentials alone');
  const everywhere = spawnSync(server.swarm, ['serve', '--listen', '0.0.0.0:0', '--data-dir', path.join(server.folder, 'other')], { env: server.environment, encoding: 'utf8', timeout: 30000 });
  check(everywhere.status === 1 && /--insecure-http/.test(everywhere.stderr), 'plain HTTP to other machines is refused, and the ways out are named', everywhere.stderr);
  const samePort = spawnSync(server.swarm, ['serve', '--listen', server.listen, '--data-dir', path.join(server.folder, 'other')], { env: { ...server.environment, XDG_CONFIG_HOME: path.join(server.folder, 'other-config') }, encoding: 'utf8', timeout: 30000 });
  check(samePort.status === 1 && samePort.stderr.includes(server.listen), 'a port in use is reported with its address', samePort.stderr);

  await expectWith({ environment: { SWARM_URL: server.url, SWARM_TOKEN: 'nonsense' } }, 'a wrong token: exit code 4, and what to do', 4, /login/, 'list');
  await expectWith({ input: 'wrong-password\n' }, 'a wrong password: exit code 4', 4, /password/i, 'login', '--url', server.url, '--password-stdin');
  await expectWith({ input: `${server.password()}\n` }, 'the right one signs in', 0, /Signed in/, 'login', '--url', server.url, '--password-stdin');
  await expect('whoami knows', 0, /^admin/, 'whoami', '-o', 'name');

  await expect('an unknown verb: exit code 2', 2, /help/, 'frobnicate');
  await expect('an unknown flag: exit code 2', 2, /--help/, 'list', '--no-such-flag');
  await expect('a value without a meaning: exit code 2', 2, /abc.*\n.*swarm create --help/, 'create', 'one', '--memory', 'abc');
  await expect('a provider that this server lacks, with those that it has', 2, /mars.*docker/, 'create', 'one', '--provider', 'mars');
  await expect('a name that is not a DNS label', 1, /name/i, 'create', 'Not_A_Label');
  await expect('memory below the Engine\'s minimum', 1, /memory/i, 'create', 'tiny', '--memory', '1m');
  await expect('memory above the machine\'s', 1, /memory/i, 'create', 'huge', '--memory', '900000g');
  await expect('an image that is nowhere', 1, /image/i, 'create', 'noimage', '--image', 'no-such-image:ever');
  await expect('the failed ones can be deleted', 0, /.*/, 'delete', 'noimage', '--yes');

  await expect('create works', 0, /http:\/\/one\./, 'create', 'one');
  await server.learnLabel('one');
  await expect('a taken name', 1, /one/, 'create', 'one');
  await expect('an absent instance: exit code 3', 3, /absent/, 'start', 'absent');
  await expect('start of a running one is fine', 0, /.*/, 'start', 'one');

  const piped = await server.runWith({ input: 'a\0b\nlast' }, 'exec', 'one', '--', 'sh', '-c', 'cat; echo err >&2; exit 7');
  check(piped.code === 7 && piped.stdout === 'a\0b\nlast' && piped.stderr === 'err\n', 'exec passes stdin, stdout, stderr and the exit code through', JSON.stringify(piped));
  await expect('a command that is not there', 127, /not.?found|no such/i, 'exec', 'one', '--', 'no-such-command');
  const secretsShown = await server.run('show', 'one', '-o', 'json');
  check(!/secret|password/i.test(secretsShown.stdout) && !server.logText().includes(token), 'no secret in a response or in the log');

  docker('rm', '-f', docker('ps', '-q', '--filter', `label=${server.label}`));
  await expect('a container removed behind our back comes back with start', 0, /http/, 'start', 'one');

  await server.kill('SIGKILL');
  await server.start();
  const sessions = JSON.parse((await server.run('sessions', '-o', 'json')).stdout);
  check(sessions.filter(({ kind }) => kind === 'machine').length === 1, 'however often the server starts, the command line of its machine has one session', JSON.stringify(sessions));
  await expect('after kill -9 of the server, the instance is still there', 0, /running/, 'list');
  await expect('nothing is destroyed unasked: exit code 2, and the flag', 2, /--yes/, 'delete', 'one');
  await expect('and answers', 0, /still here/, 'exec', 'one', '--', 'echo', 'still here');
  await expect('delete with its volume', 0, /.*/, 'delete', 'one', '--volumes', '--yes');
  const left = server.left();
  check(left.containers.length + left.networks.length + left.volumes.length === 0, 'nothing is left at the Engine', JSON.stringify(left));
} catch (error) {
  check(false, error.message, error.stack);
} finally {
  await server.dispose();
}
