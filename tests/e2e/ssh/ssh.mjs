// SSH with the real clients: ssh, scp, sftp, rsync, ssh-add; forwarding in each direction, and the steps of VS Code's Remote-SSH. The host key stays after a
// restart and after a move to Fly (the emulator, with containers) and back; other keys, other sessions and other hosts are refused.
// With --jump, the same clients without the command `swarm`, through the server's SSH listener: by registered keys and certificates, and to nothing else than it opens.
//   node ssh.mjs --swarm build/dev/swarm --emulator build/dev/fly-emulator
//   node ssh.mjs --swarm build/dev/swarm --jump
import crypto from 'node:crypto';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { FlyEmulator } from '../fly/fly_emulator.mjs';
import { Server, check, docker, waitFor } from '../workspace/server.mjs';
import { Programs } from './programs.mjs';

const { values: options } = parseArgs({ options: { swarm: { type: 'string' }, emulator: { type: 'string' }, jump: { type: 'boolean' } } });
const server = new Server(options.swarm);
const fly = options.jump ? null : new FlyEmulator(options.emulator, server.folder);
server.environment.HOME = server.folder;
delete server.environment.SSH_AUTH_SOCK;
const config = path.join(server.folder, '.ssh', options.jump ? 'plain' : 'config');
const known = path.join(server.config, 'ssh', 'known_hosts');
const host = 'web1.swarm';
const programs = new Programs(server.environment);
const run = programs.run.bind(programs);
const keep = programs.keep.bind(programs);

/// ssh does not read $HOME/.ssh: it looks up the home of its user.
const ssh = (...words) => run('ssh', ['-F', config, ...words]);
const freePort = () => new Promise((resolve) => {
  const listener = net.createServer().listen(0, '127.0.0.1', () => { const { port } = listener.address(); listener.close(() => resolve(port)); });
});
/// What a connection to a port of this machine, or to a socket, is sent; an empty text when it is refused.
const read = (...where) => new Promise((resolve) => {
  let text = '';
  const socket = net.connect(...where, () => socket.write('GET / HTTP/1.0\r\n\r\n'));
  socket.on('data', (data) => { text += data; });
  for (const event of ['error', 'close']) socket.on(event, () => resolve(text));
});

async function commands() {
  if (options.jump) await ssh(host, 'true'); // ssh says once that the workspace's host key is new
  const result = await ssh(host, 'echo out; echo err >&2; echo $GREETING; exit 7');
  check(result.code === 7 && result.stdout === 'out\nhello "there" \\ all\n' && result.stderr === 'err\n', 'a command, its streams, its exit code, the environment of the workspace', JSON.stringify(result));
  const input = crypto.randomBytes(3 << 20).toString('base64');
  const echoed = await run('ssh', ['-F', config, host, 'sha256sum'], { input });
  check(echoed.stdout.startsWith(crypto.createHash('sha256').update(input).digest('hex')), 'standard input arrives as it is', JSON.stringify(echoed));
  const terminal = await ssh('-tt', host, 'tty; stty size; echo $TERM');
  check(/^\/dev\/pts\/\d+/.test(terminal.stdout), 'a terminal', JSON.stringify(terminal));
  const who = await ssh(host, 'id -un; sudo id -un; pwd; command -v code');
  check(who.stdout === 'coder\nroot\n/home/coder\n/opt/swarm/bin/code\n', 'as coder, who may use sudo', JSON.stringify(who));
  const ours = await server.run('ssh', 'web1', '--', 'exit', '9');
  check(ours.code === 9, 'swarm ssh passes the exit code through', JSON.stringify(ours));
  const id = JSON.parse((await server.run('show', 'web1', '-o', 'json')).stdout).id;
  check((await server.run('ssh', id, '--', 'true')).code === 0, 'swarm ssh takes an id, too');
  const listening = await ssh(host, 'ss -Hltn | grep -c ":22 "; pgrep -xc sshd -u root');
  check(listening.stdout === '0\n0\n', 'sshd neither listens nor is root', JSON.stringify(listening));
}

