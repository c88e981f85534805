// Snapshots on Docker and on Fly (the emulator, with containers): a process runs on while one is taken, the files come back, nothing is left.
//   node snapshots.mjs --swarm build/dev/swarm --emulator build/dev/fly-emulator
import fs from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { FlyEmulator } from '../fly/fly_emulator.mjs';
import { Server, check, say, waitFor } from '../workspace/server.mjs';

const { values: options } = parseArgs({ options: { swarm: { type: 'string' }, emulator: { type: 'string' } } });
const server = new Server(options.swarm);
const fly = new FlyEmulator(options.emulator, server.folder);
const at = (name, ...words) => server.run('exec', name, '--', ...words);

async function tryOn(name, ...where) {
  const created = await server.run('create', name, ...where);
  check(created.code === 0, `${name}: created`, JSON.stringify(created));
  await at(name, 'sh', '-c', 'echo first >~/notes; mkdir -p ~/many; for i in $(seq 500); do echo $i >~/many/$i; done');
  // A program of the person's, that must not be ended: it counts.
  await at(name, 'sh', '-c', 'setsid sh -c \'i=0; while :; do i=$((i+1)); echo $i >/tmp/counter; sleep 0.05; done\' >/dev/null 2>&1 &');
  const taken = await server.run('snapshot', 'create', name, '--name', 'monday');
  check(taken.code === 0 && taken.stdout.trim() === 'monday', `${name}: a snapshot is taken`, JSON.stringify(taken));
  say(taken.stderr.trim().split('\n').join(' | '));
  const one = Number((await at(name, 'cat', '/tmp/counter')).stdout);
  const runs = await waitFor('the counter goes on', async () => Number((await at(name, 'cat', '/tmp/counter')).stdout) > one, 10).catch(() => false);
  check(runs, `${name}: what ran runs on`);
  await at(name, 'sh', '-c', 'echo second >~/notes; rm -r ~/many; echo new >~/more');
  const again = await server.run('snapshot', 'create', name, '--name', 'monday');
  check(again.code === 1 && /already/.test(again.stderr), `${name}: a taken name is refused`, JSON.stringify(again));
  const restored = await server.run('snapshot', 'restore', name, 'monday');
  check(restored.code === 0, `${name}: it is restored`, JSON.stringify(restored));
  say(restored.stderr.trim().split('\n').join(' | '));
  const files = await at(name, 'sh', '-c', 'cat ~/notes; ls ~/many | wc -l; ls ~/more 2>/dev/null');
  check(files.stdout === 'first\n500\n', `${name}: the files are those of the snapshot`, JSON.stringify(files));
  const list = JSON.parse((await server.run('snapshot', 'list', name, '-o', 'json')).stdout);
  const undo = list.find((snapshot) => snapshot.name.startsWith('before-restore-'));
  check(list.length === 2 && undo, `${name}: what they replaced is a snapshot, too`, JSON.stringify(list));
  const undone = await server.run('snapshot', 'restore', name, undo?.name ?? '');
  const back = await at(name, 'sh', '-c', 'cat ~/notes ~/more');
  check(undone.code === 0 && back.stdout === 'second\nnew\n', `${name}: and can be brought back`, JSON.stringify([undone, back]));
}

/// Fly takes a snapshot of each volume every day; here on request. The files are destroyed, and restored.
async function tryFlysOwn(name) {
  await at(name, 'sh', '-c', 'sync; echo yesterday >~/notes; sync');
  const taken = await fly.snapshotOfEachVolume();
  check(taken.length > 0, `${name}: Fly takes its own snapshots`, JSON.stringify(taken));
  await at(name, 'sh', '-c', 'rm -rf ~/* && echo broken >~/notes');
  const list = JSON.parse((await server.run('snapshot', 'list', name, '-o', 'json')).stdout);
  const own = list.find((snapshot) => snapshot.automatic);
  check(own?.id.startsWith('vs_') && Date.parse(own.expiresAt) > Date.now(), `${name}: they are listed, with their end`, JSON.stringify(list));
  say((await server.run('snapshot', 'list', name)).stdout.trim().split('\n').join(' | '));
  const kept = await server.run('snapshot', 'delete', own?.id ?? '', '--yes');
  check(kept.code !== 0 && /automatically/.test(kept.stderr), `${name}: it is reported that Fly deletes them`, JSON.stringify(kept));
  const restored = await server.run('snapshot', 'restore', name, own?.id ?? '');
  check(restored.code === 0, `${name}: Fly's snapshot is restored`, JSON.stringify(restored));
  say(restored.stderr.trim().split('\n').join(' | '));
  const files = await at(name, 'sh', '-c', 'cat ~/notes ~/more');
  check(files.stdout === 'yesterday\nnew\n', `${name}: with yesterday's files`, JSON.stringify(files));
  const readers = async () => (await fly.volumes()).filter((volume) => volume.name.startsWith('reader') && volume.state !== 'pending_destroy');
  await waitFor('what read it goes', async () => (await readers()).length === 0, 30).catch(() => {});
  check((await readers()).length === 0, `${name}: what read it is gone`, JSON.stringify(await readers()));
}

try {
  await fly.start();
  fs.mkdirSync(server.config, { recursive: true });
  fs.writeFileSync(path.join(server.config, 'swarm.toml'), fly.config(process.env.SWARM_TEST_IMAGE ?? 'swarm-workspace:latest'));
  await server.start();
  await tryOn('here', '--provider', 'docker');
  await server.learnLabel('here').catch(() => {});
  await tryOn('there', '--provider', 'flyio', '--region', 'ams');
  await tryFlysOwn('there');
  say((await server.run('snapshot', 'list')).stdout.trim().split('\n').join(' | '));
  const deleted = await server.run('delete', 'here', 'there', '--volumes', '--yes');
  check(deleted.code === 0, 'both are deleted, with their files', JSON.stringify(deleted));
  await waitFor('nothing is left', async () => (await fly.state()).apps === 0 && (!server.label || Object.values(server.left()).every((list) => list.length === 0)), 60).catch(() => {});
  const state = await fly.state();
  check(state.apps === 0 && state.volumes === 0, 'nothing is left at Fly, snapshots included', JSON.stringify(state));
  if (server.label) check(Object.values(server.left()).every((list) => list.length === 0), 'nor at Docker', JSON.stringify(server.left()));
} catch (error) {
  check(false, error.message, error.stack);
} finally {
  await fly.dispose().catch((error) => check(false, error.message));
  await server.dispose();
}
