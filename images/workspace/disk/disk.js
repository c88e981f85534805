// Warns when the disk with the home or with an open folder is nearly full: on a full disk VS Code saves neither files nor its own state.
// Runs in the workspace, in VS Code's extension host. A provider may not enforce the size of a volume; what counts is therefore the file
// system, which may be the whole disk of the Engine's machine.
'use strict';

const fs = require('node:fs/promises');
const os = require('node:os');
const vscode = require('vscode');

const kPollMilliseconds = 10_000;
const kMiB = 1024 ** 2;
// A share alone would warn on a large disk with much space left, an amount alone on a small disk that is almost empty.
const kLevels = [
  { name: 'full', share: 0.02, bytes: 100 * kMiB, inodes: 0.001 },
  { name: 'low', share: 0.1, bytes: 1024 * kMiB, inodes: 0.02 },
];

/**
 * @param {{free: number, total: number, freeFiles: number, files: number}} disk bytes, and inodes (0 of 0: the file system counts none)
 * @returns {'full' | 'low' | 'enough'}
 */
function levelOf({ free, total, freeFiles, files }) {
  const reached = ({ share, bytes, inodes }) => (free < total * share && free < bytes) || freeFiles < files * inodes;
  return kLevels.find(reached)?.name ?? 'enough';
}

/** "312 MB", "4.2 GB". */
function sizeText(bytes) {
  return bytes < 1000 * kMiB ? `${Math.floor(bytes / kMiB)} MB` : `${(bytes / (1024 * kMiB)).toFixed(1)} GB`;
}

/** What the user sees of a disk that is nearly full. */
function textsOf(disk) {
  const lacksFiles = disk.freeFiles < disk.files * kLevels[1].inodes;
  const left = lacksFiles ? `${disk.freeFiles} of ${disk.files} files` : `${sizeText(disk.free)} of ${sizeText(disk.total)}`;
  return {
    bar: lacksFiles ? `$(warning) ${disk.freeFiles} files left` : `$(warning) ${sizeText(disk.free)} left`,
    message: `The disk with ${disk.path} is nearly full: ${left} are left. Files cannot be saved on a full disk. ` +
      'Delete what you do not need; `df -h` and `du -xh ~ | sort -h` show what uses it.',
  };
}

async function readDisk(path) {
  const { bsize, blocks, bavail, files, ffree } = await fs.statfs(path);
  return { path, free: bavail * bsize, total: blocks * bsize, freeFiles: ffree, files };
}

/** The fullest disk of these folders; those that cannot be read do not count. */
async function fullestOf(paths) {
  const disks = (await Promise.allSettled(paths.map(readDisk))).filter(({ status }) => status === 'fulfilled').map(({ value }) => value);
  const order = ['full', 'low', 'enough'];
  return disks.sort((one, other) => order.indexOf(levelOf(one)) - order.indexOf(levelOf(other)))[0];
}

/** The status bar shows the state; a notification appears when it becomes worse. */
class Warning {
  #item;
  #level = 'enough';

  constructor(context) {
    this.#item = vscode.window.createStatusBarItem('swarm.disk', vscode.StatusBarAlignment.Left, 9000);
    this.#item.name = 'Swarm disk';
    context.subscriptions.push(this.#item);
  }

  show(disk) {
    const level = disk ? levelOf(disk) : 'enough';
    const before = this.#level;
    this.#level = level;
    if (level === 'enough') return this.#item.hide();
    const { bar, message } = textsOf(disk);
    this.#item.text = bar;
    this.#item.tooltip = message;
    this.#item.backgroundColor = new vscode.ThemeColor(`statusBarItem.${level === 'full' ? 'error' : 'warning'}Background`);
    this.#item.show();
    if (level === before || before === 'full') return undefined;
    if (level === 'full') vscode.window.showErrorMessage(message);
    else vscode.window.showWarningMessage(message);
    return undefined;
  }
}

function activate(context) {
  const warning = new Warning(context);
  let timer;
  let ended = false;
  const poll = async () => {
    const folders = (vscode.workspace.workspaceFolders ?? []).filter(({ uri }) => uri.scheme === 'file').map(({ uri }) => uri.fsPath);
    warning.show(await fullestOf([os.homedir(), ...folders]));
    if (!ended) timer = setTimeout(poll, kPollMilliseconds);
  };
  context.subscriptions.push({ dispose() { ended = true; clearTimeout(timer); } });
  poll();
}

function deactivate() {}

module.exports = { activate, deactivate, fullestOf, levelOf, textsOf };