async function files() {
  const source = path.join(server.folder, 'source');
  fs.mkdirSync(path.join(source, 'deep'), { recursive: true });
  fs.writeFileSync(path.join(source, 'big'), crypto.randomBytes(20 << 20));
  fs.writeFileSync(path.join(source, 'deep', 'name with blanks'), 'text');
  const sum = (await run('sha256sum', [path.join(source, 'big')])).stdout.split(' ')[0];
  const copied = await run('scp', ['-F', config, '-qr', source, `${host}:copied`]);
  check(copied.code === 0 && (await ssh(host, 'sha256sum <copied/big; cat "copied/deep/name with blanks"')).stdout === `${sum}  -\ntext`, 'scp copies a folder in', JSON.stringify(copied));
  const back = path.join(server.folder, 'back');
  const out = await run('scp', ['-F', config, '-q', `${host}:copied/big`, back]);
  check(out.code === 0 && (await run('sha256sum', [back])).stdout.startsWith(sum), 'and a file out', JSON.stringify(out));
  const sftp = await run('sftp', ['-F', config, '-b', '-', host], { input: `put ${source}/big sftp-big\nls -l sftp-big\nrename sftp-big renamed\n` });
  check(sftp.code === 0 && (await ssh(host, 'sha256sum <renamed')).stdout.startsWith(sum), 'sftp', JSON.stringify(sftp));
  const rsync = (...words) => run('rsync', ['-e', `ssh -F ${config}`, ...words]);
  const first = await rsync('-a', `${source}/`, `${host}:synced`);
  fs.appendFileSync(path.join(source, 'big'), 'more');
  const second = await rsync('-a', '--stats', `${source}/`, `${host}:synced`);
  check(first.code === 0 && second.code === 0 && /Number of regular files transferred: 1\n/.test(second.stdout), 'rsync, which sends a changed file alone', JSON.stringify([first, second]));
}

async function forwarding() {
  const inside = keep('ssh', ['-F', config, host, 'mkdir -p served && cd served && echo from-inside >index.html && exec python3 -m http.server --bind 127.0.0.1 8123']);
  const served = await server.runWith({}, 'exec', 'web1', '--', 'sh', '-c', 'for i in $(seq 300); do curl -sf 127.0.0.1:8123 && exit; sleep 0.1; done; exit 1');
  check(served.stdout === 'from-inside\n', 'a program is started by ssh', inside.text);
  const [local, remote, proxy] = [await freePort(), 18124, await freePort()];
  const outside = net.createServer((socket) => socket.end('from-outside\n')).listen(0, '127.0.0.1');
  await new Promise((resolve) => outside.on('listening', resolve));
  const link = keep('ssh', ['-F', config, '-N', '-o', 'ExitOnForwardFailure=yes', '-L', `${local}:127.0.0.1:8123`, '-R', `${remote}:127.0.0.1:${outside.address().port}`, '-D', `${proxy}`, host]);
  const forwarded = await waitFor('-L', () => read(local, '127.0.0.1'), 30).catch(() => link.text);
  check(forwarded.endsWith('from-inside\n'), 'a port inside is reached here (-L)', forwarded);
  const reverse = await ssh(host, `curl -s --http0.9 127.0.0.1:${remote}`);
  check(reverse.stdout === 'from-outside\n', 'a port here is reached inside (-R)', JSON.stringify(reverse));
  const socks = await run('curl', ['-s', '--noproxy', '', '--socks5-hostname', `127.0.0.1:${proxy}`, 'http://localhost:8123/']);
  check(socks.stdout === 'from-inside\n', 'a SOCKS proxy (-D)', JSON.stringify(socks));
  outside.close();
  link.kill();
  inside.kill();
}

async function agentForwarding() {
  const started = await run('ssh-agent', ['-s']);
  const [, socket, pid] = /SSH_AUTH_SOCK=([^;]+);[^]*SSH_AGENT_PID=(\d+);/.exec(started.stdout);
  const environment = { SSH_AUTH_SOCK: socket };
  try {
    const key = path.join(server.folder, 'other-key');
    await run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', key, '-C', 'forwarded']);
    await run('ssh-add', ['-q', key], { environment });
    const seen = await run('ssh', ['-F', config, '-A', host, 'ssh-add -l'], { environment });
    check(/forwarded \(ED25519\)/.test(seen.stdout), "this machine's ssh-agent is used inside (-A)", JSON.stringify(seen));
    if (options.jump) return;
    // The connection carries the public key of swarm; the client signs with another one.
    const proxy = /ProxyCommand (.*)/.exec(fs.readFileSync(config, 'utf8'))[1];
    const refused = await run('ssh', ['-F', '/dev/null', '-o', `ProxyCommand=${proxy}`, '-o', 'IdentitiesOnly=yes', '-i', key, '-o', `UserKnownHostsFile=${known}`, `coder@${host}`, 'true']);
    check(refused.code === 255 && /Permission denied \(publickey\)/.test(refused.stderr), 'another key is refused', JSON.stringify(refused));
    const root = await run('ssh', ['-F', config, '-l', 'root', host, 'true']);
    check(root.code === 255 && /Permission denied/.test(root.stderr), 'another user is refused', JSON.stringify(root));
  } finally {
    process.kill(Number(pid));
  }
}

