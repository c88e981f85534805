// What the web extension decides from the gateway's responses (images/workspace/extension/healer.js).
import assert from 'node:assert/strict';
import Module, { createRequire } from 'node:module';
import test from 'node:test';

// The extension's host gives it a module "vscode"; the decisions need none of it.
const load = Module._load;
Module._load = (name, ...rest) => (name === 'vscode' ? {} : load(name, ...rest));
const { Healer, moveTexts, outcomeText, readMove } = createRequire(import.meta.url)('../../../images/workspace/extension/healer.js');

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

test('requests a refused reload again', () => {
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

const move = (paused, percent = 45) => ({ to: 'Fly.io (ams)', stepText: 'copying the files', percent, paused, secondsLeft: 31 });
const copying = (generation) => ({ ...up(generation), moving: move(false) });
const paused = (generation) => ({ ...down(generation), status: 'starting', moving: move(true, 80) });

test('continues normally while a move copies, and polls more often', () => {
  const healer = new Healer();
  healer.next(up('1'));
  const calm = healer.delayMilliseconds;
  assert.equal(healer.next(copying('1')), 'nothing');
  assert.equal(healer.away, false);
  assert.equal(healer.move.percent, 45);
  assert.ok(healer.delayMilliseconds < calm);
});

test('polls at least twice a second while a move has stopped VS Code', () => {
  const healer = new Healer();
  healer.next(up('1'));
  assert.equal(healer.next(paused('1')), 'lost');
  assert.ok(healer.delayMilliseconds <= 500);
  healer.next({ kind: 'unreachable' }); // the server itself was restarted
  assert.ok(healer.delayMilliseconds <= 500);
  assert.equal(healer.move.to, 'Fly.io (ams)');
});

test('reloads at the new place', () => {
  const healer = new Healer();
  for (const response of [up('1'), copying('1'), paused('1'), paused('')]) assert.notEqual(healer.next(response), 'reload');
  assert.equal(healer.next(up('2')), 'reload');
});

test('reloads while the old place is still being tidied up', () => {
  const healer = new Healer();
  for (const response of [up('1'), paused('1')]) healer.next(response);
  assert.equal(healer.next({ ...up('2'), moving: move(false, 99) }), 'reload');
  const other = new Healer();
  for (const response of [up('1'), paused('1')]) other.next(response);
  assert.equal(other.next({ ...up('2'), moving: move(true, 99) }), 'reload');
});

test('ignores an outdated ready of the old server once the pause has begun', () => {
  const healer = new Healer();
  healer.next(copying('1'));
  assert.equal(healer.next({ ...up('1'), moving: move(true) }), 'lost');
  assert.equal(healer.away, true);
  assert.equal(healer.next({ ...up('1'), moving: move(true) }), 'nothing');
  assert.equal(healer.next(up('2')), 'reload');
});

test('never reloads for a server that is not ready, whatever its generation', () => {
  const healer = new Healer();
  healer.next(up('1'));
  assert.equal(healer.next(paused('2')), 'lost');
  assert.equal(healer.next(paused('3')), 'nothing');
});

test('comes back at the old place when the move failed after the pause', () => {
  const healer = new Healer();
  for (const response of [up('1'), copying('1'), paused('1')]) healer.next(response);
  assert.equal(healer.next(down('')), 'nothing');
  assert.equal(healer.next(up('1b')), 'reload'); // the old place runs again: another process of VS Code's server
});

test('reloads nothing when the move ended before VS Code was stopped', () => {
  const healer = new Healer();
  for (const response of [up('1'), copying('1')]) healer.next(response);
  assert.equal(healer.next(up('1')), 'stayed');
  assert.equal(healer.move, undefined);
  assert.equal(healer.next(up('1')), 'nothing');
});

test('says in words what a move does and what becomes of unsaved text', () => {
  const during = moveTexts(move(false));
  assert.equal(during.bar, '$(sync~spin) Moving to Fly.io (ams) … 45 %');
  assert.match(during.tooltip, /continue working/);
  const pause = moveTexts({ ...move(true, 80), secondsLeft: -1 });
  assert.equal(pause.title, 'This workspace is moving to Fly.io (ams)');
  assert.equal(pause.message, 'unsaved text is kept · 80 %, copying the files. The tab continues automatically.');
  assert.match(moveTexts(move(true)).message, /about 31 s left/);
});

test('says after a move where the workspace is, or why it was not moved', () => {
  assert.equal(outcomeText(move(true), ''), 'This workspace is now on Fly.io (ams).');
  assert.equal(outcomeText(move(true), 'It was not moved: no space.'), 'It was not moved: no space.');
});

test('reads what a gateway says of a move, and nothing from one that knows none', () => {
  assert.equal(readMove(undefined), undefined);
  assert.equal(readMove(null), undefined);
  assert.deepEqual(readMove({ to: 'Docker', step: 'copy', percent: 140, paused: 'yes' }),
    { to: 'Docker', stepText: 'copy', percent: 100, paused: false, secondsLeft: -1 });
});

test('knows whether only a start brings the workspace back', () => {
  const healer = new Healer();
  healer.next(up('1'));
  assert.equal(healer.down, undefined);
  healer.next({ ...down('1'), status: 'stopping' });
  assert.equal(healer.down, undefined);
  healer.next(down('1'));
  assert.equal(healer.down, 'stopped');
  healer.next({ kind: 'unreachable' });
  assert.equal(healer.down, 'stopped');
  healer.next({ ...down('1'), status: 'starting' });
  assert.equal(healer.down, undefined);
  healer.next({ ...down('1'), status: 'failed' });
  assert.equal(healer.down, 'failed');
  healer.next(up('2'));
  assert.equal(healer.down, undefined);
});

test('does not take the pause of a move for a stop', () => {
  const healer = new Healer();
  healer.next(up('1'));
  healer.next({ ...paused('1'), status: 'stopped' });
  assert.equal(healer.down, undefined);
});

test('says once that the tab is signed out or its workspace deleted', () => {
  const healer = new Healer();
  healer.next(up('1'));
  for (const kind of ['signedOut', 'deleted']) {
    assert.equal(healer.next({ kind }), kind);
    assert.equal(healer.next({ kind }), 'nothing');
    assert.equal(healer.closed, kind);
    assert.equal(healer.next(up('1')), 'nothing', 'signed in again in another tab');
    assert.equal(healer.closed, undefined);
  }
});

test('says so when its very first answer is that', () => {
  assert.equal(new Healer().next({ kind: 'signedOut' }), 'signedOut');
  assert.equal(new Healer().next({ kind: 'deleted' }), 'deleted');
});
