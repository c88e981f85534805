// Heals an open tab: when VS Code's server was replaced (restart, upgrade, stop and start), the page's connection can
// never come back, so this reloads the window once the new server is ready. Unsaved editors come back with it: VS Code
// keeps them at the server, and what was typed after the server was gone is carried over the reload here.
// Runs in the browser's web worker, which lives on while there is no server. See README.md for the gateway's part.
'use strict';

const vscode = require('vscode');

const kStatusPath = '/.swarm/status';
const kCalmMilliseconds = 5000; // while all is well
const kEagerMilliseconds = 1000; // while the server is away
const kAnswerMilliseconds = 8000; // no answer within this time counts as "away"

/** Follows the generation of VS Code's server. No I/O and no clock here: it is fed answers and says what to do. */
class Healer {
  /** @type {string | undefined} The server that this page is connected to. */
  #generation;
  #away = false;

  /** True from the first sign of trouble until the server that we know is back. */
  get away() {
    return this.#away;
  }

  /**
   * @param {{kind: 'status', ready: boolean, generation: string, status: string} | {kind: 'absent'} | {kind: 'unreachable'}} answer
   * @returns {'nothing' | 'lost' | 'recovered' | 'reload' | 'quit'}
   */
  next(answer) {
    if (answer.kind === 'absent') {
      // Answered, but not by our gateway: there is nothing to watch. Once we know our gateway, it is only a hiccup.
      return this.#generation === undefined ? 'quit' : 'nothing';
    }
    if (answer.kind === 'unreachable' || !answer.ready) {
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
    return wasAway ? 'recovered' : 'nothing';
  }
}

/** Asks the gateway at the page's own origin. Never throws. */
async function askStatus(origin) {
  const abort = new AbortController();
  const timer = setTimeout(() => abort.abort(), kAnswerMilliseconds);
  try {
    const response = await fetch(origin + kStatusPath, {
      credentials: 'include', cache: 'no-store', redirect: 'manual', signal: abort.signal,
      headers: { Accept: 'application/json' },
    });
    // 5xx: a gateway (or a proxy before it) in trouble. Anything else that is no JSON of ours: not our gateway, or
    // the session ended; a reload would only lead away from unsaved work.
    if (response.status >= 500) return { kind: 'unreachable' };
    if (!response.ok) return { kind: 'absent' };
    const body = await response.json();
    if (typeof body.generation !== 'string' || typeof body.ready !== 'boolean') return { kind: 'absent' };
    return { kind: 'status', ready: body.ready, generation: body.generation, status: String(body.status ?? '') };
  } catch (error) {
    return error instanceof SyntaxError ? { kind: 'absent' } : { kind: 'unreachable' };
  } finally {
    clearTimeout(timer);
  }
}

// --- Text that was typed while there was no server: over the reload in the browser's own database. ---

const kRescueMilliseconds = 15 * 60 * 1000; // older than that, nobody expects it any more
const kRescuedSchemes = new Set(['untitled', 'vscode-remote', 'file']);

/** Runs `work` in one transaction on the store of rescued texts; gives what it returned, once all is written. */
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

function rescueTexts() {
  const documents = vscode.workspace.textDocuments
    .filter((document) => document.isDirty && kRescuedSchemes.has(document.uri.scheme))
    .map((document) => ({ uri: document.uri.toString(), language: document.languageId, text: document.getText() }));
  if (documents.length === 0) return Promise.resolve();
  return withRescued((store) => { store.put({ id: crypto.randomUUID(), workspace: workspaceKey(), at: Date.now(), documents }); });
}

/** What was rescued for this workspace; each text is handed out once. */
function takeRescuedTexts() {
  const taken = [];
  return withRescued((store) => {
    store.openCursor().onsuccess = (event) => {
      const cursor = event.target.result;
      if (!cursor) return;
      const old = Date.now() - cursor.value.at > kRescueMilliseconds;
      if (old || cursor.value.workspace === workspaceKey()) {
        if (!old) taken.push(...cursor.value.documents);
        cursor.delete();
      }
      cursor.continue();
    };
    return taken;
  });
}

/** The document of that address. One that VS Code is restoring itself appears a moment after the start. */
async function findDocument(uri) {
  const find = () => vscode.workspace.textDocuments.find((document) => document.uri.toString() === uri);
  for (let waited = 0; waited < 5000 && !find(); waited += 250) await new Promise((resolve) => setTimeout(resolve, 250));
  if (find()) return find();
  const parsed = vscode.Uri.parse(uri);
  if (parsed.scheme === 'untitled') return undefined;
  return vscode.workspace.openTextDocument(parsed).then((document) => document, () => undefined); // deleted meanwhile
}

async function restoreText({ uri, language, text }) {
  const document = await findDocument(uri);
  if (!document) {
    await vscode.window.showTextDocument(await vscode.workspace.openTextDocument({ language, content: text }), { preview: false });
  } else if (document.getText() !== text) {
    const edit = new vscode.WorkspaceEdit(); // one step of undo leads back to what the server has
    edit.replace(document.uri, new vscode.Range(0, 0, document.lineCount, 0), text);
    await vscode.workspace.applyEdit(edit);
  }
}

async function restoreTexts() {
  for (const document of await takeRescuedTexts()) await restoreText(document);
}

// --- What the person sees, and the loop. ---

const kMessages = {
  stopped: 'This workspace is stopped. The tab goes on by itself once it is started again.',
  stopping: 'This workspace is stopping.',
  starting: 'This workspace is starting. The tab goes on by itself.',
  migrating: 'This workspace is moving. The tab goes on by itself.',
};
const kAwayMessage = 'This workspace cannot be reached at the moment. The tab goes on by itself; unsaved text is kept.';

function activate(context) {
  // The worker runs from a blob of the page's origin.
  const origin = self.location.origin;
  if (!/^https?:/.test(origin)) return;

  const healer = new Healer();
  const item = vscode.window.createStatusBarItem('swarm.connection', vscode.StatusBarAlignment.Left, 10000);
  item.name = 'Swarm connection';
  item.backgroundColor = new vscode.ThemeColor('statusBarItem.warningBackground');
  context.subscriptions.push(item);

  let timer;
  let ended = false;
  context.subscriptions.push({ dispose() { ended = true; clearTimeout(timer); } });

  const look = async () => {
    const answer = await askStatus(origin);
    if (ended) return;
    const step = healer.next(answer);
    if (step === 'quit') return;
    if (step === 'reload') {
      item.text = '$(sync~spin) Reloading: the workspace is back';
      item.show();
      try {
        await rescueTexts();
      } catch (error) {
        // Reloading would lose text: the person decides.
        item.hide();
        const choice = await vscode.window.showWarningMessage(
          'The workspace is back, but text typed meanwhile could not be put aside. Copy what you need, then reload.', 'Reload');
        if (choice !== 'Reload') return;
      }
      await vscode.commands.executeCommand('workbench.action.reloadWindow');
      // Reached only when the reload was refused (an editor that asks before closing, say): try again later.
    } else if (healer.away) {
      item.text = '$(sync~spin) ' + (answer.kind === 'status' && answer.status && answer.status !== 'running'
        ? `Workspace is ${answer.status}` : 'Workspace is away');
      item.tooltip = (answer.kind === 'status' && kMessages[answer.status]) || kAwayMessage;
      item.show();
    } else {
      item.hide();
    }
    if (!ended) timer = setTimeout(look, healer.away ? kEagerMilliseconds : kCalmMilliseconds);
  };
  restoreTexts().catch((error) => console.error('swarm-workspace: text could not be restored', error));
  look();
}

function deactivate() {}

module.exports = { activate, deactivate, Healer };
