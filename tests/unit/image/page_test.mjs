// What VS Code's page does before the web extension runs (images/workspace/page.js).
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import vm from 'node:vm';

const script = readFileSync(new URL('../../../images/workspace/page.js', import.meta.url), 'utf8');

const up = { ready: true, generation: '1', status: 'running', moving: null };
const moving = { ...up, moving: { to: 'Fly.io (ams)', paused: false, percent: 10 } };

class Dialog {
  isConnected = false;
  open = false;
  textContent = '';
  addEventListener() {}
  showModal() {
    assert.ok(this.isConnected && !this.open);
    this.open = true;
  }
  close() { this.open = false; }
  remove() { this.isConnected = false; }
}

/** A page whose polls get `answers`, one after the other. */
function load(answers) {
  const page = { dialog: new Dialog(), reloads: 0, channels: {}, polls: [] };
  const document = {
    getElementById: () => ({ getAttribute: () => '{}' }),
    createElement: (name) => (name === 'dialog' ? page.dialog : {}),
    body: { append: (element) => { element.isConnected = true; } },
  };
  class BroadcastChannel {
    constructor(name) { page.channels[name] = this; }
    close() { this.closed = true; }
  }
  vm.runInNewContext(script, {
    document, BroadcastChannel, AbortSignal, MutationObserver: class {},
    location: { hostname: 'dev.localhost', reload: () => { ++page.reloads; } },
    fetch: async () => ({ ok: true, status: 200, json: async () => answers.shift() }),
    setTimeout: (poll) => { page.polls.push(poll); },
  });
  page.poll = async () => { // the first one began with the page
    await new Promise(setImmediate);
    await page.polls.shift()?.();
  };
  return page;
}

test('takes no input while the workspace moves and VS Code is loading', async () => {
  const page = load([up, moving, moving, up]);
  await new Promise(setImmediate);
  assert.equal(page.dialog.open, false);
  await page.poll();
  assert.equal(page.dialog.open, true);
  assert.equal(page.dialog.textContent, 'This workspace is moving to Fly.io (ams). You can type here as soon as VS Code has loaded.');
  await page.poll();
  assert.equal(page.dialog.open, true);
  await page.poll();
  assert.equal(page.dialog.open, false, 'the move has ended');
  assert.equal(page.reloads, 0);
});

test('takes input during the move once the extension runs', async () => {
  const page = load([moving]);
  await new Promise(setImmediate);
  assert.equal(page.dialog.open, true);
  page.channels['swarm-workspace'].onmessage({ data: '1' });
  assert.equal(page.dialog.open, false);
  assert.equal(page.dialog.isConnected, false);
});

test('reloads when its server was replaced while it was loading', async () => {
  const page = load([moving, { ...up, generation: '2' }]);
  await page.poll();
  assert.equal(page.reloads, 1);
  assert.equal(page.dialog.open, false);
});
