// Repairs an open tab. After VS Code's server was replaced (restart, upgrade, stop and start, move to another place), the page cannot
// reconnect, so this extension reloads the window once the new server is ready. Unsaved editors are restored: VS Code keeps them at the
// server, and this extension carries what was typed without a server over the reload.
// Runs in the browser's web worker, which continues to run without a server. README.md describes the gateway's part.
'use strict';

const vscode = require('vscode');

const kStatusPath = '/.swarm/status';
const kStartPath = '/.swarm/start';
const kCalmMilliseconds = 3000; // in normal operation; short, because a small workspace moves within seconds
const kEagerMilliseconds = 1000; // while the server is unreachable, or during a move
const kPausedMilliseconds = 300; // while a move has stopped VS Code, which itself retries after 5 s and would then give up
const kTimeoutMilliseconds = 8000; // without a response within this time the server counts as unreachable
const kPausedTimeoutMilliseconds = 3000; // the same during such a pause
const kReloadMilliseconds = 30_000; // a page may take this long on a slow line; reloading earlier would start over, for ever
const kDownMilliseconds = 15_000; // the tab of a stopped workspace leaves before VS Code covers it with a dialog, 40 s after the last byte
const kHandoverChannel = 'swarm-workspace'; // to the page's own script (../page.js), which watches until this extension has started

const kClosedCommand = 'swarm.closed';
const kClosedChannel = 'swarm-workspace-closed'; // to the same script: whether the gateway no longer admits this tab

const kDownStatuses = new Set(['stopped', 'failed']);

/** Follows the generation of VS Code's server. Pure: takes responses of the gateway and returns the action. */
class Healer {
  /** @type {string | undefined} The server that this page is connected to. */
  #generation;
  #away = false;
  /** @type {Move | undefined} */
  #move;
  /** @type {'signedOut' | 'deleted' | undefined} Why the gateway no longer admits this tab. */
  #closed;
  /** @type {'stopped' | 'failed' | undefined} Why only a start brings the workspace back. */
  #down;

  /** Of the server that this page is connected to; undefined until it was ready. */
  get generation() {
    return this.#generation;
  }

  /** True from the first failure until the known server responds again. */
  get away() {
    return this.#away;
  }

  /** The move in progress, as far as known. */
  get move() {
    return this.#move;
  }

  get closed() {
    return this.#closed;
  }

  get down() {
    return this.#down;
  }