/// A script that is piped to a shell starts a server that outlives the connection; a socket of it is forwarded on a second connection.
async function remoteSsh() {
  const script = `set -e; mkdir -p ~/.vscode-server; rm -f ~/.vscode-server/server.sock
cat >~/.vscode-server/server.py <<'P'
import os, socket
s = socket.socket(socket.AF_UNIX); s.bind(os.path.expanduser('~/.vscode-server/server.sock')); s.listen()
while True:
    c, _ = s.accept(); c.recv(100); c.sendall(b'remote server\\n'); c.close()
P
nohup python3 ~/.vscode-server/server.py >/dev/null 2>&1 </dev/null &
while [ ! -S ~/.vscode-server/server.sock ]; do sleep 0.05; done
echo "listeningOn==/home/coder/.vscode-server/server.sock=="\n`;
  const installed = await run('ssh', ['-F', config, '-T', host, 'bash'], { input: script });
  const socket = /listeningOn==(.*)==/.exec(installed.stdout)?.[1];
  check(installed.code === 0 && socket, 'a server is installed by a script on standard input, and goes on', JSON.stringify(installed));
  const port = await freePort();
  const link = keep('ssh', ['-F', config, '-N', '-L', `${port}:${socket}`, host]);
  const text = await waitFor('the forwarded socket', () => read(port, '127.0.0.1'), 30).catch(() => link.text);
  check(text === 'remote server\n', 'its socket is forwarded to a port here', text);
  link.kill();
  const alive = await run('ssh', ['-F', config, '-o', 'ControlMaster=auto', '-o', `ControlPath=${server.folder}/control-%C`, '-o', 'ControlPersist=yes', host, 'pgrep -f server.py']);
  check(alive.code === 0, 'the server outlived its connection', JSON.stringify(alive));
  await ssh('-o', `ControlPath=${server.folder}/control-%C`, '-O', 'exit', host);
  const desktop = await server.run('open', 'web1', '--desktop', '--print');
  check(desktop.stdout === 'vscode://vscode-remote/ssh-remote+web1.swarm/home/coder/project\n' && desktop.stderr === '', 'the link for the desktop', JSON.stringify(desktop));
}

async function sessions() {
  const response = await fetch(`${server.url}/api/auth/login`.replace(/\/\/swarm\.localhost/, '//127.0.0.1'), {
    method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ user: 'admin', password: server.password() }) });
  const { token } = await response.json();
  const session = keep('ssh', ['-F', config, host, 'echo begun; exec sleep 1000'], { SWARM_TOKEN: token, SWARM_URL: server.url });
  await waitFor('the session has begun', () => session.text.includes('begun'), 30);
  const out = await server.runWith({ environment: { SWARM_TOKEN: token, SWARM_URL: server.url } }, 'api', 'POST', '/api/auth/logout');
  check(out.code === 0, 'the session signs out', JSON.stringify(out));
  const ended = await Promise.race([session.ended, new Promise((resolve) => { setTimeout(resolve, 20_000, 'it goes on').unref(); })]);
  check(ended === 255, 'its ssh connection ends', `${ended} ${session.text}`);
  const after = await run('ssh', ['-F', config, host, 'true'], { environment: { SWARM_TOKEN: token, SWARM_URL: server.url } });
  check(after.code === 255, 'and no other is made', JSON.stringify(after));
  const quote = await ssh("x'$(touch pwned)'.swarm", 'true');
  check(quote.code === 255 && !/ssh --stdio/.test(quote.stderr) && !fs.existsSync('pwned'), 'a name with a quote runs no command', JSON.stringify(quote));
  const absent = await ssh('absent.swarm', 'true');
  check(absent.code === 255 && /absent/.test(absent.stderr), 'a workspace that does not exist is named', JSON.stringify(absent));
}

async function hostKey(where) {
  const pinned = fs.readFileSync(known, 'utf8');
  fs.rmSync(known);
  const again = await ssh(host, 'true');
  check(again.code === 0 && fs.readFileSync(known, 'utf8') === pinned, `the host key is the same ${where}`, JSON.stringify([again, pinned]));
}

