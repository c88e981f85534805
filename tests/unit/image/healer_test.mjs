// What the web extension decides from the gateway's answers (images/workspace/extension/healer.js).
import assert from 'node:assert/strict';
import Module, { createRequire } from 'node:module';
import test from 'node:test';

// The extension's host gives it a module "vscode"; the decisions need none of it.
const load = Module._load;
Module._load = (name, ...rest) => (name === 'vscode' ? {} : load(name, ...rest));
const { Healer } = createRequire(import.meta.url)('../../../images/workspace/extension/healer.js');

const up = (generation) => ({ kind: 'status', ready: true, generation, status: 'running' });
const down = (generation) => ({ kind: 'status', ready: false, generation, status: 'stopped' });

test('reloads when another server is ready', () => {
  const healer = new Healer();
  assert.equal(healer.next(up('1')), 'nothing');
  assert.equal(healer.next(down('1')), 'lost');
  assert.equal(healer.next(down('2')), 'nothing');
  assert.equal(healer.next(up('2')), 'reload');
});

test('reloads when the server was replaced between two looks', () => {
  const healer = new Healer();
  healer.next(up('1'));
  assert.equal(healer.next(up('2')), 'reload');
});

test('asks again for the reload that was refused', () => {
  const healer = new Healer();
  healer.next(up('1'));
  healer.next(up('2'));
  assert.equal(healer.next(up('2')), 'reload');
});

test('reloads nothing when the same server is back', () => {
  const healer = new Healer();
  healer.next(up('1'));
  assert.equal(healer.next({ kind: 'unreachable' }), 'lost');
  assert.equal(healer.away, true);
  assert.equal(healer.next(up('1')), 'recovered');
  assert.equal(healer.away, false);
});

test('ends where there is no gateway of ours', () => {
  assert.equal(new Healer().next({ kind: 'absent' }), 'quit');
});

test('leaves the tab alone when the session ended', () => {
  const healer = new Healer();
  healer.next(up('1'));
  assert.equal(healer.next({ kind: 'absent' }), 'nothing');
  assert.equal(healer.next(up('1')), 'nothing');
});