  /** Until the next request to the gateway. */
  get delayMilliseconds() {
    if (this.#move?.paused) return kPausedMilliseconds;
    return this.#away || this.#move ? kEagerMilliseconds : kCalmMilliseconds;
  }

  get timeoutMilliseconds() {
    return this.#move?.paused ? kPausedTimeoutMilliseconds : kTimeoutMilliseconds;
  }

  /**
   * @typedef {{to: string, stepText: string, percent: number, paused: boolean, secondsLeft: number}} Move
   * @param {{kind: 'status', ready: boolean, generation: string, status: string, moving?: Move} | {kind: 'absent'} |
   *   {kind: 'signedOut'} | {kind: 'deleted'} | {kind: 'unreachable'}} answer
   * @returns {'nothing' | 'lost' | 'recovered' | 'stayed' | 'reload' | 'signedOut' | 'deleted' | 'quit'}
   *   stayed: a move ended before it stopped VS Code; signedOut, deleted: returned once
   */
  next(answer) {
    if (answer.kind === 'signedOut' || answer.kind === 'deleted') {
      if (this.#closed === answer.kind) return 'nothing';
      this.#closed = answer.kind;
      return answer.kind;
    }
    if (answer.kind === 'status') {
      this.#closed = undefined;
      this.#down = !answer.ready && !answer.moving && kDownStatuses.has(answer.status) ? answer.status : undefined;
    }
    if (answer.kind === 'absent') {
      // A response, but not of our gateway: nothing to watch. After responses of our gateway it counts as temporary.
      return this.#generation === undefined ? 'quit' : 'nothing';
    }
    const before = this.#move;
    if (answer.kind === 'status') this.#move = answer.moving; // unreachable: the last known move still holds
    // During a pause, "ready" of the known server is outdated: that server is being stopped.
    const stopped = answer.kind === 'status' && answer.moving?.paused && (answer.generation === this.#generation || !answer.ready);
    if (answer.kind === 'unreachable' || !answer.ready || stopped) {
      const first = !this.#away;
      this.#away = true;
      return first ? 'lost' : 'nothing';
    }
    if (this.#generation === undefined) {
      this.#generation = answer.generation;
    } else if (this.#generation !== answer.generation) {
      return 'reload';
    }
    const wasAway = this.#away;
    this.#away = false;
    if (wasAway) return 'recovered';
    return before && !this.#move ? 'stayed' : 'nothing';
  }
}

/** The gateway's `moving`; undefined from an older gateway, which sends none. */
function readMove(value) {
  if (typeof value !== 'object' || value === null || typeof value.to !== 'string') return undefined;
  const number = (given, otherwise) => (Number.isFinite(given) ? given : otherwise);
  return {
    to: value.to, stepText: String(value.stepText ?? value.step ?? ''), paused: value.paused === true,
    percent: Math.min(100, Math.max(0, Math.round(number(value.percent, 0)))), secondsLeft: number(value.secondsLeft, -1),
  };
}

/** The address of the list of workspaces; undefined from an older gateway, which sends none. */
function homeOf(body) {
  return typeof body.home === 'string' && /^https?:\/\//.test(body.home) ? body.home : undefined;
}

/** The gateway's response at the page's own origin. Never throws. */
async function fetchStatus(origin, timeoutMilliseconds) {
  const abort = new AbortController();
  const timer = setTimeout(() => abort.abort(), timeoutMilliseconds);
  try {
    const response = await fetch(origin + kStatusPath, {
      credentials: 'include', cache: 'no-store', redirect: 'manual', signal: abort.signal,
      headers: { Accept: 'application/json' },
    });
    // 5xx: a failing gateway, or a proxy in front of it. Any other response that is not our JSON: not our gateway.
    if (response.status >= 500) return { kind: 'unreachable' };
    if (response.status === 401 && (await response.json()).code === 'unauthenticated') return { kind: 'signedOut' };
    if (response.status === 410) {
      const body = await response.json();
      return body.status === 'deleted' ? { kind: 'deleted', home: homeOf(body) } : { kind: 'absent' };
    }
    if (!response.ok) return { kind: 'absent' };
    const body = await response.json();
    if (typeof body.generation !== 'string' || typeof body.ready !== 'boolean') return { kind: 'absent' };
    return {
      kind: 'status', ready: body.ready, generation: body.generation, status: String(body.status ?? ''),
      reason: String(body.reason ?? ''), moving: readMove(body.moving), home: homeOf(body),
    };
  } catch (error) {
    return error instanceof SyntaxError ? { kind: 'absent' } : { kind: 'unreachable' };
  } finally {
    clearTimeout(timer);
  }
}

// --- Carried over the reload in the browser's database: text typed without a server, and the result of a move. ---

const kRescueMilliseconds = 24 * 60 * 60 * 1000; // older text is no longer expected
const kRescuedSchemes = new Set(['untitled', 'vscode-remote', 'file']);

/** Runs `work` in one transaction on the store of rescued texts; resolves to its result once everything is written. */
function withRescued(work) {
  return new Promise((resolve, reject) => {
    const opening = indexedDB.open('swarm-workspace', 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore('rescued', { keyPath: 'id' });
    opening.onerror = () => reject(opening.error);
    opening.onsuccess = () => {
      const database = opening.result;
      const transaction = database.transaction('rescued', 'readwrite');
      const result = work(transaction.objectStore('rescued'));
      transaction.oncomplete = () => { database.close(); resolve(result); };
      transaction.onabort = () => { database.close(); reject(transaction.error); };
    };
  });
}

function workspaceKey() {
  return (vscode.workspace.workspaceFile ?? vscode.workspace.workspaceFolders?.[0]?.uri)?.toString() ?? '';
}

/** `notice` is shown to the user after the reload. */
function rescueTexts(notice) {
  const documents = vscode.workspace.textDocuments
    .filter((document) => document.isDirty && kRescuedSchemes.has(document.uri.scheme))
    .map((document) => ({ uri: document.uri.toString(), language: document.languageId, text: document.getText() }));
  if (documents.length === 0 && !notice) return Promise.resolve();
  const kept = withRescued((store) => { store.put({ id: crypto.randomUUID(), workspace: workspaceKey(), at: Date.now(), documents, notice }); });
  return documents.length === 0 ? kept.catch(() => {}) : kept; // a lost notice is not worth a question
}

/** What was rescued for this workspace; each record is returned once. */
function takeRescued() {
  const taken = [];
  return withRescued((store) => {
    store.openCursor().onsuccess = (event) => {
      const cursor = event.target.result;
      if (!cursor) return;
      const old = Date.now() - cursor.value.at > kRescueMilliseconds;
      if (old || cursor.value.workspace === workspaceKey()) {
        if (!old) taken.push(cursor.value);
        cursor.delete();
      }
      cursor.continue();
    };
    return taken;
  });
}

/** The document with that URI. One that VS Code restores itself appears a moment after the start. */
async function findDocument(uri) {
  const find = () => vscode.workspace.textDocuments.find((document) => document.uri.toString() === uri);
  for (let waited = 0; waited < 5000 && !find(); waited += 250) await new Promise((resolve) => setTimeout(resolve, 250));
  if (find()) return find();
  const parsed = vscode.Uri.parse(uri);
  if (parsed.scheme === 'untitled') return undefined;
  return vscode.workspace.openTextDocument(parsed).then((document) => document, () => undefined); // deleted since
}

async function restoreText({ uri, language, text }) {
  const document = await findDocument(uri);
  if (!document) {
    await vscode.window.showTextDocument(await vscode.workspace.openTextDocument({ language, content: text }), { preview: false });
  } else if (document.getText() !== text) {
    const edit = new vscode.WorkspaceEdit(); // one undo step returns to the server's text
    edit.replace(document.uri, new vscode.Range(0, 0, document.lineCount, 0), text);
    await vscode.workspace.applyEdit(edit);
  }
}

async function restore() {
  for (const { documents, notice } of await takeRescued()) {
    if (notice) vscode.window.showInformationMessage(notice);
    for (const document of documents) await restoreText(document);
  }
}

// --- What the user sees, and the loop. ---

const kMessages = {
  stopped: 'This workspace is stopped. The tab continues automatically once it is started again.',
  failed: 'This workspace failed, or could not be started. The tab continues automatically once it is started.',
  stopping: 'This workspace is stopping.',
  starting: 'This workspace is starting. The tab continues automatically.',
};
const kClosed = {
  signedOut: {
    bar: '$(lock) Signed out', action: 'Sign in again',
    message: 'You are signed out of this workspace. What you type is not saved until you sign in again; unsaved text is kept.',
  },
  deleted: {
    bar: '$(trash) Workspace deleted', action: 'Show workspaces',
    message: 'This workspace was deleted. Copy what you still need from this tab.',
  },
};
const kAwayMessage = 'This workspace cannot be reached at the moment. The tab continues automatically; unsaved text is kept.';

/** "about 20 s left", or "" when the time is unknown. */
function timeLeft(seconds) {
  if (seconds < 0) return '';
  return seconds < 95 ? `about ${Math.max(seconds, 1)} s left` : `about ${Math.round(seconds / 60)} min left`;
}

/** Texts of a move: for the status bar throughout, for a notification while VS Code is stopped. */
function moveTexts(move) {
  const facts = [move.stepText, timeLeft(move.secondsLeft)].filter(Boolean).join(', ');
  return {
    bar: `$(sync~spin) Moving to ${move.to} … ${move.percent} %`,
    tooltip: `This workspace is moving to ${move.to}${facts && ': ' + facts}. ` + (move.paused
      ? 'The tab continues automatically; unsaved text is kept.'
      : 'You can continue working. There is a short pause at the end, after which the tab continues automatically.'),
    title: `This workspace is moving to ${move.to}`,
    // A notification shows one line until it is expanded: unsaved text first, since the status bar has the percentage.
    message: `unsaved text is kept · ${move.percent} %${facts && ', ' + facts}. The tab continues automatically.`,
  };
}

/** The result of a move, once VS Code responds again; a failed move left its reason. */
function outcomeText(move, reason) {
  return reason || `This workspace is now on ${move.to}.`;
}

/** The notification with a progress bar, visible from the first show() to hide(). */
class MoveNotification {
  #close;
  #progress;
  #shown = 0;

  show(move) {
    const texts = moveTexts(move);
    if (!this.#close) {
      this.#shown = 0;
      vscode.window.withProgress({ location: vscode.ProgressLocation.Notification, title: texts.title }, (progress) => {
        this.#progress = progress;
        return new Promise((resolve) => { this.#close = resolve; });
      });
    }
    // A progress bar only moves forward.
    this.#progress?.report({ message: texts.message, increment: Math.max(0, move.percent - this.#shown) });
    this.#shown = Math.max(this.#shown, move.percent);
  }

  hide() {
    this.#close?.();
    this.#close = this.#progress = undefined;
  }
}

/** Status bar and notification, from the healer and the last response. */
class StatusDisplay {
  #item;
  #notification = new MoveNotification();

  constructor(context) {
    this.#item = vscode.window.createStatusBarItem('swarm.connection', vscode.StatusBarAlignment.Left, 10000);
    this.#item.name = 'Swarm connection';
    context.subscriptions.push(this.#item, { dispose: () => this.#notification.hide() });
  }

  show(healer, answer) {
    const move = healer.move;
    this.#item.command = healer.closed && kClosedCommand; // a notification leaves the screen after a while
    if (move?.paused) this.#notification.show(move);
    else this.#notification.hide();
    if (move) {
      const { bar, tooltip } = moveTexts(move);
      this.#bar(bar, tooltip, false);
    } else if (healer.closed) {
      this.#bar(kClosed[healer.closed].bar, kClosed[healer.closed].message, true);
    } else if (healer.away) {
      const status = answer.kind === 'status' ? answer.status : '';
      this.#bar((healer.down ? '$(circle-slash) ' : '$(sync~spin) ') + (status === 'failed' ? 'Workspace failed' : status && status !== 'running' ? `Workspace is ${status}` : 'Workspace is unreachable'),
        kMessages[status] || kAwayMessage, true);
    } else {
      this.#item.hide();
    }
  }

  reloading() {
    this.#bar('$(sync~spin) Reloading: the workspace is back', '', true);
  }

  hide() {
    this.#notification.hide();
    this.#item.hide();
  }

  #bar(text, tooltip, warning) {
    this.#item.text = text;
    this.#item.tooltip = tooltip;
    this.#item.backgroundColor = warning ? new vscode.ThemeColor('statusBarItem.warningBackground') : undefined;
    this.#item.show();
  }
}

/** @returns {Promise<boolean>} false: the user chose to stay; no more requests are made */
async function reload(display, notice) {
  display.reloading();
  try {
    await rescueTexts(notice);
  } catch (error) {
    // Reloading would lose text: the user decides.
    display.hide();
    const choice = await vscode.window.showWarningMessage(
      'The workspace is back, but text that you typed without a connection could not be stored. Copy what you need, then reload.', 'Reload');
    if (choice !== 'Reload') return false;
  }
  await vscode.commands.executeCommand('workbench.action.reloadWindow');
  // Reached only when the reload was refused, for example by an editor with a question before closing: retry later.
  return true;
}

/** Shows why the workspace does not run, and starts it on request. The tab continues when it runs. */
async function offerStart(origin, status, reason) {
  if ((await vscode.window.showWarningMessage([kMessages[status], reason].filter(Boolean).join(' '), 'Start')) !== 'Start') return;
  let detail = '';
  try {
    const response = await fetch(origin + kStartPath, {
      method: 'POST', credentials: 'include', redirect: 'manual', headers: { Accept: 'application/json' },
    });
    if (response.type === 'opaqueredirect') return; // accepted
    detail = String((await response.json()).detail ?? '');
  } catch { /* no response of the gateway, or not one of its own */ }
  vscode.window.showErrorMessage(`The workspace was not started. ${detail || 'Reload the tab to try again.'}`);
}

/** To the gateway's page of a stopped workspace. Stays when text cannot be kept. */
async function leave() {
  try {
    await rescueTexts('');
  } catch (error) {
    return console.error('swarm-workspace: could not keep text', error);
  }
  await vscode.commands.executeCommand('workbench.action.reloadWindow');
}

/** Shows why the tab is no longer admitted, with the next step. */
async function showClosed(kind, display, home) {
  const { message, action } = kClosed[kind];
  const choice = await vscode.window.showWarningMessage(message, ...(kind === 'deleted' && !home ? [] : [action]));
  if (choice !== action) return;
  if (kind === 'signedOut') await reload(display, ''); // the page's request redirects to the sign-in, and back
  else await vscode.env.openExternal(vscode.Uri.parse(home));
}

function activate(context) {
  // The worker runs from a blob of the page's origin.
  const origin = self.location.origin;
  if (!/^https?:/.test(origin)) return;

  const healer = new Healer();
  const display = new StatusDisplay(context);
  let handedOver = false;
  let timer;
  let ended = false;
  let home;
  let downSince; // undefined: it is not down, or the tab has left
  context.subscriptions.push(vscode.commands.registerCommand('swarm.workspaces', () => (home
    ? vscode.env.openExternal(vscode.Uri.parse(home))
    : vscode.window.showInformationMessage('The address of your workspaces is not known yet. Try again in a moment.'))));
  context.subscriptions.push(vscode.commands.registerCommand(kClosedCommand, () => healer.closed && showClosed(healer.closed, display, home)));
  const closedChannel = new BroadcastChannel(kClosedChannel);
  context.subscriptions.push({ dispose() { ended = true; clearTimeout(timer); closedChannel.close(); } });

  const poll = async () => {
    const before = healer.move;
    const downBefore = healer.down;
    const closedBefore = healer.closed;
    const answer = await fetchStatus(origin, healer.timeoutMilliseconds);
    if (ended) return;
    home = answer.home ?? home;
    const step = healer.next(answer);
    if (step === 'quit') return;
    if (!handedOver && healer.generation !== undefined) {
      handedOver = true;
      const handover = new BroadcastChannel(kHandoverChannel);
      handover.postMessage(healer.generation);
      handover.close();
    }
    if (step === 'reload') {
      const move = healer.move ?? before;
      if (!(await reload(display, move ? outcomeText(move, answer.reason) : ''))) return;
    } else {
      display.show(healer, answer);
    }
    if (healer.down !== downBefore) {
      downSince = healer.down && Date.now();
      if (healer.down) offerStart(origin, healer.down, answer.reason);
    } else if (Date.now() - downSince >= kDownMilliseconds) {
      downSince = undefined;
      await leave();
    }
    if (healer.closed !== closedBefore) closedChannel.postMessage(healer.closed !== undefined);
    if (step === 'signedOut' || step === 'deleted') showClosed(step, display, home);
    if (step === 'stayed') vscode.window.showInformationMessage(answer.reason || `The workspace was not moved to ${before.to}; it stays where it is.`);
    if (!ended) timer = setTimeout(poll, step === 'reload' ? kReloadMilliseconds : healer.delayMilliseconds);
  };
  restore().catch((error) => console.error('swarm-workspace: could not restore text', error));
  poll();
}

function deactivate() {}

module.exports = { activate, deactivate, Healer, moveTexts, outcomeText, readMove };