async function changes() {
  check((await server.run('restart', 'web1')).code === 0, 'restart');
  await hostKey('after a restart');
  const moved = await server.runWith({ seconds: 200 }, 'migrate', 'web1', '--to', 'flyio', '--region', 'ams');
  check(moved.code === 0, 'a move to Fly', JSON.stringify(moved));
  await hostKey('on Fly');
  check((await ssh('-tt', host, 'tty')).code === 0, 'a terminal on Fly');
  const back = await server.runWith({ seconds: 200 }, 'migrate', 'web1', '--to', 'docker');
  check(back.code === 0, 'and back', JSON.stringify(back));
  await hostKey('on Docker again');
  fs.writeFileSync(known, fs.readFileSync(known, 'utf8').replace(/ AAAA\S+ /, ' AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA '));
  const changed = await ssh(host, 'true');
  check(changed.code === 255 && /HOST IDENTIFICATION HAS CHANGED/.test(changed.stderr), 'another host key is refused', JSON.stringify(changed));
}

/// Last: the workspace is of no use afterwards.
async function withoutServer() {
  const [container] = server.left().containers;
  docker('exec', '-u', 'root', container, 'rm', '/usr/sbin/sshd');
  const missing = await ssh(host, 'true');
  check(missing.code === 255 && /openssh-server/.test(missing.stderr), 'an image without sshd: the package is named', JSON.stringify(missing));
  check((await server.run('exec', 'web1', '--', 'true')).code === 0, 'and swarm exec still works');
}

/// The person's own key pair, and a configuration of plain ssh with the listener as jump host.
async function configureJump() {
  const key = path.join(server.folder, 'own-key');
  fs.mkdirSync(path.dirname(config), { recursive: true });
  await run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', key, '-C', 'own']);
  const added = await server.run('keys', 'add', `${key}.pub`, '-o', 'json');
  const pinned = await server.run('keys', 'host');
  const [, port] = /^\[swarm\.localhost\]:(\d+) ssh-ed25519 /.exec(pinned.stdout) ?? [];
  check(added.code === 0 && port, 'a key is registered, and the host key of the listener is printed', JSON.stringify([added, pinned]));
  const hosts = path.join(server.folder, '.ssh', 'known');
  fs.writeFileSync(hosts, pinned.stdout);
  const common = `  IdentityFile ${key}\n  IdentitiesOnly yes\n  UserKnownHostsFile ${hosts}\n  GlobalKnownHostsFile /dev/null\n`;
  fs.writeFileSync(config, `Host web1.swarm\n  HostName web1\n  User coder\n  ProxyJump jump\n  StrictHostKeyChecking accept-new\n${common}`
    + `Host jump\n  HostName 127.0.0.1\n  HostKeyAlias [swarm.localhost]:${port}\n  Port ${port}\n  User admin\n  StrictHostKeyChecking yes\n  RekeyLimit 4M\n${common}`);
  return { key, port, id: JSON.parse(added.stdout).id };
}

/// What the listener refuses.
async function refusals({ key }) {
  const jump = (...words) => run('ssh', ['-F', config, ...words], { seconds: 30 });
  for (const words of [['jump', 'true'], ['jump'], ['-s', 'jump', 'sftp'], ['-tt', 'jump'], ['-N', '-o', 'ExitOnForwardFailure=yes', '-R', '18125:127.0.0.1:1', 'jump']]) {
    const refused = await jump(...words);
    check(refused.code === 255 || refused.code === 1, `nothing but connections: ssh ${words.join(' ')}`, JSON.stringify(refused));
  }
  const other = path.join(server.folder, 'unknown-key');
  await run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', other]);
  for (const [what, words] of [['an unknown key', ['-i', other]], ['a name that is not the account', ['-l', 'coder']], ['a password', ['-o', 'PreferredAuthentications=password,keyboard-interactive']]]) {
    const file = path.join(server.folder, '.ssh', 'other');
    fs.writeFileSync(file, fs.readFileSync(config, 'utf8').replaceAll(`IdentityFile ${key}`, what === 'an unknown key' ? '' : `IdentityFile ${key}`));
    const refused = await run('ssh', ['-F', file, ...words, '-W', 'web1:22', 'jump'], { seconds: 30 });
    check(refused.code === 255 && /Permission denied \(publickey\)/.test(refused.stderr), `${what} is refused`, JSON.stringify(refused));
  }
  const absent = await jump('-o', 'HostName=absent', host, 'true');
  check(absent.code === 255 && /There is no workspace "absent"/.test(absent.stderr), 'a workspace that does not exist is named', JSON.stringify(absent));
  const closed = await jump('-W', 'web1:9', 'jump');
  check(closed.code === 255 && /open failed/.test(closed.stderr), 'a port without a program', JSON.stringify(closed));
}

