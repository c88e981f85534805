// A workspace on Docker with hard cases is exported, imported on Fly (the emulator, with containers), exported there and imported on Docker; an
// independent listing is the same each time. And the ways in which it goes wrong.
//   node archive.mjs --swarm build/dev/swarm --emulator build/dev/fly-emulator
import { execFileSync, spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { FlyEmulator } from '../fly/fly_emulator.mjs';
import { Server, check, say, waitFor } from '../workspace/server.mjs';

const { values: options } = parseArgs({ options: { swarm: { type: 'string' }, emulator: { type: 'string' } } });
const server = new Server(options.swarm);
const fly = new FlyEmulator(options.emulator, server.folder);
const file = (name) => path.join(server.folder, name);
const sh = (name, script, ...words) => server.runWith({ seconds: 120 }, 'exec', name, ...words, '--', 'bash', '-c', script);

const hardCases = `set -e; cd /home/coder; git init -q repo; cd repo; git config user.email a@b.c; git config user.name a;
for i in 1 2 3; do echo $i >file$i; git add .; git commit -qm "commit $i"; done; mkdir -p ../hard; cd ../hard;
mkdir -p deep/a/b/c; echo deep >deep/a/b/c/file; ln -s nowhere dangling; ln -s ../hard loop; ln -s /etc/passwd absolute; echo hard >one; ln one deep/two;
printf x >"$(printf 'new\\nline')"; printf raw >"$(printf 'latin\\351')"; : >empty; mkfifo pipe; chmod 4755 one;
truncate -s 2G holes; printf middle | dd of=holes bs=1 seek=1000000000 conv=notrunc status=none; head -c 5000000 /dev/urandom >random;
touch -d '2001-02-03 04:05:06.123456789' old; for i in $(seq 2000); do echo $i >deep/f$i; done;
sudo chown 1234:5678 old`;

/// By independent tools: every path, type, mode, owner, time, size, link and content, except of what VS Code writes.
const listing = async (name) => {
  const script = `cd /home/coder && find repo hard -printf '%p|%y|%m|%U|%G|%n|%T@|%l\\0' | sort -z | tr '\\0' '\\n'; ` +
    `find repo hard -type f -size -1000000k -print0 | sort -z | xargs -0 sha256sum; cmp -n 6 -i 1000000000:0 hard/holes <(printf middle) && stat -c '%s' hard/holes; ` +
    `find hard -inum "$(stat -c %i hard/one)" | sort`;
  const result = await sh(name, script, '--user', 'root');
  return result.code === 0 ? result.stdout : `failed: ${result.stderr}`;
};
const same = (was, is) => was === is ? '' : execFileSync('sh', ['-c', 'diff "$1" "$2" || true', 'sh', ...[was, is].map((text, i) => {
  fs.writeFileSync(file(`listing-${i}`), text);
  return file(`listing-${i}`);
})], { encoding: 'utf8' }).slice(0, 3000);

async function mistakes() {
  const terminal = execFileSync('script', ['-qec', `${server.swarm} export web1 || echo code $?`, '/dev/null'], { env: server.environment, encoding: 'utf8' });
  check(/cannot be printed on a terminal/.test(terminal) && /code 1/.test(terminal), 'export writes nothing to a terminal, and says what to do', terminal);
  const absent = await server.run('export', 'absent', '-o', file('absent.tar.zst'));
  check(absent.code === 3 && !fs.existsSync(file('absent.tar.zst')) && !fs.existsSync(file('absent.tar.zst.partial')), 'an absent instance: exit code 3, and no file', JSON.stringify(absent));
  const cut = fs.readFileSync(file('web1.tar.zst')).subarray(0, 3000000);
  fs.writeFileSync(file('cut.tar.zst'), cut);
  const whole = await server.run('import', file('cut.tar.zst'), '--name', 'cut');
  check(whole.code === 1 && /incomplete/.test(whole.stderr), 'a cut file is known before anything is made', JSON.stringify(whole));
  check((await server.run('show', 'cut')).code === 3, 'and nothing was made');
  const text = await server.runWith({ input: 'no archive' }, 'import', '-', '--name', 'cut');
  check(text.code === 1 && /not an archive/.test(text.stderr), 'a file that is not an archive is refused', JSON.stringify(text));
  const stream = await server.runWith({ input: cut }, 'import', '-', '--name', 'cut');
  check(stream.code === 1 && /incomplete/.test(stream.stderr) && /swarm delete cut --volumes/.test(stream.stderr), 'a cut stream: it says so, and how to be rid of what was made', JSON.stringify(stream));
  const again = await server.run('import', file('web1.tar.zst'), '--name', 'web1');
  check(again.code === 1 && again.stderr !== '', 'a name that is taken', JSON.stringify(again));
  check((await server.run('delete', 'cut', '--volumes', '--yes')).code === 0, 'the incomplete one is removed');
  const elsewhere = await server.run('create', 'elsewhere', '--volume', '/data:1');
  check(elsewhere.code === 0, 'a workspace with another storage', JSON.stringify(elsewhere));
  const missing = await server.run('import', file('web1.tar.zst'), '--name', 'elsewhere', '--force');
  check(missing.code === 1 && /\/home\/coder/.test(missing.stderr) && /Nothing was changed/.test(missing.stderr), 'a storage that the instance lacks is named', JSON.stringify(missing));
  check((await server.run('delete', 'elsewhere', '--volumes', '--yes')).code === 0, 'it is removed');
}

/// A server that ends in the middle: no file stays, and the exit code says it.
async function cutExport() {
  const target = file('killed.tar.zst');
  await sh('web1', 'head -c 300000000 /dev/urandom >~/large');
  const exporting = server.runWith({ seconds: 60 }, 'export', 'web1', '-o', target);
  await waitFor('half of the archive', async () => fs.existsSync(`${target}.partial`) && fs.statSync(`${target}.partial`).size > 1000000, 30);
  await server.kill('SIGKILL');
  const result = await exporting;
  check(result.code === 1 && /incomplete/.test(result.stderr), 'an export that was cut says so', JSON.stringify(result));
  check(!fs.existsSync(target) && !fs.existsSync(`${target}.partial`), 'and leaves no file');
  await server.start();
  await waitFor('the workspace is there again', async () => (await sh('web1', 'rm -f ~/large')).code === 0, 60);
}

try {
  await fly.start();
  fs.mkdirSync(server.config, { recursive: true });
  fs.writeFileSync(path.join(server.config, 'swarm.toml'), fly.config(process.env.SWARM_TEST_IMAGE ?? 'swarm-workspace:latest'));
  await server.start();
  check((await server.run('create', 'web1', '--provider', 'docker')).code === 0, 'a workspace on Docker');
  await server.learnLabel('web1');
  const made = await sh('web1', hardCases);
  check(made.code === 0, 'with hard cases', JSON.stringify(made));
  const before = await listing('web1');
  check(before.split('\n').length > 4000, 'which are listed', before.slice(0, 1000));

  const exported = await server.run('export', 'web1', '-o', file('web1.tar.zst'));
  check(exported.code === 0, 'it is exported', JSON.stringify(exported));
  say(exported.stderr.trim().replaceAll('\n', ' | '));
  check(/code-server-ipc.sock: socket ignored/.test(exported.stderr), "VS Code's socket is reported", exported.stderr);
  check(fs.statSync(file('web1.tar.zst')).size < 50000000, 'the holes of 2 GB are not in it');
  const names = execFileSync('sh', ['-c', `zstd -dc "$1" | tar -t | sed -n '1p;$p'`, 'sh', file('web1.tar.zst')], { encoding: 'utf8' });
  check(names === 'swarm-workspace.json\nswarm-workspace-notes.json\n', 'zstd and tar read it', names);
  await mistakes();

  const there = await server.runWith({ seconds: 180 }, 'import', file('web1.tar.zst'), '--name', 'web2', '--provider', 'flyio', '--region', 'ams');
  check(there.code === 0 && there.stdout.includes('web2'), 'it is imported on Fly', JSON.stringify(there));
  say(there.stderr.trim().replaceAll('\n', ' | '));
  check(JSON.parse((await server.run('show', 'web2', '-o', 'json')).stdout).provider === 'flyio', 'as a new workspace there');
  const differences = same(before, await listing('web2'));
  check(differences === '', 'every file is the same', differences);
  check((await sh('web2', 'git -C ~/repo fsck --full && git --no-optional-locks -C ~/repo status --porcelain')).code === 0, 'git fsck finds nothing wrong');

  const piped = await new Promise((resolve) => {
    const command = `"${server.swarm}" export web2 | "${server.swarm}" import - --name web3 --provider docker`;
    const child = spawn('bash', ['-o', 'pipefail', '-c', command], { env: server.environment });
    let text = '';
    for (const output of [child.stdout, child.stderr]) output.on('data', (data) => { text += data; });
    child.on('exit', (code) => resolve({ code, text }));
  });
  check(piped.code === 0, 'from Fly it goes through a pipe into a third one on Docker', piped.text);
  const further = same(before, await listing('web3'));
  check(further === '', 'every file is the same there, too', further);
  const holes = await sh('web3', 'stat -c %b ~/hard/holes');
  check(Number(holes.stdout) < 2000, 'and holes are holes', holes.stdout);

  await sh('web1', 'echo mine >~/mine');
  const forced = await server.run('import', file('web1.tar.zst'), '--name', 'web1', '--force');
  check(forced.code === 0 && (await sh('web1', 'test ! -e ~/mine && cat ~/hard/one')).stdout === 'hard\n', 'by force it replaces what is there', JSON.stringify(forced));
  await cutExport();
  for (const name of ['web1', 'web2', 'web3']) check((await server.run('delete', name, '--volumes', '--yes')).code === 0, `${name} is removed`);
  check(Object.values(server.left()).every((list) => list.length === 0), 'nothing is left on Docker', JSON.stringify(server.left()));
} catch (error) {
  check(false, error.message, error.stack);
} finally {
  await fly.dispose().catch((error) => check(false, error.message));
  await server.dispose();
}
