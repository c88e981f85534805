// Part of VS Code's page, run before VS Code starts (`options` are its own). The folders that a workspace is made for are trusted; for any
// other folder that a link names, VS Code shows its question. Exactly these paths are trusted: a folder below them may be a clone of foreign code.
const trusted = ['/home/coder', '/home/coder/project'];
const query = new URLSearchParams(location.search);
const requested = query.get('folder') ?? options.folderUri?.path ?? '';
options.enableWorkspaceTrust = query.has('workspace') || query.getAll('folder').length > 1 || !trusted.includes(requested);