async function endOf(session, what) {
  const begun = Date.now();
  const ended = await Promise.race([session.ended, new Promise((resolve) => { setTimeout(resolve, 15_000, 'it goes on').unref(); })]);
  check(ended === 255, `${what} ends an open connection, after ${Date.now() - begun} ms`, `${ended} ${session.text}`);
}

/// Another person: with a share, without it, and with a key that is removed.
async function revocations({ id }) {
  const key = path.join(server.folder, 'bobs-key');
  await run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', key]);
  await server.run('api', 'POST', '/api/users', '--data', '{"name":"bob","password":"a long password"}');
  const response = await fetch(`${server.url}/api/auth/login`.replace(/\/\/swarm\.localhost/, '//127.0.0.1'), {
    method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ user: 'bob', password: 'a long password' }) });
  const { token } = await response.json();
  const added = await server.runWith({ environment: { SWARM_TOKEN: token, SWARM_URL: server.url } }, 'keys', 'add', `${key}.pub`);
  check(added.code === 0, 'bob adds a key', JSON.stringify(added));
  const file = path.join(server.folder, '.ssh', 'bob');
  fs.writeFileSync(file, fs.readFileSync(config, 'utf8').replaceAll(/IdentityFile .*/g, `IdentityFile ${key}`).replace('User admin', 'User bob'));
  const hidden = await run('ssh', ['-F', file, host, 'true']);
  check(hidden.code === 255 && /There is no workspace "web1"/.test(hidden.stderr), 'what is not shared with bob is hidden', JSON.stringify(hidden));
  check((await server.run('share', 'web1', 'bob', '--as', 'editor')).code === 0, 'it is shared');
  const shared = keep('ssh', ['-F', file, host, 'echo begun; exec sleep 1000']);
  await waitFor('bob is inside', () => shared.text.includes('begun'), 30);
  check((await server.run('share', 'web1', 'bob', '--end')).code === 0, 'the share is ended');
  await endOf(shared, 'the end of a share');
  check((await server.run('share', 'web1', 'bob', '--as', 'editor')).code === 0, 'it is shared again');
  const second = keep('ssh', ['-F', file, host, 'echo begun; exec sleep 1000']);
  await waitFor('bob is inside again', () => second.text.includes('begun'), 30);
  check((await server.run('users', 'disable', 'bob')).code === 0, 'bob is disabled');
  await endOf(second, 'disabling a user');
  const after = await run('ssh', ['-F', file, host, 'true']);
  check(after.code === 255 && /Permission denied/.test(after.stderr), 'and bob does not sign in', JSON.stringify(after));
  const own = keep('ssh', ['-F', config, host, 'echo begun; exec sleep 1000']);
  await waitFor('the owner is inside', () => own.text.includes('begun'), 30);
  check((await server.run('keys', 'remove', id)).code === 0, 'the key is removed');
  await endOf(own, 'the removal of its key');
  const records = JSON.parse((await server.run('audit', '-o', 'json')).stdout);
  const has = (user, action, result) => records.some((record) => record.user === user && record.action === action && record.result === result);
  check(has('bob', 'signIn', 'done') && has('bob', 'openSsh', 'refused') && has('bob', 'openSsh', 'done') && has('admin', 'openSsh', 'done'),
    'the audit log has the sign-ins, the entries and the refusal', JSON.stringify(records));
}

