// The npm package fly-admin drives the emulator: each of its calls meets the response that its types promise. The emulator is strict: a request
// that Fly's own document does not allow fails.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import path from 'node:path';
import readline from 'node:readline';
import { parseArgs } from 'node:util';

const { values: options } = parseArgs({ options: { 'fly-emulator': { type: 'string' } } });
const require = createRequire(path.join(process.env.SWARM_TEST_MODULES ?? process.cwd(), '_'));
const { default: Client } = require('fly-admin/dist/client.js');  // createClient() takes no address
const TOKEN = 'fm2_fly-admin';

/// Resolves with the API's address when the emulator is ready.
async function startEmulator() {
  const emulator = spawn(path.resolve(options['fly-emulator']),
    ['--token', TOKEN, '--backend', 'memory', '--listen', '127.0.0.1:0', '--edge', '127.0.0.1:0', '--regions', 'ams,fra', '--strict', '--no-rate-limits'],
    { stdio: ['ignore', 'pipe', 'inherit'] });
  let address;
  for await (const line of readline.createInterface({ input: emulator.stdout })) {
    address ??= /Machines API +(http:\/\/[\d.:]+)\/v1/.exec(line)?.[1];
    if (line === 'ready') return { emulator, address };
  }
  throw new Error('the emulator ended at its start');
}

async function apps(fly) {
  await fly.App.createApp({ org_slug: 'personal', name: 'admin-app' });
  assert.equal((await fly.App.getApp('admin-app')).name, 'admin-app');
  assert.deepEqual((await fly.App.listApps('personal')).apps.map((app) => app.name), ['admin-app']);
  const { organization } = await fly.Organization.getOrganization('personal');
  assert.equal(organization.slug, 'personal');
  const { platform } = await fly.Regions.getRegions();
  assert.deepEqual(platform.regions.map((region) => region.code).sort(), ['ams', 'fra']);
}

async function network(fly) {
  const { allocateIpAddress } = await fly.Network.allocateIpAddress({ appId: 'admin-app', type: 'v6' });
  assert.match(allocateIpAddress.ipAddress.address, /^[0-9a-f:]+$/);
  assert.equal(allocateIpAddress.ipAddress.type, 'v6');
  assert.equal((await fly.App.getAppDetailed('admin-app')).ipAddresses.length, 1);
  await fly.Network.releaseIpAddress({ appId: 'admin-app', ip: allocateIpAddress.ipAddress.address });
  assert.equal((await fly.App.getAppDetailed('admin-app')).ipAddresses.length, 0);
}

async function secrets(fly) {
  await fly.Secret.setSecrets({ appId: 'admin-app', secrets: [{ key: 'TOKEN', value: 'one' }] });
  await fly.Secret.unsetSecrets({ appId: 'admin-app', keys: ['TOKEN'] });
}

async function volumes(fly) {
  const volume = await fly.Volume.createVolume({ app_name: 'admin-app', name: 'data', region: 'ams', size_gb: 1 });
  assert.match(volume.id, /^vol_/);
  const grown = await fly.Volume.extendVolume({ app_name: 'admin-app', volume_id: volume.id, size_gb: 2 });
  assert.equal(grown.volume.size_gb, 2);
  assert.deepEqual(await fly.Volume.listSnapshots({ app_name: 'admin-app', volume_id: volume.id }), []);
  assert.equal((await fly.Volume.listVolumes('admin-app')).length, 1);
  return volume;
}

async function machines(fly, volume) {
  const app_name = 'admin-app';
  const config = { image: 'busybox', guest: { cpu_kind: 'shared', cpus: 1, memory_mb: 256 }, mounts: [{ volume: volume.id, path: '/data' }], env: { A: '1' } };
  const made = await fly.Machine.createMachine({ app_name, region: 'ams', name: 'one', config });
  const machine_id = made.id;
  await fly.Machine.waitMachine({ app_name, machine_id, state: 'started', timeout: '30s' });
  const shown = await fly.Machine.getMachine({ app_name, machine_id });
  assert.equal(shown.state, 'started');
  assert.deepEqual(shown.config.mounts[0], { volume: volume.id, path: '/data', name: 'data', size_gb: 2, encrypted: true });
  assert.equal((await fly.Machine.listMachines(app_name)).length, 1);
  const { image_ref: image } = shown;
  // What a response says of the image can be sent back.
  const update = { ...config, env: { A: '2' }, image: `${image.registry}/${image.repository}:${image.tag}@${image.digest}` };
  const updated = await fly.Machine.updateMachine({ app_name, machine_id, config: update });
  assert.notEqual(updated.instance_id, made.instance_id);
  await fly.Machine.waitMachine({ app_name, machine_id, instance_id: updated.instance_id, state: 'started' });
  await fly.Machine.stopMachine({ app_name, machine_id });
  await fly.Machine.waitMachine({ app_name, machine_id, instance_id: updated.instance_id, state: 'stopped' });
  await fly.Machine.startMachine({ app_name, machine_id });
  await fly.Machine.waitMachine({ app_name, machine_id, state: 'started' });
  await fly.Machine.cordonMachine({ app_name, machine_id });
  await fly.Machine.uncordonMachine({ app_name, machine_id });
  assert.ok((await fly.Machine.listEvents({ app_name, machine_id })).length > 2);
  assert.equal((await fly.Machine.listVersions({ app_name, machine_id })).length, 2);
  assert.ok(Array.isArray(await fly.Machine.listProcesses({ app_name, machine_id })));
  const { data: lease } = await fly.Machine.acquireLease({ app_name, machine_id, ttl: 1, description: 'a test' });
  assert.equal((await fly.Machine.getLease({ app_name, machine_id })).data.nonce, lease.nonce);
  return machine_id;
}

async function end(fly, machine_id) {
  const app_name = 'admin-app';
  await assert.rejects(fly.Machine.deleteMachine({ app_name, machine_id, force: true }), /409/, 'another client holds the lease');
  await assert.rejects(fly.Machine.getMachine({ app_name, machine_id: '0'.repeat(14) }), /404.*machine not found/);
  await fly.App.deleteApp(app_name);  // its Machine runs: Fly accepts that
  await assert.rejects(fly.App.getApp(app_name), /404/);
}

const { emulator, address } = await startEmulator();
try {
  const fly = new Client(TOKEN, { apiUrl: address, graphqlUrl: address });
  await apps(fly);
  await network(fly);
  await secrets(fly);
  await end(fly, await machines(fly, await volumes(fly)));
} finally {
  emulator.kill('SIGTERM');
}
