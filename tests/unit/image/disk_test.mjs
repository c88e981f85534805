// When the workspace warns of a disk that is nearly full (images/workspace/disk/disk.js).
import assert from 'node:assert/strict';
import Module, { createRequire } from 'node:module';
import test from 'node:test';

const load = Module._load;
Module._load = (name, ...rest) => (name === 'vscode' ? {} : load(name, ...rest));
const { fullestOf, levelOf, textsOf } = createRequire(import.meta.url)('../../../images/workspace/disk/disk.js');

const kMiB = 1024 ** 2;
const disk = (free, total, more = {}) => ({ path: '/home/coder', free: free * kMiB, total: total * kMiB, freeFiles: 1000, files: 1000, ...more });

test('a volume of 10 GB is low from 1 GB, and full from 100 MB', () => {
  assert.equal(levelOf(disk(1100, 10240)), 'enough');
  assert.equal(levelOf(disk(1000, 10240)), 'low');
  assert.equal(levelOf(disk(90, 10240)), 'full');
});

test('a large disk with much space left is not low, a small one with little in it neither', () => {
  assert.equal(levelOf(disk(20_000, 500_000)), 'enough');
  assert.equal(levelOf(disk(900, 1024)), 'enough');
  assert.equal(levelOf(disk(900, 500_000)), 'low');
  assert.equal(levelOf(disk(19, 1024)), 'full');
});

test('inodes count, too, where the file system has them', () => {
  assert.equal(levelOf(disk(5000, 10240, { freeFiles: 10 })), 'low');
  assert.equal(levelOf(disk(5000, 10240, { freeFiles: 0 })), 'full');
  assert.equal(levelOf(disk(5000, 10240, { freeFiles: 0, files: 0 })), 'enough');
});

test('the texts name the disk, what is left, and what to do', () => {
  const { bar, message } = textsOf(disk(312, 10240));
  assert.equal(bar, '$(warning) 312 MB left');
  assert.match(message, /disk with \/home\/coder is nearly full: 312 MB of 10\.0 GB are left\..*Delete what you do not need/);
  assert.match(textsOf(disk(5000, 10240, { freeFiles: 3 })).message, /3 of 1000 files are left/);
});

test('folders that cannot be read do not count', async () => {
  assert.equal(await fullestOf(['/no/such/folder']), undefined);
  assert.equal((await fullestOf(['/no/such/folder', '/'])).path, '/');
});