/// A key that is not registered, with a certificate of a CA that the server trusts; then from an ssh-agent that has the certificate alone.
async function certificates({ key: registered }, authority) {
  const key = path.join(server.folder, 'certified-key');
  await run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', key, '-C', 'certified']);
  const file = path.join(server.folder, '.ssh', 'certified');
  fs.writeFileSync(file, fs.readFileSync(config, 'utf8').replaceAll(registered, key));
  const refused = await run('ssh', ['-F', file, host, 'true']);
  check(refused.code === 255 && /Permission denied/.test(refused.stderr), 'a key that is not registered is refused', JSON.stringify(refused));
  const signed = await run('ssh-keygen', ['-q', '-s', authority, '-I', 'admin@laptop', '-n', 'admin', '-z', '7', '-V', '-1h:+1h', `${key}.pub`]);
  const certified = await run('ssh', ['-F', file, '-tt', host, 'echo inside']);
  check(signed.code === 0 && certified.stdout === 'inside\r\n', 'with a certificate of a trusted CA, it signs in', JSON.stringify(certified));
  const started = await run('ssh-agent', ['-s']);
  const [, socket, pid] = /SSH_AUTH_SOCK=([^;]+);[^]*SSH_AGENT_PID=(\d+);/.exec(started.stdout);
  const environment = { SSH_AUTH_SOCK: socket };
  try {
    await run('ssh-add', ['-q', key], { environment });
    fs.copyFileSync(`${key}.pub`, `${key}-alone.pub`);
    await run('ssh-add', ['-q', '-d', `${key}-alone.pub`], { environment });
    const listed = await run('ssh-add', ['-l'], { environment });
    fs.writeFileSync(file, fs.readFileSync(config, 'utf8').replaceAll(/  IdentityFile .*\n  IdentitiesOnly yes\n/g, `  IdentityFile none\n  IdentityAgent ${socket}\n`));
    const alone = await run('ssh', ['-F', file, host, 'echo inside']);
    check(/^[^\n]*-CERT\)\n$/.test(listed.stdout) && alone.stdout === 'inside\n', 'a certificate alone is enough, in the workspace, too', JSON.stringify([listed, alone]));
  } finally {
    process.kill(Number(pid));
  }
}

async function jumping() {
  const authority = path.join(server.folder, 'ca');
  await run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', authority, '-C', 'ca']);
  fs.mkdirSync(server.config, { recursive: true });
  fs.writeFileSync(path.join(server.config, 'swarm.toml'), `[ssh]\nlisten = "127.0.0.1:0"\ntrustedUserCAKeys = "${authority}.pub"\n`);
  await server.start();
  const created = await server.run('create', 'web1', '--provider', 'docker', '--env', 'GREETING=hello "there" \\ all');
  check(created.code === 0, 'a workspace', JSON.stringify(created));
  await server.learnLabel('web1');
  const own = await configureJump();
  const configured = await server.run('config-ssh');
  const block = fs.readFileSync(path.join(path.dirname(config), 'config'), 'utf8');
  check(configured.code === 0 && block.includes(`Host swarm-jump\n  HostName swarm.localhost\n  Port ${own.port}\n  User admin\n`), 'swarm config-ssh names the listener', block);
  check((await ssh(host, 'true')).code === 0, 'the first connection pins the host key of the workspace');
  await commands();
  await files();
  await forwarding();
  await agentForwarding();
  await remoteSsh();
  await refusals(own);
  await certificates(own, authority);
  await revocations(own);
  await server.run('keys', 'add', `${own.key}.pub`);
  await server.run('stop', 'web1');
  const stopped = await ssh(host, 'true');
  check(stopped.code === 255 && /web1.*stopped/.test(stopped.stderr), 'a workspace that does not run says so', JSON.stringify(stopped));
  check((await server.run('delete', 'web1', '--volumes', '--yes')).code === 0, 'delete');
}

async function throughTheCommand() {
  await fly.start();
  fs.mkdirSync(server.config, { recursive: true });
  fs.writeFileSync(path.join(server.config, 'swarm.toml'), fly.config(process.env.SWARM_TEST_IMAGE ?? 'swarm-workspace:latest'));
  await server.start();
  const created = await server.run('create', 'web1', '--provider', 'docker', '--env', 'GREETING=hello "there" \\ all');
  check(created.code === 0, 'a workspace', JSON.stringify(created));
  await server.learnLabel('web1');
  const configured = await server.run('config-ssh');
  check(configured.code === 0 && fs.readFileSync(config, 'utf8').includes('Host web1.swarm *.swarm'), 'swarm config-ssh', JSON.stringify(configured));
  await commands();
  await files();
  await forwarding();
  await agentForwarding();
  await remoteSsh();
  await sessions();
  await changes();
  await server.run('config-ssh');
  fs.rmSync(known);
  await withoutServer();
  check((await server.run('delete', 'web1', '--volumes', '--yes')).code === 0, 'delete');
}

try {
  await (options.jump ? jumping() : throughTheCommand());
} catch (error) {
  check(false, error.message, error.stack);
} finally {
  programs.end();
  await fly?.dispose().catch((error) => check(false, error.message));
  await server.dispose();
}
